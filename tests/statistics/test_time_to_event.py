"""Times when it has not happened to everybody: by hand, against lifelines, and coverage."""

import numpy as np
import pytest
from lifelines import KaplanMeierFitter

from layer7.errors import Layer7Error
from layer7.statistics.rates.time_to_event import incidence, time_to_event


def test_without_censoring_it_is_the_plain_share_and_mean():
    found = incidence([2, 2], [0, 0], [0, 0])
    assert found.share.tolist() == [0.5, 1.0]
    told = time_to_event([8, 8], [0, 0], [0, 16], horizon=2, rng=np.random.default_rng(1))
    assert (told.mean, told.share, told.n) == (1.0, 0.5, 32)


@pytest.mark.parametrize("seed", range(4))
def test_as_lifelines_has_it(seed):
    """Reference: lifelines 0.30, KaplanMeierFitter; its variance is Greenwood's."""
    events, censored = np.random.default_rng(seed).integers(1, 7, (2, 4))
    # Who is censored within a unit is at risk through all of it.
    times = np.repeat([*np.arange(4) + 0.5, *np.arange(4) + 0.75], [*events, *censored])
    kaplan = KaplanMeierFitter().fit(times, np.repeat([1, 0], [events.sum(), censored.sum()]))
    left = np.array([kaplan.survival_function_.loc[: unit + 0.9].iloc[-1, 0] for unit in range(4)])
    found = incidence(events, [0], censored)
    assert found.share == pytest.approx(1 - left)
    hazard = events / found.at_risk
    greenwood = left * np.sqrt(np.cumsum(hazard / (found.at_risk * (1 - hazard))))
    assert found.error == pytest.approx(greenwood)


def test_shares_of_two_causes_add_up_to_those_decided():
    events, others, censored = np.random.default_rng(3).integers(1, 7, (3, 5))
    one, other = (incidence(*pair, censored).share for pair in ((events, others), (others, events)))
    assert one + other == pytest.approx(incidence(events + others, [0], censored).share)


def test_censoring_is_taken_into_account_and_intervals_cover():
    """80 logs that end: the plain mean is too short, the interval covers, the share's too."""
    rng = np.random.default_rng(4)
    inside = shares = 0
    plain = []
    law = np.exp(-np.arange(40) / 6)
    law = 0.4 * law / law.sum()
    truth = (np.arange(20) + 0.5) @ law[:20] / law[:20].sum()
    for _ in range(80):
        when = rng.choice(41, 500, p=[*law, 1 - law.sum()])
        until = rng.integers(1, 40, 500)
        seen = (when < 40) & (when <= until)
        events = np.bincount(when[seen], minlength=40)
        censored = np.bincount(until[~seen], minlength=40)
        found = time_to_event(events, [0], censored, horizon=20, rng=rng)
        inside += found.low <= truth <= found.high
        plain.append((np.arange(40) + 0.5) @ events / events.sum())
        low, high = incidence(events, [0], censored).interval()
        shares += low[10] <= law[:11].sum() <= high[10]
    assert np.mean(plain) < truth
    assert inside >= 70
    assert shares >= 70


def test_what_cannot_be_told_says_how_many_more():
    found = time_to_event([1, 2], [0], [50, 50], horizon=5, rng=np.random.default_rng(1))
    assert (found.mean, found.low, found.share, found.needed) == (None, None, None, 7)
    assert time_to_event([0], [0], [0], horizon=5, rng=np.random.default_rng(1)).needed == 10
    with pytest.raises(Layer7Error):
        time_to_event([1], [0], [0], horizon=0, rng=np.random.default_rng(1))
