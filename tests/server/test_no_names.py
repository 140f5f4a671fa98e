"""No id of a person and none of her words in any log, metric, trace or error: night, server, commands."""

import json
import logging
import traceback
from datetime import timedelta
from urllib.parse import quote

import pytest

from canaries import CANARIES, PERSON, WORDS, encodings, private_events
from layer7.cli.app import main
from layer7.nightly import run_night
from layer7.storage.warehouse.reading import Horizon
from privacy.test_canary import broken_events

OWN = ("performance", "patterns", "targets", "consent")
STAFF = ("/metrics", "/v1/runs", "/v1/audit", "/v1/quarantine", "/v1/market", "/v1/segments", "/v1/patterns")


def said_of_faults(caplog) -> list[str]:
    """Everything that any logger was given, at any level, with its traces."""
    lines = []
    # The caller's own program, here the test, may write down what it asks for.
    for record in (each for each in caplog.records if not each.name.startswith("http")):
        lines.append(f"{record.name} {record.getMessage()} {record.args!r}")
        if record.exc_info:
            lines.append("".join(traceback.format_exception(*record.exc_info)))
    return lines


def knock(house) -> list[str]:
    """Come by every door with the person's id and words; gives all refusals and what staff may read."""
    told = []
    for event in (*private_events(), *broken_events()):
        body = event if isinstance(event, str) else json.dumps(event)
        headers = house.headers["events"] | {"Content-Type": "application/json"}
        told.append(house.client.post("/v1/events", content=body.encode(), headers=headers))
    person = quote(PERSON, safe="")
    told += [house.get(f"/v1/users/{person}/{what}?period={quote(WORDS)}") for what in OWN]
    said = {"purpose": "experiments", "value": WORDS}
    wrong = ({"purpose": WORDS, "value": PERSON}, {"purpose": "experiments", "why": PERSON}, said)
    told += [house.post(f"/v1/users/{person}/consent", body, "events") for body in wrong]
    told.append(house.get(f"/{person}/{quote(WORDS)}"))
    told.append(house.get("/v1/runs", Idempotency_Key=PERSON.replace("'", "")))
    told.append(house.evaluate("nope", {"targetingKey": PERSON, "words": WORDS}))
    told.append(house.post("/v1/recommendations/rec_1/approve", {"why": [PERSON, WORDS]}))
    refused = [answer.text for answer in told if answer.status_code >= 400]
    return refused + [house.get(path).text for path in STAFF]


@pytest.fixture
def faulty(house, monkeypatch):
    """A store that fails with the person's id in its words."""

    def broken(_self, user_id, *_args):
        raise ValueError(f"cannot read {user_id} {WORDS}")

    monkeypatch.setattr("layer7.storage.services.thresholds.Thresholds.person", broken)
    return house


def test_nothing_that_is_logged_counted_or_refused_names_a_person(faulty, caplog, capsys, monkeypatch):
    caplog.set_level(logging.DEBUG)
    house, home = faulty, faulty.home
    told = knock(house)
    horizon = Horizon(house.time().date(), house.time() + timedelta(days=1))
    run = run_night(home, horizon, clock=house.time, progress=lambda _stage, _share: None)
    told += [json.dumps(dict(run.report)), *knock(house)]
    wrong = ["--period", "x"], ["--set", "a=b"]
    for command in (["users", "show", PERSON, *wrong[0]], ["privacy", "consent", PERSON, *wrong[1]]):
        monkeypatch.setattr("sys.argv", ["layer7", *command, "--home", str(home.path)])
        with pytest.raises(SystemExit):
            main()
    told += [capsys.readouterr().err, *said_of_faults(caplog)]
    assert any("ValueError" in line for line in told), "the fault was told, without its words"
    whole = "\n".join(told).encode()
    wanted = {form: text for text in CANARIES for form in encodings(text)}
    assert [text for form, text in wanted.items() if form in whole] == []
