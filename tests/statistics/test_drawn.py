"""Numbers drawn from everybody's: by hand, against scipy's laws, and whether the intervals cover."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from layer7.errors import Layer7Error
from layer7.statistics.people.drawn import lower_edge, middle_wait, pace, share


def test_without_data_everybodys_value_holds():
    nothing = np.zeros(1)
    assert pace(nothing, nothing, usual=10.0).value[0] == 10
    assert share(nothing, nothing, usual=0.4).value[0] == pytest.approx(0.4)
    assert middle_wait(nothing, nothing, usual=7.0).value[0] == pytest.approx(7)
    assert lower_edge(np.zeros((1, 21)), usual=60.0).value[0] == 60


def test_against_scipys_laws():
    found = pace([30], [6.0], usual=10.0)
    law = stats.gamma(40 + 30, scale=1 / 10)
    assert (found.value[0], found.low[0]) == (pytest.approx(law.mean()), pytest.approx(law.ppf(0.025)))
    taken = share([7], [10], usual=0.5)
    beta = stats.beta(4 + 7, 4 + 3)
    assert (taken.value[0], taken.high[0]) == (pytest.approx(beta.mean()), pytest.approx(beta.ppf(0.975)))


def test_the_lower_edge_of_even_bands_is_their_quantile():
    bands = np.full((1, 20), 100.0)
    found = lower_edge(bands, usual=60.0, weight=1e-9)
    assert found.value[0] == pytest.approx(np.quantile(np.linspace(0, 100, 100_001), 0.10), abs=1e-3)
    assert found.low[0] < found.value[0] < found.high[0]


def test_by_hand_one_band_holds_everything():
    bands = np.zeros((1, 21))
    bands[0, 12] = 50  # 60 to 65 points
    assert lower_edge(bands, usual=40.0).value[0] == pytest.approx((50 * 40 + 50 * 60.5) / 100)


@given(st.integers(0, 500), st.integers(0, 500), st.floats(0.05, 0.95), st.floats(0.5, 40))
def test_a_number_lies_between_everybodys_and_her_own(k, rest, usual, weekly):
    n = k + rest
    found = share([k], [n], usual=usual)
    own = k / n if n else usual
    assert min(own, usual) - 1e-9 <= found.value[0] <= max(own, usual) + 1e-9
    assert found.low[0] <= found.value[0] <= found.high[0]
    speed = pace([k], [12.0], usual=weekly)
    assert min(k / 12, weekly) - 1e-9 <= speed.value[0] <= max(k / 12, weekly) + 1e-9


def test_intervals_cover_people_who_differ_as_believed():
    dice, people = np.random.default_rng(3), 3000
    true = dice.gamma(40, 1 / 4, people)
    weeks = dice.integers(1, 13, people)
    found = pace(dice.poisson(true * weeks), weeks, usual=10.0)
    rates = dice.beta(4, 4, people)
    n = dice.integers(1, 60, people)
    taken = share(dice.binomial(n, rates), n, usual=0.5)
    middle = np.exp(np.log(7) + dice.normal(0, 1.6 / np.sqrt(20), people))
    waits = middle_wait(n * np.log(middle) + dice.normal(0, 1.6 * np.sqrt(n)), n, usual=7.0)
    for made, truth in ((found, true), (taken, rates), (waits, middle)):
        covered = ((made.low <= truth) & (truth <= made.high)).mean()
        assert abs(covered - 0.95) < 3 * np.sqrt(0.95 * 0.05 / people)


def test_what_cannot_be_is_refused():
    for call in (lambda: pace([1], [1.0], usual=0.0), lambda: lower_edge(np.zeros(3), usual=1.0)):
        with pytest.raises(Layer7Error) as refused:
            call()
        assert refused.value.code in {"bad_law", "bad_counts"}
