"""Locks between threads and processes; whoever dies lets go."""

import multiprocessing as mp
import threading
import time

import pytest

from children import PRELOAD, hold
from layer7.errors import Layer7Error


def test_one_at_a_time(any_home):
    with any_home.locks.hold("log", wait=0), pytest.raises(Layer7Error) as error:
        any_home.locks.hold("log", wait=0.1).__enter__()
    assert error.value.code == "locked"
    with any_home.locks.hold("log", wait=0):
        pass


def test_two_names_are_two_locks(any_home):
    with any_home.locks.hold("log", wait=0), any_home.locks.hold("nightly", wait=0):
        pass


def test_an_error_lets_go(any_home):
    with pytest.raises(ValueError, match="oops"), any_home.locks.hold("log", wait=0):
        raise ValueError("oops")
    with any_home.locks.hold("log", wait=0):
        pass


def test_who_waits_gets_it_in_the_end(any_home):
    got = threading.Event()

    def wait():
        with any_home.locks.hold("log", wait=20):
            got.set()

    with any_home.locks.hold("log", wait=0):
        waiting = threading.Thread(target=wait)
        waiting.start()
        assert not got.wait(0.2)
    assert got.wait(20)
    waiting.join()


def test_a_killed_process_lets_go(any_home, tmp_path):
    context = mp.get_context("forkserver")
    context.set_forkserver_preload(PRELOAD)
    held = tmp_path / "held"
    url = any_home.settings.database_url
    holder = context.Process(target=hold, args=(str(any_home.path), url, "nightly", str(held)))
    holder.start()
    deadline = time.monotonic() + 30
    while not held.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    with pytest.raises(Layer7Error):
        any_home.locks.hold("nightly", wait=0.1).__enter__()
    holder.kill()
    holder.join()
    with any_home.locks.hold("nightly", wait=10):
        pass
