"""How each person's applications went: facts of every person and month, and what a night makes of them."""

from datetime import datetime

import ibis
import numpy as np
import pyarrow as pa
from ibis.expr import types as ir

from layer7.analytics.applications.fates import fate_of
from layer7.analytics.applications.outcomes import (
    SECONDS_PER_DAY,
    count_if,
    epoch_seconds,
    grained,
    seconds_of,
)
from layer7.analytics.applications.quality import FACTS, quality_facts
from layer7.contract.vocabulary import EventType, Stage

COUNTS = (
    "total_applications",
    "interview_requests",
    "offers",
    "rejections",
    "drafts",
    "answered",
    "answers",
    "rewrites_accepted",
    "rewrites_rejected",
)
"""Facts that are whole numbers; they add."""

SCORE_STEPS = 1_000
SCORE_UNITS = 1_000_000
"""A score and its time are one number: seconds since 1970 x SCORE_UNITS + points x SCORE_STEPS."""

PERSON = ("person", "bucket")
_DAYS = 1 << 16
"""Days of the calendar, from 1970 to 2149."""


def month_facts(applications: ir.Table, events: ir.Table) -> ir.Table:
    """Count every person's applications, one row for each month with any, free of what silence means.

    A month is that of submission in UTC (of a draft, that of its creation; of a resume event, its own).

    Args:
        applications: one row per application.
        events: the event log; only rewritten and newly scored resumes are read.

    Returns:
        ``person``, ``bucket``, ``month`` (counted from January 1970), :data:`COUNTS`, the facts of
        :func:`layer7.analytics.applications.quality.quality_facts`, ``answer_days_sum``,
        ``fastest_response_days``, ``first_score`` and ``last_score`` (each a score and its time, see
        :data:`SCORE_UNITS`), and ``fates`` of the submitted applications, in order (NULL without any).
    """
    return _aggregate(_with_month(_facts(applications, events)), (*PERSON, "month"))


def month_fates(applications: ir.Table) -> ir.Table:
    """Give the fates of every person's months, as :func:`month_facts` does, from the applications alone.

    Args:
        applications: one row per application.

    Returns:
        ``person``, ``bucket``, ``month`` and ``fates``; only months with submitted applications.
    """
    sent = applications.filter(applications.submitted_at.notnull())
    rows = sent.select(*PERSON, fate=fate_of(sent), seconds=epoch_seconds(sent.submitted_at))
    dated = _with_month(rows)
    return dated.group_by(*PERSON, "month").aggregate(fates=dated.fate.collect(order_by=dated.fate))


def range_facts(applications: ir.Table, events: ir.Table, *, start: datetime, end: datetime) -> ir.Table:
    """Count applications submitted in any stretch of time: one row per person.

    Args:
        applications: one row per application, of one person or of many.
        events: their events.
        start: first moment, with its time zone.
        end: first moment after it.

    Returns:
        The columns of :func:`month_facts` but for ``month``.

    Raises:
        Layer7Error: ``naive_time``.
    """
    facts = _facts(applications, events)
    inside = facts.filter(facts.seconds >= seconds_of(start), facts.seconds < seconds_of(end))
    return _aggregate(inside, PERSON)


def _facts(applications: ir.Table, events: ir.Table) -> ir.Table:
    """Applications and resume events in the same columns, so that one aggregation reads both."""
    of_applications = _application_facts(applications)
    return of_applications.union(_resume_facts(events, of_applications.schema()))


def _application_facts(rows: ir.Table) -> ir.Table:
    sent = rows.submitted_at.notnull()
    seconds = epoch_seconds(ibis.coalesce(rows.submitted_at, rows.created_at))
    interviewed = sent & rows.max_stage.isin([str(Stage.INTERVIEW), str(Stage.OFFER)])
    rejected = sent & rows.rejected_at.notnull()
    score = _at(seconds, ibis.ifelse(sent, rows.resume_score, None))
    return rows.select(
        *PERSON,
        seconds=seconds,
        is_submitted=sent,
        is_interviewed=interviewed,
        is_rejected=rejected,
        is_answered=interviewed | rejected,
        is_draft=~sent,
        is_offer=sent & (rows.max_stage == str(Stage.OFFER)),
        answer_days=ibis.ifelse(interviewed | rejected, grained(rows.answer_days), None),
        score_before=score,
        score_after=score,
        accepted=ibis.null("boolean"),
        fate=ibis.ifelse(sent, fate_of(rows), None),
        **quality_facts(rows),
    )


def _resume_facts(events: ir.Table, schema: ibis.Schema) -> ir.Table:
    """Rewritten and newly scored resumes; a rewrite that was not accepted left the score as it was."""
    kinds = [str(EventType.RESUME_REWRITTEN), str(EventType.SCORE_CHANGED)]
    rows = events.filter(events.event_type.isin(kinds))
    rewritten = rows.event_type == kinds[0]
    refused = rewritten & ~rows.user_accepted
    seconds = epoch_seconds(rows.event_time)
    score_after = ibis.ifelse(refused, rows.before_score, rows.after_score)
    known = {
        "person": rows.person,
        "bucket": rows.bucket,
        "seconds": seconds,
        "score_before": _at(seconds, rows.before_score),
        "score_after": _at(seconds, score_after),
        "accepted": ibis.ifelse(rewritten, rows.user_accepted, None),
    }
    return rows.select(
        **{name: known[name].cast(kind) if name in known else _nothing(kind) for name, kind in schema.items()}
    )


def _at(seconds: ir.IntegerValue, score: ir.FloatingValue) -> ir.IntegerValue:
    """A score and its time in one number: its minimum is the first score, whatever the order of rows."""
    return seconds * SCORE_UNITS + (score * SCORE_STEPS).round().cast("int64")


def _nothing(kind: ibis.DataType) -> ir.Value:
    return ibis.literal(value=False) if kind.is_boolean() else ibis.null(kind)


def _with_month(facts: ir.Table) -> ir.Table:
    """Add the month, counted from January 1970: joined by day, since calendar arithmetic is slower."""
    days = np.arange(_DAYS)
    months = days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    calendar = ibis.memtable(pa.table({"day": pa.array(days), "month": pa.array(months)}))
    return facts.mutate(day=facts.seconds // SECONDS_PER_DAY).join(calendar, "day")


def _aggregate(facts: ir.Table, keys: tuple[str, ...]) -> ir.Table:
    counts = {
        "total_applications": count_if(facts.is_submitted),
        "interview_requests": count_if(facts.is_interviewed),
        "offers": count_if(facts.is_offer),
        "rejections": count_if(facts.is_rejected),
        "drafts": count_if(facts.is_draft),
        "answered": count_if(facts.is_answered),
        "answers": facts.answer_days.count(),
        "rewrites_accepted": count_if(facts.accepted),
        "rewrites_rejected": count_if(~facts.accepted),
    }
    counts |= {name: facts[name].sum().fill_null(0).cast("int64") for name in FACTS}
    return facts.group_by(keys).aggregate(
        **counts,
        answer_days_sum=facts.answer_days.sum().fill_null(0.0),
        fastest_response_days=facts.answer_days.min(),
        first_score=facts.score_before.min(),
        last_score=facts.score_after.max(),
        fates=facts.fate.collect(order_by=facts.fate),
    )
