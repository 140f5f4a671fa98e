"""A file counts from the moment its row is committed, and is deleted long after it stopped counting."""

import os
import resource
import time
from contextlib import contextmanager
from datetime import timedelta
from errno import EIO
from functools import partial

import pytest

from layer7.errors import Layer7Error
from layer7.storage.database.manifest import ALL_BUCKETS, File, Manifest
from layer7.storage.warehouse.reading import Horizon


@pytest.fixture
def add(now):
    def call(home, *, dataset="events", bucket=ALL_BUCKETS, gone=()):
        path = home.manifest.write(dataset, bucket, lambda at: at.write_bytes(b"x"))
        file = File(0, dataset, bucket, path, 7, 1, "2026-01-01T00:00:00+00:00")
        with home.state.write() as connection:
            home.manifest.publish(connection, new=[file], gone=gone, at=now)
        return home.manifest.live(dataset)[-1]

    return call


def swept(home, now, *, hours):
    return home.manifest.sweep(now=(now + timedelta(hours=hours)).timestamp())


def age(home, now):
    """Make all files as old as the moment at which tests take place."""
    for path in home.path.rglob("*"):
        os.utime(path, (now.timestamp(), now.timestamp()))


def test_files_are_listed_by_dataset_in_order(any_home, add):
    first, second = add(any_home), add(any_home, bucket=3)
    add(any_home, dataset="applications")
    assert any_home.manifest.live("events") == (first, second)
    assert (first.rows, first.max_time, first.folded_as_of) == (7, "2026-01-01T00:00:00+00:00", None)
    assert second.path.startswith("data/events/bucket=3/")
    assert any_home.manifest.size(first.path) == 1


def test_a_struck_out_file_is_no_longer_live(any_home, add):
    first = add(any_home)
    second = add(any_home, gone=[first])
    assert any_home.manifest.live("events") == (second,)


def test_a_list_that_fails_leaves_everything_as_it_was(any_home, add, now):
    first = add(any_home)
    path = any_home.manifest.write("events", ALL_BUCKETS, lambda at: at.write_bytes(b"x"))
    new = File(0, "events", ALL_BUCKETS, path, 1, 1)

    def break_off():
        with any_home.state.write() as connection:
            any_home.manifest.publish(connection, new=[new], gone=[first], at=now)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        break_off()
    assert any_home.manifest.live("events") == (first,)


def test_only_whole_files_get_their_name(home):
    def break_off(path):
        path.write_bytes(b"half")
        raise OSError

    with pytest.raises(OSError):  # noqa: PT011 - it has no message
        home.manifest.write("events", ALL_BUCKETS, break_off)
    assert list((home.path / "data").rglob("*.parquet*")) == []


def test_unlisted_files_are_swept_after_an_hour(home, add, now):
    listed = add(home)
    home.manifest.write("events", ALL_BUCKETS, lambda at: at.write_bytes(b"x"))
    (home.path / "data" / "events" / "all" / "half.parquet.tmp").touch()
    (home.path / "scratch").mkdir(exist_ok=True)
    (home.path / "scratch" / "spilled.tmp").touch()
    age(home, now)
    assert swept(home, now, hours=0.9) == 0
    assert swept(home, now, hours=1.1) == 3
    left = [str(path.relative_to(home.path)) for path in (home.path / "data").rglob("*.parquet*")]
    assert left == [listed.path]


def test_a_file_that_was_just_struck_out_is_left_to_its_readers(home, add, now):
    """However old it is: its readers have been given it a moment ago."""
    first = add(home)
    age(home, now - timedelta(days=9))
    add(home, gone=[first])
    assert swept(home, now, hours=0.9) == 0
    assert (home.path / first.path).exists()
    assert swept(home, now, hours=1.1) == 1
    assert not (home.path / first.path).exists()


def test_live_files_are_never_swept(home, add, now):
    first = add(home)
    age(home, now - timedelta(days=9))
    assert swept(home, now, hours=1000) == 0
    assert (home.path / first.path).exists()


@contextmanager
def full_disk(monkeypatch):
    """Let no file of the log or a table grow beyond two kilobytes, as a full disk does."""
    true, (_, most) = Manifest.write, resource.getrlimit(resource.RLIMIT_FSIZE)

    def write(*given):
        resource.setrlimit(resource.RLIMIT_FSIZE, (2_000, most))
        try:
            return true(*given)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))

    with monkeypatch.context() as patch:
        patch.setattr(Manifest, "write", write)
        yield


def refused(act, *given):
    with pytest.raises(Layer7Error) as error:
        act(*given)
    return error.value.code


def files_of(home):
    return sorted(path for path in (home.path / "data").rglob("*") if path.is_file())


def test_a_full_disk_refuses_the_log_and_the_night_in_words_and_leaves_nothing_half(
    home, take, make_event, logged, now, monkeypatch
):
    events = [make_event(event_id=f"e{at}", application_id=f"a{at}") for at in range(40)]
    take(home, events[:20])
    before, horizon = files_of(home), Horizon(now.date(), now)
    with full_disk(monkeypatch):
        assert refused(take, home, events) == "disk_full"
        assert refused(partial(home.warehouse.fold, horizon, at=now, progress=print)) == "disk_full"
        assert len(logged(home)) == 20
    assert files_of(home) == before
    take(home, events)
    assert home.warehouse.fold(horizon, at=now, progress=lambda _: None) == 40


@pytest.mark.parametrize("fails", [1, 2])
def test_a_write_that_the_disk_did_not_take_is_not_listed_and_not_tried_again(
    home, take, make_event, logged, monkeypatch, fails
):
    """Where a flush fails, of the file or of its folder, the next one would say that all is well."""
    take(home, [make_event()])
    before, asked, true = files_of(home), [], os.fsync

    def failing(descriptor):
        asked.append(descriptor)
        if len(asked) == fails:
            raise OSError(EIO, os.strerror(EIO))
        true(descriptor)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", failing)
        assert refused(take, home, [make_event(event_id="new")]) == "disk_failed"
    assert len(asked) == fails
    assert len(logged(home)) == 1
    home.manifest.sweep(now=time.time() + 7200)
    assert files_of(home) == before


def test_a_damaged_file_is_told_as_that(home, take, make_event, logged):
    take(home, [make_event()])
    (path,) = files_of(home)
    whole = path.read_bytes()
    for torn in (whole[:-9], whole[:20] + bytes(400) + whole[420:]):
        path.write_bytes(torn)
        assert refused(logged, home) == "data_damaged"
    path.unlink()
    assert refused(logged, home) == "data_damaged"
