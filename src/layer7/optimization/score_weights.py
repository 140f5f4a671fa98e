"""What the parts of the resume score should weigh to say most about interviews (specification 5.2)."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from layer7.analytics.within_people import Components
from layer7.contract.evidence import Period
from layer7.contract.fields import FrozenDict
from layer7.contract.score_weights import ComponentWeights
from layer7.contract.vocabulary import Route
from layer7.optimization.fit_score import LEVEL, rounded, told_gain, untold
from layer7.privacy.budget import LEAST_SHOWN
from layer7.statistics import LearnedWeights, WeightedMean, learn_weights, weighted_mean
from layer7.statistics.weighted_mean import CLOSE

FIELD = "resume_score_components"
METHOD = (
    "conditional likelihood within people on the parts of the score, none below 0; gain of the area under "
    "the curve within people over the score in force, out of time, clustered by person"
)
CHANGE = "Later applications on which the whole interval of the gain lies on the other side of 0."


def weigh_components(
    found: Components, *, rng: np.random.Generator, window: Period | None = None
) -> ComponentWeights:
    """Compare the resume score in force with one whose parts weigh what interviews speak for.

    The weights in force are those of the weighted mean that the score is of its parts
    (:func:`layer7.statistics.weighted_mean`); where it is none, this is said, and the learned weights are
    compared with the score as it stands. New weights are suggested only if they order a person's *later*
    applications better than that score, with the whole 95 % interval of the gain above 0. Nobody serves these
    weights: they go to the layer that scores resumes, by an experiment, since what predicts better need not
    bring more interviews.

    Args:
        found: applications with the parts of their score.
        rng: the dice of the intervals.
        window: time that the applications are from.
    """
    served = weighted_mean(found.log.parts, found.score)
    said = ComponentWeights(
        current_weights=_named(found, served.weights and tuple(round(each, 3) for each in served.weights)),
        off_by=served.off,
        learned_weights=None,
        recommendation="keep_current",
        left_out=found.seldom,
        answer=_too_little(found),
        n=int(found.score.size),
        level=LEVEL,
        method=METHOD,
        window=window,
        what_would_change_this=CHANGE,
    )
    if len(found.names) < 2:
        return said
    learned = learn_weights(found.log, found.score, rng=rng, level=LEVEL)
    return said.model_copy(update=_learned(found, learned, served))


def _learned(found: Components, learned: LearnedWeights, served: WeightedMean) -> Mapping[str, Any]:
    """What is said beyond the weights in force."""
    gain, spans = learned.gain, zip(found.names, learned.intervals, strict=False)
    suggested = _suggested(found, learned, served)
    return {
        "learned_weights": _named(found, learned.weights),
        "weight_intervals": FrozenDict({name: (each.low, each.high) for name, each in spans}),
        "suggested_weights": FrozenDict(suggested),
        "recommendation": "update_weights" if suggested else "keep_current",
        # What was only observed, and changes what people are led to do, is tried in an experiment first.
        "route": Route.A_B_TEST if suggested else None,
        "improvement_estimate": None if gain is None else gain.value,
        "interval": None if gain is None else (gain.interval.low, gain.interval.high),
        "within_auc": FrozenDict({} if gain is None else {"current": gain.old, "learned": gain.new}),
        "users": learned.people or None,
        "needed": learned.needed,
        "answer": _answer(found, learned, served, better=bool(suggested)),
    }


def _named(found: Components, weights: tuple[float, ...] | None) -> Mapping[str, float] | None:
    return None if weights is None else FrozenDict(zip(found.names, weights, strict=True))


def _suggested(found: Components, learned: LearnedWeights, served: WeightedMean) -> Mapping[str, float]:
    if learned.weights is None or learned.gain is None or learned.gain.interval.low <= 0:
        return {}
    better = rounded(learned.weights)
    same = served.weights is not None and rounded(served.weights) == better
    return {} if same else dict(zip(found.names, better, strict=True))


def _too_little(found: Components) -> str:
    """Why nothing can be weighed."""
    if not found.told:
        return f"No application says the parts of its resume score: log them as {FIELD}."
    if found.names:
        return f"There is one part alone, {found.names[0]}: nothing to weigh it against."
    if found.seldom:
        return f"No part is in half of the {found.told} applications that say any: log all parts with each."
    return f"No part is told by {LEAST_SHOWN} people or more: too few to weigh it, or to show its name."


def _answer(found: Components, learned: LearnedWeights, served: WeightedMean, *, better: bool) -> str:
    if learned.needed:
        return (
            f"Too few applications: about {learned.needed} more, to many employers, with all parts of the "
            "resume score."
        )
    if learned.constant or learned.tied:
        return untold(learned, found.names)
    force = "the weights in force" if served.weights is not None else "the score in force"
    if learned.weights is None or learned.gain is None:
        return f"Keep {force}: {learned.n} applications do not prove that the parts predict interviews."
    said = told_gain(learned.gain)
    if better:
        mean = "" if served.weights is not None else f" {_no_mean(served)}"
        return f"Other weights order a person's later applications better than {force}: {said}.{mean}"
    return f"Keep {force}: others are not proven to order later applications better ({said})."


def _no_mean(served: WeightedMean) -> str:
    if served.off is not None and served.off > CLOSE:
        return (
            f"The score is no weighted mean of its parts: the nearest misses it by {served.off:.1f} points."
        )
    return "Which weights are in force cannot be told: the parts move together."
