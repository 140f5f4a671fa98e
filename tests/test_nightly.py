"""The night: the same when run twice, when killed and when looked back at; honest when it fails."""

import multiprocessing as mp
import signal
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from children import PRELOAD, night_until, small_settings
from command_line import layer7
from layer7 import nightly
from layer7.errors import Layer7Error
from layer7.nightly import STAGES, Night, Outcome
from layer7.simulation import SCENARIOS, events, simulate, write_events
from layer7.storage.database.runs import Run
from layer7.storage.database.schema import consents
from layer7.storage.home import Home, open_home
from layer7.storage.services.people import People
from layer7.storage.services.survey import Survey
from layer7.storage.services.thresholds import Thresholds
from nights import MEASURED, NOW, night

START = date(2026, 1, 5)
WEEKS = 12
END = START + timedelta(weeks=WEEKS)


def clock() -> datetime:
    return NOW


@pytest.fixture(scope="module")
def log(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("log")
    market = simulate(
        SCENARIOS["S4_parts"], people=60, weeks=WEEKS, start=START, rng=np.random.default_rng(3)
    )
    write_events(events(market), folder, format="jsonl")
    return folder


@pytest.fixture
def home(tmp_path, log) -> Home:
    made = open_home(tmp_path / "home", small_settings())
    made.ingest.files([log], now=clock, progress=lambda _name, _size: None)
    return made


@pytest.fixture(scope="module")
def rested(tmp_path_factory, log) -> Home:
    """A home after one whole night; who uses it leaves its log as it is."""
    made = open_home(tmp_path_factory.mktemp("rested") / "home", small_settings())
    made.ingest.files([log], now=clock, progress=lambda _name, _size: None)
    night(made, END)
    return made


def last(home: Home) -> Run:
    return home.runs.latest(status="done")[0]


def table(home: Home, name: str) -> list[dict[str, object]]:
    with home.warehouse.open() as tables:
        found = tables.read(name)
        assert found is not None
        keys = [key for key in ("person", "application_id", "period", "month") if key in found.columns]
        return found.order_by(keys).to_pyarrow().to_pylist()


def test_stages_are_told_in_their_order_and_recorded(rested):
    run = last(rested)
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
    weights = run.report["propose"]["resume_score"]["component_weights"]
    assert weights["current_weights"] == pytest.approx(
        {"experience": 0.4, "format": 0.2, "impact": 0.2, "keywords": 0.2}, abs=0.01
    )
    assert (weights["n"], weights["suggested_weights"]) == (measured["applications"], {})


def test_running_twice_changes_nothing(rested):
    first = last(rested)
    proposed = rested.recommendations.list()
    before = table(rested, "applications"), table(rested, "performance")
    second = night(rested, END)
    assert (table(rested, "applications"), table(rested, "performance")) == before
    assert second.report["measure"] == first.report["measure"]
    assert rested.recommendations.list() == proposed
    assert second.report["propose"]["new"] == []


def test_a_past_night_is_given_again_and_the_present_one_after_it(home):
    early = START + timedelta(weeks=6)
    first = night(home, early, only=MEASURED)
    then = table(home, "applications")
    present = night(home, END, only=MEASURED)
    now = table(home, "applications")
    assert len(then) < len(now)
    assert night(home, early, only=MEASURED).report["measure"] == first.report["measure"]
    assert table(home, "applications") == then
    assert night(home, END, only=MEASURED).report["measure"] == present.report["measure"]
    assert table(home, "applications") == now


def test_many_nights_come_to_the_same_as_one(home, tmp_path, log):
    for weeks in (2, 3, 7, WEEKS):
        night(home, START + timedelta(weeks=weeks), only=MEASURED)
    other = open_home(tmp_path / "other", small_settings())
    other.ingest.files([log], now=clock, progress=lambda _name, _size: None)
    night(other, END, only=MEASURED)
    assert table(other, "applications") == table(home, "applications")
    assert table(other, "performance") == table(home, "performance")


def test_an_empty_home_says_that_there_is_nothing_yet(tmp_path):
    run = night(open_home(tmp_path / "home"), END)
    assert run.status == "done"
    assert run.report["measure"] == {"answer": "no applications yet"}


def test_a_failing_stage_ends_the_night_and_leaves_what_was_done(home, monkeypatch):
    def broken(_night: Night) -> Outcome:
        raise Layer7Error("disk_full", "The disk is full.", "Free some space.")

    monkeypatch.setattr(nightly, "STAGES", (*STAGES[:3], broken))
    with pytest.raises(Layer7Error) as caught:
        night(home, END)
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
        night(home, END)
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
    night(home, END, only=MEASURED)
    assert somebody not in {row["person"] for row in table(home, "performance")}


def table_of_people(home: Home) -> list[str]:
    night(home, END, only=MEASURED)
    return sorted({str(row["person"]) for row in table(home, "performance")})


def test_a_person_is_asked_for_by_the_callers_own_id(rested):
    home = rested
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


def test_a_night_that_is_killed_three_times_gives_the_same(home, rested):
    context = mp.get_context("forkserver")
    context.set_forkserver_preload(PRELOAD)
    home.state.engine.dispose()
    for stage in ("applications", "find", "propose"):
        process = context.Process(target=night_until, args=(str(home.path), END, stage))
        process.start()
        process.join()
        assert process.exitcode == -signal.SIGKILL
    night(home, END)
    for name in ("applications", "performance", "patterns", "pattern_plans"):
        assert table(home, name) == table(rested, name), name
    kept = [item.recommendation_id for item in home.recommendations.list()]
    assert kept == [item.recommendation_id for item in rested.recommendations.list()]


def test_the_night_judges_the_thresholds_of_the_strategy_mode(rested):
    home, found = rested, last(rested).report["propose"]["strategy_mode"]
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


def test_before_a_night_there_is_no_market(home):
    with pytest.raises(Layer7Error, match="market yet"):
        Survey(home).market(inside=True)


def test_segments_are_surveyed_and_the_market_of_those_who_agree(rested):
    home = rested
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
        layer7(*words, "--inside", home=home)
    assert "95 % interval" in layer7("segments", "show", shown[0].segment_id, "--inside", home=home)
