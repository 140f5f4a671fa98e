"""What a metric is made of: attempts, each with when it began, succeeded, and was settled."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import ibis
from ibis.expr import types as ir

from layer7.analytics.applications.outcomes import epoch_seconds
from layer7.contract.vocabulary import EventType
from layer7.errors import Layer7Error

_SUGGESTED = (EventType.SUGGESTION_ACCEPTED, EventType.SUGGESTION_EDITED, EventType.SUGGESTION_REJECTED)


@dataclass(frozen=True, slots=True)
class Steps:
    """Between which two steps of an application an attempt lies.

    Args:
        began: the step that makes it count.
        happened: the step that makes it a success.
        settled: the steps after which nothing more is to come; empty where that does not matter.
        value: what is averaged over successes; None where successes are counted.
    """

    began: str
    happened: str
    settled: tuple[str, ...] = ()
    value: str | None = None


_INTERVIEW = Steps("submitted_at", "interview_at", ("interview_at", "rejected_at"))
_ANSWER = Steps("submitted_at", "answered_at")
STEPS: Mapping[str, Steps] = MappingProxyType(
    {
        "interview_rate": _INTERVIEW,
        "offer_rate": Steps("interview_at", "offer_at"),
        "response_rate": _ANSWER,
        "rejection_rate": Steps("submitted_at", "rejected_at"),
        "jobs_applied_rate": Steps("begun_at", "submitted_at"),
        "suggestion_acceptance": Steps("event_time", "accepted_at"),
        "days_to_response": Steps("answered_at", "answered_at", value="answer_days"),
        "applications_per_unit": Steps("begun_at", "submitted_at"),
        "interviews_per_unit": Steps("submitted_at", "interview_at"),
        "reached_interview": Steps("submitted_at", "interview_at"),
    }
)
"""The attempts of every metric of the catalogue; suggestions are events, all else are applications."""


def attempts(applications: ir.Table, events: ir.Table, metric: str) -> ir.Table:
    """Give the attempts that a metric counts.

    Args:
        applications: one row per application.
        events: the event log.
        metric: its name in the catalogue.

    Returns:
        ``person``; ``began``, ``happened`` and ``settled`` in whole seconds since 1970, the last two NULL
        while it has not happened; and ``value``, 1 where successes are counted.

    Raises:
        Layer7Error: ``unknown_metric``.
    """
    steps = STEPS.get(metric)
    if steps is None:
        raise Layer7Error(
            "unknown_metric", f"There is no metric {metric!r}.", f"There are {', '.join(STEPS)}."
        )
    rows = _suggestions(events) if steps.began == "event_time" else _with_steps(applications)
    rows = rows.filter(rows[steps.began].notnull())
    settled = ibis.least(*(rows[name] for name in steps.settled or (steps.began,)))
    return rows.select(
        person=rows.person,
        began=epoch_seconds(rows[steps.began]),
        happened=epoch_seconds(rows[steps.happened]),
        settled=epoch_seconds(settled),
        value=ibis.literal(1.0) if steps.value is None else rows[steps.value].cast("float64"),
    )


def _with_steps(applications: ir.Table) -> ir.Table:
    return applications.mutate(
        begun_at=ibis.coalesce(applications.created_at, applications.submitted_at),
        answered_at=ibis.least(applications.interview_at, applications.rejected_at),
    )


def _suggestions(events: ir.Table) -> ir.Table:
    rows = events.filter(events.event_type.isin([str(kind) for kind in _SUGGESTED]))
    accepted = rows.event_type == str(EventType.SUGGESTION_ACCEPTED)
    return rows.mutate(accepted_at=ibis.ifelse(accepted, rows.event_time, None))
