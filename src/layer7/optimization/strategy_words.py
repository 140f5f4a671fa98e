"""What the night says of the strategy mode's thresholds, as plain JSON values."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from layer7.analytics.optimizing.decisions import NEAR
from layer7.optimization.improve_resume import LEVEL, Decisions, ResumeThreshold, outcome_by_score
from layer7.optimization.rethink_targets import BY, RethinkCount, SwitchEffect
from layer7.statistics.people.alarm import Operating
from layer7.statistics.rates.estimate import Estimate


def resume_report(found: ResumeThreshold, known: Decisions) -> dict[str, Any]:
    """Say what was found of the threshold of the resume score, with the whole curve.

    Args:
        found: what was found.
        known: the decisions that it was found in.
    """
    told, jump, density = found.contrast, found.jump, found.density
    return {
        "answer": found.answer,
        "evidence": str(found.ground),
        "current_value": known.cut,
        "cases": int(found.cases),
        "people": int(known.span["people"]),
        "needed": found.needed,
        "weeks": found.weeks,
        "why_not": dict(found.why_not),
        "effect_per_case": _told(found.effect),
        "estimators": None
        if told is None
        else {
            "ips": _told(told.ips),
            "self_normalised": _told(told.self_normalised),
            "doubly_robust": _told(told.doubly_robust),
        },
        "overlap": None
        if told is None
        else {
            "effective_cases_held_back": told.effective_cases[0],
            "effective_cases_gone_on": told.effective_cases[1],
            "mean_weight_held_back": told.mean_weights[0],
            "mean_weight_gone_on": told.mean_weights[1],
        },
        "discontinuity": None
        if jump is None
        else {"robust": _told(jump.robust), "bandwidth": jump.bandwidth, "cases": list(jump.cases)},
        "density_test": None
        if density is None
        else {"log_ratio": _told(density.jump), "bandwidth": density.bandwidth},
        "effect_curve": _effects(found, known),
        "outcome_by_score": outcome_by_score(known),
    }


def _told(found: Estimate | None) -> dict[str, Any] | None:
    return None if found is None else _span(found) | {"p_value": found.p_value}


def _span(found: Estimate) -> dict[str, Any]:
    span = found.interval(LEVEL)
    return {"value": found.value, "low": span.low, "high": span.high, "level": LEVEL}


def _effects(found: ResumeThreshold, known: Decisions) -> list[dict[str, float]]:
    if found.curve is None:
        return []
    position = np.arange(-NEAR, NEAR + 1)
    rows = zip(position, *found.curve.at(position, LEVEL), strict=True)
    return [
        {"score": known.cut + float(at), "effect": float(mean), "low": float(low), "high": float(high)}
        for at, mean, low, high in rows
        if 0 <= known.cut + at <= 100
    ]


def rethink_report(found: RethinkCount, count: int, rate: float) -> dict[str, Any]:
    """Say what was found of the rule that leads to rethinking targets.

    Args:
        found: what was found.
        count: applications in force.
        rate: interview rate in force.
    """
    law = found.cohort
    return {
        "answer": found.answer,
        "current_value": count,
        "current_rate": rate,
        "recommended_value": found.better,
        "people": found.people,
        "needed": found.needed,
        "threshold": found.threshold,
        "certainty": found.certainty,
        "by_applications": BY,
        "cohort": None
        if law is None
        else {"mean": law.mean, "precision": law.precision, "people": law.people},
        "rule_in_force": _operating(found.current),
        "rule_recommended": _operating(found.best),
        "rule_on_probability": _operating(found.posterior),
        "probability": found.probability,
    }


def _operating(found: Operating | None) -> dict[str, float] | None:
    if found is None:
        return None
    return {"false_alarm": found.false_alarm, "detection": found.detection}


def switch_report(found: Sequence[SwitchEffect]) -> list[dict[str, Any]]:
    """Say what came after each change of mode; a comparison within people predicts, it proves no effect.

    Args:
        found: one per mode.
    """
    return [
        {
            "mode": str(each.mode),
            "changes": each.people,
            "observed_over_expected": None if each.ratio is None else _span(each.ratio),
            "claim": each.claim,
            "plain_ratio": each.plain,
        }
        for each in found
    ]
