"""Forgetting a person: nothing of her is left to read, anywhere, whatever happens on the way."""

import json
import os
import shutil
from datetime import UTC, date, datetime, timedelta
from multiprocessing import get_context

import pyarrow as pa
import pytest
from sqlalchemy import select, update

import children
from canaries import CANARIES, PERSON, contents, leaks, private_events
from copies import copied
from layer7 import nightly
from layer7.contract.reading import read_event
from layer7.contract.rights import ErasureReceipt
from layer7.errors import Layer7Error
from layer7.nightly.night import Night
from layer7.storage.database import schema
from layer7.storage.database.state import Act
from layer7.storage.home import open_home
from layer7.storage.warehouse.reading import Horizon

BROKEN = f'{{"event_type": "STATUS_CHANGED", "user_id": "{PERSON}", "reason": "{CANARIES[2]}'


def act(now, why=""):
    return Act("dpo", "test", "", now, why)


STAGES = (nightly.forget, nightly.ingest, nightly.applications, nightly.settle)


def night(home, now, stages=STAGES):
    """Run the stages of a night that move files; gives what each of them reports."""
    at_work = Night(home, Horizon(now.date(), now), 1, lambda: now, lambda _: None)
    return {stage.__name__: stage(at_work).report for stage in stages}


def derive(home, now):
    """Leave derived tables as a night does: one that names people, one that does not."""
    with home.warehouse.open() as tables:
        people = tables.read("applications").select("person", "bucket", month=0).distinct().to_pyarrow()
    home.warehouse.replace("performance", people, at=now)
    home.warehouse.replace("outlook", pa.table({"age": [0, 1], "unseen": [1.0, 0.9]}), at=now)


def told():
    """Everything that she ever said, but no request to be forgotten."""
    return [event for event in private_events() if event["event_type"] != "ERASURE_REQUESTED"]


def others(make_event, count=25):
    return [make_event(user_id=f"u{at}", application_id=f"b{at}", event_id=f"o{at}") for at in range(count)]


def knowing(home, take, now, make_event):
    """Let a home know her from every side: log, inbox, quarantine, derived tables."""
    take(home, [*told(), *others(make_event), BROKEN, json.dumps(told()[0])[:-1], {"user_id": PERSON}])
    night(home, now)
    derive(home, now)
    waiting = [json.dumps(event | {"event_id": f"w{at}"}) for at, event in enumerate(told()[:4])]
    home.inbox.accept([(line, read_event(line, now=now)) for line in waiting], now=now, source="http")
    return home


@pytest.fixture
def used(home, take, now, make_event):
    return knowing(home, take, now, make_event)


@pytest.fixture
def used_any(any_home, take, now, make_event):
    return knowing(any_home, take, now, make_event)


def rows_of_her(home, person):
    """Count her rows in everything that anybody can read."""
    found = {}
    with home.warehouse.open() as tables:
        for name in {file.dataset for file in home.manifest.live()}:
            table = tables.read(name)
            if table is not None and "person" in table.columns:
                found[name] = table.filter(table.person == person).count().execute()
    with home.state.read() as connection:
        for table in schema.metadata.tables.values():
            if "person" in table.c and table.name != "erasures":
                query = select(table.c.person).where(table.c.person == person)
                found[table.name] = len(connection.execute(query).all())
    return {name: count for name, count in found.items() if count}


def test_nothing_of_her_is_left_to_read_and_the_others_are_untouched(used_any, now, logged):
    used = used_any
    person = used.keys.person(PERSON)
    assert {"events", "applications", "performance", "inbox", "quarantine"} <= set(rows_of_her(used, person))
    before = [row for row in logged(used) if row["person"] != person]
    receipt = used.erasures.erase(PERSON, act=act(now, f"asked by {PERSON}"))
    assert rows_of_her(used, person) == {}
    assert used.keys.keys([person]) == {}
    assert [row for row in logged(used) if row["person"] == person] == []
    assert logged(used) == before
    assert receipt.key_destroyed
    assert receipt.removed["inbox"] == 4
    assert receipt.removed["quarantine"] == 3
    assert "events" in receipt.waiting
    last = used.state.audit()[-1]
    assert (last["subject"], last["why"]) == (receipt.receipt_id, "")
    used.erasures.check(receipt)


