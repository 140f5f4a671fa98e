"""The event door: every form, exactly once, acknowledged when durable."""

import asyncio
import gzip
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from layer7.contract.reading import check_event
from layer7.errors import Layer7Error
from layer7.server.http.limits import Limits
from layer7.server.http.writer import EventWriter
from layer7.storage.database import schema
from layer7.storage.intake.inbox import Receipt, of_rights
from server.conftest import NOW, event

ENVELOPE = {
    "specversion": "1.0",
    "id": "e1",
    "source": "/layer4",
    "type": "jobagent.application.status_changed",
}


def plain(**more) -> dict:
    found = event(**more)
    del found["event_id"]
    return found


def send(house, body, kind: str = "application/json", **headers: str):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    more = {name.replace("_", "-"): value for name, value in headers.items()}
    return house.client.post(
        "/v1/events", content=data, headers=house.headers["events"] | {"Content-Type": kind} | more
    )


def stored(house) -> int:
    with house.home.state.read() as connection:
        return connection.execute(select(func.count()).select_from(schema.inbox)).scalar_one()


def quarantined(house) -> list[str]:
    return [each.code for each in house.home.quarantine.waiting()]


def test_one_event_is_accepted_then_known(house):
    first, again = send(house, event()), send(house, event())
    assert (first.status_code, first.json()) == (202, {"status": "accepted", "event_id": "e1"})
    assert again.status_code == 200
    assert again.json() == {"status": "duplicate", "event_id": "e1", "first_result": "accepted"}
    assert stored(house) == 1


def test_another_event_under_the_same_identity_is_refused_and_the_first_kept(house):
    send(house, event())
    answer = send(house, event(timestamp="2025-06-01T10:00:00+02:00"))
    assert answer.status_code == 409
    assert answer.json()["type"] == "urn:layer7:problem:event_conflict"
    assert (stored(house), quarantined(house)) == (1, ["event_id_conflict"])


def test_an_invalid_event_is_pointed_at_and_quarantined(house):
    answer = send(house, event(context={"fit_score": 120}))
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    pointers = {error["pointer"]: error["code"] for error in answer.json()["errors"]}
    assert pointers["/context/fit_score"] == "out_of_range"
    assert stored(house) == 0
    assert len(quarantined(house)) == 1


def test_an_unknown_type_is_ignored_and_counted(house):
    answer = send(house, event(event_type="MOON_ROSE"))
    assert (answer.status_code, answer.json()) == (202, {"status": "ignored"})
    with house.home.state.read() as connection:
        assert connection.execute(select(schema.seen.c.name, schema.seen.c.n)).all() == [("MOON_ROSE", 1)]


def test_a_list_gets_one_result_for_each_in_order(house):
    listed = [
        event("a"),
        event("a"),
        {"event_type": "STATUS_CHANGED"},
        event("b", event_type="X"),
        event("c"),
        7,
    ]
    answer = send(house, listed)
    assert answer.status_code == 202
    assert [(each["index"], each["status"]) for each in answer.json()["results"]] == [
        (0, "accepted"),
        (1, "duplicate"),
        (2, "quarantined"),
        (3, "ignored"),
        (4, "accepted"),
        (5, "quarantined"),
    ]
    assert answer.json()["results"][2]["errors"][0]["pointer"] == "/user_id"


def test_json_lines_are_read_line_by_line(house):
    lines = [json.dumps(event("a")), "", "no json", json.dumps(event("b"))]
    answer = send(house, "\n".join(lines).encode(), "application/x-ndjson; charset=utf-8")
    assert [each["status"] for each in answer.json()["results"]] == ["accepted", "quarantined", "accepted"]
    assert quarantined(house) == ["invalid_json"]


def test_a_structured_cloudevent_has_its_source_and_id_as_identity(house):
    body = ENVELOPE | {"data": plain()}
    answer = send(house, body, "application/cloudevents+json; charset=utf-8")
    assert answer.json() == {"status": "accepted", "event_id": "/layer4#e1"}
    assert send(house, body, "application/cloudevents+json").status_code == 200


