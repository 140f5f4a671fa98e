"""An experiment by declared groups: counted as declared when drawn by lot, harm to one group never passes."""

import ibis
import numpy as np
import pyarrow as pa
import pytest

from layer7.analytics.trials.cells import Cells, cells, group_cells
from layer7.contract.facts import FACTS
from layer7.experiments.by_group import fairness_of
from layer7.experiments.metrics import TOGETHER
from layer7.experiments.plan import specified

PLAN = specified(0)
SINCE, FOR_EVER = 0, 2**40


def units(groups, *, n=6000, base=0.2, declared_at=SINCE, by_application=False, answered=None):
    """Give facts and declarations: people of each group, half of them treated, with the group's effect."""
    facts, declared = [], []
    for group, effect in groups.items():
        for variant, rate in (("control", base), ("treatment", base * effect)):
            for at in range(n):
                person = f"{group}-{variant}-{at}"
                row = dict.fromkeys(FACTS, 0.0)
                row |= {"trials": 1.0, "interviews": float(at < round(rate * n)), "mature": 1.0}
                row |= {"has_interview": row["interviews"]}
                row |= {"answers": float(at < round((answered or {}).get((group, variant), 0.4) * n))}
                row |= {"experiment_id": PLAN.experiment_id, "variant": variant, "person": person, "own": ""}
                row |= {"stage": 0, "seconds": 1000, "segment": "s", "told": False, "triggered": False}
                facts.append(row | {"in_several": False, "by_application": by_application})
                if group is not None:
                    span = {"attribute": "gender", "group": group, "since": declared_at, "until": FOR_EVER}
                    declared.append({"person": person} | span)
    return pa.Table.from_pylist(facts), pa.Table.from_pylist(declared)


def judged(groups, *, plan=PLAN, **how):
    facts, declared = units(groups, **how)
    table, spans = ibis.memtable(facts), ibis.memtable(declared)
    grouped = group_cells(table, spans, TOGETHER).to_pyarrow()
    return fairness_of(
        plan,
        Cells.of(cells(table, TOGETHER).to_pyarrow(), TOGETHER),
        Cells.of(grouped, TOGETHER),
    )


def test_a_gain_for_every_group_passes_and_is_told_by_group():
    found = judged({"female": 1.2, "male": 1.2, None: 1.2})
    assert found.move == "pass"
    told = {each.group: each for each in found.groups}
    assert set(told) == {"everybody", "female", "male", "undisclosed"}
    assert told["female"].people == 12_000
    assert told["female"].ratio == pytest.approx(1.2)
    assert told["female"].low < 1.2 < told["female"].high


def test_harm_to_one_group_is_taken_back_though_everybody_gains():
    found = judged({"female": 0.6, "male": 1.3, None: 1.3})
    assert found.move == "roll_back"
    assert "female" in found.why


def test_what_was_declared_after_the_lot_counts_as_undisclosed():
    assert judged({"female": 0.6, "male": 1.3, None: 1.3}, declared_at=2000) is None


def test_groups_that_are_too_small_claim_nothing():
    assert judged({"female": 0.5, "male": 0.5}, n=30) is None
    assert judged({"female": 1.0}, by_application=True) is None


def test_people_are_added_up_as_plain_counting_gives():
    facts, declared = units({"female": 1.5}, n=50)
    found = group_cells(ibis.memtable(facts), ibis.memtable(declared), TOGETHER).to_pyarrow().to_pylist()
    assert [(row["variant"], row["n"], row["s_interviews"]) for row in found] == [
        ("control", 50, 10.0),
        ("treatment", 50, 15.0),
    ]
    assert np.isclose(found[0]["p_trials_interviews"], 10.0)


def test_harm_to_one_group_in_a_guardrail_is_taken_back_beyond_its_margin():
    """The success metric gains for everybody; only one group gets fewer answers."""
    plan = PLAN.model_copy(update={"guardrail_metrics": ("response_rate", "median_days_to_response")})
    groups = {"female": 1.2, "male": 1.2, None: 1.2}
    assert judged(groups, plan=plan).move == "pass"
    harmed = judged(groups, plan=plan, answered={("female", "treatment"): 0.3})
    assert harmed.move == "roll_back"
    assert "response_rate is proven worse for female" in harmed.why
    small = judged(groups, plan=plan, answered={("female", "treatment"): 0.39})
    assert small.move == "pass"


def test_means_and_medians_are_judged_by_group_as_well():
    """A median has no sums: who had an interview is what it is about; a mean has one chance for each unit."""
    harm = {"female": 0.6, "male": 1.3, None: 1.3}
    for name in ("median_days_to_response", "reached_interview"):
        found = judged(harm, plan=PLAN.model_copy(update={"success_metric": name}))
        assert found.move == "roll_back"
        assert "female" in found.why
        told = {each.group: each for each in found.groups}
        assert told["female"].ratio == pytest.approx(0.6)
