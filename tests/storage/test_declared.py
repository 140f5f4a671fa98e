"""Declared groups: apart, sealed, only with consent, gone with it, and gone with the person."""

import json
import sqlite3
from contextlib import closing
from datetime import timedelta
from typing import get_args

import pytest

from layer7 import nightly
from layer7.contract.vocabulary import Purpose
from layer7.errors import Layer7Error
from layer7.fairness import Level
from layer7.fairness.groups import ATTRIBUTES
from layer7.nightly.comparing import declared_spans
from layer7.nightly.night import Night
from layer7.storage.database.state import Act
from layer7.storage.home import open_home
from layer7.storage.people.declared import Declaration, in_force
from layer7.storage.rights.register import DECLARED
from layer7.storage.services.portability import Portability
from layer7.storage.settings import Attribute
from layer7.storage.warehouse.reading import Horizon


def act(now, why=""):
    return Act("dpo", "", "", now, why)


def allow(home, user_id, now, value="yes"):
    home.consents.say(user_id, {Purpose.FAIRNESS_MONITORING: value}, act=act(now), source="test")


def declare(home, user_id, now, **said):
    return home.declared.declare(user_id, said, act=act(now))


def names(home):
    with closing(sqlite3.connect(home.path / "fairness.db")) as database:
        return [name for (name,) in database.execute("SELECT name FROM declared")]


def test_nothing_is_kept_without_consent(home, now):
    with pytest.raises(Layer7Error, match="allowed"):
        declare(home, "anna", now, gender="female")
    assert not (home.path / "fairness.db").exists()


def test_what_is_declared_is_sealed_and_joins_to_nothing(home, now):
    allow(home, "anna", now)
    declare(home, "anna", now, gender="Female", ethnicity="tatar")
    assert in_force(home.declared.of("anna")) == {"gender": "female", "ethnicity": "tatar"}
    content = b"".join(path.read_bytes() for path in home.path.glob("fairness.db*"))
    for word in ("female", "tatar", "anna", home.keys.person("anna")):
        assert word.encode() not in content
    assert [mode.stat().st_mode & 0o777 for mode in home.path.glob("fairness.db")] == [0o600]
    assert "female" not in json.dumps(home.state.audit())
    with closing(sqlite3.connect(home.path / "fairness.db")) as database:
        assert [row[1] for row in database.execute("PRAGMA table_info(declared)")] == list(DECLARED.columns)


def test_no_longer_allowed_is_no_longer_read_and_swept_away(home, now):
    for user in ("anna", "ben"):
        allow(home, user, now)
        declare(home, user, now, gender="female")
    allow(home, "anna", now + timedelta(days=1), "no")
    assert {person for person, _ in home.declared.everybody()} == {home.keys.person("ben")}
    assert home.declared.sweep() == 1
    assert len(names(home)) == 1
    assert home.declared.of("anna") == ()


def test_an_erasure_takes_it_along(home, now):
    allow(home, "anna", now)
    declare(home, "anna", now, gender="female")
    receipt = home.erasures.erase("anna", act=act(now))
    assert receipt.removed["declared"] == 1
    assert names(home) == []


def test_a_group_that_changes_keeps_its_time_and_can_be_taken_back(home, now):
    allow(home, "anna", now)
    declare(home, "anna", now, gender="male")
    declare(home, "anna", now + timedelta(days=5), gender="female")
    said = declare(home, "anna", now + timedelta(days=9), gender="undisclosed")
    days = [in_force(said, now + timedelta(days=day)) for day in (1, 6, 10)]
    assert days == [{"gender": "male"}, {"gender": "female"}, {}]


@pytest.fixture
def unequal(home, take, make_event):
    """1,200 people: of the women a third as many are answered as of the men; 60 say nothing."""
    events = []
    for at in range(1200):
        user = {"user_id": f"u{at}", "application_id": f"a{at}"}
        context = {"job_characteristics": {"location": "Ulm" if at % 2 or at % 20 == 0 else "Berlin"}}
        sent = {"event_id": f"s{at}", "timestamp": "2025-10-01T09:00:00+01:00", "context": context}
        events.append(make_event(**user, **sent))
        if at % 10 < (6 if at % 2 else 1) * (1 if at < 1140 else 0):
            status = {"event_type": "STATUS_CHANGED", "outcome": {"status": "interview"}}
            events.append(
                make_event(**user, **status, event_id=f"o{at}", timestamp="2025-10-05T09:00:00+01:00")
            )
    take(home, events)
    return home