def test_the_night_rewrites_the_files_and_says_when(used, now):
    person = used.keys.person(PERSON)
    used.erasures.erase(PERSON, act=act(now))
    assert [each.rewritten_at for each in used.erasures.list()] == [None]
    later = now + timedelta(days=1)
    night(used, later)
    assert used.erasures.list()[0].rewritten_at == later.isoformat()
    assert used.erasures.list()[0].gone_at is None
    assert rows_of_her(used, person) == {}
    for path in used.path.rglob("*.parquet"):
        os.utime(path, (0, 0))
    night(used, later + timedelta(days=1))
    assert used.erasures.list()[0].gone_at == (later + timedelta(days=1)).isoformat()
    assert [name for name, content in contents(used.path / "data") if person.encode() in content] == []


def test_no_byte_of_her_is_left_in_any_encoding(used, now):
    home = used
    person = home.keys.person(PERSON)
    home.erasures.erase(PERSON, act=act(now))
    home.rewriting.run(at=now, progress=lambda _: None)
    home.rewriting.settle(at=now, at_once=True)
    assert leaks(home.path, keys=True) == []
    # Her old name stands in what keeps a restored backup from bringing her back, and nowhere else.
    holding = {name for name, content in contents(home.path, keys=True) if person.encode() in content}
    assert holding <= {"keys/tombstones", "state.db", "state.db-wal"}
    with home.state.read() as connection:
        receipt = connection.execute(select(schema.erasures.c.receipt)).scalar_one()
    assert person not in receipt


def test_old_names_are_let_go_when_no_backup_holds_them(home, take, now, make_event):
    take(home, [*told(), make_event(user_id="back", event_id="x1"), make_event(user_id="o", event_id="x2")])
    names = {user: home.keys.person(user) for user in (PERSON, "back")}
    for user in (PERSON, "back"):
        home.erasures.erase(user, act=act(now))
    again = make_event(user_id="back", event_id="x3", timestamp=(now + timedelta(days=1)).isoformat())
    take(home, [again], at=now + timedelta(days=2))
    new = home.keys.person("back")
    home.rewriting.run(at=now, progress=lambda _: None)
    home.rewriting.settle(at=now, at_once=True)
    assert set(home.keys.tombstones.all()) == set(names.values())
    home.rewriting.settle(at=now + timedelta(days=43), at_once=True)
    # By hers, one who came back is still found.
    assert set(home.keys.tombstones.all()) == {names["back"]}
    assert home.keys.person("back") == new
    assert [name for name, content in contents(home.path) if names[PERSON].encode() in content] == []
    assert len(home.erasures.list()) == 2


def test_asking_twice_gives_the_same_receipt(used, now):
    first = used.erasures.erase(PERSON, act=act(now))
    assert used.erasures.erase(PERSON, act=act(now + timedelta(days=3))) == first
    assert len(used.erasures.list()) == 1


def test_somebody_of_whom_nothing_is_known_gets_a_receipt(any_home, now):
    receipt = any_home.erasures.erase("nobody", act=act(now))
    assert not receipt.key_destroyed
    assert set(receipt.removed.values()) == {0}
    assert any_home.erasures.erase("nobody", act=act(now)) == receipt


def test_a_receipt_that_was_changed_is_found_out(home, now):
    receipt = home.erasures.erase(PERSON, act=act(now))
    home.erasures.check(ErasureReceipt.model_validate_json(receipt.model_dump_json()))
    forged = receipt.model_copy(update={"erased_at": "2020-01-01T00:00:00+00:00"})
    with pytest.raises(Layer7Error, match="changed"):
        home.erasures.check(forged)


