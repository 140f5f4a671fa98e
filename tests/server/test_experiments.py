"""The door to experiments: made once, started, served to a person over OFREP, ended; replays and races."""

import json

import pytest

from layer7.contract.passport import DesignPassport
from layer7.experiments.plan import specified
from layer7.nightly import designing

DRAFT = specified(0).model_dump(mode="json")
WHY = {"why": "to learn"}
ANYWAY = WHY | {"accept_underpowered": True}


def code(answer):
    return answer.json()["type"].removeprefix("urn:layer7:problem:")


@pytest.fixture
def ask(house):
    def call(method, path, body=None, **headers):
        return house.client.request(
            method, "/v1/experiments" + path, json=body, headers=house.headers["review"] | headers
        )

    return call


def test_a_life_over_http(ask, house):
    assert ask("POST", "", DRAFT).json()["status"] == "draft"
    assert ask("POST", "", DRAFT).status_code == 409
    shown = ask("GET", "/exp_001")
    stale = ask("POST", "/exp_001/start", WHY, **{"If-Match": '"other"'})
    assert (stale.status_code, code(stale)) == (412, "version_changed")
    key = {"If-Match": shown.headers["etag"], "Idempotency-Key": "one"}
    first, again = (ask("POST", "/exp_001/start", ANYWAY, **key) for _ in range(2))
    assert first.json() == again.json()
    assert first.json()["passport"]["judgement"] == "cannot_tell"
    assert (first.json()["status"], again.headers["idempotency-replayed"]) == ("running", "true")
    served = house.client.post(
        "/ofrep/v1/evaluate/flags/improve_resume_threshold",
        json={"context": {"targetingKey": "user_1"}},
        headers=house.headers["flags"],
    ).json()
    assert (served["value"], served["reason"], served["variant"]) == (70.0, "SPLIT", "treatment")
    assert ask("POST", "/exp_001/pause", WHY).json()["status"] == "paused"
    assert ask("POST", "/exp_001/resume", WHY).json()["status"] == "running"
    assert ask("POST", "/exp_001/complete", WHY).json()["status"] == "completed"
    assert code(ask("POST", "/exp_001/start", WHY)) == "move_not_allowed"
    assert [each["experiment_id"] for each in ask("GET", "?state=completed").json()["items"]] == ["exp_001"]


def test_a_design_that_cannot_be_judged_is_refused_with_what_to_do(ask):
    ask("POST", "", DRAFT)
    told = ask("POST", "/exp_001/passport", {})
    assert (told.status_code, told.json()["judgement"]) == (200, "cannot_tell")
    refused = ask("POST", "/exp_001/start", WHY)
    assert (refused.status_code, code(refused)) == (409, "power_unknown")
    assert refused.json()["detail"] == told.json()["sentence"]
    assert ask("GET", "/exp_001").json()["status"] == "draft"
    silent = ask("POST", "/exp_001/start", ANYWAY | {"why": " "})
    assert (silent.status_code, code(silent)) == (422, "reason_missing")
    assert code(ask("POST", "/exp_001/start", {"accept_underpowered": "yes"})) == "invalid_request"


def test_an_underpowered_design_is_a_conflict_that_says_what_would_work(ask, monkeypatch):
    ask("POST", "", DRAFT)
    sample = ask("POST", "/exp_001/passport", {}).json()
    weak = DesignPassport.model_validate_json(
        json.dumps(
            sample
            | {
                "judgement": "underpowered",
                "sentence": "It finds the effect in 1 of 10 tries.",
                "feasible": ["Wait 30 weeks.", "Look for twice the effect."],
                "power": {"value": 0.1, "interval": [0.05, 0.2], "n": 100},
            }
        )
    )
    monkeypatch.setattr(designing, "issue_passport", lambda *_, **__: weak)
    refused = ask("POST", "/exp_001/start", WHY)
    assert (refused.status_code, code(refused)) == (409, "underpowered")
    assert refused.json()["hint"] == "Wait 30 weeks. Or: Look for twice the effect."
    other = weak.model_copy(update={"plan_hash": "plan_0000000000000000"})
    monkeypatch.setattr(designing, "issue_passport", lambda *_, **__: other)
    assert code(ask("POST", "/exp_001/start", WHY)) == "other_passport"


def test_what_cannot_work_is_refused(ask):
    broken = DRAFT | {"success_metric": "happiness"}
    assert code(ask("POST", "", broken)) == "unknown_metric"
    assert code(ask("POST", "", {"name": "x"})) == "invalid_request"
    assert ask("GET", "/exp_404").status_code == 404
    assert ask("POST", "/exp_404/start", WHY).status_code == 404


def test_pages_of_experiments(ask):
    for number in range(3):
        assert ask("POST", "", DRAFT | {"experiment_id": f"exp_{number}"}).status_code == 200
    first = ask("GET", "?limit=2").json()
    rest = ask("GET", f"?limit=2&cursor={first['next_cursor']}").json()
    names = [each["experiment_id"] for each in first["items"] + rest["items"]]
    assert sorted(names) == ["exp_0", "exp_1", "exp_2"]
