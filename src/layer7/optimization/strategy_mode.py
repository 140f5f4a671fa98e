"""Better thresholds for the strategy mode (specification 5.1): both of them, with what speaks for a move."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa

from layer7.contract.evidence import Period
from layer7.contract.optimization import ThresholdGain, ThresholdUpdates
from layer7.contract.recommendation import Evidence, OptimizationRecommendation
from layer7.contract.vocabulary import Component
from layer7.optimization.improve_resume import (
    LEVEL,
    PARAMETER,
    SHARE,
    WORTH,
    Decisions,
    Ground,
    ResumeThreshold,
    improve_resume,
)
from layer7.optimization.recommendation import Finding, Grounds, Nature, Origin, Proposal, recommend
from layer7.optimization.rethink_targets import (
    COUNT,
    RethinkCount,
    SwitchEffect,
    rethink_count,
    switch_effects,
)
from layer7.optimization.strategy_words import resume_report, rethink_report, switch_report

METRIC = "expected_interviews_per_week"
RIGHT = "right_alarms_less_wrong_ones_per_person"
LONGEST_WAIT = 104
"""Weeks: exploration that takes longer is not worth asking for."""

METHODS: Mapping[Ground, str] = {
    Ground.EXPLORATION: "doubly robust off-policy estimate on logged exploration, shrunk line in the score, "
    "errors over folds of people",
    Ground.DISCONTINUITY: "regression discontinuity at the cut in force: density test, local line, robust "
    "bias-corrected interval",
    Ground.NOTHING: "none: a deterministic rule leaves no evidence on the other side",
}
COUNT_METHOD = "beta-binomial law of people's rates; exact operating characteristics of the rule"

_CHANGE = {
    Ground.EXPLORATION: "Explored decisions on which the chance of a gain falls below 99 %.",
    Ground.DISCONTINUITY: "An experiment without a gain, or scores that are steered across the cut.",
    Ground.NOTHING: "Explored decisions near the cut.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the optimizer is asked about.

    Args:
        decisions: of Layer 2, with the threshold in force.
        targets: rows of :func:`layer7.analytics.optimizing.rethinking.target_moments`.
        switches: rows of :func:`layer7.analytics.optimizing.rethinking.switch_moments`.
        count: applications after which targets are rethought, in force.
        rate: interview rate below which they are, in force.
    """

    decisions: Decisions
    targets: pa.Table
    switches: pa.Table
    count: int
    rate: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ModeThresholds:
    """What a night says of the thresholds of the strategy mode.

    Args:
        updates: the specification's answer: better thresholds, null where nothing speaks for a move.
        resume: of the threshold of the resume score.
        rethink: of the count of applications.
        switches: what came after each change of mode.
        recommendations: those that the evidence asks for.
        report: all of it, as plain JSON values.
    """

    updates: ThresholdUpdates
    resume: ResumeThreshold
    rethink: RethinkCount
    switches: tuple[SwitchEffect, ...]
    recommendations: tuple[OptimizationRecommendation, ...]
    report: Mapping[str, Any]


def optimize_mode_thresholds(asked: Asked, *, origin: Origin, rng: np.random.Generator) -> ModeThresholds:
    """Look for better thresholds of the strategy mode.

    Args:
        asked: decisions, people and settings in force.
        origin: when, and from what.
        rng: the dice for the uncertainty of people's rates.
    """
    resume = improve_resume(asked.decisions)
    rethink = rethink_count(asked.targets, count=asked.count, rate=asked.rate, rng=rng)
    switches = switch_effects(asked.switches, rethink.cohort)
    updates = _updates(asked, resume, rethink, window=_window(asked.decisions))
    found = (_move(asked, resume, origin), _explore(asked, resume, origin), _count(asked, rethink, origin))
    return ModeThresholds(
        updates=updates,
        resume=resume,
        rethink=rethink,
        switches=switches,
        recommendations=tuple(each for each in found if each is not None),
        report={
            "answer": f"{resume.answer} {rethink.answer}",
            "needed": resume.needed,
            "updates": updates.model_dump(mode="json"),
            "resume_score": resume_report(resume, asked.decisions),
            "rethink": rethink_report(rethink, asked.count, asked.rate),
            "mode_changes": switch_report(switches),
        },
    )


def _window(known: Decisions) -> Period | None:
    if not known.span["people"]:
        return None
    first, last = (datetime.fromtimestamp(known.span[end], UTC).isoformat() for end in ("first", "last"))
    return Period(start=first, end=last)


def _updates(
    asked: Asked, resume: ResumeThreshold, rethink: RethinkCount, *, window: Period | None
) -> ThresholdUpdates:
    cut, move = asked.decisions.cut, resume.move
    sure = [
        chance
        for chance in (
            move.probability if move is not None and resume.is_proven else None,
            rethink.probability if rethink.better is not None else None,
        )
        if chance is not None
    ]
    gains = {PARAMETER: _gain(cut, resume, window)}
    return ThresholdUpdates(
        improve_resume_threshold=cut + move.offset if move is not None and resume.is_proven else None,
        rethink_targets_threshold=rethink.better,
        confidence=min(sure) if sure else None,
        sample_size=max(int(asked.decisions.span["people"]), rethink.people),
        gains=gains | {COUNT: _count_gain(asked.count, rethink)},
        window=window,
        method=f"{METHODS[resume.ground]}; {COUNT_METHOD}",
        what_would_change_this=_CHANGE[resume.ground],
    )


