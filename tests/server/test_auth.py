"""No door without a token, no act from another site, nothing of a person in a log."""

import logging
from datetime import timedelta
from typing import Annotated

import httpx
import pytest
from fastapi import APIRouter, Depends, Request

from layer7.contract import Component
from layer7.experiments.plan import specified
from layer7.server.http.auth import COOKIE, page_actor, require
from layer7.server.http.limits import Allowance, Limits
from layer7.server.http.problems import SECURITY_HEADERS
from layer7.storage.database.tokens import Scope
from server.conftest import event, issue, listening

OPEN = frozenset({"none", "events", "flags", "review", "read", "privacy", "admin"})
READERS = frozenset({"read", "review", "admin"})
ANYONE = OPEN - {"none"}
GUARDIANS = frozenset({"privacy", "admin"})
REVIEWERS = frozenset({"review", "admin"})
WHY = {"why": "a good reason"}
MOVES = ("passport", "start", "pause", "resume", "complete", "reject")
RAMP_MOVES = ("pause", "resume", "approve", "roll-back")
DRAFT = specified(0).model_dump(mode="json")

MATRIX = {
    ("OPTIONS", "/v1/events"): ({"events", "admin"}, None),
    ("POST", "/v1/events"): ({"events", "admin"}, event()),
    ("GET", "/v1/recommendations"): (READERS, None),
    ("GET", "/v1/recommendations/{recommendation_id}"): (READERS, None),
    ("POST", "/v1/recommendations/{recommendation_id}/approve"): (REVIEWERS, WHY),
    ("POST", "/v1/recommendations/{recommendation_id}/reject"): (REVIEWERS, WHY),
    ("POST", "/v1/recommendations/{recommendation_id}/send-back"): (REVIEWERS, WHY),
    ("POST", "/v1/recommendations/{recommendation_id}/roll-back"): (REVIEWERS, WHY),
    ("GET", "/v1/experiments"): (READERS, None),
    ("POST", "/v1/experiments"): (REVIEWERS, DRAFT),
    ("GET", "/v1/experiments/{experiment_id}"): (READERS, None),
    **{("POST", f"/v1/experiments/{{experiment_id}}/{word}"): (REVIEWERS, WHY) for word in MOVES},
    ("GET", "/v1/rollouts"): (READERS, None),
    ("GET", "/v1/rollouts/{rollout_id}"): (READERS, None),
    **{("POST", f"/v1/rollouts/{{rollout_id}}/{word}"): (REVIEWERS, WHY) for word in RAMP_MOVES},
    ("GET", "/v1/ledger"): (READERS, None),
    ("GET", "/v1/config/{component}"): (READERS, None),
    ("GET", "/v1/config/{component}/history"): (READERS, None),
    ("GET", "/v1/config/{component}/diff"): (READERS, None),
    ("POST", "/v1/config/{component}/rollback"): (REVIEWERS, WHY),
    ("DELETE", "/v1/users/{user_id}"): (GUARDIANS, None),
    ("GET", "/v1/users/{user_id}/privacy"): (GUARDIANS, None),
    ("GET", "/v1/users/{user_id}/export"): (GUARDIANS, None),
    ("POST", "/v1/users/{user_id}/groups"): (GUARDIANS | {"events"}, {"groups": {"gender": "female"}}),
    ("GET", "/v1/fairness"): (READERS, None),
    ("GET", "/v1/fairness/proxies"): (READERS, None),
    ("GET", "/v1/users/{user_id}/performance"): (READERS, None),
    ("GET", "/v1/users/{user_id}/patterns"): (READERS, None),
    ("POST", "/v1/users/{user_id}/rank"): (READERS, {"jobs": []}),
    ("GET", "/v1/decisions/{decision_id}"): (READERS, None),
    ("GET", "/v1/likelihood"): (READERS, None),
    ("GET", "/v1/users/{user_id}/consent"): (READERS | {"events"}, None),
    ("POST", "/v1/users/{user_id}/consent"): (
        REVIEWERS | {"events"},
        {"purpose": "experiments", "value": False},
    ),
    ("GET", "/v1/users/{user_id}/insights"): (READERS, None),
    ("GET", "/v1/users/{user_id}/insights/mail"): (READERS, None),
    ("GET", "/v1/users/{user_id}/config"): (READERS, None),
    ("GET", "/v1/users/{user_id}/learned"): (READERS, None),
    ("POST", "/v1/users/{user_id}/forget"): (REVIEWERS | {"events"}, {"since": "2026-03-01"}),
    ("GET", "/v1/settings/{key}/explanation"): (READERS, None),
    ("GET", "/v1/users/{user_id}/wishes"): (READERS | {"events"}, None),
    ("POST", "/v1/users/{user_id}/wishes"): (REVIEWERS | {"events"}, {"field": "paused", "value": True}),
    ("GET", "/v1/patterns"): (READERS, None),
    ("GET", "/v1/users/{user_id}/targets"): (READERS, None),
    ("GET", "/v1/thresholds"): (READERS, None),
    ("GET", "/v1/runs"): (READERS, None),
    ("GET", "/v1/timing"): (READERS, None),
    ("GET", "/v1/calibration"): (READERS, None),
    ("GET", "/v1/fit-score"): (READERS, None),
    ("GET", "/v1/segments"): (READERS, None),
    ("GET", "/v1/segments/{segment_id}"): (READERS, None),
    ("GET", "/v1/market"): (READERS, None),
    ("GET", "/v1/quarantine"): (READERS, None),
    ("GET", "/v1/schemas"): (ANYONE, None),
    ("GET", "/v1/schemas/{name}.json"): (ANYONE, None),
    ("GET", "/v1/audit"): (READERS, None),
    ("GET", "/v1/audit/verify"): (READERS, None),
    ("GET", "/v1/openapi.json"): (ANYONE, None),
    ("GET", "/metrics"): (READERS, None),
    ("GET", "/health"): (OPEN, None),
    ("GET", "/ready"): (OPEN, None),
    ("POST", "/ofrep/v1/evaluate/flags"): ({"flags", "admin"}, {"context": {}}),
    ("POST", "/ofrep/v1/evaluate/flags/{key}"): ({"flags", "admin"}, {"context": {}}),
}
FILL = {
    "{recommendation_id}": "rec_1",
    "{experiment_id}": "exp_9",
    "{rollout_id}": "ramp_9",
    "{component}": "orchestrator",
    "{user_id}": "u",
    "{name}": "Event",
    "{segment_id}": "s",
    "{decision_id}": "rank_9",
}


