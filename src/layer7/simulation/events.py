"""A history as Layer 4 would have logged it: the events of the specification, and no truth beside them.

An event is a pointer: to what caused it, and to who did. What causes events says it in columns once, and
the log is those columns, taken in the order of the log.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from layer7.errors import Layer7Error
from layer7.simulation import levels
from layer7.simulation.choices import DAY
from layer7.simulation.columns import Ints, identifiers, iso_times, names
from layer7.simulation.run import Simulation
from layer7.simulation.schema import EVENT_SCHEMA
from layer7.simulation.sorting import in_order
from layer7.simulation.taking import even, taken
from layer7.simulation.truth import user_ids, utc_offsets
from layer7.simulation.wording import EXPOSED, OF_APPLICATIONS, Causes, Columns, Kind, job_of, kinds

Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class _Index:
    """Events as pointers into the truth."""

    place: Ints  # among all events, sort by sort
    kind: Ints
    row: Ints
    person: Ints
    local: Ints
    offset: Ints

    def take(self, places: Ints) -> "_Index":
        return _Index(*(getattr(self, field.name).take(places) for field in fields(self)))


@dataclass(frozen=True, slots=True)
class _Said:
    """Columns that the same sorts of events have.

    Args:
        columns: one row per event of these sorts, or per row of the truth.
        has: per sort, whether its events have these columns.
        shift: per sort, from the place of an event to its row here; None if rows are those of the truth.
    """

    columns: Columns
    has: Bools
    shift: Ints | None

    def of(self, index: _Index) -> Columns:
        """Give the columns for these events, null where an event is of another sort."""
        rows = index.row if self.shift is None else index.place + self.shift.take(index.kind)
        at = pa.array(rows, mask=~self.has.take(index.kind))
        return taken(self.columns, at)


def events(simulation: Simulation, *, rows: int = 65_536) -> Iterator[pa.RecordBatch]:
    """Give the log of a history, in the order in which it was logged.

    Args:
        simulation: the history.
        rows: rows in a batch, at least 1; memory grows with it.

    Yields:
        Batches of `EVENT_SCHEMA`, all with the same dictionaries. An answer stands at the time when the
        person logged it, which is later than it came: ``days_to_response`` counts from sending to the answer
        itself. What was logged after the last week is missing, as it would be. Fields an event does not have
        are null.

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
    sorts = kinds(simulation)
    index = _index(simulation, sorts)
    said = _said(simulation, sorts, index)
    users = user_ids(np.arange(simulation.people.num_rows))
    order = in_order(index.local - index.offset)
    for begin in range(0, len(order), rows):
        yield _write(simulation, index.take(order[begin : begin + rows]), said=said, users=users)


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


def _index(simulation: Simulation, sorts: Sequence[Kind]) -> _Index:
    """All events, sort by sort."""
    horizon = int(np.datetime64(simulation.start, "s").astype(np.int64)) + 7 * DAY * simulation.weeks
    pieces = []
    for number, kind in enumerate(sorts):
        local = kind.at.cast(pa.int64()).fill_null(pa.scalar(horizon, pa.int64())).to_numpy()
        row = np.flatnonzero(local < horizon)
        person = kind.table["person"].to_numpy()[row]
        few = (np.full(len(row), number, np.int8), row.astype(np.int32), person.astype(np.int32))
        pieces.append((*few, local[row]))
    which, row, who, local = (np.concatenate(column) for column in zip(*pieces, strict=True))
    region = pc.index_in(simulation.people["region"].cast(pa.string()), pa.array(levels.REGIONS)).to_numpy()
    where = region.astype(np.int64).take(who)
    offset = utc_offsets(simulation.start, simulation.weeks, region=where, local=local)
    return _Index(np.arange(len(which), dtype=np.int32), which, row, who, local, offset.astype(np.int32))


def _said(simulation: Simulation, sorts: Sequence[Kind], index: _Index) -> tuple[_Said, ...]:
    """What the events say, and which sorts of events say it."""
    counts = np.bincount(index.kind, minlength=len(sorts))
    starts = np.cumsum(counts) - counts
    written = [
        kind.write(Causes(kind.table, index.row[start : start + count]))
        for kind, start, count in zip(sorts, starts, counts, strict=True)
    ]
    alike: dict[tuple[int, ...], list[str]] = {}
    for name in EVENT_SCHEMA.names:
        who = tuple(number for number, columns in enumerate(written) if name in columns)
        alike.setdefault(who, []).append(name)
    alike.pop((), None)
    said = [_stacked(written, who, columns, places=(starts, counts)) for who, columns in alike.items()]
    of_applications, named = np.zeros((2, len(sorts)), dtype=np.bool_)
    of_applications[OF_APPLICATIONS] = named[[*OF_APPLICATIONS, EXPOSED]] = True
    sent = simulation.applications
    identity = {"application_id": even(sent["application_id"].combine_chunks())}
    return *said, _Said(job_of(sent), of_applications, None), _Said(identity, named, None)


def _stacked(
    written: Sequence[Columns], who: Sequence[int], columns: Sequence[str], *, places: tuple[Ints, Ints]
) -> _Said:
    """Put what these sorts of events say one below the other."""
    starts, counts = places
    has = np.zeros(len(written), dtype=np.bool_)
    has[list(who)] = True
    shift = np.where(has, np.cumsum(counts * has) - counts - starts, 0).astype(np.int32)
    return _Said(
        {name: pa.concat_arrays([written[number][name] for number in who]) for name in columns}, has, shift
    )


def _write(
    simulation: Simulation, index: _Index, *, said: Sequence[_Said], users: pa.StringArray
) -> pa.RecordBatch:
    """Write the events of one batch."""
    columns: Columns = {
        "event_id": identifiers(simulation.identity, index.kind, index.row),
        "user_id": names(index.person, users),
        "timestamp": iso_times(index.local, index.offset),
    }
    for part in said:
        columns |= part.of(index)
    return pa.RecordBatch.from_arrays([columns[name] for name in EVENT_SCHEMA.names], schema=EVENT_SCHEMA)
