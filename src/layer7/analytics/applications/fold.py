"""Applications, folded from events: one row each, whatever the order in which its events came.

An event alone is already the state of an application, if a poor one; states merge. Merging uses only min, max
and the best row by a total order, so it is idempotent, commutative and associative: duplicates, late arrivals
and any splitting into nights give the same table.
"""

from collections.abc import Mapping
from types import MappingProxyType

import ibis
from ibis.expr import types as ir

from layer7.analytics.applications.outcomes import epoch_seconds
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
    "resume_score_components",
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
    "interview_first",
    "offer_first",
    "rejected_first",
    "interview_days_said",
    "rejection_days_said",
)
"""Parts of a state that merge by their minimum."""

LATEST = (
    "interview_latest",
    "offer_latest",
    "rejected_latest",
    "ghosted_latest",
    "outcome_latest",
    "corrected_at",
    "corrected",
)
"""Parts of a state that merge by their maximum."""

_DAYS_UNKNOWN = 4095
"""A correction is one number, so that the latest one wins: (seconds x 8 + outcome) x 4096 + days."""

_ORDER = ("context_rank", "context_time", "context_event")
STATE = (*KEY, "bucket", *_ORDER, *EARLIEST, *LATEST, *CONTEXT)
"""All columns of a state."""

_TYPES = (EventType.APPLICATION_SUBMITTED, EventType.APPLICATION_CREATED, EventType.STATUS_CHANGED)
_CORRECTION = str(EventType.OUTCOME_CORRECTED)
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
    rows = events.filter(events.event_type.isin([*(str(kind) for kind in _TYPES), _CORRECTION]))
    kind, time = rows.event_type, rows.event_time
    correction = kind == _CORRECTION
    status = ibis.ifelse(correction, None, rows.status)
    bare = rows.fit_score.isnull() & rows.resume_score.isnull() & rows.title.isnull()
    rank = sum(
        (ibis.ifelse(kind == str(name), place, 0) for place, name in enumerate(_TYPES)), ibis.literal(0)
    )
    heard = status.isin([OutcomeStatus.INTERVIEW, OutcomeStatus.OFFER])
    order = _place(status)
    # What corrects an outcome knows nothing of the job.
    last = ibis.ifelse(correction, 2 * len(_TYPES), 0)
    return rows.select(
        *KEY,
        "bucket",
        context_rank=(rank + ibis.ifelse(bare, len(_TYPES), 0) + last).cast("int8"),
        context_time=time,
        context_event=rows.event_id,
        created_at=ibis.ifelse(kind == str(EventType.APPLICATION_CREATED), time, None),
        sent_at=ibis.ifelse(kind == str(EventType.APPLICATION_SUBMITTED), time, None),
        **_heard(status, time),
        interview_days_said=ibis.ifelse(heard, rows.days_to_response, None),
        rejection_days_said=ibis.ifelse(status == OutcomeStatus.REJECTED, rows.days_to_response, None),
        outcome_latest=epoch_seconds(time) * 8 + order.cast("int64"),
        corrected_at=ibis.ifelse(correction, time, None),
        corrected=ibis.ifelse(correction, _packed(rows), None),
        **{name: rows[name] for name in CONTEXT},
    )


def _place(status: ir.StringValue) -> ir.IntegerValue:
    return ibis.cases(*((status == str(name), place) for name, place in _RANK.items()), else_=None)


def _heard(status: ir.StringValue, time: ir.TimestampValue) -> dict[str, ir.Value]:
    """When each outcome was heard: the first and the latest time are the same in one event."""
    heard = {
        "interview": status.isin([OutcomeStatus.INTERVIEW, OutcomeStatus.OFFER]),
        "offer": status == OutcomeStatus.OFFER,
        "rejected": status == OutcomeStatus.REJECTED,
    }
    times = {name: ibis.ifelse(here, time, None) for name, here in heard.items()}
    return {
        **{f"{name}_first": moment for name, moment in times.items()},
        **{f"{name}_latest": moment for name, moment in times.items()},
        "ghosted_latest": ibis.ifelse(status == OutcomeStatus.GHOSTED, time, None),
    }


