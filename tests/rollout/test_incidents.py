"""Incidents that other programs had with ramps and assignment; each test is named after one.

The list is in the public issue trackers of the programs named in each test.
"""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest
from pydantic import ValidationError

from layer7.configuration import Resolution
from layer7.contract.lifecycle import State
from layer7.contract.vocabulary import Component
from layer7.errors import Layer7Error
from layer7.experiments.assignment import assign, assign_all
from layer7.experiments.plan import plan_hash, specified
from layer7.nightly.advancing import advance_all
from layer7.review import Action
from layer7.rollout.gates import Move, Observation, next_step
from layer7.rollout.ramp import Ramp, ramp_of
from layer7.storage.database.state import Act
from layer7.storage.decisions.rollouts import Rollouts
from layer7.storage.decisions.serving import Serving
from layer7.storage.decisions.trials import Lookup
from rollouts import DAY, DUE, KEY, NOW, experiment, guardrail, proposal, ramp, results

BEGAN = datetime(2026, 3, 2, 12, tzinfo=UTC)
STRATEGY = Component.STRATEGY_ENGINE
UNITS = np.array([f"person-{number}" for number in range(20_000)])
HARM = {"interviews_per_unit": guardrail((-0.05, -0.02), non_inferior=False)}
FINE = {name: guardrail() for name in ("interviews_per_unit", "applications_per_unit")}


def act(at=BEGAN):
    return Act("ada", "rollout.test", "x", at, "to learn")


def begun(home):
    (made,) = home.recommendations.propose([proposal()], BEGAN)
    by = {"actor": "ada", "why": "worth a try", "at": BEGAN}
    drafted = home.recommendations.decide(made.recommendation_id, Action.APPROVE, **by).experiment
    home.experiments.start(drafted.experiment_id, act=act())
    advance_all(home, BEGAN)
    return home.rollouts.get(f"ramp_{drafted.experiment_id}")


def analysed(home, name, at, **changes):
    home.experiments.keep_results(name, results(as_of=at, **{"guardrails": FINE} | changes), act=act(at))


def at_everybody(home):
    of = begun(home)
    for days in (7, 14):
        analysed(home, of.experiment_id, BEGAN + days * DAY)
        advance_all(home, BEGAN + days * DAY)
    return home.rollouts.get(of.ramp_id), BEGAN + 14 * DAY


# --- GrowthBook: ramps


def test_growthbook_6984_no_ramp_without_an_anchor():
    for anchor in ("", None):
        with pytest.raises(ValidationError):
            Ramp.model_validate(ramp().model_dump() | {"anchor": anchor})


def test_growthbook_6984_rolled_back_is_not_said_while_the_value_stays(home):
    of, at = at_everybody(home)

    class Stuck(Serving):
        def evaluate(self, key, *, component, targeting_key):
            said = super().evaluate(key, component=component, targeting_key=targeting_key)
            return Resolution(key, 70.0, said.variant, said.reason, said.version, said.metadata)

    stuck = Rollouts(
        home.state,
        configs=home.configs,
        experiments=home.experiments,
        recommendations=home.recommendations,
        serving=Stuck(home.configs, home.recommendations),
    )
    with pytest.raises(Layer7Error) as raised:
        stuck.roll_back(of.ramp_id, act=act(at))
    assert raised.value.code == "rollback_not_proven"
    assert home.rollouts.get(of.ramp_id).state is State.COMPLETED
    assert "rollout.rolled_back" not in [each["action"] for each in home.rollouts.history(of.ramp_id)]
    advance_all(home, at + timedelta(hours=1))
    assert home.rollouts.get(of.ramp_id).state is State.ROLLED_BACK


def test_growthbook_6330_an_overdue_backlog_is_one_move(home):
    of = begun(home)
    late = BEGAN + 50 * DAY
    analysed(home, of.experiment_id, late)
    assert advance_all(home, late)["moved"] == 1
    assert home.rollouts.get(of.ramp_id).stage == 1
    assert advance_all(home, late)["moved"] == 0


def test_growthbook_6330_the_ramp_and_what_is_served_agree(home):
    of = begun(home)
    analysed(home, of.experiment_id, BEGAN + 7 * DAY)
    advance_all(home, BEGAN + 7 * DAY)
    shown, measured = home.rollouts.get(of.ramp_id), home.experiments.get(of.experiment_id)
    assert shown.coverage == measured.coverages[-1].share == 1.0


def test_growthbook_6416_the_first_check_neither_ends_nor_switches_off_what_has_just_begun(home):
    of = begun(home)
    assert advance_all(home, BEGAN + timedelta(milliseconds=250))["moved"] == 0
    assert home.rollouts.get(of.ramp_id).state is State.RUNNING
    assert home.experiments.get(of.experiment_id).status is State.RUNNING


def test_growthbook_an_analysis_from_before_the_stage_is_not_green():
    old = Observation(experiment=experiment(results(as_of=NOW - DAY)))
    assert next_step(ramp(), old, DUE).gate == "analysis"


# --- PostHog, Statsig, LaunchDarkly: what shipping, starting and restarting do


