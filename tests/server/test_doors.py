"""Review, settings and figures over HTTP."""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from pathlib import Path

import jsonschema
import pytest
from sqlalchemy import text

import layer7
from layer7.contract import EVENT_EXAMPLES, Component, UserPerformance
from layer7.contract.optimization import FitScoreOptimization, ScoreCalibration, TimingInsights
from layer7.server.http.paging import PageQuery, position
from layer7.server.http.problems import STATUS
from layer7.storage.database.runs import StageRecord
from layer7.storage.intake.answers import Claim
from server.conftest import event, recommendation

KEY = "improve_resume_threshold"
FINE = {"why": "fine"}


def decide(house, name: str, action: str, why: str = "fine", **headers: str):
    return house.post(f"/v1/recommendations/{name}/{action}", {"why": why}, **headers)


def test_a_recommendation_is_shown_with_evidence_plan_and_consequences(house):
    name = house.propose()
    shown = house.get(f"/v1/recommendations/{name}").json()
    assert shown["recommendation"]["evidence"]["p_value"] == 0.0031
    assert shown["recommendation"]["plan"]["to_value"] == 70.0
    assert shown["plan_fits"] is True
    assert set(shown["consequences"]) == {"approve", "reject", "send_back"}
    assert "from 75.0 points to 70.0 points" in shown["consequences"]["approve"][0]


def test_approving_answers_with_what_was_read_back(house):
    name = house.propose()
    answer = decide(house, name, "approve").json()
    assert (answer["recommendation"]["state"], answer["follows"]) == ("applied", "none")
    assert (answer["result"]["success"], answer["result"]["served_value"]) == (True, 70.0)
    decisions = house.get(f"/v1/recommendations/{name}").json()["decisions"]
    assert [(each["action"], each["actor"], each["why"]) for each in decisions] == [
        ("approve", "maria", "fine"),
        ("apply", "maria", "fine"),
    ]


def test_an_approved_test_is_followed_by_its_experiment(house):
    answer = decide(house, house.propose(route="a_b_test"), "approve").json()
    assert (answer["recommendation"]["state"], answer["follows"]) == ("approved", "experiment")
    assert answer["result"]["method"] == "a_b_test_created"
    experiment = house.get(f"/v1/experiments/{answer['result']['experiment_id']}").json()
    assert experiment["status"] == "draft"
    values = {each["variant_id"]: each["value"] for each in experiment["variants"]}
    assert values == {"control": 75.0, "treatment": 70.0}


@pytest.mark.parametrize(("action", "state"), [("reject", "rejected"), ("send-back", "sent_back")])
def test_saying_no_needs_a_reason(house, action, state):
    name = house.propose()
    refused = decide(house, name, action, why="")
    assert (refused.status_code, refused.json()["type"]) == (422, "urn:layer7:problem:reason_missing")
    assert decide(house, name, action).json()["recommendation"]["state"] == state
    assert house.evaluate(KEY).json()["value"] == 75.0


def test_one_recommendation_can_be_taken_back(house):
    name = house.propose()
    decide(house, name, "approve")
    answer = decide(house, name, "roll-back").json()
    assert (answer["recommendation"]["state"], answer["result"]["served_value"]) == ("rolled_back", 75.0)


def test_a_stale_plan_is_a_conflict(house):
    name = house.propose()
    by = {"actor": "x", "why": "", "at": house.time()}
    house.home.configs.set(Component.STRATEGY_ENGINE, "min_days_in_mode", 5, **by)
    assert house.get(f"/v1/recommendations/{name}").json()["plan_fits"] is False
    answer = decide(house, name, "approve")
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:layer7:problem:plan_stale")


def test_two_reviewers_at_once_decide_once(house):
    name = house.propose()
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda action: decide(house, name, action), ["approve", "reject"]))
    assert sorted(answer.status_code for answer in answers) == [200, 409]


def test_if_match_refuses_to_decide_on_what_has_changed(house):
    name = house.propose()
    tag = house.get(f"/v1/recommendations/{name}").headers["etag"]
    assert decide(house, name, "send-back", If_Match='"other"').status_code == 412
    assert decide(house, name, "send-back", If_Match=tag).status_code == 200
    assert decide(house, name, "reject", If_Match=tag).status_code == 412


def test_a_known_recommendation_is_not_sent_again(house):
    name = house.propose()
    first = house.get(f"/v1/recommendations/{name}")
    again = house.get(f"/v1/recommendations/{name}", If_None_Match=first.headers["etag"])
    assert (again.status_code, again.content) == (304, b"")


