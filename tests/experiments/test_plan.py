"""Plans: both examples of the specification as written, what is refused, and what the hash holds on to."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layer7.contract.lifecycle import State
from layer7.errors import Layer7Error
from layer7.experiments.assignment import assign, assign_all, claim, clashes, coverage_of, held_out
from layer7.experiments.metrics import METRICS, metric
from layer7.experiments.plan import checked, covering, intact, plan_hash, specified, started
from layer7.storage.decisions.experiments import accept

NOW = datetime(2026, 3, 2, tzinfo=UTC)
USERS = [f"user_{number}" for number in range(4000)]


def draft(**changes):
    return specified(0).model_copy(update=changes)


def variants(*allocations):
    first, second = specified(0).variants
    extra = second.model_copy(update={"variant_id": "third", "value": 65})
    return tuple(
        each.model_copy(update={"allocation": share})
        for each, share in zip((first, second, extra), allocations, strict=False)
    )


@pytest.mark.parametrize("number", [0, 1])
def test_the_specifications_examples_are_plans(number):
    plan = checked(specified(number), accept=accept, metrics=METRICS)
    assert plan.success_metric in METRICS
    running = started(plan, NOW)
    assert running.status is State.RUNNING
    assert running.end_date == (NOW + timedelta(days=plan.maximum_duration_days)).isoformat()
    intact(running)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"variants": variants(0.5, 0.4)}, "bad_allocation"),
        ({"variants": variants(1.0, 0.0)}, "bad_allocation"),
        ({"success_metric": "happiness"}, "unknown_metric"),
        ({"guardrail_metrics": ("happiness",)}, "unknown_metric"),
        ({"parameter": "nothing"}, "unknown_parameter"),
        ({"parameter": "fit_score_weights"}, "wrong_component"),
        ({"start_date": "2026-03-02", "end_date": "2026-03-01"}, "bad_dates"),
        ({"coverage": 0.0}, "bad_coverage"),
    ],
)
def test_what_cannot_work_is_refused(changes, code):
    with pytest.raises(Layer7Error) as raised:
        checked(draft(**changes), accept=accept, metrics=METRICS)
    assert raised.value.code == code


def test_a_value_out_of_range_two_alike_and_no_control_are_refused():
    first, second = specified(0).variants
    wrong = second.model_copy(update={"value": 170})
    same = second.model_copy(update={"value": 75.0})
    for pair, code in (((first, same), "one_arm"), ((second, wrong), "no_control")):
        with pytest.raises(Layer7Error) as raised:
            checked(draft(variants=pair), accept=accept, metrics=METRICS)
        assert raised.value.code == code
    with pytest.raises(Layer7Error, match="100"):
        checked(draft(variants=(first, wrong)), accept=accept, metrics=METRICS)


def test_the_hash_holds_the_plan_and_nothing_that_happens_later():
    running = started(draft(), NOW)
    assert plan_hash(covering(draft(coverage=0.2), 0.5, NOW)) == plan_hash(draft(coverage=0.2))
    changed = running.model_copy(update={"success_metric": "offer_rate"})
    with pytest.raises(Layer7Error) as raised:
        intact(changed)
    assert raised.value.code == "plan_changed"


def test_coverage_only_grows_and_nobody_changes_arm():
    small = started(draft(coverage=0.2), NOW)
    large = covering(small, 1.0, NOW)
    before, after = assign_all(small, USERS), assign_all(large, USERS)
    assert (after[before >= 0] == before[before >= 0]).all()
    assert 0.15 < (before >= 0).mean() < 0.25
    assert (coverage_of(small), coverage_of(large)) == (0.2, 1.0)
    with pytest.raises(Layer7Error):
        covering(large, 0.5, NOW)


@given(st.sampled_from(USERS))
def test_one_by_one_is_as_all_at_once(user):
    for experiment in (draft(), draft(namespace="mode", segments=tuple(range(30)), coverage=0.7)):
        found = assign(experiment, user)
        place = assign_all(experiment, [user])[0]
        assert (-1 if found is None else experiment.variants.index(found.variant)) == place


def test_namespaces_share_no_unit_and_give_segments_back():
    taken = draft(namespace="mode", segments=claim([], namespace="mode", wanted=0.6, seed="a"))
    other = draft(
        experiment_id="exp_b",
        namespace="mode",
        segments=claim([taken], namespace="mode", wanted=0.4, seed="b"),
    )
    assert len(taken.segments) == 60
    assert not ((assign_all(taken, USERS) >= 0) & (assign_all(other, USERS) >= 0)).any()
    assert clashes(other, [taken]) == ()
    assert clashes(draft(experiment_id="exp_c"), [taken]) == ("exp_001",)
    with pytest.raises(Layer7Error) as raised:
        claim([taken, other], namespace="mode", wanted=0.1, seed="c")
    assert raised.value.code == "namespace_full"


def test_targeting_and_holdout():
    aimed = draft(targeting={"seniority": ("mid", "senior")})
    assert assign(aimed, "user_1") is None
    assert assign(aimed, "user_1", {"seniority": "lead"}) is None
    assert assign(aimed, "user_1", {"seniority": "mid"}) is not None
    assert (assign_all(aimed, USERS) == -1).all()
    assert 0.03 < sum(held_out(user, 0.05) for user in USERS) / len(USERS) < 0.07


def test_the_catalogue_of_metrics():
    assert metric("interview_rate").columns == ("interviews", "trials")
    with pytest.raises(Layer7Error):
        metric("happiness")
