"""Where a person stands: by hand, against scipy's Beta law, its laws, and whether the bands cover."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from layer7.errors import Layer7Error
from layer7.statistics.people.standing import chance_of_none, places, standings


def known(own, mean, precision):
    """Places beside a mean that is known for sure."""
    same = np.full(len(own.rate), mean)
    return places(own, mean=same, low=same, high=same, precision=precision)


def test_by_hand_with_a_uniform_law():
    found = standings([0], [0.0], mean=0.5, precision=2.0, level=0.9)
    assert found.rate[0] == pytest.approx(0.5)
    assert (found.low[0], found.high[0]) == (pytest.approx(0.05), pytest.approx(0.95))
    place = known(found, 0.5, 2.0)
    assert place.percentile[0] == pytest.approx(50)
    assert (place.low[0], place.high[0]) == (pytest.approx(5), pytest.approx(95))


def test_against_scipys_beta_law():
    k, n, mean, precision = np.array([0, 2, 7]), np.array([25.0, 31.5, 80.0]), 0.06, 22.0
    found = standings(k, n, mean=mean, precision=precision)
    law = stats.beta(mean * precision, (1 - mean) * precision)
    own = stats.beta(mean * precision + k, (1 - mean) * precision + n - k)
    np.testing.assert_allclose(found.rate, own.median())
    place = known(found, mean, precision)
    np.testing.assert_allclose(place.percentile, 100 * law.cdf(own.median()))
    np.testing.assert_allclose(place.high, 100 * law.cdf(own.ppf(0.975)))
    ends = places(found, mean=[mean] * 3, low=[0.04] * 3, high=[0.09] * 3, precision=precision)
    np.testing.assert_allclose(ends.percentile, place.percentile)
    higher = stats.beta(0.09 * precision, 0.91 * precision)
    z = stats.norm.ppf(law.cdf(own.median()))
    hers, theirs = z - stats.norm.ppf(law.cdf(own.ppf(0.025))), z - stats.norm.ppf(higher.cdf(own.median()))
    np.testing.assert_allclose(ends.low, 100 * stats.norm.cdf(z - np.sqrt(hers**2 + theirs**2)))
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
    place = known(found, mean, precision)
    assert place.percentile[0] <= place.percentile[1]
    assert place.low[0] <= place.percentile[0] <= place.high[0]
    wider = places(found, mean=[mean] * 2, low=[mean / 2] * 2, high=[(1 + mean) / 2] * 2, precision=precision)
    assert (wider.low <= place.low).all()
    assert (wider.high >= place.high).all()
    assert 0 <= found.low[0] <= found.rate[0] <= found.high[0] <= 1


@pytest.mark.parametrize(("noise", "least", "most"), [(0.0, 0.94, 0.96), (0.01, 0.93, 0.96)])
def test_bands_cover_the_true_place(noise, least, most):
    """4,000 people; the mean of their group is told exactly, or with noise that its interval tells of."""
    dice = np.random.default_rng(5)
    mean, precision, people = 0.045, 25.0, 4000
    law = stats.beta(mean * precision, (1 - mean) * precision)
    truth = law.rvs(people, random_state=dice)
    n = dice.integers(5, 200, people)
    own = standings(dice.binomial(n, truth), n, mean=mean, precision=precision)
    told = np.clip(mean + noise * dice.standard_normal(people), 0.001, 0.999)
    ends = [np.clip(told + side * 1.96 * noise, 0, 1) for side in (-1, 1)]
    found = places(own, mean=told, low=ends[0], high=ends[1], precision=precision)
    true = 100 * law.cdf(truth)
    assert least <= ((found.low <= true) & (true <= found.high)).mean() <= most


def test_a_law_out_of_range_is_refused():
    with pytest.raises(Layer7Error) as refused:
        standings([0], [1.0], mean=0.0, precision=3.0)
    assert refused.value.code == "bad_law"
    own = standings([0], [1.0], mean=0.1, precision=3.0)
    with pytest.raises(Layer7Error):
        places(own, mean=[0.1], low=[0.0], high=[1.0], precision=0.0)
    nothing = places(own, mean=[0.0], low=[0.0], high=[1.0], precision=3.0)
    assert nothing.low[0] < 1
    assert nothing.high[0] > 99
