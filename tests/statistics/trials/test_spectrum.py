"""Quantiles and times without an event: by hand, against numpy and lifelines, the laws, calibration."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lifelines import KaplanMeierFitter
from lifelines.utils import restricted_mean_survival_time

from layer7.errors import Layer7Error
from layer7.statistics.trials import FreeTime, Quantile, Spectrum, common_horizon, compare_spectra
from layer7.statistics.trials.spectrum import Z, free_time, order_statistics

MONTH = FreeTime(horizon=28, whole=True)
NUMBERS = st.lists(st.integers(0, 40), min_size=2, max_size=60)


def spectrum(values, happened=None):
    """Count units by value."""
    values = np.asarray(values, dtype=float)
    took_place = np.ones(values.size) if happened is None else np.asarray(happened, dtype=float)
    unique, place = np.unique(values, return_inverse=True)
    counts, events = np.zeros(unique.size), np.zeros(unique.size)
    np.add.at(counts, place, 1)
    np.add.at(events, place, took_place)
    return Spectrum(values=unique, counts=counts, happened=events)


def waits(rng, n, hazard, seen):
    """Draw whole days until an event, hidden after the days that each unit was seen for."""
    days = rng.geometric(hazard, n) - 1
    last = np.minimum(seen, 28)
    happened = days < last
    return np.where(happened, days, last - 1), happened


@given(NUMBERS, st.floats(0.05, 0.95))
def test_order_statistics_are_numpys_quantiles(values, share):
    reach = Z * np.sqrt(share * (1 - share) / len(values))
    places = np.clip([share - reach, share, share + reach], 0, 1)
    assert order_statistics(spectrum(values), share) == pytest.approx(np.quantile(values, places), abs=1e-9)


@given(NUMBERS, NUMBERS)
def test_adding_spectra_is_pooling_units_and_swapping_arms_turns_the_sign(one, two):
    added, pooled = spectrum(one) + spectrum(two), spectrum(one + two)
    assert added.values.tolist() == pooled.values.tolist()
    assert added.counts.tolist() == pooled.counts.tolist()
    there, back = (
        compare_spectra(a, b, Quantile(share=0.5)).difference
        for a, b in ((spectrum(one), spectrum(two)), (spectrum(two), spectrum(one)))
    )
    assert (there.estimate, there.standard_error) == (-back.estimate, back.standard_error)


@given(st.lists(st.integers(0, 60), min_size=12, max_size=80))
def test_without_hidden_units_time_is_that_of_the_plain_columns(days):
    """Each day's events lie at its middle: the mean is that of min(day + 1/2, 28), and so is its error."""
    happened = np.array(days) < 28
    mean, error = free_time(spectrum(np.where(happened, days, 27), happened), MONTH)
    plain = np.where(happened, np.array(days) + 0.5, 28.0)
    assert mean == pytest.approx(plain.mean(), rel=1e-12)
    assert error == pytest.approx(plain.std() / np.sqrt(plain.size), rel=1e-9, abs=1e-12)


def test_with_hidden_units_it_is_lifelines_restricted_mean():
    rng = np.random.default_rng(3)
    days, happened = waits(rng, 400, 0.03, rng.integers(1, 60, 400))
    mean, _ = free_time(spectrum(days, happened), MONTH)
    fitted = KaplanMeierFitter().fit(np.where(happened, days + 0.5, days + 1.0), happened)
    assert mean == pytest.approx(restricted_mean_survival_time(fitted, t=28), rel=1e-9)


@given(
    st.lists(st.tuples(st.floats(0.1, 50), st.booleans()), min_size=20, max_size=60),
    st.sampled_from([0.5, 2.0, 8.0]),
)
def test_exact_waits_are_told_as_long_as_ten_were_seen_and_change_with_the_clock(units, scale):
    """Measuring in another unit of time scales the mean and its error, and nothing else."""
    days, happened = map(np.array, zip(*units, strict=True))
    arm, other = spectrum(days, happened), spectrum(days * scale, happened)
    horizon = common_horizon([arm])
    assert (days >= horizon).sum() >= 10 or happened.all()
    assert common_horizon([arm, other]) == min(horizon, common_horizon([other])) or happened.all()
    plain = free_time(arm, FreeTime(horizon=horizon))
    scaled = free_time(other, FreeTime(horizon=horizon * scale))
    assert scaled == pytest.approx([value * scale for value in plain], rel=1e-9)
    assert 0 <= plain[0] <= horizon


def test_nothing_is_said_before_units_were_seen_through_the_window():
    with pytest.raises(Layer7Error, match="seen through 28 days"):
        free_time(spectrum([3, 9, 20] * 9, [True, False, False] * 9), MONTH)
    assert common_horizon([spectrum([3, 9, 20], [True, False, False])]) is None
    with pytest.raises(Layer7Error):
        order_statistics(spectrum([1]), 0.5)
    with pytest.raises(Layer7Error, match="ascending"):
        Spectrum(values=np.array([1.0, 1.0]), counts=np.ones(2), happened=np.ones(2))


@pytest.mark.parametrize("kind", [MONTH, Quantile(share=0.5)])
def test_intervals_hold_the_truth_as_often_as_they_say(kind):
    """The treatment doubles the hazard; the truth is that of a very large draw without hidden units."""
    rng, runs, held = np.random.default_rng(8), 400, 0
    wait = kind is MONTH
    truth = 0.0
    for sign, hazard in ((-1, 0.02), (1, 0.04)):
        if wait:
            truth += sign * ((1 - hazard) ** np.arange(29) @ np.r_[0.5, np.ones(27), 0.5])
        else:
            truth += sign * np.log(2) / hazard
    for _ in range(runs):
        arms = []
        for hazard in (0.02, 0.04):
            seen = rng.integers(1, 70, 300)
            drawn = waits(rng, 300, hazard, seen) if wait else (rng.exponential(1 / hazard, 300), None)
            arms.append(spectrum(*drawn))
        found = compare_spectra(*arms, kind).difference
        held += abs(found.estimate - truth) <= 1.96 * found.standard_error
    assert 366 <= held <= 393  # binomial 99.9 % band of 400 at 95 %
