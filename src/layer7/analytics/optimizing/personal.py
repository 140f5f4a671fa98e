"""What a person does, counted for settings of her own: pace, choices, waits, decisions; her own data only."""

import re
from datetime import datetime

import ibis
from ibis.expr import types as ir

from layer7.analytics.applications.outcomes import (
    SECONDS_PER_DAY,
    count_if,
    epoch_seconds,
    grained,
    seconds_of,
)
from layer7.contract.vocabulary import EventType

PERSON = ("person", "bucket")
PACE_WEEKS = 12
OLD_ENOUGH = 60
"""Days after which nearly all answers that ever come have come."""

ARRANGEMENTS = (("hybrid", "hybrid"), ("remote", "remote|anywhere"), ("onsite", "on-?site|in office"))
"""Arrangements of work, and the words of a location that name them."""

UNSAID = "unsaid"
FIT_WIDTH = 5
FIT_BANDS = tuple(f"fit_{at}" for at in range(100 // FIT_WIDTH + 1))
SUMS = ("n", "recent", "answers", "log_days", "accepted", "edited", "rejected", *FIT_BANDS)
"""Moments that add; ``first`` and ``last`` are a minimum and a maximum."""

_DECIDED = {
    "accepted": EventType.SUGGESTION_ACCEPTED,
    "edited": EventType.SUGGESTION_EDITED,
    "rejected": EventType.SUGGESTION_REJECTED,
}


def arrangement_of(location: str | None) -> str | None:
    """Give how work is arranged, by the words of a location; None where they do not say.

    Example:
        >>> arrangement_of("Berlin (hybrid, remote on Fridays)"), arrangement_of("Ulm")
        ('hybrid', None)
    """
    place = (location or "").casefold()
    return next((name for name, words in ARRANGEMENTS if re.search(words, place)), None)


def personal_moments(applications: ir.Table, events: ir.Table, as_of: datetime) -> ir.Table:
    """Count what every person does.

    Args:
        applications: one row per application.
        events: the event log; of it, decisions on suggestions are read.
        as_of: the end of the night.

    Returns:
        ``person``, ``bucket``; ``n`` applications, ``recent`` of the last 12 weeks, ``first`` and ``last``
        (seconds since 1970 of the first and the latest application); ``answers`` and ``log_days`` (sum of ln
        days, half a day added) of applications that are at least 60 days old; ``accepted``, ``edited``,
        ``rejected`` suggestions; and how many applications have a fit score in each band of 5 points.
    """
    found = _of_applications(applications, seconds_of(as_of)).union(_of_suggestions(events))
    return found.group_by(*PERSON).aggregate(
        **{name: found[name].sum() for name in SUMS}, first=found["first"].min(), last=found["last"].max()
    )


def _of_applications(applications: ir.Table, end: int) -> ir.Table:
    sent = applications.filter(applications.submitted_at.notnull())
    rows = sent.mutate(seconds=epoch_seconds(sent.submitted_at))
    rows = rows.filter(rows.seconds < end)
    band = (ibis.least(ibis.greatest(rows.fit_score, 0.0), 100.0) // FIT_WIDTH).cast("int64")
    old = rows.answer_days.notnull() & (rows.seconds < end - OLD_ENOUGH * SECONDS_PER_DAY)
    days = grained((rows.answer_days + 0.5).ln())
    # Counted by band first: so many counts of every single row take longer than counting twice.
    banded = rows.group_by(*PERSON, band=band).aggregate(
        n=rows.count(),
        recent=count_if(rows.seconds >= end - 7 * PACE_WEEKS * SECONDS_PER_DAY),
        answers=count_if(old),
        log_days=ibis.ifelse(old, days, 0.0).sum(),
        first=rows.seconds.min(),
        last=rows.seconds.max(),
    )
    counted = banded.group_by(*PERSON).aggregate(
        **{name: banded[name].sum() for name in ("n", "recent", "answers", "log_days")},
        first=banded["first"].min(),
        last=banded["last"].max(),
        **{name: ibis.ifelse(banded.band == at, banded.n, 0).sum() for at, name in enumerate(FIT_BANDS)},
    )
    return _complete(counted)


def _of_suggestions(events: ir.Table) -> ir.Table:
    kinds = {name: str(kind) for name, kind in _DECIDED.items()}
    decided = events.filter(events.event_type.isin(list(kinds.values())))
    counted = decided.group_by(*PERSON).aggregate(
        **{name: count_if(decided.event_type == kind) for name, kind in kinds.items()}
    )
    return _complete(counted)


def _complete(table: ir.Table) -> ir.Table:
    """Give both halves the same columns: sums of nothing are 0, times of nothing are unknown."""
    kinds = dict.fromkeys(SUMS, "int64") | {"log_days": "float64"}
    columns = {
        name: (table[name] if name in table.columns else ibis.literal(0)).cast(kind)
        for name, kind in kinds.items()
    }
    times = {
        name: (table[name] if name in table.columns else ibis.null("int64")).cast("int64")
        for name in ("first", "last")
    }
    return table.select(person=table.person, bucket=table.bucket.cast("int64"), **columns, **times)


def tastes(applications: ir.Table, as_of: datetime) -> ir.Table:
    """Count where each person applies to: sizes of company, places, and how work is arranged there.

    Args:
        applications: one row per application.
        as_of: the end of the night.

    Returns:
        ``person``, ``bucket``, ``field`` (``company_size``, ``location``, ``arrangement``), ``level`` and
        ``n``. An arrangement is what the location says, else :data:`UNSAID`.
    """
    sent = applications.filter(applications.submitted_at.notnull())
    rows = sent.filter(epoch_seconds(sent.submitted_at) < seconds_of(as_of))
    sizes, places = _levels(rows, "company_size"), _levels(rows, "location")
    # The words of a place are read once for each person who applies there, not for each application.
    words = places.level.lower()
    said = ibis.cases(*((words.re_search(each), name) for name, each in ARRANGEMENTS), else_=UNSAID)
    arranged = places.group_by(*PERSON, level=said).aggregate(n=places.n.sum())
    return ibis.union(
        sizes, places, arranged.select(*PERSON, "level", "n", field=ibis.literal("arrangement"))
    )


def _levels(rows: ir.Table, field: str) -> ir.Table:
    known = rows.filter(rows[field].notnull())
    counted = known.group_by(*PERSON, level=known[field]).aggregate(n=known.count())
    return counted.select(*PERSON, "level", "n", field=ibis.literal(field))
