"""The cure model beside implementations of others, and beside plain proportions on matured logs."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lifelines import AalenJohansenFitter, LogNormalFitter, MixtureCureFitter

from layer7.statistics import DelayPrior, SilenceMoments, fit_silence, follow_up
from layer7.statistics.silence.likelihood import NEVER, CureLikelihood

VAGUE = DelayPrior(median_sd=100, sigma_sd=100, weibull_log_odds=-12, weibull_sd=0.1)


def searched(seed, n, *, oldest=90.0, youngest=0.0, p=0.08, r=0.35):
    """Days of log-normal answers (1 interview, 2 rejection), or ages of silence (0), one per application."""
    rng = np.random.default_rng(seed)
    age, luck = rng.uniform(youngest, oldest, n), rng.random(n)
    kind = np.where(luck < p, 1, np.where(luck < p + r, 2, 0))
    delay = np.where(kind == 1, 5.0, 9.0) * np.exp(1.6 * rng.normal(size=n))
    heard = (kind > 0) & (delay <= age)
    return np.where(heard, delay, age), np.where(heard, kind, 0)


def counted(days, kind):
    return SilenceMoments.from_days(
        interviews=days[kind == 1], rejections=days[kind == 2], silent=days[kind == 0]
    )


def test_one_cause_is_the_mixture_cure_model_of_lifelines():
    """Reference: lifelines 0.30, MixtureCureFitter over LogNormalFitter, on exact days with right censoring.

    It has one cause of an end, so any answer is one here; it knows fractions of days, the engine whole ones.
    """
    days, kind = searched(5, 2_500)
    reference = MixtureCureFitter(base_fitter=LogNormalFitter())
    reference.fit_right_censoring(days, kind > 0, initial_point=np.array([0.5, 2.0, 1.5]))
    found = fit_silence(counted(days, np.minimum(kind, 1)), prior=VAGUE)
    assert found.interview.value == pytest.approx(1 - reference.cured_fraction_, rel=0.02)
    assert found.interview_delay.median == pytest.approx(np.exp(reference.mu_), rel=0.04)
    assert found.interview_delay.sigma == pytest.approx(reference.sigma_, rel=0.04)
    row = reference.summary.loc["cured_fraction_"]
    width = row["coef upper 95%"] - row["coef lower 95%"]
    assert found.interview.high - found.interview.low == pytest.approx(width, rel=0.25)


def test_two_causes_come_as_fast_as_the_estimator_without_a_law_says():
    """Reference: lifelines 0.30, AalenJohansenFitter: cumulative incidence of each cause, no law assumed."""
    days, kind = searched(6, 3_000)
    model = fit_silence(counted(days, kind))
    for cause, share, law in (
        (1, model.interview_share, model.interview_delay),
        (2, model.rejection_share, model.rejection_delay),
    ):
        free = AalenJohansenFitter(calculate_variance=False).fit(days, kind, event_of_interest=cause)
        for at in (3, 10, 30, 60):
            there = float(free.cumulative_density_.loc[:at].iloc[-1, 0])
            error = np.sqrt(there * (1 - there) / days.size)
            assert share * law.cdf([at])[0] == pytest.approx(there, abs=2.5 * error)


@pytest.mark.parametrize("seed", range(12))
def test_matured_logs_give_the_plain_proportions(seed):
    """Applications of 180 to 400 days, any rates: what is still to come is about one answer in a hundred."""
    p, r = np.random.default_rng([1, seed]).uniform([0.02, 0.1], [0.3, 0.6])
    days, kind = searched([2, seed], 3_000, youngest=180.0, oldest=400.0, p=p, r=r)
    model, plain = fit_silence(counted(days, kind)), np.bincount(kind, minlength=3) / kind.size
    assert model.interview_share == pytest.approx(plain[1], rel=0.03)
    assert model.rejection_share == pytest.approx(plain[2], rel=0.04)
    assert model.interview_share >= plain[1]


@given(st.integers(0, 10_000), st.floats(2.0, 4.0), st.sampled_from([0.0, 90.0]))
@settings(max_examples=25, deadline=None)
def test_what_is_found_is_the_top(seed, size, youngest):
    """Law: no step from the fit along any axis gives a higher likelihood, on logs of 100 to 10,000."""
    moments = counted(*searched(seed, int(10**size), youngest=youngest, oldest=youngest + 120))
    likelihood, model = CureLikelihood(moments, DelayPrior()), fit_silence(moments)
    p, r = model.interview_share, model.rejection_share
    laws = (model.interview_delay, model.rejection_delay)
    shapes = [np.log(each) for law in laws for each in (law.median, law.sigma)]
    odds = np.log(laws[0].weibull / (1 - laws[0].weibull))
    theta = np.array([np.log(p / (1 - p - r)), np.log(r / (1 - p - r)), *shapes, odds, NEVER, NEVER])
    top, slope = likelihood(theta)
    steps = [likelihood(theta + sign * step)[0] for step in 0.05 * np.eye(9) for sign in (1, -1)]
    assert max(steps) <= top + 1e-6
    assert np.abs(slope).max() < 1e-3 * moments.n**0.5


def folded(days, kind, folds=8):
    return [counted(days[at::folds], kind[at::folds]) for at in range(folds)]


def test_the_day_to_follow_up_is_the_plain_median_of_a_matured_log():
    """Reference: numpy's median of the answers' days, everything being over."""
    days, kind = searched(7, 4_000, youngest=400.0, oldest=700.0)
    told = follow_up(folded(days, kind), 7.0)
    answered = days[kind > 0]
    assert told.days == pytest.approx(np.median(answered), rel=0.06)
    assert told.current == pytest.approx((answered <= 7.0).mean(), abs=0.02)
    assert told.still == pytest.approx(
        (answered > told.days).sum() / ((days > told.days) | (kind == 0)).sum(), abs=0.02
    )


@given(st.permutations(range(8)))
@settings(max_examples=3, deadline=None)
def test_the_order_of_the_folds_does_not_matter(order):
    folds = folded(*searched(8, 800))
    told, mixed = follow_up(folds, 7.0), follow_up([folds[at] for at in order], 7.0)
    assert told.days == pytest.approx(mixed.days, rel=1e-4)
    assert told.interval.low == pytest.approx(mixed.interval.low, rel=1e-3)
    assert told.needed is mixed.needed is None


@given(st.integers(2, 5))
@settings(max_examples=2, deadline=None)
def test_slower_answers_move_the_day_to_follow_up_as_much(times):
    """Days of answers and ages multiplied alike: the median goes with them."""
    days, kind = searched(9, 2_000, youngest=60.0)
    told = [follow_up(folded(days * scale, kind), 7.0 * scale) for scale in (1, times)]
    assert told[1].days == pytest.approx(times * told[0].days, rel=0.08)
    assert told[1].current == pytest.approx(told[0].current, abs=0.03)
