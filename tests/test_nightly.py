"""The night: the same when run twice, when killed and when looked back at; honest when it fails."""

import os
import signal
import subprocess
import sys
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from layer7 import nightly
from layer7.cli.app import main
from layer7.errors import Layer7Error
from layer7.nightly import STAGES, Night, Outcome, run_night
from layer7.simulation import SCENARIOS, events, simulate, write_events
from layer7.storage.home import Home, open_home
from layer7.storage.people import People
from layer7.storage.reading import Horizon
from layer7.storage.schema import consents
from layer7.storage.survey import Survey
from layer7.storage.thresholds import Thresholds

START = date(2026, 1, 5)
WEEKS = 12
NOW = datetime(2026, 11, 1, tzinfo=UTC)


def clock() -> datetime:
    return NOW


def silent(_stage: str, _share: float) -> None:
    return None


@pytest.fixture(scope="module")
def log(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("log")
    market = simulate(SCENARIOS["default"], people=60, weeks=WEEKS, start=START, rng=np.random.default_rng(3))
    write_events(events(market), folder, format="jsonl")
    return folder


@pytest.fixture
def home(tmp_path, log) -> Home:
    made = open_home(tmp_path / "home")
    made.ingest.files([log], now=clock, progress=lambda _name, _size: None)
    return made


def night(home: Home, day: date = START + timedelta(weeks=WEEKS)):
    return run_night(home, Horizon(day, NOW), clock=clock, progress=silent)


def table(home: Home, name: str) -> list[dict[str, object]]:
    with home.warehouse.open() as tables:
        found = tables.read(name)
        assert found is not None
        keys = [key for key in ("person", "application_id", "period", "month") if key in found.columns]
        return found.order_by(keys).to_pyarrow().to_pylist()


def test_stages_are_told_in_their_order_and_recorded(home):
    run = night(home)
    assert [stage.__name__ for stage in STAGES] == [
        "forget",
        "ingest",
        "applications",
        "measure",
        "find",
        "survey",
        "release",
        "predict",
        "compare",
        "propose",
        "personalise",
        "analyse",
        "advance",
        "tell",
        "settle",
    ]
    assert [stage.stage for stage in run.stages] == [stage.__name__ for stage in STAGES]
    assert {stage.status for stage in run.stages} == {"done"}
    measured = run.report["measure"]
    assert measured["applications"] == measured["funnel"][0]["n"] > 1_000
    low, high = measured["interview_rate"]["low"], measured["interview_rate"]["high"]
    assert low < measured["interview_rate"]["value"] < high
    assert measured["naive_rate"] < measured["interview_rate"]["value"] < measured["resolved_rate"]
    assert {line["name"] for line in measured["quality"]} >= {"critical fields known"}


def test_running_twice_changes_nothing(home):
    first = night(home)
    before = table(home, "applications"), table(home, "performance")
    second = night(home)
    assert (table(home, "applications"), table(home, "performance")) == before
    assert second.report["measure"] == first.report["measure"]
    assert len(home.recommendations.list()) == len(first.report["propose"]["new"])
    assert second.report["propose"]["new"] == []


def test_a_past_night_is_given_again_and_the_present_one_after_it(home):
    early = START + timedelta(weeks=6)
    first = night(home, early)
    then = table(home, "applications")
    present = night(home)
    now = table(home, "applications")
    assert len(then) < len(now)
    assert night(home, early).report["measure"] == first.report["measure"]
    assert table(home, "applications") == then
    assert night(home).report["measure"] == present.report["measure"]
    assert table(home, "applications") == now


def test_many_nights_come_to_the_same_as_one(home, tmp_path, log):
    for weeks in (2, 3, 7, WEEKS):
        night(home, START + timedelta(weeks=weeks))
    other = open_home(tmp_path / "other", home.settings.model_copy(update={"master_key": _key(home)}))
    other.ingest.files([log], now=clock, progress=lambda _name, _size: None)
    night(other)
    assert table(other, "applications") == table(home, "applications")
    assert table(other, "performance") == table(home, "performance")


def _key(home: Home) -> str:
    return (home.path / "keys" / "master.key").read_text(encoding="ascii")


def test_an_empty_home_says_that_there_is_nothing_yet(tmp_path):
    run = night(open_home(tmp_path / "home"))
    assert run.status == "done"
    assert run.report["measure"] == {"answer": "no applications yet"}


def test_a_failing_stage_ends_the_night_and_leaves_what_was_done(home, monkeypatch):
    def broken(_night: Night) -> Outcome:
        raise Layer7Error("disk_full", "The disk is full.", "Free some space.")

    monkeypatch.setattr(nightly, "STAGES", (*STAGES[:3], broken))
    with pytest.raises(Layer7Error) as caught:
        night(home)
    assert caught.value.code == "stage_failed"
    assert "The disk is full." in caught.value.message
    run = home.runs.latest()[0]
    assert (run.status, [stage.status for stage in run.stages]) == (
        "failed",
        ["done", "done", "done", "failed"],
    )
    assert table(home, "applications")


def test_two_nights_do_not_run_at_once(home):
    with home.locks.hold("nightly", wait=0.0), pytest.raises(Layer7Error) as caught:
        night(home)
    assert caught.value.code == "locked"


def test_who_objects_is_left_out(home):
    somebody = table_of_people(home)[0]
    with home.state.write() as connection:
        connection.execute(
            consents.insert().values(
                person=somebody,
                purpose="personalisation",
                value="off",
                at=START.isoformat() + "T00:00:00+00:00",
                source="test",
            )
        )
    night(home)
    assert somebody not in {row["person"] for row in table(home, "performance")}


def table_of_people(home: Home) -> list[str]:
    night(home)
    return sorted({str(row["person"]) for row in table(home, "performance")})


def test_a_person_is_asked_for_by_the_callers_own_id(home):
    night(home)
    rows = People(home).applications(limit=1)
    user_id = rows[0]["user_id"]
    found = People(home).performance(user_id)
    assert found is not None
    assert found.user_id == user_id
    assert found.total_applications == len(
        [row for row in People(home).applications(user_id=user_id, limit=10_000) if row["submitted_at"]]
    )
    whole = People(home).performance(user_id, f"{START}..{START + timedelta(weeks=WEEKS)}")
    assert whole is not None
    assert whole.total_applications == found.total_applications
    assert People(home).performance("nobody") is None
    with pytest.raises(Layer7Error, match="no period"):
        People(home).performance(user_id, "last tuesday")


@pytest.mark.parametrize("delay", [1.0, 2.0])
def test_a_killed_night_is_run_again_and_gives_the_same(tmp_path, log, delay):
    path = tmp_path / "home"
    made = open_home(path)
    made.ingest.files([log], now=clock, progress=lambda _name, _size: None)
    command = [
        sys.executable,
        "-m",
        "layer7",
        "nightly",
        "--as-of",
        "2026-03-30",
        "--json",
        "--home",
        str(path),
    ]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(delay)
    process.send_signal(signal.SIGKILL)
    process.wait()
    again = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ.copy())
    assert again.returncode == 0, again.stderr
    killed = table(made, "applications"), table(made, "performance")
    whole = open_home(tmp_path / "whole", made.settings.model_copy(update={"master_key": _key(made)}))
    whole.ingest.files([log], now=clock, progress=lambda _name, _size: None)
    run_night(whole, Horizon(date(2026, 3, 30), datetime.now(UTC)), clock=clock, progress=silent)
    assert killed == (table(whole, "applications"), table(whole, "performance"))
    assert len(made.recommendations.list()) == len(whole.recommendations.list())


