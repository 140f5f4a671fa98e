"""A damaged database: found by looking, read as far as it can be, written no more until it is whole again."""

import json
import shutil
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import InternalError
from typer.testing import CliRunner

from children import small_settings
from damage import break_page
from layer7.cli.app import build
from layer7.contract.reading import read_event
from layer7.contract.vocabulary import Component, Purpose
from layer7.errors import Layer7Error
from layer7.nightly import run_night
from layer7.storage.database import integrity
from layer7.storage.database.integrity import is_damage
from layer7.storage.database.schema import audit, files
from layer7.storage.database.state import Act
from layer7.storage.home import open_home
from layer7.storage.warehouse.reading import Horizon

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def broken(home):
    """A home whose list of live files is damaged, while nobody has it open."""
    home.configs.start(NOW)
    home.keys.admit(["anna"])
    home.state.engine.dispose()
    break_page(home.path / "state.db", "files")
    return home.path


def reopened(path):
    return open_home(path, small_settings())


def code(act):
    with pytest.raises(Layer7Error) as error:
        act()
    return error.value.code


def say(home):
    home.consents.say("anna", {Purpose.EXPERIMENTS: "no"}, act=Act("t", "", "", NOW), source="test")


def accept(home, event):
    line = json.dumps(event)
    return home.inbox.accept([(line, read_event(line, now=NOW))], now=NOW, source="http")


def test_damage_is_found_when_a_home_is_opened_and_nothing_is_written_from_then_on(broken, make_event):
    before = (broken / "state.db").read_bytes()
    home = reopened(broken)
    assert home.state.damaged
    assert code(lambda: say(home)) == "state_damaged"
    assert code(lambda: accept(home, make_event())) == "state_damaged"
    assert code(
        lambda: run_night(home, Horizon(date(2026, 3, 2), NOW), clock=lambda: NOW, progress=print)
    ) == ("state_damaged")
    assert home.configs.active(Component.STRATEGY_ENGINE).version
    assert home.state.verify_audit() == len(Component)
    assert code(home.manifest.live) == "state_damaged"
    home.state.engine.dispose()
    assert (broken / "state.db").read_bytes() == before, "nothing is recomputed over it"


def test_damage_that_comes_while_a_home_is_open_is_found_by_whoever_meets_it(home):
    say(home)
    assert not home.state.damaged
    home.state.engine.dispose()
    break_page(home.path / "state.db", "files")
    assert code(home.manifest.live) == "state_damaged"
    assert home.state.damaged
    assert code(lambda: say(home)) == "state_damaged"
    with home.state.read() as connection:
        assert connection.execute(select(audit.c.id)).scalars().all() == [1]


def test_an_index_that_does_not_fit_its_table_is_found_by_the_thorough_look(home, monkeypatch):
    """Answers through it would be wrong without any error."""
    say(home)
    home.state.engine.dispose()
    index = "ix_consents_person_consents_purpose"
    break_page(home.path / "state.db", index, lambda page: page.replace(b"experiments", b"experimentz"))
    assert home.state.check(thorough=False) == ()
    assert any("missing from index" in fault for fault in home.state.check())
    # A large database is not looked at whenever it is opened, but the mark stays.
    monkeypatch.setattr(integrity, "LOOKED_AT", 0)
    assert reopened(home.path).state.damaged


def test_a_restored_database_is_looked_at_whole_and_written_again(home):
    say(home)
    home.state.engine.dispose()
    whole = break_page(home.path / "state.db", "files")
    assert reopened(home.path).state.damaged
    (home.path / "state.db").write_bytes(whole)
    again = reopened(home.path)
    assert not again.state.damaged
    say(again)
    assert not any(again.check().values())


def test_a_write_that_meets_damage_is_rolled_back_and_the_last(home, make_event):
    accept(home, make_event(event_id="kept"))
    home.state.engine.dispose()
    break_page(home.path / "state.db", "quarantine")
    line = "no json"
    refused = [(line, read_event(line, now=NOW))]
    assert code(lambda: home.inbox.accept(refused, now=NOW, source="http")) == "state_damaged"
    assert code(lambda: accept(home, make_event(event_id="new"))) == "state_damaged"
    assert home.inbox.waiting() == 1


@pytest.mark.parametrize(("name", "table"), [("keys/keys.db", "person"), ("fairness.db", "declared")])
def test_damage_beside_the_state_is_told_by_its_file(home, name, table):
    groups = {Purpose.FAIRNESS_MONITORING: "yes"}
    home.consents.say("anna", groups, act=Act("t", "", "", NOW), source="test")
    home.declared.declare("anna", {"gender": "female"}, act=Act("t", "", "", NOW))
    assert not any(home.check().values())
    home.keys._opened.held = None
    break_page(home.path / name, table)
    found = home.check()
    assert [place for place, faults in found.items() if faults] == [name.partition("/")[0].split(".")[0]]
    with pytest.raises(Layer7Error, match=rf"{name.rpartition('/')[2]} is damaged") as error:
        home.declared.of("anna")
    assert error.value.code == "database_damaged"


def test_a_file_that_is_gone_cut_off_or_changed_in_a_bit_is_named(home, take, make_event):
    for at in range(3):
        take(home, [make_event(event_id=f"e{at}")])
    first, second, third = (home.path / file.path for file in home.manifest.live())
    first.unlink()
    second.write_bytes(second.read_bytes()[:-9])
    whole = third.read_bytes()
    third.write_bytes(whole[:40] + bytes([whole[40] ^ 1]) + whole[41:])
    told = [fault.partition(" ")[2] for fault in home.check()["data"]]
    assert told == ["is gone", *["is not as it was written"] * 2]
    third.write_bytes(whole)
    with home.state.write() as connection:
        connection.execute(update(files).values(checksum=None))
    assert len(home.check()["data"]) == 2, "a file of an earlier version is taken by its length"


def test_the_command_says_what_is_damaged_and_when_it_is_whole_again(broken, tmp_path, monkeypatch):
    monkeypatch.setenv("LAYER7_MASTER_KEY", small_settings().master_key)
    monkeypatch.setenv("LAYER7_BUCKETS", "4")

    def run(*words):
        done = CliRunner().invoke(build(["check"]), ["check", "--home", str(broken), *words])
        return done.exit_code, done.output

    status, told = run("--json")
    assert status == 1
    assert json.loads(told)["written"] is False
    assert json.loads(told)["faults"]["state"]
    assert run()[0] == 1
    fresh = reopened(tmp_path / "fresh")
    fresh.configs.start(NOW)
    fresh.state.engine.dispose()
    shutil.copy(tmp_path / "fresh" / "state.db", broken / "state.db")
    assert run()[0] == 0


def test_damage_is_told_by_postgresql_too():
    class DamagedError(Exception):
        sqlstate = "XX001"

    assert is_damage(InternalError("SELECT", {}, DamagedError()))
    assert not is_damage(InternalError("SELECT", {}, Exception()))
    assert not is_damage(None)
