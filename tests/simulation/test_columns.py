"""Columns made from numbers say what Python's own text functions say, and rows taken are those of Arrow."""

import json
import uuid
from datetime import datetime, timedelta, timezone

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from layer7.simulation.columns import identifiers, iso_times, names, numbered
from layer7.simulation.draws import draw_levels
from layer7.simulation.json_lines import json_lines
from layer7.simulation.sorting import in_order
from layer7.simulation.taking import even, spelled, taken

WIDTH = 2**64 - 1


@given(st.dates(), st.lists(st.tuples(st.integers(0, 10**7), st.integers(-840, 840)), max_size=20))
def test_times_are_iso_8601(start, moments):
    assume(start.year < 9999)
    first = int(np.datetime64(start, "s").astype(np.int64))
    after, minutes = (np.array([moment[at] for moment in moments], dtype=np.int64) for at in (0, 1))
    expected = [
        (
            datetime(start.year, start.month, start.day, tzinfo=timezone(timedelta(minutes=ahead)))
            + timedelta(seconds=second)
        ).isoformat()
        for second, ahead in moments
    ]
    assert iso_times(first + after, 60 * minutes).to_pylist() == expected


@given(st.lists(st.tuples(st.integers(0, 10**9 - 1), st.integers(0, 999)), max_size=20))
def test_numbers_have_all_their_digits(pairs):
    first, second = (np.array([pair[at] for pair in pairs], dtype=np.int64) for at in (0, 1))
    found = numbered("job", (first, 9), (second, 3)).to_pylist()
    assert found == [f"job-{one:09d}-{two:03d}" for one, two in pairs]


def mixed(value):
    """SplitMix64's finaliser, in Python's whole numbers."""
    value = (value + 0x9E3779B97F4A7C15) & WIDTH
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & WIDTH
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & WIDTH
    return value ^ (value >> 31)


@given(
    st.integers(0, 2**63 - 1),
    st.lists(st.tuples(st.integers(0, 127), st.integers(0, 2**54 - 1)), max_size=20),
)
def test_identifiers_are_uuids_of_version_8(identity, events):
    kind, row = (np.array([event[at] for event in events], dtype=np.int64) for at in (0, 1))
    for text, (sort, number) in zip(identifiers(identity, kind, row).to_pylist(), events, strict=True):
        event = (sort << 54) | number
        high = mixed(event ^ mixed(identity)) & 0xFFFFFFFFFFFF0FFF | 0x8000
        assert text == str(uuid.UUID(int=high << 64 | event | 1 << 63))
        assert uuid.UUID(text).version == 8


@given(st.lists(st.integers(-(2**33), 2**33), max_size=50))
def test_the_order_is_that_of_a_stable_sort(times):
    array = np.array(times, dtype=np.int64)
    for these in (array, array % 5, array // 2**20):
        assert in_order(these).tolist() == np.argsort(these, kind="stable").tolist()


@given(st.lists(st.floats(0.001, 1), min_size=1, max_size=200), st.integers(0, 2**32))
def test_levels_are_those_of_a_search(weights, seed):
    """The same dice give the same levels, whether few edges are counted or many are looked up."""
    shares = np.array(weights) / sum(weights)
    drawn = np.random.default_rng(seed).random(300)
    expected = np.searchsorted(np.cumsum(shares)[:-1], drawn, side="right")
    assert draw_levels(tuple(shares), 300, np.random.default_rng(seed)).tolist() == expected.tolist()


def columns():
    """Every sort of column that an event has."""
    words = names(np.array([2, -1, 0, 1]), ("a", "b", "c"))
    lists = pa.ListArray.from_arrays(pa.array([0, 1, 2, 3, 4], pa.int32()), names(np.arange(4), "wxyz"))
    plain = {
        "number": pa.array([1.5, 2.5, 3.5, 4.5]),
        "gap": pa.array([1.5, None, 3.5, 4.5]),
        "truth": pa.array([True, False, True, True]),
        "text": pa.array(["ab", "cd", "ef", "gh"]),
        "uneven": pa.array(["a", "", None, "long"]),
        "word": words,
        "list": lists,
        "ragged": pa.array([["a"], [], None, ["b", "c"]]),
        "map": pa.array(
            [[("a", 1.5)], None, [], [("b", 2.0), ("c", 0.5)]], pa.map_(pa.string(), pa.float64())
        ),
        "nothing": pa.nulls(4, pa.map_(pa.string(), pa.float64())),
    }
    inner = pa.StructArray.from_arrays(list(plain.values()), names=list(plain))
    return plain | {"struct": inner, "deep": pa.StructArray.from_arrays([inner, words], names=["in", "w"])}


@pytest.mark.parametrize("name", columns())
@pytest.mark.parametrize("rows", [[3, None, 0, 0, None], [1, 2], [None, None], []])
def test_rows_taken_are_those_that_arrow_takes(name, rows):
    column, at = columns()[name], pa.array(rows, pa.int64())
    found = taken({name: column}, at)[name]
    found.validate(full=True)
    assert found.equals(column.take(at))


@pytest.mark.parametrize("rows", [[3, None, 0, 0, None], [1, 2], [None, None]])
def test_texts_and_lists_of_one_length_come_back_as_they_were(rows):
    at = pa.array(rows, pa.int64())
    for name in ("text", "list"):
        column = columns()[name]
        assert even(column).type != column.type
        nested = pa.StructArray.from_arrays([even(column)], names=[name])
        found = taken({name: even(column), "struct": nested}, at)
        for array in (found[name], found["struct"].field(name)):
            array.validate(full=True)
            assert array.equals(column.take(at))
    assert even(columns()["uneven"]).type == pa.string()


def test_only_long_dictionaries_are_spelled_out():
    table = pa.table({"word": columns()["word"], "deep": columns()["deep"]})
    assert spelled(table, longer_than=4).schema.equals(table.schema)
    plain = spelled(table)
    assert plain.schema.field("word").type == pa.string()
    assert plain.schema.field("deep").type.field("w").type == pa.string()
    assert plain.to_pylist() == table.to_pylist()


def without_nulls(value):
    if isinstance(value, dict):
        return {key: without_nulls(item) for key, item in value.items() if item is not None}
    return value


@pytest.mark.parametrize("part", [slice(0, 4), slice(1, 3), slice(3, 4), slice(2, 2)])
def test_lines_of_json_are_the_rows_without_nulls(part):
    odd = pa.array(['"', "back\\slash", None, "Zürich\nand\tmore"])
    nulls = pa.array([[None, "a"], None, [], ["b"]])
    weights = pa.array(
        [[("a", 1.5), ("b", 2.0)], None, [], [("a", None), ("c", 0.5)]], pa.map_(pa.string(), pa.float64())
    )
    empty = pa.StructArray.from_arrays([pa.nulls(4, pa.string())], names=["never"])
    table = pa.table({"odd": odd, **columns(), "nulls": nulls, "weights": weights, "empty": empty})
    table = table.take(pa.array(range(4))).slice(part.start, part.stop - part.start)
    lines = b"".join(json_lines(table)).decode().split("\n")
    assert lines.pop() == ""
    assert [json.loads(line) for line in lines] == [
        without_nulls(row) for row in table.to_pylist(maps_as_pydicts="strict")
    ]
    batches = pa.Table.from_batches(
        [table.slice(at, 1).to_batches()[0] for at in range(table.num_rows)], table.schema
    )
    assert b"".join(json_lines(batches)) == b"".join(json_lines(table))
