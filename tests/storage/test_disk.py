"""A disk that is full still lets people be erased; a disk that fails is written no more."""

import json
import os
from errno import EOPNOTSUPP
from functools import partial
from multiprocessing import get_context
from os import statvfs
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from children import PRELOAD, small_settings
from disks import NO_SMALL_DISK, live_on_a_full_disk, with_failing_flushes
from layer7.cli.app import build
from layer7.contract.reading import read_event
from layer7.contract.vocabulary import Purpose
from layer7.errors import Layer7Error
from layer7.storage.database.manifest import ALL_BUCKETS
from layer7.storage.database.reserve import Reserve
from layer7.storage.database.state import Act
from layer7.storage.home import open_home

SIZE = 1 << 20


@pytest.fixture
def on_full_disk(tmp_path, missing):
    """Fill a disk of some megabytes in a process of its own; gives what it noted."""

    def call(megabytes):
        context = get_context("forkserver")
        context.set_forkserver_preload(PRELOAD)
        disk, told = tmp_path / "disk", tmp_path / "told.json"
        disk.mkdir()
        child = context.Process(target=live_on_a_full_disk, args=(str(disk), megabytes, str(told)))
        child.start()
        child.join(300)
        if child.exitcode == NO_SMALL_DISK:
            missing("A process may not mount a small disk here: what a full disk does was not tested.")
        assert child.exitcode == 0
        return json.loads(told.read_text())

    return call


def test_people_are_erased_on_a_full_disk_with_the_room_that_is_held_for_it(on_full_disk):
    found = on_full_disk(40)
    assert found["held"] == [16, 15, 16], (
        "what was used of it is not there to take again, until there is room"
    )
    assert found["refused"] == ["disk_full"] * 3
    assert found["read"] == ["anna", "ben", "cara", "dora"]
    assert found["withdrawn"] == {"experiments": "no"}
    assert found["events"] == ["accepted", "accepted"]
    assert found["heard"] == [{"experiments": "no"}, 1]
    assert [each["key_destroyed"] for each in found["erased"]] == [True, True]
    assert found["after"] == ["accepted", found["erased"][0]], "the same receipt"
    assert found["left"] == [["cara"], False]
    assert found["audit"] == 6


@pytest.fixture
def reserve(tmp_path):
    found = Reserve(tmp_path / "reserve", SIZE)
    found.keep()
    return found


def free(monkeypatch, room):
    """Let a disk say that it has so many bytes free."""
    monkeypatch.setattr(os, "statvfs", lambda _: SimpleNamespace(f_bavail=room, f_frsize=1))


def test_the_room_is_really_taken_and_taken_anew_where_a_copy_has_holes(reserve, tmp_path):
    path = tmp_path / "reserve"
    assert path.stat().st_blocks * 512 >= reserve.held == SIZE
    assert path.stat().st_mode & 0o777 == 0o600
    os.truncate(path, 0)
    os.truncate(path, SIZE)
    assert reserve.held == 0
    reserve.keep()
    assert reserve.held == SIZE


def test_no_room_is_taken_unless_as_much_is_left(tmp_path, monkeypatch):
    reserve = Reserve(tmp_path / "reserve", SIZE)
    free(monkeypatch, 2 * SIZE - 1)
    reserve.keep()
    assert not (tmp_path / "reserve").exists()
    free(monkeypatch, 2 * SIZE)
    reserve.keep()
    assert reserve.held == SIZE


