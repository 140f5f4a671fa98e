"""At the door: ids become pseudonyms, a person's own words are sealed, nameless events get their identity."""

import hashlib
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb
import pyarrow as pa

from layer7.contract.columns import EVENT_COLUMNS
from layer7.contract.events import Event
from layer7.privacy import seal
from layer7.storage.bulk import typed_row
from layer7.storage.columnwise import SQL_TYPES
from layer7.storage.keys import Keys

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

SEALED = tuple(name for name, column in EVENT_COLUMNS.items() if column.shape.sealed)
_OPEN = tuple(name for name in EVENT_COLUMNS if name not in SEALED)

LOG_COLUMNS: Mapping[str, str] = {
    "event_id": "VARCHAR",
    "event_type": "VARCHAR",
    "person": "VARCHAR",
    "bucket": "SMALLINT",
    "event_time": "TIMESTAMPTZ",
    "local_hour": "TINYINT",
    "local_weekday": "TINYINT",
    "received_at": "TIMESTAMPTZ",
    **{
        name: "BLOB" if column.shape.sealed else SQL_TYPES[column.shape.kind]
        for name, column in EVENT_COLUMNS.items()
    },
}
"""The columns of the event log on disk."""

ESSENCE = "concat_ws('|', event_type, person, CAST(epoch_us(event_time) AS VARCHAR), application_id, status)"
"""What two events of one identity must share to be the same event."""


def identity(row: Mapping[str, Any], person: str) -> str:
    """Give the identity of an event that brings none: a hash of what it says.

    Args:
        row: the event as a row of :data:`layer7.storage.bulk.TYPED`.
        person: the person's pseudonym.
    """
    parts = [str(row["event_type"]), person, str(_micros(row["event_time"]))]
    for name, column in EVENT_COLUMNS.items():
        value = row.get(name)
        if value is not None:
            parts.append(f"{name}={_text(value, column.shape.kind)}")
    return hashlib.sha256("\x1e".join(parts).encode()).hexdigest()[:32]


def _micros(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1)


def _text(value: Any, kind: str) -> str:
    match kind:
        case "number":
            return f"{value:.6f}"
        case "flag":
            return "true" if value else "false"
        case "instant":
            return str(_micros(value))
        case "words":
            return "\x1f".join(value)
        case _:
            return str(value)


def _sql_text(name: str, kind: str) -> str:
    match kind:
        case "number":
            text = f"format('{{:.6f}}', {name})"
        case "instant":
            text = f"CAST(epoch_us({name}) AS VARCHAR)"
        case "words":
            text = f"array_to_string({name}, chr(31))"
        case _:
            text = f"CAST({name} AS VARCHAR)"
    return f"'{name}=' || {text}"


_SAID = ", ".join(_sql_text(name, column.shape.kind) for name, column in EVENT_COLUMNS.items())

IDENTITY = (
    "substring(sha256(concat_ws(chr(30), event_type, person, "
    f"CAST(epoch_us(event_time) AS VARCHAR), {_SAID})), 1, 32)"
)
"""The same hash as :func:`identity`, in columns; a test holds both together."""


def essence(row: Mapping[str, Any]) -> str:
    """Give the same text as :data:`ESSENCE` for one row of the log."""
    said = (str(_micros(row["event_time"])), row.get("application_id"), row.get("status"))
    return "|".join((row["event_type"], row["person"], *(part for part in said if part is not None)))


def admit_events(events: Iterable[Event], keys: Keys, *, received_at: datetime) -> list[dict[str, Any]]:
    """Bring events through the door one by one.

    Returns:
        Rows of the log in the same order: sealed columns as bytes, absent ones left out.
    """
    rows = [typed_row(event, 0) for event in events]
    people = keys.admit({row["user_id"] for row in rows})
    own = keys.keys({people[row["user_id"]] for row in rows if any(name in row for name in SEALED)})
    return [_admitted(row, people[row["user_id"]], own, keys) | {"received_at": received_at} for row in rows]


