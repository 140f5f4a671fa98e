"""Tables as they are read: the live files of a dataset, in one layer or two; a query written to a file."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import duckdb
import ibis
import pyarrow as pa
import pyarrow.parquet as pq
from ibis.expr import types as ir
from pyarrow.compute import field, scalar

from layer7.analytics.applications.fold import KEY, as_states, describe, merge
from layer7.storage.database.manifest import ALL_BUCKETS, File, Manifest
from layer7.storage.intake.columnwise import quoted
from layer7.storage.intake.door import SCHEMA

# The engine merges the steps of a query itself; merging them here costs a fifth of a small night.
ibis.options.sql.fuse_selects = False

MONTHS = "performance"
"""The dataset of people's months."""

CHANGED = "changed"
"""The dataset of people of whom new events were folded, until their months are counted."""

APPLICATIONS = "applications"
EVENTS = "events"
TABLE_FORMAT = "FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 122880"
LAYERED = {APPLICATIONS: KEY, MONTHS: ("person",)}
"""Datasets of large files with a small one beside them, which wins; with what it wins by."""


@dataclass(frozen=True, slots=True)
class Horizon:
    """What a night may know.

    Args:
        as_of: the day; events after its end (UTC) are not known yet.
        known_at: events received later are not known yet.
    """

    as_of: date
    known_at: datetime

    @property
    def end(self) -> datetime:
        """The moment at which the day ends, in UTC."""
        return datetime(self.as_of.year, self.as_of.month, self.as_of.day, tzinfo=UTC) + timedelta(days=1)


class Tables:
    """All tables as they stood when they were opened.

    Args:
        engine: the engine that reads them.
        manifest: the list of live files.
        hidden: names of erased people of whom some file may still hold rows.
    """

    def __init__(
        self, engine: duckdb.DuckDBPyConnection, manifest: Manifest, hidden: Sequence[str] = ()
    ) -> None:
        self.engine = engine
        self._manifest = manifest
        self._hidden = hidden
        self._numbers = count()

    def read(self, dataset: str) -> ir.Table | None:
        """Give a table; None when it has not been made yet."""
        table = self._layered(dataset) if dataset in LAYERED else self._files(dataset)
        if table is None or not self._hidden or "person" not in table.columns:
            return table
        return table.filter(table.person.notin(self._hidden))

    def _files(self, dataset: str) -> ir.Table | None:
        live = self._manifest.live(dataset)
        read = event_log if dataset == EVENTS else parquet
        return read(self.engine, self._manifest.paths(live)) if live else None

    def _layered(self, dataset: str) -> ir.Table | None:
        live, key = self._manifest.live(dataset), LAYERED[dataset]
        base = [file for file in live if file.bucket != ALL_BUCKETS]
        beside = [file for file in live if file.bucket == ALL_BUCKETS]
        tables = [parquet(self.engine, self._manifest.paths(part)) for part in (base, beside) if part]
        if len(tables) == 2:
            large, small = tables
            whole = large.anti_join(small.select(*key).distinct(), key).union(small)
        else:
            whole = tables[0] if tables else None
        # Of somebody who has no months any more, a row beside the large files says so.
        return whole.filter(whole.month.notnull()) if dataset == MONTHS and whole is not None else whole

    def view(self, table: ir.Table) -> ir.Table:
        """Tell the engine an expression once, so that what is asked of it need not say it again."""
        seen: ir.Table = ibis.get_backend(table).create_view(f"view_{next(self._numbers)}", table)
        return seen

    @contextmanager
    def held(self, table: ir.Table) -> Iterator[ir.Table]:
        """Compute a table once, for several expressions over it; it is let go at the end of the block."""
        name = f"held_{next(self._numbers)}"
        made = ibis.get_backend(table).create_table(name, table, temp=True)
        try:
            yield made
        finally:
            self.engine.execute(f"DROP TABLE {name}")

    def write(self, table: ir.Table, file: Path, form: str) -> int:
        """Write a table to a file outside the home folder; gives its rows."""
        query = ibis.to_sql(table, dialect="duckdb")
        path = str(file).replace("'", "''")
        found = self.engine.execute(f"COPY ({query}) TO '{path}' ({form})").fetchone()
        return int(found[0]) if found else 0


class Past(Tables):
    """All tables, with the applications that a past night knew.

    Args:
        engine: the engine that reads them.
        manifest: the list of live files.
        hidden: names of erased people of whom some file may still hold rows.
        horizon: what the night knew.
    """

    def __init__(
        self,
        engine: duckdb.DuckDBPyConnection,
        manifest: Manifest,
        hidden: Sequence[str],
        horizon: Horizon,
    ) -> None:
        super().__init__(engine, manifest, hidden)
        self._horizon = horizon

    def _layered(self, dataset: str) -> ir.Table | None:
        events = self.read(EVENTS) if dataset == APPLICATIONS else None
        if dataset != APPLICATIONS:
            return super()._layered(dataset)
        if events is None:
            return None
        known = events.filter(
            events.event_time < self._horizon.end, events.received_at <= self._horizon.known_at
        )
        folded = ibis.to_sql(describe(merge(as_states(known))), dialect="duckdb")
        self.engine.execute(f"CREATE TEMP TABLE IF NOT EXISTS past_applications AS {folded}")
        return backend(self.engine).table("past_applications")


def write_query(
    manifest: Manifest, engine: duckdb.DuckDBPyConnection, query: str, *, dataset: str, bucket: int
) -> File:
    """Write what a query gives to a file of a dataset, not listed yet."""
    rows: list[int] = []

    def fill(path: Path) -> None:
        found = engine.execute(f"COPY ({query}) TO {quoted(str(path))} ({TABLE_FORMAT})").fetchone()
        rows.append(found[0] if found else 0)

    path = manifest.write(dataset, bucket, fill)
    return File(0, dataset, bucket, path, rows[0], manifest.size(path))


def backend(engine: duckdb.DuckDBPyConnection) -> Any:
    """Give an engine as expressions take it."""
    return ibis.duckdb.from_connection(engine)


def parquet(engine: duckdb.DuckDBPyConnection, paths: list[str]) -> ir.Table:
    """Give files as one table."""
    # Else the engine takes the column ``bucket`` from the folder's name, with another type.
    return backend(engine).read_parquet(paths, union_by_name=True, hive_partitioning=False)


def own_rows(paths: list[str], person: str, bucket: int, *, hidden: Sequence[str]) -> pa.Table:
    """Give one person's rows of files that are not layered, without an engine: one answer waits for them."""
    hers = (field("bucket") == bucket) & (field("person") == person)
    filters = scalar(value=False) if person in hidden else hers
    return pq.read_table(paths, partitioning=None, filters=filters)


def event_log(engine: duckdb.DuckDBPyConnection, paths: list[str]) -> ir.Table:
    """The event log; of what its files were written too early to know, nothing is known."""
    found = parquet(engine, paths)
    kinds = ibis.schema(SCHEMA)
    late = {name: ibis.null().cast(kinds[name]) for name in kinds if name not in found.columns}
    return found.mutate(**late) if late else found
