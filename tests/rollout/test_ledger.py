"""The ledger: alpha given and won back, forecasts against what came, by hand and in calibration."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from layer7.contract.lifecycle import State
from layer7.rollout.ledger import Forecast, entries, forecast_of, granted, ledger, score
from layer7.statistics.trials import Entry, next_alpha
from rollouts import experiment, proposal, ramp, results


def ended(name, found=None, *, alpha=0.01, **changes):
    done = found or results(p_value=0.001)
    return experiment(done, experiment_id=name, alpha=alpha, status=State.COMPLETED, **changes).model_copy(
        update={"status": State.COMPLETED}
    )


def test_only_ended_experiments_of_the_engine_count_as_discoveries():
    stream = [
        ended("exp_1"),
        experiment(results(p_value=0.001), experiment_id="exp_2"),
        ended("exp_3", results(p_value=0.02)),
        ended("exp_4", results((-0.03, -0.01), p_value=0.001)),
        ended("exp_5", recommendation_id=None),
        ended("exp_1_holdback"),
        ended("exp_6", results(p_value=0.001, blocked_by=("Units are missing.",))),
    ]
    found = entries(stream)
    assert [entry.is_discovery for entry in found] == [True, False, False, False, False]
    assert [entry.p_value for entry in found] == [0.0005, None, 0.01, 0.9995, None]


def test_a_ledger_by_hand():
    own = [ended("exp_1"), experiment(experiment_id="exp_2", alpha=0.002)]
    named = proposal().model_copy(update={"recommendation_id": "rec_1"})
    found = ledger(own, [named], [ramp(harm=1.5), ramp()])
    assert (found.tests, found.discoveries, found.unscored) == (("exp_1", "exp_2"), 1, 1)
    assert found.spent == pytest.approx(0.006)
    assert found.next_alpha == next_alpha(entries(own))
    assert (found.harm, found.harm_budget) == (1.5, 10.0)
    assert (found.forecasts.n, found.forecasts.shrinkage) == (1, pytest.approx(1.0))
    nothing = ledger([], [], [])
    assert (nothing.forecasts.coverage, nothing.forecasts.shrinkage, nothing.spent) == (None, None, 0.0)


def test_adoptions_for_nothing_stay_within_the_budget_that_pays_for_benefits_alone():
    """Streams of 100 tests, three in ten with a benefit, each read two-sided at what it was granted."""
    rng, shares = np.random.default_rng(6), []
    for _ in range(40):
        stream, false = [], 0
        for real in rng.random(100) < 0.3:
            alpha = granted(stream, budget=0.1)
            z = rng.normal(4.0 if real else 0.0)
            adopted = bool(z > stats.norm.isf(alpha / 2))
            false += adopted and not real
            stream.append(Entry(alpha / 2, None, adopted))
        shares.append(false / max(1, sum(entry.is_discovery for entry in stream)))
    assert np.mean(shares) <= 0.1
    assert granted([Entry(0.001, 1e-9, is_discovery=True)] * 50, budget=0.5) == 0.05


def test_forecasts_are_compared_in_the_same_unit_only():
    named = proposal()
    assert forecast_of(named, ended("exp_1")) == Forecast("exp_1", 0.02, (0.01, 0.03), 0.02, (0.01, 0.03))
    assert forecast_of(named, ended("exp_1", success_metric="response_rate")) is None
    assert forecast_of(named, experiment(results())) is None
    assert forecast_of(named, ended("exp_1", results(confidence_interval=None))) is None


@given(st.lists(st.floats(0.01, 1), min_size=1, max_size=6), st.floats(-2, 2))
def test_the_slope_finds_the_share_that_came(promised, share):
    made = [Forecast("e", each, (each - 1, each + 1), share * each, (share * each - 1, share * each + 1))
            for each in promised]  # fmt: skip
    assert score(made).shrinkage == pytest.approx(share, abs=1e-9)
    assert score(made) == score(made[::-1]) or len(made) > 1


def test_honest_forecasts_are_kept_in_19_of_20_and_shrink_by_nothing():
    dice = np.random.default_rng(4)
    truth = dice.normal(0.03, 0.01, 2_000)
    said = [
        Forecast("e", float(t), (float(t - 1e-4), float(t + 1e-4)), float(f), (float(f - r), float(f + r)))
        for t, f, r in zip(truth, dice.normal(truth, 0.005), [1.96 * 0.005] * len(truth), strict=True)
    ]
    found = score(said)
    assert 0.935 < found.coverage < 0.965
    low, high = found.shrinkage_interval
    assert low < 1 < high


def test_winners_of_noise_promise_too_much():
    dice = np.random.default_rng(5)
    seen = dice.normal(0.0, 0.02, 4_000)
    chosen = seen[seen > 0.03]
    said = [
        Forecast(
            "e", float(s), (float(s - 0.039), float(s + 0.039)), float(f), (float(f - 0.02), float(f + 0.02))
        )
        for s, f in zip(chosen, dice.normal(0.0, 0.01, len(chosen)), strict=True)
    ]
    assert abs(score(said).shrinkage) < 0.1
