"""Contrasts within persons: by hand, against statsmodels, and free of who chooses."""

import numpy as np
import pytest
from statsmodels.stats.contingency_tables import StratifiedTable

from layer7.statistics.within.contrasts import mantel_haenszel


def sums(k1, n1, k0, n0):
    whole = n1 + n0
    r, s = k1 * (n0 - k0) / whole, k0 * (n1 - k1) / whole
    return {"r": [r.sum()], "s": [s.sum()]}, {
        "rr": [(r * r).sum()], "ss": [(s * s).sum()], "rs": [(r * s).sum()]
    }  # fmt: skip


def test_by_hand():
    point, products = sums(np.array([2.0]), np.array([4.0]), np.array([1.0]), np.array([4.0]))
    found = mantel_haenszel(*point.values(), **products)
    assert not found.known[0]  # one person only: no spread between people
    point, products = sums(*(np.array(part, float) for part in ([2, 1], [4, 4], [1, 1], [4, 4])))
    found = mantel_haenszel(*point.values(), **products)
    assert found.value[0] == pytest.approx(np.log((2 * 3 + 3) / (1 * 2 + 3)))


def test_as_statsmodels_has_it():
    """Reference: statsmodels 0.14, StratifiedTable: the common odds ratio, and its error with many strata."""
    rng = np.random.default_rng(5)
    n1, n0 = rng.integers(3, 30, (2, 400))
    base = rng.normal(-2.5, 0.8, 400)
    k1 = rng.binomial(n1, 1 / (1 + np.exp(-base - 0.5)))
    k0 = rng.binomial(n0, 1 / (1 + np.exp(-base)))
    table = StratifiedTable(
        [np.array([[a, b - a], [c, d - c]]) for a, b, c, d in zip(k1, n1, k0, n0, strict=True)]
    )
    point, products = sums(*(part.astype(float) for part in (k1, n1, k0, n0)))
    found = mantel_haenszel(*point.values(), **products)
    assert found.value[0] == pytest.approx(table.logodds_pooled)
    assert found.error[0] == pytest.approx(table.logodds_pooled_se, rel=0.1)


def test_swapping_the_arms_turns_the_sign_and_nothing_is_masked():
    found = mantel_haenszel([3.0, 0.0], [2.0, 1.0], rr=[1, 1], ss=[1, 1], rs=[0.2, 0])
    turned = mantel_haenszel([2.0, 1.0], [3.0, 0.0], rr=[1, 1], ss=[1, 1], rs=[0.2, 0])
    assert found.known.tolist() == turned.known.tolist() == [True, False]
    assert found.value[0] == pytest.approx(-turned.value[0])
    low, high = found.interval()
    assert low[0] < found.value[0] < high[0]


def test_a_habit_of_the_good_is_not_taken_for_a_cause_and_intervals_cover():
    """100 markets in which good people do it more often and it helps by 1.25: raw is wrong, within covers."""
    rng = np.random.default_rng(8)
    truth, inside, raw, within = np.log(1.25), 0, [], []
    for _ in range(100):
        good = rng.normal(0, 1, 800)
        n = rng.poisson(40, 800)
        n1 = rng.binomial(n, 1 / (1 + np.exp(0.5 - good)))
        n0 = n - n1
        k1 = rng.binomial(n1, 1 / (1 + np.exp(3 - good - truth))).astype(float)
        k0 = rng.binomial(n0, 1 / (1 + np.exp(3 - good))).astype(float)
        point, products = sums(k1, n1.astype(float), k0, n0.astype(float))
        found = mantel_haenszel(*point.values(), **products)
        low, high = found.interval()
        inside += low[0] <= truth <= high[0]
        within.append(found.value[0])
        raw.append(np.log(k1.sum() / (n1.sum() - k1.sum())) - np.log(k0.sum() / (n0.sum() - k0.sum())))
    assert np.mean(raw) > 0.5
    assert np.mean(within) == pytest.approx(truth, abs=0.02)
    assert inside >= 89
