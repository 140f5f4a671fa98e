"""The consent door: recorded in a person's name, in force before the answer."""

from layer7.contract.vocabulary import Purpose

PATH = "/v1/users/user_123/consent"


def say(house, purpose, value, who="events", **more):
    return house.post(PATH, {"purpose": purpose, "value": value, **more}, who)


def test_defaults_are_shown_and_a_word_counts_at_once(house):
    shown = house.get(PATH).json()
    assert {name: held["allowed"] for name, held in shown["consent"].items()} == {
        "personalisation": True,
        "contribute_to_market_insights": False,
        "experiments": True,
        "fairness_monitoring": False,
    }
    assert shown["history"] == []
    answer = say(house, "contribute_to_market_insights", value=True, why="in the app")
    assert answer.json()["consent"]["contribute_to_market_insights"] == {"value": "yes", "allowed": True}
    person = house.home.keys.person("user_123")
    assert house.home.consents.may(person, Purpose.CONTRIBUTE_TO_MARKET_INSIGHTS)
    say(house, "contribute_to_market_insights", value=False)
    assert not house.home.consents.may(person, Purpose.CONTRIBUTE_TO_MARKET_INSIGHTS)
    (first, second) = house.get(PATH).json()["history"]
    assert (first["value"], first["source"], second["value"]) == ("yes", "http", "no")


def test_a_word_by_event_counts_at_once(house):
    said = {"purpose": "experiments", "value": False, "timestamp": "2026-03-01T00:00:00Z"}
    sent = {"event_type": "CONSENT_CHANGED", "user_id": "user_123", "event_id": "c1", **said}
    assert house.post("/v1/events", sent, "events").json()["status"] == "accepted"
    assert house.get(PATH).json()["consent"]["experiments"] == {"value": "no", "allowed": False}


def test_nonsense_is_refused(house):
    for body in (
        {"purpose": "fun", "value": True},
        {"purpose": "experiments", "value": "sometimes"},
        {"purpose": "experiments", "value": 1},
        {"purpose": "experiments", "value": True, "is_admin": True},
        {"value": True},
    ):
        assert house.post(PATH, body, "events").status_code == 422, body
    assert house.get(PATH).json()["history"] == []
