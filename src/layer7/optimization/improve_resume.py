"""Below which resume score should the resume come first (specification 5.1), by the best evidence known."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from layer7.analytics.optimizing.decisions import NEAR, STEPS, WIDTH, DecisionMoments, Kind
from layer7.errors import Layer7Error
from layer7.statistics.rates.estimate import LEAST_FOLDS, Estimate, share_over_folds
from layer7.statistics.thresholds.density_jump import DensityJump, density_jump
from layer7.statistics.thresholds.discontinuity import Binned, Discontinuity, discontinuity
from layer7.statistics.thresholds.off_policy import Arm, Contrast, Exploration, contrast, doubly_robust
from layer7.statistics.thresholds.threshold_gain import (
    EffectCurve,
    Move,
    best_move,
    level_effect,
    shrunk_effects,
)

Floats = npt.NDArray[np.float64]

PARAMETER = "improve_resume_threshold"
LEVEL = 0.95

# The night looks again and again, at two sides of the cut.
SURE = 0.99

STEERED = 0.05
"""A density test below this p makes a discontinuity worthless."""

OBEYED = 0.8
"""The share that is held back must change by as much at the cut for the rule to be the cause."""

BESIDE = 2.5
"""Points that a discontinuity, which speaks of the cut alone, may move it."""

SHARE = 0.10
"""Share of exploration that is recommended."""

WORTH = 0.25
"""Effect, as a share of what a case brings, that exploration should be able to find."""

_Z = 2.576 + 0.842  # two-sided 1 %, power 80 %
_MIDDLES: Floats = np.arange(0.5 - STEPS, STEPS, dtype=np.float64) * WIDTH


class Ground(StrEnum):
    """What the answer rests on."""

    EXPLORATION = "exploration"
    DISCONTINUITY = "discontinuity"
    NOTHING = "none"


@dataclass(frozen=True, slots=True, eq=False)
class Decisions:
    """What a night knows of Layer 2's decisions.

    Args:
        moments: sums by kind, and by whether a decision names its application.
        span: the row of :func:`layer7.analytics.optimizing.decisions.decision_span`.
        cut: the threshold in force, points.
        exploring: share of the cases that Layer 2 is asked to explore.
    """

    moments: Mapping[tuple[Kind, bool], DecisionMoments]
    span: Mapping[str, Any]
    cut: float
    exploring: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ResumeThreshold:
    """What a night says of the threshold of the resume score.

    Args:
        ground: what the answer rests on.
        answer: in one sentence.
        move: the best move; None where nothing can be told of any.
        is_proven: whether the move is worth recommending.
        cases: decisions that the gain is estimated from.
        effect: of going on against holding back, per case; None where it cannot be told.
        curve: the effect by points above the cut; None as above.
        contrast: of the explored cases; None without them.
        jump: at the cut; None where it was not or could not be looked at.
        density: whether scores are steered across the cut; None as above.
        why_not: why better evidence is not there, by its name.
        needed: cases near the cut, SHARE of them drawn, that would tell; None when enough or unknown.
        weeks: weeks until there are so many; None as above.
    """

    ground: Ground
    answer: str
    move: Move | None = None
    is_proven: bool = False
    cases: float = 0.0
    effect: Estimate | None = None
    curve: EffectCurve | None = None
    contrast: Contrast | None = None
    jump: Discontinuity | None = None
    density: DensityJump | None = None
    why_not: Mapping[str, str] = field(default_factory=dict)
    needed: int | None = None
    weeks: float | None = None


def improve_resume(known: Decisions) -> ResumeThreshold:
    """Judge the threshold by the best evidence that the log has.

    1. Explored decisions: the doubly robust effect of going on, as a line in the score, shrunk; the gain of a
       threshold t is the sum of effects over the cases between t and the cut, in interviews per person and
       week.
    2. Else a discontinuity at the cut in force, if the rule is obeyed there and the density test passes; it
       moves the cut by 2.5 points at most.
    3. Else nothing: a deterministic rule leaves no evidence on the other side.

    A move is proven from P(gain > 0) of 99 % on.

    Args:
        known: what the night knows of decisions.
    """
    needed, weeks = _needed(known)
    explored, why = _explored(known, needed)
    if explored is not None:
        return explored
    observed, why_not = _observed(known, needed, weeks)
    if observed is not None:
        return observed
    return ResumeThreshold(
        ground=Ground.NOTHING,
        answer=_nothing(known, needed),
        why_not={"exploration": why, "discontinuity": why_not},
        needed=needed,
        weeks=weeks,
    )


def _nothing(known: Decisions, needed: int | None) -> str:
    if not known.span["people"]:
        return "Not enough data: the log has no decisions of Layer 2 with the resume score that it saw."
    tail = "" if needed is None else f" About {needed:,} explored cases near the cut would tell."
    return (
        f"Cannot tell whether {known.cut:g} is the best threshold: a deterministic rule leaves no evidence "
        f"on the other side.{tail}"
    )


def _explored(known: Decisions, needed: int | None) -> tuple[ResumeThreshold | None, str]:
    """The answer of explored cases, or why they give none."""
    held = max(
        (known.moments[Kind.EXPLORED, linked] for linked in (False, True)), key=lambda each: each.cases
    )
    if not held.cases:
        return None, "no decision was drawn by lot (POLICY_DECISION with a propensity below 1)"
    found = _exploration(held)
    if found.missing:
        return None, found.missing
    told = contrast(found)
    if not told.credible:
        return None, (
            f"the logged propensities do not add up: mean weights {told.mean_weights[0]:.2f} and "
            f"{told.mean_weights[1]:.2f}, where 1 is right"
        )
    usual = _usual(held)
    if usual <= 0:
        return None, "not one interview came of the explored decisions"
    curve = shrunk_effects(doubly_robust(found), found.cases, found.position, usual=usual)
    move = best_move(curve, found.position, _traffic(known, held, found.position), width=WIDTH, level=LEVEL)
    proven = move is not None and move.probability >= SURE
    return ResumeThreshold(
        ground=Ground.EXPLORATION,
        answer=_said(known.cut, move, held.cases, "explored decisions", proven=proven),
        move=move,
        is_proven=proven,
        cases=held.cases,
        effect=told.doubly_robust,
        curve=curve,
        contrast=told,
        needed=None if proven or needed is None else max(needed - int(held.cases), 0) or None,
    ), ""


def _said(cut: float, move: Move | None, cases: float, what: str, *, proven: bool) -> str:
    if move is None or not proven:
        return (
            f"No move from {cut:g}: {cases:,.0f} {what} do not prove that another threshold gains anything."
        )
    return (
        f"{cut + move.offset:g} in place of {cut:g} gains {move.gain:.3f} interviews per person and week "
        f"({move.interval.low:.3f} to {move.interval.high:.3f}), on {cases:,.0f} {what}."
    )


def _exploration(held: DecisionMoments) -> Exploration:
    """The explored cases, without the steps beyond them."""
    steps = np.flatnonzero((held.held["cases"] + held.gone["cases"]).sum(axis=0))
    part = slice(int(steps[0]), int(steps[-1]) + 1)
    return Exploration(_arm(held.held, part), _arm(held.gone, part), np.array(_MIDDLES[part]))


def _arm(sums: Mapping[str, Floats], part: slice) -> Arm:
    """One arm; what of an application is unseen counts as interviews at the arm's own rate."""
    rate = _rate(sums)
    return Arm(
        n=sums["cases"][:, part],
        weight=sums["weight"][:, part],
        weight_squares=sums["weight_squares"][:, part],
        reward=(sums["interviews"] + rate * sums["unseen"])[:, part],
        weighted_reward=(sums["weighted_interviews"] + rate * sums["weighted_unseen"])[:, part],
    )


