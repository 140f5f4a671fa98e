"""Settings out: OFREP as the stock OpenFeature clients need it."""

import json

import pytest
from openfeature import api
from openfeature.contrib.provider.ofrep import OFREPProvider
from openfeature.evaluation_context import EvaluationContext
from openfeature.exception import ErrorCode
from openfeature.flag_evaluation import Reason

from layer7.configuration import CATALOGUE, resolve
from layer7.configuration import Reason as Served
from layer7.configuration.resolution import Resolution
from layer7.contract import Component
from layer7.errors import Layer7Error
from layer7.server.http.etags import etag, names
from layer7.server.http.limits import Limits
from layer7.storage.database.tokens import Scope
from layer7.storage.home import open_home
from server.conftest import House, issue, listening

KEY = "improve_resume_threshold"
BULK = "/ofrep/v1/evaluate/flags"
MARIA = EvaluationContext("maria", {"segment": "mid"})


def rules(version, key, targeting_key):
    """Serve what experiments and personal settings would."""
    served = resolve(version, key)
    if key == "min_days_in_mode":
        return resolve(version, key, disabled=True)
    if key == "rethink_targets_threshold" and targeting_key == "maria":
        return resolve(version, key, override=20)
    if key == "rethink_targets_rate":
        if targeting_key is None:
            raise Layer7Error("targeting_key_missing", "exp_1 draws by person.", "Give a targetingKey.")
        facts = {**served.metadata, "experimentId": "exp_1"}
        return Resolution(key, 0.03, "treatment", Served.SPLIT, served.version, facts)
    if key == "exploration_share":
        return Resolution(key, 0.0, "baseline", Served.DEFAULT, served.version, served.metadata)
    return None


@pytest.fixture
def ruled(build) -> House:
    return build(rules=rules)


@pytest.fixture
def client(ruled):
    with listening(ruled.app) as address:
        headers = dict(ruled.headers["flags"])
        api.set_provider(OFREPProvider(address, headers_factory=lambda: headers, timeout=10), domain="layer7")
        yield api.get_client("layer7")
        api.clear_providers()


def test_every_behaviour_through_the_stock_python_client(client):
    """The behaviours of a provider test kit: values, reasons, errors, falsy values, integral floats."""
    table = [
        ("float", KEY, 1.0, None, 75.0, Reason.STATIC, "baseline", None),
        ("integer", "rethink_targets_threshold", 1, None, 30, Reason.STATIC, "baseline", None),
        ("integer", "rethink_targets_threshold", 1, MARIA, 20, Reason.TARGETING_MATCH, "user", None),
        ("float", "rethink_targets_rate", 1.0, MARIA, 0.03, Reason.SPLIT, "treatment", None),
        ("float", "exploration_share", 1.0, None, 0.0, Reason.DEFAULT, "baseline", None),
        (
            "object",
            "gap_weights",
            {},
            None,
            dict(CATALOGUE["gap_weights"].default),
            Reason.STATIC,
            "baseline",
            None,
        ),
        ("float", "nope", 1.5, None, 1.5, Reason.ERROR, None, ErrorCode.FLAG_NOT_FOUND),
        ("float", "reach_bonus", 1.5, None, 1.5, Reason.ERROR, None, ErrorCode.FLAG_NOT_FOUND),
        (
            "float",
            "rethink_targets_rate",
            1.5,
            None,
            1.5,
            Reason.ERROR,
            None,
            ErrorCode.TARGETING_KEY_MISSING,
        ),
        ("string", KEY, "x", None, "x", Reason.ERROR, None, ErrorCode.TYPE_MISMATCH),
        ("boolean", KEY, True, None, True, Reason.ERROR, None, ErrorCode.TYPE_MISMATCH),
        ("integer", KEY, 3, None, 3, Reason.ERROR, None, ErrorCode.TYPE_MISMATCH),
        ("float", "rethink_targets_threshold", 3.0, None, 3.0, Reason.ERROR, None, ErrorCode.TYPE_MISMATCH),
    ]
    for kind, key, default, context, value, reason, variant, error in table:
        found = getattr(client, f"get_{kind}_details")(key, default, context)
        told = (found.value, type(found.value), found.reason, found.variant, found.error_code)
        assert told == (value, type(value), reason, variant, error), (kind, key)


