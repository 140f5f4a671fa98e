"""Refused events wait, each once, sealed, with code and reason."""

import json

import pytest

from layer7.contract.reading import Problem
from layer7.storage.database.schema import quarantine
from layer7.storage.intake.bulk import Refused

WRONG = Problem("wrong_type", "/user_id", "should be a text")
MISSING = Problem("missing_field", "", "there is none")


@pytest.fixture
def put(now):
    def call(home, *refused, source="x.jsonl"):
        with home.state.write() as connection:
            return home.quarantine.put(connection, refused, source=source, at=now)

    return call


def test_what_is_kept(any_home, put, now):
    assert put(any_home, Refused(3, (WRONG, MISSING), "raw line")) == 1
    (waiting,) = any_home.quarantine.waiting()
    assert (waiting.source, waiting.position, waiting.code) == ("x.jsonl", 3, "wrong_type")
    assert waiting.reason == "/user_id: should be a text; event: there is none"
    assert (waiting.raw, waiting.at) == ("raw line", now.isoformat())


def test_the_same_line_is_kept_once(any_home, put):
    line = Refused(1, (WRONG,), "raw")
    assert put(any_home, line, line) == 2
    put(any_home, Refused(9, (MISSING,), "raw"), Refused(2, (WRONG,), "other"))
    assert any_home.quarantine.counts() == {"wrong_type": 2}


def test_pages_and_faults(home, put):
    put(home, *(Refused(at, (WRONG if at % 2 else MISSING,), f"raw {at}") for at in range(10)))
    first = home.quarantine.waiting(limit=4)
    rest = home.quarantine.waiting(after=first[-1].id)
    assert [item.raw for item in (*first, *rest)] == [f"raw {at}" for at in range(10)]
    assert {item.code for item in home.quarantine.waiting(code="wrong_type")} == {"wrong_type"}


def test_release(home, put):
    put(home, Refused(1, (WRONG,), "a"), Refused(2, (WRONG,), "b"))
    first, second = home.quarantine.waiting()
    with home.state.write() as connection:
        home.quarantine.release(connection, [first.id])
    assert home.quarantine.waiting() == (second,)


@pytest.mark.parametrize(
    ("line", "named"),
    [
        (json.dumps({"user_id": "anna"}), "anna"),
        (json.dumps({"specversion": "1.0", "data": {"user_id": "anna"}}), "anna"),
        (json.dumps({"user_id": 5}), None),
        (json.dumps({"user_id": "a\u202eb"}), None),
        (json.dumps({"user_id": "\ud800"}), None),
        ('{"user_id": "anna"', "anna"),
        ("[" * 100_000, None),
        ("5", None),
        ("", None),
        ("half a pair \ud800", None),
    ],
)
def test_a_line_that_names_a_person_is_sealed_with_her_key(home, put, line, named):
    put(home, Refused(1, (WRONG,), line))
    with home.state.read() as connection:
        (row,) = connection.execute(quarantine.select()).mappings()
    assert row["person"] == (home.keys.person(named) if named else None)
    # A sealed text may hold any single byte by chance, but not a whole line.
    assert len(line) < 8 or line.encode(errors="replace") not in row["raw"]
    (waiting,) = home.quarantine.waiting()
    assert waiting.raw == line.encode(errors="backslashreplace").decode()