def test_the_matrix_holds_every_route(house):
    described = {
        (method.upper(), path) for path, methods in house.app.openapi()["paths"].items() for method in methods
    }
    mounted = {
        (method, "/ofrep/v1" + route.path)
        for mount in house.app.routes
        if getattr(mount, "path", None) == "/ofrep/v1"
        for route in mount.routes
        for method in route.methods
    }
    assert described | mounted == set(MATRIX)


@pytest.mark.parametrize(("method", "path"), MATRIX)
def test_every_route_opens_to_whom_it_should_and_to_nobody_else(house, method, path):
    opens, body = MATRIX[method, path]
    address = path.replace("{key}", "gap_weights")
    for name, value in FILL.items():
        address = address.replace(name, value)
    for who in sorted(OPEN):
        answer = house.client.request(method, address, json=body, headers=house.headers[who])
        if who in opens:
            assert answer.status_code not in {401, 403}, (who, answer.text)
        else:
            assert answer.status_code == (401 if who == "none" else 403), (who, answer.text)


@pytest.mark.parametrize(("method", "path"), [key for key in MATRIX if MATRIX[key][0] != OPEN])
def test_a_void_token_opens_nothing(house, method, path):
    headers = issue(house.home, "late", Scope.ADMIN, expires_at=house.time() + timedelta(hours=1))
    house.time.jump(timedelta(hours=2))
    for void in (
        headers,
        {"Authorization": "Bearer l7_nothing"},
        {"X-API-Key": ""},
        {"Authorization": "Basic eDp5"},
    ):
        answer = house.client.request(method, path, headers=void)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"].startswith("Bearer")


def test_a_revoked_token_is_refused_at_once(house):
    token = next(each for each in house.home.tokens.list() if each.name == "grafana")
    assert house.get("/v1/runs").status_code == 200
    house.home.tokens.revoke(token.id, actor="root", why="left", at=house.time())
    assert house.get("/v1/runs").status_code == 401


