"""What many tests need: a home folder, events, fixed clocks, and a PostgreSQL of their own."""

import gc
import json
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import settings

from children import NOW, small_settings
from layer7.cli.app import SELDOM
from layer7.storage.home import Home, open_home
from layer7.storage.intake.ingest import Summary

Json = dict[str, Any]

# How long an example takes is the machine's doing: a busy one would fail tests that hold. The same examples
# come every time, so that no change fails by what another should have found; `make torture` tries fresh ones.
settings.register_profile("patient", deadline=None, derandomize="LAYER7_TORTURE" not in os.environ)
settings.load_profile("patient")

# Thousands of homes would hold 16 MiB each; tests of the reserve set it.
os.environ.setdefault("LAYER7_RESERVE_MB", "0")


def pytest_configure(config: pytest.Config) -> None:
    """Collect garbage as seldom as the command line does; let ibis call the engine by an older name."""
    gc.set_threshold(*SELDOM)
    config.addinivalue_line("filterwarnings", "ignore:fetch_arrow_table:DeprecationWarning")


@pytest.fixture
def now() -> datetime:
    """The moment at which tests take place."""
    return NOW


@pytest.fixture
def make_event() -> Callable[..., Json]:
    """Make an event: a submission, unless told otherwise; a change to None leaves the field out."""

    def make(**changes: Any) -> Json:
        event = {
            "event_type": "APPLICATION_SUBMITTED",
            "user_id": "anna",
            "timestamp": "2026-01-10T09:00:00+01:00",
            "application_id": "a1",
            "job_id": "j1",
            "resume_version_id": "r1",
        } | changes
        return {name: value for name, value in event.items() if value is not None}

    return make


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    """An empty home folder, its state in SQLite."""
    opened = open_home(tmp_path / "home", small_settings())
    yield opened
    opened.state.engine.dispose()


@pytest.fixture
def any_home(tmp_path: Path, state_url: str) -> Iterator[Home]:
    """An empty home folder, once with SQLite and once with PostgreSQL."""
    opened = open_home(tmp_path / "home", small_settings(state_url))
    yield opened
    opened.state.engine.dispose()


@pytest.fixture
def take(tmp_path: Path) -> Callable[..., Summary]:
    """Write events to a file of JSON Lines and ingest it."""
    numbers = count()

    def ingest(home: Home, events: Iterable[Json | str], *, at: datetime = NOW) -> Summary:
        path = tmp_path / f"{next(numbers)}.jsonl"
        lines = [event if isinstance(event, str) else json.dumps(event) for event in events]
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        return home.ingest.files([path], now=lambda: at, progress=lambda *_: None)

    return ingest


@pytest.fixture
def logged() -> Callable[[Home], list[Json]]:
    """Give all rows of a home's event log, in the order of their identities."""

    def read(home: Home) -> list[Json]:
        with home.warehouse.open() as tables:
            events = tables.read("events")
            rows = [] if events is None else events.to_pyarrow().to_pylist()
        return sorted(rows, key=lambda row: row["event_id"])

    return read


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def state_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty state database, of either kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'state.db'}"
    return str(request.getfixturevalue("postgres_url"))


def _tool(name: str) -> str | None:
    beside = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), reverse=True)
    return shutil.which(name) or next((str(path) for path in beside), None)


def _missing(what: str) -> None:
    if os.environ.get("LAYER7_TEST_NOTHING_SKIPPED"):
        pytest.fail(what)
    pytest.skip(what)


@pytest.fixture
def missing() -> Callable[[str], None]:
    """Skip a test that this machine cannot run, saying why; fail it where nothing may be skipped."""
    return _missing


def _owner() -> str | None:
    """Who may run PostgreSQL: anybody but root."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """A throw-away PostgreSQL on a socket of its own; gives the folder of the socket."""
    initdb, pg_ctl = _tool("initdb"), _tool("pg_ctl")
    if initdb is None or pg_ctl is None:
        _missing("PostgreSQL is not installed (no initdb, no pg_ctl): its tests did not run.")
    owner = _owner()
    runs_as = ["runuser", "-u", owner, "--"] if owner else []
    folder = Path(tempfile.mkdtemp(prefix="l7pg"))
    if owner:
        shutil.chown(folder, owner)

    def run(*words: str) -> None:
        subprocess.run([*runs_as, *words], check=True, cwd=folder, stdout=subprocess.DEVNULL, timeout=120)

    data = str(folder / "data")
    run(str(initdb), "-D", data, "-U", "layer7", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
    options = f"-k {folder} -c listen_addresses='' -c fsync=off -c shared_buffers=32MB"
    run(str(pg_ctl), "-D", data, "-w", "-l", str(folder / "log"), "-o", options, "start")
    yield str(folder)
    run(str(pg_ctl), "-D", data, "-m", "immediate", "stop")
    shutil.rmtree(folder, ignore_errors=True)


_numbers = count()


@pytest.fixture
def postgres_url(postgres: str) -> str:
    """The address of an empty database in PostgreSQL."""
    name = f"state{next(_numbers)}"
    with psycopg.connect(f"host={postgres} user=layer7 dbname=postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return f"postgresql+psycopg://layer7@/{name}?host={postgres}"
