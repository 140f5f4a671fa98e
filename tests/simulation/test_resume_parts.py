"""Parts of resume scores: their weighted mean is the score, and the log says them in every form."""

import json
from datetime import UTC, date, datetime

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from layer7.simulation import SCENARIOS, events, levels, simulate, write_events
from layer7.simulation.json_lines import json_lines
from layer7.storage.intake.bulk import Validator


def run(market=SCENARIOS["default"]):
    rng = np.random.default_rng(5)
    return simulate(market, people=60, weeks=5, start=date(2026, 3, 2), rng=rng)


@pytest.fixture(scope="module")
def history():
    return run(SCENARIOS["S4_one_part"])


def test_the_score_is_the_planted_mean_of_its_parts(history):
    market = SCENARIOS["S4_one_part"]
    a = history.applications
    parts = np.array([list(dict(row).values()) for row in a["resume_score_components"].to_pylist()])
    score = a["resume_score"].to_numpy()
    assert [name for name, _ in a["resume_score_components"][0].as_py()] == list(levels.RESUME_PARTS)
    assert ((parts >= 0) & (parts <= 100)).all()
    assert np.abs(parts @ market.resume_weights - score).max() <= 0.051
    assert a["resume_score_of_employers"].to_numpy() == pytest.approx(parts[:, 3])
    apart = parts[score < 80] - score[score < 80, None]
    # A part less its share in the mean keeps (0.8² + 0.4² + 0.2² + 0.2²) of the planted variances.
    assert apart[:, 3].std() == pytest.approx(np.sqrt(0.88 * (12**2 + 6**2)), rel=0.1)


def test_parts_are_drawn_from_dice_of_their_own():
    """Where employers follow the weights in force, the market is what it is without any parts."""
    plain, parts = run(), run(SCENARIOS["S4_parts"])
    told = {"resume_score_components", "resume_score_of_employers", "probability", "probability_alive"}
    names = [name for name in plain.applications.column_names if name not in told]
    assert parts.applications.select(names).equals(plain.applications.select(names))
    assert plain.applications["resume_score_components"].null_count == plain.applications.num_rows
    assert (parts.identity, parts.people.equals(plain.people)) == (plain.identity, True)


def test_maps_are_objects_in_lines_of_json():
    kind = pa.map_(pa.string(), pa.float64())
    told = pa.array([[("a", 70.0), ("b", 0.5)], None, [], [("c", 1.0)]], kind)
    lines = b"".join(json_lines(pa.table({"n": [1, 2, 3, 4], "parts": told}))).splitlines()
    assert [json.loads(line) for line in lines] == [
        {"n": 1, "parts": {"a": 70.0, "b": 0.5}},
        {"n": 2},
        {"n": 3, "parts": {}},
        {"n": 4, "parts": {"c": 1.0}},
    ]


@pytest.mark.parametrize("form", ["parquet", "jsonl"])
def test_the_engine_reads_them_from_files(history, tmp_path, form):
    (file,) = write_events(events(history), tmp_path, format=form)
    with duckdb.connect(config={"threads": 1}) as engine:
        engine.execute("SET TimeZone = 'UTC'")
        validator = Validator(engine, now=datetime(2027, 1, 1, tzinfo=UTC))
        if form == "parquet":
            table = pq.read_table(file)
            tally = validator.rows(table.append_column("position", pa.array(range(len(table)), pa.int64())))
        else:
            lines = file.read_text("utf-8").splitlines()
            tally = validator.lines(pa.table({"position": range(len(lines)), "line": lines}))
        read = validator.checked
    assert not tally.refused
    names = ("application_id", "resume_score_components")
    truth = dict(zip(*(history.applications[name].to_pylist() for name in names), strict=True))
    said = zip(*(read[name].to_pylist() for name in names), strict=True)
    told = {name: parts for name, parts in said if parts is not None}
    assert len(told) > 1_000
    assert all(truth[name] == parts for name, parts in told.items())
