"""Events in: from files in bulk, one by one through the inbox, again from the quarantine."""

import os
import re
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from queue import SimpleQueue

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection
from sqlalchemy.dialects import postgresql, sqlite

from layer7.errors import Layer7Error
from layer7.storage.database.locks import Locks
from layer7.storage.database.schema import seen
from layer7.storage.database.state import State
from layer7.storage.intake.bulk import Refused, Tally, Validator
from layer7.storage.intake.door import admit_checked
from layer7.storage.intake.log import Appended, EventLog, Prepared, conflict
from layer7.storage.intake.quarantine import Quarantine
from layer7.storage.intake.sources import Batch, find_files, read_batches, unreadable
from layer7.storage.people.keys import Keys

_LOCK_WAIT = 600.0
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}(\.[A-Za-z_][A-Za-z0-9_]{0,63}){0,5}")
UNPRINTED = "(not a name)"
"""Stands for unknown names that do not look like a field's or type's: they may be a person's own words."""

_CORES = os.cpu_count() or 1
Progress = Callable[[str, int], None]
"""Is told the name of the file and how many of its bytes were done."""


@dataclass(slots=True)
class Summary:
    """What became of the events that came.

    Args:
        accepted: taken, each for the first time.
        duplicate: there before; not counted again.
        quarantined: refused with a reason, kept in quarantine.
        ignored: of a type that the contract does not know.
        erased: told of people from before they were erased; not taken.
        by_type: accepted by event type.
        unknown_fields: fields that the contract does not know, with how often they came.
        ignored_types: the unknown types, with how often they came.
        quarantined_codes: the reasons of refusal, with how often they came.
        failed_files: files that could not be read to their end, with the reason.
    """

    accepted: int = 0
    duplicate: int = 0
    quarantined: int = 0
    ignored: int = 0
    erased: int = 0
    by_type: Counter[str] = field(default_factory=Counter)
    unknown_fields: Counter[str] = field(default_factory=Counter)
    ignored_types: Counter[str] = field(default_factory=Counter)
    quarantined_codes: Counter[str] = field(default_factory=Counter)
    failed_files: dict[str, str] = field(default_factory=dict)

    def add(self, appended: Appended, tally: Tally) -> None:
        """Add what became of one batch."""
        self.accepted += appended.accepted
        self.duplicate += appended.duplicate
        self.quarantined += len(tally.refused)
        self.ignored += tally.ignored.total()
        self.erased += tally.erased
        self.by_type.update(appended.by_type)
        self.unknown_fields.update(tally.unknown)
        self.ignored_types.update(tally.ignored)
        self.quarantined_codes.update(item.problems[0].code for item in tally.refused)

    def as_json(self) -> dict[str, object]:
        """Give the summary as plain JSON values."""
        names = ("accepted", "duplicate", "quarantined", "ignored", "erased")
        counters = ("by_type", "unknown_fields", "ignored_types", "quarantined_codes")
        return (
            {name: getattr(self, name) for name in names}
            | {name: dict(sorted(getattr(self, name).items())) for name in counters}
            | {"failed_files": dict(self.failed_files)}
        )


@dataclass(frozen=True, slots=True)
class _Checked:
    """A batch that came through the door and waits to be appended."""

    engine: duckdb.DuckDBPyConnection
    prepared: Prepared
    tally: Tally
    now: datetime


