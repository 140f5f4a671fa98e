"""What the parts of the resume score should weigh to say most about interviews (specification 5.2)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from layer7.analytics.optimizing.within_people import Components
from layer7.contract.evidence import Period
from layer7.contract.fields import FrozenDict
from layer7.contract.score_weights import ComponentWeights
from layer7.contract.vocabulary import Route
from layer7.optimization.fit_score import LEVEL, rounded, told_gain, untold
from layer7.privacy.budget import LEAST_SHOWN
from layer7.statistics import LearnedWeights, WeightedMean, learn_weights, weighted_mean
from layer7.statistics.scores.weighted_mean import CLOSE

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
        current_weights=_rounded(found.names, served),
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
    return said.model_copy(update=_told(_learn(found, served, rng), found))


def _rounded(names: Sequence[str], served: WeightedMean) -> Mapping[str, float] | None:
    if served.weights is None:
        return None
    return FrozenDict({name: round(each, 3) for name, each in zip(names, served.weights, strict=True)})


@dataclass(frozen=True, slots=True)
class _Learned:
    """What was learned of the parts that differ within people; the others keep their weights, if known.

    Args:
        served: the weights in force.
        found: what was learned.
        names: of the parts that it was learned of.
        held: weights in force of the other parts.
    """

    served: WeightedMean
    found: LearnedWeights
    names: tuple[str, ...]
    held: Mapping[str, float]

    def shared(self, numbers: Iterable[float]) -> dict[str, float]:
        """Give numbers of the learned parts as shares of what the other parts leave."""
        rest = 1 - sum(self.held.values())
        return {name: rest * number for name, number in zip(self.names, numbers, strict=False)}

    @property
    def weights(self) -> Mapping[str, float] | None:
        """The weights of all parts, adding up to 1."""
        if self.found.weights is None:
            return None
        return dict(sorted({**self.shared(self.found.weights), **self.held}.items()))

    @property
    def suggested(self) -> Mapping[str, float]:
        """The same in hundredths, if they are proven to order better and are not in force; else nothing."""
        weights, gain = self.weights, self.found.gain
        if weights is None or gain is None or gain.interval.low <= 0:
            return {}
        better = dict(zip(weights, rounded(tuple(weights.values())), strict=True))
        served = self.served.weights
        return {} if served is not None and rounded(served) == tuple(better.values()) else better


def _learn(found: Components, served: WeightedMean, rng: np.random.Generator) -> _Learned:
    """Learn from the parts that differ within people, of which there must be two: nothing tells of others."""
    learned = learn_weights(found.log, found.score, rng=rng, level=LEVEL)
    varying = [at for at in range(len(found.names)) if at not in learned.constant]
    names, held = found.names, dict[str, float]()
    if learned.constant and len(varying) > 1:
        names = tuple(found.names[at] for at in varying)
        log = replace(found.log, parts=found.log.parts[:, varying])
        learned = learn_weights(log, found.score, rng=rng, level=LEVEL)
        force = zip(found.names, served.weights or (), strict=False)
        held = {name: weight for name, weight in force if name not in names}
    return _Learned(served, learned, names, held)


def _told(learned: _Learned, of: Components) -> Mapping[str, Any]:
    """What is said beyond the weights in force."""
    found, gain, suggested = learned.found, learned.found.gain, learned.suggested
    lows, highs = (learned.shared(getattr(each, end) for each in found.intervals) for end in ("low", "high"))
    left_out = sorted({*of.seldom, *of.names} - {*learned.names, *learned.held})
    return {
        "learned_weights": None if learned.weights is None else FrozenDict(learned.weights),
        "weight_intervals": FrozenDict({name: (low, highs[name]) for name, low in lows.items()}),
        "suggested_weights": FrozenDict(suggested),
        "recommendation": "update_weights" if suggested else "keep_current",
        # What was only observed, and changes what people are led to do, is tried in an experiment first.
        "route": Route.A_B_TEST if suggested else None,
        "improvement_estimate": None if gain is None else gain.value,
        "interval": None if gain is None else (gain.interval.low, gain.interval.high),
        "within_auc": FrozenDict({} if gain is None else {"current": gain.old, "learned": gain.new}),
        "users": found.people or None,
        "needed": found.needed,
        "left_out": tuple(left_out),
        "answer": _answer(learned, of),
    }


def _too_little(found: Components) -> str:
    """Why nothing can be weighed."""
    if not found.told:
        return f"No application says the parts of its resume score: log them as {FIELD}."
    if found.names:
        return f"There is one part alone, {found.names[0]}: nothing to weigh it against."
    if found.seldom:
        return f"No part is in half of the {found.told} applications that say any: log all parts with each."
    return f"No part is told by {LEAST_SHOWN} people or more: too few to weigh it, or to show its name."


def _answer(learned: _Learned, of: Components) -> str:
    found = learned.found
    if found.needed:
        said = f"Too few applications: about {found.needed} more, to many employers, with all parts."
    elif found.constant or found.tied:
        said = untold(found, learned.names)
    else:
        said = _verdict(learned) + _unlearned(learned, of)
    return said + _no_mean(learned.served)


def _verdict(learned: _Learned) -> str:
    found = learned.found
    force = "the weights in force" if learned.served.weights is not None else "the score in force"
    if found.weights is None or found.gain is None:
        return f"Keep {force}: {found.n} applications do not prove that the parts predict interviews."
    said = told_gain(found.gain)
    if learned.suggested:
        return f"Other weights order a person's later applications better than {force}: {said}."
    return f"Keep {force}: others are not proven to order later applications better ({said})."


def _unlearned(learned: _Learned, of: Components) -> str:
    same = [name for name in of.names if name not in learned.names]
    if not same:
        return ""
    kept = "keeps its weight" if learned.held else "is left out"
    return f" What never differs between the applications of a person {kept}: {', '.join(same)}."


def _no_mean(served: WeightedMean) -> str:
    if served.off is None or served.off <= CLOSE:
        return ""
    return f" The score is no weighted mean of its parts: the nearest misses it by {served.off:.1f} points."
