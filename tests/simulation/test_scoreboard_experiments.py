"""S8: what is planted comes out, the naive rules are the ones that are meant, the budget is kept."""

from dataclasses import replace

import numpy as np
import pytest

from layer7.experiments.design import Plan
from layer7.experiments.replication import Runs
from layer7.simulation.scoreboard import MEASURES
from layer7.simulation.scoreboard.experiments import Design, judged, naive_z
from layer7.simulation.scoreboard.fleet import LIFTS, SHARES, fleet, should_auto_rollout


def runs(events, begun):
    """One run whose looks saw these interviews and applications in control and treatment."""
    counted, sent = np.array([events], float), np.array([begun], float)
    some = np.ones(counted.shape[:2])
    return Runs(estimate=some, error=some, value=some, freedom=some, units=some, events=counted, begun=sent)


def test_the_naive_rules_by_hand():
    """40 and 60 of 1,000: z = 0.02 / sqrt(0.04 x 0.96 / 1000 + 0.06 x 0.94 / 1000) = 2.054."""
    run = runs([[40, 60], [0, 0]], [[1000, 1000], [0, 0]])
    assert naive_z(run)[0] == pytest.approx([2.054, 0.0], abs=1e-3)
    assert not should_auto_rollout(run).any()
    assert should_auto_rollout(runs([[40, 130]], [[1000, 1000]])).all()
    assert not should_auto_rollout(runs([[4, 30]], [[150, 150]])).any()
    assert not should_auto_rollout(runs([[130, 40]], [[1000, 1000]])).any()


@pytest.mark.parametrize("by_attempt", [False, True])
def test_one_log_of_experiments(by_attempt):
    designs = (Design("weekly", 4, 20), Design("daily", 8, 10))
    told = judged(4, people=80, designs=designs, plan=Plan(effect=1.0, by_attempt=by_attempt))
    trials = {"S8 applications"} if by_attempt else {"S8 people"}
    assert {measure.key for measure in MEASURES if measure.trial.name in trials} <= set(told)
    for name, runs_each in (("weekly", 20), ("daily", 10)):
        assert told[f"{name} false"].engine.n == runs_each
        assert told[f"{name} false"].engine.value <= told[f"{name} false"].naive.value
        assert told[f"{name} coverage"].engine.value > told[f"{name} coverage"].naive.value
        assert 0 <= told[f"{name} anytime"].engine.value <= runs_each


def test_a_small_fleet_keeps_its_budget():
    assert sum(SHARES) == pytest.approx(1.0)
    assert sum(share for lift, share in zip(LIFTS, SHARES, strict=True) if lift > 0) == pytest.approx(0.3)
    told = fleet(120, 25, 7)
    assert {measure.key for measure in MEASURES if measure.trial.name == "S8 fleet"} == set(told)
    assert told["harmful"].engine.value == 0
    assert told["false"].engine.value <= 1


def test_information_of_the_runs_is_that_of_their_looks():
    run = replace(runs([[1, 1]], [[9, 9]]), value=np.array([[0.1]]), error=np.array([[0.05]]))
    assert run.information() == pytest.approx([4.0])
