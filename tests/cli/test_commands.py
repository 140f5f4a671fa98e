"""The command line, as a stranger types it."""

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from command_line import answer, layer7
from layer7.contract.optimization import FitScoreOptimization, ScoreCalibration, TimingInsights
from layer7.storage.home import open_home

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Path:
    """A home with the real job search of the examples in it, after one night."""
    path = tmp_path_factory.mktemp("real") / "home"
    taken = answer(
        "import-log",
        str(EXAMPLES / "job_search_log.csv"),
        "--mapping",
        str(EXAMPLES / "job_search_log.toml"),
        "--user",
        "tim",
        home=path,
    )
    assert (taken["rows"], taken["applications"], taken["quarantined"]) == (177, 177, 0)
    answer("nightly", "--as-of", "2023-03-13", home=path)
    return path


def test_the_real_log_gives_its_known_answers(home):
    found = answer("users", "show", "tim", home=home)
    assert found["total_applications"] == 177
    assert found["interview_requests"] == 13
    assert found["offers"] == 2
    assert found["ghosted"] + found["pending"] == 114
    evidence = found["evidence"]["interview_rate"]
    assert evidence["low"] < 13 / 177 < evidence["high"]


def test_one_persons_letter_and_settings(home):
    letter = answer("insights", "show", "tim", home=home)
    assert letter["week_start"] == "2023-03-06"
    assert letter["silence"]["waiting"] > 0
    settings = answer("personalize", "show", "tim", home=home)
    assert settings["origins"]["optimal_applications_per_week"] == "learned"


def test_importing_again_changes_nothing(home):
    again = answer(
        "import-log",
        str(EXAMPLES / "job_search_log.csv"),
        "--mapping",
        str(EXAMPLES / "job_search_log.toml"),
        "--user",
        "tim",
        home=home,
    )
    assert (again["accepted"], again["duplicate"]) == (0, 244)


def test_an_unknown_person_is_an_error_with_words(home):
    found = answer("users", "show", "nobody", home=home, code=1)
    assert found["error"]["code"] == "unknown_user"
    assert found["error"]["hint"]


def test_the_audit_log_verifies(home):
    assert answer("audit", "verify", home=home)["verified"] is True


def test_settings_are_set_and_rolled_back(home):
    before = answer("config", "show", "strategy_engine", home=home)["strategy_engine"]
    layer7("config", "set", "improve_resume_threshold", "70", "--why", "a try", home=home)
    after = answer("config", "show", "strategy_engine", home=home)["strategy_engine"]
    assert (before["improve_resume_threshold"], after["improve_resume_threshold"]) == (75.0, 70.0)
    assert answer("config", "diff", "strategy_engine", before["version"], home=home)[0]["to_value"] == 70.0
    layer7("config", "rollback", "strategy_engine", "--why", "enough", home=home)
    assert answer("config", "show", "strategy_engine", home=home)["strategy_engine"] == before
    kinds = [move["kind"] for move in answer("config", "history", "strategy_engine", home=home)]
    assert kinds[:2] == ["rollback", "set"]


def test_a_setting_out_of_range_is_refused(home):
    said = layer7("config", "set", "improve_resume_threshold", "170", "--why", "x", home=home, code=1)
    assert "100" in said


def test_faulty_events_wait_in_quarantine_and_can_be_tried_again(tmp_path):
    good = {
        "event_type": "APPLICATION_SUBMITTED",
        "event_id": "e1",
        "user_id": "ada",
        "application_id": "a1",
        "job_id": "j1",
        "resume_version_id": "r1",
        "timestamp": "2026-03-02T09:14:05-05:00",
    }
    lines = [good, good, good | {"event_id": "e2", "timestamp": "yesterday"}, {"event_type": "PAGE_VIEW"}]
    file = tmp_path / "events.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in lines) + "{broken\n")
    home = tmp_path / "home"
    taken = answer("ingest", str(file), home=home)
    counts = {name: taken[name] for name in ("accepted", "duplicate", "quarantined", "ignored")}
    assert counts == {"accepted": 1, "duplicate": 1, "quarantined": 2, "ignored": 1}
    assert taken["by_type"] == {"APPLICATION_SUBMITTED": 1}
    waiting = answer("quarantine", "list", home=home)
    assert [item["code"] for item in waiting] == ["invalid_timestamp", "invalid_json"]
    assert waiting[-1]["raw"] == "{broken"
    assert answer("quarantine", "retry", home=home)["quarantined"] == 2
    layer7("ingest", str(file), "--strict", home=home, code=1)


def test_a_missing_file_is_said_to_be_missing(tmp_path):
    found = answer("ingest", str(tmp_path / "nothing.jsonl"), home=tmp_path / "home", code=2)
    assert found["error"]["code"] == "no_such_file"


def test_schemas_are_written(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "layer7", "schema", "export", str(tmp_path / "schemas"), "--json"],
        capture_output=True,
        text=True,
        check=True,
    )
    written = json.loads(done.stdout)["written"]
    assert "UserPerformance.json" in written
    assert json.loads((tmp_path / "schemas" / "UserPerformance.json").read_text())["$schema"]


