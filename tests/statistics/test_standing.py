"""Where a person stands: by hand, against scipy's Beta law, its laws, and whether the bands cover."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from layer7.errors import Layer7Error
from layer7.statistics.people.standing import chance_of_none, standings


def test_by_hand_with_a_uniform_law():
    found = standings([0], [0.0], mean=0.5, precision=2.0, level=0.9)
    assert found.rate[0] == pytest.approx(0.5)
    assert (found.low[0], found.high[0]) == (pytest.approx(0.05), pytest.approx(0.95))
    assert found.percentile[0] == pytest.approx(50)
    assert (found.band_low[0], found.band_high[0]) == (pytest.approx(5), pytest.approx(95))


def test_against_scipys_beta_law():
    k, n, mean, precision = np.array([0, 2, 7]), np.array([25.0, 31.5, 80.0]), 0.06, 22.0
    found = standings(k, n, mean=mean, precision=precision)
    law = stats.beta(mean * precision, (1 - mean) * precision)
    own = stats.beta(mean * precision + k, (1 - mean) * precision + n - k)
    np.testing.assert_allclose(found.rate, own.median())
    np.testing.assert_allclose(found.percentile, 100 * law.cdf(own.median()))
    np.testing.assert_allclose(found.band_high, 100 * law.cdf(own.ppf(0.975)))
    none = chance_of_none([25.0], mean=mean, precision=precision)
    assert none[0] == pytest.approx(stats.betabinom(25, mean * precision, (1 - mean) * precision).pmf(0))


@given(
    st.integers(0, 30),
    st.floats(0, 300, allow_nan=False),
    st.floats(0.01, 0.5),
    st.floats(1, 200),
)
def test_more_interviews_never_place_anybody_lower(k, rest, mean, precision):
    found = standings([k, k + 1], [k + 1 + rest] * 2, mean=mean, precision=precision)
    assert found.percentile[0] <= found.percentile[1]
    assert found.band_low[0] <= found.percentile[0] <= found.band_high[0]
    assert 0 <= found.low[0] <= found.rate[0] <= found.high[0] <= 1


def test_bands_cover_the_true_percentile():
    dice = np.random.default_rng(5)
    mean, precision, people = 0.045, 25.0, 4000
    law = stats.beta(mean * precision, (1 - mean) * precision)
    truth = law.rvs(people, random_state=dice)
    n = dice.integers(5, 200, people)
    found = standings(dice.binomial(n, truth), n, mean=mean, precision=precision)
    true = 100 * law.cdf(truth)
    covered = ((found.band_low <= true) & (true <= found.band_high)).mean()
    assert abs(covered - 0.95) < 3 * np.sqrt(0.95 * 0.05 / people)


def test_a_law_out_of_range_is_refused():
    with pytest.raises(Layer7Error) as refused:
        standings([0], [1.0], mean=0.0, precision=3.0)
    assert refused.value.code == "bad_law"