def _gain(cut: float, resume: ResumeThreshold, window: Period | None) -> ThresholdGain:
    move = resume.move
    return ThresholdGain(
        current_value=cut,
        expected_gain=None if move is None else move.gain,
        probability_of_gain=None if move is None else move.probability,
        expected_loss=None if move is None else move.loss,
        n=int(resume.cases),
        interval=None if move is None else (move.interval.low, move.interval.high),
        level=LEVEL,
        method=METHODS[resume.ground],
        window=window,
        what_would_change_this=_CHANGE[resume.ground],
    )


def _count_gain(count: int, rethink: RethinkCount) -> ThresholdGain:
    """What rethinking brings is not known without an experiment: the gain in interviews stays null."""
    return ThresholdGain(
        current_value=float(count),
        expected_gain=None,
        probability_of_gain=None,
        expected_loss=None,
        n=rethink.people,
        method=COUNT_METHOD,
        what_would_change_this=_COUNT_CHANGE,
    )


_COUNT_CHANGE = "More applications that show people's rates to differ otherwise."


def _move(asked: Asked, resume: ResumeThreshold, origin: Origin) -> OptimizationRecommendation | None:
    move, cut = resume.move, asked.decisions.cut
    if move is None or not resume.is_proven or resume.effect is None:
        return None
    better = min(max(cut + move.offset, 0.0), 100.0)
    if better == cut:
        return None
    experiment = resume.ground is Ground.EXPLORATION
    proposal = Proposal(
        component=Component.STRATEGY_ENGINE,
        parameter=PARAMETER,
        current_value=cut,
        recommended_value=better,
        nature=Nature.BEHAVIOURAL,
        size=abs(better - cut) / 100,
        grounds=Grounds.EXPERIMENT if experiment else Grounds.OBSERVATION,
    )
    span = (move.interval.low, move.interval.high)
    finding = Finding(
        reasoning=f"{resume.answer} P(gain > 0) = {move.probability:.3f}, expected loss {move.loss:.4f}.",
        evidence=Evidence(
            metric_improved=METRIC,
            improvement_amount=move.gain,
            sample_size=int(resume.cases),
            confidence_interval=span,
            p_value=resume.effect.p_value,
        ),
        users_affected=int(asked.decisions.span["people_near"]),
        expected_benefit=f"{move.gain:.3f} more interviews per person and week "
        f"({span[0]:.3f} to {span[1]:.3f}).",
        method=METHODS[resume.ground],
        what_would_change_this=_CHANGE[resume.ground],
    )
    return recommend(proposal, finding, origin)


def _explore(asked: Asked, resume: ResumeThreshold, origin: Origin) -> OptimizationRecommendation | None:
    """Ask for exploration where only it could tell, and where it could tell within two years."""
    known = asked.decisions
    if resume.ground is Ground.EXPLORATION or resume.is_proven or known.exploring > 0:
        return None
    if resume.needed is None or resume.weeks is None or resume.weeks > LONGEST_WAIT:
        return None
    proposal = Proposal(
        component=Component.STRATEGY_ENGINE,
        parameter="exploration_share",
        current_value=known.exploring,
        recommended_value=SHARE,
        nature=Nature.EXPLORING,
        size=SHARE / 0.5,
        grounds=Grounds.OBSERVATION,
    )
    finding = Finding(
        reasoning=f"A deterministic rule leaves no evidence on the other side of {known.cut:g}. About "
        f"{resume.needed:,} decisions within 5 points of it, {SHARE:.0%} of them drawn by lot, would find an "
        f"effect of {WORTH:.0%}: {resume.weeks:.0f} weeks at the present traffic.",
        evidence=Evidence(
            metric_improved=METRIC,
            improvement_amount=None,
            sample_size=int(known.span["person_weeks_near"]),
            confidence_interval=None,
            p_value=None,
        ),
        users_affected=int(known.span["people_near"]),
        expected_benefit="Knowing which threshold brings more interviews; no gain by itself.",
        method=METHODS[Ground.NOTHING],
        what_would_change_this="Another experiment near the threshold.",
    )
    return recommend(proposal, finding, origin)


def _count(asked: Asked, rethink: RethinkCount, origin: Origin) -> OptimizationRecommendation | None:
    current, best = rethink.current, rethink.best
    if rethink.better is None or rethink.gain is None or current is None or best is None:
        return None
    proposal = Proposal(
        component=Component.STRATEGY_ENGINE,
        parameter=COUNT,
        current_value=asked.count,
        recommended_value=rethink.better,
        nature=Nature.BEHAVIOURAL,
        size=min(abs(rethink.better - asked.count) / 999, 1.0),
        grounds=Grounds.OBSERVATION,
    )
    gain, low, high = rethink.gain
    finding = Finding(
        reasoning=rethink.answer,
        evidence=Evidence(
            metric_improved=RIGHT,
            improvement_amount=gain,
            sample_size=rethink.people,
            confidence_interval=(low, high),
            p_value=None,
        ),
        users_affected=round(rethink.people * (current.right + current.wrong)),
        expected_benefit=f"Of those who do well enough, {best.false_alarm:.0%} are told to rethink, now "
        f"{current.false_alarm:.0%}; of those who do not, {best.detection:.0%}, now "
        f"{current.detection:.0%}.",
        method=COUNT_METHOD,
        what_would_change_this=_COUNT_CHANGE,
    )
    return recommend(proposal, finding, origin)
