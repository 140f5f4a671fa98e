"""Consent: what was said last counts, at once, on every reading path; what cannot be read counts as no."""

import json
from datetime import UTC, datetime, timedelta
from itertools import count

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from layer7.contract.reading import read_event
from layer7.contract.vocabulary import Purpose
from layer7.errors import Layer7Error
from layer7.privacy import VALUES, Consent, may_use, strictness
from layer7.storage.database.schema import consents
from layer7.storage.database.state import Act
from layer7.storage.people.consents import allowing_within

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
MARKET, OWN = Purpose.CONTRIBUTE_TO_MARKET_INSIGHTS, Purpose.PERSONALISATION
ABSENT = dict.fromkeys(("application_id", "job_id", "resume_version_id"))


def act(at=NOW):
    return Act("ben", "", "", at, "she called")


def changed(make_event, purpose=MARKET, at="2026-03-01T09:00:00Z", **more):
    about = {"event_type": "CONSENT_CHANGED", "purpose": purpose.value, "timestamp": at}
    return make_event(**{**ABSENT, **about, **more})


def accept(home, event, now=NOW):
    line = json.dumps(event)
    return home.inbox.accept([(line, read_event(line, now=now))], now=now, source="http")[0].status


def may(home, purpose=MARKET, user_id="anna"):
    return home.consents.may(home.keys.person(user_id), purpose)


def test_a_word_that_comes_alone_counts_before_the_night_moves_it(any_home, make_event):
    assert not may(any_home)
    yes = changed(make_event, value=True, event_id="c1")
    assert accept(any_home, yes) == "accepted"
    assert any_home.inbox.waiting() == 1
    assert may(any_home)
    assert accept(any_home, changed(make_event, value=False, at="2026-03-01T09:00:01Z")) == "accepted"
    assert not may(any_home)
    any_home.inbox.drain(now=NOW)
    accept(any_home, yes)
    assert [word.value for word in any_home.consents.history("anna")] == ["yes", "no"]
    assert not may(any_home)


def test_what_is_said_now_wins_over_a_clock_that_ran_ahead(any_home, make_event):
    accept(any_home, changed(make_event, value=True, at="2026-03-02T12:04:00Z"))
    assert may(any_home)
    held = any_home.consents.say("anna", {MARKET: "no"}, act=act(), source="http")
    assert not may_use(held, MARKET)
    assert not may(any_home)
    (_, last) = any_home.consents.history("anna")
    assert (last.actor, last.source, last.value) == ("ben", "http", "no")
    record = any_home.state.audit()[-1]
    assert record["action"] == "consent.set"
    assert "anna" not in str(dict(record))
    assert any_home.state.verify_audit() == 1


@pytest.mark.parametrize("order", [(True, False), (False, True)])
def test_of_words_of_one_moment_the_strictest_counts(home, make_event, order):
    for number, value in enumerate(order):
        accept(home, changed(make_event, value=value, event_id=f"c{number}"))
    assert not may(home)


def test_yes_and_no_are_understood_for_every_purpose(home, make_event):
    for value, expected in ((True, True), (False, False)):
        for purpose in Purpose:
            accept(
                home, changed(make_event, purpose, value=value, at=f"2026-03-01T0{1 + (not value)}:00:00Z")
            )
            assert may(home, purpose) is expected
    accept(home, changed(make_event, MARKET, value="full", at="2026-03-01T03:00:00Z"))
    assert not may(home, MARKET), "a value of another purpose is unreadable, and counts as no"


def test_a_record_that_cannot_be_read_counts_as_no(home, monkeypatch):
    person = home.keys.person("anna")
    said = {"person": person, "at": "2026-03-01T00:00:00+00:00", "source": "test"}
    home.consents.say("anna", {MARKET: "yes"}, act=act(), source="http")
    with home.state.write() as connection:
        connection.execute(consents.insert().values(purpose="unknown", value="yes", **said))
    assert home.consents.of(person) is None
    assert not any(may(home, purpose) for purpose in Purpose)
    assert person in home.consents.refusing(OWN)
    assert person not in home.consents.allowing(MARKET)

    def broken(*_args, **_more):
        raise SQLAlchemyError("no such table")

    monkeypatch.setattr(home.state, "read", broken)
    assert not may(home, OWN, "somebody else")


