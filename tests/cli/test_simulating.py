"""`layer7 simulate` writes a market's events, and its truth apart."""

import json
from pathlib import Path

import pyarrow.parquet as pq
from tests.command_line import layer7


def simulated(folder, *words):
    return json.loads(
        layer7("simulate", "--people", "8", "--weeks", "3", "--out", str(folder), "--json", *words)
    )


def test_events_and_truth_are_written_apart(tmp_path):
    files = simulated(tmp_path, "--scenario", "S1", "--seed", "3", "--start", "2026-03-02")
    assert [Path(file).relative_to(tmp_path).as_posix() for file in files["events"]] == [
        "events/events-00000.parquet"
    ]
    log, truth = pq.read_table(files["events"][0]), pq.read_table(files["truth"][0])
    created = [kind == "APPLICATION_CREATED" for kind in log["event_type"].to_pylist()]
    assert sum(created) == truth.num_rows > 0
    assert min(log["timestamp"].to_pylist()) >= "2026-03-02"
    assert not {"probability", "quality"} & set(log.schema.names)


def test_a_seed_gives_the_same_events_in_every_format(tmp_path):
    (lines,) = simulated(tmp_path / "lines", "--seed", "3", "--format", "jsonl")["events"]
    (table,) = simulated(tmp_path / "table", "--seed", "3")["events"]
    said = [json.loads(line)["event_id"] for line in Path(lines).read_text().splitlines()]
    assert said == pq.read_table(table)["event_id"].to_pylist()
    (other,) = simulated(tmp_path / "other", "--seed", "4")["events"]
    assert said != pq.read_table(other)["event_id"].to_pylist()


def test_what_cannot_be_simulated_is_said(tmp_path):
    assert "There are: default, S0" in layer7(
        "simulate", "--scenario", "S99", "--out", str(tmp_path), code=1
    ).replace("\n", " ")
    assert "Write it like 2026-03-02" in layer7(
        "simulate", "--start", "soon", "--out", str(tmp_path), code=2
    ).replace("\n", " ")
    assert not list(tmp_path.iterdir())
