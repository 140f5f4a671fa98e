"""The plan of an experiment: checked when it is made, frozen and named by its content when it starts."""

import hashlib
import json
from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from typing import Any

from layer7.contract.experiments import ALLOCATION_TOLERANCE, Coverage, Experiment, Variant
from layer7.contract.fields import Json
from layer7.contract.lifecycle import State
from layer7.contract.passport import DesignPassport
from layer7.contract.vocabulary import Component
from layer7.errors import Layer7Error

SEGMENTS = 100
CONTROL = "control"
_NOT_PLANNED = frozenset(
    {
        "status",
        "start_date",
        "end_date",
        "results",
        "coverages",
        "plan_hash",
        "created_at",
        "segments",
        "passport",
    }
)

Accept = Callable[[Component, str, Json], Json]
"""Gives a value as the component's parameter keeps it, or refuses it."""


def checked(experiment: Experiment, *, accept: Accept, metrics: Collection[str]) -> Experiment:
    """Give an experiment with its values as they are kept, or say what is wrong with it.

    Args:
        experiment: a draft.
        accept: the catalogue's check of a value.
        metrics: names of the metrics that there are.

    Raises:
        Layer7Error: ``bad_allocation`` where allocations do not add up to 1; ``one_arm`` where all variants
            have the same value; ``no_control``; ``unknown_metric``; ``bad_dates`` for an end before the
            start; ``bad_coverage``; and what ``accept`` refuses: ``unknown_parameter``, a value out of range.
    """
    total = sum(variant.allocation for variant in experiment.variants)
    if abs(total - 1) > ALLOCATION_TOLERANCE or min(v.allocation for v in experiment.variants) <= 0:
        shares = ", ".join(f"{variant.variant_id} {variant.allocation:g}" for variant in experiment.variants)
        raise Layer7Error(
            "bad_allocation",
            f"The allocations add up to {total:g}: {shares}.",
            "Give every variant a share above 0, 1 in all; use coverage to let fewer people take part.",
        )
    control_of(experiment)
    _check_metrics(experiment, metrics)
    _check_dates(experiment)
    variants = tuple(_accepted(experiment, variant, accept) for variant in experiment.variants)
    values = {json.dumps(variant.model_dump(mode="json")["value"], sort_keys=True) for variant in variants}
    if len(values) < len(variants):
        raise Layer7Error(
            "one_arm", "Two variants have the same value.", "An experiment compares different values."
        )
    return experiment.model_copy(update={"variants": variants})


def control_of(experiment: Experiment) -> Variant:
    """Give the variant that the others are compared with: the one called control.

    Args:
        experiment: its variants.

    Raises:
        Layer7Error: ``no_control``.
    """
    found = next((v for v in experiment.variants if v.variant_id == CONTROL), None)
    if found is None:
        raise Layer7Error("no_control", "No variant is called control.", "Name one variant_id 'control'.")
    return found


def specified(number: int) -> Experiment:
    """Give one of the specification's two example experiments.

    Args:
        number: 0 (exp_001) or 1 (exp_002).
    """
    examples: Any = Experiment.model_config.get("json_schema_extra")
    return Experiment.model_validate_json(json.dumps(examples["examples"][number]))


