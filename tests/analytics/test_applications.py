"""Applications folded from events: by hand on tiny logs, and by the laws that make nights mergeable."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import ibis
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layer7.analytics.applications.fold import EARLIEST, KEY, LATEST, STATE, as_states, describe, merge
from layer7.storage.intake.door import as_table

START = datetime(2026, 1, 1, 12, tzinfo=UTC)
Row = dict[str, Any]


def event(kind: str, day: float, **more: Any) -> Row:
    """An event so many days after the start; an outcome by its status, else by the type's last word."""
    types = {
        "created": "APPLICATION_CREATED",
        "submitted": "APPLICATION_SUBMITTED",
        "corrected": "OUTCOME_CORRECTED",
    }
    row = {
        "event_id": f"{kind} {day} {more}",
        "event_type": types.get(kind, "STATUS_CHANGED"),
        "person": "p",
        "bucket": 0,
        "application_id": "a",
        "event_time": START + timedelta(days=day),
        "received_at": START,
    }
    return row | ({} if kind in {*types, "nothing"} else {"status": kind}) | more


def states_of(rows: Iterable[Row]) -> Any:
    return merge(as_states(ibis.memtable(as_table(rows))))


def listed(table: Any) -> list[Row]:
    return sorted(table.to_pyarrow().to_pylist(), key=lambda row: [row[name] for name in KEY])


def fold(*rows: Row) -> Row:
    (found,) = listed(describe(states_of(rows)))
    return found


def told(row: Row) -> tuple[str, str, float | None, float | None, float | None]:
    return row["max_stage"], row["closed"], row["interview_days"], row["rejection_days"], row["answer_days"]


CASES: tuple[tuple[list[Row], tuple[Any, ...]], ...] = (
    ([event("created", 0)], ("draft", "open", None, None, None)),
    ([event("submitted", 0)], ("submitted", "open", None, None, None)),
    ([event("created", 0), event("submitted", 1)], ("submitted", "open", None, None, None)),
    ([event("submitted", 0), event("interview", 5)], ("interview", "open", 5, None, 5)),
    ([event("submitted", 0), event("rejected", 3)], ("submitted", "rejected", None, 3, 3)),
    ([event("submitted", 0), event("ghosted", 30)], ("submitted", "ghosted", None, None, None)),
    # An offer without an interview event counts as an interview.
    ([event("submitted", 0), event("offer", 9)], ("offer", "open", 9, None, 9)),
    # What was reached is never taken back; how it closed is the latest word.
    (
        [event("submitted", 0), event("interview", 5), event("rejected", 8)],
        ("interview", "rejected", 5, 8, 5),
    ),
    (
        [event("submitted", 0), event("rejected", 3), event("interview", 5)],
        ("interview", "open", 5, 3, 3),
    ),
    (
        [event("submitted", 0), event("ghosted", 30), event("interview", 40)],
        ("interview", "open", 40, None, 40),
    ),
    (
        [event("submitted", 0), event("ghosted", 30), event("rejected", 40)],
        ("submitted", "rejected", None, 40, 40),
    ),
    (
        [event("submitted", 0), event("interview", 5), event("ghosted", 60)],
        ("interview", "ghosted", 5, None, 5),
    ),
    ([event("submitted", 0), event("interview", 5), event("offer", 9)], ("offer", "open", 5, None, 5)),
    # Repeated: the first answer counts.
    (
        [event("submitted", 0), event("interview", 5), event("interview", 9)],
        ("interview", "open", 5, None, 5),
    ),
    # Of two outcomes at the same moment the graver one is the last.
    (
        [event("submitted", 0), event("interview", 5), event("rejected", 5)],
        ("interview", "rejected", 5, 5, 5),
    ),
    # An answer to what was never sent: it was sent at the latest then.
    ([event("interview", 5)], ("interview", "open", 0, None, 0)),
    ([event("created", 2), event("rejected", 5)], ("submitted", "rejected", None, 3, 3)),
    # The answer is dated before the submission: no negative days.
    ([event("submitted", 5), event("rejected", 3)], ("submitted", "rejected", None, 0, 0)),
    # What was reported goes before what can be computed.
    (
        [event("submitted", 0), event("interview", 9, days_to_response=4.0)],
        ("interview", "open", 4, None, 4),
    ),
    # A correction takes the place of all that was heard before it, and says nothing of what comes after.
    (
        [event("submitted", 0), event("interview", 5), event("corrected", 7)],
        ("submitted", "open", None, None, None),
    ),
    (
        [
            event("submitted", 0),
            event("offer", 5),
            event("corrected", 7, status="rejected", days_to_response=3.0),
        ],
        ("submitted", "rejected", None, 3, 3),
    ),
    (
        [event("submitted", 0), event("rejected", 4), event("corrected", 7, status="interview")],
        ("interview", "open", 7, None, 7),
    ),
    (
        [event("submitted", 0), event("interview", 5), event("corrected", 7), event("rejected", 9)],
        ("submitted", "rejected", None, 9, 9),
    ),
    # The date of what stays right stays, and the latest correction wins.
    (
        [event("submitted", 0), event("offer", 5), event("corrected", 7, status="interview")],
        ("interview", "open", 5, None, 5),
    ),
    (
        [event("submitted", 0), event("corrected", 7, status="interview"), event("corrected", 8)],
        ("submitted", "open", None, None, None),
    ),
    # It is no proof that something was never sent.
    ([event("interview", 5), event("corrected", 7)], ("submitted", "open", None, None, None)),
    # A change of status that says no status changes nothing.
    ([event("nothing", 1)], ("draft", "open", None, None, None)),
)