def test_a_night_compares_groups_and_people_review_a_breach(unequal, now, monkeypatch):
    home = unequal
    people = {home.keys.person(f"u{at}"): "female" if at % 2 == 0 else "male" for at in range(1140)}
    groups = [(person, Declaration("gender", group, now.isoformat())) for person, group in people.items()]
    monkeypatch.setattr(type(home.declared), "everybody", lambda _: iter(groups))
    at_work = Night(home, Horizon(now.date(), now), 1, lambda: now, lambda _: None)
    for stage in (nightly.applications, nightly.measure):
        stage(at_work)
    said = nightly.compare(at_work).report
    assert "female: reached_interview" in said["breaches"]
    rows = {(row["group"], row["metric"]): row for row in home.parities.rows()}
    women = rows["female", "reached_interview"]
    interviews = sum(1 for at in range(1140) if at % 2 == 0 and at % 10 < 1)
    assert (women["people"], women["rate"]) == (570, pytest.approx(interviews / 570))
    assert women["level"] == Level.BREACH.value
    assert rows["other small groups", "reached_interview"]["rate"] is None
    told = {(row["feature"], row["group"]): row for row in home.parities.proxies()}
    # By hand: 9 of 10 women apply in Berlin and no man, so the area is (1 + 0.9) / 2.
    assert told["location: berlin", "female"]["area"] == pytest.approx(0.95, abs=0.001)
    assert told["location: berlin", "female"]["needs_review"]
    assert "location: berlin tells gender female" in said["proxies"]
    name = "gender/female/reached_interview"
    assert name in home.parities.report(now)["waiting_for_review"]
    with pytest.raises(Layer7Error, match="reason"):
        home.parities.review(name, decision="roll_back", act=act(now))
    assert name in home.parities.waiting()
    home.parities.review(name, decision="roll_back", act=act(now, "a change of last week"))
    assert name not in home.parities.waiting()
    told = home.parities.report(now)
    assert name not in told["waiting_for_review"]
    reviewed = next(each for each in told["breaches"] if each["metric"] == "reached_interview")
    assert [each["decision"] for each in reviewed["reviews"]] == ["roll_back"]
    with pytest.raises(Layer7Error, match="no breach"):
        home.parities.review("gender/male/offer_rate", decision="none", act=act(now, "x"))


def test_where_nobody_has_declared_a_group_that_is_said(unequal, now):
    at_work = Night(unequal, Horizon(now.date(), now), 1, lambda: now, lambda _: None)
    assert nightly.compare(at_work).report == {"answer": "nobody has declared a group"}
    assert unequal.parities.rows() == ()


def test_spans_follow_what_was_declared_when(home, now):
    allow(home, "anna", now)
    declare(home, "anna", now, gender="male")
    declare(home, "anna", now + timedelta(days=5), gender="female", ethnicity="tatar")
    rows = declared_spans(home).to_pylist()
    first, second = int(now.timestamp()), int((now + timedelta(days=5)).timestamp())
    told = {(row["attribute"], row["group"]): (row["since"], row["until"]) for row in rows}
    assert told["gender", "male"] == (first, second)
    assert told["gender", "female"][0] == second
    assert told["gender and ethnicity", "female, tatar"][0] == second
    assert ("gender and ethnicity", "male, tatar") not in told


def test_an_installation_may_list_the_groups(home, now, tmp_path):
    """A list of an attribute that is none is refused; an export with other words is taken without them."""
    allow(home, "anna", now)
    declare(home, "anna", now, gender="Frau", age="under 40")
    document = Portability(home).export("anna", at=now)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "layer7.toml").write_text('fairness_groups = {gender = ["female", "male"]}\n')
    other = open_home(tmp_path / "other")
    Portability(other).take(document, act=act(now))
    assert [each.group for each in other.declared.of("anna")] == ["under 40"]
    with pytest.raises(Layer7Error, match="not on the list"):
        declare(other, "anna", now, gender="Frau")
    declare(other, "anna", now, gender="Female")
    assert set(get_args(Attribute)) == set(ATTRIBUTES)
    (tmp_path / "other" / "layer7.toml").write_text('fairness_groups = {shoes = ["44"]}\n')
    with pytest.raises(Layer7Error) as error:
        open_home(tmp_path / "other")
    assert error.value.code == "invalid_settings"