def plan_hash(experiment: Experiment) -> str:
    """Name the plan by its content: everything that was decided before any outcome was seen.

    Args:
        experiment: the experiment; its state, dates, coverage so far and results are no part of the plan.

    Example:
        >>> draft = specified(0)
        >>> plan_hash(draft) == plan_hash(draft.model_copy(update={"status": State.RUNNING}))
        True
    """
    plan = {k: v for k, v in experiment.model_dump(mode="json").items() if k not in _NOT_PLANNED}
    text = json.dumps(plan, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return "plan_" + hashlib.sha256(text.encode()).hexdigest()[:16]


def passed(experiment: Experiment, found: DesignPassport, *, accepted: bool = False) -> Experiment:
    """Give an experiment with its design passport, or refuse a design that cannot answer its question.

    Args:
        experiment: a checked draft.
        found: its passport.
        accepted: whether somebody takes it as it is, knowingly.

    Raises:
        Layer7Error: ``underpowered`` with what would be feasible; ``power_unknown`` where the log cannot
            tell; ``other_passport`` if it is the passport of another plan.
    """
    if found.plan_hash != plan_hash(experiment):
        raise Layer7Error(
            "other_passport",
            "The passport is of another plan.",
            "Issue it again: the plan has changed since.",
        )
    if found.judgement != "sound" and not accepted:
        code = "underpowered" if found.judgement == "underpowered" else "power_unknown"
        raise Layer7Error(code, found.sentence, " Or: ".join(found.feasible))
    return experiment.model_copy(update={"passport": found})


def started(experiment: Experiment, at: datetime) -> Experiment:
    """Give an experiment as it runs from a moment on, with its plan frozen.

    Args:
        experiment: a checked draft.
        at: the moment, with offset.
    """
    end = at + timedelta(days=experiment.maximum_duration_days)
    return experiment.model_copy(
        update={
            "status": State.RUNNING,
            "start_date": at.isoformat(),
            "end_date": experiment.end_date or end.isoformat(),
            "coverages": (Coverage(share=experiment.coverage, since=at.isoformat()),),
            "plan_hash": plan_hash(experiment),
        }
    )


def covering(experiment: Experiment, share: float, at: datetime) -> Experiment:
    """Give an experiment that another share of the units takes part in from a moment on.

    Args:
        experiment: a running one.
        share: of the units, all arms together; never less than before, since nobody leaves an arm.
        at: the moment, with offset.

    Raises:
        Layer7Error: ``bad_coverage`` for a share below the present one or above 1.
    """
    now = experiment.coverages[-1].share if experiment.coverages else 0.0
    if not now <= share <= 1:
        raise Layer7Error(
            "bad_coverage",
            f"A coverage of {share:g} after {now:g}.",
            "Coverage only grows, up to 1; stop the experiment to take it back.",
        )
    stage = Coverage(share=share, since=at.isoformat())
    return experiment.model_copy(update={"coverages": (*experiment.coverages, stage)})


def intact(experiment: Experiment) -> None:
    """Refuse an experiment whose plan is no longer the one that was frozen.

    Raises:
        Layer7Error: ``plan_changed``.
    """
    if experiment.plan_hash is not None and experiment.plan_hash != plan_hash(experiment):
        raise Layer7Error(
            "plan_changed",
            f"The plan of {experiment.experiment_id} is not the one it started with.",
            "Its results cannot be read; stop it and start a new experiment.",
        )


def _accepted(experiment: Experiment, variant: Variant, accept: Accept) -> Variant:
    value: Any = accept(experiment.component, experiment.parameter, variant.value)
    return variant.model_copy(update={"value": value})


def _check_metrics(experiment: Experiment, metrics: Collection[str]) -> None:
    named = (experiment.success_metric, *experiment.guardrail_metrics, *experiment.signal_metrics)
    unknown = sorted({*named, *experiment.guardrail_margins} - set(metrics))
    if unknown:
        raise Layer7Error(
            "unknown_metric",
            f"There is no metric {', '.join(map(repr, unknown))}.",
            f"Metrics are {', '.join(sorted(metrics))}.",
        )


def _check_dates(experiment: Experiment) -> None:
    start, end = experiment.start_date, experiment.end_date
    if start and end and datetime.fromisoformat(end) <= datetime.fromisoformat(start):
        raise Layer7Error("bad_dates", f"It ends ({end}) before it starts ({start}).", "Swap them.")
    if not 0 < experiment.coverage <= 1:
        raise Layer7Error(
            "bad_coverage", f"A coverage of {experiment.coverage:g}.", "It is above 0, at most 1."
        )
