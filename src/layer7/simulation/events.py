"""A history as Layer 4 would have logged it: the events of the specification, and no truth beside them."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from layer7.errors import Layer7Error
from layer7.simulation import levels
from layer7.simulation.choices import DAY
from layer7.simulation.columns import Column, Times, identifiers, iso_times, numbered, pointers
from layer7.simulation.run import Simulation
from layer7.simulation.schema import (
    CONTEXT_TYPE,
    EVENT_SCHEMA,
    JOB_TYPE,
    METRICS_TYPE,
    OUTCOME_TYPE,
    PROFILE_TYPE,
    TEXTS,
)
from layer7.simulation.truth import utc_offsets

Ints = NDArray[np.int64]
Columns = dict[str, Column]

_REASONS = {
    "IMPROVE_RESUME_FIRST": "Resume score is below the threshold",
    "APPLY_MODE": "Resume score is high enough to apply",
    "RETHINK_TARGETS": "Many applications and few interviews",
}
_CONTENTS = {
    "rewrite": "Say what the work achieved, with a number",
    "job": "A new posting that fits the profile",
    "strategy": "Apply to fewer jobs that fit better",
    "plan": "Five applications this week",
}
_EDITS = {kind: f"{content}, in my own words" for kind, content in _CONTENTS.items()}
_DECIDED = {decision: f"SUGGESTION_{decision}" for decision in levels.DECISIONS}
_DISLIKED = {dislike: f"I do not want {dislike}" for dislike in levels.DISLIKES}
_STATUSES = {
    "rejected": "rejected",
    "interviewed_then_rejected": "rejected",
    "declined": "offer",
    "accepted": "offer",
}
_ANSWERS = {
    "rejected": "rejected_unseen",
    "interviewed_then_rejected": "rejected_after_interview",
    "declined": "offer",
    "accepted": "offer",
}


_SAID = {field.name for kind in (CONTEXT_TYPE, JOB_TYPE) for field in kind} | {
    "person",
    "user_id",
    "application_id",
    "job_id",
    "resume_version_id",
    "end",
    "interview_days",
    "onsite_days",
    "decision_days",
    "ghosted_days",
}
"""What events say of an application; no other column of the truth is even fetched."""


@dataclass(frozen=True, slots=True)
class _Kind:
    """One sort of event: the rows of the truth that cause it, when it is logged, and what it says."""

    table: pa.Table
    at: Times  # on the person's own clock; null if it never happens
    write: Callable[[pa.Table], Columns]


@dataclass(frozen=True, slots=True)
class _Index:
    """All events in order of time, as pointers into the truth."""

    kind: Ints
    row: Ints
    local: Ints
    offset: Ints


def events(simulation: Simulation, *, rows: int = 65_536) -> Iterator[pa.RecordBatch]:
    """Give the log of a history, in the order in which it was logged.

    Args:
        simulation: the history.
        rows: rows in a batch, at least 1; memory grows with it.

    Yields:
        Batches of `EVENT_SCHEMA`. An answer stands at the time when the person logged it, which is later
        than it came: ``days_to_response`` counts from sending to the answer itself. What was logged after
        the last week is missing, as it would be. Fields an event does not have are null.

    Raises:
        Layer7Error: ``batch_size`` if `rows` is less than 1.

    Trust:
        The time of an event is on the person's own clock and carries its offset from UTC.

    Example:
        >>> from datetime import date
        >>> from layer7.simulation.market import Market
        >>> from layer7.simulation.run import simulate
        >>> history = simulate(
        ...     Market(), people=5, weeks=1, start=date(2026, 3, 2), rng=np.random.default_rng(7)
        ... )
        >>> next(events(history))["event_type"][0].as_py()
        'PROFILE_UPDATED'
    """
    if rows < 1:
        raise Layer7Error("batch_size", f"Batches of {rows} rows; a batch has at least 1.")
    kinds = _kinds(simulation)
    index = _order(simulation, kinds)
    for begin in range(0, len(index.kind), rows):
        part = slice(begin, begin + rows)
        here = _Index(index.kind[part], index.row[part], index.local[part], index.offset[part])
        yield _write(simulation, kinds, here)


def to_events(simulation: Simulation) -> pa.Table:
    """Give the whole log of a history as one table.

    Args:
        simulation: the history.

    Returns:
        A table of `EVENT_SCHEMA`; see `events`.

    Example:
        >>> from datetime import date
        >>> from layer7.simulation.market import Market
        >>> from layer7.simulation.run import simulate
        >>> history = simulate(
        ...     Market(), people=5, weeks=1, start=date(2026, 3, 2), rng=np.random.default_rng(7)
        ... )
        >>> to_events(history).schema.equals(EVENT_SCHEMA)
        True
    """
    return pa.Table.from_batches(list(events(simulation)), schema=EVENT_SCHEMA)


def _kinds(simulation: Simulation) -> tuple[_Kind, ...]:
    """All sorts of events; the place of a sort is part of the identity of its events."""
    sent, people = simulation.applications, simulation.people
    said = sent.select([name for name in sent.column_names if name in _SAID])
    modes, rewrites, suggestions = simulation.modes, simulation.rewrites, simulation.suggestions
    return (
        _Kind(people, people["joined_local"], _profile_updated),
        _Kind(modes, modes["at_local"], _mode_changed),
        _Kind(rewrites, rewrites["at_local"], _resume_rewritten),
        _Kind(rewrites, _only(rewrites["at_local"], rewrites["accepted"]), _score_changed),
        _Kind(suggestions, suggestions["at_local"], _suggested),
        _Kind(said, sent["created_local"], _created),
        _Kind(said, _only(sent["submitted_local"], sent["submitted"]), _submitted),
        _Kind(said, sent["interview_logged_local"], _interviewed),
        _Kind(said, sent["onsite_logged_local"], _invited_on),
        _Kind(said, sent["decision_logged_local"], _decided),
        _Kind(said, sent["ghosted_logged_local"], _ghosted),
        _Kind(simulation.decisions, simulation.decisions["at_local"], _policy_decided),
        _Kind(said, _exposures(simulation), _exposed),
        _Kind(people, _only(people["joined_local"], _contributes(simulation)), _agreed),
    )


def _contributes(simulation: Simulation) -> Times:
    """Who agrees to contribute: spread evenly by the golden ratio, so that no dice are needed."""
    number = simulation.people["person"].to_numpy()
    agrees = (number * (np.sqrt(5) - 1) / 2) % 1 < simulation.market.contributing_share
    return pa.chunked_array([pa.array(agrees)])


def _exposures(simulation: Simulation) -> Times:
    """When a coin decided about tailoring: as an application is begun."""
    times = simulation.applications["created_local"]
    if simulation.market.tailored_at_random:
        return times
    return pa.chunked_array([pa.nulls(len(times), times.type)])


def _only(times: Times, happened: Times) -> Times:
    did = happened.to_numpy() & times.is_valid().to_numpy()
    seconds = times.cast(pa.int64()).fill_null(pa.scalar(0, pa.int64())).to_numpy()
    return pa.chunked_array([pa.array(seconds, mask=~did).cast(pa.timestamp("s"))])


def _order(simulation: Simulation, kinds: tuple[_Kind, ...]) -> _Index:
    horizon = int(np.datetime64(simulation.start, "s").astype(np.int64)) + 7 * DAY * simulation.weeks
    region = pc.index_in(simulation.people["region"].cast(pa.string()), pa.array(levels.REGIONS)).to_numpy()
    pieces = []
    for number, kind in enumerate(kinds):
        local = kind.at.cast(pa.int64()).fill_null(pa.scalar(horizon, pa.int64())).to_numpy()
        row = np.flatnonzero(local < horizon)
        person = kind.table["person"].to_numpy()[row]
        pieces.append((np.full(len(row), number), row, local[row], region[person].astype(np.int64)))
    which, row, local, where = (np.concatenate(column) for column in zip(*pieces, strict=True))
    offset = utc_offsets(simulation.start, simulation.weeks, region=where, local=local)
    order = np.argsort(local - offset, kind="stable")
    return _Index(which[order], row[order], local[order], offset[order])


def _write(simulation: Simulation, kinds: tuple[_Kind, ...], index: _Index) -> pa.RecordBatch:
    """Write the events of one batch, sort by sort, and put them back into order."""
    pieces, places = [], []
    for number in np.unique(index.kind):
        place = np.flatnonzero(index.kind == number)
        truth = kinds[number].table.take(pointers(index.row[place])).combine_chunks()
        pieces.append(_fill(kinds[number].write(truth), len(place)))
        places.append(place)
    order = np.argsort(np.concatenate(places))
    batch = pa.Table.from_batches(pieces).take(pointers(order)).combine_chunks().to_batches()[0]
    stamps = {
        "event_id": identifiers(simulation.identity, index.kind, index.row),
        "timestamp": iso_times(index.local, index.offset),
    }
    columns = [stamps.get(name, batch[name]) for name in EVENT_SCHEMA.names]
    return pa.RecordBatch.from_arrays(columns, schema=EVENT_SCHEMA)


_UNSTAMPED = pa.schema([field.with_nullable(nullable=True) for field in EVENT_SCHEMA])


def _fill(columns: Columns, size: int) -> pa.RecordBatch:
    filled = [columns[f.name] if f.name in columns else pa.nulls(size, f.type) for f in _UNSTAMPED]
    return pa.RecordBatch.from_arrays(filled, schema=_UNSTAMPED)


def _column(truth: pa.Table, name: str) -> Column:
    """A column as one array, its names spelled out."""
    array = truth[name].combine_chunks()
    return array.dictionary_decode() if isinstance(array, pa.DictionaryArray) else array


def _struct(truth: pa.Table, kind: pa.StructType, others: Columns) -> pa.StructArray:
    """A struct whose fields are the truth's columns of the same name, or those given."""
    fields = list(kind)
    arrays = [others[f.name] if f.name in others else _column(truth, f.name).cast(f.type) for f in fields]
    return pa.StructArray.from_arrays(arrays, fields=fields)