def test_her_old_events_do_not_come_back_and_new_ones_are_somebody_elses(used, take, now, logged):
    old = used.keys.person(PERSON)
    used.erasures.erase(PERSON, act=act(now))
    summary = take(used, [*told(), BROKEN])
    assert (summary.accepted, summary.erased, summary.quarantined) == (0, len(told()), 1)
    assert BROKEN not in [item.raw for item in used.quarantine.waiting()]
    lines = [json.dumps(event) for event in told()]
    receipts = used.inbox.accept([(line, read_event(line, now=now)) for line in lines], now=now, source="x")
    assert {receipt.status for receipt in receipts} == {"ignored"}
    assert used.keys.keys([used.keys.person(PERSON)]) == {}
    later = now + timedelta(days=1)
    event = told()[0] | {"timestamp": later.isoformat(), "event_id": "new"}
    assert take(used, [event], at=later + timedelta(hours=1)).accepted == 1
    new = used.keys.person(PERSON)
    assert new != old
    assert used.keys.user_ids([new]) == {new: PERSON}
    assert [row["event_id"] for row in logged(used) if row["person"] == new] == ["new"]
    # Being erased again is another erasure, with another receipt.
    second = used.erasures.erase(PERSON, act=act(later))
    assert len({each.receipt.receipt_id for each in used.erasures.list()}) == 2
    assert used.erasures.erase(PERSON, act=act(later)) == second


def test_another_process_that_remembers_her_name_takes_nothing_under_it(home, now, logged):
    other = open_home(home.path, home.settings)
    other.keys.admit([PERSON])
    old = home.keys.person(PERSON)
    home.erasures.erase(PERSON, act=act(now))
    later = now + timedelta(days=1)
    event = json.dumps(told()[0] | {"timestamp": later.isoformat()})
    other.inbox.accept([(event, read_event(event, now=later))], now=later, source="http")
    other.inbox.drain(now=later)
    assert [row["person"] for row in logged(home)] == [home.keys.person(PERSON)] != [old]


def test_rows_that_were_through_the_door_when_she_was_erased_are_not_taken(home, now, monkeypatch, take):
    append = type(home.inbox.log)._classify

    def erased_meanwhile(log, *arguments, **more):
        home.erasures.erase(PERSON, act=act(now))
        return append(log, *arguments, **more)

    monkeypatch.setattr(type(home.inbox.log), "_classify", erased_meanwhile)
    assert take(home, told()).accepted == 0
    assert home.manifest.live("events") == ()


def test_an_event_asks_for_it(used, now, take, make_event):
    person = used.keys.person(PERSON)
    asked = {"event_type": "ERASURE_REQUESTED", "user_id": PERSON, "timestamp": now.isoformat()}
    line = json.dumps(asked)
    used.inbox.accept([(line, read_event(line, now=now))], now=now, source="http")
    # From now on she is hidden; a moment later she is erased.
    with used.warehouse.open() as tables:
        assert tables.read("events").filter(lambda t: t.person == person).count().execute() == 0
    assert used.erasures.resume(now) == 1
    assert rows_of_her(used, person) == {}
    assert used.erasures.resume(now) == 0
    other = make_event(user_id="u3", event_type="ERASURE_REQUESTED", event_id="r", application_id=None)
    take(used, [{name: other[name] for name in ("user_id", "event_type", "event_id", "timestamp")}])
    assert night(used, now)["forget"] == {"erased": 1}
    assert [each.receipt.removed["inbox"] for each in used.erasures.list()] == [0, 5]


STEPS = ("tombstones.add", "keys.destroy", "state.change", "state.truncate")


@pytest.mark.parametrize("step", STEPS)
def test_a_run_that_is_killed_is_done_to_its_end_by_the_next_one(home, take, now, make_event, step):
    take(home, [*told(), *others(make_event)])
    person = home.keys.person(PERSON)
    process = get_context("fork").Process(target=children.erase_until, args=(str(home.path), PERSON, step))
    home.state.engine.dispose()
    process.start()
    process.join(30)
    assert process.exitcode == -9
    again = open_home(home.path, home.settings)
    again.erasures.resume(now)
    assert rows_of_her(again, person) == {}
    assert again.keys.keys([person]) == {}
    assert len(again.erasures.list()) == 1
    assert again.state.verify_audit() >= 1


