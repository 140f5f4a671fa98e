"""Bad inputs and faults, and what must come of them: one test or more for each row of the table."""

import asyncio
import gzip
import json
from datetime import timedelta
from errno import EIO
from functools import partial
from pathlib import Path

import httpx
import pytest
from sqlalchemy import func, select

from damage import break_page
from layer7.contract import EventType
from layer7.server.http.limits import Limits
from layer7.storage.database import schema
from layer7.storage.database.tokens import Scope
from server.conftest import event, issue, listening

WHY = {"why": "a reason"}


def send(house, body: bytes, kind: str = "application/json", **more: str):
    return house.client.post(
        "/v1/events", content=body, headers=house.headers["events"] | {"Content-Type": kind, **more}
    )


def nothing_stored(house) -> bool:
    with house.home.state.read() as connection:
        counts = [
            connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in (schema.inbox, schema.quarantine)
        ]
    return counts == [0, 0]


ROW_1 = {
    "empty": b"",
    "cut off": b'{"event_type": "STATUS',
    "two values": b"{} {}",
    "latin-1": '{"user_id": "Jos\u00e9"}'.encode("latin-1"),
    "utf-16": '{"user_id": "x"}'.encode("utf-16"),
    "byte order mark": b"\xef\xbb\xbf{}",
    "single quotes": b"{'a': 1}",
}


@pytest.mark.parametrize("body", ROW_1.values(), ids=ROW_1.keys())
def test_row_1_a_body_that_is_no_json_is_400_and_nothing_is_kept(house, caplog, body):
    caplog.set_level("DEBUG")
    answer = send(house, body)
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")
    assert answer.json()["instance"].startswith("urn:uuid:")
    assert nothing_stored(house)
    words = body[:12].decode("latin-1")
    assert not words or not any(words in record.getMessage() for record in caplog.records)


def test_row_1_a_wrong_charset_and_a_cut_off_gzip_are_400(house):
    body = json.dumps(event()).encode()
    assert send(house, body, "application/json; charset=latin-1").status_code == 400
    assert send(house, gzip.compress(body)[:-9], **{"Content-Encoding": "gzip"}).status_code == 400
    assert send(house, gzip.compress(body) + b"rest", **{"Content-Encoding": "gzip"}).status_code == 400
    assert send(house, body, **{"Content-Encoding": "gzip"}).status_code == 400
    assert nothing_stored(house)


def test_row_1_reviews_refuse_what_is_no_json_too(house):
    path = f"/v1/recommendations/{house.propose()}/reject"
    headers = house.headers["review"] | {"Content-Type": "application/json"}
    assert house.client.post(path, content=b"{", headers=headers).status_code == 400
    assert house.client.post(path, content=b"{}", headers=house.headers["review"]).status_code == 415


