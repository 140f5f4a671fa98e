"""The scenarios: one default market, and what each of the others changes in it."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from layer7.simulation.market import Market

_DEFAULT = Market()
_NO_TIMING = replace(_DEFAULT, weekday_odds_ratios=(1.0,) * 7, early_odds_ratio=1.0)
_EXPLORED = replace(_DEFAULT, exploration_share=0.10)
_PARTS = replace(_DEFAULT, resume_part_sd=12.0, resume_part_person_sd=6.0)
_NULL = replace(
    _NO_TIMING,
    pattern_share=0.0,
    policy_fit_points=(0.0,) * 3,
    policy_volume_factors=(1.0,) * 3,
    channel_tilts=((1.0,) * 4,) * 3,
    tailored_policy_pull=(0.0,) * 3,
)

SCENARIOS: Mapping[str, Market] = MappingProxyType(
    {
        "default": _DEFAULT,
        # S0: nobody has a pattern of their own, days are alike, ways of searching differ in name only.
        "S0": _NULL,
        # Beyond S0: nothing differs but persons, employers and postings.
        "flat": replace(
            _NULL,
            role_effect=(0.0,) * 8,
            seniority_effect=(0.0,) * 4,
            industry_effect=(0.0,) * 10,
            company_type_effect=(0.0,) * 5,
            channel_odds_ratios=(1.0,) * 4,
            month_odds_ratios=(1.0,) * 12,
            tailored_odds_ratio=1.0,
            fit_slope=0.0,
            resume_slope=0.0,
            resume_slope_above_68=0.0,
            crowding_slope=0.0,
            resume_quality_correlation=0.0,
            fit_quality_correlation=0.0,
            tailored_quality_pull=0.0,
            policy_quality_pull=(0.0,) * 3,
            intercept=-3.28,
        ),
        # S1: two people of five do better with one level of one characteristic, at a base rate of 6 %.
        "S1": replace(_DEFAULT, pattern_share=0.40, intercept=-3.25),
        "S2": _DEFAULT,
        # S3: the rate falls by two fifths at week 20.
        "S3": replace(_DEFAULT, drift_week=20, drift_odds_ratio=0.58, entry_weeks=30),
        "S4": _DEFAULT,
        # S4 with the parts of the resume score in the log. The weights of its parts are right ...
        "S4_parts": _PARTS,
        # ... or employers look at one part alone, and closely.
        "S4_one_part": replace(
            _PARTS,
            outcome_resume_weights=(0.0, 0.0, 0.0, 1.0),
            resume_slope=0.5,
            resume_slope_above_68=0.5,
        ),
        # S5: Layer 2 tosses a coin within 5 points of its threshold. (a) Its modes differ in name only.
        "S5a": replace(_EXPLORED, rewrite_elsewhere=1.0),
        # (b) Improving costs a third of the applications, and better resumes help up to 68 points only.
        "S5b": replace(
            _EXPLORED,
            resume_slope=0.36,
            resume_slope_above_68=0.0,
            mode_volume_factors=(0.67, 1.0, 1.0),
            rewrite_weekly=0.5,
        ),
        # (c) Improving costs half of the applications and helps nobody.
        "S5c": replace(
            _EXPLORED,
            resume_slope=0.0,
            resume_slope_above_68=0.0,
            mode_volume_factors=(0.5, 1.0, 1.0),
        ),
        # S6: one person of five aims at the wrong jobs until told to rethink.
        "S6": replace(_DEFAULT, mistargeted_share=0.20),
        "S7": _DEFAULT,
        # S7 again, with a coin deciding who tailors which application.
        "S7_randomised": replace(_DEFAULT, tailored_at_random=True),
        # S11: bad news is kept out of the log, and some of the good.
        "S11": replace(_DEFAULT, lost_rejections=0.40, lost_interviews=0.08),
        "S12": replace(_DEFAULT, entry_weeks=150),
        # S12a: no day and no hour is better, early or late.
        "S12a": _NO_TIMING,
        # S12b: the claims of vendors come true.
        "S12b": replace(_DEFAULT, early_odds_ratio=3.0, morning_odds_ratio=2.0),
        # S13: one screening system rejects the same people everywhere.
        "S13": replace(_DEFAULT, vendor_person_sd=1.0),
        "weibull_delays": replace(_DEFAULT, delay_law="weibull"),
        "exponential_delays": replace(_DEFAULT, delay_law="exponential"),
        "t_quality": replace(_DEFAULT, quality_law="t3"),
        "probit_link": replace(_DEFAULT, link="probit", intercept=-3.58),
        # Entry-level jobs as in Kline, Rose and Walters (2022): one application in four is answered, postings
        # differ more than anything else, and neither day nor hour matters.
        "krw": replace(
            _NO_TIMING,
            intercept=-1.5,
            employer_sd=1.1,
            posting_sd=3.5,
            dead_share=0.32,
            applications_per_posting=8.0,
            channel_odds_ratios=(1.0,) * 4,
            month_odds_ratios=(1.0,) * 12,
            interview_delay_median=5.1,
            delay_sigma=1.77,
        ),
        "correlated_employers": replace(
            _DEFAULT,
            employer_sd=1.5,
            applications_per_posting=8.0,
            postings_per_employer=40.0,
            intercept=-4.05,
        ),
    }
)