def _same(value: str, size: int) -> Column:
    return pa.array([value], type=pa.string()).take(pointers(np.zeros(size, dtype=np.int64)))


def _worded(values: Column, words: Mapping[str, str]) -> Column:
    """What stands for each value; null stays null."""
    return pa.array(list(words.values())).take(pc.index_in(values, pa.array(list(words))))


def _lists(values: Column) -> Column:
    """A list of one element per value."""
    return pa.ListArray.from_arrays(pa.array(np.arange(len(values) + 1), type=pa.int32()), values)


def _person(truth: pa.Table, event_type: str) -> Columns:
    return {"event_type": _same(event_type, truth.num_rows), "user_id": _column(truth, "user_id")}


def _application(truth: pa.Table, event_type: str) -> Columns:
    job = _struct(truth, JOB_TYPE, {})
    return _person(truth, event_type) | {
        "application_id": _column(truth, "application_id"),
        "job_id": _column(truth, "job_id"),
        "resume_version_id": _column(truth, "resume_version_id"),
        "context": _struct(truth, CONTEXT_TYPE, {"job_characteristics": job}),
    }


def _created(truth: pa.Table) -> Columns:
    return _application(truth, "APPLICATION_CREATED")


def _submitted(truth: pa.Table) -> Columns:
    return _application(truth, "APPLICATION_SUBMITTED")


