"""An alarm for a fallen rate, looked at every week."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from layer7.errors import Layer7Error
from layer7.statistics import decline


def test_by_hand():
    """8 weeks with 10 of 100 each, then none of 100: 80 events all in 8 of 9 parts, (8/9) ** 80."""
    found = decline([10] * 8 + [0], [100.0] * 9)
    assert (found.weeks, found.alarm) == (1, True)
    assert found.p_value == pytest.approx((8 / 9) ** 80)
    assert (found.before.value, found.recent.value) == (0.1, 0.0)


def test_agrees_with_the_conditional_test_of_two_rates():
    """Reference: scipy.stats.binomtest, one-sided, of the strongest stretch."""
    events, trials = [9, 8, 12, 10, 9, 11, 10, 8, 9, 3, 4], [210.0] * 11
    found = decline(events, trials)
    recent = sum(events[-found.weeks :])
    expected = stats.binomtest(recent, sum(events), found.weeks / 11, alternative="less").pvalue
    assert found.p_value == pytest.approx(expected)


@given(st.lists(st.integers(0, 9), min_size=9, max_size=20))
def test_more_recent_events_never_speak_more_for_a_fall(events):
    trials = np.full(len(events), 100.0)
    more = [*events[:-1], events[-1] + 5]
    assert decline(more, trials).p_value >= decline(events, trials).p_value or sum(events) == 0


def test_false_alarms_in_a_year_are_as_few_as_promised():
    """100 years of weekly looks at a rate that never falls: at most 0.2 a year on average, within noise."""
    rng = np.random.default_rng(11)
    alarms = 0
    for _ in range(100):
        events = rng.binomial(300, 0.05, 60)
        looks = [decline(events[:end], np.full(end, 300.0)).alarm for end in range(9, 61)]
        alarms += sum(now and not before for before, now in zip([False, *looks], looks, strict=False))
    assert alarms / 100 <= 0.2


def test_what_cannot_be_told_and_what_cannot_be_asked():
    assert decline([1] * 8, [10.0] * 8) is None
    assert decline([0] * 9, [0.0] * 9) is None
    assert decline([0] * 12, [5.0] * 12).alarm is False
    for wrong in (lambda: decline([2] * 9, [1.0] * 9), lambda: decline([1] * 9, [9.0] * 9, per_year=0)):
        with pytest.raises(Layer7Error):
            wrong()