def _rate(sums: Mapping[str, Floats]) -> float:
    seen = float(sums["applications"].sum() - sums["unseen"].sum())
    return min(float(sums["interviews"].sum()) / seen, 1.0) if seen > 0 else 0.0


def _usual(found: DecisionMoments) -> float:
    """What a case brings on average."""
    reward = sum(
        float(sums["interviews"].sum() + _rate(sums) * sums["unseen"].sum())
        for sums in (found.held, found.gone)
    )
    return reward / max(found.cases, 1.0)


def _traffic(known: Decisions, held: DecisionMoments, position: Floats) -> Floats:
    """Cases of each step per person and week, whether drawn or not."""
    linked = held.is_linked
    both = (held, known.moments[Kind.RULED, linked])
    total = sum(each.held["cases"].sum(axis=0) + each.gone["cases"].sum(axis=0) for each in both)
    weeks = known.span["person_weeks" if linked else "person_weeks_over"]
    first = round(float(position[0] - _MIDDLES[0]) / WIDTH)
    part: Floats = total[first : first + position.size] / max(float(weeks), 1.0)
    return part


def _observed(
    known: Decisions, needed: int | None, weeks: float | None
) -> tuple[ResumeThreshold | None, str]:
    """The answer of a discontinuity, or why there is none."""
    held = max(
        (known.moments[kind, linked] for kind in (Kind.RULED, Kind.FIRST) for linked in (False, True)),
        key=lambda each: each.cases,
    )
    if not held.cases:
        return None, "the log has no decisions with the resume score that Layer 2 saw"
    if _obedience(held) < OBEYED:
        return None, f"the mode does not follow the score at {known.cut:g}"
    try:
        density = density_jump(held.held["cases"] + held.gone["cases"], width=WIDTH)
        if density.jump.p_value < STEERED:
            return None, (
                f"scores are steered across {known.cut:g} (density test, p = {density.jump.p_value:.2g}): "
                "people edit until they pass it"
            )
        jump = discontinuity(_binned(held))
    except Layer7Error as error:
        return None, f"{error.message} {error.hint}"
    return _at_the_cut(known, held, (density, jump), (needed, weeks)), ""


