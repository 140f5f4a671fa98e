"""``experiments passport`` and ``experiments start``: what is said, refused, accepted, and recorded."""

import json
from datetime import UTC, date, datetime

import numpy as np
import pytest
from typer.testing import CliRunner

from layer7.cli.app import build
from layer7.errors import Layer7Error
from layer7.experiments.plan import specified
from layer7.simulation import SCENARIOS, simulate, to_events, write_events
from layer7.storage.database.state import Act
from layer7.storage.home import open_home
from nights import MEASURED, night


def run(*arguments):
    words = ["experiments", *arguments]
    done = CliRunner().invoke(build(words), words)
    if isinstance(done.exception, Layer7Error):
        return done.exception
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout) if "--json" in words else done.stdout


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A small community's log of six weeks, after one night."""
    path = tmp_path_factory.mktemp("passport")
    history = simulate(
        SCENARIOS["default"], people=25, weeks=6, start=date(2026, 1, 5), rng=np.random.default_rng(8)
    )
    files = write_events(to_events(history), path / "events")
    place = open_home(path / "home")
    now = datetime(2026, 3, 3, tzinfo=UTC)
    place.ingest.files(files, now=lambda: now, progress=lambda *_: None)
    night(place, date(2026, 2, 15), now=now, only=MEASURED)
    for number in (0, 1):
        draft = specified(number)
        place.experiments.create(draft, act=Act("ada", "experiment.create", draft.experiment_id, now))
    yield path / "home"
    place.state.engine.dispose()


def test_the_specifications_example_gets_an_honest_answer(home, tmp_path):
    """25 people cannot give 200 per arm: no verdict would ever be read, and it says what would do."""
    plan = tmp_path / "plan.json"
    plan.write_text(specified(0).model_dump_json())
    found = run("passport", str(plan), "--runs", "20", "--json", "--home", str(home))
    assert found["judgement"] == "underpowered"
    assert found["units"] <= 25
    assert "200" in found["sentence"]
    again = run("passport", "exp_001", "--runs", "20", "--json", "--home", str(home))
    assert {**again, "n": 0} == {**found, "n": 0}
    said = run("passport", "exp_001", "--runs", "20", "--home", str(home))
    for words in ("underpowered", "What would work", "smallest effect provable", "░"):
        assert words in said


def test_a_start_is_refused_unless_somebody_accepts_it_with_a_reason(home):
    refused = run("start", "exp_001", "--home", str(home))
    assert refused.code == "underpowered"
    assert "minimum_sample_size" in refused.hint
    assert run("start", "exp_001", "--accept-underpowered", "--home", str(home)).code == "reason_missing"
    running = run(
        "start",
        "exp_001",
        "--accept-underpowered",
        "--why",
        "to try the machinery",
        "--json",
        "--home",
        str(home),
    )
    assert running["status"] == "running"
    assert running["passport"]["judgement"] == "underpowered"
    place = open_home(home)
    kept = next(row for row in place.state.audit() if row["action"] == "experiment.start")
    place.state.engine.dispose()
    assert kept["why"] == "to try the machinery"
    assert json.loads(kept["detail"]) == {"accepted_underpowered": True, "passport": "underpowered"}


def test_without_a_log_nothing_is_promised(tmp_path):
    plan = tmp_path / "plan.json"
    plan.write_text(specified(1).model_dump_json())
    found = run("passport", str(plan), "--json", "--home", str(tmp_path / "home"))
    assert found["judgement"] == "cannot_tell"
    assert "Cannot tell" in run("passport", str(plan), "--home", str(tmp_path / "home"))
    plan.write_text('{"name": 3}')
    assert run("passport", str(plan), "--home", str(tmp_path / "home")).code == "bad_plan"
    assert run("passport", "exp_009", "--home", str(tmp_path / "home")).code == "unknown_experiment"