def test_the_token_may_also_come_as_an_api_key(house):
    key = house.headers["read"]["Authorization"].removeprefix("Bearer ")
    assert house.client.get("/v1/runs", headers={"X-API-Key": key}).status_code == 200


def test_a_refusal_is_the_same_whatever_was_wrong_with_the_token(house):
    answers = [
        house.client.get("/v1/runs", headers=headers).json()
        for headers in ({}, {"Authorization": "Bearer l7_x"}, {"X-API-Key": "l7_000000000000_" + "A" * 43})
    ]
    for answer in answers:
        answer.pop("instance")
    assert answers[0] == answers[1] == answers[2]


@pytest.fixture
def signed_in(house):
    """A browser that followed the link with the reviewer's token."""
    secret = house.headers["review"]["Authorization"].removeprefix("Bearer ")
    answer = house.client.get(f"/?token={secret}&tab=open", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/?tab=open")
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert secret not in answer.headers["location"]
    return house


def test_a_link_with_a_token_becomes_a_cookie_and_a_clean_address(signed_in):
    assert signed_in.client.cookies[COOKIE]
    assert signed_in.client.get("/v1/recommendations").status_code == 200


def test_a_link_with_a_wrong_token_sets_nothing(house):
    answer = house.client.get("/?token=l7_x", follow_redirects=False)
    assert answer.status_code == 401
    assert "set-cookie" not in answer.headers


def test_a_link_cannot_lead_to_another_host(house):
    secret = house.headers["review"]["Authorization"].removeprefix("Bearer ")
    answer = house.client.get(f"//evil.example/?token={secret}", follow_redirects=False)
    assert answer.headers.get("location", "/").startswith("/")
    assert not answer.headers.get("location", "/").startswith("//")


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ({}, False),
        ({"Origin": "http://evil.example"}, False),
        ({"Origin": "https://localhost"}, False),
        ({"Origin": "http://localhost:81"}, False),
        ({"Origin": "null"}, False),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Sec-Fetch-Site": "same-site", "Origin": "http://localhost"}, False),
        ({"Sec-Fetch-Site": "none"}, False),
        ({"Origin": "http://localhost"}, True),
        ({"Sec-Fetch-Site": "same-origin"}, True),
    ],
)
def test_a_cookie_acts_only_from_the_servers_own_pages(signed_in, headers, allowed):
    name = signed_in.propose()
    answer = signed_in.client.post(f"/v1/recommendations/{name}/reject", json=WHY, headers=headers)
    assert answer.status_code == (200 if allowed else 403)


def test_a_token_in_a_header_needs_no_origin(house):
    name = house.propose()
    answer = house.post(f"/v1/recommendations/{name}/reject", WHY, Origin="http://elsewhere.example")
    assert answer.status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "", "127.0.0.1.nip.io", "[::2]"])
def test_a_name_that_is_not_ours_is_refused(house, host):
    answer = house.client.get("/health", headers={"Host": host})
    assert answer.status_code == 421
    assert answer.json()["type"] == "urn:layer7:problem:unknown_host"


@pytest.mark.parametrize("host", ["localhost", "localhost:8007", "127.0.0.1:8007", "[::1]:8007", "LOCALHOST"])
def test_this_machines_own_names_are_ours(house, host):
    assert house.client.get("/health", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "path", ["/health", "/v1/runs", "/nope", "/ofrep/v1/nope", "/v1/config/orchestrator"]
)
def test_every_answer_carries_the_security_headers(house, path):
    answer = house.get(path, who="admin")
    own = {"Cache-Control": "private, no-cache"} if path.endswith("orchestrator") else {}
    for name, value in {**SECURITY_HEADERS, **own}.items():
        assert answer.headers[name] == value
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]


def test_the_access_log_holds_no_query_no_id_and_no_secret(house, caplog):
    caplog.set_level(logging.DEBUG)
    house.get("/v1/users/maria_miller/performance?period=2026-03")
    house.client.get("/?token=l7_secret")
    house.get("/nobody/knows/maria_miller")
    house.evaluate("gap_weights", {"targetingKey": "maria_miller"})
    lines = [record.getMessage() for record in caplog.records if record.name.startswith("layer7")]
    assert len(lines) == 4
    for word in ("maria_miller", "2026-03", "l7_", "secret", "?"):
        assert not any(word in line for line in lines), (word, lines)
    assert lines[0].startswith("GET /v1/users/{user_id}/performance 404")


