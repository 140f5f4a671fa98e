"""How each person's applications went: moments of every person and month."""

from datetime import datetime

import ibis
import numpy as np
import pyarrow as pa
from ibis.expr import types as ir

from layer7.analytics.outcomes import (
    GRAIN,
    SECONDS_PER_DAY,
    Outlook,
    count_if,
    epoch_seconds,
    outcomes,
    seconds_of,
)
from layer7.contract.vocabulary import Category, Closed, EventType, Stage, StrategyMode

EVERYTHING = "all"
"""The period that holds all months."""

SPLITS = tuple(str(word).lower() for word in (*StrategyMode, *Category))
"""What applications are split by, as it stands in the names of columns: modes and categories."""

COUNTS = (
    "total_applications",
    "interview_requests",
    "offers",
    "rejections",
    "ghosted",
    "pending",
    "drafts",
    "answers",
    "rewrites_accepted",
    "rewrites_rejected",
    *(f"{what}_{split}" for split in SPLITS for what in ("applications", "interviews")),
)
"""Moments that are whole numbers; they add."""

SUMS = (*COUNTS, "unseen", "answer_days_sum", *(f"unseen_{split}" for split in SPLITS))
"""All moments that add; the others are minima, maxima and the scores at them."""

SCORE_STEPS = 1_000
SCORE_UNITS = 1_000_000
"""A score and its time are one number: seconds since 1970 x SCORE_UNITS + points x SCORE_STEPS."""

PERSON = ("person", "bucket")


def performance_moments(applications: ir.Table, events: ir.Table, night: Outlook) -> ir.Table:
    """Count every person's applications: one row for each month with any, and one for all of them.

    A month is that of submission in UTC (of a draft, that of its creation; of a resume event, its own).

    Args:
        applications: one row per application.
        events: the event log; only rewritten and newly scored resumes are read.
        night: what silence means.

    Returns:
        ``person``, ``bucket``, ``period`` (``2026-03`` or ``all``) and the moments: :data:`SUMS`,
        ``fastest_response_days``, ``first_score`` and ``last_score`` (each a score and its time, see
        :data:`SCORE_UNITS`) and ``first_month`` (counted from January 1970). The row ``all`` is the sum of
        the months: moments add.
    """
    months = _aggregate(_with_month(_facts(applications, events, night), night.as_of), (*PERSON, "month"))
    all_time = _roll_up(months)
    year, month = months.month // 12 + 1970, (months.month % 12 + 1).cast("string").lpad(2, "0")
    named = months.mutate(period=year.cast("string") + "-" + month, first_month=months.month).drop("month")
    return named.union(all_time.select(named.columns))


def range_moments(
    applications: ir.Table, events: ir.Table, night: Outlook, *, start: datetime, end: datetime
) -> ir.Table:
    """Count applications submitted in any stretch of time: one row per person.

    Args:
        applications: one row per application, of one person or of many.
        events: their events.
        night: what silence means.
        start: first moment, with its time zone.
        end: first moment after it.

    Returns:
        The columns of :func:`performance_moments`; ``period`` is ``START..END`` in ISO 8601.

    Raises:
        Layer7Error: ``naive_time``.
    """
    facts = _facts(applications, events, night)
    inside = facts.filter(facts.seconds >= seconds_of(start), facts.seconds < seconds_of(end))
    period = f"{start.isoformat()}..{end.isoformat()}"
    return _aggregate(inside, PERSON).mutate(period=ibis.literal(period), first_month=ibis.null("int64"))


def _facts(applications: ir.Table, events: ir.Table, night: Outlook) -> ir.Table:
    """Applications and resume events in the same columns, so that one aggregation reads both."""
    of_applications = _application_facts(outcomes(applications, night), night.ghosted_after)
    return of_applications.union(_resume_facts(events, of_applications.schema()))