@pytest.mark.parametrize("turned", [False, True], ids=["in order", "backwards and twice"])
def test_by_hand(turned):
    """All cases in one table, since the engine takes as long for one as for all."""
    rows = [
        row | {"application_id": f"{at:02d}"}
        for at, (given, _) in enumerate(CASES)
        for row in ([*reversed(given), *given] if turned else given)
    ]
    found = [told(row) for row in listed(describe(states_of(rows)))]
    assert found == [expected for _, expected in CASES]


def test_context_is_taken_whole_from_the_event_that_knows_it_best():
    created = event("created", 0, fit_score=50.0, title="Cook", company="A")
    submitted = event("submitted", 1, fit_score=60.0, title="Chef", local_hour=9)
    later = event("submitted", 2, fit_score=70.0)
    bare = event("submitted", 0)
    answer = event("interview", 3, fit_score=80.0, title="Boss")
    whole = fold(answer, later, submitted, created, bare)
    assert (whole["fit_score"], whole["title"], whole["company"], whole["local_hour"]) == (
        60,
        "Chef",
        None,
        9,
    )
    assert fold(answer, created, bare)["title"] == "Cook"
    assert fold(bare, answer)["title"] == "Boss"
    assert fold(bare)["title"] is None


def test_other_events_and_other_people_are_left_alone():
    other = event("interview", 1, person="q")
    strange = event("created", 0, event_type="MODE_CHANGED", application_id=None)
    assert [row["person"] for row in listed(states_of([event("created", 0), other, strange]))] == ["p", "q"]


def test_columns():
    table = states_of([event("created", 0)])
    assert tuple(table.columns) == STATE
    assert {"submitted_at", "max_stage", "closed", "answer_days"} <= set(describe(table).columns)


def random_log(dice: Random) -> list[Row]:
    kinds = ("created", "submitted", "interview", "offer", "rejected", "ghosted", "nothing", "corrected")
    return [
        event(
            kind,
            dice.randint(0, 8) + dice.choice((0, 0, 0.5)),
            person=dice.choice("pq"),
            application_id=str(dice.randint(1, 30)),
            event_id=str(at),
            fit_score=dice.choice((None, 10.0, 20.0)),
            title=dice.choice((None, "x", "y")),
            **({"status": dice.choice((None, *kinds[2:6]))} if kind == "corrected" else {}),
            days_to_response=dice.choice((None, None, 2.0, 7.0)),
            skills=dice.choice((None, ["a"], ["a", "b"])),
        )
        for at, kind in enumerate(dice.choices(kinds, k=dice.randint(100, 400)))
    ]


@settings(max_examples=3, deadline=None, derandomize=True)
@given(seed=st.integers(0, 2**32))
def test_order_repetition_and_splitting_change_nothing(seed):
    dice = Random(seed)
    rows = random_log(dice)
    at_once = listed(states_of(rows))
    shuffled = dice.choices(rows, k=len(rows)) + dice.sample(rows, len(rows))
    assert listed(states_of(shuffled)) == at_once
    nights = [[row for row in shuffled if int(row["event_id"]) % 3 == night] for night in range(3)]
    parts = [ibis.memtable(states_of(night).to_pyarrow()) for night in nights if night]
    assert listed(merge(ibis.union(*parts, parts[0]))) == at_once
    if len(parts) > 2:
        first = ibis.memtable(merge(parts[1].union(parts[2])).to_pyarrow())
        assert listed(merge(first.union(parts[0]))) == at_once
        assert listed(merge(ibis.union(*parts, *parts))) == at_once