def test_a_cloudevents_batch_gets_one_result_for_each(house):
    batch = [ENVELOPE | {"data": plain()}, ENVELOPE | {"id": "e2"}, plain()]
    answer = send(house, batch, "application/cloudevents-batch+json")
    results = answer.json()["results"]
    assert [each["status"] for each in results] == ["accepted", "quarantined", "quarantined"]
    assert [each["errors"][0]["pointer"] for each in results[1:]] == ["/data", "/specversion"]


def test_a_binary_cloudevent_has_its_attributes_in_headers(house):
    headers = {f"ce_{name}": value for name, value in ENVELOPE.items()} | {"ce_source": "/layer%204"}
    answer = send(house, plain(), "application/json", **headers)
    assert answer.json() == {"status": "accepted", "event_id": "/layer 4#e1"}


def test_what_is_wrong_inside_a_cloudevent_is_pointed_at_inside_the_cloudevent(house):
    data = plain(user_id="")
    del data["timestamp"]
    answer = send(house, ENVELOPE | {"data": data, "time": "long ago"}, "application/cloudevents+json")
    assert {error["pointer"] for error in answer.json()["errors"]} == {"/data/user_id", "/time"}


@pytest.mark.parametrize("kind", ["text/plain", "", "application/xml", "multipart/form-data; boundary=x"])
def test_other_media_types_are_not_read(house, kind):
    answer = send(house, event(), kind)
    assert answer.status_code == 415
    assert "application/x-ndjson" in answer.headers["accept"]


def test_a_batch_body_that_is_no_array_is_refused(house):
    assert send(house, event(), "application/cloudevents-batch+json").status_code == 422


def test_gzip_is_read_also_in_several_members(house):
    body = gzip.compress(json.dumps(event("a")).encode() + b"\n") + gzip.compress(
        json.dumps(event("b")).encode()
    )
    answer = send(house, body, "application/x-ndjson", content_encoding="gzip")
    assert [each["status"] for each in answer.json()["results"]] == ["accepted", "accepted"]


def test_gzip_of_every_size_comes_out_whole(house):
    for size in (0, 1, 65_535, 65_536, 65_537, 200_000):
        value = event(f"z{size}") | {"note": "x" * size}
        answer = send(house, gzip.compress(json.dumps(value).encode()), content_encoding="gzip")
        assert answer.status_code == 202


def test_other_encodings_are_refused(house):
    assert send(house, event(), content_encoding="br").status_code == 415


class _SlowInbox:
    """Stands in for the inbox: counts commits, and can be told to fail."""

    def __init__(self) -> None:
        self.commits: list[int] = []
        self.came = threading.Event()
        self.go = threading.Event()
        self.poison = ""

    def accept(self, readings, *, now, source):
        assert (now, source) == (NOW, "POST /v1/events")
        self.came.set()
        self.go.wait(60)
        if any(raw == self.poison for raw, _ in readings):
            raise ValueError(self.poison)
        self.commits.append(len(readings))
        return tuple(Receipt("accepted", raw) for raw, _ in readings)


def write_many(inbox: _SlowInbox, count: int, most: int = 1000, said=()):
    """Write the first event alone, and then the others, of which each second is ``said``, together."""
    writer = EventWriter(inbox, lambda: NOW, most=most)
    reading, other = (check_event(each, now=NOW) for each in (event(), event() | dict(said)))

    async def together():
        first = asyncio.create_task(writer.write([("0", reading)]))
        await asyncio.to_thread(inbox.came.wait, 60)
        pairs = [[(str(n), other if n % 2 else reading)] * 2 for n in range(1, count)]
        rest = [asyncio.create_task(writer.write(pair)) for pair in pairs]
        # Each of them is begun, in its turn, before this goes on: all of them wait.
        await asyncio.sleep(0)
        inbox.go.set()
        return await asyncio.gather(first, *rest, return_exceptions=True)

    found = asyncio.run(together())
    writer.close()
    return found


def test_requests_that_wait_are_committed_together_and_each_gets_its_own_receipts():
    inbox = _SlowInbox()
    found = write_many(inbox, 50)
    assert inbox.commits == [1, 98]
    assert [[receipt.event_id for receipt in each] for each in found] == [["0"]] + [
        [str(n)] * 2 for n in range(1, 50)
    ]


