"""People's rates and alarms: against published and simulated answers, and as often right as computed."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from layer7.statistics.people.alarm import count_rule, operating, posterior_rule
from layer7.statistics.people.person_rates import Cohort, chance_below, fit_cohort, more_without_event
from layer7.statistics.rates.estimate import error_over_folds, share_over_folds

COHORT = Cohort(0.045, 25.0, ((0.01, 0.0), (0.0, 0.01)), 500)


def drawn(seed, people=800, mean=0.043, precision=23.0):
    rng = np.random.default_rng(seed)
    rates = rng.beta(mean * precision, (1 - mean) * precision, people)
    n = rng.integers(5, 180, people)
    return rates, rng.binomial(n, rates).astype(float), n.astype(float)


def test_the_likelihood_is_the_beta_binomial():
    """Reference: scipy's beta-binomial law, maximised on a grid, with the same weak prior."""
    _, k, n = drawn(1)
    found = fit_cohort(k, n)

    def height(mean, precision):
        law = stats.betabinom.logpmf(k, n, mean * precision, (1 - mean) * precision).sum()
        prior = 20 * (0.04 * np.log(mean) + 0.96 * np.log1p(-mean)) - np.log(precision / 30) ** 2 / 2
        return law + prior

    best = height(found.mean, found.precision)
    for mean in (0.97, 1.03):
        assert height(found.mean * mean, found.precision) < best
    for precision in (0.9, 1.1):
        assert height(found.mean, found.precision * precision) < best


def test_the_law_of_rates_is_found_again():
    inside = 0
    for seed in range(40):
        found = fit_cohort(*drawn(seed)[1:])
        error = np.sqrt(np.array(found.covariance)[0, 0])
        inside += abs(np.log(found.mean / (1 - found.mean)) - np.log(0.043 / 0.957)) < 1.96 * error
        assert 12 < found.precision < 45
    assert inside >= 34  # Binomial(40, 0.95): 34 or more in 99 %


def test_probabilities_are_as_often_right_as_they_say():
    rates, k, n = drawn(7, people=20_000)
    chance = chance_below(fit_cohort(k, n), k, n, 0.02)
    for low in (0.1, 0.3, 0.5, 0.7):
        here = (chance >= low) & (chance < low + 0.2)
        assert (rates[here] < 0.02).mean() == pytest.approx(chance[here].mean(), abs=0.03)


@given(n=st.integers(0, 300), k=st.integers(0, 6))
@settings(max_examples=40, deadline=None, database=None)
def test_so_many_more_without_an_interview_are_just_enough(n, k):
    more = more_without_event(COHORT, [k], [float(n + k)], 0.02, sure=0.8)[0]
    assert chance_below(COHORT, [k], [n + k + more], 0.02)[0] > 0.8
    if more > 0:
        assert chance_below(COHORT, [k], [n + k + more - 1], 0.02)[0] <= 0.8


@pytest.mark.parametrize(("rate", "published"), [(0.03, 0.40), (0.045, 0.25), (0.06, 0.16), (0.08, 0.08)])
def test_the_sketched_rule_alarms_as_often_as_published(rate, published):
    """Reference: (1 - p)^30, the figures of the table of departures: 40, 25, 16 and 8 %."""
    certain = Cohort(rate, 1e7, ((1.0, 0.0), (0.0, 1.0)), 1)
    found = operating(count_rule(30, 0.02), certain, 0.02 if rate < 0.04 else rate / 2, by=30)
    alarmed = found.wrong if rate < 0.04 else found.false_alarm
    assert alarmed == pytest.approx((1 - rate) ** 30, abs=1e-3) == pytest.approx(published, abs=0.01)


@pytest.mark.parametrize("rule", [count_rule(30, 0.02), posterior_rule(COHORT, 0.02, sure=0.75)])
def test_operating_characteristics_are_those_of_simulated_people(rule):
    found = operating(rule, COHORT, 0.02, by=120, seen=0.9)
    rng = np.random.default_rng(5)
    rates = rng.beta(*COHORT.shape, 20_000)
    seen = (rng.random((rates.size, 120)) < 0.9 * rates[:, None]).cumsum(axis=1)
    alarmed = (seen <= np.array([rule(n) for n in range(1, 121)])).any(axis=1)
    assert alarmed[rates >= 0.04].mean() == pytest.approx(found.false_alarm, abs=0.012)
    assert alarmed[rates < 0.02].mean() == pytest.approx(found.detection, abs=0.012)
    assert (alarmed & (rates < 0.02)).mean() == pytest.approx(found.right, abs=0.012)
    assert (alarmed & (rates >= 0.02)).mean() == pytest.approx(found.wrong, abs=0.012)


def test_nobody_below_or_above_gives_no_share():
    certain = Cohort(0.03, 1e7, ((1.0, 0.0), (0.0, 1.0)), 1)
    found = operating(count_rule(30, 0.02), certain, 0.02, by=60)
    assert (found.false_alarm, found.detection, found.right) == (0.0, 0.0, 0.0)


def test_everybody_silent_or_interviewed_still_gives_a_law():
    silent = fit_cohort([0.0] * 100, [40.0] * 100)
    assert 0 < silent.mean < 0.01
    heard = fit_cohort([5.0] * 100, [5.0] * 100)
    assert 0.8 < heard.mean < 1
    assert np.isfinite(np.array(silent.covariance)).all()


def test_errors_over_folds_by_hand():
    assert error_over_folds(np.array([3.0, -3.0])) == pytest.approx(6.0)
    found = share_over_folds(np.array([2.0, 4.0]), np.array([10.0, 10.0]))
    assert (found.value, found.error) == (pytest.approx(0.3), pytest.approx(0.1))
