"""Cohorts have delays of their own, drawn towards those of everyone."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layer7.statistics import SilenceMoments, cohort_prior, fit_cohorts, fit_silence


def cohort(seed, *, n, median, window=60, p=0.06, r=0.35):
    rng = np.random.default_rng(seed)
    age, luck = rng.uniform(0, window, n), rng.random(n)
    first, second = (m * np.exp(1.6 * rng.normal(size=n)) for m in (median, 2 * median))
    heard, refused = (luck < p) & (first <= age), (luck >= p) & (luck < p + r) & (second <= age)
    return SilenceMoments.from_days(
        interviews=first[heard], rejections=second[refused], silent=age[~heard & ~refused]
    )


FAST, SLOW = cohort(1, n=6_000, median=3.0), cohort(2, n=6_000, median=9.0)


def test_large_cohorts_keep_their_own_delays():
    fitted = fit_cohorts({"fast": FAST, "slow": SLOW})
    assert list(fitted) == ["fast", "slow"]
    assert fitted["fast"].interview_delay.median == pytest.approx(3.0, rel=0.3)
    assert fitted["slow"].interview_delay.median == pytest.approx(9.0, rel=0.3)
    pooled = fit_silence(FAST + SLOW).interview_delay.median
    assert fitted["fast"].interview_delay.median < pooled < fitted["slow"].interview_delay.median


def test_a_cohort_without_answers_has_the_delays_of_everyone():
    none = SilenceMoments(silent=[5, 5, 5])
    fitted = fit_cohorts({"fast": FAST, "none": none})["none"]
    everyone = fit_silence(FAST + none)
    assert fitted.interview_delay.median == pytest.approx(everyone.interview_delay.median, rel=1e-6)
    assert fitted.interview.value == 0.0


@given(st.integers(1, 40))
@settings(max_examples=10, deadline=None)
def test_a_small_cohort_lies_between_its_own_and_everyones(late):
    """Three interviews on one day pull the median from everyone's towards that day, never past it."""
    small = SilenceMoments.from_days(interviews=[late] * 3, silent=[90] * 40)
    fitted = fit_cohorts({"rest": FAST, "small": small})["small"].interview_delay.median
    centre = fit_silence(FAST + small).interview_delay.median
    low, high = sorted((centre, late + 0.5))
    assert low * 0.8 <= fitted <= high * 1.2


def test_shrinking_helps_small_cohorts():
    """Sixty cohorts of 150 applications whose medians differ as the prior says: the error of ln(median)
    of the interview delays is smaller than without looking at the others, and than with one law for all.
    """
    rng = np.random.default_rng(5)
    medians = 5.0 * np.exp(0.48 * rng.standard_normal(60))
    cohorts = {str(i): cohort(100 + i, n=150, median=median) for i, median in enumerate(medians)}
    shrunk = [model.interview_delay.median for model in fit_cohorts(cohorts).values()]
    alone = [fit_silence(moments).interview_delay.median for moments in cohorts.values()]
    together = fit_silence(sum(cohorts.values(), SilenceMoments())).interview_delay.median
    errors = [np.mean(np.log(np.array(found) / medians) ** 2) for found in (shrunk, alone, together)]
    assert errors[0] < min(errors[1:])


def test_old_rows_give_the_plain_proportion_in_every_cohort():
    old = {
        name: SilenceMoments.from_days(interviews=[3] * k, rejections=[8] * 40, silent=[900] * 200)
        for name, k in (("a", 4), ("b", 25))
    }
    for name, k in (("a", 4), ("b", 25)):
        assert fit_cohorts(old)[name].interview.value == pytest.approx(k / (k + 240), rel=0.01)


def test_edges():
    assert fit_cohorts({}) == {}
    alone = fit_cohorts({"nobody": SilenceMoments()})["nobody"]
    assert alone.interview.value is None
    assert alone.interview.needed
    assert cohort_prior(fit_silence(SilenceMoments())).median_sd == 0.48