def test_the_night_judges_the_thresholds_of_the_strategy_mode(home):
    found = night(home).report["propose"]["strategy_mode"]
    assert found["resume_score"]["evidence"] == "none"
    assert found["updates"]["improve_resume_threshold"] is None
    assert found["updates"]["sample_size"] > 40
    assert "exploration" in found["resume_score"]["why_not"]
    told = table(home, "rethinking")
    assert len(told) == len({row["person"] for row in told}) > 40
    assert {row["state"] for row in told} <= {"rethink", "not_yet", "fine"}
    reader = Thresholds(home)
    (somebody, *_) = reader.people(limit=1)
    assert reader.person(somebody["user_id"]) == somebody
    assert reader.person("a stranger") is None
    assert {row["state"] for row in reader.people(state="not_yet")} == {"not_yet"}


def test_segments_are_surveyed_and_the_market_of_those_who_agree(home, capsys, monkeypatch):
    with pytest.raises(Layer7Error, match="market yet"):
        Survey(home).market(inside=True)
    night(home)
    shown = Survey(home).inside()
    assert shown
    assert all(each.user_count >= 10 for each in shown)
    assert Survey(home).segment(shown[0].segment_id, inside=True) == shown[0]
    with pytest.raises(Layer7Error, match="No segment"):
        Survey(home).segment("nobody")
    market = Survey(home).market(inside=True)
    assert 20 <= market.contributors <= 40
    assert market.most_active_industries[0].job_postings > 0
    assert 0 < market.evidence["ghosting_rate"].low < market.ghosting_rate < 1
    assert 1 <= market.avg_days_to_first_response <= 60
    assert market.best_months_to_apply == ()
    for words in (["market"], ["segments", "list"], ["segments", "list", "--json"]):
        monkeypatch.setattr("sys.argv", ["layer7", *words, "--inside", "--home", str(home.path)])
        with pytest.raises(SystemExit) as left:
            main()
        assert left.value.code == 0
    shown_id = shown[0].segment_id
    monkeypatch.setattr(
        "sys.argv", ["layer7", "segments", "show", shown_id, "--inside", "--home", str(home.path)]
    )
    with pytest.raises(SystemExit):
        main()
    assert "95 % interval" in capsys.readouterr().out