@settings(max_examples=3, deadline=None, derandomize=True)
@given(seed=st.integers(0, 2**32))
def test_against_a_fold_in_plain_python(seed):
    """The reference takes the events one application at a time, as the docstrings of the module say."""
    rows = random_log(Random(seed))
    for found in listed(describe(states_of(rows))):
        own = [row for row in rows if all(row[name] == found[name] for name in KEY)]
        assert {name: found[name] for name in (*EARLIEST, *LATEST)} == plain(own)
        fixes = [row for row in own if row["event_type"] == "OUTCOME_CORRECTED"]
        heard = {row.get("status") for row in own}
        if fixes:
            continue
        reached = "offer" if "offer" in heard else "interview" if "interview" in heard else None
        assert found["max_stage"] == (reached or ("submitted" if found["submitted_at"] else "draft"))
        days = [found[name] for name in ("interview_days", "rejection_days", "answer_days")]
        assert all(value is None or value >= 0 for value in days)
        assert (found["submitted_at"] is None) == (found["max_stage"] == "draft")


def plain(rows: list[Row]) -> Row:
    fixes = [row for row in rows if row["event_type"] == "OUTCOME_CORRECTED"]
    rows = [row for row in rows if row["event_type"] != "OUTCOME_CORRECTED"]

    def times(*statuses: str) -> list[datetime]:
        return [row["event_time"] for row in rows if row.get("status") in statuses]

    def said(*statuses: str) -> list[float]:
        days = [row["days_to_response"] for row in rows if row.get("status") in statuses]
        return [value for value in days if value is not None]

    def sent(kind: str) -> list[datetime]:
        return [row["event_time"] for row in rows if row["event_type"] == kind]

    grave = {"ghosted": 1, "interview": 2, "offer": 3, "rejected": 4}
    last = [
        int(row["event_time"].timestamp()) * 8 + grave[row["status"]]
        for row in rows
        if row.get("status") in grave
    ]
    return {
        "created_at": min(sent("APPLICATION_CREATED"), default=None),
        "sent_at": min(sent("APPLICATION_SUBMITTED"), default=None),
        **{
            f"{name}_{end}": pick(times(*statuses), default=None)
            for name, statuses in (
                ("interview", ("interview", "offer")),
                ("offer", ("offer",)),
                ("rejected", ("rejected",)),
            )
            for end, pick in (("first", min), ("latest", max))
        },
        "interview_days_said": min(said("interview", "offer"), default=None),
        "rejection_days_said": min(said("rejected"), default=None),
        "ghosted_latest": max(times("ghosted"), default=None),
        "outcome_latest": max(last, default=None),
        "corrected_at": max((row["event_time"] for row in fixes), default=None),
        "corrected": max(map(packed, fixes), default=None),
    }


def packed(row: Row) -> int:
    outcome = {"ghosted": 1, "interview": 2, "offer": 3, "rejected": 4}.get(row.get("status"), 0)
    days = row["days_to_response"]
    return (int(row["event_time"].timestamp()) * 8 + outcome) * 4096 + (4095 if days is None else round(days))


@settings(max_examples=3, deadline=None, derandomize=True)
@given(seed=st.integers(0, 2**32))
def test_a_correction_leaves_what_it_says_and_what_was_heard_after_it(seed):
    rows = random_log(Random(seed))
    for found in listed(describe(states_of(rows))):
        own = [row for row in rows if all(row[name] == found[name] for name in KEY)]
        fixes = [row for row in own if row["event_type"] == "OUTCOME_CORRECTED"]
        if not fixes:
            continue
        last = max(fixes, key=packed)
        later = {
            row.get("status")
            for row in own
            if row["event_type"] != "OUTCOME_CORRECTED" and row["event_time"] > found["corrected_at"]
        } | {last.get("status")}
        reached = "offer" if "offer" in later else "interview" if "interview" in later else None
        assert found["max_stage"] == (reached or ("submitted" if found["submitted_at"] else "draft"))
        assert (found["rejected_at"] is not None) == ("rejected" in later)
        assert (found["ghosted_at"] is not None) == ("ghosted" in later)