def _admitted(typed: Mapping[str, Any], person: str, own: Mapping[str, bytes], keys: Keys) -> dict[str, Any]:
    row = {name: value for name, value in typed.items() if name in LOG_COLUMNS and value is not None}
    row |= {name: seal(own[person], typed[name]) for name in SEALED if name in typed}
    event_id = typed["event_id"] or identity(typed, person)
    return row | {"event_id": event_id, "person": person, "bucket": keys.bucket(person)}


def admit_checked(engine: duckdb.DuckDBPyConnection, keys: Keys, *, received_at: datetime) -> str:
    """Bring the sure rows of the engine's table ``checked`` through the door.

    Makes the narrow table ``arrivals`` (position, identity, essence, person, bucket) and ``words`` (sealed).

    Returns:
        The query that gives ``position`` and all columns of the log.
    """
    user_ids = [
        row[0] for row in engine.execute("SELECT DISTINCT user_id FROM checked WHERE sure").fetchall()
    ]
    people = keys.admit(user_ids)
    engine.register("people", _people(people, keys))
    engine.register("words", _sealed(engine, people, keys))
    engine.execute(
        f"CREATE OR REPLACE TEMP TABLE arrivals AS SELECT position, event_id, {ESSENCE} AS essence, "
        f"event_type, person, bucket FROM (SELECT * REPLACE (coalesce(event_id, {IDENTITY}) AS event_id) "
        "FROM checked JOIN people USING (user_id) WHERE sure)"
    )
    opened = ", ".join(f"c.{name}" for name in _OPEN)
    sealed = ", ".join(f"w.{name}" for name in SEALED)
    return (
        "SELECT c.position, a.event_id, c.event_type, a.person, a.bucket, c.event_time, c.local_hour, "
        f"c.local_weekday, TIMESTAMPTZ '{received_at.isoformat()}' AS received_at, {opened}, {sealed} "
        "FROM checked c JOIN arrivals a USING (position) LEFT JOIN words w USING (position) WHERE c.sure"
    )


def _people(people: Mapping[str, str], keys: Keys) -> pa.Table:
    names = list(people.values())
    return pa.table(
        {
            "user_id": pa.array(people, pa.string()),
            "person": pa.array(names, pa.string()),
            "bucket": pa.array([keys.bucket(name) for name in names], pa.int16()),
        }
    )


def _sealed(engine: duckdb.DuckDBPyConnection, people: Mapping[str, str], keys: Keys) -> pa.Table:
    """Seal the words of those rows that have any."""
    some = " OR ".join(f"{name} IS NOT NULL" for name in SEALED)
    rows = engine.execute(
        f"SELECT position, user_id, {', '.join(SEALED)} FROM checked WHERE sure AND ({some})"
    ).fetchall()
    own = keys.keys({people[row[1]] for row in rows})
    sealed: dict[str, list[Any]] = {"position": [row[0] for row in rows]}
    for at, name in enumerate(SEALED, start=2):
        sealed[name] = [None if row[at] is None else seal(own[people[row[1]]], row[at]) for row in rows]
    schema = pa.schema({"position": pa.int64()} | dict.fromkeys(SEALED, pa.binary()))
    return pa.table(sealed, schema=schema)


def as_table(rows: Iterable[Mapping[str, Any]]) -> pa.Table:
    """Give rows of the log as a table with all its columns."""
    kinds: Mapping[str, pa.DataType] = {
        "VARCHAR": pa.string(),
        "SMALLINT": pa.int16(),
        "TINYINT": pa.int8(),
        "TIMESTAMPTZ": pa.timestamp("us", tz="UTC"),
        "DOUBLE": pa.float64(),
        "BOOLEAN": pa.bool_(),
        "VARCHAR[]": pa.list_(pa.string()),
        "BLOB": pa.binary(),
    }
    schema = pa.schema({name: kinds[kind] for name, kind in LOG_COLUMNS.items()})
    return pa.Table.from_pylist(list(rows), schema=schema)
