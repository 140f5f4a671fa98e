"""Facts of exposed units: by hand on a tiny log, and the laws of adding."""

import json
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest

import nights
from layer7.analytics import Outlook
from layer7.analytics.trials.cells import Cells, cells, pairs
from layer7.analytics.trials.exposures import Trial, capped, caps, first_exposures, units
from layer7.analytics.trials.tallies import VALUES, tallies
from layer7.contract.facts import FACTS
from layer7.contract.vocabulary import Purpose
from layer7.experiments.metrics import TOGETHER
from layer7.nightly.night import Night
from layer7.storage.warehouse.reading import Horizon
from layer7.storage.warehouse.tables import keep

START = datetime(2026, 1, 1, tzinfo=UTC)
NOW = datetime(2026, 4, 1, tzinfo=UTC)
DAY = date(2026, 3, 1)


def at(day):
    return (START + timedelta(days=day)).isoformat()


def exposed(user, variant, day, experiment="exp", **more):
    return {
        "event_type": "EXPERIMENT_EXPOSED", "user_id": user, "experiment_id": experiment,
        "variant_id": variant, "timestamp": at(day), **more,
    }  # fmt: skip


def sent(user, name, day, interview=None, rejected=None):
    about = {"user_id": user, "application_id": name, "job_id": "j", "resume_version_id": "r"}
    events = [about | {"event_type": "APPLICATION_SUBMITTED", "timestamp": at(day)}]
    for status, wait in (("interview", interview), ("rejected", rejected)):
        if wait is not None:
            told = {
                "event_type": "STATUS_CHANGED",
                "timestamp": at(day + wait),
                "outcome": {"status": status},
            }
            events.append(about | told)
    return events


LOG = [
    exposed("anna", "control", 1),
    exposed("anna", "control", 3, decision="APPLY", counterfactual_decisions={"treatment": "APPLY"}),
    exposed("ben", "treatment", 8, decision="APPLY", counterfactual_decisions={"control": "IMPROVE"}),
    exposed("cleo", "control", 9),
    exposed("cleo", "treatment", 10),
    exposed("dora", "control", -1),
    *sent("anna", "a0", 0, interview=0.5),
    *sent("anna", "a1", 2, interview=3),
    *sent("anna", "a2", 40, rejected=2),
    *sent("anna", "a3", 4, rejected=40),
    *sent("ben", "b0", 0, interview=20),
    *sent("ben", "b1", 9, rejected=5),
    {
        "event_type": "SUGGESTION_ACCEPTED",
        "user_id": "anna",
        "suggestion_type": "rewrite",
        "timestamp": at(5),
    },
    {
        "event_type": "SUGGESTION_REJECTED",
        "user_id": "anna",
        "suggestion_type": "rewrite",
        "timestamp": at(6),
    },
    {
        "event_type": "SUGGESTION_REJECTED",
        "user_id": "anna",
        "suggestion_type": "rewrite",
        "timestamp": at(0),
    },
    {
        "event_type": "PROFILE_UPDATED",
        "user_id": "anna",
        "profile": {"seniority": "senior"},
        "timestamp": at(0),
    },
    {
        "event_type": "PROFILE_UPDATED",
        "user_id": "anna",
        "profile": {"seniority": "lead"},
        "timestamp": at(5),
    },
]


def facts_of(home, log, *trials):
    """The facts of every unit by the person's own name."""
    nights.night(home, DAY, now=NOW, only=nights.MEASURED)
    night = Night(home, Horizon(DAY, NOW), 1, lambda: NOW, lambda _: None)
    names = {home.keys.person(event["user_id"]): event["user_id"] for event in log}
    with home.warehouse.open() as tables:
        known = night.log(tables, Purpose.EXPERIMENTS)
        met = keep(first_exposures(known.events, trials), "met")
        final = Outlook(night.horizon.end, tables.read("outlook").mutate(unseen=0.25), None)
        found = keep(units(met, known.events, known.applications, final), "facts")
        whole = capped(found, caps(found, 0.999))
        rows = whole.order_by("person", "own").to_pyarrow().to_pylist()
        return [{**row, "person": names[row["person"]]} for row in rows]


