"""From a log to what works for whom: found where it was planted, not where it was not, and in plain words."""

import json
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest
from scipy import special

import nights
from layer7.analytics.cells.columns import to_cells
from layer7.analytics.cells.levels import normal, to_spellings
from layer7.analytics.cells.moments import DIMENSIONS
from layer7.errors import Layer7Error
from layer7.patterns import FOUND, Laws, choose, detect, learn, needed
from layer7.statistics.chances.background import Background
from layer7.storage.home import Home, open_home
from layer7.storage.services.patterns import Patterns

START = datetime(2026, 1, 5, 9, tzinfo=UTC)
LAST = date(2026, 10, 1)
TYPES = ("startup", "bank", "agency", "hospital")
PLACES = ("Berlin", "Paris", "Rome", "Oslo", "Madrid")


def clock() -> datetime:
    return nights.NOW


def events(person, number, *, at, context, interview, **more):
    """An application, and an interview after three days if it led to one; nothing is heard of the others."""
    job = {"job_id": f"j{number}", "resume_version_id": "v1", "application_id": f"a{number}"}
    same = {"user_id": person, **job, **more}
    sent = {"event_type": "APPLICATION_SUBMITTED", "timestamp": at.isoformat(), **same}
    yield sent | ({"context": {"job_characteristics": context}} if context is not None else {})
    if interview:
        heard = (at + timedelta(days=3)).isoformat()
        yield {
            "event_type": "STATUS_CHANGED",
            "timestamp": heard,
            "outcome": {"status": "interview", "days_to_response": 3},
            **same,
        }


