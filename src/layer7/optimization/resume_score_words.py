"""What is said of the resume score, and how much more it takes to say it (specification 5.2)."""

import math

import numpy as np
import numpy.typing as npt

from layer7.contract.recommendation import Evidence
from layer7.optimization.recommendation import Finding
from layer7.statistics import Interval, ScoreDiagnosis, ScoreMoments
from layer7.statistics.scores.moments import BUCKETS, LEAST_EVENTS

RANGES = tuple(f"{low}-{high}" for low, high in BUCKETS)

# The night looks again and again, and a served map has itself been estimated: both ask for more than 5 %.
ALPHA = 0.01
# 3 to 5 % of cold applications reach an interview; as many as 20 applications' worth of that knowledge.
USUAL_RATE, USUAL_WEIGHT = 0.04, 20.0
METHOD = "Cox test on rows and between people; equal-mass calibration error out of sample; monotone curve"
CHANGE = f"Further applications on which the calibration test gives p above {ALPHA}, or no smaller error."

People = tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]
"""Interviews and effective trials of each person, over scored applications."""


def needed(everyone: ScoreMoments) -> int | None:
    """About how many more scored applications bring enough interviews, and others, into both halves.

    None where more like those that are there would not tell: all have scores of one range.
    """
    if one_range(everyone) is not None:
        return None
    events, seen = everyone.total_events, everyone.total_n_eff
    kinds = ((events, USUAL_RATE), (seen - events, 1 - USUAL_RATE))
    short = [
        (2 * LEAST_EVENTS - n, (n + usual * USUAL_WEIGHT) / (seen + USUAL_WEIGHT))
        for n, usual in kinds
        if n < 2 * LEAST_EVENTS
    ]
    # Enough in all, and too few in one half of the folds.
    short = short or [(LEAST_EVENTS / 2, (events + USUAL_RATE * USUAL_WEIGHT) / (seen + USUAL_WEIGHT))]
    return max(math.ceil(missing / rate) for missing, rate in short)


def one_range(everyone: ScoreMoments) -> str | None:
    """The range that all scores are in, if they are in one and there are enough to say so."""
    held = [
        name for name, (low, high) in zip(RANGES, BUCKETS, strict=True) if everyone.n[low : high + 1].any()
    ]
    return held[0] if len(held) == 1 and everyone.total_n_eff >= 4 * LEAST_EVENTS else None


SAID = {
    "scores_too_optimistic": "Resume scores promise more interviews than come",
    "scores_too_pessimistic": "Resume scores promise fewer interviews than come",
    "scores_not_discriminative": "Resume scores tell applications apart far less than they promise",
}


def answer(found: ScoreDiagnosis, everyone: ScoreMoments, *, wrong: bool) -> str:
    """Say in a sentence whether the score promises what comes.

    Args:
        found: the diagnosis.
        everyone: the scored applications, counted.
        wrong: whether other promised rates are recommended.
    """
    n = int(everyone.n.sum())
    held = one_range(everyone)
    if found.needed and held is not None:
        told = f"all {n:,} applications have scores of {held}"
        return f"Cannot judge the resume score: {told}, and it takes others."
    if found.needed:
        return f"Not enough data to judge the resume score: about {needed(everyone)} more applications."
    if wrong and found.issue:
        return f"{SAID[found.issue]} ({n:,} applications): other promised rates are recommended."
    return f"No change: {n:,} applications do not prove that other promised rates would be truer."


def pair(interval: Interval | None) -> tuple[float, float] | None:
    """Give an interval as the contract has it.

    Args:
        interval: the interval; None while it cannot be told.
    """
    return None if interval is None else (interval.low, interval.high)


def finding(found: ScoreDiagnosis, people: People) -> Finding:
    """Give what speaks for other promised rates, with its gain out of sample.

    Args:
        found: the diagnosis.
        people: interviews and effective trials of each person.
    """
    now, then = found.current_error or 0.0, found.expected_error or 0.0
    span = pair(found.reduction) or (now - then, now - then)
    trials = 0.0 if found.recalibrated is None else found.recalibrated.n_eff
    words = "" if found.issue is None else SAID[found.issue]
    return Finding(
        reasoning=f"{words}: the promised and the observed interview rate lie "
        f"{_points(now)} apart on average, on {trials:,.0f} effective applications "
        f"({_chance(found.p_value)}).",
        evidence=Evidence(
            metric_improved="calibration_error",
            improvement_amount=now - then,
            sample_size=round(trials),
            confidence_interval=span,
            p_value=found.p_value,
        ),
        users_affected=int(np.count_nonzero(people[1])),
        expected_benefit=f"Mean gap of promise and outcome from {_points(now)} to {_points(then)}, out of "
        f"sample (smaller by {_points(span[0])} to {_points(span[1])}). Promises get truer, not interviews "
        "more frequent.",
        method=METHOD,
        what_would_change_this=CHANGE,
    )


def _points(share: float) -> str:
    return f"{100 * share:.1f} points"


def _chance(p_value: float | None) -> str:
    if p_value is None:
        return "p not computed"
    return "p below 0.001" if p_value < 0.001 else f"p = {p_value:.2g}"