def test_another_size_is_kept_from_the_next_opening_on(reserve, tmp_path):
    for size in (SIZE // 2, SIZE * 2, 0):
        Reserve(tmp_path / "reserve", size).keep()
        assert reserve.held == size
    assert not (tmp_path / "reserve").exists()


def test_where_the_system_cannot_promise_room_bytes_are_written_that_nothing_can_pack(tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(EOPNOTSUPP, os.strerror(EOPNOTSUPP))

    monkeypatch.setattr(os, "posix_fallocate", refuse)
    reserve = Reserve(tmp_path / "reserve", SIZE)
    reserve.keep()
    assert reserve.held == SIZE
    assert len(set((tmp_path / "reserve").read_bytes()[-9999:])) > 200


def test_the_room_is_lent_once_and_taken_again_whatever_happens(reserve, tmp_path):
    other = Reserve(tmp_path / "reserve", SIZE)

    def borrow():
        with reserve.lent(), reserve.lent():
            assert not (tmp_path / "reserve").exists()
            other.keep()
            assert other.held == 0, "what another process has lent is not taken from it"
            raise KeyError

    with pytest.raises(KeyError):
        borrow()
    assert reserve.held == SIZE


def test_of_what_was_lent_as_much_is_taken_again_as_is_left(reserve, monkeypatch):
    with reserve.lent():
        free(monkeypatch, SIZE // 2)
    assert reserve.held == SIZE // 2
    monkeypatch.setattr(os, "statvfs", statvfs)
    reserve.keep()
    assert reserve.held == SIZE


def test_the_command_says_how_much_is_held(tmp_path, monkeypatch):
    monkeypatch.setenv("LAYER7_RESERVE_MB", "1")

    def run(*words):
        asked = ["check", "--home", str(tmp_path / "home"), *words]
        return CliRunner().invoke(build(["check"]), asked).output

    assert json.loads(run("--json"))["reserve_bytes"] == SIZE
    assert "MiB" not in run()
    (tmp_path / "home" / "reserve").unlink()
    free(monkeypatch, SIZE)
    assert "Only 0 of 1 MiB are held" in run()


@pytest.fixture
def accept(make_event, now):
    def call(home, name):
        line = json.dumps(make_event(event_id=name))
        return home.inbox.accept([(line, read_event(line, now=now))], now=now, source="http")[0].status

    return call


@pytest.fixture
def unflushed(missing):
    """Do something in a thread in which every flush fails, in SQLite, in the engine and in Python alike."""

    def call(act, *given):
        try:
            return with_failing_flushes(act, *given)
        except (OSError, KeyError):
            missing("The system does not let a thread's flushes be refused here: none failed.")

    return call


def refused(act, *given):
    with pytest.raises(Layer7Error) as error:
        act(*given)
    return error.value.code


def writes(home, now, accept):
    """Every way to the disk."""
    act = Act("dpo", "test", "", now)
    return (
        partial(accept, home, "later"),
        partial(home.keys.admit, ["somebody new"]),
        partial(home.manifest.write, "events", ALL_BUCKETS, lambda path: path.write_bytes(b"x")),
        partial(home.consents.say, "anna", {Purpose.EXPERIMENTS: "no"}, act=act, source="test"),
        partial(home.erasures.erase, "anna", act=act),
        partial(home.keys.destroy, home.keys.person("anna")),
    )


def test_after_a_flush_that_failed_nothing_is_written_until_the_home_is_opened_anew(
    home, accept, unflushed, now
):
    """A later flush that succeeds would prove nothing; here all of them would succeed."""
    assert accept(home, "before") == "accepted"
    assert unflushed(refused, accept, home, "lost") == "disk_failed"
    assert [refused(each) for each in writes(home, now, accept)] == ["disk_failed"] * 6
    assert refused(home.state.writable) == "disk_failed"
    assert home.inbox.waiting() == 1, "reads go on"
    assert home.check() == {"state": (), "keys": (), "fairness": (), "data": ()}
    home.state.engine.dispose()
    again = open_home(home.path, small_settings())
    assert accept(again, "lost") == "accepted"
    assert again.inbox.waiting() == 2
    again.state.engine.dispose()


@pytest.mark.parametrize("which", range(1, 6))
def test_wherever_a_flush_fails_it_is_the_last_write(home, accept, unflushed, now, which):
    accept(home, "before")
    assert unflushed(refused, writes(home, now, accept)[which]) == "disk_failed"
    assert refused(accept, home, "later") == "disk_failed"


def test_a_tombstone_that_was_not_flushed_is_none(home, unflushed, now):
    """Else whoever tries again would find it in the system's memory, and take it for durable."""
    home.keys.tombstones.add("a" * 32, now)
    assert unflushed(refused, home.keys.tombstones.add, "b" * 32, now) == "disk_failed"
    assert list(home.keys.tombstones.all()) == ["a" * 32]
    assert refused(home.state.writable) == "disk_failed"