def test_a_night_that_looks_back_counts_a_refusal_whenever_it_was_said(home):
    before, after = NOW - timedelta(days=30), NOW + timedelta(days=1)
    person = {name: home.keys.person(name) for name in ("anna", "ben", "cleo")}
    home.consents.say("anna", {MARKET: "yes"}, act=act(before - timedelta(days=1)), source="http")
    home.consents.say("ben", {MARKET: "yes"}, act=act(), source="http")
    home.consents.say("cleo", {MARKET: "yes"}, act=act(before - timedelta(days=1)), source="http")
    home.consents.say("cleo", {MARKET: "no", OWN: "off"}, act=act(), source="http")
    assert home.consents.allowing(MARKET, known_at=before) == (person["anna"],)
    assert home.consents.allowing(MARKET, known_at=after) == tuple(sorted((person["anna"], person["ben"])))
    assert home.consents.refusing(OWN, known_at=before) == (person["cleo"],)
    with home.state.read() as connection:
        assert allowing_within(connection, MARKET) == set(home.consents.allowing(MARKET))


def test_a_record_is_never_changed(any_home):
    any_home.consents.say("anna", {MARKET: "yes"}, act=act(), source="http")
    with pytest.raises(DBAPIError, match="consents only grows"), any_home.state.write() as connection:
        connection.execute(text("UPDATE consents SET value = 'yes'"))


def test_nonsense_is_refused_and_nothing_is_kept(home):
    with pytest.raises(Layer7Error) as error:
        home.consents.say("anna", {MARKET: "maybe"}, act=act(), source="http")
    assert error.value.code == "unknown_choice"
    assert home.consents.history("anna") == ()
    assert home.state.verify_audit() == 0


_numbers = count()
WORDS = st.lists(
    st.sampled_from([(purpose, value) for purpose in Purpose for value in VALUES[purpose]]), max_size=8
)


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(WORDS)
def test_the_last_word_counts_whatever_came_before(home, words):
    user_id = f"user {next(_numbers)}"
    last = {}
    for number, (purpose, value) in enumerate(words):
        home.consents.say(user_id, {purpose: value}, act=act(NOW - timedelta(hours=number)), source="http")
        last[purpose] = value
    held = home.consents.of(home.keys.person(user_id))
    assert held is not None
    assert {purpose: held.value(purpose) for purpose in last} == last


def test_lists_of_people_say_what_is_said_of_each(home):
    dice = np.random.default_rng(3)
    words = [(purpose.value, value) for purpose in Purpose for value in VALUES[purpose]]
    names = [f"person {number}" for number in range(60)]
    said = [(name, *words[dice.integers(len(words))]) for name in names for _ in range(dice.integers(5))]
    moments = [(NOW - timedelta(hours=int(dice.integers(4)))).isoformat() for _ in said]
    told = [*zip(said, moments, strict=True), ((names[0], "unknown", "yes"), NOW.isoformat())]
    rows = [dict(zip(("person", "purpose", "value"), each, strict=True), at=at) for each, at in told]
    with home.state.write() as connection:
        connection.execute(consents.insert(), [row | {"source": "test"} for row in rows])
    for purpose in Purpose:
        allowing = {name for name in names if home.consents.may(name, purpose)}
        assert 0 < len(allowing) < len(names)
        if may_use(Consent(), purpose):
            assert home.consents.refusing(purpose, known_at=NOW) == tuple(sorted({*names} - allowing))
        else:
            assert home.consents.allowing(purpose, known_at=NOW) == tuple(sorted(allowing))


def test_strictness_follows_the_order_of_the_words():
    for purpose in Purpose:
        order = sorted(VALUES[purpose], key=lambda value: -strictness(purpose, value))
        assert order == list(VALUES[purpose])
        assert strictness(purpose, "banana") > strictness(purpose, VALUES[purpose][0])
