"""Months of the year: refused before two years, found when they are there, silent when they are not."""

import numpy as np
import pytest

from layer7.errors import Layer7Error
from layer7.statistics.many.seasons import month_effects
from layer7.statistics.rates.standardised import standardise

PLANTED = np.log([1.02, 1.0, 1.04, 1.06, 1.06, 1.04, 0.99, 1.0, 1.02, 1.0, 0.90, 0.75])


def test_less_than_two_years_is_refused():
    with pytest.raises(Layer7Error, match="23 months"):
        month_effects(range(23), np.zeros(23), np.ones(23))
    with pytest.raises(Layer7Error):
        month_effects(range(24), np.zeros(24), np.zeros(24))


def test_a_trend_is_no_season():
    found = month_effects(range(36), -3 + 0.02 * np.arange(36), np.full(36, 0.01))
    assert np.abs(found.mean).max() < 0.01


def test_a_constant_does_not_matter_and_signs_turn():
    rng = np.random.default_rng(6)
    y = rng.normal(0, 0.1, 30)
    found = month_effects(range(30), y, np.full(30, 0.1))
    assert month_effects(range(30), y + 5, np.full(30, 0.1)).mean == pytest.approx(found.mean, abs=1e-9)
    assert month_effects(range(30), -y, np.full(30, 0.1)).mean == pytest.approx(-found.mean, abs=1e-9)


def test_planted_seasons_are_covered_and_december_is_found():
    """20 times three years with errors of 5 %."""
    rng = np.random.default_rng(9)
    truth = PLANTED - PLANTED.mean()
    inside = december = 0
    for _ in range(20):
        y = np.tile(PLANTED, 3) + rng.normal(0, 0.05, 36)
        found = month_effects(range(36), y, np.full(36, 0.05))
        low, high = found.interval()
        inside += int(((low <= truth) & (truth <= high)).sum())
        december += found.above(-0.02)[11] < 0.05
    assert inside / 240 >= 0.90
    assert december == 20


def test_a_shift_of_the_mix_changes_nothing():
    found = standardise([[900, 20], [100, 180]], [[9000, 1000], [1000, 9000]])
    assert found.raw[0] / found.raw[1] > 3
    assert found.rate[0] == pytest.approx(found.rate[1], rel=0.01)
    assert (found.error > 0).all()
    for bad in (([[1]], [[0.5]]), ([[0]], [[0]]), ([1], [1])):
        with pytest.raises(Layer7Error):
            standardise(*bad)
