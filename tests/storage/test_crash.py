"""Killed at any moment: what was acknowledged is there, nothing counts twice, the next run ends the work."""

import json
import multiprocessing as mp
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from random import Random
from typing import Any
from unittest.mock import patch

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import select

from children import NOW, PRELOAD, accept, fold_and_compact, ingest, migrate_until, small_settings
from copies import copied
from layer7.contract.reading import read_event
from layer7.storage.database.migrations import upgrade
from layer7.storage.database.schema import consents, metadata
from layer7.storage.database.state import Act, State
from layer7.storage.home import open_home

DAYS = ["2026-01-04", "2026-01-20"]


@pytest.fixture(scope="module")
def context():
    """Children fork from a process that has loaded the program already, so that their work begins at once."""
    found = mp.get_context("forkserver")
    found.set_forkserver_preload(PRELOAD)
    warm = found.Process(target=time.sleep, args=(0,))
    warm.start()
    warm.join()
    return found


def kill(context: Any, work: Callable[..., None], args: tuple[Any, ...], *, after: float) -> bool:
    """Start some work, kill it after a while; gives whether it was killed before it was done."""
    child = context.Process(target=work, args=args)
    child.start()
    child.join(after)
    child.kill()
    child.join()
    assert child.exitcode in {0, -9}
    return child.exitcode == -9


def lines(count: int) -> list[str]:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    events = []
    for at in range(count):
        event = {
            "event_id": f"e{at:05d}",
            "event_type": ("APPLICATION_CREATED", "APPLICATION_SUBMITTED", "STATUS_CHANGED")[at % 3],
            "user_id": f"u{at % 7}",
            "timestamp": (start + timedelta(hours=at % 480)).isoformat(),
            "application_id": f"a{at % 97}",
            "job_id": "j",
            "resume_version_id": "r",
        }
        outcome = {"outcome": {"status": ("interview", "rejected", "ghosted", "offer")[at % 4]}}
        events.append(json.dumps(event | (outcome if at % 3 == 2 else {})))
    return events


def test_nothing_acknowledged_is_lost_and_nothing_counts_twice(context, home, tmp_path, logged):
    """Ten times one by one through the inbox, which is drained on the way."""
    dice = Random(1)
    every = lines(3000)
    acknowledged = tmp_path / "acknowledged"
    acknowledged.touch()
    killed = 0
    for _ in range(10):
        done = len(acknowledged.read_text().split())
        part = every[max(0, done - 20) :]
        killed += kill(
            context, accept, (str(home.path), part, str(acknowledged), 25), after=dice.uniform(0.25, 0.9)
        )
    assert killed >= 8
    known = set(acknowledged.read_text().split())
    assert known
    with home.state.read() as connection:
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
    home.inbox.drain(now=NOW)
    ids = [row["event_id"] for row in logged(home)]
    assert len(ids) == len(set(ids))
    assert known <= set(ids)
    home.inbox.accept([(line, read_event(line, now=NOW)) for line in every], now=NOW, source="http")
    home.inbox.drain(now=NOW)
    assert [row["event_id"] for row in logged(home)] == [json.loads(line)["event_id"] for line in every]


def test_a_killed_ingest_is_run_again(context, home, tmp_path, logged):
    dice = Random(2)
    every = lines(8000)
    paths = []
    for at in range(4):
        path = tmp_path / f"{at}.jsonl"
        path.write_text("\n".join([*every[at * 2000 : at * 2000 + 2000], "broken", *every[:50]]))
        paths.append(str(path))
    killed = sum(
        kill(context, ingest, (str(home.path), paths), after=dice.uniform(0.1, 1.0)) for _ in range(8)
    )
    assert killed >= 3
    summary = home.ingest.files(map(Path, paths), now=lambda: NOW, progress=lambda *_: None)
    assert summary.accepted + summary.duplicate == 8200
    assert [row["event_id"] for row in logged(home)] == [json.loads(line)["event_id"] for line in every]
    assert home.quarantine.counts() == {"invalid_json": 1}
    live = set(home.manifest.paths(home.manifest.live("events")))
    assert live <= {str(path) for path in (home.path / "data").rglob("*")}
    home.manifest.sweep(now=time.time() + 7200)
    assert {str(path) for path in (home.path / "data").rglob("*.parquet*")} == live


