"""What becomes of an application: invited or not, answered or not, when, and when it reaches the log."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from layer7.simulation.choices import DAY, Applications
from layer7.simulation.draws import draw_delays, probability
from layer7.simulation.jobs import Employers, Postings
from layer7.simulation.market import Market
from layer7.simulation.people import Population

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

NEVER = 2**62  # seconds: later than any horizon
SILENT, REJECTED, INTERVIEWED_SILENT, INTERVIEWED_REJECTED, DECLINED, ACCEPTED = range(6)
_GHOSTED_AFTER = 30.0  # days of silence before anybody calls it that


@dataclass(frozen=True, slots=True)
class Outcomes:
    """One element per application; days count from sending, ``nan`` where it never happens."""

    chance_alive: Floats  # P(interview | posting alive)
    dead: Bools
    interviewed: Bools
    interview_days: Floats
    onsite_days: Floats
    decision_days: Floats  # to a rejection or an offer
    stage: Ints  # index of levels.STAGES: the highest reached
    end: Ints  # index of levels.ENDS
    interview_logged: Ints  # seconds on the person's clock, NEVER if never
    onsite_logged: Ints
    decision_logged: Ints
    ghosted_logged: Ints
    ghosted_days: Floats


def linear_predictor(
    market: Market,
    applications: Applications,
    population: Population,
    *,
    world: tuple[Employers, Postings],
    calendar: "Calendar",
) -> Floats:
    """The log odds of a first interview, given that the posting is alive (the formula of `Market`).

    Args:
        market: the planted effects.
        applications: what was sent.
        population: who sent it.
        world: employers and postings.
        calendar: which day is in which month, and when the simulation started.

    Returns:
        One number per application.
    """
    employers, postings = world
    person, posting = applications.person, applications.posting
    employer = postings.employer[posting]
    day = (applications.sent - calendar.first) // DAY
    resume = applications.outcome_resume
    kink = np.maximum(resume - 68.0, 0.0)
    score = market.intercept + population.quality[person] + postings.effect[posting] + applications.aim
    score += np.log(market.channel_odds_ratios)[applications.channel]
    score += np.log(market.strategy_odds_ratios)[applications.mode]
    score += _timing(market, applications, postings, calendar=calendar, day=day)
    score += market.fit_slope * (applications.outcome_fit - 62.0) / 15.0
    score += market.resume_slope * (np.minimum(resume, 68.0) - 68.0) / 12.0
    score += market.resume_slope_above_68 * kink / 12.0
    score += float(np.log(market.tailored_odds_ratio)) * applications.tailored
    if market.vendor_person_sd > 0:
        score += population.vendor_logit[person] * (employers.vendor[employer] == 0)
    score += _own_pattern(applications, population, employers, employer)
    if market.drift_week is not None:
        score += float(np.log(market.drift_odds_ratio)) * (day >= 7 * market.drift_week)
    return score


@dataclass(frozen=True, slots=True)
class Calendar:
    """Which day is in which month; the first day's weekday and second."""

    first: int  # seconds at the start
    weekday: int  # of the first day, Monday: 0
    month: Ints  # 0 to 11, per day


def _timing(
    market: Market, applications: Applications, postings: Postings, *, calendar: Calendar, day: Ints
) -> Floats:
    hour = applications.sent // 3600 % 24
    age = (applications.sent - calendar.first) / DAY - postings.day(applications.posting)
    effect = np.log(market.weekday_odds_ratios)[(day + calendar.weekday) % 7]
    effect += np.log(market.month_odds_ratios)[calendar.month[day]]
    effect += float(np.log(market.early_odds_ratio)) * (age < 2.0)
    effect += float(np.log(market.morning_odds_ratio)) * ((hour >= 6) & (hour < 10))
    return np.asarray(effect, dtype=np.float64)


def _own_pattern(
    applications: Applications, population: Population, employers: Employers, employer: Ints
) -> Floats:
    dimension = population.pattern[applications.person]
    effect = np.zeros(len(dimension))
    for number, trait in enumerate((employers.company_type, employers.industry, employers.size, None)):
        rows = np.flatnonzero(dimension == number)
        person = applications.person[rows]
        level = applications.location[rows] if trait is None else trait[employer[rows]]
        hit = level == population.pattern_level[person]
        effect[rows] = np.where(hit, population.pattern_logit[person], 0.0)
    return effect


