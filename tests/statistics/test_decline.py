"""An alarm for people's own fallen rates, looked at every week."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from layer7.errors import Layer7Error
from layer7.statistics import decline, decline_ratio
from layer7.statistics.people.decline import LONGEST


def one(recent, before, *, each=100.0, earlier=800.0):
    """One person: her events of the latest weeks, latest first, and those before; trials are alike."""
    events = [[*recent, *[0] * (LONGEST - len(recent)), before]]
    return events, [[*[each] * len(recent), *[0.0] * (LONGEST - len(recent)), earlier]]


def test_by_hand():
    """8 weeks with 10 of 100 each, then none of 100: 80 events all in 8 of 9 parts, (8/9) ** 80."""
    found = decline(*one([0], 80), weeks=9)
    assert (found.weeks, found.people, found.trials, found.alarm) == (1, 1, 100.0, True)
    assert found.p_value == pytest.approx((8 / 9) ** 80)
    assert (found.before, found.recent) == (pytest.approx(0.1), 0.0)


def test_of_one_person_it_is_the_conditional_test_of_two_rates():
    """Reference: scipy.stats.binomtest, one-sided, of the strongest stretch."""
    recent = [4, 3, 9]
    found = decline(*one(recent, 77, each=210.0, earlier=8 * 210.0), weeks=11)
    events = sum(recent[: found.weeks])
    expected = stats.binomtest(events, 77 + sum(recent), found.weeks / 11, alternative="less").pvalue
    assert found.p_value == pytest.approx(expected)


def test_who_joins_and_who_leaves_does_not_matter():
    """Everybody together falls from 9 % to 2 %, as those who do well leave; nobody's own rate does."""
    leaver, stayer = [[0] * LONGEST + [90]], [[2] * LONGEST + [16]]
    trials = [[0.0] * LONGEST + [900.0], [100.0] * LONGEST + [800.0]]
    joiner, hers = [[0] * (LONGEST + 1)], [[100.0] + [0.0] * LONGEST]
    found = decline(np.array(leaver + stayer + joiner), np.array(trials + hers), weeks=30)
    assert (found.people, found.alarm) == (1, False)
    assert found.recent == found.before == pytest.approx(0.02)


def test_rates_are_those_of_mantel_and_haenszel():
    """Two people by hand: weights 100 * 300 / 400 = 75 and 50 * 50 / 100 = 25."""
    events = np.array([[2, *[0] * 7, 30], [1, *[0] * 7, 5]])
    trials = np.array([[100.0, *[0.0] * 7, 300.0], [50.0, *[0.0] * 7, 50.0]])
    found = decline(events, trials, weeks=9)
    assert found.recent == pytest.approx((75 * 0.02 + 25 * 0.02) / 100)
    assert found.before == pytest.approx((75 * 0.10 + 25 * 0.10) / 100)


tables = st.integers(1, 12).flatmap(
    lambda people: st.lists(
        st.lists(st.integers(0, 9), min_size=LONGEST + 1, max_size=LONGEST + 1),
        min_size=people,
        max_size=people,
    )
)


@given(tables)
def test_more_recent_events_never_speak_more_for_a_fall(events):
    trials = np.full((len(events), LONGEST + 1), 100.0)
    more = np.array(events)
    more[0, 0] += 5
    before, after = (decline(each, trials, weeks=20) for each in (events, more))
    assert after.p_value >= before.p_value - 1e-12 or not np.any(events)


@given(tables, st.randoms(use_true_random=False))
def test_the_order_of_people_does_not_matter(events, dice):
    trials = [[10.0 + at] * (LONGEST + 1) for at, _ in enumerate(events)]
    order = list(range(len(events)))
    dice.shuffle(order)
    found = decline(events, trials, weeks=20)
    other = decline([events[at] for at in order], [trials[at] for at in order], weeks=20)
    assert (found.weeks, found.p_value) == (other.weeks, pytest.approx(other.p_value))


def test_above_5000_events_the_bound_is_never_below_the_exact_chance():
    """The same people, once with as many events as are still summed exactly, and ten times as many."""
    rng = np.random.default_rng(5)
    trials = rng.integers(50, 400, (200, LONGEST + 1)).astype(np.float64)
    events = rng.binomial(trials.astype(np.int64), 0.05)
    events[:, 0] = rng.binomial(events[:, 0], 0.9)
    found = decline(events, trials, weeks=9)
    assert events.sum() > 5_000
    share = trials[:, 0] / trials.sum(axis=1)
    exact = stats.poisson_binom.cdf(events[:, 0].sum(), np.repeat(share, events.sum(axis=1)))
    assert exact <= found.p_value <= 1.5 * exact + 1e-9


def test_a_bound_that_does_not_hold_is_not_given():
    """As many as expected, of more events than are summed exactly: nothing speaks for a fall."""
    assert decline(*one([1_000], 8_000, each=2_000.0, earlier=16_000.0), weeks=9).p_value == 1.0


