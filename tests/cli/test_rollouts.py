"""The commands of rollouts, on a home folder with one ramp."""

import json
from datetime import UTC, datetime

import pytest

import command_line
from layer7.nightly.advancing import advance_all
from layer7.review import Action
from layer7.storage.database.state import Act
from rollouts import guardrail, proposal, results

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
BAD = guardrail((-0.05, -0.02), non_inferior=False)


@pytest.fixture
def layer7(home):
    def run(*words, code=0):
        said = command_line.layer7(*words, home=home, code=code)
        return json.loads(said) if "--json" in words else said

    return run


@pytest.fixture
def begun(home):
    (made,) = home.recommendations.propose([proposal()], NOW)
    by = {"actor": "ada", "why": "worth a try", "at": NOW}
    drafted = home.recommendations.decide(made.recommendation_id, Action.APPROVE, **by).experiment
    act = Act("ada", "experiment.start", drafted.experiment_id, NOW, "to learn")
    home.experiments.start(drafted.experiment_id, act=act)
    advance_all(home, NOW)
    home.experiments.keep_results(
        drafted.experiment_id, results(as_of=NOW, guardrails={"interviews_per_unit": BAD}), act=act
    )
    return f"ramp_{drafted.experiment_id}"


def test_a_ramp_is_listed_shown_and_taken_back_by_the_hourly_job(layer7, begun):
    assert "10%" in layer7("rollouts", "list")
    (listed,) = layer7("rollouts", "list", "--json")
    assert (listed["ramp_id"], listed["state"]) == (begun, "running")
    report = layer7("advance", "--json")
    assert (report["moved"], report["rollouts"][0]["why"]) == (1, "Proven worse: interviews_per_unit.")
    assert "0 moved" in layer7("advance")
    shown = layer7("rollouts", "show", begun, "--json")
    assert [each["action"] for each in shown["history"]][-2:] == ["rollout.roll_back", "rollout.rolled_back"]
    assert "rolled_back" in layer7("rollouts", "show", begun)


def test_a_person_takes_a_ramp_back_and_gives_a_reason(layer7, begun):
    shown = layer7("rollouts", "roll-back", begun, "--why", "We know better.", "--actor", "ada", "--json")
    assert shown["state"] == "rolled_back"


def test_a_person_holds_a_ramp_and_lets_it_go_on(layer7, begun):
    assert (
        layer7("rollouts", "pause", begun, "--why", "Friday", "--actor", "ada", "--json")["held_by"]
        == "pause"
    )
    assert "Resumed by ada" in layer7("rollouts", "resume", begun, "--actor", "ada")


def test_the_ledger_tells_what_is_left(layer7, begun):
    found = layer7("ledger", "--json")
    assert found["tests"] == [begun.removeprefix("ramp_")]
    assert (found["discoveries"], found["forecasts"]["n"]) == (0, 0)
    assert "Accepted share of false adoptions: 5.0 %" in layer7("ledger")
