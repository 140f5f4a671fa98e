"""Files without the erased: each file that holds any is written anew, and the old one deleted."""

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import duckdb
from sqlalchemy import Connection, select, update

from layer7.storage.database import schema
from layer7.storage.database.engine import told
from layer7.storage.database.locks import Locks
from layer7.storage.database.manifest import ALL_BUCKETS, GRACE, File, Manifest
from layer7.storage.database.state import State
from layer7.storage.intake.columnwise import quoted
from layer7.storage.people.keys import Keys
from layer7.storage.warehouse.reading import write_query

_TABLE = schema.erasures
_LOCK_WAIT = 600.0
_SPARE = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Rewriting:
    """Rewrites the files of one installation.

    Args:
        state: the state database.
        keys: know who was erased.
        manifest: the list of live files.
        backups: how long they are kept.
        locks: the log's lock keeps new files of the log waiting meanwhile.
        engine: opens an engine of its own.
    """

    state: State
    keys: Keys
    manifest: Manifest
    backups: timedelta
    locks: Locks
    engine: Callable[[], duckdb.DuckDBPyConnection]

    def run(self, *, at: datetime, progress: Callable[[float], None]) -> int:
        """Rewrite every file in use that holds an erased person; no night may run beside it.

        Args:
            at: the moment.
            progress: is told which share is done.

        Returns:
            How many files were rewritten.
        """
        people = self._hidden()
        if not people:
            return 0
        rewritten = 0
        with self.locks.hold("log", wait=_LOCK_WAIT), told(), closing(self.engine()) as engine:
            live = self.manifest.live()
            for done, file in enumerate(live, start=1):
                rewritten += self._without(engine, file, people, at)
                progress(done / len(live))
        with self.state.write() as connection:
            _mark(connection, people, rewritten_at=at.isoformat())
        self.state.truncate()
        return rewritten

    def _hidden(self) -> list[str]:
        query = select(_TABLE.c.person).where(
            _TABLE.c.erased_at.is_not(None), _TABLE.c.rewritten_at.is_(None), _TABLE.c.person.is_not(None)
        )
        with self.state.read() as connection:
            return list(connection.execute(query).scalars())

    def _without(
        self, engine: duckdb.DuckDBPyConnection, file: File, people: Sequence[str], at: datetime
    ) -> bool:
        """Rewrite one file if it holds any of them."""
        among = self._among(file, people)
        if not among:
            return False
        names = ", ".join(quoted(name) for name in among)
        return bool(self.cut(engine, file, f"person IN ({names})", at=at))

    def cut(self, engine: duckdb.DuckDBPyConnection, file: File, condition: str, *, at: datetime) -> int:
        """Rewrite one file without some rows, if it holds any and names people; gives how many rows.

        Args:
            engine: reads and writes it.
            file: the file.
            condition: of the rows that go, in SQL; never NULL.
            at: the moment.
        """
        path = quoted(self.manifest.paths([file])[0])
        if not _names_people(engine, path):
            return 0
        held = engine.execute(f"SELECT count(*) FROM read_parquet({path}) WHERE {condition}")
        gone = int((held.fetchone() or (0,))[0])
        if not gone:
            return 0
        rest = f"SELECT * FROM read_parquet({path}, hive_partitioning = false) WHERE NOT ({condition})"
        made = write_query(self.manifest, engine, rest, dataset=file.dataset, bucket=file.bucket)
        new = replace(
            made,
            max_time=file.max_time,
            max_received=file.max_received,
            folded_as_of=file.folded_as_of,
        )
        # A derived table without rows says that there is nothing; one without a file, that no night has run.
        kept = made.rows or file.dataset not in {"events", "applications"}
        with self.state.write() as connection:
            self.manifest.publish(connection, new=[new] if kept else [], gone=[file], at=at)
        if not kept:
            self.manifest.discard(made)
        return gone

    def _among(self, file: File, people: Sequence[str]) -> list[str]:
        return [
            name for name in people if file.bucket == ALL_BUCKETS or self.keys.bucket(name) == file.bucket
        ]

    def settle(self, *, at: datetime, at_once: bool = False) -> int:
        """Say of which erased people no replaced file is left, after the sweep of the night.

        Args:
            at: the moment.
            at_once: delete replaced files at once; a reader of the old list then has to read again.

        Returns:
            Of how many.
        """
        if at_once:
            self.manifest.drop_replaced()
        before = at if at_once else at - timedelta(seconds=GRACE)
        query = select(_TABLE.c.person).where(
            _TABLE.c.rewritten_at <= before.isoformat(), _TABLE.c.gone_at.is_(None)
        )
        with self.state.write() as connection:
            people = [name for name in connection.execute(query).scalars() if name is not None]
            _mark(connection, people, gone_at=at.isoformat())
        self._let_go(at)
        return len(people)

    def _let_go(self, at: datetime) -> None:
        """Let go of old names that no backup can hold any more; the receipts stay, without a name."""
        query = select(_TABLE.c.person).where(
            _TABLE.c.gone_at.is_not(None),
            _TABLE.c.person.is_not(None),
            _TABLE.c.erased_at < (at - self.backups - _SPARE).isoformat(),
        )
        with self.state.read() as connection:
            old = set(connection.execute(query).scalars())
        if not old:
            return
        free = sorted(old - self.keys.links())
        self.keys.tombstones.drop(free)
        with self.state.write() as connection:
            for name in free:
                connection.execute(update(_TABLE).where(_TABLE.c.person == name).values(person=None))
        self.state.truncate()


def _mark(connection: Connection, people: Sequence[str], **said: str) -> None:
    for name in people:
        connection.execute(update(_TABLE).where(_TABLE.c.person == name).values(**said))


def _names_people(engine: duckdb.DuckDBPyConnection, path: str) -> bool:
    described = engine.execute(f"DESCRIBE SELECT * FROM read_parquet({path}, hive_partitioning = false)")
    return any(column[0] == "person" for column in described.fetchall())