@pytest.mark.parametrize("people", [1, 12])
def test_false_alarms_in_a_year_are_as_few_as_promised(people):
    """25 years of weekly looks at rates that never fall: at most 0.2 a year on average.

    People differ, come and go: each applies for some weeks, at a rate of her own.
    """
    rng = np.random.default_rng(11)
    begun = 0
    for _ in range(25):
        rates = rng.beta(1, 20, people)
        first = rng.integers(0, 50, people) if people > 1 else np.zeros(1, dtype=np.int64)
        last = first + rng.integers(5, 30, people) if people > 1 else np.array([60])
        there = (np.arange(60) >= first[:, None]) & (np.arange(60) < last[:, None])
        trials = (rng.poisson(50 / people**0.5, (people, 60)) * there).astype(np.float64)
        events = rng.binomial(trials.astype(np.int64), rates[:, None])
        looks = [alarmed(events[:, :end], trials[:, :end]) for end in range(9, 61)]
        begun += sum(now and not before for before, now in pairwise([False, *looks]))
    assert begun / 25 <= 0.2


def alarmed(events, trials):
    found = decline(folded(events), folded(trials), weeks=events.shape[1])
    return found is not None and found.alarm


def folded(weeks):
    """Weeks, oldest first, as they are asked for: the latest first, and all before them as one."""
    recent = weeks[:, : -LONGEST - 1 : -1]
    return np.column_stack([recent, weeks[:, :-LONGEST].sum(axis=1)])


def test_a_fall_by_two_fifths_is_found():
    """60 people of 20 applications a week: after 4 weeks almost always."""
    rng = np.random.default_rng(3)
    trials = np.array([[20.0] * LONGEST + [240.0]] * 60)
    rate = np.array([0.024] * 4 + [0.04] * 5)
    found = [decline(rng.binomial(trials.astype(int), rate), trials, weeks=20).alarm for _ in range(40)]
    assert sum(found) >= 36


def test_the_interval_of_the_fall_goes_with_the_test():
    """The stretch's p is below half the interval's error just if the highest factor is below 1."""
    rng = np.random.default_rng(8)
    trials = np.array([[20.0] * LONGEST + [240.0]] * 60)
    sides = []
    for factor in np.linspace(0.5, 1.1, 12):
        events = rng.binomial(trials.astype(int), 0.04 * np.array([factor] * 4 + [1.0] * 5))
        found = decline(events, trials, weeks=20)
        low, high = decline_ratio(events, trials, found)
        assert low < found.recent / found.before < high
        sides.append((high < 1, found.p_value < 0.025 / found.stretches))
    assert {each for each, _ in sides} == {True, False}
    assert all(one == other for one, other in sides)


def test_the_interval_holds_the_factor_though_the_stretch_is_chosen():
    """60 looks at people who differ, 4 of 5 of whose rate is left in all 8 weeks: at most 5 % miss it."""
    rng = np.random.default_rng(21)
    trials = np.array([[12.0] * LONGEST + [150.0]] * 12)
    missed = 0
    for _ in range(60):
        rates = rng.beta(2, 30, (12, 1)) * np.array([0.8] * LONGEST + [1.0])
        events = rng.binomial(trials.astype(int), rates)
        found = decline(events, trials, weeks=30)
        low, high = decline_ratio(events, trials, found)
        missed += not low <= factor(found.weeks) <= high
    assert missed <= 3


def test_who_hardly_tried_before_or_lately_makes_no_factor_endless():
    hardly = [[1, *[0] * 7, 3], [0] * 8 + [9]]
    found = decline(hardly, [[9.0, *[0.0] * 7, 3.0], [1e-300, *[0.0] * 7, 100.0]], weeks=9)
    low, high = decline_ratio(hardly, [[9.0, *[0.0] * 7, 3.0], [1e-300, *[0.0] * 7, 100.0]], found)
    assert 0 < low < high < 10


def factor(weeks):
    """0.8 in the chosen weeks; before them some of the latest 8 count too, and 150 others at a rate of 1."""
    left = 12 * (LONGEST - weeks)
    return 0.8 / ((0.8 * left + 150) / (left + 150))


def test_what_cannot_be_told_and_what_cannot_be_asked():
    assert decline(*one([1], 8), weeks=8) is None
    assert decline(np.zeros((0, 9)), np.zeros((0, 9)), weeks=20) is None
    assert decline([[0] * 9], [[0.0] * 9], weeks=20) is None
    silent = decline([[0] * 9], [[5.0] * 9], weeks=20)
    assert (silent.alarm, silent.p_value) == (False, 1.0)
    for wrong in (
        lambda: decline([[2] * 9], [[1.0] * 9], weeks=20),
        lambda: decline([[1] * 9], [[9.0] * 9], weeks=20, per_year=0),
        lambda: decline([1] * 9, [9.0] * 9, weeks=20),
        lambda: decline([[1] * 9], [[9.0] * 9] * 2, weeks=20),
        lambda: decline([[1] * 8], [[9.0] * 8], weeks=20),
    ):
        with pytest.raises(Layer7Error):
            wrong()
