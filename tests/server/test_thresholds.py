"""Thresholds over HTTP: what the last night said, or that there was none."""

from datetime import date

import numpy as np
import pytest

from layer7.errors import Layer7Error
from layer7.simulation import SCENARIOS, events, simulate, write_events
from layer7.storage.services.thresholds import Thresholds
from nights import FOUND, night


@pytest.fixture
def judged(house, tmp_path):
    market = simulate(
        SCENARIOS["default"], people=60, weeks=4, start=date(2026, 1, 5), rng=np.random.default_rng(2)
    )
    write_events(events(market), tmp_path / "log", format="jsonl")
    home = house.home
    home.ingest.files([tmp_path / "log"], now=house.time, progress=lambda _name, _size: None)
    night(home, date(2026, 3, 1), now=house.time(), only=(*FOUND, "propose"))
    return house


def test_both_thresholds_are_told_with_what_they_rest_on(judged):
    shown = judged.get("/v1/thresholds").json()
    assert shown["resume_score"]["evidence"] == "none"
    assert shown["updates"]["gains"]["improve_resume_threshold"]["current_value"] == 75.0
    assert len(shown["mode_changes"]) == 3
    assert shown["rethink"]["current_value"] == 30


def test_a_persons_targets_are_told(judged):
    shown = judged.get("/v1/users/user-000001/targets").json()
    assert shown["user_id"] == "user-000001"
    assert shown["state"] in {"rethink", "not_yet", "fine", "cannot_tell"}
    assert shown["n"] >= shown["effective_n"]
    objection = {"purpose": "personalisation", "value": "off"}
    for value, status in ((objection, 404), (objection | {"value": "standard"}, 200)):
        judged.post("/v1/users/user-000001/consent", value, "events")
        for what in ("patterns", "targets"):
            answer = judged.get(f"/v1/users/user-000001/{what}")
            assert answer.status_code == status, (what, answer.text)
        listed = Thresholds(judged.home).people(limit=1000)
        assert ("user-000001" in {row["user_id"] for row in listed}) is (status == 200)


def test_before_a_night_there_is_nothing_to_tell(house):
    assert house.get("/v1/thresholds").json()["type"] == "urn:layer7:problem:not_found"
    assert house.get("/v1/users/maria/targets").json()["type"] == "urn:layer7:problem:unknown_user"


def test_after_nights_over_nothing_it_is_said_that_there_was_nothing_to_judge_by(house):
    night(house.home, date(2026, 3, 1), now=house.time(), only=("propose",))
    shown = house.get("/v1/thresholds")
    assert shown.status_code == 404
    assert "no night has found applications" in shown.json()["detail"]
    with pytest.raises(Layer7Error, match="no night has found") as refused:
        Thresholds(house.home).found()
    assert refused.value.code == "no_finding"
    assert Thresholds(house.home).people() == []
