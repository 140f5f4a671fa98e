"""Files hold the same events in every format, and the same bytes every time."""

import gzip
import json
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from layer7.errors import Layer7Error
from layer7.simulation import (
    EVENT_SCHEMA,
    SCENARIOS,
    Market,
    events,
    simulate,
    to_events,
    write_events,
    write_truth,
)
from layer7.simulation.taking import spelled


@pytest.fixture(scope="module")
def history():
    return simulate(Market(), people=25, weeks=4, start=date(2026, 3, 2), rng=np.random.default_rng(2))


@pytest.fixture(scope="module")
def log(history):
    return to_events(history)


def without_nulls(value):
    if isinstance(value, dict):
        return {key: without_nulls(item) for key, item in value.items() if item is not None}
    return value


def test_parquet_gives_the_events_back(log, tmp_path):
    files = write_events(log, tmp_path, rows_per_file=1_000)
    assert [f.name for f in files[:2]] == ["events-00000.parquet", "events-00001.parquet"]
    tables = [pq.read_table(f) for f in files]
    assert all(t.num_rows == 1_000 for t in tables[:-1])
    assert pa.concat_tables(tables).equals(spelled(log))


@pytest.mark.parametrize("form", ["jsonl", "jsonl.gz"])
def test_json_lines_leave_nulls_out(log, tmp_path, form):
    (file,) = write_events(log, tmp_path, format=form)
    data = file.read_bytes()
    lines = (gzip.decompress(data) if form == "jsonl.gz" else data).decode().splitlines()
    assert [json.loads(line) for line in lines] == [without_nulls(row) for row in log.to_pylist()]


def test_backslashes_quotes_and_other_letters_survive(log, tmp_path):
    reason = 'back\\x41slash, "quotes", Zürich\nand a second line'
    column = pa.array([reason] * log.num_rows)
    odd = log.set_column(EVENT_SCHEMA.get_field_index("reason"), "reason", column)
    (file,) = write_events(odd, tmp_path, format="jsonl")
    assert {json.loads(line)["reason"] for line in file.read_bytes().decode().split("\n") if line} == {reason}


@pytest.mark.parametrize("form", ["parquet", "jsonl", "jsonl.gz"])
def test_the_same_events_give_the_same_bytes(history, log, tmp_path, form):
    first = write_events(log, tmp_path / "a", format=form, rows_per_file=900)
    second = write_events(events(history), tmp_path / "b", format=form, rows_per_file=900)
    assert [f.read_bytes() for f in first] == [f.read_bytes() for f in second]


def rows(folder, form):
    """The events of a folder, as objects without nulls."""
    files = sorted(folder.iterdir())
    if form == "parquet":
        return [without_nulls(row) for file in files for row in pq.read_table(file).to_pylist()]
    texts = [gzip.decompress(f.read_bytes()) if form == "jsonl.gz" else f.read_bytes() for f in files]
    return [json.loads(line) for text in texts for line in text.splitlines()]


@pytest.mark.parametrize("name", ["S1", "S5b", "S7_randomised", "silence"])
def test_every_format_holds_the_same_events(tmp_path, name):
    """In the last market nobody applies, and what is said of applications is missing everywhere."""
    market = SCENARIOS.get(name, Market(weekly_volume_median=1e-9))
    history = simulate(market, people=12, weeks=3, start=date(2026, 3, 2), rng=np.random.default_rng(4))
    assert (history.applications.num_rows == 0) is (name == "silence")
    for form in ("parquet", "jsonl", "jsonl.gz"):
        write_events(events(history), tmp_path / form, format=form, rows_per_file=150)
    expected = [without_nulls(row) for row in to_events(history).to_pylist()]
    assert len(expected) > 20
    for form in ("parquet", "jsonl", "jsonl.gz"):
        assert rows(tmp_path / form, form) == expected


def test_readers_of_parquet_find_plain_texts(log, history, tmp_path):
    """Dictionaries are a matter of writing: longer than half of a file they are not even written."""
    kinds = {
        str(pq.read_schema(write_events(log, tmp_path / str(n), rows_per_file=n)[0])) for n in (200, 9_000)
    }
    kinds |= {str(pq.read_schema(file)) for file in write_truth(history, tmp_path / "truth")}
    assert not any("dictionary" in kind for kind in kinds)


def test_truth_is_written_apart(history, tmp_path):
    files = write_truth(history, tmp_path)
    assert pq.read_table(files[0]).num_rows == history.applications.num_rows
    assert "probability" in pq.read_schema(files[0]).names


def test_an_unknown_format_is_refused(log, tmp_path):
    with pytest.raises(Layer7Error, match="parquet, jsonl"):
        write_events(log, tmp_path, format="csv")


def test_a_file_of_no_rows_is_refused(log, tmp_path):
    with pytest.raises(Layer7Error, match="at least 1"):
        write_events(log, tmp_path, rows_per_file=0)