def test_a_fault_hits_only_the_request_that_has_it():
    inbox = _SlowInbox()
    inbox.poison = "7"
    found = write_many(inbox, 10)
    assert [type(each).__name__ for each in found] == ["tuple"] * 7 + ["ValueError"] + ["tuple"] * 2


def test_on_a_full_disk_words_on_the_use_of_ones_data_go_through_beside_what_is_refused():
    class Full(_SlowInbox):
        def accept(self, readings, **more):
            if len(readings) > 1 and not of_rights(readings):
                raise Layer7Error("disk_full", "The disk is full.", "Free some space.")
            return super().accept(readings, **more)

    inbox = Full()
    said = {"event_type": "ERASURE_REQUESTED", "application_id": None, "job_id": None}
    found = write_many(inbox, 5, said=said)
    assert inbox.commits == [1, 2, 2]
    assert [isinstance(each, Layer7Error) for each in found] == [False, False, True, False, True]


def test_what_the_writer_cannot_take_is_refused_not_lost():
    inbox = _SlowInbox()
    found = write_many(inbox, 10, most=5)
    refused = [each for each in found if isinstance(each, Layer7Error)]
    assert {each.code for each in refused} == {"too_busy"}
    assert sum(inbox.commits) == sum(len(each) for each in found if isinstance(each, tuple)) == 5


def test_closing_writes_what_waits():
    inbox = _SlowInbox()
    inbox.go.set()
    writer = EventWriter(inbox, lambda: NOW, most=10)
    reading = check_event(event(), now=NOW)
    asyncio.run(writer.write([("a", reading)]))
    writer.close()
    assert not writer.alive
    with pytest.raises(Layer7Error, match="shutting down"):
        asyncio.run(writer.write([("b", reading)]))


def test_many_writers_at_once_lose_nothing(house):
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: send(house, [event(f"{n}-{k}") for k in range(5)]), range(20)))
    results = [each["event_id"] for answer in answers for each in answer.json()["results"]]
    assert sorted(results) == sorted(f"{n}-{k}" for n in range(20) for k in range(5))
    assert stored(house) == 100


def test_an_event_ahead_of_the_clock_is_refused(house):
    ahead = (NOW + timedelta(minutes=6)).isoformat()
    answer = send(house, event(timestamp=ahead))
    assert answer.json()["errors"][0]["code"] == "timestamp_in_future"


def test_a_full_disk_is_told_with_a_time_to_come_back(house, monkeypatch):
    def full(*_args, **_more):
        raise Layer7Error("disk_full", "The disk is full.", "Free some space.")

    monkeypatch.setattr(type(house.home.inbox), "accept", full)
    answer = send(house, event())
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")


def test_limits_are_those_of_the_installation(build):
    house = build(limits=Limits(single_bytes=2000, batch_bytes=5000, batch_items=3))
    assert send(house, [event(str(n)) for n in range(4)]).status_code == 413
    assert send(house, event() | {"note": "x" * 2000}).status_code == 413
    assert send(house, [event() | {"note": "x" * 2000}]).status_code == 202
    assert send(house, [event() | {"note": "x" * 6000}]).status_code == 413


def test_a_cloudevents_sender_asks_before_it_delivers(house):
    asked = {"WebHook-Request-Origin": "eventemitter.example.com", "WebHook-Request-Rate": "120"}
    answer = house.client.options("/v1/events", headers=house.headers["events"] | asked)
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["webhook-allowed-origin"] == "eventemitter.example.com"
    assert answer.headers["webhook-allowed-rate"] == str(Limits().requests_per_minute)
    assert "POST" in answer.headers["allow"]


def test_without_a_name_or_a_token_no_sender_is_allowed(house):
    nameless = house.client.options("/v1/events", headers=house.headers["events"])
    assert (nameless.status_code, "webhook-allowed-origin" in nameless.headers) == (200, False)
    asked = {"WebHook-Request-Origin": "eventemitter.example.com"}
    refused = house.client.options("/v1/events", headers=asked)
    assert (refused.status_code, "webhook-allowed-origin" in refused.headers) == (401, False)
