"""The door to experiments: made once, started, served to a person over OFREP, ended; replays and races."""

import pytest

from layer7.experiments.plan import specified

DRAFT = specified(0).model_dump(mode="json")
WHY = {"why": "to learn"}


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
    first, again = (ask("POST", "/exp_001/start", WHY, **key) for _ in range(2))
    assert first.json() == again.json()
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
