"""People's months: counted anew only where something changed, and the same as if all were counted."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from layer7.nightly.night import Night
from layer7.simulation import SCENARIOS, events, simulate, write_events
from layer7.storage.database.schema import consents
from layer7.storage.home import Home, open_home
from layer7.storage.services import months as module
from layer7.storage.services.months import Allowed, Months
from layer7.storage.warehouse.reading import CHANGED, MONTHS, Horizon

START = date(2026, 1, 5)
WEEKS = 10
NOW = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    folder = tmp_path_factory.mktemp("log")
    market = simulate(SCENARIOS["default"], people=30, weeks=WEEKS, start=START, rng=np.random.default_rng(4))
    write_events(events(market), folder, format="jsonl")
    return folder


@pytest.fixture
def home(tmp_path, log) -> Home:
    made = open_home(tmp_path / "home")
    made.ingest.files([log], now=lambda: NOW, progress=lambda _name, _size: None)
    return made


def renew(home: Home, weeks: float) -> int:
    """Fold and count up to so many weeks after the start; gives how many rows were counted."""
    horizon = Horizon(START + timedelta(weeks=weeks), NOW)
    home.warehouse.fold(horizon, at=NOW, progress=lambda _share: None)
    night = Night(home, horizon, 1, lambda: NOW, lambda _share: None)
    with home.warehouse.open() as tables:
        seen = night.log(tables)
        return Months(home, tables).renew(Allowed(seen.applications, seen.events, horizon.end), at=NOW)


def kept(home: Home) -> list[dict[str, object]]:
    with home.warehouse.open() as tables:
        return tables.read(MONTHS).order_by("person", "month").to_pyarrow().to_pylist()


def object_to_use(home: Home, person: str, value: str, at: datetime) -> None:
    with home.state.write() as connection:
        said = {"person": person, "purpose": "personalisation", "value": value, "source": "test"}
        connection.execute(consents.insert().values(at=at.isoformat(), **said))


def anew(home: Home, tmp_path, log, weeks: float) -> list[dict[str, object]]:
    key = (home.path / "keys" / "master.key").read_text(encoding="ascii")
    other = open_home(tmp_path / "anew", home.settings.model_copy(update={"master_key": key}))
    other.ingest.files([log], now=lambda: NOW, progress=lambda _name, _size: None)
    renew(other, weeks)
    return kept(other)


@pytest.mark.parametrize("much", [10_000, 0])
def test_night_by_night_gives_the_same_as_all_at_once(home, tmp_path, log, monkeypatch, much):
    monkeypatch.setattr(module, "_SMALL", much)
    monkeypatch.setattr(module, "_SHARE", 0.0)
    counted = [renew(home, weeks) for weeks in (6, 6 + 1 / 7, 8, WEEKS)]
    assert kept(home) == anew(home, tmp_path, log, WEEKS)
    assert 0 < counted[1] < counted[0]
    assert home.manifest.live(CHANGED) == ()
    assert any(file.bucket == -1 for file in home.manifest.live(MONTHS)) is (much > 0)
    assert renew(home, WEEKS) == 0


def test_several_parts_of_buckets_give_the_same(home, monkeypatch):
    renew(home, WEEKS)
    whole = kept(home)
    with home.state.write() as connection:
        home.manifest.publish(connection, gone=home.manifest.live(MONTHS), at=NOW)
    monkeypatch.setattr(module, "_AT_ONCE", 500)
    assert renew(home, WEEKS) == len(whole)
    assert kept(home) == whole


def test_who_objects_goes_at_once_and_comes_back_when_she_agrees_again(home):
    renew(home, 6)
    before = kept(home)
    person = before[0]["person"]
    object_to_use(home, person, "off", datetime(2026, 1, 6, tzinfo=UTC))
    assert renew(home, 6) == 0
    assert person not in {row["person"] for row in kept(home)}
    object_to_use(home, person, "standard", datetime(2026, 1, 7, tzinfo=UTC))
    assert renew(home, 6) > 0
    assert kept(home) == before


def test_a_past_night_counts_everybody_anew(home):
    renew(home, 6)
    then = kept(home)
    renew(home, WEEKS)
    assert renew(home, 6) == len(then)
    assert kept(home) == then
