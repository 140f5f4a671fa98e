"""The register is the schema: what it does not name does not exist, in state, keys, data and files."""

import json
import sqlite3
from contextlib import closing
from fnmatch import fnmatch

import pytest
from sqlalchemy import inspect

from canaries import PERSON, private_events
from children import NOW, small_settings
from layer7.contract import EVENT_EXAMPLES, EventType
from layer7.nightly import run_night
from layer7.storage.home import open_home
from layer7.storage.rights.register import DATASETS, FILES, KEYS, STATE
from layer7.storage.warehouse.reading import Horizon

ADD = "say in src/layer7/storage/rights/register.py what it holds of a person, and how she is found there"


@pytest.fixture(scope="module")
def used(tmp_path_factory):
    """A home after a night in which every kind of event came."""
    folder = tmp_path_factory.mktemp("register")
    home = open_home(folder / "home", small_settings().model_copy(update={"reserve_mb": 1}))
    others = [
        EVENT_EXAMPLES[EventType.APPLICATION_SUBMITTED]
        | {"user_id": f"u{at}", "application_id": f"a{at}", "event_id": f"e{at}"}
        for at in range(30)
    ]
    told = [event for event in private_events() if event["event_type"] != "ERASURE_REQUESTED"]
    lines = "".join(f"{json.dumps(event)}\n" for event in [*told, *others])
    (folder / "events.jsonl").write_text(lines, encoding="utf-8")
    home.ingest.files([folder / "events.jsonl"], now=lambda: NOW, progress=lambda *_: None)
    run_night(home, Horizon(NOW.date(), NOW), clock=lambda: NOW, progress=lambda *_: None)
    yield home
    home.state.engine.dispose()


def test_every_table_and_column_of_the_state_is_named(used):
    found = inspect(used.state.engine)
    there = {name: {column["name"] for column in found.get_columns(name)} for name in found.get_table_names()}
    assert {place.name: set(place.columns) for place in STATE} == there, ADD
    named = {place.name for place in STATE if place.person}
    assert {name for name, columns in there.items() if columns & {"person", "user_id"}} <= named, ADD


def test_every_column_of_the_keys_is_named(used):
    with closing(sqlite3.connect(used.path / "keys" / "keys.db")) as database:
        tables = [name for (name,) in database.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        there = {name: {row[1] for row in database.execute(f"PRAGMA table_info({name})")} for name in tables}
    assert {place.name: set(place.columns) for place in KEYS} == there, ADD


def test_every_dataset_is_named_and_holds_nobody_where_it_says_so(used):
    person = used.keys.person(PERSON)
    known = {place.name: place for place in DATASETS}
    live = {file.dataset for file in used.manifest.live()}
    assert live <= set(known), ADD
    with used.warehouse.open() as tables:
        for name in live:
            rows = tables.read(name).to_pyarrow()
            if known[name].person is None:
                assert "person" not in rows.column_names, ADD
                assert person not in repr(rows.to_pylist()), ADD
            else:
                others = rows.drop_columns(["person"]).to_pylist()
                assert person not in repr(others), f"{name} holds a person in another column; {ADD}"


def test_every_file_is_named(used):
    there = [str(path.relative_to(used.path)) for path in used.path.rglob("*") if path.is_file()]
    assert "reserve" in there
    assert [name for name in there if not any(fnmatch(name, place.name) for place in FILES)] == [], ADD


def test_a_place_that_is_not_named_is_found(used):
    """Else the register would prove nothing."""
    with used.state.write() as connection:
        connection.exec_driver_sql("CREATE TABLE forgotten (person TEXT)")
    with pytest.raises(AssertionError, match="register"):
        test_every_table_and_column_of_the_state_is_named(used)
    with used.state.write() as connection:
        connection.exec_driver_sql("DROP TABLE forgotten")
    (used.path / "forgotten.log").touch()
    with pytest.raises(AssertionError, match="register"):
        test_every_file_is_named(used)
    (used.path / "forgotten.log").unlink()


def test_what_holds_a_person_says_what_for():
    for place in (*STATE, *DATASETS, *KEYS):
        assert place.holds
        assert bool(place.used_for) == bool(place.person), place.name