def test_a_switched_off_setting_leaves_the_stock_client_with_its_default(client):
    found = client.get_integer_details("min_days_in_mode", 9)
    assert (found.value, found.reason, found.error_code) == (9, Reason.DISABLED, None)


def test_the_stock_client_gets_the_evidence_of_a_learned_value(client, ruled):
    name = ruled.propose(70)
    ruled.post(f"/v1/recommendations/{name}/approve", {"why": "fine"})
    facts = client.get_float_details(KEY, 1.0).flag_metadata
    assert facts["recommendationId"] == name
    assert (facts["optimizedBy"], facts["sampleSize"], facts["flagSetId"]) == (
        "layer_7",
        1840,
        "strategy_engine",
    )


def test_the_stock_client_sees_a_value_before_and_after_approval_and_after_rollback(client, ruled):
    seen = [client.get_float_value(KEY, 1.0)]
    name = ruled.propose(70)
    seen.append(client.get_float_value(KEY, 1.0))
    assert ruled.post(f"/v1/recommendations/{name}/approve", {"why": "fine"}).status_code == 200
    seen.append(client.get_float_value(KEY, 1.0))
    assert ruled.post("/v1/config/strategy_engine/rollback", {"why": "worse"}).status_code == 200
    seen.append(client.get_float_value(KEY, 1.0))
    assert seen == [75.0, 75.0, 70.0, 75.0]


def test_the_stock_client_waits_as_long_as_it_is_told(build):
    house = build(limits=Limits(requests_per_minute=2))
    with listening(house.app) as address:
        provider = OFREPProvider(address, headers_factory=lambda: dict(house.headers["flags"]), timeout=10)
        api.set_provider(provider, domain="limited")
        client = api.get_client("limited")
        found = [client.get_float_details(KEY, 1.0) for _ in range(3)]
        api.clear_providers()
    assert [each.value for each in found] == [75.0, 75.0, 1.0]
    answer = house.evaluate(KEY)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "30")


def test_a_single_answer_has_all_members_that_clients_need(ruled):
    answer = ruled.evaluate(KEY, {"targetingKey": "maria"})
    assert list(answer.json()) == ["key", "value", "reason", "variant", "metadata"]
    assert answer.headers["content-type"] == "application/json"
    assert '"value":75.0' in answer.text
    assert '"value":30' in ruled.evaluate("rethink_targets_threshold").text
    assert all(isinstance(fact, str | int | float | bool) for fact in answer.json()["metadata"].values())


def test_a_switched_off_setting_has_no_value_but_an_empty_variant(ruled):
    shown = ruled.evaluate("min_days_in_mode").json()
    assert (shown["reason"], shown["variant"], "value" in shown) == ("DISABLED", "", False)


BAD = [
    (b"", "application/json", 400, "PARSE_ERROR"),
    (b"{", "application/json", 400, "PARSE_ERROR"),
    (b'{"context":{},"context":{}}', "application/json", 400, "PARSE_ERROR"),
    (b'{"context":{"x":NaN}}', "application/json", 400, "PARSE_ERROR"),
    (b"\xff", "application/json", 400, "PARSE_ERROR"),
    (b"[]", "application/json", 400, "INVALID_CONTEXT"),
    (b'{"context":[]}', "application/json", 400, "INVALID_CONTEXT"),
    (b'{"context":null}', "application/json", 400, "INVALID_CONTEXT"),
    (b'{"context":{"targetingKey":7}}', "application/json", 400, "INVALID_CONTEXT"),
    (b'{"context":{"targetingKey":{"a":1}}}', "application/json", 400, "INVALID_CONTEXT"),
    (b'{"context":{"targetingKey":"a\\u0000b"}}', "application/json", 400, "INVALID_CONTEXT"),
    (b'{"context":{"targetingKey":"\\ud800"}}', "application/json", 400, "INVALID_CONTEXT"),
    (b'{"context":{}}', "text/plain", 415, "GENERAL"),
    (b'{"context":{}}', "", 415, "GENERAL"),
]