def test_posthog_94901_shipping_a_winner_keeps_the_holdback_and_measures_it(home):
    of, _ = at_everybody(home)
    rest = home.experiments.get(of.holdback_id)
    before = home.experiments.get(of.experiment_id)
    arms, kept = assign_all(before, UNITS), assign_all(rest, UNITS)
    assert [np.mean(kept == arm) for arm in (0, 1)] == pytest.approx([0.05, 0.05], abs=0.006)
    assert (kept[kept >= 0] == arms[kept >= 0]).all()
    assert rest.status is State.RUNNING
    control = [variant.variant_id for variant in rest.variants].index("control")
    held = str(UNITS[kept == control][0])
    served = Lookup(home.experiments, home.assignments)(home.configs.active(STRATEGY), KEY, held)
    assert (served.value, served.metadata["experimentId"]) == (75.0, rest.experiment_id)


def test_posthog_14817_opening_a_ramp_does_not_reset_the_coverage(home):
    half = specified(0).model_copy(update={"coverage": 0.6})
    home.experiments.create(half, act=act())
    home.experiments.start("exp_001", act=act())
    advance_all(home, BEGAN)
    assert home.experiments.get("exp_001").coverages[-1].share == 0.6
    assert [stage.share for stage in home.rollouts.get("ramp_exp_001").stages] == [0.3, 0.5]


def test_launchdarkly_a_restart_picks_the_same_units(home):
    of = begun(home)
    before = assign_all(home.experiments.get(of.experiment_id), UNITS)
    home.experiments.pause(of.experiment_id, act=act())
    assert advance_all(home, BEGAN + 8 * DAY)["rollouts"][0]["gate"] == "interval"
    home.experiments.resume(of.experiment_id, act=act())
    assert (assign_all(home.experiments.get(of.experiment_id), UNITS) == before).all()


def test_posthog_29336_units_in_two_variants_hold_the_ramp():
    twice = results(blocked_by=("3 % of the units were in several variants.",))
    assert next_step(ramp(), Observation(experiment=experiment(twice)), DUE).gate == "sample_ratio"


def test_posthog_84351_a_split_that_is_not_the_planned_one_holds_the_ramp():
    uneven = results(sample_ratio_p_value=2.4e-149)
    assert next_step(ramp(), Observation(experiment=experiment(uneven)), DUE).gate == "sample_ratio"


def test_statsig_an_arm_without_traffic_is_never_chosen():
    empty = results(treatment_sample_size=0)
    found = next_step(ramp(), Observation(experiment=experiment(empty)), DUE)
    assert (found.move, found.gate) == (Move.HOLD, "traffic")


# --- hashes: Unleash, togglz, Vercel, openflagr, PostHog


def test_unleash_533_coverage_and_variant_do_not_share_a_hash():
    arms = assign_all(experiment(), UNITS)
    assert [np.mean(arms == arm) for arm in (0, 1)] == pytest.approx([0.1, 0.1], abs=0.008)


def test_togglz_104_nobody_is_first_in_every_rollout():
    first = assign_all(experiment(), UNITS) >= 0
    other = assign_all(experiment(experiment_id="exp_other"), UNITS) >= 0
    assert np.mean(first & other) == pytest.approx(0.04, abs=0.006)


def test_vercel_427_and_openflagr_161_growing_reassigns_nobody():
    shares = (0.02, 0.2, 0.5, 1.0)
    arms = [assign_all(experiment(coverages=(), coverage=share), UNITS) for share in shares]
    for before, after in pairwise(arms):
        assert (after[before >= 0] == before[before >= 0]).all()


def test_posthog_8001_the_split_is_the_planned_one():
    arms = assign_all(experiment(coverage=1.0), UNITS)
    assert np.mean(arms == 0) == pytest.approx(0.5, abs=0.012)


def test_openflagr_464_the_same_unit_may_fall_apart_in_two_experiments():
    one, two = (assign_all(experiment(experiment_id=name, coverage=1.0), UNITS) for name in ("a", "b"))
    assert np.mean(one == two) == pytest.approx(0.5, abs=0.012)


def test_growthbook_swift_75_an_assignment_is_the_same_in_every_release():
    whole = experiment(coverage=1.0)
    found = [assign(whole, f"user_{number}").variant.variant_id for number in range(1, 7)]
    assert found == ["treatment", "control", "treatment", "treatment", "treatment", "control"]


def test_a_plan_does_not_change_while_its_coverage_grows(home):
    of = begun(home)
    before = home.experiments.get(of.experiment_id).plan_hash
    analysed(home, of.experiment_id, BEGAN + 7 * DAY)
    advance_all(home, BEGAN + 7 * DAY)
    assert plan_hash(home.experiments.get(of.experiment_id)) == before


def test_arms_other_than_two_equal_ones_get_no_ramp():
    uneven = specified(0)
    control, treatment = uneven.variants
    uneven = uneven.model_copy(
        update={
            "variants": (
                control.model_copy(update={"allocation": 0.8}),
                treatment.model_copy(update={"allocation": 0.2}),
            )
        }
    )
    with pytest.raises(Layer7Error) as raised:
        ramp_of(uneven, anchor="v1")
    assert raised.value.code == "not_rampable"
