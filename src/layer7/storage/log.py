"""The event log: exactly once by identity, durable when acknowledged, in immutable files."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import duckdb
import pyarrow as pa
from sqlalchemy import Connection, select

from layer7.contract.reading import Problem
from layer7.contract.vocabulary import EventType
from layer7.storage.bulk import Refused
from layer7.storage.columnwise import quoted
from layer7.storage.door import ESSENCE, LOG_COLUMNS
from layer7.storage.manifest import ALL_BUCKETS, File, Manifest
from layer7.storage.schema import consents, inbox
from layer7.storage.state import State

_COLUMNS = ", ".join(LOG_COLUMNS)
_ORDER = "bucket, person, application_id, event_time, event_id"
# Small row groups, sorted by bucket: whoever reads one bucket skips the others.
_SEGMENT = "FORMAT parquet, COMPRESSION lz4_raw, ROW_GROUP_SIZE 8192"
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


def conflict(position: int, raw: str) -> Refused:
    """Give the refusal of an event whose identity stands for another event."""
    return Refused(position, (_CONFLICT,), raw)


class EventLog:
    """The event log of one installation.

    Args:
        state: the state database.
        manifest: its list of live files.
    """

    def __init__(self, state: State, manifest: Manifest) -> None:
        self._state = state
        self._manifest = manifest

    def prepare(self, engine: duckdb.DuckDBPyConnection, rows: str) -> File:
        """Write the rows that came through the door to a file that is not listed yet; needs no lock.

        Args:
            engine: has ``arrivals`` (see :func:`layer7.storage.door.admit_checked`).
            rows: query of ``position`` and the columns of the log.
        """
        engine.execute(
            "CREATE OR REPLACE TEMP TABLE turns AS SELECT *, row_number() OVER w AS turn, "
            "first_value(essence) OVER w AS first_essence "
            "FROM arrivals WINDOW w AS (PARTITION BY event_id ORDER BY position)"
        )
        return self._segment(engine, rows, "SELECT position FROM turns WHERE turn = 1")

    def append(
        self,
        engine: duckdb.DuckDBPyConnection,
        rows: str,
        prepared: File,
        *,
        at: datetime,
        also: Callable[[Connection, Appended], None],
        from_inbox: bool = False,
    ) -> Appended:
        """Append prepared rows; the caller holds the ``log`` lock.

        Args:
            engine: the one that prepared them.
            rows: query of ``position`` and the columns of the log.
            prepared: what :meth:`prepare` gave.
            at: the moment.
            also: further writes that stand or fall with the new file, e.g. the quarantine's.
            from_inbox: whether the rows are those of the inbox, so that they are no duplicates of it.
        """
        self._classify(engine, from_inbox=from_inbox)
        appended = _appended(engine)
        kept = prepared
        if appended.accepted not in {0, prepared.rows}:
            kept = self._segment(engine, rows, "SELECT position FROM classified WHERE fate = 'new'")
        with self._state.write() as connection:
            self._manifest.publish(connection, new=[kept] if appended.accepted else [], at=at)
            if EventType.CONSENT_CHANGED in appended.by_type:
                _keep_consents(connection, engine, rows)
            also(connection, appended)
        if appended.accepted != prepared.rows:
            self._manifest.discard(prepared)
        return appended

    def _classify(self, engine: duckdb.DuckDBPyConnection, *, from_inbox: bool) -> None:
        """Make ``classified``: every arrival with its fate, ``new``, ``duplicate`` or ``conflict``."""
        known = []
        paths = self._manifest.paths(self._manifest.live("events"))
        if paths and self._meets(engine, paths):
            known.append(
                f"SELECT event_id, {ESSENCE} AS essence FROM read_parquet($paths) "
                "SEMI JOIN met USING (event_id)"
            )
        if not from_inbox:
            engine.register("waiting", self._waiting())
            known.append("SELECT event_id, essence FROM waiting")
        union = " UNION ALL ".join(known) or "SELECT event_id, essence FROM arrivals WHERE FALSE"
        engine.execute(
            "CREATE OR REPLACE TEMP TABLE before AS SELECT event_id, min(essence) AS essence "
            f"FROM ({union}) GROUP BY 1",
            {"paths": paths} if "$paths" in union else None,
        )
        engine.execute(
            "CREATE OR REPLACE TEMP TABLE classified AS SELECT a.position, a.event_type, CASE "
            "WHEN b.event_id IS NULL AND a.turn = 1 THEN 'new' "
            "WHEN a.essence = coalesce(b.essence, a.first_essence) THEN 'duplicate' "
            "ELSE 'conflict' END AS fate FROM turns a LEFT JOIN before b USING (event_id)"
        )

    @staticmethod
    def _meets(engine: duckdb.DuckDBPyConnection, paths: list[str]) -> bool:
        """Make ``met``, identities that the log has; usually none, so that one column is read, not six."""
        engine.execute(
            "CREATE OR REPLACE TEMP TABLE met AS SELECT DISTINCT event_id FROM read_parquet($paths) "
            "SEMI JOIN arrivals USING (event_id)",
            {"paths": paths},
        )
        return engine.execute("SELECT 1 FROM met LIMIT 1").fetchone() is not None

    def _waiting(self) -> pa.Table:
        with self._state.read() as connection:
            rows = connection.execute(select(inbox.c.event_id, inbox.c.essence)).all()
        return pa.table(
            {
                "event_id": pa.array([row.event_id for row in rows], pa.string()),
                "essence": pa.array([row.essence for row in rows], pa.string()),
            }
        )

    def _segment(self, engine: duckdb.DuckDBPyConnection, rows: str, wanted: str) -> File:
        kept = f"FROM ({rows}) SEMI JOIN ({wanted}) USING (position)"
        found = engine.execute(f"SELECT count(*), max(event_time), max(received_at) {kept}").fetchone()
        count, latest, received = found or (0, None, None)
        if not count:
            return File(0, "events", ALL_BUCKETS, "", 0, 0)
        query = f"SELECT {_COLUMNS} {kept} ORDER BY {_ORDER}"
        path = self._manifest.write("events", ALL_BUCKETS, lambda at: _copy(engine, query, at))
        size = self._manifest.size(path)
        return File(0, "events", ALL_BUCKETS, path, count, size, latest.isoformat(), received.isoformat())


def _appended(engine: duckdb.DuckDBPyConnection) -> Appended:
    counted = engine.execute(
        "SELECT event_type, count(*) FROM classified WHERE fate = 'new' GROUP BY 1 ORDER BY 1"
    ).fetchall()
    fates = dict(engine.execute("SELECT fate, count(*) FROM classified GROUP BY 1").fetchall())
    clashing = engine.execute("SELECT position FROM classified WHERE fate = 'conflict' ORDER BY 1").fetchall()
    return Appended(dict(counted), fates.get("duplicate", 0), tuple(row[0] for row in clashing))


def _copy(engine: duckdb.DuckDBPyConnection, query: str, path: Path) -> None:
    engine.execute(f"COPY ({query}) TO {quoted(str(path))} ({_SEGMENT})")


def _keep_consents(connection: Connection, engine: duckdb.DuckDBPyConnection, rows: str) -> None:
    found = engine.execute(
        f"SELECT person, purpose, trim(value, '\"'), event_time FROM ({rows}) "
        "SEMI JOIN (SELECT position FROM classified WHERE fate = 'new') USING (position) "
        f"WHERE event_type = '{EventType.CONSENT_CHANGED}' ORDER BY event_time, event_id"
    ).fetchall()
    for person, purpose, value, at in found:
        said = {"true": "yes", "false": "no"}.get(value, value)
        connection.execute(
            consents.insert().values(
                person=person, purpose=purpose, value=said, at=at.isoformat(), source="event"
            )
        )
