"""Bulk files, batch by batch: lines or Parquet rows in, typed rows and what became of the rest out."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import duckdb
import pyarrow as pa

from layer7.contract.columns import EVENT_COLUMNS, flatten
from layer7.contract.events import Event
from layer7.contract.reading import AHEAD, Problem, Reading, read_event
from layer7.contract.shapes import parse_instant
from layer7.contract.vocabulary import EventType
from layer7.storage.columnwise import Family, families, quoted
from layer7.storage.queries import TEXT_OBJECTS, TEXTS, Kinds, json_query, row_as_json, typed_query

_ARROW: dict[str, pa.DataType] = {
    "instant": pa.timestamp("us", tz="UTC"),
    "number": pa.float64(),
    "flag": pa.bool_(),
    "words": pa.list_(pa.string()),
}


def _arrow(kind: str) -> pa.DataType:
    return _ARROW.get(kind, pa.string())


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
    f"CASE WHEN json_valid(line) AND NOT regexp_matches(line, '{_LOOSE}') "
    "THEN CAST(json_extract(line, '$.event_type') AS VARCHAR) END"
)
_ENGINE = {
    pa.int64(): "BIGINT",
    pa.int8(): "TINYINT",
    pa.string(): "VARCHAR",
    pa.float64(): "DOUBLE",
    pa.bool_(): "BOOLEAN",
    pa.list_(pa.string()): "VARCHAR[]",
    pa.timestamp("us", tz="UTC"): "TIMESTAMPTZ",
}
_EMPTY = "SELECT {} WHERE FALSE".format(
    ", ".join(f"CAST(NULL AS {_ENGINE[item.type]}) AS {item.name}" for item in TYPED)
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


def _unread(kind: str, *, quote: str) -> str:
    """Give which rows are of no known type and so have to be read one by one."""
    known = ", ".join(quoted(f"{quote}{event_type}{quote}") for event_type in EventType)
    return f"{kind} IS NULL OR {kind} NOT IN ({known})"


class Validator:
    """Turns batches into the table ``checked`` of one engine: the rows of :data:`TYPED` that are ``sure``.

    Args:
        engine: the connection; its relations ``raw``, ``typed`` and ``checked`` are this validator's.
        now: the receiver's clock.
    """

    def __init__(self, engine: duckdb.DuckDBPyConnection, *, now: datetime) -> None:
        self._engine = engine
        self._now = now
        self._families = families()

    def lines(self, lines: pa.Table) -> Tally:
        """Validate JSON lines.

        Args:
            lines: columns ``position`` (int64) and ``line`` (string).

        Returns:
            What was not taken; the rest is in ``checked`` where ``sure``.
        """
        self._engine.register("lines", lines)
        self._engine.execute(
            f"CREATE OR REPLACE TEMP TABLE raw AS SELECT position, line, {_KIND} AS kind FROM lines"
        )
        self._engine.unregister("lines")
        self._check("raw", "kind", json_query, quote='"')
        return self._settle(f"SELECT position, line FROM raw WHERE {_unread('kind', quote=chr(34))}", "line")

    def rows(self, rows: pa.Table) -> Tally:
        """Validate rows of a columnar file.

        Args:
            rows: ``position`` and one column per field, objects as structs or as JSON text.
        """
        if "event_type" not in rows.column_names:
            rows = rows.append_column("event_type", pa.nulls(rows.num_rows, pa.string()))
        kinds = self._come_in(rows)
        if any(kinds[path][1] in TEXTS for path in TEXT_OBJECTS if path in kinds):
            return self.lines(self.as_lines(rows))
        self._engine.execute("CREATE OR REPLACE TEMP VIEW typed AS SELECT *, NULL AS line FROM incoming")
        known = kinds["event_type",][1] in TEXTS
        if known:
            self._check("typed", "event_type", lambda family: typed_query(family, kinds), quote="")
        else:
            self._begin()
        unread = f"SELECT position, line FROM typed WHERE {_unread('event_type', quote='')}"
        text = f"(SELECT {row_as_json(kinds)} FROM typed source WHERE source.position = d.position)"
        tally = self._settle(unread if known else "SELECT position, line FROM typed", text)
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

    def readings(self, readings: Iterator[tuple[int, str, Reading]]) -> Tally:
        """Take events that were read one by one, e.g. those of a JSON array."""
        self._begin()
        tally = Tally()
        self._take(readings, tally)
        return tally

    def _begin(self) -> None:
        self._engine.execute(
            "CREATE OR REPLACE TEMP TABLE checked AS SELECT *, CAST(NULL AS VARCHAR) AS line, "
            f"CAST(NULL AS BOOLEAN) AS sure, CAST(NULL AS VARCHAR[]) AS unknown FROM ({_EMPTY})"
        )

    def _check(self, relation: str, name: str, query: Callable[[Family], str], *, quote: str) -> None:
        """Fill ``checked`` family by family, for those families that occur."""
        self._begin()
        found = {row[0] for row in self._engine.execute(f"SELECT DISTINCT {name} FROM {relation}").fetchall()}
        for family in self._families:
            if found.intersection(f"{quote}{event_type}{quote}" for event_type in family.types):
                self._engine.execute(
                    f"INSERT INTO checked BY NAME {query(family)}", {"latest": self._now + AHEAD}
                )

    def _settle(self, unread: str, line: str) -> Tally:
        """Keep the sure rows, read the others one by one."""
        strange = "SELECT unnest(unknown) AS name FROM checked WHERE sure AND len(unknown) > 0"
        counted = self._engine.execute(f"SELECT name, count(*) FROM ({strange}) GROUP BY 1").fetchall()
        tally = Tally(unknown=Counter(dict(counted)))
        doubtful = self._engine.execute(
            f"SELECT position, {line} FROM ({unread} UNION ALL SELECT position, line FROM checked "
            "WHERE NOT coalesce(sure, FALSE)) d ORDER BY position"
        ).fetchall()
        self._take(((at, text, read_event(text, now=self._now)) for at, text in doubtful), tally)
        return tally

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
        if taken:
            self._engine.register("taken", pa.Table.from_pylist(taken, schema=TYPED))
            self._engine.execute("INSERT INTO checked BY NAME SELECT *, TRUE AS sure FROM taken")
            self._engine.unregister("taken")

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


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