def test_a_restored_backup_does_not_bring_her_back(home, take, now, make_event, tmp_path):
    """An old copy of everything but the keys is put back; the keys of today are beside it."""
    take(home, [*told(), *others(make_event)])
    night(home, now)
    derive(home, now)
    person = home.keys.person(PERSON)
    home.state.engine.dispose()
    backup = tmp_path / "backup"
    shutil.copytree(home.path, backup, ignore=shutil.ignore_patterns("keys"))
    today = open_home(home.path, home.settings)
    receipt = today.erasures.erase(PERSON, act=act(now))
    today.state.engine.dispose()
    shutil.copytree(home.path / "keys", backup / "keys")
    restored = open_home(backup, home.settings)
    assert rows_of_her(restored, person) == {}
    assert [each.receipt.receipt_id for each in restored.erasures.list()] == [receipt.receipt_id]
    # Her own words are shut in the files of the backup, and the next night takes the rows out.
    assert leaks(backup) == []
    night(restored, now)
    assert rows_of_her(restored, person) == {}
    assert restored.erasures.list()[0].rewritten_at is not None


def test_restored_keys_do_not_bring_her_back_either(home, take, now, tmp_path):
    take(home, told())
    person = home.keys.person(PERSON)
    copied(home.path / "keys", tmp_path / "keys")
    home.erasures.erase(PERSON, act=act(now))
    home.state.engine.dispose()
    shutil.rmtree(home.path / "keys")
    shutil.copytree(tmp_path / "keys", home.path / "keys")
    restored = open_home(home.path, home.settings)
    assert restored.keys.keys([person]) == {}
    assert set(restored.keys.tombstones.all()) == {person}
    assert rows_of_her(restored, person) == {}


def test_an_older_version_of_the_settings_brings_nobody_back(used, now):
    person = used.keys.person(PERSON)
    used.configs.start(now)
    component = next(iter(used.serving.keys(None)))
    before = used.serving.for_everybody(component)
    used.erasures.erase(PERSON, act=act(now))
    assert used.serving.for_everybody(component) == before
    assert rows_of_her(used, person) == {}


def test_the_only_person_may_go(home, take, now):
    take(home, told())
    night(home, now)
    home.erasures.erase(PERSON, act=act(now))
    said = night(home, now + timedelta(days=1), (*STAGES[:3], nightly.measure, nightly.survey))
    assert {said[name]["answer"] for name in ("measure", "survey")} == {"no applications yet"}


def test_it_does_not_read_the_log(used, now, monkeypatch):
    """So it takes as long with ten events as with a hundred million."""

    def refuse(*_):
        raise AssertionError("the log was opened")

    monkeypatch.setattr(type(used), "engine", refuse)
    monkeypatch.setattr(type(used.manifest), "live", refuse)
    assert used.erasures.erase(PERSON, act=act(now)).key_destroyed


def test_a_torn_tombstone_is_none_and_hides_no_other(home, now):
    home.erasures.erase("anna", act=act(now))
    path = home.path / "keys" / "tombstones"
    with path.open("ab") as file:
        file.write(b"0123456789abcdef")
    home.erasures.erase("ben", act=act(now))
    assert len(home.keys.tombstones.all()) == 2
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_full_disk_leaves_the_request_standing(home, take, now, monkeypatch):
    take(home, told())
    change = type(home.state).change

    def full(*_):
        raise Layer7Error("disk_full", "The disk is full.", "Free some space.")

    monkeypatch.setattr(type(home.state), "change", full)
    with pytest.raises(Layer7Error, match="full"):
        home.erasures.erase(PERSON, act=act(now))
    # The key is gone first, so nothing can be read even now.
    assert home.keys.keys(home.keys.tombstones.all()) == {}
    monkeypatch.setattr(type(home.state), "change", change)
    assert home.erasures.replay() == 1
    assert len(home.erasures.list()) == 1


def test_a_name_without_a_tombstone_that_the_state_knows_gets_it_again(home, now):
    home.erasures.erase(PERSON, act=act(now))
    name = next(iter(home.keys.tombstones.all()))
    (home.path / "keys" / "tombstones").unlink()
    with home.state.write() as connection:
        connection.execute(update(schema.erasures).values(requested_at="2026-01-01T00:00:00+00:00"))
    assert home.erasures.replay() == 0
    assert home.keys.tombstones.all() == {name: datetime(2026, 3, 2, 12, tzinfo=UTC)}


def test_a_night_of_the_past_is_told_without_her(used, now):
    person = used.keys.person(PERSON)
    used.erasures.erase(PERSON, act=act(now))
    with used.warehouse.open_past(Horizon(date(2026, 2, 1), now)) as tables:
        found = tables.read("applications")
        assert person not in found.to_pyarrow()["person"].to_pylist()
