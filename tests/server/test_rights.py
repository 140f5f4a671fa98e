"""A person's rights over HTTP; and that no door leaves her id lying open."""

import json
from urllib.parse import quote

from canaries import PERSON, WORDS, leaks
from layer7.contract.rights import ErasureReceipt
from server.conftest import event


def erase(house, user_id, who="privacy"):
    return house.client.delete(f"/v1/users/{user_id}", headers=house.headers[who])


def test_a_person_is_forgotten_and_the_receipt_is_the_same_again(house):
    house.post("/v1/events", event(user_id="anna"), "events")
    answer = erase(house, "anna")
    assert answer.status_code == 200
    receipt = ErasureReceipt.model_validate_json(answer.text)
    house.home.erasures.check(receipt)
    assert receipt.removed["inbox"] == 1
    assert erase(house, "anna").json() == answer.json()
    assert house.home.inbox.waiting() == 0
    again = house.post("/v1/events", event(user_id="anna"), "events")
    assert (again.status_code, again.json()["status"]) == (202, "ignored")


def test_an_event_that_asks_for_it_is_carried_out_before_the_answer(house):
    house.post("/v1/events", event(user_id="anna"), "events")
    asked = {"event_type": "ERASURE_REQUESTED", "user_id": "anna", "timestamp": "2026-03-02T11:00:00Z"}
    assert house.post("/v1/events", asked, "events").json()["status"] == "accepted"
    assert house.home.inbox.waiting() == 0
    assert [each.receipt.removed["inbox"] for each in house.home.erasures.list()] == [2]


def test_she_sees_where_she_stands_and_gets_all_of_it(house):
    house.post("/v1/events", event(user_id="anna"), "events")
    status = house.get("/v1/users/anna/privacy", "privacy").json()
    assert {kept["place"]: kept["rows"] for kept in status["kept"]} == {"inbox": 1, "person": 1}
    document = house.get("/v1/users/anna/export", "privacy").json()
    assert [each["event_id"] for each in document["events"]] == ["e1"]
    assert document["user_id"] == "anna"


def test_no_door_leaves_an_id_or_words_open_even_to_be_given_again(house, caplog):
    said = {"purpose": "experiments", "value": False, "why": "I said so"}
    path = f"/v1/users/{PERSON}"
    house.post(f"{path}/consent", said, "events", Idempotency_Key="k1")
    house.post("/v1/events", {**event(user_id=PERSON), "rejection_reason": WORDS}, "events")
    house.post("/v1/events", {"user_id": PERSON, "timestamp": WORDS}, "events")
    for what in ("performance", "patterns", "targets", "consent"):
        house.get(f"{path}/{what}", "admin")
    house.evaluate("improve_resume_threshold", {"targetingKey": PERSON})
    erase(house, PERSON)
    assert leaks(house.home.path, keys=True) == []
    assert PERSON not in caplog.text


def test_groups_are_kept_only_with_consent_and_gone_with_it(house):
    said, path = {"groups": {"gender": "Female"}}, "/v1/users/anna"
    refused = house.post(f"{path}/groups", said, "privacy")
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:layer7:problem:consent_needed")
    house.post(f"{path}/consent", {"purpose": "fairness_monitoring", "value": True}, "events")
    kept = house.post(f"{path}/groups", said, "events").json()["items"]
    assert [(each["attribute"], each["group"]) for each in kept] == [("gender", "female")]
    for body in ({"groups": {}}, {"groups": {"shoes": "44"}}, {"groups": {"gender": 5}}, {"gender": "x"}):
        assert house.post(f"{path}/groups", body, "privacy").status_code == 422, body
    house.post(f"{path}/consent", {"purpose": "fairness_monitoring", "value": False}, "events")
    assert house.home.declared.of("anna") == ()
    assert house.get("/v1/fairness").json() == {"items": []}


def test_reasons_and_answers_about_her_are_shut_with_her_key_and_gone_with_it(house):
    """Why something is done for her, and answers kept to be given again, are her words too."""
    person = quote(PERSON, safe="")
    path = f"/v1/users/{person}"
    wish = {"field": "preferred_locations", "value": [WORDS], "why": WORDS}
    first = house.post(f"{path}/wishes", wish, "events", Idempotency_Key="k")
    again = house.post(f"{path}/wishes", wish, "events", Idempotency_Key="k")
    assert (first.status_code, again.headers["idempotency-replayed"]) == (200, "true")
    assert again.json() == first.json()
    another = wish | {"value": ["x"]}
    assert house.post(f"{path}/wishes", another, "events", Idempotency_Key="k").status_code == 409
    other = house.post("/v1/users/bert/wishes", another, "events", Idempotency_Key="k")
    assert other.json()["wishes"] == {"preferred_locations": ["x"]}
    house.post(f"{path}/consent", {"purpose": "fairness_monitoring", "value": "yes", "why": WORDS}, "events")
    house.post(f"{path}/forget", {"since": "2026-02-10", "why": WORDS}, "events", Idempotency_Key=WORDS[-6:])
    exported = house.get(f"{path}/export", "privacy").json()["kept"]
    assert [act["why"] for act in exported["acts"]] == [WORDS] * 3
    kept = [json.loads(answer["body"]) for answer in exported["answers"]]
    assert first.json() in kept
    assert len(kept) == 2
    house.home.state.truncate()
    assert leaks(house.home.path) == []
    name, keys = house.home.keys.person(PERSON), house.home.keys
    hers = keys.audit_name.of(PERSON)
    shut = [each["why"] for each in house.home.state.audit() if each["subject"] == hers]
    assert [keys.opened(name, why) for why in shut] == [WORDS] * 3
    assert erase(house, person).json()["removed"]["answers"] == 2
    assert [keys.opened(name, why) for why in shut] == [""] * 3
    assert house.get("/v1/audit/verify").json()["intact"] is True
