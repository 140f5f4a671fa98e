"""At the door: ids become pseudonyms, a person's own words are sealed, nameless events get their identity."""

import functools
import hashlib
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from layer7.contract.columns import EVENT_COLUMNS
from layer7.contract.events import Event
from layer7.privacy import seal
from layer7.storage.intake.bulk import typed_row
from layer7.storage.intake.columnwise import SQL_TYPES
from layer7.storage.people.keys import Keys

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

SEALED = tuple(name for name, column in EVENT_COLUMNS.items() if column.shape.sealed)

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

_ARROW: Mapping[str, pa.DataType] = {
    "VARCHAR": pa.string(),
    "SMALLINT": pa.int16(),
    "TINYINT": pa.int8(),
    "TIMESTAMPTZ": pa.timestamp("us", tz="UTC"),
    "DOUBLE": pa.float64(),
    "BOOLEAN": pa.bool_(),
    "VARCHAR[]": pa.list_(pa.string()),
    "MAP(VARCHAR, DOUBLE)": pa.map_(pa.string(), pa.float64()),
    "BLOB": pa.binary(),
}
SCHEMA = pa.schema({name: _ARROW[kind] for name, kind in LOG_COLUMNS.items()})
"""The same columns for Arrow."""

ESSENCE = "concat_ws('|', event_type, person, CAST(epoch_us(event_time) AS VARCHAR), application_id, status)"
"""What two events of one identity must share to be the same event."""


def identity(row: Mapping[str, Any], person: str) -> str:
    """Give the identity of an event that brings none: a hash of what it says.

    Args:
        row: the event as a row of :data:`layer7.storage.intake.bulk.TYPED`.
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
        case "scores":
            return "\x1f".join(f"{name}={score:.6f}" for name, score in value.items())
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
        case "scores":
            entries = f"list_transform(map_entries({name}), e -> e.key || '=' || format('{{:.6f}}', e.value))"
            text = f"array_to_string({entries}, chr(31))"
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


def admit_events(
    events: Iterable[Event], keys: Keys, *, received_at: datetime
) -> list[dict[str, Any] | None]:
    """Bring events through the door one by one.

    Returns:
        Rows of the log in the same order: sealed columns as bytes, absent ones left out; None for an event
        from before its person was erased.
    """
    rows = [typed_row(event, 0) for event in events]
    erased = keys.erased({row["user_id"] for row in rows})
    past = {at for at, row in enumerate(rows) if _is_past(row["event_time"], erased.get(row["user_id"]))}
    kept = {at: row for at, row in enumerate(rows) if at not in past}
    people = keys.admit({row["user_id"] for row in kept.values()})
    own = keys.keys({people[row["user_id"]] for row in kept.values() if any(name in row for name in SEALED)})
    came = {"received_at": received_at}
    admitted = {at: _admitted(row, people[row["user_id"]], own, keys) for at, row in kept.items()}
    return [admitted[at] | came if at in admitted else None for at in range(len(rows))]


def _is_past(event_time: datetime, erased_at: datetime | None) -> bool:
    return erased_at is not None and event_time <= erased_at


def _admitted(typed: Mapping[str, Any], person: str, own: Mapping[str, bytes], keys: Keys) -> dict[str, Any]:
    row = {name: value for name, value in typed.items() if name in LOG_COLUMNS and value is not None}
    # Whoever is erased at this very moment has no key any more; the log will not take her row.
    row |= {name: seal(own[person], typed[name]) for name in SEALED if name in typed and person in own}
    event_id = typed["event_id"] or identity(typed, person)
    return row | {"event_id": event_id, "person": person, "bucket": keys.bucket(person)}


def admit_checked(
    engine: duckdb.DuckDBPyConnection, checked: pa.Table, keys: Keys, *, received_at: datetime
) -> pa.Table:
    """Bring valid rows through the door, in columns.

    Args:
        engine: computes the identity of rows that bring none.
        checked: rows of :data:`layer7.storage.intake.bulk.TYPED`.
        keys: the installation's keys.
        received_at: the receiver's clock.

    Returns:
        Rows of the log in the same order, with their ``position``; those from before their person was erased
        are left out.
    """
    checked = _of_the_present(checked, keys)
    told: Any = pc.dictionary_encode(checked["user_id"].combine_chunks())
    user_ids = told.dictionary.to_pylist()
    people = keys.admit(user_ids)
    names = [people[user_id] for user_id in user_ids]
    buckets = pa.array([keys.bucket(name) for name in names], pa.int16())
    came: dict[str, Any] = {
        name: checked[name] for name in ("position", *LOG_COLUMNS) if name in checked.column_names
    }
    came["person"] = pa.DictionaryArray.from_arrays(told.indices, pa.array(names, pa.string()))
    came["bucket"] = buckets.take(told.indices)
    came["received_at"] = pa.repeat(pa.scalar(received_at, SCHEMA.field("received_at").type), len(checked))
    came["event_id"] = _identities(engine, pa.table(came))
    came |= _sealed(checked, people, keys)
    return pa.table(came).select(["position", *LOG_COLUMNS])


def _of_the_present(checked: pa.Table, keys: Keys) -> pa.Table:
    """Leave out what was told of people before they were erased."""
    names: Any = checked["user_id"]
    erased = keys.erased(names.unique().to_pylist())
    if not erased:
        return checked
    times: Any = checked["event_time"]
    pairs = zip(names.to_pylist(), times.to_pylist(), strict=True)
    return checked.filter(pa.array([not _is_past(at, erased.get(user_id)) for user_id, at in pairs]))


def _spread(values: Any, where: Any) -> Any:
    """Give the values, in their order, to the places that are true, and NULL to the others."""
    chosen = where.to_numpy()
    return values.take(pa.array(np.cumsum(chosen) - 1, mask=~chosen))


def _identities(engine: duckdb.DuckDBPyConnection, rows: pa.Table) -> Any:
    """Give each row's identity; rows that bring none get the hash of what they say."""
    nameless = pc.is_null(rows["event_id"])
    if not pc.any(nameless).as_py():
        return rows["event_id"]
    engine.register("nameless", rows.filter(nameless))
    made = engine.execute(f"SELECT {IDENTITY} AS event_id FROM nameless").to_arrow_table()
    engine.unregister("nameless")
    hashes: Any = made["event_id"].combine_chunks()
    given: Any = rows["event_id"]
    return pc.coalesce(given, _spread(hashes, nameless))


def _sealed(checked: pa.Table, people: Mapping[str, str], keys: Keys) -> dict[str, Any]:
    """Seal the words of those rows that have any."""
    some = functools.reduce(pc.or_, (pc.is_valid(checked[name]) for name in SEALED))
    rows = checked.select(["user_id", *SEALED]).filter(some).to_pylist()
    own = keys.keys({people[row["user_id"]] for row in rows})
    sealed = {
        name: [_sealed_word(own.get(people[row["user_id"]]), row[name]) for row in rows] for name in SEALED
    }
    return {name: _spread(pa.array(values, pa.binary()), some) for name, values in sealed.items()}


def _sealed_word(key: bytes | None, word: str | None) -> bytes | None:
    return None if key is None or word is None else seal(key, word)


def as_table(rows: Iterable[Mapping[str, Any]]) -> pa.Table:
    """Give rows of the log as a table with all its columns."""
    return pa.Table.from_pylist(list(rows), schema=SCHEMA)
