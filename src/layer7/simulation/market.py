"""Every planted number of the simulated job market, in one value with names and units."""

from dataclasses import dataclass, fields
from typing import Literal

from layer7.errors import Layer7Error
from layer7.simulation import levels

Numbers = tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """A job market whose every effect is known; a scenario is `dataclasses.replace` of the default one.

    Odds ratios act on P(interview | the posting is alive); log odds are natural logarithms; shares and
    probabilities lie between 0 and 1; standard deviations (``_sd``, ``_sigma``) of log odds, log days or
    log counts have no unit. Tuples follow the order of the names in `layer7.simulation.levels`.

    The linear predictor of the log odds of a first interview, given that the posting is alive, is

        intercept + quality + employer + role + industry + company type + seniority + channel + weekday
        + month + early + morning + fit_slope (fit - 62) / 15 + resume_slope (resume - 68) / 12
        + tailored + crowding_slope crowding + person's own pattern (+ drift, vendor, wrong target).

    Raises:
        Layer7Error: ``market_shares`` if shares do not add up to one, ``market_range`` if a probability is
            outside 0 to 1, a scale is negative or an odds ratio is not positive, ``market_levels`` if a
            tuple has the wrong length.

    Source:
        The market is described, with its evidence, in ``docs/methods/market.md``.

    Example:
        >>> from dataclasses import replace
        >>> replace(Market(), weekday_odds_ratios=(1.0,) * 7).tailored_odds_ratio
        1.25
    """

    # People.
    role_shares: Numbers = (0.125,) * 8
    seniority_shares: Numbers = (0.25, 0.35, 0.30, 0.10)
    region_shares: Numbers = (0.18, 0.10, 0.06, 0.16, 0.10, 0.14, 0.10, 0.06, 0.06, 0.04)
    quality_sd: float = 0.8  # of the person's own log odds
    quality_law: Literal["normal", "t3"] = "normal"
    resume_mean: float = 68.0  # points of 100
    resume_sd: float = 12.0  # points
    resume_quality_correlation: float = 0.4
    weekly_volume_median: float = 6.0  # applications sent in a week
    weekly_volume_sigma: float = 0.8
    home_role_share: float = 0.60  # of a person's applications
    weekly_dropout: float = 0.03  # hazard of giving up, each week
    entry_weeks: int = 0  # people join evenly over these weeks; 0: all at the start
    abandoned_share: float = 0.08  # of applications begun, never sent
    contributing_share: float = 0.5  # of people, who agree to contribute to market insights

    # Channels, and how people choose (policies: volume, targeted, referral first).
    channel_odds_ratios: Numbers = (0.7, 1.0, 1.6, 4.0)
    channel_shares: Numbers = (0.60, 0.25, 0.10, 0.05)  # over all policies
    channel_tilts: tuple[Numbers, ...] = (
        (1.12, 0.91, 0.76, 0.66),
        (0.87, 1.13, 1.27, 1.26),
        (0.68, 1.15, 1.6, 2.6),
    )
    policy_appeals: Numbers = (0.0, -0.8, -1.8)  # log weight at average quality, fit and luck
    policy_quality_pull: Numbers = (0.0, 0.20, 0.15)  # log weight per standard deviation of quality
    policy_fit_pull: Numbers = (0.0, 0.25, 0.10)  # log weight per standard deviation of a person's fit
    policy_luck_pull: Numbers = (0.0, -0.35, -0.35)  # log weight per interview more than usual in 4 weeks
    policy_reconsider: float = 0.30  # share of people who choose anew each week
    policy_fit_points: Numbers = (-1.0, 1.5, 1.0)  # points of fit by choosing jobs so
    policy_volume_factors: Numbers = (1.08, 0.92, 0.87)
    tailored_intercept: float = -1.10  # log odds of tailoring an application
    tailored_quality_pull: float = 0.65  # log odds per standard deviation of quality
    tailored_fit_pull: float = 0.45  # log odds per standard deviation of fit
    tailored_policy_pull: Numbers = (-0.5, 0.8, 0.6)  # log odds
    tailored_at_random: bool = False  # a coin decides for each application, and the log says so

    # Jobs.
    role_effect: Numbers = (0.05, -0.35, -0.20, 0.38, 0.14, 0.25, -0.30, 0.03)  # log odds, SD 0.25
    seniority_effect: Numbers = (-0.25, 0.0, 0.15, 0.10)  # log odds
    industry_effect: Numbers = (-0.37, -0.10, 0.48, -0.30, 0.10, 0.33, 0.20, -0.48, 0.30, -0.16)  # SD 0.30
    company_type_effect: Numbers = (0.08, 0.28, 0.0, -0.28, -0.08)  # log odds, SD 0.20
    employer_sd: float = 0.9  # log odds
    posting_sd: float = 0.0  # log odds of a posting alone
    applications_per_posting: float = 2.0  # by the simulated people, on average
    postings_per_employer: float = 8.0
    dead_share: float = 0.30  # of postings: nobody is ever invited
    posting_age_mean: float = 5.0  # days since posted, when applied to
    remote_share: float = 0.35  # of applications
    abroad_share: float = 0.10  # of the applications that are not remote, to another region than one's own
    reach_share: float = 0.20  # one level above one's own seniority
    safety_share: float = 0.20  # one level below
    crowding_sd: float = 0.6  # log applicants
    crowding_slope: float = -0.35  # log odds per log applicant

    # Fit score: 100 times the weighted sum of technical, seniority, experience match and signal (0 to 1).
    fit_weights: Numbers = (0.4, 0.2, 0.2, 0.2)
    outcome_fit_weights: Numbers = (0.4, 0.2, 0.2, 0.2)  # those the employers' choice follows
    fit_mean: float = 62.0  # points of 100
    fit_common_sd: float = 12.0  # points, shared by the four parts within one application
    fit_part_sd: float = 14.0  # points, of each part alone
    fit_person_sd: float = 5.0  # points, between people
    fit_quality_correlation: float = 0.8  # of a person's mean fit with quality

    # Parts of the resume score, which is their weighted mean; without a spread they are not in the log.
    resume_weights: Numbers = (0.4, 0.2, 0.2, 0.2)
    outcome_resume_weights: Numbers = (0.4, 0.2, 0.2, 0.2)  # those the employers' choice follows
    resume_part_sd: float = 0.0  # points, of each part alone, between a person's applications ...
    resume_part_person_sd: float = 0.0  # ... and between people

    # Outcome.
    intercept: float = -3.62  # log odds, posting alive, all effects zero
    link: Literal["logit", "probit"] = "logit"
    fit_slope: float = 0.30  # log odds per 15 points
    resume_slope: float = 0.18  # log odds per 12 points
    resume_slope_above_68: float = 0.18  # log odds per 12 points, of the points above 68
    tailored_odds_ratio: float = 1.25
    early_odds_ratio: float = 1.08  # sent less than 48 hours after the posting's date
    morning_odds_ratio: float = 1.0  # sent 06:00 to 09:59 local time
    weekday_odds_ratios: Numbers = (1.0, 1.0, 0.98, 0.98, 0.94, 1.0, 1.0)  # Monday first
    month_odds_ratios: Numbers = (1.02, 1.0, 1.04, 1.06, 1.06, 1.04, 0.99, 1.0, 1.02, 1.0, 0.90, 0.75)
    strategy_odds_ratios: Numbers = (1.0, 1.0, 1.0)  # direct effect of Layer 2's mode
    pattern_share: float = 0.20  # of people who do better with one level of one characteristic
    pattern_odds_ratios: Numbers = (2.0, 3.0, 5.0)  # drawn evenly
    drift_week: int | None = None  # from this week on (first: 0) ...
    drift_odds_ratio: float = 1.0  # ... odds are multiplied by this
    vendor_person_sd: float = 0.0  # log odds shared by all jobs screened by the first vendor, per person
    mistargeted_share: float = 0.0  # of people who aim at the wrong jobs until they rethink
    mistargeted_odds_ratio: float = 0.4

    # Answers.
    rejection_alive: float = 0.44  # P(explicit rejection | no interview), typical alive posting
    rejection_alive_sd: float = 0.8  # log odds between employers
    rejection_dead: float = 0.18
    delay_law: Literal["lognormal", "weibull", "exponential"] = "lognormal"
    interview_delay_median: float = 5.0  # days
    rejection_delay_median: float = 9.0  # days
    delay_sigma: float = 1.6  # log days, the employer's share included
    delay_employer_sd: float = 0.5  # log days: employer frailty
    weibull_shape: float = 0.6

    # After the first interview.
    next_stage: float = 0.35
    final_stage: float = 0.24  # times exp(offer_quality_slope * quality)
    offer_stage: float = 0.95
    offer_quality_slope: float = 0.3
    loop_median: float = 16.0  # days from first interview to the decision
    loop_sigma: float = 0.5
    ghost_after_interview: float = 0.18
    accept: float = 0.8

    # What reaches the log.
    logging_delay_median: float = 2.0  # days
    logging_delay_person_sd: float = 0.6  # log days
    logging_delay_sd: float = 0.8  # log days
    lost_rejections: float = 0.10
    lost_interviews: float = 0.03
    ghosted_share: float = 0.10  # of applications silent for 30 days that the person then marks as ghosted

    # Layer 2's rule and Layer 3's rewriting.
    improve_resume_threshold: float = 75.0  # points
    rethink_applications: int = 30
    rethink_interview_rate: float = 0.02
    mode_volume_factors: Numbers = (1.0, 1.0, 1.0)  # of the weekly volume, by Layer 2's mode
    exploration_share: float = 0.0  # of decisions near the threshold that go the other way, and are logged
    exploration_reach: float = 5.0  # points from the threshold
    exploration_weeks: int = 4  # so long a decision near the threshold holds
    rewrite_weekly: float = 0.15  # chance in IMPROVE_RESUME_FIRST ...
    rewrite_elsewhere: float = 0.2  # ... and which share of it in the other modes
    rewrite_points: float = 3.0  # mean gain
    rewrite_points_sd: float = 3.0
    rewrite_accepted: float = 0.7
    weekly_suggestions: float = 1.5

    def __post_init__(self) -> None:
        _check_levels(self)
        _check_ranges(self)


