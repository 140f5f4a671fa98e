"""A person gets all of it, and another installation learns the same from it."""

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canaries import PERSON, WORDS, private_events
from children import small_settings
from layer7 import nightly
from layer7.contract import EVENT_EXAMPLES, EVENT_MODELS, EventType
from layer7.contract.columns import flatten, unflatten
from layer7.contract.rights import PersonExport
from layer7.contract.shapes import parse_instant
from layer7.contract.vocabulary import Purpose
from layer7.nightly.night import Night
from layer7.storage.database.state import Act
from layer7.storage.home import open_home
from layer7.storage.rights.register import DATASETS, DECLARED, KEYS, STATE
from layer7.storage.services.portability import Portability, _as_told
from layer7.storage.services.standing import PROMISE, Standing
from layer7.storage.warehouse.reading import Horizon

STAGES = (nightly.ingest, nightly.applications, nightly.measure, nightly.find)


def told():
    return [event for event in private_events() if event["event_type"] != "ERASURE_REQUESTED"]


def learn(home, now):
    at_work = Night(home, Horizon(now.date(), now), 1, lambda: now, lambda _: None)
    for stage in STAGES:
        stage(at_work)


def act(now):
    return Act("anna", "", "", now, "she moves")


@pytest.mark.parametrize("event_type", EventType)
def test_an_event_comes_back_from_its_columns(event_type):
    model = EVENT_MODELS[event_type]
    event = model.model_validate_json(json.dumps(EVENT_EXAMPLES[event_type]))
    head = {"event_type": event_type, "user_id": "u", "timestamp": "2026-01-01"}
    again = model.model_validate_json(json.dumps(head | unflatten(event_type, flatten(event))))
    assert flatten(again) == flatten(event)


@given(st.integers(10**9, 2 * 10**9), st.integers(-14 * 4, 14 * 4))
def test_a_time_is_told_so_that_it_reads_the_same(seconds, quarters):
    zone = timezone(timedelta(minutes=15 * quarters))
    read = parse_instant(datetime.fromtimestamp(seconds, zone).isoformat())
    assert parse_instant(_as_told(read.utc, read.local_hour, read.local_weekday)) == read


@pytest.mark.parametrize("text", ["2026-03-02", "2026-03-02T09:00:00"])
def test_a_time_without_an_offset_stays_without(text):
    read = parse_instant(text)
    assert parse_instant(_as_told(read.utc, read.local_hour, read.local_weekday)) == read


def test_she_gets_everything_and_another_installation_learns_the_same(home, take, tmp_path, now, logged):
    take(home, [*told(), f'{{"user_id": "{PERSON}", "x": '])
    home.consents.say(PERSON, {Purpose.EXPERIMENTS: "no"}, act=act(now), source="http")
    learn(home, now)
    document = Portability(home).export(PERSON, at=now)
    assert len(document.events) == len(told())
    assert [event for event in document.events if WORDS in str(event)]
    parts = EVENT_EXAMPLES[EventType.APPLICATION_SUBMITTED]["context"]["resume_score_components"]
    assert [
        event for event in document.events if event.get("context", {}).get("resume_score_components") == parts
    ]
    assert document.kept["applications"][0]["resume_score_components"] == parts
    assert document.kept["performance"]
    assert [line["code"] for line in document.kept["quarantine"]] == ["invalid_json"]
    named = {place.name for place in (*STATE, *DATASETS, *KEYS, DECLARED) if place.person}
    assert set(document.fields) == named | {"acts"}
    assert [each["action"] for each in document.kept["acts"]] == ["consent.set"]
    assert named - {"events", "inbox", "consents", "erasures", "person"} <= set(document.kept)
    assert home.keys.person(PERSON) not in document.model_dump_json()

    other = open_home(
        tmp_path / "other", small_settings().model_copy(update={"master_key": bytes(range(9, 41)).hex()})
    )
    brought = PersonExport.model_validate_json(document.model_dump_json())
    summary = Portability(other).take(brought, act=act(now))
    assert (summary.accepted, summary.quarantined) == (len(told()), 0)
    assert Portability(other).take(brought, act=act(now)).duplicate == len(told())
    learn(other, now)
    again = Portability(other).export(PERSON, at=now)
    assert again.events == document.events
    assert again.consents == document.consents
    for name in ("applications", "performance", "patterns", "pattern_plans", "preferences"):
        assert again.kept[name] == document.kept[name], name
    shared = {"event_time", "event_id", "local_hour", "local_weekday", "application_id", "fit_score"}
    first, second = ([{n: row[n] for n in shared} for row in logged(each)] for each in (home, other))
    assert first == second


def test_of_somebody_unknown_nothing_is_given(home, now):
    document = Portability(home).export("nobody", at=now)
    assert (document.events, document.consents) == ((), ())
    assert not any(document.kept.values())
    assert Standing(home).of("nobody").kept == ()


def test_where_she_stands(home, take, now):
    take(home, told()[:5])
    home.consents.say(PERSON, {Purpose.EXPERIMENTS: "no"}, act=act(now), source="http")
    found = Standing(home).of(PERSON)
    kept = {each.place: each.rows for each in found.kept}
    assert (kept["events"], kept["consents"], kept["person"]) == (5, 1, 1)
    assert {use.purpose: use.allowed for use in found.uses}["experiments"] is False
    assert found.promise == PROMISE
    assert {right.article for right in found.rights} >= {"17", "15 and 20", "22"}
    home.erasures.erase(PERSON, act=act(now + timedelta(days=1)))
    gone = Standing(home).of(PERSON)
    assert (gone.kept, gone.erased_at) == ((), datetime(2026, 3, 3, 12, tzinfo=UTC).isoformat())
