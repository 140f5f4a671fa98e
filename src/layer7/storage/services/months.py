"""Every person's months, brought up to date: only those of people of whom something new is known."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import ibis
import pyarrow as pa
from ibis.expr import types as ir
from sqlalchemy import select

from layer7.analytics.performance.months import month_facts
from layer7.storage.database.manifest import ALL_BUCKETS, File
from layer7.storage.database.schema import meta
from layer7.storage.home import Home
from layer7.storage.intake.columnwise import quoted
from layer7.storage.warehouse.reading import CHANGED, MONTHS, Tables, write_query
from layer7.storage.warehouse.warehouse import put

_SMALL = 10_000
_SHARE = 0.10
_AT_ONCE = 4_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Allowed:
    """What may be counted tonight.

    Args:
        applications: one row per application.
        events: the event log.
        end: the end of the night.
    """

    applications: ir.Table
    events: ir.Table
    end: datetime


@dataclass(frozen=True, slots=True)
class _Mark:
    """Up to where months are counted: the last consent that was known, and the end of the night."""

    consent: int
    end: datetime


@dataclass(frozen=True, slots=True)
class Months:
    """The months of an installation's people: facts that are free of what silence means.

    Args:
        home: the installation.
        tables: what the night reads.
    """

    home: Home
    tables: Tables

    def renew(self, allowed: Allowed, *, at: datetime) -> int:
        """Count the months of people anew of whom something changed; gives how many rows were counted.

        Args:
            allowed: what may be counted.
            at: now.
        """
        mark = _Mark(self.home.consents.last(), allowed.end)
        if not self.home.manifest.live(MONTHS):
            return self._count_all(allowed, mark, at)
        changed = self._changed()
        if not changed.num_rows:
            return 0
        among = ibis.memtable(changed)
        own = (table.semi_join(among, "person") for table in (allowed.applications, allowed.events))
        counted = month_facts(*own).to_pyarrow()
        self.tables.engine.register("changed", changed)
        self.tables.engine.register("counted", counted)
        self._put_beside(mark, at)
        return int(counted.num_rows)

    def _count_all(self, allowed: Allowed, mark: _Mark, at: datetime) -> int:
        """Count everybody, as many buckets at a time as memory allows."""
        rows = sum(file.rows for file in self.home.manifest.live("applications"))
        buckets = self.home.settings.buckets
        step = max(1, _AT_ONCE * buckets // max(rows, 1))
        written: list[File] = []
        for first in range(0, buckets, step):
            own = (
                table if step >= buckets else table.filter(table.bucket.between(first, first + step - 1))
                for table in (allowed.applications, allowed.events)
            )
            self.tables.engine.register("counted", month_facts(*own).to_pyarrow())
            written += self._by_bucket("counted")
        self._publish(written, mark, at=at)
        return sum(file.rows for file in written)

    def _changed(self) -> pa.Table:
        """People of whom events came, or whose consent changed, since their months were counted."""
        with self.home.state.read() as connection:
            last = _read(connection.execute(select(meta.c.value).where(meta.c.key == MONTHS)).scalar_one())
        people = set(self.home.consents.changed(after=last.consent, since=last.end))
        listed = self.home.manifest.live(CHANGED)
        if listed:
            paths = ", ".join(quoted(path) for path in self.home.manifest.paths(listed))
            found = self.tables.engine.execute(f"SELECT DISTINCT person FROM read_parquet([{paths}])")
            people |= {person for (person,) in found.fetchall()}
        order = sorted(people)
        buckets = pa.array([self.home.keys.bucket(person) for person in order], pa.int16())
        return pa.table({"person": pa.array(order, pa.string()), "bucket": buckets})

    def _put_beside(self, mark: _Mark, at: datetime) -> None:
        """Put what was counted beside the large files; of somebody without any month, a row says so."""
        live = self.home.manifest.live(MONTHS)
        small = [file for file in live if file.bucket == ALL_BUCKETS]
        query = (
            "SELECT * FROM counted UNION ALL BY NAME SELECT * FROM changed ANTI JOIN counted USING (person)"
        )
        if small:
            paths = ", ".join(quoted(path) for path in self.home.manifest.paths(small))
            held = f"SELECT * FROM read_parquet([{paths}]) ANTI JOIN changed USING (person)"
            query = f"{query} UNION ALL BY NAME {held}"
        beside = self._write(query, ALL_BUCKETS)
        large = sum(file.rows for file in live if file.bucket != ALL_BUCKETS)
        self._publish([beside], mark, at=at, gone=small)
        if beside.rows > max(_SMALL, _SHARE * large):
            self._merge(mark, at)

    def _merge(self, mark: _Mark, at: datetime) -> None:
        """Write the large files anew once much stands beside them."""
        whole = self.tables.read(MONTHS)
        if whole is not None:
            with self.tables.held(whole) as held:
                written = list(self._by_bucket(held.get_name()))
            self._publish(written, mark, at=at, gone=self.home.manifest.live(MONTHS))

    def _by_bucket(self, name: str) -> Iterator[File]:
        found = self.tables.engine.execute(f"SELECT DISTINCT bucket FROM {name} ORDER BY bucket").fetchall()
        for (bucket,) in found:
            yield self._write(f"SELECT * FROM {name} WHERE bucket = {bucket}", bucket)

    def _write(self, query: str, bucket: int) -> File:
        ordered = f"SELECT * FROM ({query}) ORDER BY bucket, person, month"
        return write_query(self.home.manifest, self.tables.engine, ordered, dataset=MONTHS, bucket=bucket)

    def _publish(
        self, written: Sequence[File], mark: _Mark, *, at: datetime, gone: Sequence[File] = ()
    ) -> None:
        """List what was written; the changes that led to it are dealt with."""
        with self.home.state.write() as connection:
            dealt_with = self.home.manifest.live(CHANGED, connection=connection)
            self.home.manifest.publish(connection, new=written, gone=(*gone, *dealt_with), at=at)
            put(connection, MONTHS, json.dumps({"consent": mark.consent, "end": mark.end.isoformat()}))


def _read(mark: str) -> _Mark:
    kept = json.loads(mark)
    return _Mark(kept["consent"], datetime.fromisoformat(kept["end"]))