_LEVELS = {
    "role_shares": len(levels.ROLES),
    "seniority_shares": len(levels.SENIORITIES),
    "region_shares": len(levels.REGIONS),
    "channel_odds_ratios": len(levels.CHANNELS),
    "channel_shares": len(levels.CHANNELS),
    "channel_tilts": len(levels.POLICIES),
    "policy_appeals": len(levels.POLICIES),
    "policy_quality_pull": len(levels.POLICIES),
    "policy_fit_pull": len(levels.POLICIES),
    "policy_luck_pull": len(levels.POLICIES),
    "policy_fit_points": len(levels.POLICIES),
    "policy_volume_factors": len(levels.POLICIES),
    "tailored_policy_pull": len(levels.POLICIES),
    "role_effect": len(levels.ROLES),
    "seniority_effect": len(levels.SENIORITIES),
    "industry_effect": len(levels.INDUSTRIES),
    "company_type_effect": len(levels.COMPANY_TYPES),
    "fit_weights": 4,
    "outcome_fit_weights": 4,
    "resume_weights": len(levels.RESUME_PARTS),
    "outcome_resume_weights": len(levels.RESUME_PARTS),
    "weekday_odds_ratios": 7,
    "month_odds_ratios": 12,
    "strategy_odds_ratios": len(levels.STRATEGY_MODES),
    "mode_volume_factors": len(levels.STRATEGY_MODES),
}
_SUM_TO_ONE = (
    "role_shares",
    "seniority_shares",
    "region_shares",
    "channel_shares",
    "fit_weights",
    "outcome_fit_weights",
    "resume_weights",
    "outcome_resume_weights",
)
_PROBABILITIES = (
    "weekly_dropout",
    "home_role_share",
    "abandoned_share",
    "contributing_share",
    "policy_reconsider",
    "dead_share",
    "remote_share",
    "abroad_share",
    "pattern_share",
    "mistargeted_share",
    "rejection_alive",
    "rejection_dead",
    "next_stage",
    "final_stage",
    "offer_stage",
    "ghost_after_interview",
    "accept",
    "lost_rejections",
    "lost_interviews",
    "ghosted_share",
    "exploration_share",
    "rewrite_weekly",
    "rewrite_elsewhere",
    "rewrite_accepted",
    "resume_quality_correlation",
    "fit_quality_correlation",
    "reach_share",
    "safety_share",
)


