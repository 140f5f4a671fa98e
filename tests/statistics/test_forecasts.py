"""Whether promises were kept, and which of two sets was better."""

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special, stats

from layer7.errors import Layer7Error
from layer7.statistics.chances.forecasts import Promises, calibration_error, kept, loss_gain, tenths


def drawn(seed, *, shift=0.0, slope=1.0, people=200, sd=0.0):
    rng = np.random.default_rng(seed)
    person = np.repeat(np.arange(people), 10)
    promised = rng.normal(-2.5, 0.8, person.size)
    truth = shift + slope * promised + rng.normal(0, sd, people)[person]
    events = (rng.random(person.size) < special.expit(truth)).astype(float)
    return Promises(promised, events, np.ones(person.size), person)


def test_the_ratio_by_hand():
    """30 came of 100 x 0.2 promised."""
    events = np.array([1.0] * 30 + [0.0] * 70)
    found = kept(Promises(np.full(100, special.logit(0.2)), events, np.ones(100), np.arange(100)))
    assert found.ratio == pytest.approx(1.5)
    assert found.slope is None


def test_the_slope_and_its_error_are_those_of_a_clustered_regression():
    """Reference: statsmodels Logit with cluster-robust errors (without its small-sample factor)."""
    rows = drawn(1, sd=0.5)
    fit = sm.Logit(rows.events, sm.add_constant(rows.log_odds)).fit(
        disp=0, cov_type="cluster", cov_kwds={"groups": rows.person, "use_correction": False}
    )
    found = kept(rows)
    assert found.slope == pytest.approx(fit.params[1], rel=1e-6)
    reach = 1.959964 * fit.bse[1]
    assert found.slope_interval.low == pytest.approx(fit.params[1] - reach, rel=1e-5)


def test_too_few_interviews_say_nothing():
    assert kept(Promises(np.zeros(10), np.ones(10), np.ones(10), np.arange(10))) is None


def test_intervals_cover_though_people_differ():
    """100 logs: 95 % intervals of the ratio, within a binomial band of 99.9 %."""
    held = 0
    for seed in range(100):
        rows = drawn(seed, sd=0.6)
        truth = np.exp(0.6**2 / 2 * 0.8)  # about: the mean of chances, not the chance at the mean
        span = kept(rows).ratio_interval
        held += span.low * 0.98 < truth < span.high * 1.02
    assert held > stats.binom.ppf(0.0005, 100, 0.95)


def test_broken_promises_are_seen():
    assert kept(drawn(2, shift=0.7, people=400)).ratio_interval.low > 1.25
    assert kept(drawn(3, shift=-1.3, slope=0.4, people=400)).slope_interval.high < 0.8


@settings(max_examples=20)
@given(st.floats(-2, 2), st.integers(0, 50))
def test_swapping_the_two_turns_the_sign(shift, seed):
    one = drawn(seed, people=30)
    other = Promises(one.log_odds + shift, one.events, one.trials, one.person)
    there, back = loss_gain(one, other).value, loss_gain(other, one).value
    assert (1 - there) * (1 - back) == pytest.approx(1.0)


def test_the_same_promises_gain_nothing():
    one = drawn(5)
    found = loss_gain(one, one)
    assert found.value == found.interval.low == found.interval.high == 0.0


def test_different_applications_are_refused():
    with pytest.raises(Layer7Error, match="different applications"):
        loss_gain(drawn(1), drawn(2))


def test_tenths_hold_everything():
    rows = drawn(6)
    parts = tenths(rows)
    assert len(parts) == 10
    assert sum(part.events for part in parts) == rows.events.sum()
    assert sum(part.n_eff for part in parts) == pytest.approx(rows.trials.sum())
    assert [part.promised for part in parts] == sorted(part.promised for part in parts)
    assert calibration_error(rows) < 0.03