def draw_outcomes(
    market: Market,
    applications: Applications,
    population: Population,
    *,
    world: tuple[Employers, Postings],
    log_odds: Floats,
    rng: np.random.Generator,
) -> Outcomes:
    """Draw what happens and what of it reaches the log.

    Args:
        market: the planted numbers.
        applications: what was sent (nothing happens to those that were not).
        population: who sent it.
        world: employers and postings.
        log_odds: of a first interview, given that the posting is alive.
        rng: the dice.

    Returns:
        Outcomes, true times and times of logging. P(offer | interview) is
        ``next_stage * final_stage * exp(offer_quality_slope * quality) * offer_stage``.
    """
    employers, postings = world
    size = len(applications)
    employer = postings.employer[applications.posting]
    dead = postings.dead[applications.posting]
    chance = probability(market, log_odds)
    interviewed = applications.submitted & ~dead & (rng.random(size) < chance)
    answers = np.where(dead, market.rejection_dead, employers.rejection[employer])
    rejected = applications.submitted & ~interviewed & (rng.random(size) < answers)
    frailty = employers.frailty[employer]
    interview_days = draw_delays(market, market.interview_delay_median, frailty, rng, among=interviewed)
    decision = draw_delays(market, market.rejection_delay_median, frailty, rng, among=rejected)
    onsite, stage, end = (
        np.full(size, np.nan),
        np.zeros(size, dtype=np.int64),
        np.where(rejected, REJECTED, SILENT),
    )
    chosen = np.flatnonzero(interviewed)
    quality = population.quality[applications.person[chosen]]
    stage[chosen], end[chosen], loop = _draw_stages(market, quality, rng)
    onsite[chosen] = np.where(stage[chosen] >= 2, interview_days[chosen] + loop / 2, np.nan)
    length = np.where(stage[chosen] >= 2, loop, loop / 2)
    decided = interview_days[chosen] + length
    decision[chosen] = np.where(end[chosen] == INTERVIEWED_SILENT, np.nan, decided)
    logs = _draw_logs(
        market, applications, population, answers=(interview_days, onsite, decision, stage), rng=rng
    )
    return Outcomes(chance, dead, interviewed, interview_days, onsite, decision, stage, end, *logs)


def _draw_stages(market: Market, quality: Floats, rng: np.random.Generator) -> tuple[Ints, Ints, Floats]:
    size = len(quality)
    final = np.minimum(market.final_stage * np.exp(market.offer_quality_slope * quality), 1.0)
    steps = np.vstack([np.full(size, market.next_stage), final, np.full(size, market.offer_stage)])
    stage = 1 + np.cumprod(rng.random((3, size)) < steps, axis=0).sum(axis=0)
    silent, accepts = rng.random(size) < market.ghost_after_interview, rng.random(size) < market.accept
    turned_down = np.where(silent, INTERVIEWED_SILENT, INTERVIEWED_REJECTED)
    end = np.where(stage == 4, np.where(accepts, ACCEPTED, DECLINED), turned_down)
    return stage, end, market.loop_median * np.exp(market.loop_sigma * rng.standard_normal(size))


def _draw_logs(
    market: Market,
    applications: Applications,
    population: Population,
    *,
    answers: tuple[Floats, Floats, Floats, Ints],
    rng: np.random.Generator,
) -> tuple[Ints, Ints, Ints, Ints, Floats]:
    interview, onsite, decision, stage = answers
    size, sent = len(applications), applications.sent
    logged = []
    lost_decisions = np.where(stage == 4, 0.0, market.lost_rejections)
    for days, lost in (
        (interview, market.lost_interviews),
        (onsite, market.lost_interviews),
        (decision, lost_decisions),
    ):
        noise, fate = rng.standard_normal(size), rng.random(size)
        kept = np.flatnonzero(~np.isnan(days) & (fate >= lost))
        lag = population.logging_delay[applications.person[kept]]
        lag = lag * np.exp(market.logging_delay_sd * noise[kept])
        logged.append(_seconds(sent, kept, days[kept] + lag))
    waited = _GHOSTED_AFTER + rng.exponential(10.0, size)
    marks = np.flatnonzero(applications.submitted & (rng.random(size) < market.ghosted_share))
    at = _seconds(sent, marks, waited[marks])
    heard = np.minimum(logged[0], logged[2])
    ghosted = np.where(heard <= at, NEVER, at)
    return logged[0], logged[1], logged[2], ghosted, np.where(ghosted < NEVER, waited, np.nan)


def _seconds(sent: Ints, rows: Ints, days: Floats) -> Ints:
    """Seconds at which something happens to these rows, to the others never; a century from now is never."""
    soon = days <= 36_500
    at = np.full(len(sent), NEVER)
    at[rows[soon]] = sent[rows[soon]] + (days[soon] * DAY).astype(np.int64)
    return at
