"""One event at a time: durable when acknowledged, each once, however many come at once."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import event as listening

from layer7.contract import EVENT_EXAMPLES
from layer7.contract.reading import read_event
from layer7.errors import Layer7Error
from layer7.privacy import open_sealed
from layer7.storage.intake import inbox
from layer7.storage.intake.door import SEALED


@pytest.fixture
def accept(now):
    def call(home, *events):
        lines = [event if isinstance(event, str) else json.dumps(event) for event in events]
        readings = [(line, read_event(line, now=now)) for line in lines]
        return home.inbox.accept(readings, now=now, source="http")

    return call


def statuses(receipts):
    return [receipt.status for receipt in receipts]


def test_receipts_come_in_order(any_home, accept, make_event):
    receipts = accept(
        any_home,
        make_event(event_id="z"),
        "not json",
        make_event(event_type="NEW"),
        make_event(event_id="z"),
        make_event(event_id="z", application_id="other"),
        make_event(event_id="a"),
        make_event(user_id=None),
    )
    assert statuses(receipts) == [
        "accepted", "quarantined", "ignored", "duplicate", "conflict", "accepted", "quarantined"
    ]  # fmt: skip
    assert [receipt.event_id for receipt in receipts] == ["z", None, None, "z", "z", "a", None]
    assert receipts[1].problems[0].code == "invalid_json"
    assert any_home.inbox.waiting() == 2
    assert any_home.quarantine.counts() == {"event_id_conflict": 1, "invalid_json": 1, "missing_field": 1}


def test_of_two_events_under_one_identity_the_first_is_kept(any_home, accept, make_event, logged, now):
    receipts = accept(any_home, make_event(event_id="e"), make_event(event_id="e", application_id="other"))
    assert statuses(receipts) == ["accepted", "conflict"]
    any_home.inbox.drain(now=now)
    assert [row["application_id"] for row in logged(any_home)] == ["a1"]


def test_a_hundred_at_once_count_once(any_home, accept, make_event, logged, now):
    events = [make_event(event_id=f"e{at}") for at in range(3)]
    with ThreadPoolExecutor(12) as pool:
        orders = [events if at % 2 else events[::-1] for at in range(100)]
        found = [
            receipt for part in pool.map(lambda order: accept(any_home, *order), orders) for receipt in part
        ]
    assert statuses(found).count("accepted") == 3
    assert statuses(found).count("duplicate") == 297
    assert any_home.inbox.drain(now=now) == 3
    assert len(logged(any_home)) == 3


def test_refused_events_at_once_are_kept_once(any_home, accept):
    bad = [json.dumps({"user_id": f"u{at}"}) for at in range(5)] + ["{"]
    with ThreadPoolExecutor(8) as pool:
        orders = [bad if at % 2 else bad[::-1] for at in range(24)]
        list(pool.map(lambda order: accept(any_home, *order), orders))
    assert sum(any_home.quarantine.counts().values()) == 6


def test_accepting_while_draining_loses_nothing(any_home, accept, make_event, logged, now):
    events = [make_event(event_id=f"e{at}") for at in range(40)]
    with ThreadPoolExecutor(5) as pool:
        draining = [pool.submit(any_home.inbox.drain, now=now) for _ in range(2)]
        accepting = [pool.submit(accept, any_home, event) for event in events * 2]
        draining += [pool.submit(any_home.inbox.drain, now=now) for _ in range(3)]
        for done in (*draining, *accepting):
            done.result()
    any_home.inbox.drain(now=now)
    assert [row["event_id"] for row in logged(any_home)] == sorted(event["event_id"] for event in events)


@pytest.mark.parametrize("other", [{}, {"application_id": "other"}])
@pytest.mark.parametrize("state_url", [pytest.param("postgres", marks=pytest.mark.postgres)], indirect=True)
def test_an_event_that_moves_while_its_twin_is_compared_is_found_in_the_log(
    any_home, accept, make_event, logged, now, monkeypatch, other
):
    home = any_home
    accept(home, make_event(event_id="e"))
    really = inbox._essences

    def compare(connection, names):
        # Another writer moves the waiting event to the log between the two statements.
        monkeypatch.setattr(inbox, "_essences", really)
        assert home.inbox.drain(now=now) == 1
        return really(connection, names)

    monkeypatch.setattr(inbox, "_essences", compare)
    got = accept(home, make_event(event_id="e", **other), make_event(event_id="f"))
    assert statuses(got) == ["conflict" if other else "duplicate", "accepted"]
    home.inbox.drain(now=now)
    assert [row["event_id"] for row in logged(home)] == ["e", "f"]
    assert home.quarantine.counts() == ({"event_id_conflict": 1} if other else {})


def test_the_log_is_the_same_by_inbox_and_by_file(home, accept, take, logged, now):
    accept(home, *EVENT_EXAMPLES.values())
    home.inbox.drain(now=now)
    by_inbox = logged(home)
    with home.state.write() as connection:
        home.manifest.publish(connection, gone=home.manifest.live("events"), at=now)
    take(home, EVENT_EXAMPLES.values())
    for one, other in zip(by_inbox, logged(home), strict=True):
        key = home.keys.keys([one["person"]])[one["person"]]
        for name in SEALED:
            if one[name] is not None:
                one[name], other[name] = (open_sealed(key, row[name]) for row in (one, other))
        assert one == other


def test_draining_moves_in_parts(home, accept, make_event, logged, now, monkeypatch):
    monkeypatch.setattr("layer7.storage.intake.inbox._AT_ONCE", 4)
    accept(home, *(make_event(event_id=f"e{at}") for at in range(10)))
    assert home.inbox.drain(now=now) == 10
    assert (home.inbox.waiting(), len(logged(home))) == (0, 10)
    assert home.inbox.drain(now=now) == 0


def test_another_persons_event_under_a_taken_identity_is_found_when_drained(
    home, accept, make_event, logged, now
):
    accept(home, make_event(event_id="e", user_id="anna"))
    home.inbox.drain(now=now)
    other = next(f"u{at}" for at in range(99) if home.keys.bucket(home.keys.person(f"u{at}")) == 0)
    assert statuses(accept(home, make_event(event_id="e", user_id=other))) == ["accepted"]
    home.inbox.drain(now=now)
    assert home.quarantine.counts() == {"event_id_conflict": 1}
    assert [row["person"] for row in logged(home)] == [home.keys.person("anna")]


def test_nothing_at_all_is_kept_when_the_disk_is_full(home, accept, make_event):
    with home.state.engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()

    def limit(connection, _record):
        connection.execute(f"PRAGMA max_page_count = {pages + 2}")

    home.state.engine.dispose()
    listening.listen(home.state.engine, "connect", limit)
    events = [
        make_event(event_id=f"e{at}", context={"job_characteristics": {"title": "x" * 400}})
        for at in range(50)
    ]
    with pytest.raises(Layer7Error) as error:
        accept(home, *events, "not json")
    assert error.value.code == "disk_full"
    assert (home.inbox.waiting(), home.quarantine.counts()) == (0, {})
    home.state.engine.dispose()
    listening.remove(home.state.engine, "connect", limit)
    assert set(statuses(accept(home, *events))) == {"accepted"}


def test_a_person_who_comes_with_words_has_them_sealed(home, accept, logged, now):
    event = EVENT_EXAMPLES[next(kind for kind in EVENT_EXAMPLES if kind == "SUGGESTION_EDITED")]
    accept(home, event)
    home.inbox.drain(now=now)
    (row,) = logged(home)
    assert home.keys.user_ids([row["person"]]) == {row["person"]: "user_123"}
    key = home.keys.keys([row["person"]])[row["person"]]
    assert json.loads(open_sealed(key, row["final_content"])) == event["final_content"]
