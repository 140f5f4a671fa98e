"""A person's own settings on disk: sealed, served first, and never against her word."""

from datetime import timedelta

import pytest

from children import NOW
from layer7.contract.vocabulary import Component, Purpose
from layer7.errors import Layer7Error
from layer7.personalization.stepping import stepped
from layer7.personalization.values import Learned, Usual
from layer7.storage.database.schema import personal, wishes
from layer7.storage.database.state import Act

ACT = Act("maria", "", "", NOW, "she said so")
USUAL = Usual(pace=10.0, fit=60.0, follow_up=7.0)
KEY, PACE = "optimal_weekly_target", "optimal_applications_per_week"


@pytest.fixture
def anna(any_home):
    """A home with one person of whom something was learned."""
    person = any_home.keys.admit(["anna"])["anna"]
    kept = stepped(None, {PACE: Learned(value=20.0, n=12, low=15.0, high=26.0)}, USUAL, day=NOW.date())
    any_home.personal.keep(person, kept, at=NOW)
    return any_home


def served(home, user="anna"):
    found = home.serving.evaluate(KEY, component=Component.ORCHESTRATOR, targeting_key=user)
    return found.value, found.reason.value, found.metadata.get("origin")


def test_what_was_learned_is_served_to_her_and_to_nobody_else(anna):
    assert served(anna) == (11.0, "TARGETING_MATCH", "learned")
    assert served(anna, "bert") == served(anna, None) == (10.0, "STATIC", None)
    found = anna.serving.evaluate(KEY, component=None, targeting_key="anna")
    assert (found.variant, found.metadata["sampleSize"], found.metadata["ciLow"]) == ("user", 12, 15.0)


def test_her_wish_comes_first_until_she_takes_it_back(anna):
    assert anna.personal.wish("anna", PACE, "4", act=ACT) == 4.0
    assert served(anna) == (4.0, "TARGETING_MATCH", "chosen")
    anna.personal.wish("anna", PACE, None, act=ACT)
    assert served(anna) == (11.0, "TARGETING_MATCH", "learned")
    anna.personal.wish("anna", f"forget:{PACE}", value=True, act=ACT)
    assert served(anna) == (10.0, "STATIC", None)


@pytest.mark.parametrize(
    ("level", "learned", "wished"), [("off", 10.0, 10.0), ("explicit_only", 10.0, 4.0), ("full", 11.0, 4.0)]
)
def test_consent_is_read_on_each_use(anna, level, learned, wished):
    anna.consents.say("anna", {Purpose.PERSONALISATION: level}, act=ACT, source="test")
    assert served(anna)[0] == learned
    anna.personal.wish("anna", PACE, 4, act=ACT)
    assert served(anna)[0] == wished
    later = Act("maria", "", "", NOW + timedelta(minutes=1), "")
    anna.consents.say("anna", {Purpose.PERSONALISATION: "standard"}, act=later, source="test")
    assert served(anna)[0] == 4.0


def test_nothing_lies_open_and_every_word_is_in_the_audit_log(anna):
    anna.personal.wish("anna", "preferred_locations", ["Castrop-Rauxel"], act=ACT)
    anna.personal.wish("anna", "paused", value=True, act=ACT)
    with anna.state.read() as connection:
        rows = [*connection.execute(personal.select()), *connection.execute(wishes.select())]
    assert "Castrop" not in repr(rows)
    assert "paused" not in repr(rows)
    acts = [record["action"] for record in anna.state.audit()]
    assert acts[-2:] == ["wish.set", "wish.set"]
    assert "Castrop" not in repr(anna.state.audit())
    assert anna.personal.paused() == {anna.keys.person("anna")}
    assert anna.personal.wishes(anna.keys.person("anna")) == {
        "preferred_locations": ["Castrop-Rauxel"],
        "paused": True,
    }


def test_only_what_has_changed_is_written_anew_and_nothing_of_the_unknown(anna):
    person = anna.keys.person("anna")

    def sealed():
        with anna.state.read() as connection:
            return connection.execute(personal.select()).all()

    before = sealed()
    assert anna.personal.renew([person, "nobody"], lambda _, kept: kept, at=NOW + timedelta(days=1)) == 0
    assert sealed() == before
    learned = {PACE: Learned(value=20.0, n=12, low=15.0, high=26.0)}
    day = NOW.date() + timedelta(days=1)
    written = anna.personal.renew(
        [person, "nobody"], lambda _, kept: stepped(kept, learned, USUAL, day=day), at=NOW
    )
    assert written == 1
    assert anna.personal.kept()[person]["fields"][PACE]["value"] == 12.0
    assert [row.person for row in sealed()] == [person]


def test_of_the_unknown_nothing_is_there_and_bad_wishes_change_nothing(anna):
    assert anna.personal.kept("nobody") == {}
    assert anna.personal.wishes("nobody") == {}
    for value in ("many", None):
        with pytest.raises(Layer7Error):
            anna.personal.wish("anna", "salary" if value is None else PACE, value, act=ACT)
    anna.personal.drop([anna.keys.person("anna")])
    assert served(anna) == (10.0, "STATIC", None)