def test_the_same_idempotency_key_gets_the_same_answer_again(house):
    name = house.propose()
    first = decide(house, name, "approve", Idempotency_Key="k1")
    again = decide(house, name, "approve", Idempotency_Key="k1")
    assert (first.status_code, first.json()) == (again.status_code, again.json())
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert len(house.get(f"/v1/recommendations/{name}").json()["decisions"]) == 2


def test_the_same_idempotency_key_with_another_body_is_a_conflict(house):
    name = house.propose()
    decide(house, name, "reject", Idempotency_Key="k1")
    other = decide(house, name, "reject", why="another reason", Idempotency_Key="k1")
    assert (other.status_code, other.json()["type"]) == (409, "urn:layer7:problem:idempotency_key_reused")
    decisions = house.get(f"/v1/recommendations/{name}").json()["decisions"]
    assert [each["why"] for each in decisions] == ["fine"]


def test_a_refusal_is_an_answer_too_and_keys_of_others_are_others(house):
    name = house.propose()
    refused = decide(house, name, "reject", why="", Idempotency_Key="k1")
    again = decide(house, name, "reject", why="", Idempotency_Key="k1")
    assert refused.json() == again.json()
    assert (again.status_code, again.headers["content-type"]) == (422, "application/problem+json")
    other = house.post(f"/v1/recommendations/{name}/reject", FINE, "admin", Idempotency_Key="k1")
    assert other.status_code == 200


def test_one_key_at_once_acts_once(house):
    name = house.propose()
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: decide(house, name, "approve", Idempotency_Key="k"), range(8)))
    assert {answer.status_code for answer in answers} <= {200, 409}
    assert len(house.get(f"/v1/recommendations/{name}").json()["decisions"]) == 2


@pytest.mark.parametrize("key", ["", "x" * 256])
def test_an_idempotency_key_has_a_form(house, key):
    assert decide(house, house.propose(), "reject", Idempotency_Key=key).status_code == 422


def test_a_key_whose_request_was_cut_off_can_be_used_again_after_a_minute(house):
    name = house.propose()
    route = f"POST /v1/recommendations/{name}/reject"
    token = next(each for each in house.home.tokens.list() if each.name == "maria")
    claim = Claim(house.home.keys.audit_name.of(f"{token.id}:k"), route)
    house.home.answers.begin(claim, digest="other", at=house.time())
    assert decide(house, name, "reject", Idempotency_Key="k").status_code == 409
    house.time.jump(timedelta(minutes=2))
    assert decide(house, name, "reject", Idempotency_Key="k").status_code == 200


def test_lists_come_in_pages_that_lead_to_each_other(house):
    proposals = [(KEY, 75, 70), ("min_days_in_mode", 7, 5), ("exploration_share", 0, 0.1)]
    for parameter, current, value in proposals:
        house.home.recommendations.propose(
            [recommendation(value, current=current, parameter=parameter)], house.time()
        )
        house.time.jump(timedelta(days=1))
    first = house.get("/v1/recommendations?limit=2&state=proposed")
    assert [each["parameter"] for each in first.json()["items"]] == ["exploration_share", "min_days_in_mode"]
    following = re.fullmatch(r'<(/v1/recommendations\?[^>]+)>; rel="next"', first.headers["link"])[1]
    assert first.json()["next_cursor"] in following
    last = house.get(following)
    assert [each["parameter"] for each in last.json()["items"]] == [KEY]
    assert (last.json()["next_cursor"], "link" in last.headers) == (None, False)
    assert house.get("/v1/recommendations?state=applied").json() == {"items": [], "next_cursor": None}


@pytest.mark.parametrize("cursor", ["x", "WzFd", "bnVsbA==", "W10=", "\u00e9", "WyJhIiwgIlx1MDAwMCJd"])
def test_a_made_up_cursor_is_refused(house, cursor):
    answer = house.get(f"/v1/recommendations?cursor={cursor}")
    assert (answer.status_code, answer.json()["type"]) == (422, "urn:layer7:problem:invalid_cursor")


def test_no_cursor_is_the_first_page():
    assert position(PageQuery(), (int,)) is None


def test_settings_are_shown_as_the_specification_has_them(house):
    shown = house.get("/v1/config/strategy_engine").json()
    assert (shown[KEY], shown["optimized_by"], shown["confidence"]) == (75.0, "manual", None)
    decide(house, house.propose(), "approve")
    after = house.get("/v1/config/strategy_engine").json()
    assert (after[KEY], after["optimized_by"]) == (70.0, "layer_7")
    assert after["version"] == house.home.configs.active(Component.STRATEGY_ENGINE).version


