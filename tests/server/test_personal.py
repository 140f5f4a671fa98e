"""One person's settings, wishes and letter over HTTP."""

import json
from datetime import date

import pyarrow as pa
import pytest
from typer.testing import CliRunner

from layer7.cli.app import build as commands
from layer7.contract import Component
from layer7.contract.learned import SettingExplained
from layer7.patterns.detection import FOUND
from layer7.review import Action
from layer7.storage.database.tokens import Scope
from server.conftest import House, event, issue

WISHES = "/v1/users/anna/wishes"


def test_a_wish_is_served_after_the_answer(house: House):
    layer5 = issue(house.home, "layer5", Scope.FLAGS_EVALUATE, component=Component.ORCHESTRATOR)
    house.headers["layer5"] = layer5
    said = house.post(WISHES, {"field": "optimal_applications_per_week", "value": 4, "why": "busy"}, "events")
    assert (said.status_code, said.json()["wishes"]) == (200, {"optimal_applications_per_week": 4.0})
    served = house.evaluate("optimal_weekly_target", {"targetingKey": "anna"}, "layer5").json()
    assert (served["value"], served["reason"], served["variant"]) == (4.0, "TARGETING_MATCH", "user")
    assert served["metadata"]["origin"] == "chosen"
    assert house.evaluate("optimal_weekly_target", {"targetingKey": "bert"}, "layer5").json()["value"] == 10.0
    house.post("/v1/users/anna/consent", {"purpose": "personalisation", "value": "off"})
    assert house.evaluate("optimal_weekly_target", {"targetingKey": "anna"}, "layer5").json()["value"] == 10.0
    taken = house.post(WISHES, {"field": "optimal_applications_per_week", "value": None})
    assert taken.json()["wishes"] == {}


def test_bad_wishes_are_refused(house: House):
    for body, code in (
        ({"field": "salary", "value": 1}, "unknown_field"),
        ({"field": "paused", "value": "perhaps"}, "value_not_allowed"),
        ({"field": "coach_tone_preference", "value": {"a": 1}}, "value_not_allowed"),
        ({"field": "paused"}, "invalid_request"),
    ):
        answer = house.post(WISHES, body)
        assert (answer.status_code, answer.json()["type"].rsplit(":", 1)[-1]) == (422, code)
    assert house.get(WISHES).json()["wishes"] == {}


def test_before_a_night_there_is_nothing_to_show(house: House):
    for path in ("insights", "insights/mail", "config", "learned"):
        assert house.get(f"/v1/users/anna/{path}").status_code == 404
    assert house.get("/v1/users/anna/insights?week=soon").status_code == 422


def test_events_since_a_day_are_forgotten(house: House):
    house.post("/v1/events", event("e1", user_id="anna", timestamp="2026-02-01T09:00:00Z"), "events")
    house.post("/v1/events", event("e2", user_id="anna", timestamp="2026-02-20T09:00:00Z"), "events")
    told = house.post("/v1/users/anna/forget", {"since": "2026-02-10", "why": "a wrong import"}, "events")
    assert (told.status_code, told.json()["events"]) == (200, 1)
    with house.home.warehouse.open() as tables:
        assert tables.read("events").event_id.to_pyarrow().to_pylist() == ["e1"]
    assert house.post("/v1/users/bert/forget", {"since": "2026-02-10"}).status_code == 404
    assert house.post("/v1/users/anna/forget", {"since": "soon"}).status_code == 422


@pytest.fixture
def two_patterns(house: House) -> None:
    """A night that shows a pattern of Anna's and one of Bert's, both of Berlin."""
    names = house.home.keys.admit(["anna", "bert"])
    usual = dict.fromkeys(FOUND.names, 1) | {"dimension": "location", "level": "Berlin", "odds_ratio": 3.0}
    rows = [
        usual | {"person": person, "bucket": house.home.keys.bucket(person), "rank": at}
        for at, person in enumerate(names.values())
    ]
    table = pa.Table.from_pylist(rows, FOUND).append_column("place", pa.array([0, 1]))
    number = house.home.runs.begin(date(2026, 3, 2), known_at=house.time(), at=house.time())
    house.home.warehouse.replace("patterns", table, at=house.time())
    house.home.runs.end(number, status="done", report={}, at=house.time())


@pytest.mark.usefixtures("two_patterns")
def test_a_pattern_that_is_forgotten_is_listed_no_more(house: House, monkeypatch):
    """Neither over HTTP nor by the command; others' stay, and hers comes back on her word."""
    monkeypatch.setenv("LAYER7_HOME", str(house.home.path))
    words = ("patterns", "list", "--json")

    def listed() -> tuple[list[str], list[str]]:
        told = CliRunner().invoke(commands(words), list(words))
        served = house.get("/v1/patterns").json()["items"]
        return [each["user_id"] for each in served], [each["user_id"] for each in json.loads(told.stdout)]

    assert listed() == (["anna", "bert"], ["anna", "bert"])
    forgotten = {"field": "forget:location: Berlin", "value": True}
    assert house.post(WISHES, forgotten, "events").status_code == 200
    assert listed() == (["bert"], ["bert"])
    house.post(WISHES, forgotten | {"value": None}, "events")
    assert listed() == (["anna", "bert"], ["anna", "bert"])


def test_a_setting_is_explained(house: House):
    house.home.recommendations.decide(
        house.propose(70.0), Action.APPROVE, actor="maria", why="clear", at=house.time()
    )
    found = house.get("/v1/settings/improve_resume_threshold/explanation")
    steps = SettingExplained.model_validate_json(found.text).steps
    assert [step.step for step in steps[:4]] == ["served", "version", "move", "decision"]
    assert {step.step for step in steps[4:]} == {"decision", "recommendation"}
    assert "maria" in steps[3].words
    assert house.get("/v1/settings/nope/explanation").status_code == 404
