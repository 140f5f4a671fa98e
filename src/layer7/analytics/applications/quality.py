"""How complete the log is: which events that must have happened were captured, which fields are known."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from operator import or_
from types import MappingProxyType
from typing import Any

import ibis
from ibis.expr import types as ir

from layer7.errors import Layer7Error

CRITICAL = ("fit_score", "resume_score", "strategy_mode", "category", "title", "seniority")
"""Fields that most findings rest on."""

CAPTURE_TARGET = 0.99
COMPLETENESS_TARGET = 0.95


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many.

    Args:
        part: how many have it, at most ``n``.
        n: of how many.

    Example:
        >>> Share(3, 4).value, Share(0, 0).value
        (0.75, None)
    """

    part: int
    n: int

    def __post_init__(self) -> None:
        if not 0 <= self.part <= self.n:
            raise Layer7Error(
                "bad_counts", f"{self.part} of {self.n} is no share.", "Count part and whole over the same."
            )

    @property
    def value(self) -> float | None:
        """The share, 0 to 1; None of nothing."""
        return self.part / self.n if self.n else None


@dataclass(frozen=True, slots=True, kw_only=True)
class DataQuality:
    """How far the log of a night can be relied on (specification 12.1).

    Args:
        captured: events in the log, of those that must have happened; the target is above 99 %.
        accepted: events taken, of those that came; the others are in quarantine.
        completeness: submitted applications with the field, by critical field; the target is above 95 %.
        complete: the same over all critical fields together.
        drafts: applications created and never submitted, of all.
        local_time_unknown: submitted applications of whose hour of day nothing is known.

    """

    captured: Share
    accepted: Share
    completeness: Mapping[str, Share]
    complete: Share
    drafts: Share
    local_time_unknown: Share


FACTS = ("expected", "captured", "local_time_unknown", *(f"known_{name}" for name in CRITICAL))
"""What is counted of each application; counts add."""


def quality_facts(rows: ir.Table) -> dict[str, ir.IntegerValue]:
    """Count expected and captured events, and known fields, of each application.

    Every application must have been created; one with a submission or any answer must have been submitted;
    and each status that it shows must have its event. A log that goes straight to the offer is taken at its
    word: no event of an interview is expected then.

    Args:
        rows: one row per application; a column ``sent_at``, if there is one, tells recorded submissions from
            those inferred from later events.

    Returns:
        The counts by their names in :data:`FACTS`.
    """
    recorded = rows.sent_at if "sent_at" in rows.columns else rows.submitted_at
    stage, closed = rows.max_stage, rows.closed
    before_offer = rows.interview_at.isnull() | rows.offer_at.isnull() | (rows.interview_at < rows.offer_at)
    statuses = (
        ((stage == "interview") | ((stage == "offer") & before_offer), rows.interview_at),
        ((stage == "offer") | rows.offer_at.notnull(), rows.offer_at),
        ((closed == "rejected") | rows.rejected_at.notnull(), rows.rejected_at),
        ((closed == "ghosted") | rows.ghosted_at.notnull(), rows.ghosted_at),
    )
    sent = reduce(or_, (due for due, _ in statuses), rows.submitted_at.notnull() | recorded.notnull())
    expected = ((ibis.literal(value=True), rows.created_at), (sent, recorded), *statuses)
    submitted = rows.submitted_at.notnull()
    return {
        "expected": sum((_one(due) for due, _ in expected), ibis.literal(0)),
        "captured": sum((_one(due & at.notnull()) for due, at in expected), ibis.literal(0)),
        "local_time_unknown": _one(submitted & rows.local_hour.isnull()),
        **{f"known_{name}": _one(submitted & rows[name].notnull()) for name in CRITICAL},
    }


def _one(condition: ir.BooleanValue) -> ir.IntegerValue:
    """1 where something is true; NULL is not true."""
    return ibis.ifelse(condition, 1, 0)


def quality_moments(months: ir.Table) -> ir.Table:
    """Add up the quality of the data over all months.

    Args:
        months: of :func:`layer7.analytics.performance.months.month_facts`.

    Returns:
        One row of counts, for :func:`to_quality`.
    """
    sums = {name: months[name] for name in FACTS}
    sums |= {
        "applications": months.total_applications + months.drafts,
        "submitted": months.total_applications,
    }
    return months.aggregate(**{name: each.sum().fill_null(0).cast("int64") for name, each in sums.items()})


def to_quality(counts: Mapping[str, Any], *, accepted: int, quarantined: int) -> DataQuality:
    """Give a night's quality from its counts.

    Args:
        counts: the row of :func:`quality_moments`.
        accepted: events taken into the log.
        quarantined: events refused.

    Raises:
        Layer7Error: ``bad_counts`` if a part exceeds its whole.
    """
    submitted, applications = int(counts["submitted"]), int(counts["applications"])
    known = {name: Share(int(counts[f"known_{name}"]), submitted) for name in CRITICAL}
    return DataQuality(
        captured=Share(int(counts["captured"]), int(counts["expected"])),
        accepted=Share(accepted, accepted + quarantined),
        completeness=MappingProxyType(known),
        complete=Share(sum(share.part for share in known.values()), submitted * len(known)),
        drafts=Share(applications - submitted, applications),
        local_time_unknown=Share(int(counts["local_time_unknown"]), submitted),
    )
