"""The index of identities: it never misses one, whatever came in whatever pieces."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from layer7.storage.intake.identities import Identities, repeated

SMALL = st.lists(st.integers(0, 60), max_size=30).map(lambda values: np.array(values, np.uint64))


@given(files=st.lists(SMALL, max_size=8), wanted=SMALL)
def test_what_was_taken_up_is_met_and_nothing_else(files, wanted):
    known = Identities()
    for at, hashes in enumerate(files):
        known.add(str(at), hashes)
    everything = {int(value) for hashes in files for value in hashes}
    assert known.meets(wanted).tolist() == [int(value) in everything for value in wanted]


@given(hashes=SMALL)
def test_what_comes_more_than_once(hashes):
    listed = hashes.tolist()
    assert repeated(hashes).tolist() == [listed.count(value) > 1 for value in listed]


def test_each_file_is_read_once():
    known, asked = Identities(), []

    def read(names):
        asked.append(names)
        return np.arange(len(names), dtype=np.uint64)

    known.add("own", np.array([9], np.uint64))
    known.learn(["own", "a", "b"], read)
    known.learn(["own", "a", "b", "c"], read)
    assert asked == [["a", "b"], ["c"]]


def test_runs_stay_few():
    known = Identities()
    for at in range(1000):
        known.add(str(at), np.arange(at * 10, at * 10 + 10, dtype=np.uint64))
    assert len(known._runs) <= 14
    assert sum(map(len, known._runs)) == 10_000
