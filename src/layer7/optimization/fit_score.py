"""Which parts of the fit score predict interviews, and would others order better (specification 5.3)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from layer7.contract.fields import FrozenDict
from layer7.contract.optimization import FitScoreOptimization, RateRatio
from layer7.contract.recommendation import Evidence, OptimizationRecommendation
from layer7.contract.vocabulary import Component
from layer7.errors import Layer7Error
from layer7.optimization.recommendation import Finding, Grounds, Nature, Origin, Proposal, recommend
from layer7.statistics import AucGain, LearnedWeights, ScoreParts, learn_weights, ratio_of

PARAMETER = "fit_score_weights"
PARTS = ("technical", "seniority", "experience", "signal")
CATEGORIES = ("reach", "safety")
LEVEL = 0.95
DECIMALS = 2
SKETCHED_GAIN = 0.05
METHOD = (
    "conditional likelihood within people on the parts of the score, none below 0; gain of the area under "
    "the curve within people, out of time, clustered by person"
)
_CHANGE = "Later applications on which the whole interval of the gain lies on the other side of 0."


@dataclass(frozen=True, slots=True, kw_only=True)
class FitAdvice:
    """What a night says of the fit score.

    Args:
        report: the specification's figures.
        recommendation: the better weights; None where nothing is proven.
    """

    report: FitScoreOptimization
    recommendation: OptimizationRecommendation | None


def weigh(
    log: ScoreParts,
    known: Mapping[str, int],
    served: Mapping[str, float],
    *,
    origin: Origin,
    rng: np.random.Generator,
) -> FitAdvice:
    """Compare the weights in force with those that interviews speak for.

    ``update_weights`` only if the learned weights order a person's *later* applications better, with the
    whole 95 % interval of the gain above 0; the specification's gain of 0.05 is named beside. The change
    goes through an experiment: weights that predict better need not bring more interviews.

    Args:
        log: applications with all parts.
        known: how many applications have each part, in the order of the parts.
        served: the weights in force.
        origin: when, and from what.
        rng: the dice of the intervals.

    Raises:
        Layer7Error: ``wrong_members`` for other parts.
    """
    if set(served) != set(PARTS):
        raise Layer7Error(
            "wrong_members", f"{PARAMETER} has the parts {', '.join(served)}.", f"Give {', '.join(PARTS)}."
        )
    current = np.array([served[name] for name in PARTS])
    found = learn_weights(log, log.parts @ current, rng=rng, level=LEVEL)
    better = _better(found, served)
    report = _report(found, known, served, better=better is not None)
    report = report.model_copy(update={"window": origin.window})
    advice = None if better is None else _recommendation(found, served, better, origin)
    return FitAdvice(report=report, recommendation=advice)


def _better(found: LearnedWeights, served: Mapping[str, float]) -> Mapping[str, float] | None:
    if found.weights is None or found.gain is None or found.gain.interval.low <= 0:
        return None
    better = FrozenDict(dict(zip(PARTS, rounded(found.weights), strict=True)))
    return None if better == dict(served) else better


def rounded(weights: tuple[float, ...]) -> tuple[float, ...]:
    """Round weights to hundredths so that they still add up to 1 (largest remainders).

    Args:
        weights: from 0, adding up to 1.

    Example:
        >>> rounded((0.3333, 0.3333, 0.3334))
        (0.33, 0.33, 0.34)
    """
    scale = 10**DECIMALS
    whole = np.floor(np.array(weights) * scale + 1e-9).astype(np.int64)
    rest = np.array(weights) * scale - whole
    whole[np.argsort(-rest, kind="stable")[: scale - int(whole.sum())]] += 1
    return tuple((whole / scale).tolist())


def _report(
    found: LearnedWeights, known: Mapping[str, int], served: Mapping[str, float], *, better: bool
) -> FitScoreOptimization:
    gain, weights = found.gain, found.weights
    spans = zip(PARTS, found.intervals, strict=False)
    categories = zip(CATEGORIES, found.categories, strict=False)
    return FitScoreOptimization(
        current_weights=dict(served),
        learned_weights=None if weights is None else dict(zip(PARTS, weights, strict=True)),
        improvement_estimate=None if gain is None else gain.value,
        recommendation="update_weights" if better else "keep_current",
        weight_intervals={name: (each.low, each.high) for name, each in spans},
        users=found.people or None,
        within_auc={} if gain is None else {"current": gain.old, "learned": gain.new},
        category_effects={name: _category(effect, found.n) for name, effect in categories},
        needed=found.needed,
        answer=_answer(found, known, better=better),
        n=found.n,
        interval=None if gain is None else (gain.interval.low, gain.interval.high),
        level=LEVEL,
        method=METHOD,
        what_would_change_this=_CHANGE,
    )


def _category(effect: tuple[float, float], n: int) -> RateRatio:
    told = ratio_of(effect, level=LEVEL)
    return RateRatio(
        ratio=None if told is None else told[0],
        interval=None if told is None else (told[1].low, told[1].high),
        n=n,
        level=LEVEL,
        method="rate ratio to target jobs with equal parts, within people; predictive",
    )


def _answer(found: LearnedWeights, known: Mapping[str, int], *, better: bool) -> str:
    absent = [part for part, n in zip(PARTS, known.values(), strict=True) if n == 0]
    if absent and found.n == 0:
        return f"Cannot tell: no application says its {' and '.join(absent)} match; log them."
    if found.needed:
        return (
            f"Cannot tell yet: about {found.needed} more applications, to many employers, with all parts of "
            "the fit score."
        )
    if found.constant or found.tied:
        return untold(found, PARTS)
    if found.weights is None or found.gain is None:
        return f"Keep the weights: {found.n} applications do not prove that the parts predict interviews."
    said = told_gain(found.gain)
    if better:
        return f"Other weights order a person's later applications better: {said}."
    return f"Keep the weights: others are not proven to order later applications better ({said})."


def untold(found: LearnedWeights, names: Sequence[str]) -> str:
    """Say which parts nothing can be told of, because of what they are.

    Args:
        found: what was learned, with parts that never differ or are tied.
        names: of the parts.
    """
    if found.constant:
        same = " and ".join(names[at] for at in found.constant)
        differ = "differs" if len(found.constant) == 1 else "differ"
        return f"Cannot tell: {same} never {differ} between the applications of a person."
    same = " and ".join(names[at] for at in found.tied)
    return f"Cannot tell: {same} follow from one another, so nothing tells them apart."


def told_gain(gain: AucGain) -> str:
    """Say a gain with its interval.

    Args:
        gain: the gain.
    """
    return f"gain {gain.value:+.3f} ({gain.interval.low:+.3f} to {gain.interval.high:+.3f})"


def _recommendation(
    found: LearnedWeights, served: Mapping[str, float], better: Mapping[str, float], origin: Origin
) -> OptimizationRecommendation | None:
    if found.gain is None:
        return None
    proposal = Proposal(
        component=Component.JOB_DISCOVERY,
        parameter=PARAMETER,
        current_value=FrozenDict(served),
        recommended_value=FrozenDict(better),
        nature=Nature.BEHAVIOURAL,
        size=max(abs(better[name] - served[name]) for name in PARTS),
        grounds=Grounds.OBSERVATION,
    )
    return recommend(proposal, _finding(found, found.gain), origin)


def _finding(found: LearnedWeights, gain: AucGain) -> Finding:
    low, high = gain.interval.low, gain.interval.high
    wide = "reaches" if gain.value > SKETCHED_GAIN else "does not reach"
    return Finding(
        reasoning=f"Learned weights put interviews above {gain.new:.1%} of a person's other applications, "
        f"those in force above {gain.old:.1%}: {gain.events:.0f} later interviews, {gain.people} people. "
        f"The gain {wide} the {SKETCHED_GAIN} of the specification.",
        evidence=Evidence(
            metric_improved="auc_within_people",
            improvement_amount=gain.value,
            sample_size=found.n,
            confidence_interval=(low, high),
            p_value=None,
        ),
        users_affected=found.people,
        expected_benefit=f"Area under the curve within people larger by {gain.value:.3f} "
        f"({low:.3f} to {high:.3f}), out of time. It predicts better; whether interviews get more frequent "
        "an experiment says.",
        method=METHOD,
        what_would_change_this=_CHANGE,
    )
