"""The event log: exactly once by identity, durable when acknowledged, in immutable files."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, cast

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray
from sqlalchemy import Connection, select

from layer7.contract.reading import Problem
from layer7.contract.vocabulary import EventType
from layer7.storage.database.manifest import ALL_BUCKETS, File, Manifest
from layer7.storage.database.schema import inbox
from layer7.storage.database.state import State
from layer7.storage.intake.bulk import Refused
from layer7.storage.intake.door import ESSENCE, SCHEMA
from layer7.storage.intake.identities import Hashes, Identities, repeated
from layer7.storage.people.consents import keep_said
from layer7.storage.people.erasure_requests import request_erasure

_SORTED = ["bucket", "person", "application_id", "event_time", "event_id"]
# Small row groups, sorted by bucket: whoever reads one bucket skips the others.
_ROW_GROUP = 8192
_SAID = ["event_type", "person", "purpose", "value", "event_time", "event_id"]
_OWN = frozenset({"event_id", "application_id", "job_id"})
_INSIDE = ((pa.types.is_string, ""), (pa.types.is_list, ".list.element"), (pa.types.is_map, ".key_value.key"))
_REPEATED = [
    f"{field.name}{inside}"
    for field in SCHEMA
    for is_kind, inside in _INSIDE
    if is_kind(field.type) and field.name not in _OWN
]
"""Columns that say the same again and again; a dictionary of the others would only cost time."""

_SOUGHT = ["bucket", "event_type", "event_time", "received_at"]
"""Columns whose extremes let a reader pass over a row group; those of the others would only cost time."""

_WAITING = pa.schema({"event_id": pa.string(), "essence": pa.string()})
_TURNS = (
    "SELECT position, event_id, essence, row_number() OVER w AS turn, "
    f"first_value(essence) OVER w AS first_essence FROM (SELECT *, {ESSENCE} AS essence FROM came) "
    "WINDOW w AS (PARTITION BY event_id ORDER BY position)"
)
_CONFLICT = Problem("event_id_conflict", "/event_id", "another event was taken under this event_id before")


@dataclass(frozen=True, slots=True)
class Appended:
    """What became of rows that came to the log.

    Args:
        by_type: how many were taken, by event type.
        duplicate: how many were there before.
        conflicts: positions of rows that differ from the event taken under their identity.
    """

    by_type: dict[str, int] = field(default_factory=dict)
    duplicate: int = 0
    conflicts: tuple[int, ...] = ()

    @property
    def accepted(self) -> int:
        """How many were taken."""
        return sum(self.by_type.values())


@dataclass(frozen=True, slots=True)
class Prepared:
    """Rows that are sorted and written, and wait to be appended.

    Args:
        rows: all that came, with their ``position``, in the order of the log.
        hashes: those of their identities, in the same order.
        file: holds the first row of each identity; it is not listed yet.
    """

    rows: pa.Table
    hashes: Hashes
    file: File


def conflict(position: int, raw: str) -> Refused:
    """Give the refusal of an event whose identity stands for another event."""
    return Refused(position, (_CONFLICT,), raw)


class EventLog:
    """The event log of one installation.

    Args:
        state: the state database.
        manifest: its list of live files.
        erased: gives the names of erased people, of whom nothing is taken any more.
    """

    def __init__(
        self, state: State, manifest: Manifest, erased: Callable[[], Mapping[str, datetime]]
    ) -> None:
        self._state = state
        self._manifest = manifest
        self._erased = erased
        self._identities = Identities()

    def prepare(self, engine: duckdb.DuckDBPyConnection, rows: pa.Table) -> Prepared:
        """Sort rows and write them to a file that is not listed yet; needs no lock.

        Args:
            engine: sorts them.
            rows: ``position`` and the columns of the log.
        """
        keys = rows.select(_SORTED).append_column("place", pa.array(np.arange(len(rows))))
        engine.register("unsorted", keys)
        found = engine.execute(
            f"SELECT place, hash(event_id) AS hash FROM unsorted ORDER BY {', '.join(_SORTED)}"
        ).fetchnumpy()
        engine.unregister("unsorted")
        rows = rows.combine_chunks().take(np.asarray(found["place"], np.int64))
        hashes = np.asarray(found["hash"], np.uint64)
        twice = repeated(hashes)
        once = rows
        if twice.any():
            once = rows.filter(~twice | np.isin(rows["position"], _first_positions(rows.filter(twice))))
        return Prepared(rows, hashes, self._segment(once))

    def append(
        self,
        engine: duckdb.DuckDBPyConnection,
        prepared: Prepared,
        *,
        at: datetime,
        also: Callable[[Connection, Appended], None],
        from_inbox: bool = False,
    ) -> Appended:
        """Append prepared rows; the caller holds the ``log`` lock.

        Args:
            engine: the one that prepared them.
            prepared: what :meth:`prepare` gave.
            at: the moment.
            also: further writes that stand or fall with the new file, e.g. the quarantine's.
            from_inbox: whether the rows are those of the inbox, so that they are no duplicates of it.
        """
        new, appended = self._classify(engine, prepared, from_inbox=from_inbox)
        rows, hashes, kept = prepared.rows, prepared.hashes, prepared.file
        if not new.all():
            rows, hashes = rows.filter(new), hashes[new]
        if len(rows) not in {0, kept.rows}:
            kept = self._segment(rows)
        with self._state.write() as connection:
            self._manifest.publish(connection, new=[kept] if len(rows) else [], at=at)
            if EventType.CONSENT_CHANGED in appended.by_type:
                changes = rows.filter(pc.field("event_type") == EventType.CONSENT_CHANGED.value)
                keep_said(connection, changes.select(_SAID).to_pylist())
            if EventType.ERASURE_REQUESTED in appended.by_type:
                asked: Any = rows.filter(pc.field("event_type") == EventType.ERASURE_REQUESTED.value)
                request_erasure(connection, asked["person"].to_pylist(), at=at, source="event")
            also(connection, appended)
        if len(rows):
            self._identities.add(kept.path, hashes)
        if prepared.file.rows and (kept is not prepared.file or not len(rows)):
            self._manifest.discard(prepared.file)
        return appended

    def _classify(
        self, engine: duckdb.DuckDBPyConnection, prepared: Prepared, *, from_inbox: bool
    ) -> tuple[NDArray[np.bool_], Appended]:
        """Give which rows are new, and what became of all; only rows whose hash is met are looked at."""
        live = {file.path: file for file in self._manifest.live("events")}
        self._identities.learn(live, lambda names: self._hashes(engine, [live[name] for name in names]))
        waiting = self._waiting() if not from_inbox else _WAITING.empty_table()
        engine.register("waiting", waiting)
        met = engine.execute("SELECT hash(event_id) AS hash FROM waiting").fetchnumpy()["hash"]
        known = self._identities.meets(prepared.hashes)
        doubtful = known | repeated(prepared.hashes) | np.isin(prepared.hashes, met)
        fates = self._fates(
            engine, prepared.rows.filter(doubtful), list(live.values()) if known.any() else []
        )
        engine.unregister("waiting")
        new = ~doubtful | np.isin(prepared.rows["position"], fates["new"])
        erased = self._erased()
        if erased:
            # Whoever was erased since these rows came through the door: the lock orders the two.
            new &= ~np.isin(prepared.rows["person"].to_numpy(), list(erased))
        types: Any = pc.value_counts(prepared.rows["event_type"].filter(pa.array(new)))
        by_type = {item["values"]: item["counts"] for item in types.to_pylist()}
        return new, Appended(dict(sorted(by_type.items())), len(fates["duplicate"]), tuple(fates["conflict"]))

    def _fates(
        self, engine: duckdb.DuckDBPyConnection, rows: pa.Table, files: list[File]
    ) -> dict[str, list[int]]:
        """Give the positions of rows by their fate, ``new``, ``duplicate`` or ``conflict``."""
        fates: dict[str, list[int]] = {"new": [], "duplicate": [], "conflict": []}
        if not len(rows):
            return fates
        engine.register("came", rows)
        engine.execute(f"CREATE OR REPLACE TEMP TABLE turns AS {_TURNS}")
        before = "SELECT event_id, essence FROM waiting"
        if files:
            before += f" UNION ALL SELECT event_id, {ESSENCE} FROM read_parquet($paths)"
        found = engine.execute(
            f"WITH before AS (SELECT event_id, min(essence) AS essence FROM ({before}) "
            "SEMI JOIN turns USING (event_id) GROUP BY 1) SELECT t.position, CASE "
            "WHEN b.event_id IS NULL AND t.turn = 1 THEN 'new' "
            "WHEN t.essence = coalesce(b.essence, t.first_essence) THEN 'duplicate' "
            "ELSE 'conflict' END FROM turns t LEFT JOIN before b USING (event_id) ORDER BY t.position",
            {"paths": self._manifest.paths(files)} if files else None,
        ).fetchall()
        engine.unregister("came")
        for position, fate in found:
            fates[fate].append(position)
        return fates

    def _hashes(self, engine: duckdb.DuckDBPyConnection, files: list[File]) -> Hashes:
        found = engine.execute(
            "SELECT hash(event_id) AS hash FROM read_parquet($paths)", {"paths": self._manifest.paths(files)}
        )
        return np.asarray(found.fetchnumpy()["hash"], np.uint64)

    def _waiting(self) -> pa.Table:
        with self._state.read() as connection:
            rows = connection.execute(select(inbox.c.event_id, inbox.c.essence)).all()
        return pa.table(
            {
                "event_id": [row.event_id for row in rows],
                "essence": [row.essence for row in rows],
            },
            schema=_WAITING,
        )

    def _segment(self, rows: pa.Table) -> File:
        if not len(rows):
            return File(0, "events", ALL_BUCKETS, "", 0, 0)
        path = self._manifest.write("events", ALL_BUCKETS, partial(_write, rows.select(SCHEMA.names)))
        latest, received = (pc.max(rows[name]).as_py().isoformat() for name in ("event_time", "received_at"))
        return File(0, "events", ALL_BUCKETS, path, len(rows), self._manifest.size(path), latest, received)


def _first_positions(rows: pa.Table) -> NDArray[Any]:
    first = rows.group_by("event_id").aggregate([("position", "min")])
    return first["position_min"].to_numpy()


def _write(rows: pa.Table, path: Path) -> None:
    pq.write_table(
        pa.table({name: _short(rows[name]) for name in rows.column_names}),
        path,
        row_group_size=_ROW_GROUP,
        compression="lz4",
        use_dictionary=cast("bool", _REPEATED),  # the stubs know of yes and no only
        write_statistics=cast("bool", _SOUGHT),
        store_schema=False,
    )


def _short(column: Any) -> Any:
    """Give a column, as plain text where its dictionary is long: every row group would hold all of it."""
    if not pa.types.is_dictionary(column.type):
        return column
    words = max((len(chunk.dictionary) for chunk in column.chunks), default=0)
    return column.cast(pa.string()) if words > _ROW_GROUP // 16 else column