def market(rng, *, people, applications, odds_ratio=1.0, rate=0.08):
    """People who apply everywhere; every other one has a kind of company that answers differently."""
    average = special.logit(rate) + 0.4 * rng.standard_normal(people)
    for person in range(people):
        kinds, places = rng.integers(0, 4, applications), rng.integers(0, 5, applications)
        bonus = np.log(odds_ratio) * (kinds == person // 2 % 4) * (person % 2 == 0)
        chance = special.expit(average[person] + bonus)
        luck = rng.random(applications) < chance
        for at in range(applications):
            context = {
                "title": "Cook",
                "company": f"firm {rng.integers(0, 10_000)}",
                "company_type": TYPES[kinds[at]],
                "location": PLACES[places[at]],
            }
            moment = START + timedelta(hours=int(at * 2_000 / applications))
            yield from events(
                f"u{person}", f"{person}-{at}", at=moment, context=context, interview=bool(luck[at])
            )


def is_planted(pattern) -> bool:
    person = int(pattern.user_id[1:])
    return person % 2 == 0 and (pattern.dimension, pattern.level) == ("company_type", TYPES[person // 2 % 4])


@pytest.fixture
def install(tmp_path, json_file):
    """Make an installation that has seen some events, and run a night on it."""

    def make(found, name="home") -> tuple[Home, dict[str, object]]:
        home = open_home(tmp_path / name)
        home.ingest.files([json_file(found, name)], now=clock, progress=lambda _name, _size: None)
        run = nights.night(home, LAST, only=nights.FOUND)
        return home, run.report["find"]

    return make


@pytest.fixture
def json_file(tmp_path):
    def write(found, name):
        file = tmp_path / f"{name}.jsonl"
        file.write_text("\n".join(json.dumps(event) for event in found), encoding="utf-8")
        return file

    return write


def test_planted_patterns_are_found_and_told_in_plain_words(install):
    rng = np.random.default_rng(21)
    home, report = install(market(rng, people=40, applications=160, odds_ratio=9.0))
    shown = [pattern for _, pattern in Patterns(home).shown()]
    right = [each for each in shown if is_planted(each)]
    assert len(right) >= 5
    assert len(shown) - len(right) <= 2
    assert all(each.probability > 0.5 and each.odds_ratio > 1 for each in right)
    assert report["patterns"]["shown"] == len(shown)
    one = right[0]
    assert one.n >= one.events > 0
    assert one.interval[0] <= one.odds_ratio <= one.interval[1]
    assert "without an interview" in one.what_would_change_this
    told = Patterns(home).of(one.user_id)
    best = next(each for each in told.best_companies if each.type == one.level)
    assert best.interval[0] < best.interview_rate < best.interval[1]
    assert best.n == one.n
    assert told.best_locations == ()
    assert told.needed["best_locations"] > 0
    assert told.optimal_application_timing.best_day_of_week is None
    assert next(each for _, each in Patterns(home).shown(user_id=one.user_id)) == one
    before = tables(home)
    nights.night(home, LAST, only=nights.FOUND)
    assert tables(home) == before, "the same log gives the same patterns, bit for bit"


def tables(home):
    with home.warehouse.open() as found:
        names = ("patterns", "pattern_plans")
        return [found.read(name).order_by("bucket", "person").to_pyarrow().to_pylist() for name in names]


def test_a_bad_level_is_listed_and_not_called_the_best(install):
    rng = np.random.default_rng(22)
    home, _ = install(market(rng, people=24, applications=200, odds_ratio=0.03, rate=0.3))
    bad = [each for _, each in Patterns(home).shown() if each.odds_ratio < 1]
    assert bad
    assert all(is_planted(each) for each in bad)
    assert "with an interview" in bad[0].what_would_change_this
    assert bad[0].level not in {each.type for each in Patterns(home).of(bad[0].user_id).best_companies}


def one_person(size, *, interview, context=None):
    job = {"company_type": "bank", "location": "Oslo", "company": "one"} if context is None else context
    for at in range(size):
        yield from events("u0", at, at=START + timedelta(hours=30 * at), context=job, interview=interview)


@pytest.mark.parametrize(
    "found",
    [
        pytest.param(one_person(40, interview=False), id="one employer, all silent"),
        pytest.param(one_person(40, interview=True), id="all interviews"),
        pytest.param(
            (
                event
                for at in range(30)
                for event in events("u0", at, at=START, context=None, interview=at % 5 == 0)
            ),
            id="no context",
        ),
    ],
)
def test_poor_logs_get_a_clear_answer(install, found):
    home, report = install(found)
    assert report["patterns"]["shown"] == 0
    assert Patterns(home).shown() == ()
    told = Patterns(home).of("u0")
    assert told.best_performing_roles == ()
    assert told.best_seniority is None
    assert set(told.needed) >= {"best_locations", "best_companies"}
    assert all(number >= 1 for number in told.needed.values())


def test_before_there_is_anything(tmp_path, install):
    home = open_home(tmp_path / "empty")
    with pytest.raises(Layer7Error, match="No night"):
        Patterns(home).shown()
    home, report = install([])
    assert report["answer"] == "no applications yet"
    assert Patterns(home).shown() == ()
    assert Patterns(home).of("nobody") is None


def test_a_person_who_objects_is_in_no_pattern(install):
    rng = np.random.default_rng(24)
    said = {
        "event_type": "CONSENT_CHANGED",
        "user_id": "u0",
        "timestamp": START.isoformat(),
        "purpose": "personalisation",
        "value": "off",
    }
    home, _ = install([said, *market(rng, people=2, applications=30)])
    with pytest.raises(Layer7Error, match="does not want to be learned of"):
        Patterns(home).of("u0")
    assert Patterns(home).of("u1") is not None


def moments(*rows):
    names = ("person", "dimension", "level", "n", "interviews")
    table = [dict(zip(names, row, strict=True)) for row in rows]
    for row in table:
        row |= {
            "bucket": 0,
            "dimension": DIMENSIONS.index(row["dimension"]),
            "events": float(row["interviews"]),
            "trials": float(row["n"]),
            "tilted": float(row["n"]),
        }
    return pa.Table.from_pylist(table)


LOG = moments(
    ("a", "location", "Oslo", 40, 14),
    ("a", "location", "Rome", 160, 6),
    ("a", "channel", "referral", 45, 14),
    ("a", "channel", "board", 155, 6),
    ("b", "location", "Oslo", 3, 1),
    ("b", "location", "Rome", 50, 2),
)


def test_cells_are_set_against_the_rest_of_their_person():
    table = to_cells(LOG)
    told = list(zip(table.people[table.person], table.level, table.n, strict=True))
    assert told == [
        ("a", "Oslo", 40),
        ("a", "Rome", 160),
        ("a", "board", 155),
        ("a", "referral", 45),
        ("b", "Rome", 50),
    ]
    assert table.cells.rest_events.tolist() == [6, 14, 14, 6, 1]
    assert table.cells.rest_trials.tolist() == [160, 40, 45, 155, 3]


def gone(_taken):
    return to_cells(LOG.slice(0, 0))


def stays(_taken):
    """What is left of person a once Oslo is left out: referrals are no better than the rest any more."""
    return to_cells(moments(("a", "channel", "referral", 20, 1), ("a", "channel", "board", 140, 5)))


def independent(taken):
    """Referrals stand out without Oslo, and nothing does without both."""
    if taken.num_rows > 1:
        return gone(taken)
    return to_cells(moments(("a", "channel", "referral", 40, 13), ("a", "channel", "board", 120, 1)))


@pytest.mark.parametrize(
    ("remaining", "patterns", "sure"),
    [(stays, 1, False), (independent, 2, True)],
    ids=["a shadow", "two patterns"],
)
def test_a_rival_that_is_gone_without_the_leader_takes_from_its_chance(remaining, patterns, sure):
    found = detect(to_cells(LOG), Laws(), remaining)
    assert found.num_rows == patterns
    assert found.schema == FOUND
    assert set(found["level"].to_pylist()) <= {"Oslo", "referral"}
    assert (found["probability"][0].as_py() > 0.9) is sure


def test_nothing_is_chosen_of_nothing():
    assert choose(FOUND.empty_table()).num_rows == 0
    assert detect(gone(None), Laws(), gone).num_rows == 0
    assert learn(gone(None), Background()).effects[0].effects == pytest.approx(0.01)


def test_who_has_less_needs_more():
    plan = {row["person"]: row for row in needed(to_cells(LOG), Laws()).to_pylist()}
    assert plan["b"]["location"] > plan["a"]["location"]
    assert plan["a"]["title"] > 0


def test_spellings_of_one_level_are_one():
    counted = {
        "dimension": ["title"] * 4,
        "spelling": ["Back-End Engineer", "backend engineer", "back end  ENGINEER (m/f)", "Cook"],
        "n": [5, 9, 1, 2],
    }
    found = to_spellings(pa.table(counted), ("title", "location"))
    assert found["title"].names == ("Back-End Engineer", "backend engineer", "Cook")
    assert found["location"].names == ()
    texts = pa.chunked_array([["cook", "Cook", None, "BACK END ENGINEER", "back end  ENGINEER (m/f)"]])
    assert found["title"].places(texts).tolist() == [3, 2, 3, 3, 0]
    assert normal("???") == "???"
    table = found["title"].table(np.array([0.5, 0.25]))
    effects = dict(zip(table["level"].to_pylist(), table["effect"].to_pylist(), strict=True))
    assert effects == {"Back-End Engineer": 0.5, "backend engineer": 0.25, "Cook": 0.0}