def test_settings_that_are_known_are_not_sent_again(house):
    tag = house.get("/v1/config/orchestrator").headers["etag"]
    assert house.get("/v1/config/orchestrator", If_None_Match=f"W/{tag}").status_code == 304
    house.home.configs.set(Component.ORCHESTRATOR, "follow_up_timing", 9, actor="x", why="", at=house.time())
    assert house.get("/v1/config/orchestrator", If_None_Match=tag).status_code == 200


def test_history_and_difference_tell_who_changed_what(house):
    name = house.propose()
    decide(house, name, "approve")
    latest, first = house.get("/v1/config/strategy_engine/history").json()["items"]
    assert (latest["actor"], latest["why"], latest["recommendation_id"]) == ("maria", "fine", name)
    assert (first["kind"], first["previous"], latest["previous"]) == ("baseline", None, first["version"])
    shown = house.get(f"/v1/config/strategy_engine/diff?from={first['version']}").json()
    assert (shown["from"], shown["to"]) == (first["version"], latest["version"])
    assert shown["differences"] == [{"parameter": KEY, "from_value": 75.0, "to_value": 70.0}]
    unknown = house.get("/v1/config/strategy_engine/diff?from=v000000000000")
    assert unknown.status_code == 404


def test_going_back_says_so_after_reading_what_is_served(house):
    name = house.propose()
    decide(house, name, "approve")
    answer = house.post("/v1/config/strategy_engine/rollback", {"why": "worse"})
    assert answer.json()["served"] == {KEY: 75.0}
    assert answer.json()["version"] == house.home.configs.active(Component.STRATEGY_ENGINE).version
    assert house.get(f"/v1/recommendations/{name}").json()["recommendation"]["state"] == "rolled_back"
    again = house.post("/v1/config/strategy_engine/rollback", {"why": "worse"})
    assert (again.status_code, again.json()["type"]) == (409, "urn:layer7:problem:nothing_to_roll_back")


def test_going_back_is_not_claimed_when_something_else_is_served(house, monkeypatch):
    decide(house, house.propose(), "approve")
    stuck = house.home.configs.active(Component.STRATEGY_ENGINE)
    monkeypatch.setattr(type(house.home.configs), "active", lambda *_: stuck)
    answer = house.post("/v1/config/strategy_engine/rollback", {"why": "worse"})
    assert (answer.status_code, answer.json()["type"]) == (500, "urn:layer7:problem:not_served")


@pytest.mark.parametrize(
    "body", [{}, {"why": ""}, {"why": "x", "to": "17"}, {"why": "x", "version": "v1"}, []]
)
def test_going_back_needs_a_reason_and_a_version_of_ours(house, body):
    assert house.post("/v1/config/strategy_engine/rollback", body).status_code == 422


def test_an_unknown_component_is_refused(house):
    answer = house.get("/v1/config/kitchen")
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/path/component")


def test_every_act_is_in_the_audit_log_and_the_chain_holds(house):
    decide(house, house.propose(), "approve")
    records = house.get("/v1/audit?limit=500").json()["items"]
    approved = next(each for each in records if each["action"] == "recommendation.approve")
    assert (approved["actor"], approved["why"]) == ("maria", "fine")
    verdict = house.get("/v1/audit/verify").json()
    assert verdict == {"intact": True, "records": len(records), "detail": None}


def test_a_changed_audit_record_is_found(house):
    decide(house, house.propose(), "approve")
    with house.home.state.write() as connection:
        connection.execute(text("DROP TRIGGER audit_no_update"))
        connection.execute(text("UPDATE audit SET actor = 'nobody' WHERE id = 2"))
    verdict = house.get("/v1/audit/verify").json()
    assert (verdict["intact"], verdict["records"]) == (False, None)
    assert "record 2" in verdict["detail"]


def test_nights_are_listed_latest_first(house):
    for day in (1, 2):
        number = house.home.runs.begin(date(2026, 3, day), known_at=house.time(), at=house.time())
        house.home.runs.stage(number, 0, StageRecord("ingest", "done", 5, 0.1, {"new": 5}))
    first = house.get("/v1/runs?limit=1").json()
    assert (first["items"][0]["as_of"], first["items"][0]["stages"][0]["detail"]) == (
        "2026-03-02",
        {"new": 5},
    )
    second = house.get(f"/v1/runs?limit=1&cursor={first['next_cursor']}").json()
    assert (second["items"][0]["as_of"], second["next_cursor"]) == ("2026-03-01", None)


