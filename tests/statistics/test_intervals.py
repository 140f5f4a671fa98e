import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from layer7.errors import Layer7Error
from layer7.statistics import Interval, Rate, jeffreys, more_needed, wilson, wilson_bounds

counts = st.integers(0, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@pytest.mark.parametrize("level", [0.8, 0.95, 0.99])
@pytest.mark.parametrize(("k", "n"), [(0, 10), (1, 30), (5, 100), (30, 30)])
def test_agrees_with_statsmodels(k, n, level):
    """Reference: statsmodels.stats.proportion.proportion_confint, methods wilson and jeffreys."""
    assert (wilson(k, n, level).low, wilson(k, n, level).high) == pytest.approx(
        proportion_confint(k, n, 1 - level, "wilson"), abs=1e-12
    )
    if 0 < k < n:
        assert (jeffreys(k, n, level).low, jeffreys(k, n, level).high) == pytest.approx(
            proportion_confint(k, n, 1 - level, "jeffreys"), abs=1e-9
        )


def test_by_hand():
    """z = 1.96, k = 0, n = 10: the upper end is z² / (n + z²) = 3.8415 / 13.8415."""
    rate = wilson(0, 10)
    assert (rate.value, rate.low) == (0.0, 0.0)
    assert rate.high == pytest.approx(3.841459 / 13.841459, abs=1e-7)


@given(counts)
def test_interval_holds_the_rate_and_mirrors(pair):
    k, n = pair
    low, high = wilson_bounds([k, n - k], n)
    assert 0 <= low[0] <= (k / n if n else 0.5) <= high[0] <= 1
    assert low[0] == pytest.approx(1 - high[1], abs=1e-12)


@given(counts, st.floats(1.1, 50))
def test_more_of_the_same_is_surer(pair, factor):
    k, n = pair
    if n:
        assert wilson(k * factor, n * factor).interval.half_width < wilson(k, n).interval.half_width


@given(st.integers(0, 50), st.integers(50, 300), st.floats(0.005, 0.2))
def test_the_planned_number_is_enough_if_the_centre_holds(k, n, half_width):
    more = more_needed(k, n, half_width)
    z2 = stats.norm.ppf(0.975) ** 2
    centre = (k + z2 / 2) / (n + z2)
    total = n + more
    assert wilson(centre * total, total).interval.half_width <= half_width * (1 + 1e-9)
    if more:
        assert wilson(centre * (total - 2), total - 2).interval.half_width > half_width


def test_nothing_seen_is_not_a_rate():
    for rate in (wilson(0, 0), jeffreys(0, 0)):
        assert rate.value is None
        assert rate.interval is None
        assert rate.needed
    low, high = wilson_bounds([0.0], [0.0])
    assert (low[0], high[0]) == (0.0, 1.0)


@pytest.mark.parametrize(("k", "n"), [(-1, 5), (6, 5), (0, -1), (float("nan"), 5), (1, float("inf"))])
def test_impossible_counts_are_refused(k, n):
    for method in (wilson, jeffreys):
        with pytest.raises(Layer7Error):
            method(k, n)


def test_other_bad_input_is_refused():
    for wrong in (
        lambda: wilson(1, 5, 95),
        lambda: more_needed(1, 5, 0.9),
        lambda: Interval(1, 0, 0.95),
        lambda: Interval(0, float("nan"), 0.95),
    ):
        with pytest.raises(Layer7Error):
            wrong()
    assert Rate.unknown(needed="more").method == "none"


@pytest.mark.parametrize("p", [0.02, 0.04, 0.1, 0.3])
def test_coverage(p):
    """Exact coverage over the binomial, averaged over n: near 95 % (Brown, Cai and DasGupta 2001)."""
    covered = []
    for n in range(50, 300, 10):
        k = np.arange(n + 1)
        low, high = wilson_bounds(k, n)
        covered.append(stats.binom.pmf(k, n, p) @ ((low <= p) & (p <= high)))
    assert 0.935 < np.mean(covered) < 0.97