def _obedience(held: DecisionMoments) -> float:
    """By how much the share that is held back falls at the cut."""
    near = np.abs(_MIDDLES) < NEAR
    shares = []
    for side in (near & (_MIDDLES < 0), near & (_MIDDLES > 0)):
        back = float(held.held["cases"][:, side].sum())
        total = back + float(held.gone["cases"][:, side].sum())
        shares.append(back / total if total else 0.5)
    return shares[0] - shares[1]


def _binned(held: DecisionMoments) -> Binned:
    sums = {name: held.held[name] + held.gone[name] for name in held.held}
    cases = sums["cases"].sum(axis=0)
    filled = cases > 0
    # The mean score of a step, and not its middle: scores may be whole points.
    position = np.divide(sums["offset"].sum(axis=0), cases, out=_MIDDLES.copy(), where=filled)[filled]
    reward = sums["interviews"] + _rate(sums) * sums["unseen"]
    return Binned(position, sums["cases"][:, filled], reward[:, filled], sums["interview_squares"][:, filled])


def _at_the_cut(
    known: Decisions,
    held: DecisionMoments,
    seen: tuple[DensityJump, Discontinuity],
    asked: tuple[int | None, float | None],
) -> ResumeThreshold:
    jump, usual = seen[1].robust, _usual(held)
    cases = sum(seen[1].cases)
    curve = level_effect(jump, usual=usual) if usual > 0 else None
    move = None
    if curve is not None:
        position = _MIDDLES[np.abs(_MIDDLES) < BESIDE]
        move = best_move(curve, position, _traffic(known, held, position), width=WIDTH, level=LEVEL)
    proven = move is not None and move.probability >= SURE
    return ResumeThreshold(
        ground=Ground.DISCONTINUITY,
        answer=_said(known.cut, move, cases, "decisions on both sides of the cut", proven=proven),
        move=move,
        is_proven=proven,
        cases=cases,
        effect=jump,
        curve=curve,
        jump=seen[1],
        density=seen[0],
        needed=asked[0],
        weeks=asked[1],
    )


def _needed(known: Decisions) -> tuple[int | None, float | None]:
    """Explored cases that would find an effect of WORTH, and weeks until then, at one a person and week.

    With propensities SHARE and 1 - SHARE the effect's variance over N cases is s² (1/SHARE + 1/(1-SHARE)) /
    N.
    """
    held = max(known.moments.values(), key=lambda each: each.cases)
    near = np.abs(_MIDDLES) <= NEAR
    sums = {name: held.held[name][:, near] + held.gone[name][:, near] for name in held.held}
    cases = sums["cases"].sum(axis=1)
    total, came = float(cases.sum()), float(sums["interviews"].sum())
    if total < 2 or came < 1:
        return None, None
    mean = came / total
    variance = float(sums["interview_squares"].sum()) / total - mean**2
    lumps = float(((sums["interviews"].sum(axis=1) - mean * cases) ** 2).sum()) / total
    per_case = max(variance, lumps) * (1 / SHARE + 1 / (1 - SHARE))
    needed = math.ceil(per_case * (_Z / (WORTH * mean)) ** 2)
    span = known.span
    return needed, needed * float(span["weeks"]) / max(float(span["person_weeks_near"]), 1.0)


def outcome_by_score(known: Decisions) -> list[dict[str, Any]]:
    """Give what came of decisions by range of 5 points: it predicts, and says nothing of what would help.

    Args:
        known: what the night knows of decisions.

    Returns:
        ``low`` and ``high`` (points), ``cases``, and ``interviews_per_case`` with its interval; null below
        two folds of people.
    """
    held = max(known.moments.values(), key=lambda each: each.cases)
    sums = {name: held.held[name] + held.gone[name] for name in held.held}
    reward = sums["interviews"] + _rate(sums) * sums["unseen"]
    band = np.floor((known.cut + _MIDDLES) / 5).astype(int)
    found = []
    for at in np.unique(band[sums["cases"].sum(axis=0) > 0]):
        cases, came = (each[:, band == at].sum(axis=1) for each in (sums["cases"], reward))
        row = {"low": 5.0 * at, "high": 5.0 * at + 5, "cases": int(cases.sum()), "interviews_per_case": None}
        if np.count_nonzero(cases) >= LEAST_FOLDS:
            told = share_over_folds(came, cases)
            span = told.interval(LEVEL)
            row["interviews_per_case"] = {"value": told.value, "low": max(span.low, 0.0), "high": span.high}
        found.append(row)
    return found
