"""The factor by which many people's own rates changed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from layer7.errors import Layer7Error
from layer7.statistics.people import rate_ratio
from layer7.statistics.people.rate_ratio import common_ratio


@pytest.mark.parametrize(("late", "all_of_them"), [(1, 10), (5, 9), (40, 300)])
def test_of_one_person_it_is_clopper_and_pearsons_interval(late, all_of_them):
    """Reference: scipy.stats.binomtest; a share s of her events is a ratio of s / (1 - s) / odds."""
    share = stats.binomtest(late, all_of_them).proportion_ci(0.9, method="exact")
    odds = 0.25
    expected = [each / (1 - each) / odds for each in (share.low, share.high)]
    assert common_ratio(late, [odds] * all_of_them, error=0.1) == pytest.approx(expected, rel=1e-5)


events = st.lists(st.floats(1e-3, 1e3), min_size=1, max_size=30)


@given(events, st.data())
def test_twice_the_trials_is_half_the_ratio(odds, data):
    late = data.draw(st.integers(1, len(odds)))
    (low, high), (half, other) = (common_ratio(late, each) for each in (odds, np.array(odds) * 2))
    assert half == pytest.approx(low / 2, rel=1e-4)
    assert (high is None) == (other is None)
    assert high is None or other == pytest.approx(high / 2, rel=1e-4)


@given(events, st.data())
def test_time_turned_round_turns_the_ratio_round(odds, data):
    late = data.draw(st.integers(1, len(odds) - 1)) if len(odds) > 1 else 1
    low, high = common_ratio(late, odds)
    back, forth = common_ratio(len(odds) - late, 1 / np.array(odds))
    assert forth is None or low == pytest.approx(1 / forth, rel=1e-4)
    assert high is None or back == pytest.approx(1 / high, rel=1e-4)


def test_above_1000_events_a_normal_law_is_close(monkeypatch):
    odds = np.random.default_rng(2).gamma(2, 0.1, 1_000) + 1e-3
    exact = common_ratio(100, odds)
    monkeypatch.setattr(rate_ratio, "EXACT", 0)
    assert np.log(common_ratio(100, odds)) == pytest.approx(np.log(exact), abs=0.01)


def test_it_holds_the_ratio_as_often_as_promised():
    """All that may happen to the 12 events of two people who tried differently, for 50 true ratios."""
    odds = np.repeat([0.3, 2.0], [5, 7])
    ends = [common_ratio(late, odds) for late in range(13)]
    for true in np.geomspace(0.05, 20, 50):
        chances = stats.poisson_binom.pmf(np.arange(13), true * odds / (1 + true * odds))
        held = [low <= true and (high is None or true <= high) for low, high in ends]
        assert chances @ held >= 0.95


def test_what_says_nothing_and_what_cannot_be():
    assert common_ratio(0, []) == (0.0, None)
    assert common_ratio(0, [1e-9])[0] == 0.0
    assert common_ratio(1, [1e9])[1] is None
    for wrong in (
        lambda: common_ratio(2, [1.0]),
        lambda: common_ratio(-1, [1.0]),
        lambda: common_ratio(0, [0.0]),
        lambda: common_ratio(0, [[1.0]]),
        lambda: common_ratio(0, [float("nan")]),
        lambda: common_ratio(1, [1.0, 1.0], error=0),
    ):
        with pytest.raises(Layer7Error):
            wrong()
