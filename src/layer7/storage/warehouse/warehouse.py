"""The warehouse: applications and derived tables, made by the night, read by everybody else."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import duckdb
import ibis
import pyarrow as pa
from ibis.expr import types as ir
from sqlalchemy import Connection, select, update

from layer7.analytics.applications.fold import KEY, STATE, as_states, describe, merge
from layer7.storage.database.engine import told
from layer7.storage.database.manifest import ALL_BUCKETS, File, Manifest
from layer7.storage.database.schema import files, meta
from layer7.storage.database.state import State
from layer7.storage.intake.columnwise import quoted
from layer7.storage.intake.door import LOG_COLUMNS, SCHEMA
from layer7.storage.people.erasure_requests import hidden
from layer7.storage.warehouse.reading import (
    APPLICATIONS,
    CHANGED,
    EVENTS,
    LAYERED,
    MONTHS,
    Horizon,
    Past,
    Tables,
    backend,
    event_log,
    own_rows,
    parquet,
    write_query,
)

_BASE_SHARE = 0.10
_SMALL = 200_000
_AT_ONCE = 1_500_000
# Segments are sorted by bucket themselves: they read well until they are many.
_WORTH_SORTING = 20_000_000
_MANY_SEGMENTS = 256
_LAYOUT = 4
_ORDER = "bucket, person, application_id"
Progress = Callable[[float], None]
"""Is told which share of the work is done, 0 to 1."""


@dataclass(frozen=True, slots=True)
class _Sources:
    """What a fold merges: files of new events, and the files of yesterday's table."""

    horizon: Horizon
    new: tuple[File, ...]
    old: tuple[File, ...]

    @property
    def base(self) -> tuple[File, ...]:
        return tuple(file for file in self.old if file.bucket != ALL_BUCKETS)

    @property
    def delta(self) -> tuple[File, ...]:
        return tuple(file for file in self.old if file.bucket == ALL_BUCKETS)

    @property
    def is_few(self) -> bool:
        """Whether the new events are few beside the table."""
        rows = sum(file.rows for file in (*self.new, *self.delta))
        return rows <= max(_SMALL, int(_BASE_SHARE * sum(file.rows for file in self.base)))


