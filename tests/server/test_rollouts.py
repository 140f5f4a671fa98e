"""The door to rollouts: listed in pages, shown with their history, held, let on, approved, taken back."""

import pytest

from layer7.experiments.plan import specified
from layer7.nightly.advancing import advance_all
from layer7.review import Action
from layer7.storage.database.state import Act
from rollouts import proposal
from server.conftest import NOW

WHY = {"why": "We know better."}


def code(answer):
    return answer.json()["type"].removeprefix("urn:layer7:problem:")


@pytest.fixture
def begun(house):
    """Give the name of a ramp that has just started."""
    (made,) = house.home.recommendations.propose([proposal()], NOW)
    by = {"actor": "ada", "why": "worth a try", "at": NOW}
    drafted = house.home.recommendations.decide(made.recommendation_id, Action.APPROVE, **by).experiment
    act = Act("ada", "experiment.start", drafted.experiment_id, NOW, "to learn")
    house.home.experiments.start(drafted.experiment_id, act=act)
    advance_all(house.home, NOW)
    return f"ramp_{drafted.experiment_id}"


def test_a_life_over_http(house, begun):
    (listed,) = house.get("/v1/rollouts?state=running").json()["items"]
    assert (listed["rollout"]["ramp_id"], listed["created_at"]) == (begun, NOW.isoformat())
    shown = house.get(f"/v1/rollouts/{begun}")
    assert [each["action"] for each in shown.json()["history"]] == ["rollout.open", "rollout.start"]
    path, tag = f"/v1/rollouts/{begun}", shown.headers["etag"]
    assert house.get(path, If_None_Match=tag).status_code == 304
    assert code(house.post(f"{path}/pause", WHY, If_Match='"other"')) == "version_changed"
    first, again = (house.post(f"{path}/pause", WHY, If_Match=tag, Idempotency_Key="k") for _ in range(2))
    assert first.json() == again.json()
    assert (first.json()["held_by"], again.headers["idempotency-replayed"]) == ("pause", "true")
    assert house.post(f"{path}/resume", WHY).json()["paused"] is None
    assert code(house.post(f"{path}/resume", WHY)) == "not_paused"
    early = house.post(f"{path}/approve", WHY)
    assert (early.status_code, code(early)) == (409, "approval_too_early")
    silent = house.post(f"{path}/roll-back", {})
    assert (silent.status_code, code(silent)) == (422, "reason_missing")
    back = house.post(f"{path}/roll-back", WHY)
    assert (back.status_code, back.json()["state"], back.json()["why"]) == (200, "rolled_back", WHY["why"])
    assert code(house.post(f"{path}/roll-back", WHY)) == "move_not_allowed"
    acts = [each["action"] for each in house.get(path).json()["history"]]
    assert acts[2:] == ["rollout.pause", "rollout.resume", "rollout.roll_back", "rollout.rolled_back"]


def test_the_list_comes_in_pages_and_unknown_ones_are_told(house, begun):
    for number in range(2):
        draft = specified(0).model_copy(update={"experiment_id": f"exp_{number}"})
        made = house.home.experiments.create(draft, act=Act("ada", "experiment.create", "x", NOW, "to learn"))
        house.home.rollouts.open(made, NOW)
    first = house.get("/v1/rollouts?limit=2").json()
    rest = house.get(f"/v1/rollouts?limit=2&cursor={first['next_cursor']}").json()
    names = [each["rollout"]["ramp_id"] for each in first["items"] + rest["items"]]
    assert sorted(names) == sorted([begun, "ramp_exp_0", "ramp_exp_1"])
    assert (house.get("/v1/rollouts/ramp_404").status_code, rest["next_cursor"]) == (404, None)
    assert house.get("/v1/rollouts?state=proposed").status_code == 422


def test_the_ledger_tells_what_is_left(house, begun):
    found = house.get("/v1/ledger").json()
    assert (found["tests"], found["budget"]) == ([begun.removeprefix("ramp_")], 0.05)