@pytest.mark.parametrize(("body", "kind", "status", "code"), BAD)
@pytest.mark.parametrize("path", [f"{BULK}/{KEY}", BULK])
def test_what_cannot_be_read_gets_a_body_that_clients_can_digest(house, path, body, kind, status, code):
    answer = house.client.post(path, content=body, headers=house.headers["flags"] | {"Content-Type": kind})
    assert answer.status_code == status
    assert answer.json()["errorCode"] == code
    assert answer.json()["errorDetails"]
    assert answer.json()["key"] == (KEY if path.endswith(KEY) else "")


@pytest.mark.parametrize("body", [b"{}", b'{"context":{}}', b'{"context":{"targetingKey":""}}', b'{"x":1}'])
def test_nobody_in_particular_gets_everybodys_value(house, body):
    headers = house.headers["flags"] | {"Content-Type": "application/json; charset=utf-8"}
    assert house.client.post(f"{BULK}/{KEY}", content=body, headers=headers).json()["value"] == 75.0


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("POST", f"{BULK}/nope", 404, "FLAG_NOT_FOUND"),
        ("POST", f"{BULK}/a%2Fb", 404, "FLAG_NOT_FOUND"),
        ("POST", f"{BULK}/", 404, "FLAG_NOT_FOUND"),
        ("POST", "/ofrep/v1/configuration", 404, "FLAG_NOT_FOUND"),
        ("GET", f"{BULK}/{KEY}", 405, "GENERAL"),
        ("DELETE", BULK, 405, "GENERAL"),
    ],
)
def test_wrong_addresses_have_ofreps_own_bodies(house, method, path, status, code):
    answer = house.client.request(method, path, json={"context": {}}, headers=house.headers["flags"])
    assert (answer.status_code, answer.json()["errorCode"]) == (status, code)


def test_a_fault_of_ours_has_ofreps_own_body_and_tells_nothing(build):
    def broken(_version, _key, _targeting_key):
        raise ValueError("secret of maria")

    answer = build(rules=broken).evaluate(KEY, {"targetingKey": "maria"})
    assert (answer.status_code, answer.json()["errorCode"], answer.json()["key"]) == (500, "GENERAL", KEY)
    assert "maria" not in answer.text


def test_a_token_sees_the_flags_of_its_component_and_no_other(house):
    shown = [flag["key"] for flag in house.post(BULK, {"context": {}}, "flags").json()["flags"]]
    mine = sorted(p.key for p in CATALOGUE.values() if p.component is Component.STRATEGY_ENGINE)
    assert shown == mine
    every = [flag["key"] for flag in house.post(BULK, {"context": {}}, "admin").json()["flags"]]
    assert every == sorted(CATALOGUE)
    other = house.evaluate("reach_bonus")
    assert (other.status_code, other.json()["errorCode"]) == (404, "FLAG_NOT_FOUND")


def test_the_bulk_answer_names_each_failure_beside_the_values(ruled):
    flags = {flag["key"]: flag for flag in ruled.post(BULK, {"context": {}}, "flags").json()["flags"]}
    assert flags["rethink_targets_rate"]["errorCode"] == "TARGETING_KEY_MISSING"
    assert flags[KEY]["value"] == 75.0
    assert "value" not in flags["min_days_in_mode"]


def bulk(house, tag=None, who="maria"):
    headers = {} if tag is None else {"If_None_Match": tag}
    return house.post(BULK, {"context": {"targetingKey": who}}, "flags", **headers)


