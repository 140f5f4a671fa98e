"""Changes of a rate: against scipy's exact test, laws of a ratio, and how often none is called one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from layer7.errors import Layer7Error
from layer7.statistics.people.change import changes


def test_against_scipys_exact_binomial_test():
    k1, k0, n1, n0 = 9, 2, 40.0, 90.0
    found = changes(([k1], [k0]), ([n1], [n0]))
    share = n1 / (n1 + n0)
    tails = [stats.binom(k1 + k0, share).sf(k1 - 1), stats.binom(k1 + k0, share).cdf(k1)]
    assert found.p_value[0] == pytest.approx(2 * min(tails))
    ends = stats.binomtest(k1, k1 + k0).proportion_ci(0.95, method="exact")
    assert found.low[0] == pytest.approx(ends.low / (1 - ends.low) * n0 / n1)
    assert found.high[0] == pytest.approx(ends.high / (1 - ends.high) * n0 / n1)


@given(st.integers(0, 40), st.integers(0, 40), st.floats(1, 400, allow_nan=False), st.floats(1, 400))
def test_swapping_the_stretches_turns_the_ratio_over(k1, k0, n1, n0):
    one, other = changes(([k1], [k0]), ([n1], [n0])), changes(([k0], [k1]), ([n0], [n1]))
    assert one.p_value[0] == pytest.approx(other.p_value[0])
    if k1 + k0:
        assert one.low[0] == pytest.approx(1 / other.high[0])
        assert one.low[0] <= one.high[0]
    assert one.shown[0] == other.shown[0]


def test_nothing_is_shown_without_events_or_trials():
    found = changes(([0, 3, 0], [0, 0, 4]), ([10.0, 5.0, 0.0], [20.0, 0.0, 9.0]))
    assert found.shown.tolist() == [False] * 3
    assert found.p_value.tolist() == [1.0] * 3


def test_no_change_is_seldom_called_one_and_a_large_one_is_found():
    dice = np.random.default_rng(8)
    people, nights = 500, 40
    false = found = 0
    for _ in range(nights):
        rates = dice.beta(1.2, 26, people)
        n1, n0 = dice.integers(10, 90, people), dice.integers(10, 200, people)
        same = dice.poisson(n1 * rates), dice.poisson(n0 * rates)
        false += changes(same, (n1, n0)).shown.any()
        fallen = (
            dice.poisson(np.r_[np.full(25, 60 * 0.3), n1[25:] * rates[25:]]),
            dice.poisson(np.r_[np.full(25, 60 * 0.05), n0[25:] * rates[25:]]),
        )
        trials = np.r_[np.full(25, 60), n1[25:]], np.r_[np.full(25, 60), n0[25:]]
        found += changes(fallen, trials).shown[:25].sum()
    assert false <= 0.10 * nights + 3 * np.sqrt(0.1 * 0.9 * nights)
    assert found >= 0.5 * 25 * nights


def test_rows_must_match():
    with pytest.raises(Layer7Error) as refused:
        changes(([1, 2], [1]), ([3.0, 3.0], [4.0]))
    assert refused.value.code == "bad_counts"