def test_tokens_are_made_listed_and_revoked(tmp_path):
    home = tmp_path / "home"
    made = answer("tokens", "create", "ci", "--scope", "review", home=home)
    assert made["token"]
    listed = answer("tokens", "list", home=home)
    assert [(item["name"], item["revoked"]) for item in listed] == [("ci", None)]
    layer7("tokens", "revoke", made["id"], home=home)
    assert answer("tokens", "list", home=home)[0]["revoked"]


def test_the_demo_runs_the_whole_loop(tmp_path):
    home = tmp_path / "demo"
    arguments = ("demo", "--no-serve", "--people", "100", "--weeks", "14")
    learned = answer(*arguments, home=home)["learned"]
    assert 0.02 < learned["measure"]["interview_rate"]["value"] < 0.07
    # A demo is made anew where there was one.
    said = layer7("demo", "--no-serve", "--people", "20", "--weeks", "4", home=home)
    assert "What the night learned" in said
    other = tmp_path / "not-a-demo"
    other.mkdir()
    (other / "mine.txt").write_text("keep")
    assert answer("demo", "--no-serve", home=other, code=1)["error"]["code"] == "not_a_demo"
    assert (other / "mine.txt").exists()


def test_nights_are_listed(home):
    assert answer("runs", "show", home=home)["as_of"] == "2023-03-13"
    assert answer("nightly", "--as-of", "someday", home=home, code=2)["error"]["code"] == "invalid_date"
    assert datetime.now(UTC).year >= 2026


@pytest.mark.parametrize(
    ("module", "unneeded"),
    [
        ("layer7.cli.app", {"alembic", "ibis", "pandas", "scipy.stats", "scipy.optimize"}),
        ("layer7.storage.home", {"alembic", "pandas", "scipy.stats", "scipy.optimize"}),
        ("layer7.nightly", {"alembic", "pandas", "scipy.stats"}),
    ],
)
def test_commands_begin_without_what_they_do_not_need(module, unneeded):
    """Every command waits for what it loads; each of these takes half a second or more."""
    script = f"import sys, {module}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert not unneeded & set(done.stdout.split())


def test_thresholds_of_one_persons_log_are_no_numbers(home):
    found = answer("thresholds", "show", home=home)
    assert found["resume_score"]["evidence"] == "none"
    assert (found["updates"]["improve_resume_threshold"], found["updates"]["confidence"]) == (None, None)
    assert found["rethink"]["answer"].startswith("Not enough data")
    (tim,) = answer("thresholds", "people", "--user", "tim", home=home)
    assert (tim["state"], tim["probability"], tim["n"]) == ("cannot_tell", None, 177)
    assert "Not enough data" in layer7("thresholds", "show", home=home)
    assert "cannot_tell" in layer7("thresholds", "people", home=home)
    assert "unknown_user" in layer7("thresholds", "people", "--user", "nobody", home=home, code=1)


def test_thresholds_before_any_night_are_an_error_with_words(tmp_path):
    assert "no_night" in layer7("thresholds", "show", home=tmp_path / "new", code=1)
    assert answer("thresholds", "people", home=tmp_path / "new") == []


def test_what_a_night_found_of_scores_and_timing_is_told_in_the_contracts_shape(home):
    """One person's 177 applications: everything says that it cannot tell, and how much is missing."""
    timing = TimingInsights.model_validate_json(layer7("timing", "--json", home=home))
    assert timing.best_day_of_week is timing.best_time_of_day is None
    assert timing.confidence == "low"
    assert timing.n == 177
    assert str(timing.needed) in timing.answer
    fit = FitScoreOptimization.model_validate_json(layer7("fit-score", "--json", home=home))
    assert fit.learned_weights is fit.improvement_estimate is None
    assert fit.recommendation == "keep_current"
    assert fit.answer.startswith("Cannot tell")
    score = ScoreCalibration.model_validate_json(layer7("calibration", "--json", home=home))
    assert score.is_well_calibrated is None
    for command in ("timing", "calibration", "fit-score"):
        assert "cannot tell yet" in layer7(command, home=home)


def test_weights_of_the_parts_of_the_score_are_shown(tmp_path):
    example = ScoreCalibration.model_config["json_schema_extra"]["examples"][0]
    runs, at = open_home(tmp_path / "home").runs, datetime(2026, 3, 2, tzinfo=UTC)
    number = runs.begin(at.date(), known_at=at, at=at)
    runs.end(number, status="done", report={"propose": {"resume_score": example}}, at=at)
    said = " ".join(layer7("calibration", home=tmp_path / "home").split())
    assert "Parts of the score: Other weights order a person's later applications better." in said
    assert "keywords 0.40 0.81 0.59 to 1.00" in said
    assert "tried first: a_b_test" in said


def test_what_one_person_is_too_few_for_is_said_and_published_rates_say_whose_they_are(home):
    words = [
        " ".join(layer7(*each.split(), home=home).split())
        for each in ("segments list --inside", "segments list", "market --inside")
    ]
    assert words[0].startswith("No segment can be shown: it takes a night")
    assert "published rates of cold applications, not from this installation" in words[1]
    assert "never answered: cannot tell yet At least 10 people" in words[2]


def test_before_a_night_there_is_nothing_to_tell(tmp_path):
    assert answer("timing", home=tmp_path, code=1)["error"]["code"] == "no_night"
    answer("nightly", home=tmp_path)
    assert answer("calibration", home=tmp_path, code=1)["error"]["code"] == "no_finding"
