"""What other processes do in tests; a module of its own, since they have to find it by its name."""

import json
import os
import signal
import time
from datetime import UTC, date, datetime
from itertools import count
from pathlib import Path
from unittest.mock import patch

import numpy as np
from sqlalchemy import event

from layer7.contract.reading import read_event
from layer7.nightly.advancing import advance_all
from layer7.privacy.bounding import Contributions
from layer7.privacy.cells import CellTable, Layout
from layer7.storage.database.runs import Runs, StageRecord
from layer7.storage.database.state import Act, State
from layer7.storage.home import Home, open_home
from layer7.storage.settings import Settings
from layer7.storage.warehouse import warehouse
from layer7.storage.warehouse.reading import Horizon
from nights import night

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
PRELOAD = ["layer7.storage.home", "layer7.storage.database.migrations", "children"]


def small_settings(url: str = "") -> Settings:
    """Give settings for a small home; its key is the same every time, and so are buckets and pseudonyms."""
    return Settings(
        database_url=url, buckets=4, threads=1, memory_limit="1GB", master_key=bytes(range(32)).hex()
    )


def _open(home: str) -> Home:
    return open_home(Path(home), small_settings())


def ingest(home: str, paths: list[str]) -> None:
    """Ingest files."""
    _open(home).ingest.files(map(Path, paths), now=lambda: NOW, progress=lambda *_: None)


def accept(home: str, lines: list[str], acknowledged: str, every: int) -> None:
    """Take events one by one, note each when it is acknowledged, and drain the inbox now and then."""
    opened = _open(home)
    notes = os.open(acknowledged, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    for at, line in enumerate(lines, start=1):
        receipts = opened.inbox.accept([(line, read_event(line, now=NOW))], now=NOW, source="http")
        if receipts[0].status not in {"accepted", "duplicate"}:
            message = f"{receipts[0]}"
            raise AssertionError(message)
        os.write(notes, f"{json.loads(line)['event_id']}\n".encode())
        if at % every == 0:
            opened.inbox.drain(now=NOW)


def advance(home: str, at: str) -> None:
    """Check all ramps."""
    advance_all(_open(home), datetime.fromisoformat(at))


def advance_until(home: str, at: str, step: int) -> None:
    """Check all ramps, and be killed right before the given write of a ramp, or its commit."""
    opened = _open(home)
    done, written = count(1), []

    def killed() -> None:
        if next(done) == step:
            os.kill(os.getpid(), signal.SIGKILL)

    def at_write(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith("UPDATE rollouts"):
            written.append(statement)
            killed()

    def at_commit(_connection: object) -> None:
        if written:
            written.clear()
            killed()

    event.listen(opened.state.engine, "before_cursor_execute", at_write)
    event.listen(opened.state.engine, "commit", at_commit)
    advance_all(opened, datetime.fromisoformat(at))
    opened.state.engine.dispose()


def migrate_until(url: str, folder: str, step: int) -> None:
    """Bring a state to the last revision, and be killed right before a statement; None left ends it whole."""
    state = State(url, audit_key=bytes(32), head=Path(folder) / "audit.head")
    done = count(1)

    def at_statement(*_: object) -> None:
        if next(done) == step:
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(state.engine, "before_cursor_execute", at_statement)
    state.migrate()
    state.engine.dispose()


def fold_and_compact(home: str, days: list[str]) -> None:
    """Run nights with limits so small that every way of folding is taken, and sort the log."""
    opened = _open(home)
    with patch.object(warehouse, "_SMALL", 150), patch.object(warehouse, "_WORTH_SORTING", 0):
        for day in days:
            horizon = Horizon(datetime.fromisoformat(day).date(), NOW)
            opened.warehouse.fold(horizon, at=NOW, progress=lambda _: None)
        opened.warehouse.compact(at=NOW, progress=lambda _: None)
    opened.state.engine.dispose()


def night_until(home: str, day: date, stage: str) -> None:
    """Run a night and be killed when a stage has done its work, right before that is recorded."""
    recorded = Runs.stage

    def killed(runs: Runs, run_id: int, position: int, record: StageRecord) -> None:
        if record.stage == stage:
            os.kill(os.getpid(), signal.SIGKILL)
        recorded(runs, run_id, position, record)

    with patch.object(Runs, "stage", killed):
        night(_open(home), day)


def draw_weeks(home: str, people: int) -> None:
    """Draw one release after another until killed; each is a year after the one before."""
    opened = _open(home)
    names = tuple(opened.keys.person(f"user {at}") for at in range(people))
    keys = np.array([int(name[:16], 16) for name in names], np.uint64)
    rows = Contributions(np.arange(people), np.zeros(people, np.int64), np.ones((people, 1)), keys)
    layout = Layout([CellTable("a", ("x", "y"), ("m",), 1)])
    for epoch in range(0, 10_000, 60):
        opened.releases.draw(epoch, rows, names, layout=layout, at=NOW)


def hold(home: str, url: str, name: str, held: str) -> None:
    """Hold a lock until killed."""
    opened = open_home(Path(home), small_settings(url))
    with opened.locks.hold(name, wait=10):
        Path(held).touch()
        time.sleep(60)


def erase_until(home: str, user_id: str, step: str) -> None:
    """Erase a person and be killed right before a step, such as ``keys.destroy``."""
    opened = _open(home)
    owner, _, name = step.partition(".")
    target = {"tombstones": opened.keys.tombstones, "keys": opened.keys, "state": opened.state}[owner]
    setattr(type(target), name, lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL))
    opened.erasures.erase(user_id, act=Act("dpo", "test", "", NOW))
