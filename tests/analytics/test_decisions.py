"""What came of decisions: by hand, in any order, and nothing made up where there is nothing."""

from datetime import UTC, datetime, timedelta

import ibis
import pyarrow as pa
import pytest

from layer7.analytics.optimizing.decisions import STEPS, Kind, decision_moments, decision_span, to_decisions
from layer7.analytics.optimizing.rethinking import switch_moments, target_moments

START = datetime(2026, 1, 1, 12, tzinfo=UTC)
SCHEMA = pa.schema(
    {
        "person": pa.string(), "event_id": pa.string(), "event_type": pa.string(),
        "event_time": pa.timestamp("us", "UTC"), "decision": pa.string(), "propensity": pa.float64(),
        "application_id": pa.string(), "metrics_resume_score": pa.float64(), "from_mode": pa.string(),
        "to_mode": pa.string(),
    }
)  # fmt: skip


def events(*rows):
    full = [{name: row.get(name) for name in SCHEMA.names} for row in rows]
    return ibis.memtable(pa.Table.from_pylist(full, schema=SCHEMA))


def decision(day, mode="APPLY_MODE", score=76.0, propensity=0.9, *, person="a0", application=None):
    return {
        "person": person, "event_id": f"{person}{day}{mode}", "event_type": "POLICY_DECISION",
        "event_time": START + timedelta(days=day), "decision": mode, "propensity": propensity,
        "application_id": application, "metrics_resume_score": score,
    }  # fmt: skip


def change(day, to_mode, score=70.0, *, person="a0", before=None):
    return {
        "person": person, "event_id": f"{person}{day}", "event_type": "MODE_CHANGED",
        "event_time": START + timedelta(days=day), "from_mode": before, "to_mode": to_mode,
        "metrics_resume_score": score,
    }  # fmt: skip


def summed(table):
    rows = table.to_pyarrow().to_pylist()
    return {(row["kind"], row["is_linked"], row["step"], row["is_held"]): row for row in rows}


@pytest.fixture
def sent(build):
    """One person: an interview, a silence, and one on day 80; another: one silence on day 1."""
    return build.applications(
        *(build.application(day, application_id=name) for name, day in (("y", 2), ("z", 80))),
        build.application(1, interview=2.0, application_id="x"),
        build.application(1, person="b1", application_id="w"),
    )  # fmt: skip


def test_a_decision_counts_what_was_sent_in_its_28_days(build, sent):
    log = events(decision(0), decision(1.5, "IMPROVE_RESUME_FIRST", 74.0, 0.1), decision(89))
    found = summed(decision_moments(sent, log, build.night(), cut=75.0))
    first = found["explored", False, 2, False]
    assert (first["cases"], first["offset"], first["applications"], first["interviews"]) == (1, 1.0, 2, 1)
    assert first["weight"] == pytest.approx(1 / 0.9, abs=1e-6)
    assert first["weighted_interviews"] == pytest.approx(1 / 0.9, abs=1e-6)
    second = found["explored", False, -2, True]
    assert (second["cases"], second["applications"], second["interviews"]) == (1, 1, 0)
    assert second["weight_squares"] == pytest.approx(100.0)
    # The third decision's days are not over yet.
    assert sum(row["cases"] for row in found.values()) == 2


def test_a_decision_that_names_its_application_counts_that_one(build, sent):
    log = events(decision(0, application="x", score=None), decision(1, application="nobody"))
    scored = sent.mutate(resume_score=ibis.literal(77.0))
    found = summed(decision_moments(scored, log, build.night(), cut=75.0))
    assert found["explored", True, 4, False]["interviews"] == 1
    unknown = found["explored", True, 2, False]
    assert (unknown["cases"], unknown["applications"]) == (1, 0)


def test_only_a_first_mode_is_a_decision_of_the_rule(build, sent):
    log = events(
        change(0, "IMPROVE_RESUME_FIRST"),
        change(1, "APPLY_MODE", 75.2, before="IMPROVE_RESUME_FIRST"),
        decision(1, propensity=1.0, score=80.0),
        decision(2, "SOMETHING_ELSE"),
        decision(3, score=None),
    )
    found = summed(decision_moments(sent, log, build.night(), cut=75.0))
    assert {key[:2] for key in found} == {("first", False), ("ruled", False)}
    assert sum(row["cases"] for row in found.values()) == 2


def test_sums_become_arrays_around_the_cut(build, sent):
    table = decision_moments(sent, events(decision(0), decision(0, person="b1")), build.night(), cut=75.0)
    found = to_decisions(table.to_pyarrow())
    gone = found[Kind.EXPLORED, False].gone["cases"]
    assert (gone.sum(), gone[:, STEPS + 2].sum()) == (2, 2)
    # Another person, another fold.
    assert (gone.sum(axis=1) > 0).sum() == 2
    assert found[Kind.RULED, True].cases == 0


def test_people_and_weeks_are_counted(build, sent):
    row = decision_span(sent, events(decision(0), decision(1)), build.night(), cut=75.0).to_pyarrow()
    (found,) = row.to_pylist()
    assert (found["people"], found["people_near"], found["person_weeks"]) == (1, 1, 3)
    assert found["person_weeks_near"] == 1
    (none,) = decision_span(sent, events(), build.night(), cut=75.0).to_pyarrow().to_pylist()
    assert (none["people"], none["first"], none["people_near"]) == (0, None, 0)


def test_targets_count_from_the_last_rethinking(build, sent):
    log = events(change(1.5, "RETHINK_TARGETS"), change(40, "APPLY_MODE"))
    rows = {row["person"]: row for row in target_moments(sent, log, build.night()).to_pyarrow().to_pylist()}
    assert (rows["a0"]["n"], rows["a0"]["interviews"]) == (3, 1)
    assert (rows["a0"]["n_since"], rows["a0"]["interviews_since"]) == (2, 0)
    assert (rows["b1"]["n"], rows["b1"]["n_since"]) == (1, 1)


def test_a_change_has_a_before_and_an_after(build, sent):
    log = events(change(0, "APPLY_MODE"), change(1.5, "RETHINK_TARGETS"), change(40, "APPLY_MODE"))
    rows = switch_moments(sent, log, build.night()).to_pyarrow().to_pylist()
    found = {row["to_mode"]: row for row in rows}
    rethought = found["RETHINK_TARGETS"]
    assert (rethought["n_before"], rethought["interviews_before"]) == (1, 1)
    assert (rethought["n_after"], rethought["interviews_after"]) == (1, 0)
    assert (found["APPLY_MODE"]["n_before"], found["APPLY_MODE"]["n_after"]) == (2, 1)
    assert len(rows) == 2