def trial(**changes):
    plan = {
        "experiment_id": "exp", "by_application": False,
        "stages": (START, START + timedelta(days=7)),
    }  # fmt: skip
    return Trial(**plan | changes)


def test_facts_of_people_by_hand(home, take):
    assert take(home, LOG, at=NOW).quarantined == 0
    rows = {row["person"]: row for row in facts_of(home, LOG, trial())}
    assert sorted(rows) == ["anna", "ben", "cleo"]
    anna, ben, cleo = (rows[name] for name in ("anna", "ben", "cleo"))
    kept = ("variant", "stage", "in_several", "told", "triggered", "segment")
    assert [anna[name] for name in kept] == ["control", 0, False, True, False, "senior"]
    assert [ben[name] for name in kept] == ["treatment", 1, False, True, True, "unknown"]
    assert [cleo[name] for name in kept] == ["control", 1, True, False, False, "unknown"]
    assert {name: anna[name] for name in FACTS} == {
        "created": 3, "applied": 3, "submitted": 3, "trials": 3, "interviews": 1, "offers": 0,
        # a2 is 20 days old; a3 was answered after more than 28 days.
        "mature": 2, "answers": 1, "rejections": 0, "answer_days": 3,
        "suggestions": 2, "accepted": 1, "has_interview": 1, "submitted_capped": 3, "interviews_capped": 1,
        "before_submitted": 1, "before_interviews": 1,
    }  # fmt: skip
    # The interview of b0 came after the exposure, and says nothing of before; b1 is a rejection in time.
    assert (ben["before_submitted"], ben["before_interviews"], ben["interviews"]) == (1, 0, 0)
    assert (ben["mature"], ben["answers"], ben["rejections"], ben["answer_days"]) == (1, 1, 1, 5)


def test_waits_and_values_are_counted_by_hand(home, take):
    """Anna has an interview 4 days after her exposure (a1); Ben's came before his; Cleo met both arms."""
    take(home, LOG, at=NOW)
    nights.night(home, DAY, now=NOW, only=nights.MEASURED)
    night = Night(home, Horizon(DAY, NOW), 1, lambda: NOW, lambda _: None)
    with home.warehouse.open() as tables:
        known = night.log(tables, Purpose.EXPERIMENTS)
        met = keep(first_exposures(known.events, [trial()]), "met")
        final = Outlook(night.horizon.end, tables.read("outlook").mutate(unseen=0.0), None)
        found = keep(units(met, known.events, known.applications, final), "facts")
        rows = tallies(found, list(VALUES), night.horizon.end).to_pyarrow().to_pylist()
    told = {
        (row["measure"], row["variant"], row["value"], row["happened"])
        for row in rows
        if not row["in_several"]
    }
    assert told == {
        ("wait", "control", 4.0, 1), ("wait", "treatment", 27.0, 0),
        ("submitted", "control", 3.0, 1), ("submitted", "treatment", 1.0, 1),
        ("days_each", "control", 3.0, 1), ("days_each", "treatment", 5.0, 1),
    }  # fmt: skip


def test_silence_counts_as_what_is_left_of_it(home, take):
    log = [exposed("anna", "control", 1), *sent("anna", "a1", 2), *sent("anna", "a2", 3)]
    take(home, log, at=NOW)
    row = facts_of(home, log, trial())[0]
    assert (row["submitted"], row["trials"]) == (2, 1.5)


