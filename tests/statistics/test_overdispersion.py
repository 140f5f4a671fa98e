"""How much rates of clusters differ: nothing where they do not, and the planted spread where they do."""

import numpy as np
import pytest

from layer7.statistics.rates.overdispersion import relative_spread


def sums(k, m, v):
    return (
        {"kk": [(k * k).sum()], "km": [(k * m).sum()], "mm": [(m * m).sum()]},
        [k.sum()],
        [m.sum()],
        [v.sum()],
    )


@pytest.mark.parametrize("spread", [0.0, 0.3])
def test_the_planted_spread_is_found(spread):
    """2,000 clusters of 40 trials at 10 %, with a factor of variance 0 or 0.3 on the rate."""
    dice = np.random.default_rng(2)
    factor = dice.gamma(1 / spread, spread, 2_000) if spread else np.ones(2_000)
    k = dice.binomial(40, np.minimum(0.1 * factor, 1)).astype(float)
    products, *plain = sums(k, np.full(2_000, 4.0), np.full(2_000, 3.6))
    assert relative_spread(*plain, **products) == pytest.approx(spread, abs=0.03)


def test_nothing_expected_tells_nothing():
    assert relative_spread([0], [0], [0], kk=[0], km=[0], mm=[0]) == 0.0
