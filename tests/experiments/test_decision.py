"""The decision on an experiment: by hand, alike for both arms, and the specification's six checks."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layer7.experiments.decision import decide, decided, rollout_checks, should_auto_rollout
from rollouts import DUE, NOW, experiment, guardrail, results

END = NOW + timedelta(days=30)
UNSURE = {"offer_rate": guardrail((-0.02, 0.01), non_inferior=False)}
BAD = {"offer_rate": guardrail((-0.03, -0.02), non_inferior=False)}


@pytest.mark.parametrize(
    ("said", "now", "verdict"),
    [
        ({}, DUE, "ship"),
        ({"guardrails": UNSURE}, DUE, "continue"),
        ({"guardrails": {}}, DUE, "continue"),
        ({"guardrails": BAD}, DUE, "keep_control"),
        ({"interval": (-0.03, -0.01)}, DUE, "keep_control"),
        ({"interval": (-0.03, -0.01), "guardrails": {}}, DUE, "keep_control"),
        ({"interval": (-0.004, 0.009)}, DUE, "no_worthwhile_difference"),
        ({"interval": (-0.004, 0.02)}, DUE, "continue"),
        ({"interval": (-0.004, 0.02)}, END, "ended_without_proof"),
        ({"guardrails": UNSURE}, END, "ended_without_proof"),
        ({"units": 199}, DUE, "continue"),
        ({"units": 199}, END, "ended_without_proof"),
        ({"units": 199, "interval": (-0.03, -0.01)}, DUE, "continue"),
        ({"blocked_by": ("No units.",)}, END, None),
        ({"sample_ratio_p_value": 0.0009}, DUE, None),
        ({"confidence_interval": None, "winner": None}, DUE, "continue"),
    ],
)
def test_by_hand(said, now, verdict):
    found = decide(experiment(), results(**said), now=now)
    assert found.verdict == verdict
    assert found.is_final == (verdict not in {None, "continue"})
    assert found.why.endswith(".")


def test_results_carry_verdict_and_checks_together():
    said = decided(experiment(), results(), now=DUE)
    assert (said.verdict, said.rollout_checks.meaningful_effect) == ("ship", False)
    assert said.rollout_checks.low_risk is True


def test_the_six_checks_are_those_of_the_specification():
    big = results(effect_size=0.31, p_value=0.049, units=200)
    assert should_auto_rollout(big)
    for change in (
        {"treatment_sample_size": 199},
        {"p_value": 0.05},
        {"effect_size": 0.3},
        {"winner": None},
        {"relative_improvement": 0.0},
        {"confidence_interval": (0.0, 0.02)},
    ):
        assert not should_auto_rollout(big.model_copy(update=change))
        assert sum(getattr(rollout_checks(big.model_copy(update=change)), n) is True for n in CHECKS) == 5


CHECKS = (
    "sufficient_sample",
    "statistically_significant",
    "meaningful_effect",
    "clear_winner",
    "positive_direction",
    "low_risk",
)
intervals = st.tuples(st.floats(-0.1, 0.1), st.floats(-0.1, 0.1)).map(lambda ends: tuple(sorted(ends)))


def swapped(found):
    low, high = found.confidence_interval
    turned = {"treatment": "control", "control": "treatment", None: None}[found.winner]
    return found.model_copy(update={"confidence_interval": (-high, -low), "winner": turned})


@given(intervals, st.integers(0, 600), st.booleans())
def test_swapping_the_arms_swaps_ship_and_keep_control(interval, units, over):
    plan = experiment(guardrail_metrics=())
    one, now = results(interval, units=units), END if over else DUE
    there, back = (decide(plan, each, now=now).verdict for each in (one, swapped(one)))
    turned = {"ship": "keep_control", "keep_control": "ship"}
    assert back == turned.get(there, there)