def _application_facts(rows: ir.Table, ghosted_after: int | None) -> ir.Table:
    ghosted = rows.is_silent & (rows.closed == str(Closed.GHOSTED))
    if ghosted_after is not None:
        ghosted |= rows.is_silent & (rows.age >= ghosted_after)
    answered = rows.is_interviewed | rows.is_rejected
    return rows.select(
        *PERSON,
        "seconds",
        "is_submitted",
        "is_interviewed",
        "is_rejected",
        "is_silent",
        "unseen",
        is_draft=~rows.is_submitted,
        is_offer=rows.is_submitted & (rows.max_stage == str(Stage.OFFER)),
        is_ghosted=ghosted,
        mode=_place(rows, "strategy_mode", StrategyMode),
        category=_place(rows, "category", Category),
        answer_days=ibis.ifelse(answered, (rows.answer_days * GRAIN).round() / GRAIN, None),
        score_before=_at(rows.seconds, ibis.ifelse(rows.is_submitted, rows.resume_score, None)),
        score_after=_at(rows.seconds, ibis.ifelse(rows.is_submitted, rows.resume_score, None)),
        accepted=ibis.null("boolean"),
    )


def _place(rows: ir.Table, column: str, words: type[StrategyMode] | type[Category]) -> ir.IntegerValue:
    """The place of a submitted application's word, from 0 on: numbers compare faster than texts."""
    branches = ((rows.is_submitted & (rows[column] == str(word)), place) for place, word in enumerate(words))
    return ibis.cases(*branches, else_=None).cast("int8")


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


def _with_month(facts: ir.Table, as_of: datetime) -> ir.Table:
    """Add the month, counted from January 1970: joined by day, since calendar arithmetic is slower."""
    days = np.arange(seconds_of(as_of) // SECONDS_PER_DAY + 2)
    months = days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    calendar = ibis.memtable(pa.table({"day": pa.array(days), "month": pa.array(months)}))
    return facts.mutate(day=facts.seconds // SECONDS_PER_DAY).join(calendar, "day")


def _aggregate(facts: ir.Table, keys: tuple[str, ...]) -> ir.Table:
    moments = {
        "total_applications": count_if(facts.is_submitted),
        "interview_requests": count_if(facts.is_interviewed),
        "offers": count_if(facts.is_offer),
        "rejections": count_if(facts.is_rejected),
        "ghosted": count_if(facts.is_ghosted),
        "pending": count_if(facts.is_silent & ~facts.is_ghosted),
        "drafts": count_if(facts.is_draft),
        "answers": facts.answer_days.count(),
        "answer_days_sum": facts.answer_days.sum().fill_null(0.0),
        "unseen": facts.unseen.sum().fill_null(0.0),
        "rewrites_accepted": count_if(facts.accepted),
        "rewrites_rejected": count_if(~facts.accepted),
        "fastest_response_days": facts.answer_days.min(),
        "first_score": facts.score_before.min(),
        "last_score": facts.score_after.max(),
    }
    return facts.group_by(keys).aggregate(**moments, **_split_moments(facts))


def _split_moments(facts: ir.Table) -> dict[str, ir.Value]:
    found: dict[str, ir.Value] = {}
    for column, words in ((facts.mode, StrategyMode), (facts.category, Category)):
        for place, word in enumerate(words):
            here, split = column == place, str(word).lower()
            found[f"applications_{split}"] = count_if(here)
            found[f"interviews_{split}"] = count_if(here & facts.is_interviewed)
            found[f"unseen_{split}"] = ibis.ifelse(here, facts.unseen, 0.0).sum()
    return found


def _roll_up(months: ir.Table) -> ir.Table:
    """All months of a person together: moments add."""
    return months.group_by(PERSON).aggregate(
        **{name: months[name].sum() for name in SUMS},
        fastest_response_days=months.fastest_response_days.min(),
        first_score=months.first_score.min(),
        last_score=months.last_score.max(),
        first_month=months.month.min(),
        period=ibis.literal(EVERYTHING),
    )
