"""Mean rates of people: by hand, and coverage where people differ."""

import numpy as np
import pytest

from layer7.statistics.many.shrinkage import shrink
from layer7.statistics.people.people_rates import group_rates, within_person_correlation


def test_by_hand():
    found = group_rates(np.array([0, 0, -1]), [1, 0, 9], [10, 30, 10], groups=2)
    assert found.events.tolist() == [1, 0]
    assert found.trials.tolist() == [40, 0]
    assert found.people.tolist() == [2, 0]
    assert found.correlation == 0 or found.design[0] > 1
    assert np.isfinite(found.log_odds).all()
    assert within_person_correlation([1], [1], 0.5) == 0.0


def test_alike_people_are_pooled_and_unlike_ones_count_once():
    same = group_rates(np.zeros(2, dtype=int), [5, 5], [100, 100], groups=1)
    assert (same.correlation, same.value[0]) == (0.0, 0.05)
    unlike = group_rates(np.zeros(4, dtype=int), [20, 0, 1, 0], [20, 20, 1, 1], groups=1)
    assert unlike.correlation == 0.5
    assert unlike.value[0] == pytest.approx(0.5, abs=0.05)


def test_shrunken_group_rates_cover():
    """40 sets of 20 groups of 60 beta-distributed people: coverage of the groups' means."""
    rng = np.random.default_rng(2)
    inside = 0
    for _ in range(40):
        mean = 1 / (1 + np.exp(3 - rng.normal(0, 0.3, 20)))
        group = np.repeat(np.arange(20), 60)
        rate = rng.beta(mean[group] * 20, (1 - mean[group]) * 20)
        n = rng.poisson(np.exp(rng.normal(3.5, 0.8, group.size)))
        found = group_rates(group, rng.binomial(n, rate), n, groups=20)
        assert 0 < found.correlation < 0.12
        low, high = shrink(found.log_odds, found.error).effects.interval()
        inside += int(((low <= np.log(mean / (1 - mean))) & (np.log(mean / (1 - mean)) <= high)).sum())
    assert 0.92 <= inside / 800 <= 0.98
