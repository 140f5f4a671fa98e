"""The gain of moving a threshold: by hand, shrunk to nothing without evidence, and as sure as it says."""

import numpy as np
import pytest
from scipy import integrate, stats

from layer7.statistics.rates.estimate import Estimate, expected_loss, probability_above
from layer7.statistics.thresholds.threshold_gain import EffectCurve, best_move, level_effect, shrunk_effects

POSITION = np.arange(-4.75, 5.0, 0.5)


def curve_of(seed, effect, usual=0.5):
    rng = np.random.default_rng(seed)
    cases = rng.poisson(20.0, (64, POSITION.size)).astype(float)
    sums = cases * effect(POSITION) + rng.normal(0, 3.0, cases.shape) * np.sqrt(cases)
    return shrunk_effects(sums, cases, POSITION, usual=usual), cases.sum(axis=0) / 10_000


def test_a_gain_is_the_sum_of_effects_over_the_cases_between():
    curve = EffectCurve(np.array([0.1, 0.05]), np.diag([1e-6, 1e-6]))
    move = best_move(curve, POSITION, np.full(POSITION.size, 2.0), width=0.5)
    # Going on helps above -10 points only: the best threshold is the lowest that the steps cover.
    below = POSITION[POSITION < 0]
    assert move.offset == -5.0
    assert move.gain == pytest.approx(2.0 * (0.1 + 0.05 * below / 5).sum())


def test_an_effect_that_turns_inside_moves_to_where_it_turns():
    curve = EffectCurve(np.array([0.1, 0.25]), np.diag([1e-6, 1e-6]))
    assert best_move(curve, POSITION, np.ones(POSITION.size), width=0.5).offset == -2.0
    assert best_move(curve, POSITION, np.zeros(POSITION.size), width=0.5) is None


def test_moving_up_gains_the_opposite():
    move = best_move(EffectCurve(np.array([-0.1, 0.0]), np.eye(2) * 1e-6), POSITION, np.ones(20), width=0.5)
    assert (move.offset, round(move.gain, 6)) == (5.0, 1.0)


def test_without_evidence_the_curve_is_level_at_nothing():
    curve, _ = curve_of(1, lambda s: 0 * s, usual=0.01)
    assert np.abs(curve.coefficients).max() < 0.002
    wide = shrunk_effects(np.ones((10, 1)) * 9.0, np.ones((10, 1)) * 10, np.zeros(1), usual=1.0)
    # All cases at one step tell nothing of the slope: it keeps its prior.
    assert wide.coefficients[1] == pytest.approx(0.0, abs=1e-6)
    assert wide.covariance[1, 1] == pytest.approx(0.25**2, rel=1e-6)


def test_shrinking_weighs_noise_against_the_prior():
    curve = level_effect(Estimate(0.4, 0.1, 64), usual=0.4)
    assert curve.coefficients[0] == pytest.approx(0.4 * 0.5)
    assert curve.covariance[0, 0] == pytest.approx(0.005)


def test_flat_curves_give_false_certainty_as_seldom_as_promised():
    sure = wrong = 0
    for seed in range(300):
        curve, cases = curve_of(50 + seed, lambda s: 0 * s)
        move = best_move(curve, POSITION, cases, width=0.5)
        sure += move.probability >= 0.99
        wrong += move.probability >= 0.975
    # At most two sides: 2 % and 5 % of 300; Binomial bands at 99.9 %.
    assert sure <= 15
    assert wrong <= 29


def test_expected_loss_and_probability_against_integration():
    """Reference: numerical integration of the normal density."""
    for mean, sd in ((0.3, 0.2), (-0.1, 0.5), (0.0, 1.0)):
        law = stats.norm(mean, sd)
        loss, _ = integrate.quad(lambda x, law=law: -x * law.pdf(x), mean - 12 * sd, 0.0)
        assert expected_loss(mean, sd) == pytest.approx(loss, abs=1e-8)
        assert probability_above(mean, sd) == pytest.approx(law.sf(0.0))


def test_the_interval_of_the_curve_is_that_of_its_line():
    curve = EffectCurve(np.array([0.2, -0.1]), np.array([[0.04, 0.0], [0.0, 0.01]]))
    mean, low, high = curve.at(np.array([0.0, 5.0]))
    assert mean.tolist() == pytest.approx([0.2, 0.1])
    assert (high - low).tolist() == pytest.approx(
        [2 * 1.959964 * 0.2, 2 * 1.959964 * np.sqrt(0.05)], rel=1e-5
    )