def _packed(rows: ir.Table) -> ir.IntegerValue:
    """A correction as one number; without an outcome nothing was heard."""
    outcome = _place(rows.status).fill_null(0).cast("int64")
    days = ibis.least(rows.days_to_response.round(), float(_DAYS_UNKNOWN)).cast("int64")
    moment = epoch_seconds(rows.event_time) * 8 + outcome
    return moment * (_DAYS_UNKNOWN + 1) + days.fill_null(_DAYS_UNKNOWN)


def _as_corrected(states: ir.Table) -> ir.Table:
    """Say what was heard: as the latest correction has it, and what was heard after that."""
    at, said = states.corrected_at, states.corrected // (_DAYS_UNKNOWN + 1)
    outcome, days = said % 8, (states.corrected % (_DAYS_UNKNOWN + 1)).nullif(_DAYS_UNKNOWN)

    def heard(name: str, *outcomes: OutcomeStatus) -> ir.TimestampValue:
        first, latest = states[f"{name}_first"], states[f"{name}_latest"]
        right = outcome.isin([_RANK[each] for each in outcomes])
        return ibis.cases(
            (at.isnull(), first), (right, ibis.coalesce(first, at)), (latest > at, latest), else_=None
        )

    def reported(name: str, *outcomes: OutcomeStatus) -> ir.FloatingValue:
        right = outcome.isin([_RANK[each] for each in outcomes])
        told = states[f"{name}_days_said"]
        corrected = ibis.coalesce(days.cast("float64"), told)
        return ibis.cases((at.isnull(), told), (right, corrected), else_=None)

    interview, ghosted = (OutcomeStatus.INTERVIEW, OutcomeStatus.OFFER), states.ghosted_latest
    return states.mutate(
        interview_at=heard("interview", *interview),
        offer_at=heard("offer", OutcomeStatus.OFFER),
        rejected_at=heard("rejected", OutcomeStatus.REJECTED),
        ghosted_at=ibis.cases(
            (at.isnull(), ghosted),
            (outcome == _RANK[OutcomeStatus.GHOSTED], ibis.greatest(ibis.coalesce(ghosted, at), at)),
            (ghosted > at, ghosted),
            else_=None,
        ),
        last_outcome=ibis.cases(
            (at.isnull() | (states.outcome_latest // 8 > said // 8), states.outcome_latest),
            (outcome > 0, said),
            else_=None,
        ),
        interview_reported=reported("interview", *interview),
        rejection_reported=reported("rejection", OutcomeStatus.REJECTED),
        heard_first=ibis.coalesce(
            ibis.least(states.interview_first, states.rejected_first),
            ghosted,
            ibis.ifelse(outcome > 0, at, None),
        ),
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
        The same rows with ``interview_at``, ``offer_at``, ``rejected_at``, ``ghosted_at`` and
        ``last_outcome`` as the latest correction has them, and what was heard after it; ``submitted_at``
        (NULL for a draft), ``max_stage`` (never falls back but by a correction; an offer counts as an
        interview), ``closed`` (by the latest outcome; an answer undoes ``ghosted``), and the days from
        submission to interview, rejection and first answer: as reported, else from the times, never negative.
    """
    heard = _as_corrected(states)
    first = heard.heard_first
    known = heard.mutate(
        submitted_at=ibis.coalesce(
            heard.sent_at, ibis.ifelse(first.notnull(), ibis.coalesce(heard.created_at, first), None)
        )
    )
    interview_days = ibis.coalesce(known.interview_reported, _days(known.submitted_at, known.interview_at))
    rejection_days = ibis.coalesce(known.rejection_reported, _days(known.submitted_at, known.rejected_at))
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
    ).drop("interview_reported", "rejection_reported", "heard_first")