def _status(truth: pa.Table, status: Column, days: str, kind: Column) -> Columns:
    outcome = {"status": status, "days_to_response": pc.round(_column(truth, days), 4), "response_type": kind}
    return _application(truth, "STATUS_CHANGED") | {"outcome": _struct(truth, OUTCOME_TYPE, outcome)}


def _interviewed(truth: pa.Table) -> Columns:
    size = truth.num_rows
    return _status(truth, _same("interview", size), "interview_days", _same("phone_screen", size))


def _invited_on(truth: pa.Table) -> Columns:
    size = truth.num_rows
    return _status(truth, _same("interview", size), "onsite_days", _same("onsite", size))


def _decided(truth: pa.Table) -> Columns:
    end = _column(truth, "end")
    return _status(truth, _worded(end, _STATUSES), "decision_days", _worded(end, _ANSWERS))


def _ghosted(truth: pa.Table) -> Columns:
    size = truth.num_rows
    return _status(truth, _same("ghosted", size), "ghosted_days", pa.nulls(size, pa.string()))


def _mode_changed(truth: pa.Table) -> Columns:
    mode = _column(truth, "to_mode")
    return _person(truth, "MODE_CHANGED") | {
        "from_mode": _column(truth, "from_mode"),
        "to_mode": mode,
        "reason": _worded(mode, _REASONS),
        "metrics": _struct(truth, METRICS_TYPE, {}),
    }