def test_metrics_name_no_person(house):
    house.get("/v1/users/maria_miller/performance")
    house.evaluate("gap_weights", {"targetingKey": "maria_miller"})
    house.post("/v1/events", event(user_id="maria_miller"), "events")
    shown = house.get("/metrics").text
    assert "maria_miller" not in shown
    assert 'layer7_events_total{result="accepted",type="STATUS_CHANGED"} 1.0' in shown
    assert 'layer7_evaluations_total{flag="gap_weights",reason="STATIC"} 1.0' in shown
    assert "layer7_inbox_events 1.0" in shown


def test_a_fault_of_ours_is_told_with_an_id_and_logged_without_its_words(build, caplog):
    class Broken:
        def performance(self, user_id, period):
            raise ValueError(f"secret of {user_id} in {period}")

    house = build(performance=Broken())
    answer = house.get("/v1/users/maria_miller/performance")
    assert (answer.status_code, answer.json()["type"]) == (500, "urn:layer7:problem:internal_error")
    assert "maria_miller" not in answer.text
    instance = answer.json()["instance"].removeprefix("urn:uuid:")
    (line,) = [record.getMessage() for record in caplog.records if record.name == "layer7.server"]
    assert instance in line
    assert "ValueError" in line
    assert "maria_miller" not in line


def test_the_server_itself_logs_no_words_of_a_fault_either(build, caplog):
    def broken(_version, _key, targeting_key):
        raise ValueError(f"secret of {targeting_key}")

    house = build(rules=broken)
    with listening(house.app) as address:
        url = f"{address}/ofrep/v1/evaluate/flags/gap_weights"
        body = {"context": {"targetingKey": "maria_miller"}}
        assert httpx.post(url, json=body, headers=house.headers["flags"]).status_code == 500
    records = [record for record in caplog.records if record.name.startswith(("uvicorn", "layer7"))]
    assert {record.name for record in records} >= {"layer7.server"}
    assert not any(record.exc_info or "maria_miller" in record.getMessage() for record in records)


def test_wrong_tokens_are_counted_by_address_and_right_ones_go_on(build):
    house = build(limits=Limits(wrong_tokens_per_minute=3))
    wrong = {"Authorization": "Bearer l7_x"}
    statuses = [house.client.get("/v1/runs", headers=wrong).status_code for _ in range(5)]
    assert statuses == [401, 401, 401, 429, 429]
    assert house.get("/v1/runs").status_code == 200


def test_an_allowance_refills_steadily_and_never_beyond_a_minute():
    seconds = 0.0
    allowance = Allowance(60, lambda: seconds)
    assert [allowance.take("a", 30) for _ in range(3)] == [0.0, 0.0, 30.0]
    assert allowance.take("b", 60) == 0.0
    seconds = 30.0
    assert allowance.take("a", 30) == 0.0
    seconds = 10_000.0
    assert allowance.take("a", 1000) == 0.0
    assert allowance.take("a", 1) > 0


def test_pages_brought_along_are_behind_the_same_lock(build):
    pages = APIRouter(include_in_schema=False)

    @pages.get("/", dependencies=[Depends(require(Scope.REVIEW))])
    def overview(request: Request) -> str:
        return str(request.url.path)

    house = build(pages=pages)
    assert house.get("/", "review").json() == "/"
    assert house.get("/", "events").status_code == 403
    stranger = house.client.get("/", headers={"Accept": "text/html"})
    assert (stranger.status_code, stranger.headers["content-type"]) == (401, "text/html; charset=utf-8")
    assert "<h1>Not signed in</h1>" in stranger.text


def test_a_page_lets_readers_look_and_only_reviewers_decide(build):
    pages = APIRouter(include_in_schema=False)

    @pages.api_route("/desk", methods=["GET", "POST"])
    def desk(actor: Annotated[str, Depends(page_actor)]) -> str:
        return actor

    house = build(pages=pages)
    assert [house.get("/desk", who).status_code for who in ("read", "review", "events")] == [200, 200, 403]
    assert house.post("/desk", {}, "read").status_code == 403
    assert house.post("/desk", {}, "review").json() == "maria"


def test_a_token_of_one_component_is_not_made_without_it(house):
    assert {each.component for each in house.home.tokens.list()} == {None, Component.STRATEGY_ENGINE}