def test_facts_of_applications_by_hand(home, take):
    log = [
        *sent("anna", "a0", 0, interview=0.5),
        exposed("anna", "control", 1, application_id="a1"),
        exposed("anna", "treatment", 2, application_id="a2"),
        exposed("anna", "treatment", 3),
        *sent("anna", "a1", 0.9, interview=5),
        *sent("anna", "a2", 2.1),
        *sent("anna", "a9", 2.1, interview=1),
    ]
    take(home, log, at=NOW)
    one, two = facts_of(home, log, trial(by_application=True))
    assert [(row["own"], row["variant"], row["interviews"]) for row in (one, two)] == [
        ("a1", "control", 1),
        ("a2", "treatment", 0),
    ]
    assert [row["submitted"] for row in (one, two)] == [1, 1]
    # Both were begun by the time of the first exposure, as far as the person's history knows.
    assert [row["before_submitted"] for row in (one, two)] == [2, 2]
    assert [row["before_interviews"] for row in (one, two)] == [1, 1]


def test_extreme_sums_count_as_the_cap(home, take):
    log = [exposed(f"u{i}", "control", 1) for i in range(3)]
    log += [event for i in range(9) for event in sent("u0", f"a{i}", 2 + i)] + sent("u1", "b", 2)
    take(home, log, at=NOW)
    home_rows = facts_of(home, log, trial())
    assert sorted(row["submitted_capped"] for row in home_rows) == [0, 1, 9]


def test_moments_of_parts_add_to_those_of_the_whole(home, take):
    people = [f"u{i}" for i in range(12)]
    log = [exposed(name, ("control", "treatment")[i % 2], i % 9) for i, name in enumerate(people)]
    log += [exposed(name, ("control", "treatment")[i // 6], 3, "other") for i, name in enumerate(people[:9])]
    for i, name in enumerate(people):
        for k in range(i % 5):
            log += sent(name, f"{name}-{k}", 10 + k, interview=2 if (i + k) % 3 == 0 else None)
    take(home, log, at=NOW)
    nights.night(home, DAY, now=NOW, only=nights.MEASURED)
    with home.warehouse.open() as tables:
        events, applications, curve = (tables.read(name) for name in ("events", "applications", "outlook"))
        night = Outlook(Horizon(DAY, NOW).end, curve, None)

        def counted(part, name):
            own = events.filter(part(events.person)), applications.filter(part(applications.person))
            met = keep(first_exposures(own[0], [trial(), trial(experiment_id="other")]), f"met_{name}")
            found = units(met, *own, night)
            fixed = found.mutate(submitted_capped=found.submitted, interviews_capped=found.interviews)
            whole = keep(fixed, f"facts_{name}")
            return Cells.of(cells(whole, TOGETHER).to_pyarrow(), TOGETHER), pairs(
                whole, TOGETHER
            ).to_pyarrow()

        whole, both = counted(lambda person: person.notnull(), "all")
        parts = [
            counted(lambda person: person < "8", "low"),
            counted(lambda person: person >= "8", "high"),
        ]
    for experiment in ("exp", "other"):
        for variant in ("control", "treatment"):
            wanted = {"experiment_id": experiment, "variant": variant}
            facts = ("interviews", "trials", "before_interviews", "before_submitted")
            one, two = (part.where(**wanted).arm(facts) for part, _ in parts)
            total = whole.where(**wanted).arm(facts)
            assert (one + two).products.tolist() == total.products.tolist()
            assert (one + two).n == total.n
    assert sum(both["n"].to_pylist()) == 18
    assert sum(pa.concat_tables([pair for _, pair in parts])["n"].to_pylist()) == 18


def test_products_that_nobody_asked_for_are_not_made_up():
    assert ("offers", "suggestions") not in TOGETHER
    table = pa.table(
        {"experiment_id": ["exp"], "n": [1.0]}
        | {f"s_{name}": [1.0] for name in FACTS}
        | {f"p_{one}_{two}": [1.0] for one, two in TOGETHER}
    )
    found = Cells.of(table, TOGETHER)
    assert found.arm(("interviews", "trials")).n == 1
    with pytest.raises(Exception, match="finite"):
        found.arm(("offers", "suggestions"))
    assert json.dumps(found.values("experiment_id")) == '["exp"]'
    assert np.isnan(found.products).any()
