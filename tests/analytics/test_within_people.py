"""Rows of a sample of people: what was known when an application was sent, and what it came to."""

from datetime import UTC, datetime, timedelta

import ibis
import numpy as np
import pyarrow as pa
import pytest

from layer7.analytics import (
    Outlook,
    parts_known,
    sample_people,
    sent_rows,
    to_components,
    to_fit_parts,
    to_sent,
)

AS_OF = datetime(2026, 4, 1, tzinfo=UTC)
MOMENT = pa.timestamp("us", tz="UTC")
PARTS = ("technical_match", "seniority_match", "experience_match", "signal")
SCHEMA = pa.schema(
    [
        (name, pa.string())
        for name in ("person", "application_id", "job_id", "company", "category", "max_stage")
    ]
    + [(name, MOMENT) for name in ("created_at", "submitted_at", "rejected_at", "posted_at")]
    + [(name, pa.int8()) for name in ("local_hour", "local_weekday")]
    + [(name, pa.float64()) for name in (*PARTS, "resume_score")]
    + [("resume_score_components", pa.map_(pa.string(), pa.float64()))]
)


def _row(day, *, stage="submitted", rejected=None, posted=None, **more):
    at = datetime(2026, 1, 1, 12, tzinfo=UTC) + timedelta(days=day)
    return {
        "person": "0a1", "application_id": f"x{day}", "job_id": "j", "category": "target", "max_stage": stage,
        "created_at": at, "submitted_at": None if stage == "draft" else at,
        "rejected_at": None if rejected is None else at + timedelta(days=rejected),
        "posted_at": None if posted is None else at - timedelta(days=posted), **more,
    }  # fmt: skip


def _rows(*rows):
    full = [{name: row.get(name) for name in SCHEMA.names} for row in rows]
    curve = ibis.memtable(pa.table({"age": list(range(400)), "unseen": [0.25] * 400}))
    applications = ibis.memtable(pa.Table.from_pylist(full, schema=SCHEMA))
    return sent_rows(applications, Outlook(AS_OF, curve, None)).to_pyarrow()


def test_by_hand():
    rows = _rows(
        _row(0, stage="interview", company=" Acme ", posted=1, local_hour=9, local_weekday=3),
        _row(1, rejected=4, company="ACME", posted=30, local_hour=23, local_weekday=4),
        _row(80, person="0b2", company="", posted=-0.5, local_weekday=6),
        _row(81, person="0b2", posted=-3),
        _row(2, stage="draft"),
    )
    assert rows["employer"].to_pylist() == ["acme", "acme", "j", "j"]
    interviews, answers = to_sent(rows, np.full(400, 0.5))
    assert interviews.events.tolist() == [1, 0, 0, 0]
    assert interviews.trials.tolist() == [1, 1, 0.75, 0.75]
    assert answers.events.tolist() == [1, 1, 0, 0]
    assert answers.trials.tolist() == [1, 1, 0.5, 0.5]
    assert interviews.factors["weekday"].tolist() == [3, 4, 6, -1]
    assert interviews.factors["time_of_day"].tolist() == [4, 11, -1, -1]
    assert interviews.factors["posting_age"].tolist() == [0, 2, 0, -1]
    assert interviews.person.tolist() == [0, 0, 1, 1]


def test_only_applications_with_all_parts_are_weighed():
    known = dict(zip(PARTS, (0.5, 0.6, 0.7, 0.8), strict=True))
    rows = _rows(_row(0, **known), _row(1, **known | {"signal": None}), _row(2, category="reach", **known))
    parts = to_fit_parts(rows)
    assert parts.parts.tolist() == [list(known.values())] * 2
    assert parts.categories.tolist() == [[0, 0], [1, 0]]
    assert parts_known(rows) == dict.fromkeys(PARTS, 3) | {"signal": 2}


def test_an_empty_log_is_no_error():
    rows = _rows()
    interviews, answers = to_sent(rows, np.full(3, 0.5))
    assert interviews.events.size == answers.events.size == to_fit_parts(rows).events.size == 0
    found = to_components(rows)
    assert (found.names, found.told, found.score.size, found.seldom) == ((), 0, 0, ())


def _scored(who, day, parts, score=70.0):
    return _row(day, person=f"0{who:02x}", resume_score=score, resume_score_components=parts)


def test_only_applications_with_all_parts_in_use_are_weighed():
    """Fifty people tell a and b, of whom one leaves b out, and two name parts that nobody else has."""
    rows = [_scored(who, who, {"b": 80.0, "a": float(who)}) for who in range(50)]
    rows[7] |= {"resume_score_components": {"a": 7.0, "b": 80.0, "only_hers": 3.0}}
    rows[8] |= {"resume_score": None}
    rows += [_scored(8, 50, {"a": 8.0, "b": 1.0}), _scored(9, 51, {"a": 1.0}), _scored(9, 52, {"his": 1.0})]
    rows += [_scored(9, 53, {}), _scored(9, 54, None)]
    found = to_components(_rows(*rows))
    assert (found.names, found.told, found.seldom) == (("a", "b"), 52, ())
    whole = [who for who in range(50) if who != 8]
    by_a = sorted(found.log.parts.tolist())
    assert by_a == sorted([[float(who), 80.0] for who in whole] + [[8.0, 1.0]])
    assert found.score.tolist() == [70.0] * 50
    assert found.log.person.size == 50


def test_a_part_that_few_people_have_is_not_named_and_one_that_few_tell_is_left_out():
    rows = [_scored(who, who, {"a": 50.0} | ({"rare": 1.0} if who < 49 else {})) for who in range(50)]
    assert to_components(_rows(*rows)).names == ("a",)
    rows += [_scored(who, 50 + who, {"b": 1.0}) for who in range(60)]
    found = to_components(_rows(*rows))
    assert (found.names, found.seldom, found.told) == (("b",), ("a",), 110)


def test_the_sample_keeps_whole_people_and_about_as_many_as_asked():
    people = [f"{7919 * n % 65536:04x}" for n in range(2000)]
    table = ibis.memtable(pa.table({"person": [name for name in people for _ in range(3)]}))
    kept = sample_people(table, 6000, most=1500).to_pyarrow()["person"].to_pylist()
    assert len(kept) == pytest.approx(1500, rel=0.1)
    assert {kept.count(name) for name in set(kept)} == {3}
    assert sample_people(table, 6000) is table
