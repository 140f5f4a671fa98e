"""Forgetting since a day gives what a log without these events gives, bit for bit."""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select

from layer7.contract.vocabulary import Purpose
from layer7.errors import Layer7Error
from layer7.nightly.forgetting import forget_since
from layer7.simulation import SCENARIOS, events, simulate, write_events
from layer7.storage.database import schema
from layer7.storage.database.state import Act
from layer7.storage.home import Home, open_home
from layer7.storage.intake.door import SEALED
from nights import NOW, night

START = date(2026, 1, 5)
NIGHTS = (START + timedelta(days=20), START + timedelta(days=48))
SINCE = START + timedelta(days=28)
ACT = Act("maria", "", "", NOW, "she asked for it")
LEARNING = ("ingest", "applications", "measure", "find", "personalise", "tell")
TABLES = ("events", "applications", "performance", "weeks", "outlook", "patterns", "pattern_plans")


@pytest.fixture(scope="module")
def lines(tmp_path_factory) -> list[dict]:
    folder = tmp_path_factory.mktemp("log")
    market = simulate(SCENARIOS["default"], people=12, weeks=8, start=START, rng=np.random.default_rng(5))
    files = write_events(events(market), folder, format="jsonl")
    return [json.loads(line) for file in files for line in file.read_text("utf-8").splitlines()]


def filled(folder: Path, lines: list[dict]) -> Home:
    """A home with these events, after its nights."""
    folder.mkdir()
    (folder / "events.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines), "utf-8")
    home = open_home(folder / "home")
    home.ingest.files([folder / "events.jsonl"], now=lambda: NOW, progress=lambda *_: None)
    for day in NIGHTS:
        night(home, day, only=LEARNING)
    return home


def table(home: Home, name: str) -> list[str]:
    """All rows, but for her own words: they are sealed with fresh dice in every home."""
    with home.warehouse.open() as tables:
        found = tables.read(name)
        plain = found.drop(*(each for each in SEALED if each in found.columns))
        return sorted(repr(sorted(row.items())) for row in plain.to_pyarrow().to_pylist())


def busiest(lines: list[dict]) -> str:
    users = [line["user_id"] for line in lines if line["event_type"] == "APPLICATION_SUBMITTED"]
    return max(sorted(set(users)), key=users.count)


def moment(line: dict) -> datetime:
    return datetime.fromisoformat(line["timestamp"]).astimezone(UTC)


@pytest.fixture(autouse=True)
def one_key(monkeypatch):
    """The same pseudonyms in every home."""
    monkeypatch.setenv("LAYER7_MASTER_KEY", bytes(range(32)).hex())


def test_it_is_as_if_these_events_had_never_been(tmp_path, lines):
    user_id = busiest(lines)
    since = datetime(SINCE.year, SINCE.month, SINCE.day, tzinfo=UTC)
    gone = [line for line in lines if line["user_id"] == user_id and moment(line) >= since]
    assert len(gone) > 20
    home = filled(tmp_path / "forgets", lines)
    other = filled(tmp_path / "never", [line for line in lines if line not in gone])
    person = home.keys.person(user_id)
    assert home.personal.kept() != other.personal.kept()
    told = forget_since(home, user_id, SINCE, act=ACT)
    assert (told.events, told.nights) == (len(gone), len(NIGHTS))
    assert home.personal.kept() == other.personal.kept()
    assert table(home, "applications") == table(other, "applications")
    with home.warehouse.open() as tables:
        weeks = tables.read("weeks")
        assert weeks.filter(weeks.person == person).count().to_pyarrow().as_py() == 0
    for each in (home, other):
        night(each, NIGHTS[-1] + timedelta(days=1), only=LEARNING)
    for name in TABLES:
        assert table(home, name) == table(other, name), name
    assert home.personal.kept() == other.personal.kept()
    again = forget_since(home, user_id, SINCE, act=ACT)
    assert (again.events, again.applications) == (0, told.applications)
    acts = [record for record in home.state.audit() if record["action"] == "person.forget-since"]
    assert len(acts) == 2
    assert user_id not in repr(acts)


def test_what_she_said_of_her_data_stays_said(make_event, take, home):
    said = {
        "event_type": "CONSENT_CHANGED",
        "user_id": "anna",
        "timestamp": "2026-02-01T00:00:00Z",
        "purpose": "experiments",
        "value": False,
    }
    take(home, [make_event(), make_event(application_id="a2", timestamp="2026-02-02T09:00:00Z"), said])
    told = forget_since(home, "anna", date(2026, 1, 1), act=ACT)
    assert (told.events, told.applications, told.nights) == (2, 0, 0)
    assert not home.consents.may(home.keys.person("anna"), Purpose.EXPERIMENTS)


def test_rankings_and_what_was_shown_since_then_are_gone(make_event, take, home):
    take(home, [make_event()])
    somebody, other = home.keys.person("anna"), "another"
    days = ("2026-01-31T23:59:59+00:00", "2026-02-01T00:00:00+00:00")
    with home.state.write() as connection:
        for person in (somebody, other):
            for day in days:
                said = {"person": person, "at": day}
                connection.execute(schema.rankings.insert().values(id=person + day, body=b"", **said))
                connection.execute(schema.exposures.insert().values(job=day, **said))
    forget_since(home, "anna", date(2026, 2, 1), act=ACT)
    with home.state.read() as connection:
        for held in (schema.rankings, schema.exposures):
            left = connection.execute(select(held.c.person, held.c.at)).all()
            assert set(left) == {(somebody, days[0]), (other, days[0]), (other, days[1])}


def test_of_nobody_nothing_is_forgotten(home):
    with pytest.raises(Layer7Error) as refused:
        forget_since(home, "nobody", SINCE, act=ACT)
    assert refused.value.code == "unknown_user"