def test_quarantine_is_listed_without_what_people_wrote(house):
    house.post("/v1/events", event(note="my secret", user_id=""), "events")
    shown = house.get("/v1/quarantine?code=too_short")
    assert shown.json()["items"][0]["source"] == "POST /v1/events"
    assert "my secret" not in shown.text
    assert house.get("/v1/quarantine?code=wrong_type").json()["items"] == []


def test_figures_of_a_person_come_from_the_last_night(build):
    example = UserPerformance.model_validate_json(
        json.dumps(UserPerformance.model_config["json_schema_extra"]["examples"][0])
    )

    class Night:
        def performance(self, user_id, period):
            return example if (user_id, period) == ("user_123", "2026-03") else None

    house = build(performance=Night())
    shown = house.get("/v1/users/user_123/performance?period=2026-03")
    assert UserPerformance.model_validate_json(shown.text) == example
    assert house.get("/v1/users/user_123/performance").status_code == 404
    assert house.get("/v1/users/nobody/performance?period=2026-03").json()["type"].endswith("unknown_user")


def test_every_listed_schema_is_there_and_the_event_schema_takes_every_example(house):
    listed = house.get("/v1/schemas").json()["items"]
    for entry in listed:
        answer = house.get(entry["href"])
        assert answer.headers["content-type"] == "application/schema+json"
        jsonschema.Draft202012Validator.check_schema(answer.json())
    validator = jsonschema.Draft202012Validator(house.get("/v1/schemas/Event.json").json())
    assert all(validator.is_valid(dict(example)) for example in EVENT_EXAMPLES.values())
    assert house.get("/v1/schemas/Nope.json").status_code == 404


def test_health_and_readiness(house):
    assert house.client.get("/health").json() == {"status": "ok"}
    assert house.client.get("/ready").json() == {"status": "ready"}
    house.app.state.layer7.writer.close()
    assert house.client.get("/ready").status_code == 503


def test_every_code_that_a_door_can_meet_has_its_status():
    """Codes that are not in the table are 422, so this names those that mean that what came is not valid."""
    rooms = ("configuration", "review", "server", "server/doors", "server/http", "storage/intake/answers.py")
    rooms += tuple(f"storage/decisions/{name}.py" for name in ("configs", "decisions", "recommendations"))
    rooms += tuple(f"storage/database/{name}.py" for name in ("state", "tokens"))
    root = Path(layer7.__file__).parent
    files = [
        f for room in rooms for f in ([root / room] if room.endswith(".py") else (root / room).glob("*.py"))
    ]
    raised = {
        code
        for file in files
        for code in re.findall(
            r'(?:Layer7Error|RefusedError|_refusal)\(\s*"([a-z_]+)"', file.read_text("utf-8")
        )
    }
    assert raised - set(STATUS) == {
        "actor_missing",
        "constraint_broken",
        "invalid_context",
        "invalid_cursor",
        "invalid_event",
        "invalid_idempotency_key",
        "invalid_request",
        "naive_time",
        "newer_state",
        "not_personal",
        "reason_missing",
        "value_not_allowed",
        "value_out_of_range",
        "wrong_component",
        "wrong_members",
        "wrong_token",
        "wrong_type",
    }
    assert {404, 405, 413, 415} <= set(STATUS.values())


@pytest.mark.parametrize(
    ("path", "name", "model"),
    [
        ("/v1/timing", "timing", TimingInsights),
        ("/v1/calibration", "resume_score", ScoreCalibration),
        ("/v1/fit-score", "fit_score", FitScoreOptimization),
    ],
)
def test_findings_on_scores_and_timing_come_from_the_last_night(house, path, name, model):
    assert house.get(path).json()["type"].endswith("no_night")
    runs, at = house.home.runs, house.time()
    example = model.model_validate_json(json.dumps(model.model_config["json_schema_extra"]["examples"][0]))
    for report in (
        {"propose": {"answer": "no applications yet"}},
        {"propose": {name: example.model_dump(mode="json")}},
    ):
        number = runs.begin(at.date(), known_at=at, at=at)
        runs.end(number, status="done", report=report, at=at)
        shown = house.get(path)
        if name not in report["propose"]:
            assert (shown.status_code, shown.json()["type"]) == (404, "urn:layer7:problem:no_finding")
    assert model.model_validate_json(shown.text) == example