def at_revision(url: str, folder: Path, revision: str) -> State:
    """Make a state as an older program left it, with rows in it."""
    state = State(url, audit_key=bytes(32), head=folder / "audit.head")
    with state.write() as connection, patch.object(command, "upgrade", partial(upgraded, revision)):
        upgrade(connection)
    with state.change(Act("ben", "test", "", NOW)) as connection:
        said = {"purpose": "experiments", "value": "no", "at": NOW.isoformat(), "source": "test"}
        connection.execute(consents.insert().values(person="p", **said))
    return state


def upgraded(revision: str, config: Config, _head: str, /, true: Any = command.upgrade) -> None:
    true(config, revision)


def test_a_killed_migration_is_done_again_from_where_it_began(context, tmp_path, state_url):
    """All of it is one transaction: a kill at any statement leaves the older state as it was."""
    state = at_revision(state_url, tmp_path, "0001")
    for step in (3, 30):
        assert kill(context, migrate_until, (state_url, str(tmp_path), step), after=60)
        with state.read() as connection:
            assert MigrationContext.configure(connection).get_current_revision() == "0001"
    state.migrate()
    with state.read() as connection:
        migrated = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(migrated, metadata) == []
        assert connection.execute(select(consents.c.value)).scalars().all() == ["no"]
    assert state.verify_audit() == 1
    assert state.check() == ()
    state.engine.dispose()


def test_what_was_acknowledged_survives_a_torn_write_ahead_log(tmp_path):
    """The power fails while a later commit is written: any number of its bytes are there, or are others.

    Nothing is closed in between, so that all of it stands in the write-ahead log.
    """
    dice = Random(4)
    state = State(f"sqlite:///{tmp_path / 'state.db'}", audit_key=bytes(32), head=tmp_path / "audit.head")
    state.migrate()
    state.truncate()
    log, sizes = tmp_path / "state.db-wal", []
    for at in range(6):
        with state.change(Act("ben", "test", str(at), NOW, "x" * 5_000 * (at % 2))):
            pass
        sizes.append(log.stat().st_size)
    whole, database = log.read_bytes(), (tmp_path / "state.db").read_bytes()
    for cut in sorted(dice.sample(range(sizes[0], len(whole)), 25)):
        folder = tmp_path / f"cut{cut}"
        folder.mkdir()
        torn = whole[:cut] + dice.randbytes(dice.choice([0, 100, 4096]))
        (folder / "state.db").write_bytes(database)
        (folder / "state.db-wal").write_bytes(torn)
        after = State(f"sqlite:///{folder / 'state.db'}", audit_key=bytes(32), head=folder / "audit.head")
        assert after.check() == ()
        assert after.verify_audit() == sum(size <= cut for size in sizes)
        with after.change(Act("ben", "test", "again", NOW)):
            pass
        after.engine.dispose()
    state.engine.dispose()


def table(home: Any) -> list[dict[str, Any]]:
    with home.warehouse.open() as tables:
        rows = tables.read("applications").to_pyarrow().to_pylist()
    return sorted(rows, key=lambda row: (row["person"], row["application_id"]))


def test_a_killed_night_is_run_again(context, home, tmp_path, take, logged):
    dice = Random(3)
    every = lines(3000)
    take(home, every[:2900])
    quiet = copied(home.path, tmp_path / "quiet")
    killed = 0
    for at in range(8):
        killed += kill(context, fold_and_compact, (str(home.path), DAYS), after=dice.uniform(0.2, 1.2))
        take(home, every[2900 + at * 10 : 2910 + at * 10])
    assert killed >= 3
    take(home, every)
    fold_and_compact(str(home.path), DAYS)
    undisturbed = open_home(quiet, small_settings())
    take(undisturbed, every)
    fold_and_compact(str(quiet), DAYS)
    assert table(home) == table(undisturbed)
    assert logged(home) == logged(undisturbed)
    undisturbed.state.engine.dispose()