def test_a_known_result_is_answered_with_304_to_a_post(ruled):
    first = bulk(ruled)
    tag = first.headers["etag"]
    for form in (tag, f"W/{tag}", f'"other", W/{tag}', "*"):
        again = bulk(ruled, form)
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
        assert again.headers["cache-control"] == "private, no-cache"
    assert bulk(ruled, '"other"').status_code == 200


def test_the_etag_names_the_result_so_another_person_never_gets_a_wrong_304(ruled):
    tag = bulk(ruled).headers["etag"]
    assert bulk(ruled, tag, who="john").status_code == 200
    assert bulk(ruled, tag, who="maria").status_code == 304


def test_after_a_change_the_old_etag_gets_the_new_values_and_only_that_flag_has_a_new_version(house):
    first = bulk(house)
    name = house.propose(70)
    house.post(f"/v1/recommendations/{name}/approve", {"why": "fine"})
    second = bulk(house, first.headers["etag"])
    assert second.status_code == 200
    versions = [
        {f["key"]: f["metadata"]["version"] for f in each.json()["flags"]} for each in (first, second)
    ]
    assert [key for key in versions[0] if versions[0][key] != versions[1][key]] == [KEY]


@pytest.mark.parametrize(("who", "status"), [("none", 401), ("read", 403)])
def test_strangers_get_a_body_too(house, who, status):
    answer = house.evaluate(KEY, who=who)
    assert answer.status_code == status
    assert set(answer.json()) == {"key", "errorCode", "errorDetails"}


def test_an_expired_token_evaluates_nothing(house):
    headers = issue(
        house.home, "late", Scope.FLAGS_EVALUATE, component=Component.ORCHESTRATOR, expires_at=house.time()
    )
    answer = house.client.post(BULK, json={"context": {}}, headers=headers)
    assert answer.status_code == 401


def test_tags_are_compared_weakly():
    tag = etag({"a": 1})
    assert names(f'W/{tag} , "x"', tag)
    assert not names("", tag)
    assert json.loads(tag)


APP = "https://app.example"


def preflight(house: House, origin: str, path: str = BULK):
    asked = {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type,if-none-match",
    }
    return house.client.options(path, headers=asked)


@pytest.fixture
def opened(home, build) -> House:
    (home.path / "layer7.toml").write_text(f'web_origins = ["{APP}"]\n', "utf-8")
    home.state.engine.dispose()
    return build(home=open_home(home.path))


def test_a_page_of_a_named_origin_may_ask_from_the_browser(opened):
    asked = preflight(opened, APP)
    assert asked.status_code == 200
    assert asked.headers["access-control-allow-origin"] == APP
    for name in ("authorization", "content-type", "if-none-match"):
        assert name in asked.headers["access-control-allow-headers"].lower()
    for status, token in ((200, "flags"), (401, "none")):
        answer = opened.post(BULK, {"context": {}}, token, Origin=APP)
        assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (status, APP)
        assert answer.headers["access-control-expose-headers"] == "ETag, Retry-After"
        # The cookie of somebody who is signed in here opens nothing for another site.
        assert "access-control-allow-credentials" not in answer.headers


def test_pages_of_other_origins_and_other_doors_stay_closed(opened):
    for origin in ("https://other.example", "http://app.example", "https://app.example.evil.example", "null"):
        assert "access-control-allow-origin" not in preflight(opened, origin).headers
        answer = opened.post(BULK, {"context": {}}, "flags", Origin=origin)
        assert "access-control-allow-origin" not in answer.headers
    for path in ("/v1/events", "/v1/config/strategy_engine"):
        assert "access-control-allow-origin" not in preflight(opened, APP, path).headers


def test_no_page_may_ask_unless_the_installation_says_so(house):
    assert preflight(house, APP).status_code == 405
    answer = house.post(BULK, {"context": {}}, "flags", Origin=APP)
    assert "access-control-allow-origin" not in answer.headers
