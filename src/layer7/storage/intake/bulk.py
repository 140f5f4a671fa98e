"""Bulk files, batch by batch: lines or Parquet rows in, typed rows and what became of the rest out."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from layer7.contract.columns import EVENT_COLUMNS, flatten
from layer7.contract.events import Event
from layer7.contract.reading import AHEAD, MAX_BYTES, Problem, Reading, read_event
from layer7.contract.shapes import parse_instant
from layer7.contract.vocabulary import EventType
from layer7.storage.intake.columnwise import families, quoted
from layer7.storage.intake.queries import TEXT_OBJECTS, Kinds, json_query, row_as_json
from layer7.storage.intake.typed_rows import TypedRows

_ARROW: dict[str, pa.DataType] = {
    "instant": pa.timestamp("us", tz="UTC"),
    "number": pa.float64(),
    "flag": pa.bool_(),
    "words": pa.list_(pa.string()),
    "scores": pa.map_(pa.string(), pa.float64()),
}


def _arrow(kind: str) -> pa.DataType:
    return _ARROW.get(kind, pa.string())


_WORDS = pa.dictionary(pa.int32(), pa.string())
_FIELDS: dict[str, pa.DataType] = {
    "position": pa.int64(),
    "event_type": pa.string(),
    "event_id": pa.string(),
    "user_id": pa.string(),
    "event_time": pa.timestamp("us", tz="UTC"),
    "local_hour": pa.int8(),
    "local_weekday": pa.int8(),
}

TYPED = pa.schema(_FIELDS | {name: _arrow(column.shape.kind) for name, column in EVENT_COLUMNS.items()})
"""A valid event as a row, still with the caller's own user id and the person's own words."""

# The engine reads commas before a closing bracket, the contract does not; better to look twice at a text.
_LOOSE = r",\s*[\]}]"
_KIND = (
    f"CASE WHEN strlen(line) <= {MAX_BYTES} AND json_valid(line) AND NOT regexp_matches(line, '{_LOOSE}') "
    "THEN CAST(json_extract(line, '$.event_type') AS VARCHAR) END"
)


@dataclass(frozen=True, slots=True)
class Refused:
    """A line that could not be taken.

    Args:
        position: 1-based number of the line or row in its source.
        problems: why.
        raw: the line as it came.
    """

    position: int
    problems: tuple[Problem, ...]
    raw: str


@dataclass(slots=True)
class Tally:
    """What became of the rows of a batch besides those that were taken."""

    refused: list[Refused] = field(default_factory=list)
    ignored: Counter[str] = field(default_factory=Counter)
    unknown: Counter[str] = field(default_factory=Counter)
    erased: int = 0


def typed_row(event: Event, position: int) -> dict[str, Any]:
    """Give a valid event as a row of :data:`TYPED`."""
    moment = parse_instant(event.timestamp)
    return {
        "position": position,
        "event_type": str(event.kind),
        "event_id": event.event_id,
        "user_id": event.user_id,
        "event_time": moment.utc,
        "local_hour": moment.local_hour,
        "local_weekday": moment.local_weekday,
        **flatten(event),
    }


_KNOWN = ", ".join(quoted(f'"{event_type}"') for event_type in EventType)
_UNREAD = f"SELECT position FROM raw WHERE kind IS NULL OR kind NOT IN ({_KNOWN})"
"""Which lines are of no known type and so have to be read one by one."""


class Validator:
    """Turns batches into rows of :data:`TYPED`.

    Args:
        engine: the connection; its relations ``raw``, ``incoming`` and ``doubtful`` are this validator's.
        now: the receiver's clock.
    """

    def __init__(self, engine: duckdb.DuckDBPyConnection, *, now: datetime) -> None:
        self._engine = engine
        self._now = now
        self._families = families()
        self._taken: list[pa.Table] = []
        self._doubtful: list[pa.Table] = []

    @property
    def checked(self) -> pa.Table:
        """The valid rows of the batch, with the columns of :data:`TYPED`; texts may be dictionaries."""
        words = {field.name for part in self._taken for field in part.schema if _is_words(field.type)}
        schema = pa.schema([field.with_type(_WORDS) if field.name in words else field for field in TYPED])
        return pa.concat_tables([schema.empty_table(), *(_in(schema, part) for part in self._taken)])

    def lines(self, lines: pa.Table) -> Tally:
        """Validate JSON lines.

        Args:
            lines: columns ``position`` (int64) and ``line`` (string).

        Returns:
            What was not taken; the rest is in :attr:`checked`.
        """
        self._engine.register("lines", lines)
        self._engine.execute(
            f"CREATE OR REPLACE TEMP TABLE raw AS SELECT position, line, {_KIND} AS kind FROM lines"
        )
        self._engine.unregister("lines")
        tally = self._check()
        self._settle("SELECT position, line FROM raw", tally)
        return tally

    def rows(self, rows: pa.Table) -> Tally:
        """Validate rows of a columnar file.

        Args:
            rows: ``position`` and one column per field, objects as structs or as JSON text.
        """
        apart = TypedRows(rows)
        if any(apart.holds_text(path) for path in TEXT_OBJECTS):
            return self.lines(self.as_lines(rows))
        tally = self._begin()
        found = apart.sort(self._engine, latest=self._now + AHEAD)
        tally.unknown.update(found.unknown)
        self._taken.append(found.sure)
        if found.doubtful.num_rows:
            self._doubtful.append(found.doubtful)
            kinds = self._come_in(rows)
            self._settle(f"SELECT position, {row_as_json(kinds)} AS line FROM incoming source", tally)
            self._engine.unregister("incoming")
        return tally

    def as_lines(self, rows: pa.Table) -> pa.Table:
        """Give rows of a columnar file as JSON lines, without what they do not say."""
        line = row_as_json(self._come_in(rows))
        lines = self._engine.execute(f"SELECT position, {line} AS line FROM incoming source").to_arrow_table()
        self._engine.unregister("incoming")
        return lines

    def _come_in(self, rows: pa.Table) -> Kinds:
        self._engine.register("incoming", rows)
        return self._kinds("incoming")

    def _begin(self) -> Tally:
        self._taken, self._doubtful = [], []
        return Tally()

    def _check(self) -> Tally:
        """Sort the lines into those that are surely valid and the doubtful, family by family."""
        tally = self._begin()
        found = {row[0] for row in self._engine.execute("SELECT DISTINCT kind FROM raw").fetchall()}
        for family in self._families:
            if found.intersection(f'"{event_type}"' for event_type in family.types):
                query = self._engine.execute(json_query(family), {"latest": self._now + AHEAD})
                self._sort(query.to_arrow_table(), tally)
        if not found <= {f'"{event_type}"' for event_type in EventType}:
            self._doubtful.append(self._engine.execute(_UNREAD).to_arrow_table())
        return tally

    def _sort(self, found: pa.Table, tally: Tally) -> None:
        sure = found["sure"]
        if not pc.all(sure).as_py():
            self._doubtful.append(found.filter(pc.invert(sure)).select(["position"]))
            found = found.filter(sure)
        strange: Any = pc.list_flatten(found["unknown"].drop_null())
        tally.unknown.update(strange.to_pylist())
        rows = found.drop_columns(["sure", "unknown"])
        self._taken.append(rows.cast(pa.schema([TYPED.field(name) for name in rows.column_names])))

    def _settle(self, source: str, tally: Tally) -> None:
        """Read the doubtful rows one by one.

        Args:
            source: query of ``position`` and ``line`` of all rows.
            tally: is told what became of them.
        """
        doubtful = sum(part.num_rows for part in self._doubtful)
        if doubtful:
            self._engine.register("doubtful", pa.concat_tables(self._doubtful))
            rows = self._engine.execute(f"{source} SEMI JOIN doubtful USING (position) ORDER BY position")
            self._take(((at, text, read_event(text, now=self._now)) for at, text in rows.fetchall()), tally)
            self._engine.unregister("doubtful")

    def _take(self, readings: Iterator[tuple[int, str, Reading]], tally: Tally) -> None:
        taken = []
        for position, line, reading in readings:
            tally.unknown.update(reading.unknown)
            if reading.event is not None:
                taken.append(typed_row(reading.event, position))
            elif reading.ignored is not None:
                tally.ignored[reading.ignored] += 1
            else:
                tally.refused.append(Refused(position, reading.problems, line))
        self._taken.append(pa.Table.from_pylist(taken, schema=TYPED))

    def _kinds(self, relation: str) -> Kinds:
        pending: list[tuple[tuple[str, ...], str]] = [
            ((name,), f"source.{_identifier(name)}") for name in self._engine.table(relation).columns
        ]
        found: dict[tuple[str, ...], tuple[str, str]] = {}
        while pending:
            path, expression = pending.pop()
            kind = self._engine.sql(f"SELECT {expression} AS x FROM {relation} source LIMIT 0").types[0]
            found[path] = (expression, str(kind))
            if kind.id == "struct":
                pending += [((*path, name), f"{expression}.{_identifier(name)}") for name, _ in kind.children]
        return found


def _is_words(kind: pa.DataType) -> bool:
    return pa.types.is_dictionary(kind)


def _in(schema: pa.Schema, rows: pa.Table) -> pa.Table:
    """Give rows with all columns of a schema; what they do not have is NULL."""
    columns = [
        rows[field.name].dictionary_encode()
        if _is_words(field.type)
        else rows[field.name]
        if field.name in rows.column_names
        else pa.nulls(rows.num_rows, field.type)
        for field in schema
    ]
    return pa.table(columns, schema=schema)


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