def _check_levels(market: Market) -> None:
    channels = len(levels.CHANNELS)
    if any(len(tilts) != channels for tilts in market.channel_tilts):
        raise Layer7Error("market_levels", f"Every row of channel_tilts has {channels} numbers.")
    if not market.pattern_odds_ratios:
        raise Layer7Error("market_levels", "pattern_odds_ratios is empty; it needs at least 1 number.")
    for name, length in _LEVELS.items():
        if len(getattr(market, name)) != length:
            raise Layer7Error(
                "market_levels",
                f"{name} has {len(getattr(market, name))} numbers; it needs {length}.",
                "Give one number per level, in the order of layer7.simulation.levels.",
            )


def _check_ranges(market: Market) -> None:
    for name in _SUM_TO_ONE:
        shares: Numbers = getattr(market, name)
        if min(shares) < 0 or abs(sum(shares) - 1) > 1e-9:
            raise Layer7Error(
                "market_shares",
                f"{name} adds up to {sum(shares)}; shares are at least 0 and add up to 1.",
                f"Divide {name} by its sum.",
            )
    for name in _PROBABILITIES:
        if not 0 <= getattr(market, name) <= 1:
            raise Layer7Error("market_range", f"{name} is {getattr(market, name)}; it lies between 0 and 1.")
    if market.delay_sigma < market.delay_employer_sd:
        raise Layer7Error(
            "market_range",
            "delay_sigma is below delay_employer_sd, though it includes it.",
            "Raise delay_sigma.",
        )
    if market.reach_share + market.safety_share > 1:
        raise Layer7Error("market_range", "reach_share and safety_share add up to more than 1.")
    if market.exploration_weeks < 1 or min(market.mode_volume_factors) < 0:
        raise Layer7Error(
            "market_range", "exploration_weeks is at least 1, and mode_volume_factors are at least 0."
        )
    for field in fields(market):
        _check_sign(field.name, getattr(market, field.name))


def _check_sign(name: str, value: object) -> None:
    numbers = value if isinstance(value, tuple) else (value,)
    if name.endswith(("odds_ratio", "odds_ratios", "_median", "_shape")) and min(numbers) <= 0:
        raise Layer7Error("market_range", f"{name} is {value}; it is greater than 0.", "1 means no effect.")
    if name.endswith(("_sd", "_sigma", "_weeks")) and min(numbers) < 0:
        raise Layer7Error("market_range", f"{name} is {value}; it is at least 0.", "0 means none.")
