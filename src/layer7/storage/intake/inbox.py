"""The inbox: an event that comes alone is acknowledged when it is durable here; the log takes it later."""

import base64
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, partial
from typing import Any

import duckdb
import pyarrow as pa
from sqlalchemy import Connection, delete, func, select
from sqlalchemy.dialects import postgresql, sqlite

from layer7.contract.events import ConsentEvent, ErasureEvent
from layer7.contract.reading import Problem, Reading
from layer7.contract.vocabulary import EventType
from layer7.storage.database.locks import Locks
from layer7.storage.database.manifest import ALL_BUCKETS, Manifest
from layer7.storage.database.schema import inbox
from layer7.storage.database.state import State
from layer7.storage.intake.bulk import Refused
from layer7.storage.intake.columnwise import quoted
from layer7.storage.intake.door import ESSENCE, LOG_COLUMNS, SEALED, admit_events, as_table, essence
from layer7.storage.intake.ingest import count_seen
from layer7.storage.intake.log import Appended, EventLog, conflict
from layer7.storage.intake.quarantine import Quarantine
from layer7.storage.people.consents import keep_said
from layer7.storage.people.erasure_requests import request_erasure
from layer7.storage.people.keys import Keys

_LOCK_WAIT = 600.0
_AT_ONCE = 100_000
_IDS = 500


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of one event.

    Args:
        status: ``accepted``, ``duplicate``, ``conflict``, ``quarantined`` or ``ignored``.
        event_id: its identity, when it is valid.
        problems: why it was refused.
    """

    status: str
    event_id: str | None = None
    problems: tuple[Problem, ...] = ()


class _TwinMovedError(Exception):
    """An event that waited when its twin came was moved to the log before the two were compared."""


@dataclass(frozen=True)
class Inbox:
    """The inbox of one installation.

    Args:
        state: the state database.
        keys: the installation's keys.
        log: the event log.
        manifest: its list of live files.
        quarantine: where refused events go.
        locks: the installation's locks.
        engine: opens an engine of its own.
    """

    state: State
    keys: Keys
    log: EventLog
    manifest: Manifest
    quarantine: Quarantine
    locks: Locks
    engine: Callable[[], duckdb.DuckDBPyConnection]

    def accept(
        self, readings: Sequence[tuple[str, Reading]], *, now: datetime, source: str
    ) -> tuple[Receipt, ...]:
        """Take events that were read one by one; when this returns they are durable.

        Args:
            readings: raw text and reading of each.
            now: the receiver's clock.
            source: the door they came by, for the quarantine.

        Returns:
            One receipt per reading, in order.

        Raises:
            Layer7Error: why the state refuses; words of people on the use of their data, where nothing else
                comes with them, go through on a full disk too.
        """
        accept = partial(self._accept, readings, now=now, source=source)
        return self.state.disk.through(accept) if of_rights(readings) else accept()

    def _accept(
        self, readings: Sequence[tuple[str, Reading]], *, now: datetime, source: str
    ) -> tuple[Receipt, ...]:
        """Take events, again where what some of them repeat was moved to the log meanwhile."""
        came = [(at, reading.event) for at, (_, reading) in enumerate(readings) if reading.event is not None]
        while True:
            admitted = admit_events((event for _, event in came), self.keys, received_at=now)
            rows = {at: row for (at, _), row in zip(came, admitted, strict=True) if row is not None}
            try:
                return self._take(readings, rows, now=now, source=source)
            except _TwinMovedError:
                continue

    def _take(
        self,
        readings: Sequence[tuple[str, Reading]],
        rows: Mapping[int, dict[str, Any]],
        *,
        now: datetime,
        source: str,
    ) -> tuple[Receipt, ...]:
        """Take the rows of some readings, by position, in one unit of work."""
        known = self._in_log(list(rows.values()))
        with self.state.write() as connection:
            fates = self._put(connection, rows, known, now)
            receipts = tuple(
                fates[at] if at in fates else _refusal(reading) for at, (_, reading) in enumerate(readings)
            )
            # A word about consent counts from now on, not from the night that moves it to the log.
            keep_said(connection, (rows[at] for at, fate in fates.items() if fate.status == "accepted"))
            refused = [
                conflict(at, raw) if receipt.status == "conflict" else Refused(at, reading.problems, raw)
                for at, ((raw, reading), receipt) in enumerate(zip(readings, receipts, strict=True), start=1)
                if receipt.status in {"conflict", "quarantined"}
            ]
            self.quarantine.put(connection, refused, source=source, at=now)
            count_seen(connection, _met(readings))
        return receipts

    def _put(
        self,
        connection: Connection,
        rows: Mapping[int, dict[str, Any]],
        known: Mapping[str, str],
        now: datetime,
    ) -> dict[int, Receipt]:
        """Insert those rows whose identity is new; the first of each identity wins."""
        erased = self.keys.tombstones.all()
        rows = {at: row for at, row in rows.items() if row["person"] not in erased}
        fresh = {
            row["event_id"]: row for row in reversed(list(rows.values())) if row["event_id"] not in known
        }
        new = _insert(connection, fresh)
        before = dict(known)
        before |= {name: essence(fresh[name]) for name in new}
        before |= _essences(connection, fresh.keys() - new)
        if fresh.keys() - before.keys():
            raise _TwinMovedError
        asked = [fresh[name]["person"] for name in new if _asks_for_erasure(fresh[name])]
        request_erasure(connection, asked, at=now, source="event")
        receipts = {}
        for at, row in rows.items():
            event_id = row["event_id"]
            if event_id in new:
                new.remove(event_id)
                status = "accepted"
            else:
                status = "duplicate" if before[event_id] == essence(row) else "conflict"
            receipts[at] = Receipt(status, event_id)
        return receipts

    @cached_property
    def _reader(self) -> duckdb.DuckDBPyConnection:
        """An engine that stays open: opening one costs more than asking it."""
        return self.engine()

    def _in_log(self, rows: Sequence[Mapping[str, Any]]) -> Mapping[str, str]:
        """Give the essence of those identities that the log holds already for the same people.

        An identity that stands for another person's event is found when the inbox is drained: looking for it
        here would mean to read every identity of the log.
        """
        buckets = {row["bucket"] for row in rows}
        live = [file for file in self.manifest.live("events") if file.bucket in {*buckets, ALL_BUCKETS}]
        if not rows or not live:
            return {}
        people = ", ".join(quoted(name) for name in sorted({row["person"] for row in rows}))
        with closing(self._reader.cursor()) as engine:
            found = engine.execute(
                f"SELECT event_id, min({ESSENCE}) FROM read_parquet($paths) WHERE person IN ({people}) "
                "AND event_id IN (SELECT unnest($ids)) GROUP BY 1",
                {"paths": self.manifest.paths(live), "ids": [row["event_id"] for row in rows]},
            ).fetchall()
        return dict(found)

    def waiting(self) -> int:
        """Give how many events wait to be moved to the log."""
        with self.state.read() as connection:
            return connection.execute(select(func.count()).select_from(inbox)).scalar_one()

    def drain(self, *, now: datetime) -> int:
        """Move all waiting events to the log; gives how many."""
        moved = 0
        with self.locks.hold("log", wait=_LOCK_WAIT):
            while batch := self._batch():
                self._move(batch, now=now)
                moved += len(batch)
        return moved

    def _move(self, batch: Mapping[str, str], *, now: datetime) -> None:
        """Move some waiting events to the log; the caller holds its lock."""

        def also(connection: Connection, appended: Appended) -> None:
            names = list(batch)
            clashes = [conflict(at, batch[names[at - 1]]) for at in appended.conflicts]
            self.quarantine.put(connection, clashes, source="inbox", at=now)
            for start in range(0, len(names), _IDS):
                connection.execute(delete(inbox).where(inbox.c.event_id.in_(names[start : start + _IDS])))

        with closing(self.engine()) as engine:
            rows = as_table(_unpack(payload) for payload in batch.values())
            positions = pa.array(range(1, len(rows) + 1), pa.int64())
            prepared = self.log.prepare(engine, rows.append_column("position", positions))
            self.log.append(engine, prepared, at=now, also=also, from_inbox=True)

    def _batch(self) -> Mapping[str, str]:
        query = select(inbox.c.event_id, inbox.c.payload).order_by(inbox.c.event_id).limit(_AT_ONCE)
        with self.state.read() as connection:
            return {row.event_id: row.payload for row in connection.execute(query)}


def _insert(connection: Connection, rows: Mapping[str, dict[str, Any]]) -> set[str]:
    """Insert rows whose identity does not wait yet; gives the identities of those that were."""
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    # In one order everywhere, so that two writers never wait for each other.
    values = [
        {
            "event_id": event_id,
            "person": row["person"],
            "essence": essence(row),
            "received_at": row["received_at"].isoformat(),
            "payload": _pack(row),
        }
        for event_id, row in sorted(rows.items())
    ]
    if not values:
        return set()
    statement = insert(inbox).on_conflict_do_nothing(index_elements=["event_id"])
    return set(connection.execute(statement.returning(inbox.c.event_id), values).scalars())


def _essences(connection: Connection, names: Iterable[str]) -> dict[str, str]:
    listed, found = list(names), dict[str, str]()
    for start in range(0, len(listed), _IDS):
        query = select(inbox.c.event_id, inbox.c.essence).where(
            inbox.c.event_id.in_(listed[start : start + _IDS])
        )
        found |= {row.event_id: row.essence for row in connection.execute(query)}
    return found


def of_rights(readings: Iterable[tuple[str, Reading]]) -> bool:
    """Whether all of these are words of people on the use of their data.

    Args:
        readings: raw text and reading of each.
    """
    return all(isinstance(reading.event, ConsentEvent | ErasureEvent) for _, reading in readings)


def _asks_for_erasure(row: Mapping[str, Any]) -> bool:
    return bool(row["event_type"] == EventType.ERASURE_REQUESTED)


def _refusal(reading: Reading) -> Receipt:
    """What becomes of a reading that gave no row; a valid event gives none if its person is erased."""
    ignored = reading.ignored is not None or reading.event is not None
    return Receipt("ignored") if ignored else Receipt("quarantined", None, reading.problems)


def _met(readings: Sequence[tuple[str, Reading]]) -> dict[str, dict[str, int]]:
    met: dict[str, dict[str, int]] = {"type": {}, "field": {}}
    for _, reading in readings:
        if reading.ignored is not None:
            met["type"][reading.ignored] = met["type"].get(reading.ignored, 0) + 1
        for name in reading.unknown:
            met["field"][name] = met["field"].get(name, 0) + 1
    return met


def _pack(row: Mapping[str, Any]) -> str:
    plain = {
        name: value.isoformat()
        if isinstance(value, datetime)
        else base64.b64encode(value).decode()
        if isinstance(value, bytes)
        else value
        for name, value in row.items()
    }
    return json.dumps(plain, ensure_ascii=False)


def _unpack(payload: str) -> dict[str, Any]:
    row: dict[str, Any] = json.loads(payload)
    for name, value in row.items():
        if LOG_COLUMNS[name] == "TIMESTAMPTZ":
            row[name] = datetime.fromisoformat(value)
        elif name in SEALED:
            row[name] = base64.b64decode(value)
    return row