@dataclass(frozen=True, slots=True)
class Ingest:
    """The way in for bulk files.

    Args:
        state: the state database.
        keys: the installation's keys.
        log: the event log.
        quarantine: where refused events go.
        locks: the installation's locks.
        engine: opens an engine of its own, with one thread: batches run side by side.
    """

    state: State
    keys: Keys
    log: EventLog
    quarantine: Quarantine
    locks: Locks
    engine: Callable[[], duckdb.DuckDBPyConnection]

    def files(self, paths: Iterable[Path], *, now: Callable[[], datetime], progress: Progress) -> Summary:
        """Take all events of files and folders; each batch is durable before the next is read.

        Args:
            paths: files, or folders to search through.
            now: the receiver's clock.
            progress: is told how far it is.
        """
        summary = Summary()
        with ExitStack() as opened:
            engines: SimpleQueue[duckdb.DuckDBPyConnection] = SimpleQueue()
            for _ in range(_CORES + 2):
                engines.put(opened.enter_context(closing(self.engine())))
            for path in find_files(paths):
                try:
                    for batch, checked in self._ahead(engines, read_batches(path), now):
                        self._append(batch, checked, summary=summary)
                        engines.put(checked.engine)
                        progress(path.name, batch.size)
                except Layer7Error as error:
                    if error.code not in {"unreadable_file", "too_large"}:
                        raise
                    summary.failed_files[str(path)] = str(error)
        return summary

    def batch(self, batch: Batch, *, now: datetime, summary: Summary) -> Tally:
        """Take one batch: validate, bring through the door, append, keep the refused; all or nothing."""
        with closing(self.engine()) as engine:
            checked = self._check(engine, batch, now)
            self._append(batch, checked, summary=summary)
        return checked.tally

    def _ahead(
        self,
        engines: SimpleQueue[duckdb.DuckDBPyConnection],
        batches: Iterator[Batch],
        now: Callable[[], datetime],
    ) -> Iterator[tuple[Batch, _Checked]]:
        """Validate a few batches ahead, one a core, and give them in their order; engines are used again."""
        running: deque[tuple[Batch, Future[_Checked]]] = deque()
        broken: Layer7Error | None = None
        with ThreadPoolExecutor(_CORES) as pool:
            try:
                for batch in batches:
                    running.append((batch, pool.submit(self._check_with, engines, batch, now())))
                    if len(running) > _CORES:
                        first, checked = running.popleft()
                        yield first, checked.result()
            except Layer7Error as error:
                broken = error
            while running:
                first, checked = running.popleft()
                try:
                    result = checked.result()
                except Layer7Error as error:
                    broken = broken or error
                    continue
                yield first, result
        if broken is not None:
            raise broken

    def _check_with(
        self, engines: SimpleQueue[duckdb.DuckDBPyConnection], batch: Batch, now: datetime
    ) -> _Checked:
        engine = engines.get()
        try:
            return self._check(engine, batch, now)
        except (pa.ArrowException, duckdb.NotImplementedException, duckdb.InvalidInputException) as error:
            engines.put(engine)
            raise unreadable(batch.source, error) from error

    def _check(self, engine: duckdb.DuckDBPyConnection, batch: Batch, now: datetime) -> _Checked:
        validator = Validator(engine, now=now)
        tally = validator.lines(batch.table) if batch.kind == "lines" else validator.rows(batch.table)
        rows = admit_checked(engine, validator.checked, self.keys, received_at=now)
        tally.erased = len(validator.checked) - len(rows)
        return _Checked(engine, self.log.prepare(engine, rows), tally, now)

    def _append(self, batch: Batch, checked: _Checked, *, summary: Summary) -> None:
        tally = checked.tally

        def also(connection: Connection, appended: Appended) -> None:
            tally.refused.extend(_clashes(batch, checked, appended))
            self.quarantine.put(connection, tally.refused, source=batch.source, at=checked.now)
            count_seen(connection, {"type": tally.ignored, "field": tally.unknown})

        with self.locks.hold("log", wait=_LOCK_WAIT):
            appended = self.log.append(checked.engine, checked.prepared, at=checked.now, also=also)
        summary.add(appended, tally)

    def retry(self, *, now: datetime, code: str | None = None) -> Summary:
        """Try the quarantine again, e.g. after an upgrade; what can be taken now leaves it.

        Args:
            now: the receiver's clock.
            code: only events with this fault.
        """
        summary, after = Summary(), 0
        while found := self.quarantine.waiting(code=code, after=after, limit=10_000):
            after = found[-1].id
            waiting = [item for item in found if item.raw]
            lines = pa.table(
                {
                    "position": pa.array([item.id for item in waiting], pa.int64()),
                    "line": pa.array([item.raw for item in waiting], pa.string()),
                }
            )
            tally = self.batch(Batch("quarantine", "lines", partial(_same, lines)), now=now, summary=summary)
            still = {item.position for item in tally.refused}
            with self.state.write() as connection:
                self.quarantine.release(connection, [item.id for item in waiting if item.id not in still])
        return summary


def _same(table: pa.Table) -> pa.Table:
    return table


def _clashes(batch: Batch, checked: _Checked, appended: Appended) -> Iterator[Refused]:
    if appended.conflicts:
        rows = batch.table.filter(pc.field("position").isin(appended.conflicts))
        if batch.kind == "rows":
            rows = Validator(checked.engine, now=checked.now).as_lines(rows)
        for row in rows.to_pylist():
            yield conflict(row["position"], row["line"])


def count_seen(connection: Connection, met: Mapping[str, Mapping[str, int]]) -> None:
    """Add to the counts of unknown event types and fields, inside the caller's transaction."""
    counts: Counter[tuple[str, str]] = Counter()
    for kind, names in met.items():
        for name, n in names.items():
            counts[kind, name if _NAME.fullmatch(name) else UNPRINTED] += n
    # In one order everywhere, so that two writers never wait for each other.
    rows = [{"kind": kind, "name": name, "n": n} for (kind, name), n in sorted(counts.items())]
    if not rows:
        return
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    statement = insert(seen)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["kind", "name"], set_={"n": seen.c.n + statement.excluded.n}
        ),
        rows,
    )
