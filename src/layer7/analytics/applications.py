"""Applications, folded from events: one row each, whatever the order in which its events came.

An event alone is already the state of an application, if a poor one; states merge. Merging uses only min, max
and the best row by a total order, so it is idempotent, commutative and associative: duplicates, late arrivals
and any splitting into nights give the same table.
"""

from collections.abc import Mapping
from types import MappingProxyType

import ibis
from ibis.expr import types as ir

from layer7.analytics.outcomes import epoch_seconds
from layer7.contract.vocabulary import Closed, EventType, OutcomeStatus, Stage

KEY = ("person", "application_id")
"""What an application is known by."""

CONTEXT = (
    "job_id",
    "resume_version_id",
    "strategy_mode",
    "category",
    "fit_score",
    "resume_score",
    "tailoring_applied",
    "title",
    "company",
    "seniority",
    "location",
    "industry",
    "company_type",
    "company_size",
    "skills",
    "salary",
    "posted_at",
    "channel",
    "applicants",
    "technical_match",
    "seniority_match",
    "experience_match",
    "signal",
    "local_hour",
    "local_weekday",
)
"""What was known at submission; taken together from the one event that knows it best."""

EARLIEST = (
    "created_at",
    "sent_at",
    "interview_at",
    "offer_at",
    "rejected_at",
    "interview_days_said",
    "rejection_days_said",
)
"""Parts of a state that merge by their minimum."""

LATEST = ("ghosted_at", "last_outcome")
"""Parts of a state that merge by their maximum."""

_ORDER = ("context_rank", "context_time", "context_event")
STATE = (*KEY, "bucket", *_ORDER, *EARLIEST, *LATEST, *CONTEXT)
"""All columns of a state."""

_TYPES = (EventType.APPLICATION_SUBMITTED, EventType.APPLICATION_CREATED, EventType.STATUS_CHANGED)
_RANK: Mapping[OutcomeStatus, int] = MappingProxyType(
    {
        OutcomeStatus.GHOSTED: 1,
        OutcomeStatus.INTERVIEW: 2,
        OutcomeStatus.OFFER: 3,
        OutcomeStatus.REJECTED: 4,
    }
)
_SECONDS_PER_DAY = 86_400


def as_states(events: ir.Table) -> ir.Table:
    """Give each event of an application as a state of its own.

    Args:
        events: the event log, or any part of it.

    Returns:
        One row per application event, with the columns of :data:`STATE`.
    """
    rows = events.filter(events.event_type.isin([str(kind) for kind in _TYPES]))
    kind, status, time = rows.event_type, rows.status, rows.event_time
    bare = rows.fit_score.isnull() & rows.resume_score.isnull() & rows.title.isnull()
    rank = sum(
        (ibis.ifelse(kind == str(name), place, 0) for place, name in enumerate(_TYPES)), ibis.literal(0)
    )
    heard = status.isin([OutcomeStatus.INTERVIEW, OutcomeStatus.OFFER])
    order = ibis.cases(*((status == str(name), place) for name, place in _RANK.items()), else_=None)
    return rows.select(
        *KEY,
        "bucket",
        context_rank=(rank + ibis.ifelse(bare, len(_TYPES), 0)).cast("int8"),
        context_time=time,
        context_event=rows.event_id,
        created_at=ibis.ifelse(kind == str(EventType.APPLICATION_CREATED), time, None),
        sent_at=ibis.ifelse(kind == str(EventType.APPLICATION_SUBMITTED), time, None),
        interview_at=ibis.ifelse(heard, time, None),
        offer_at=ibis.ifelse(status == OutcomeStatus.OFFER, time, None),
        rejected_at=ibis.ifelse(status == OutcomeStatus.REJECTED, time, None),
        interview_days_said=ibis.ifelse(heard, rows.days_to_response, None),
        rejection_days_said=ibis.ifelse(status == OutcomeStatus.REJECTED, rows.days_to_response, None),
        ghosted_at=ibis.ifelse(status == OutcomeStatus.GHOSTED, time, None),
        last_outcome=epoch_seconds(time) * 8 + order.cast("int64"),
        **{name: rows[name] for name in CONTEXT},
    )


def merge(states: ir.Table) -> ir.Table:
    """Merge states of the same applications into one each.

    Args:
        states: rows with the columns of :data:`STATE`, any number per application, in any order.

    Returns:
        One row per application with the same columns.
    """
    # The least struct of a hash aggregation: a window would sort all rows with all that they know.
    best = ("bucket", *_ORDER, *CONTEXT)
    known = ibis.struct({name: states[name] for name in best})
    merged = states.group_by(KEY).aggregate(
        **{name: states[name].min() for name in EARLIEST},
        **{name: states[name].max() for name in LATEST},
        best=known.argmin(ibis.struct({name: states[name] for name in _ORDER})),
    )
    return merged.mutate(**{name: merged.best[name] for name in best}).select(*STATE)


def _days(start: ir.TimestampColumn, end: ir.TimestampColumn) -> ir.FloatingColumn:
    seconds = epoch_seconds(end) - epoch_seconds(start)
    return ibis.cases((seconds < 0, 0.0), (seconds >= 0, seconds / _SECONDS_PER_DAY), else_=None)


def describe(states: ir.Table) -> ir.Table:
    """Say of each state how far the application got, how it closed, and how long answers took.

    Args:
        states: one row per application with the columns of :data:`STATE`.

    Returns:
        The same rows with ``submitted_at`` (NULL for a draft), ``max_stage`` (never falls back; an offer
        counts as an interview), ``closed`` (by the latest outcome; an answer undoes ``ghosted``), and the
        days from submission to interview, rejection and first answer: as reported, else from the times, never
        negative.
    """
    answered_at = ibis.least(*(states[name] for name in ("interview_at", "rejected_at")))
    heard_at = ibis.coalesce(answered_at, states.ghosted_at)
    known = states.mutate(
        submitted_at=ibis.coalesce(
            states.sent_at, ibis.ifelse(heard_at.notnull(), ibis.coalesce(states.created_at, heard_at), None)
        )
    )
    interview_days = ibis.coalesce(known.interview_days_said, _days(known.submitted_at, known.interview_at))
    rejection_days = ibis.coalesce(known.rejection_days_said, _days(known.submitted_at, known.rejected_at))
    last = known.last_outcome % 8
    return known.mutate(
        interview_days=interview_days,
        rejection_days=rejection_days,
        answer_days=ibis.least(interview_days, rejection_days),
        max_stage=ibis.cases(
            (known.offer_at.notnull(), str(Stage.OFFER)),
            (known.interview_at.notnull(), str(Stage.INTERVIEW)),
            (known.submitted_at.notnull(), str(Stage.SUBMITTED)),
            else_=str(Stage.DRAFT),
        ),
        closed=ibis.cases(
            (last == _RANK[OutcomeStatus.REJECTED], str(Closed.REJECTED)),
            (last == _RANK[OutcomeStatus.GHOSTED], str(Closed.GHOSTED)),
            else_=str(Closed.OPEN),
        ),
    )
