"""The life of an experiment from the command line: made, run through nights, read, replayed, ended."""

import json
from datetime import UTC, date, datetime, timedelta

import pytest
from typer.testing import CliRunner

import nights
from children import small_settings
from layer7.cli import trials
from layer7.cli.app import build
from layer7.errors import Layer7Error
from layer7.experiments.plan import specified
from layer7.storage.database.schema import consents
from layer7.storage.database.state import Act

START = datetime(2026, 1, 5, 9, tzinfo=UTC)
KNOWN = datetime(2026, 3, 1, tzinfo=UTC)
DAYS = [date(2026, 1, 20), date(2026, 2, 10)]


def call(home, *words, code=0):
    arguments = ["experiments", *words]
    if words[0] != "metrics":
        arguments += ["--home", str(home.path)]
    done = CliRunner().invoke(build(arguments), arguments, catch_exceptions=True)
    if isinstance(done.exception, Layer7Error):
        return done.exception.code
    assert done.exit_code == code, done.output
    return json.loads(done.stdout) if "--json" in words else done.stdout


def at(day, hour=0):
    return (START + timedelta(days=day, hours=hour)).isoformat()


def log():
    """60 people, exposed in turn; every second of the treatment's applications leads to an interview."""
    events = []
    for i in range(60):
        user, arm = f"u{i:02}", ("control", "treatment")[i % 2]
        met = {"event_type": "EXPERIMENT_EXPOSED", "experiment_id": "exp_001", "variant_id": arm}
        events.append(met | {"user_id": user, "timestamp": at(1 + i // 3)})
        for k in range(4):
            about = {
                "user_id": user,
                "application_id": f"{user}-{k}",
                "job_id": "j",
                "resume_version_id": "r",
            }
            sent = 2 + i // 3 + k
            events.append(about | {"event_type": "APPLICATION_SUBMITTED", "timestamp": at(sent)})
            if (i * 7 + k * 3) % (4 if arm == "treatment" else 9) == 0:
                heard = {"event_type": "STATUS_CHANGED", "timestamp": at(sent + 2, 3)}
                events.append(about | heard | {"outcome": {"status": "interview"}})
    return events


@pytest.fixture(autouse=True)
def the_same_settings(monkeypatch):
    """The command line opens the home as the fixtures do."""
    monkeypatch.setenv("LAYER7_BUCKETS", "4")
    monkeypatch.setenv("LAYER7_MASTER_KEY", small_settings().master_key)


@pytest.fixture
def running(home, take, tmp_path, monkeypatch):
    """A home with an experiment that ran through two nights."""
    draft = json.loads(specified(0).model_dump_json(exclude_unset=True))
    plan = {
        "minimum_sample_size": 40,
        "looks": 2,
        "maximum_duration_days": 60,
        "guardrail_metrics": ["response_rate"],
    }
    (tmp_path / "plan.json").write_text(json.dumps(draft | plan))
    monkeypatch.setattr(trials, "now", lambda: START)
    made = call(home, "create", str(tmp_path / "plan.json"), "--json")
    assert made["status"] == "draft", made
    home.experiments.start("exp_001", act=Act("ada", "experiment.start", "exp_001", START, "to learn"))
    assert take(home, log(), at=KNOWN - timedelta(days=1)).quarantined == 0
    for day in DAYS:
        night(home, day)
    return home


def night(home, day):
    return nights.night(home, day, now=KNOWN, only=nights.JUDGED)


def test_results_are_kept_and_a_past_night_is_given_again_bit_for_bit(running, take):
    home = running
    found = call(home, "results", "exp_001", "--json")
    assert (found["as_of"], found["units"]) == ("2026-02-11T00:00:00+00:00", {"control": 30, "treatment": 30})
    assert [look["units"] for look in found["arms"]["treatment"]["looks"]] == [60.0]
    assert found["look"] == 1
    assert "Guardrails" in call(home, "results", "exp_001")
    with home.warehouse.open() as tables:
        assert tables.read("experiment_moments").count().to_pyarrow().as_py() > 10
    kept = home.runs.latest(limit=2)[1].report["analyse"]["exp_001"]
    assert sum(kept["units"].values()) == 45
    assert "Between looks" in kept["sentence"]
    # What came later, was covered later and was decided later changes nothing of a past night.
    late = {"event_type": "STATUS_CHANGED", "user_id": "u01", "application_id": "u01-1", "job_id": "j",
            "resume_version_id": "r", "timestamp": at(6), "outcome": {"status": "interview"}}  # fmt: skip
    take(home, [late], at=KNOWN + timedelta(days=1))
    call(home, "stop", "exp_001", "--why", "seen enough", "--json")
    for day, report in zip(DAYS, reversed(home.runs.latest(limit=2)), strict=True):
        again = call(home, "replay", "exp_001", "--as-of", day.isoformat(), "--json")
        assert again["same"] is True
        assert again["results"] == report.report["analyse"]["exp_001"]
    assert "The same as was kept then." in call(home, "replay", "exp_001", "--as-of", "2026-01-20")
    assert call(home, "replay", "exp_001", "--as-of", "2026-01-21", "--json") == "not_analysed"


def test_the_same_night_twice_changes_nothing_and_a_past_one_is_only_read(running):
    home = running
    before, audited = home.experiments.get("exp_001"), len(home.state.audit())
    night(home, DAYS[1])
    night(home, DAYS[0])
    assert home.experiments.get("exp_001") == before
    assert len(home.state.audit()) == audited
    assert home.state.verify_audit() == audited


def test_who_refuses_experiments_is_left_out(running):
    with running.state.write() as connection:
        connection.execute(
            consents.insert().values(
                person=running.keys.person("u01"), purpose="experiments", value="no", at=at(0), source="test"
            )
        )
    night(running, date(2026, 2, 11))
    assert running.experiments.get("exp_001").results.units == {"control": 30, "treatment": 29}


def test_a_life(running):
    assert call(running, "pause", "exp_001", "--json")["status"] == "paused"
    assert night(running, date(2026, 2, 12)).report["analyse"] == {"answer": "no experiment is running"}
    assert "is now running" in call(running, "resume", "exp_001")
    assert call(running, "list", "--state", "running", "--json")[0]["experiment_id"] == "exp_001"
    assert "exp_001" in call(running, "list")
    assert "units per variant" in call(running, "show", "exp_001")
    assert call(running, "show", "exp_001", "--json")["looks"] == 2
    assert call(running, "stop", "exp_001", "--json")["status"] == "completed"
    assert call(running, "pause", "exp_001") == "move_not_allowed"
    assert [act["action"] for act in running.state.audit()][-1] == "experiment.stop"


def test_bad_questions(home, tmp_path):
    (tmp_path / "bad.json").write_text('{"experiment_id": "x"}')
    assert call(home, "create", str(tmp_path / "bad.json")) == "bad_experiment"
    assert call(home, "create", str(tmp_path / "none.json")) == "no_such_file"
    assert call(home, "results", "x") == "unknown_experiment"
    assert call(home, "replay", "x", "--as-of", "2026-01-01") == "unknown_experiment"
    assert "No experiment" in call(home, "list")
    (tmp_path / "good.json").write_text(specified(0).model_dump_json(exclude_unset=True))
    call(home, "create", str(tmp_path / "good.json"))
    assert call(home, "results", "exp_001") == "no_results"


def test_the_catalogue(home):
    assert "interview_rate" in call(home, "metrics")
    found = {each["name"]: each for each in call(home, "metrics", "--json")}
    assert found["days_to_response"]["higher_is_better"] is False