def peak_mib(pid: int) -> float:
    """The most memory that a process ever held."""
    status = Path(f"/proc/{pid}/status").read_text("ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def endless(size: int, piece: bytes = b" " * (1 << 16)):
    for _ in range(size // len(piece)):
        yield piece


def post(address: str, body, **headers: str) -> int:
    """Send as a careless client does, who goes on sending after the answer; 413 when the line was cut."""
    try:
        return httpx.post(f"{address}/v1/events", content=body, headers=headers, timeout=30).status_code
    except httpx.TransportError:
        return 413


def test_row_2_bodies_that_are_too_deep_or_too_long_are_refused_without_the_memory_for_them(home, process):
    address = f"http://127.0.0.1:{int(process.stdout.readline())}"
    right = issue(home, "layer4", Scope.EVENTS_WRITE) | {"Content-Type": "application/json"}
    send_it = partial(post, address, **right)
    assert send_it(json.dumps([event(str(n)) for n in range(100)]).encode()) == 202
    before = peak_mib(process.pid)
    assert send_it(b"[" * 10_000) == 400
    assert send_it(b'{"a":' * 10_000 + b"1" + b"}" * 10_000) == 400
    assert send_it(b'{"a":' + b"[" * 21 + b"]" * 21 + b"}") == 400
    assert send_it(endless(200 << 20)) == 413
    assert post(address, gzip.compress(b" " * (200 << 20), 1), **right, **{"Content-Encoding": "gzip"}) == 413
    assert send_it(b"[" + b"[]," * 5_000_000 + b"[]]") == 413
    assert send_it(b"[" + b"1," * 8_000_000 + b"1]") == 413
    assert peak_mib(process.pid) - before < 20
    assert send_it(json.dumps(event("after")).encode()) == 202


def test_row_2_what_is_announced_too_long_is_refused_before_it_comes(house):
    assert send(house, b"x", **{"Content-Length": str(200 << 20)}).status_code == 413
    nested = b'{"a":' + b"[" * 21 + b"]" * 21 + b"}"
    assert send(house, nested).json()["type"] == "urn:layer7:problem:too_deep"


def test_row_2_a_gzip_bomb_for_a_review_is_refused(house):
    path = f"/v1/recommendations/{house.propose()}/reject"
    headers = house.headers["review"] | {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    assert (
        house.client.post(path, content=gzip.compress(b" " * (5 << 20)), headers=headers).status_code == 413
    )


@pytest.mark.parametrize("number", ["1e400", "-1e400", str(2**80), '"5"', "true", "null ", "-1", "100.0001"])
def test_row_3_a_number_that_is_none_or_out_of_range_is_422_at_its_field(house, number):
    body = json.dumps(event(context={"fit_score": 5})).replace('"fit_score": 5', f'"fit_score": {number}')
    answer = send(house, body.encode())
    if number.strip() == "null":
        assert answer.status_code == 202  # an optional field that says nothing
        return
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/context/fit_score"]


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_row_3_what_json_has_no_word_for_is_422_at_its_field_and_harms_no_other_event(house, number):
    body = json.dumps(event(context={"fit_score": 5})).replace('"fit_score": 5', f'"fit_score": {number}')
    answer = send(house, body.encode())
    assert answer.status_code == 422
    assert [(error["pointer"], error["code"]) for error in answer.json()["errors"]] == [
        ("/context/fit_score", "not_finite")
    ]
    both = send(house, f"[{body}, {json.dumps(event('other'))}]".encode())
    assert [each["status"] for each in both.json()["results"]] == ["quarantined", "accepted"]


def test_row_3_elsewhere_what_json_has_no_word_for_is_no_json(house):
    path = f"/v1/recommendations/{house.propose()}/reject"
    headers = house.headers["review"] | {"Content-Type": "application/json"}
    assert house.client.post(path, content=b'{"why": NaN}', headers=headers).status_code == 400


@pytest.mark.parametrize("extra", ["is_admin", "actor", "state", "rho", "user_id"])
def test_row_4_unknown_members_of_a_decision_are_422(house, extra):
    answer = house.post(f"/v1/recommendations/{house.propose()}/reject", {**WHY, extra: "x"})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == f"/{extra}"


def test_row_4_unknown_members_of_an_event_are_counted_and_never_kept(house):
    assert send(house, json.dumps(event(is_admin=True)).encode()).status_code == 202
    with house.home.state.read() as connection:
        assert connection.execute(select(schema.seen.c.name)).scalars().all() == ["is_admin"]
        assert "is_admin" not in connection.execute(select(schema.inbox.c.payload)).scalar_one()


def test_row_4_unknown_parameters_of_an_address_are_422(house):
    assert house.get("/v1/recommendations?sort=age").status_code == 422
    assert house.get("/v1/recommendations?state=happy").status_code == 422
    assert house.get("/v1/recommendations?limit=0").status_code == 422


def test_row_5_nothing_that_stands_there_twice_is_read(house):
    body = json.dumps(event()).encode()
    twice = body[:-1] + b', "user_id": "other"}'
    assert send(house, twice).json()["type"] == "urn:layer7:problem:duplicate_key"
    inner = b'{"why": "a", "why": "b"}'
    headers = house.headers["review"] | {"Content-Type": "application/json"}
    path = f"/v1/recommendations/{house.propose()}/reject"
    assert house.client.post(path, content=inner, headers=headers).status_code == 400
    assert house.get("/v1/recommendations?limit=1&limit=2").status_code == 400
    assert house.get("/v1/recommendations?limit=1&l%69mit=2").status_code == 400
    assert nothing_stored(house)


ROW_6 = {
    "NUL": "a\x00b",
    "right to left": "a\u202eb",
    "zero width": "ma\u200bria@example.org",
    "long": "x" * 1_000,
    "line feed": "a\nb",
    "half a pair": "\ud800",
}


@pytest.mark.parametrize("name", ROW_6.values(), ids=ROW_6.keys())
def test_row_6_names_with_invisible_characters_are_422(house, name):
    for body in (event(user_id=name), event(name), event(application_id=name)):
        assert send(house, json.dumps(body).encode()).status_code == 422


def rejected(event_id: str, reason: str) -> bytes:
    return json.dumps(event(event_id, kind=EventType.SUGGESTION_REJECTED, rejection_reason=reason)).encode()


def test_row_6_free_text_is_kept_as_it_is_within_limits(house):
    assert send(house, rejected("r1", "two\nlines \u202e")).status_code == 202
    assert send(house, rejected("r2", "x" * 100_001)).status_code == 422
    assert send(house, rejected("r3", "a\x00b")).status_code == 422
    answer = house.post(f"/v1/recommendations/{house.propose()}/reject", {"why": "a\x00b"})
    assert answer.status_code == 422


def test_row_6_odd_names_are_counted_in_a_form_that_can_be_kept_and_a_log_line_stays_one_line(house, caplog):
    caplog.set_level("DEBUG")
    for odd in ("MOON\nROSE\x00", "\ud800", "\u202e"):
        assert send(house, json.dumps(event("odd", event_type=odd)).encode()).status_code == 202
    assert send(house, json.dumps({**event("odd"), "a\x00b": 1}).encode()).status_code == 202
    house.client.get("/a%0Ab%0D%0Ac")
    lines = [record.getMessage() for record in caplog.records if record.name == "layer7.access"]
    assert len(lines) == 5
    assert not any("\n" in line or "\r" in line for line in lines)


def test_row_7_words_of_other_languages_are_data(house):
    words = "'; DROP TABLE inbox; -- {{7*7}} ../../etc/passwd =HYPERLINK(1)"
    assert send(house, json.dumps(event(words, user_id=words)).encode()).status_code == 202
    name = house.propose()
    house.post(f"/v1/recommendations/{name}/reject", {"why": words})
    shown = house.get(f"/v1/recommendations/{name}").json()
    assert shown["decisions"][0]["why"] == words
    assert house.get("/v1/recommendations/..%2F..%2Fetc%2Fpasswd").status_code == 404
    assert house.get("/v1/schemas/..%2Fx.json").status_code == 404
    assert house.get("/v1/users/'%20OR%201=1/performance").status_code == 404


def test_row_8_a_hundred_copies_at_once_count_once_and_each_hears_of_the_first(house):
    with listening(house.app) as address:

        async def race():
            async with httpx.AsyncClient(base_url=address, timeout=30) as client:
                headers = house.headers["events"]
                tasks = (client.post("/v1/events", json=event(), headers=headers) for _ in range(100))
                return await asyncio.gather(*tasks)

        answers = asyncio.run(race())
        assert house.home.inbox.waiting() == 1
        house.home.inbox.drain(now=house.time())
        again = httpx.post(f"{address}/v1/events", json=event(), headers=house.headers["events"])
    later = [answer.json() for answer in answers if answer.status_code == 200]
    assert len(later) == 99
    assert {json.dumps(each) for each in later} == {
        '{"status": "duplicate", "event_id": "e1", "first_result": "accepted"}'
    }
    assert (again.status_code, house.home.inbox.waiting()) == (200, 0)


def test_row_9_one_key_for_two_requests_is_a_conflict_and_the_first_is_kept(house):
    name = house.propose()
    first = house.post(f"/v1/recommendations/{name}/reject", WHY, Idempotency_Key="k")
    second = house.post(f"/v1/recommendations/{name}/reject", {"why": "other"}, Idempotency_Key="k")
    assert (first.status_code, second.status_code) == (200, 409)
    assert house.get(f"/v1/recommendations/{name}").json()["decisions"][0]["why"] == "a reason"
    send(house, json.dumps(event()).encode())
    other = send(house, json.dumps(event(user_id="another")).encode())
    assert other.status_code == 409


def test_row_10_outcomes_may_come_before_their_application_and_in_any_order(house):
    early = [
        event("o1", timestamp="2025-05-01T10:00:00Z"),
        event("o2", timestamp="2025-04-01T10:00:00Z"),
        event("a1", kind=EventType.APPLICATION_SUBMITTED, timestamp="2025-06-01T10:00:00Z"),
    ]
    answer = send(house, json.dumps(early).encode())
    assert [each["status"] for each in answer.json()["results"]] == ["accepted"] * 3


@pytest.mark.parametrize(
    ("moment", "status"),
    [
        ("1970-01-01T00:00:00Z", 422),
        ("2106-02-07T06:28:16Z", 422),
        ("2026-03-02T12:06:00Z", 422),
        ("2026-03-02T12:04:00Z", 202),
        ("2026-03-03T01:59:00+14:00", 202),
        ("2026-02-01T02:30:00-05:00", 202),
        ("2016-12-31T23:59:60Z", 422),
        ("2025-05-01T10:00:00", 202),
        ("2025-05-01", 202),
        ("yesterday", 422),
        (1_750_000_000, 422),
    ],
)
def test_row_11_moments_are_read_or_refused_at_their_field(house, moment, status):
    answer = send(house, json.dumps(event(timestamp=moment)).encode())
    assert answer.status_code == status
    if status == 422:
        assert [error["pointer"] for error in answer.json()["errors"]] == ["/timestamp"]


def test_row_12_a_clock_that_jumps_loses_no_event_and_stretches_no_limit(build):
    house = build(limits=Limits(events_per_minute=2))
    assert send(house, json.dumps(event("a")).encode()).status_code == 202
    house.time.jump(timedelta(hours=-3))
    assert send(house, json.dumps(event("a")).encode()).status_code == 200
    house.time.jump(timedelta(days=365))
    assert send(house, json.dumps(event("b")).encode()).status_code == 429
    house.time.seconds += 60
    assert send(house, json.dumps(event("b")).encode()).status_code == 202
    name = house.propose()
    house.time.jump(timedelta(days=-400))
    house.post(f"/v1/recommendations/{name}/approve", WHY)
    assert house.get("/v1/audit/verify").json()["intact"] is True
    assert house.get("/v1/config/strategy_engine").json()["improve_resume_threshold"] == 70.0


def test_row_13_a_flood_is_429_for_its_sender_alone(build):
    house = build(limits=Limits(events_per_minute=100))
    flood = json.dumps([event(f"f{n}") for n in range(60)]).encode()
    first, second = send(house, flood), send(house, flood)
    assert (first.status_code, second.status_code) == (202, 429)
    assert int(second.headers["retry-after"]) == 12
    assert second.json()["type"] == "urn:layer7:problem:too_many_requests"
    other = house.client.post("/v1/events", json=event("other"), headers=house.headers["admin"])
    assert other.status_code == 202
    assert house.home.inbox.waiting() == 61


def reads_alone(house, name, *, code, hint):
    """Whatever writes is 503 and says what to do; what only reads goes on."""
    for answer in (
        send(house, json.dumps(event()).encode()),
        house.post(f"/v1/recommendations/{name}/reject", WHY),
        house.client.delete("/v1/users/anna", headers=house.headers["privacy"]),
        house.get("/ready"),
    ):
        assert answer.status_code == 503
        assert int(answer.headers["retry-after"]) > 0
        assert answer.json()["type"] == f"urn:layer7:problem:{code}"
        assert hint in answer.json()["hint"]
    for path in (f"/v1/recommendations/{name}", "/v1/config/strategy_engine", "/health"):
        assert house.get(path).status_code == 200
    assert house.evaluate("improve_resume_threshold").json()["value"] == 75.0


def test_row_33_on_a_damaged_database_reads_go_on_and_writes_are_503_with_what_to_do(house):
    name = house.propose()
    house.home.state.engine.dispose()
    break_page(house.home.path / "state.db", "ix_quarantine_person")
    assert house.home.state.check()
    reads_alone(house, name, code="state_damaged", hint="backup")
    assert house.get("/v1/audit/verify").json()["intact"] is True


def test_row_32_after_a_flush_that_failed_reads_go_on_and_writes_are_503_until_it_is_started_again(house):
    """Flushes that really fail are in tests/storage/test_disk.py."""
    name = house.propose()
    house.home.state.disk.met(OSError(EIO, ""))
    reads_alone(house, name, code="disk_failed", hint="start it again")
    assert nothing_stored(house)