def _policy_decided(truth: pa.Table) -> Columns:
    return _person(truth, "POLICY_DECISION") | {
        "decision": _column(truth, "mode"),
        "propensity": _column(truth, "propensity"),
        "explored": _column(truth, "explored"),
        "metrics": _struct(truth, METRICS_TYPE, {}),
    }


def _exposed(truth: pa.Table) -> Columns:
    variant = pc.if_else(_column(truth, "tailoring_applied"), "tailored", "plain")
    return _person(truth, "EXPERIMENT_EXPOSED") | {
        "application_id": _column(truth, "application_id"),
        "experiment_id": _same("tailoring", truth.num_rows),
        "variant_id": variant,
    }


def _agreed(truth: pa.Table) -> Columns:
    return _person(truth, "CONSENT_CHANGED") | {
        "purpose": _same("contribute_to_market_insights", truth.num_rows),
        "value": pa.array(np.ones(truth.num_rows, dtype=np.bool_)),
    }


def _resume(truth: pa.Table, event_type: str) -> Columns:
    before, after = _column(truth, "before"), _column(truth, "after")
    return _person(truth, event_type) | {
        "resume_version_id": numbered(
            "resume", (truth["person"].to_numpy(), 6), (truth["version"].to_numpy(), 3)
        ),
        "before_score": before,
        "after_score": after,
        "score_delta": pc.round(pc.subtract(after, before), 1),
        "user_accepted": _column(truth, "accepted"),
    }


def _resume_rewritten(truth: pa.Table) -> Columns:
    return _resume(truth, "RESUME_REWRITTEN") | {
        "rewrite_type": _column(truth, "rewrite_type"),
        "gaps_addressed": _lists(_column(truth, "gap")),
    }


def _score_changed(truth: pa.Table) -> Columns:
    return _resume(truth, "SCORE_CHANGED")


def _suggested(truth: pa.Table) -> Columns:
    decision, kind = _column(truth, "decision"), _column(truth, "kind")
    rejected = pc.equal(decision, pa.scalar("REJECTED"))
    kept = pc.if_else(rejected, pa.scalar(None, pa.string()), _worded(kind, _CONTENTS))
    return _person(truth, "") | {
        "event_type": _worded(decision, _DECIDED),
        "suggestion_type": kind,
        "suggested_content": _worded(kind, _CONTENTS),
        "final_content": pc.if_else(pc.equal(decision, pa.scalar("EDITED")), _worded(kind, _EDITS), kept),
        "rejection_reason": _worded(_column(truth, "dislike"), _DISLIKED),
    }


def _profile_updated(truth: pa.Table) -> Columns:
    profile = {
        "target_roles": _lists(_column(truth, "role")),
        "industries": pa.nulls(truth.num_rows, TEXTS),
        "locations": _lists(_column(truth, "region")),
    }
    return _person(truth, "PROFILE_UPDATED") | {"profile": _struct(truth, PROFILE_TYPE, profile)}