class Warehouse:
    """The tables of one installation.

    Args:
        state: the state database.
        manifest: its list of live files.
        buckets: how many storage buckets there are.
        engine: opens an engine of its own.
    """

    def __init__(
        self,
        state: State,
        manifest: Manifest,
        *,
        buckets: int,
        engine: Callable[[], duckdb.DuckDBPyConnection],
    ) -> None:
        self._state = state
        self._manifest = manifest
        self._buckets = buckets
        self._engine = engine

    @contextmanager
    def open(self) -> Iterator[Tables]:
        """Open all tables as they stand now, for expressions."""
        with self._at_work() as engine:
            yield Tables(engine, self._manifest, self._hidden())

    @contextmanager
    def open_past(self, horizon: Horizon) -> Iterator[Tables]:
        """Open the tables with applications folded anew, in memory, as a past night knew them."""
        with self._at_work() as engine:
            yield Past(engine, self._manifest, self._hidden(), horizon)

    @contextmanager
    def _at_work(self) -> Iterator[duckdb.DuckDBPyConnection]:
        with told(), closing(self._engine()) as engine:
            yield engine

    def _hidden(self) -> tuple[str, ...]:
        """Give the erased of whom some file may still hold rows."""
        with self._state.read() as connection:
            return hidden(connection)

    def fold(self, horizon: Horizon, *, at: datetime, progress: Progress) -> int:
        """Bring the applications table to a horizon; gives how many events were folded.

        New events are merged into yesterday's table: few of them into a small file beside the large ones,
        many of them bucket by bucket. A horizon earlier than the table's makes it anew.
        """
        live = self._manifest.live(EVENTS)
        tables = self._manifest.live(APPLICATIONS)
        anew = self._must_rebuild(horizon)
        old = [] if anew else list(tables)
        new = [file for file in live if anew or _has_news(file)]
        sources = _Sources(horizon, tuple(new), tuple(old))
        few = sources.is_few
        stale: tuple[File, ...] = ()
        written: list[File] = []
        if new:
            with self._at_work() as engine:
                write = self._write_beside if few else self._write_buckets
                written = list(write(engine, sources, progress))
                if few and not anew:
                    written += self._changed_people(engine, sources)
                else:
                    stale = (*self._manifest.live(MONTHS), *self._manifest.live(CHANGED))
        with self._state.write() as connection:
            gone = tables if anew or not few else sources.delta if new else ()
            self._manifest.publish(connection, new=written, gone=(*gone, *stale), at=at)
            _mark_folded(connection, new, horizon)
            put(connection, APPLICATIONS, _describe_horizon(horizon))
        return sum(file.rows for file in new)

    def _must_rebuild(self, horizon: Horizon) -> bool:
        with self._state.read() as connection:
            kept = connection.execute(select(meta.c.value).where(meta.c.key == APPLICATIONS)).scalar()
        if kept is None:
            return True
        before = json.loads(kept)
        return bool(
            before["layout"] != _LAYOUT
            or date.fromisoformat(before["as_of"]) > horizon.as_of
            or datetime.fromisoformat(before["known_at"]) > horizon.known_at
        )

    def _changed_people(self, engine: duckdb.DuckDBPyConnection, sources: _Sources) -> Iterator[File]:
        """Note of whom there are new events: only their months are counted anew."""
        parts = []
        for day in sorted({file.folded_as_of for file in sources.new}, key=str):
            own = [file for file in sources.new if file.folded_as_of == day]
            found = parquet(engine, self._manifest.paths(own))
            found = found.filter(found.event_time < sources.horizon.end)
            parts.append(found if day is None else found.filter(found.event_time >= _end_of(day)))
        query = ibis.to_sql(ibis.union(*(part.select("person", "bucket") for part in parts), distinct=True))
        yield write_query(self._manifest, engine, query, dataset=CHANGED, bucket=ALL_BUCKETS)

    def _states(self, engine: duckdb.DuckDBPyConnection, sources: _Sources, buckets: range) -> ir.Table:
        events = event_log(engine, self._manifest.paths(sources.new))
        horizon = sources.horizon
        known = events.filter(events.event_time < horizon.end, events.received_at <= horizon.known_at)
        return as_states(_within(known, buckets, self._buckets))

    def _write_beside(
        self, engine: duckdb.DuckDBPyConnection, sources: _Sources, progress: Progress
    ) -> Iterator[File]:
        """Merge few new events with the applications they touch, into one file beside the large ones."""
        states = self._states(engine, sources, range(self._buckets))
        engine.execute(f"CREATE OR REPLACE TEMP TABLE fresh AS {ibis.to_sql(states, dialect='duckdb')}")
        fresh = backend(engine).table("fresh")
        parts = [fresh]
        if sources.delta:
            parts.append(parquet(engine, self._manifest.paths(sources.delta)).select(*STATE))
        if sources.base:
            large = parquet(engine, self._manifest.paths(sources.base)).select(*STATE)
            untouched = large.anti_join(parts[1].select(*KEY), KEY) if sources.delta else large
            parts.append(untouched.semi_join(fresh.select(*KEY).distinct(), KEY))
        merged = describe(merge(ibis.union(*parts)))
        yield from self._table(engine, ibis.to_sql(merged, dialect="duckdb"), ALL_BUCKETS)
        progress(1.0)

    def _write_buckets(
        self, engine: duckdb.DuckDBPyConnection, sources: _Sources, progress: Progress
    ) -> Iterator[File]:
        """Merge many new events, as many buckets at a time as memory allows: that bounds it."""
        rows = sum(file.rows for file in (*sources.new, *sources.old))
        at_once = max(1, _AT_ONCE * self._buckets // max(rows, 1))
        for first in range(0, self._buckets, at_once):
            buckets = range(first, min(first + at_once, self._buckets))
            parts = [self._states(engine, sources, buckets)]
            if sources.delta:
                beside = parquet(engine, self._manifest.paths(sources.delta))
                parts.append(_within(beside, buckets, self._buckets).select(*STATE))
            own = [file for file in sources.base if file.bucket in buckets]
            if own:
                parts.append(parquet(engine, self._manifest.paths(own)).select(*STATE))
            merged = ibis.to_sql(describe(merge(ibis.union(*parts))), dialect="duckdb")
            engine.execute(f"CREATE OR REPLACE TEMP TABLE merged AS {merged}")
            for bucket in buckets:
                query = f"SELECT * FROM merged WHERE bucket = {bucket}"
                yield from self._table(engine, query, bucket)
                progress((bucket + 1) / self._buckets)

    def _table(self, engine: duckdb.DuckDBPyConnection, query: str, bucket: int) -> Iterator[File]:
        ordered = f"SELECT * FROM ({query}) ORDER BY {_ORDER}"
        file = write_query(self._manifest, engine, ordered, dataset=APPLICATIONS, bucket=bucket)
        if file.rows:
            yield file

    def refold(self, person: str, bucket: int, *, at: datetime) -> int:
        """Fold one person's events anew, up to the table's horizon; gives how many applications there are.

        The caller has taken her rows out of the table, and keeps nights away.

        Args:
            person: her pseudonym.
            bucket: of her.
            at: the moment.
        """
        with self._state.read() as connection:
            kept = connection.execute(select(meta.c.value).where(meta.c.key == APPLICATIONS)).scalar()
        live = [file for file in self._manifest.live(EVENTS) if file.bucket in {bucket, ALL_BUCKETS}]
        if kept is None or not live:
            return 0
        before = json.loads(kept)
        horizon = Horizon(date.fromisoformat(before["as_of"]), datetime.fromisoformat(before["known_at"]))
        with self._at_work() as engine:
            events = event_log(engine, self._manifest.paths(live))
            own = events.filter(events.bucket == bucket, events.person == person)
            known = own.filter(own.event_time < horizon.end, own.received_at <= horizon.known_at)
            folded = ibis.to_sql(describe(merge(as_states(known))), dialect="duckdb")
            written = list(self._table(engine, folded, ALL_BUCKETS))
            # The next night counts her months anew.
            her = f"SELECT {quoted(person)} AS person, {bucket}::SMALLINT AS bucket"
            changed = write_query(self._manifest, engine, her, dataset=CHANGED, bucket=ALL_BUCKETS)
        with self._state.write() as connection:
            self._manifest.publish(connection, new=[*written, changed], gone=(), at=at)
        return sum(file.rows for file in written)

    def compact(self, *, at: datetime, progress: Progress) -> int:
        """Sort the log's segments into their buckets once they are many; gives how many events moved."""
        live = self._manifest.live(EVENTS)
        segments = [file for file in live if file.bucket == ALL_BUCKETS]
        rows = sum(file.rows for file in segments)
        few = rows <= _WORTH_SORTING and len(segments) <= _MANY_SEGMENTS
        if few or any(_has_news(file) for file in segments):
            return 0
        columns = ", ".join(LOG_COLUMNS)
        written = []
        with self._at_work() as engine:
            for bucket in range(self._buckets):
                own = [file for file in live if file.bucket in {bucket, ALL_BUCKETS}]
                paths = ", ".join(quoted(path) for path in self._manifest.paths(own))
                engine.register("log_columns", SCHEMA.empty_table())
                query = (
                    f"SELECT {columns} FROM (SELECT * FROM read_parquet([{paths}], union_by_name = true, "
                    "hive_partitioning = false) UNION ALL BY NAME SELECT * FROM log_columns) "
                    f"WHERE bucket = {bucket} "
                    "ORDER BY person, application_id, event_time, event_id"
                )
                file = write_query(self._manifest, engine, query, dataset=EVENTS, bucket=bucket)
                if file.rows:
                    written.append(_inheriting(file, own))
                progress((bucket + 1) / self._buckets)
        with self._state.write() as connection:
            self._manifest.publish(connection, new=written, gone=live, at=at)
        return rows

    def replace(self, dataset: str, table: pa.Table, *, at: datetime) -> int:
        """Replace a derived table as a whole; gives its rows."""
        with self._at_work() as engine:
            engine.register("derived", table)
            order = ", ".join(name for name in ("bucket", "person", "period") if name in table.column_names)
            query = f"SELECT * FROM derived {f'ORDER BY {order}' if order else ''}"
            file = write_query(self._manifest, engine, query, dataset=dataset, bucket=ALL_BUCKETS)
        with self._state.write() as connection:
            self._manifest.publish(connection, new=[file], gone=self._manifest.live(dataset), at=at)
        return file.rows

    def rows_of(self, dataset: str, person: str, bucket: int) -> list[dict[str, Any]]:
        """Give one person's rows of a table."""
        found = self.table_of(dataset, person, bucket)
        rows: list[dict[str, Any]] = [] if found is None else found.to_pylist(maps_as_pydicts="strict")
        return rows

    def table_of(self, dataset: str, person: str, bucket: int) -> pa.Table | None:
        """Give one person's part of a table; None when the table has not been made yet."""
        if dataset not in {EVENTS, *LAYERED}:
            paths = self._manifest.paths(self._manifest.live(dataset))
            return None if not paths else own_rows(paths, person, bucket, hidden=self._hidden())
        with self.open() as tables:
            table = tables.read(dataset)
            if table is None:
                return None
            own: pa.Table = table.filter(table.bucket == bucket, table.person == person).to_pyarrow()
            return own


def _within(table: ir.Table, buckets: range, all_of_them: int) -> ir.Table:
    """Keep the rows of some neighbouring buckets."""
    if len(buckets) == all_of_them:
        return table
    return table.filter(table.bucket.between(buckets.start, buckets.stop - 1))


def _has_news(file: File) -> bool:
    if file.folded_as_of is None or file.max_time is None:
        return True
    return datetime.fromisoformat(file.max_time) >= _end_of(file.folded_as_of)


def _end_of(day: str) -> datetime:
    return datetime.fromisoformat(day).replace(tzinfo=UTC) + timedelta(days=1)


def _mark_folded(connection: Connection, folded: Sequence[File], horizon: Horizon) -> None:
    """Mark files as folded; one that holds events received after the horizon has to be folded again."""
    known = {
        file.id
        for file in folded
        if file.max_received is None or datetime.fromisoformat(file.max_received) <= horizon.known_at
    }
    for ids, mark in (
        (known, horizon.as_of.isoformat()),
        ({file.id for file in folded} - known, None),
    ):
        connection.execute(update(files).where(files.c.id.in_(ids)).values(folded_as_of=mark))


def _inheriting(file: File, parents: Sequence[File]) -> File:
    times = [parent.max_time for parent in parents if parent.max_time]
    received = [parent.max_received for parent in parents if parent.max_received]
    folded = [parent.folded_as_of for parent in parents]
    return File(
        0,
        file.dataset,
        file.bucket,
        file.path,
        file.rows,
        file.bytes,
        max(times, default=None),
        max(received, default=None),
        None if None in folded else min(name for name in folded if name is not None),
    )


def _describe_horizon(horizon: Horizon) -> str:
    return json.dumps(
        {
            "as_of": horizon.as_of.isoformat(),
            "known_at": horizon.known_at.isoformat(),
            "layout": _LAYOUT,
        }
    )


def put(connection: Connection, key: str, value: str) -> None:
    """Keep a short note of the installation's own, in the caller's transaction."""
    if connection.execute(select(meta.c.key).where(meta.c.key == key)).first() is None:
        connection.execute(meta.insert().values(key=key, value=value))
    else:
        connection.execute(update(meta).where(meta.c.key == key).values(value=value))
