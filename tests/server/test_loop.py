"""The loop, end to end: events in, the night, a recommendation, a decision, a setting served, and back."""

import json
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from layer7.server.installation import wiring
from layer7.simulation import SCENARIOS, events, simulate, write_events
from nights import MEASURED, night

START, WEEKS = date(2025, 9, 1), 24
AFTER = datetime(2026, 3, 2, 12, tzinfo=UTC)
KEY = "resume_score_calibration"


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    folder = tmp_path_factory.mktemp("market")
    market = simulate(
        SCENARIOS["default"], people=250, weeks=WEEKS, start=START, rng=np.random.default_rng(5)
    )
    write_events(events(market), folder, format="jsonl")
    return folder


def test_the_loop(house, log):
    served = house.evaluate(KEY).json()
    assert (served["reason"], served["variant"]) == ("STATIC", "baseline")

    lines = [json.loads(line) for file in sorted(log.iterdir()) for line in file.read_text().splitlines()]
    alone, bulk = lines[:600], log
    answered = house.client.post("/v1/events", json=alone, headers=house.headers["events"])
    assert answered.status_code == 202
    assert {item["status"] for item in answered.json()["results"]} == {"accepted"}
    taken = house.home.ingest.files([bulk], now=lambda: AFTER, progress=lambda _name, _size: None)
    assert (taken.duplicate, taken.accepted) == (len(alone), len(lines) - len(alone))

    run = night(house.home, START + timedelta(weeks=WEEKS), now=AFTER, only=(*MEASURED, "propose"))
    assert run.report["ingest"] == {}
    assert next(stage.rows for stage in run.stages if stage.stage == "ingest") == len(alone)

    person = lines[0]["user_id"]
    performance = house.get(f"/v1/users/{person}/performance").json()
    submitted = {
        line["application_id"]
        for line in lines
        if line["user_id"] == person and line["event_type"] == "APPLICATION_SUBMITTED"
    }
    assert performance["user_id"] == person
    assert performance["total_applications"] == len(submitted)

    queue = house.get("/v1/recommendations?state=proposed").json()["items"]
    shown = next(item for item in queue if item["parameter"] == KEY)
    assert shown["evidence"]["confidence_interval"][0] > 0
    assert house.evaluate(KEY).json()["value"] == shown["current_value"]

    name = shown["recommendation_id"]
    approved = house.post(f"/v1/recommendations/{name}/approve", {"why": "the night is right"})
    assert approved.status_code == 200
    learned = house.evaluate(KEY).json()
    assert learned["value"] == shown["recommended_value"] != shown["current_value"]
    assert learned["metadata"]["recommendationId"] == name
    assert house.get("/v1/config/strategy_engine").json()["optimized_by"] == "layer_7"

    taken_back = house.post("/v1/config/strategy_engine/rollback", {"why": "one more look"})
    assert taken_back.status_code == 200
    assert house.evaluate(KEY).json()["value"] == shown["current_value"]
    assert house.home.recommendations.get(name).state == "rolled_back"
    assert house.home.state.verify_audit() >= 3


@pytest.fixture
def house(build, home, time):
    time.now = AFTER
    return build(pages=wiring(home, time).pages, performance=wiring(home, time).performance)


def test_pages_show_what_the_night_measured(house, log):
    empty = house.get("/")
    assert empty.status_code == 200
    assert "Data quality" not in empty.text
    house.home.ingest.files([log], now=lambda: AFTER, progress=lambda _name, _size: None)
    night(house.home, START + timedelta(weeks=WEEKS), now=AFTER, only=(*MEASURED, "propose"))
    overview = house.get("/").text
    assert "lead to an interview" in overview
    assert "Data quality" in overview
    queue = house.get("/recommendations").text
    name = house.home.recommendations.list()[0].recommendation_id
    assert name in queue
    page = house.get(f"/recommendations/{name}", who="review").text
    assert "The plan" in page
