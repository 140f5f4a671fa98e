"""Discontinuity and density tests: against rdrobust and rddensity, and right as often as they say."""

import warnings

import numpy as np
import pytest

from layer7.errors import Layer7Error
from layer7.statistics.thresholds.density_jump import density_jump
from layer7.statistics.thresholds.discontinuity import Binned, choose_bandwidth, discontinuity

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from rddensity import rddensity
    from rdrobust import rdrobust

FOLDS = 64


def rows(seed, n=4_000, jump=0.0):
    rng = np.random.default_rng(seed)
    x = np.round(rng.normal(68, 12, n)) - 75
    y = rng.poisson(np.exp(-1 + 0.02 * x) + jump * (x >= 0)).astype(float)
    return x, y, rng.integers(0, FOLDS, n)


def binned(x, y, fold, folds=FOLDS):
    low = int(x.min())
    step = (x - low).astype(int)
    cells = np.zeros((3, folds, step.max() + 1))
    for cell, value in zip(cells, (np.ones(x.size), y, y * y), strict=True):
        np.add.at(cell, (fold, step), value)
    return Binned(np.arange(step.max() + 1) + float(low), *cells)


def oracle(x, y, h, **more):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return rdrobust(y, x, h=h, b=h, kernel="triangular", masspoints="off", **more)


@pytest.mark.parametrize("h", [6.0, 12.0, 20.0])
def test_estimates_are_those_of_rdrobust(h):
    """Reference: rdrobust (Calonico, Cattaneo, Farrell, Titiunik), triangular kernel, b = h, HC0 by row."""
    x, y, _ = rows(1, n=1_500, jump=0.2)
    found = discontinuity(binned(x, y, np.arange(x.size), folds=x.size), bandwidth=h)
    theirs = oracle(x, y, h, vce="hc0")
    assert found.linear.value == pytest.approx(theirs.coef.loc["Conventional"].item(), abs=1e-9)
    assert found.robust.value == pytest.approx(theirs.coef.loc["Robust"].item(), abs=1e-9)
    # Theirs has no n / (n - 1), and takes the residuals of a point out of the parabola for both lines.
    assert found.robust.error == pytest.approx(theirs.se.loc["Robust"].item(), rel=0.01)
    assert found.linear.error == pytest.approx(theirs.se.loc["Conventional"].item(), rel=0.03)


def test_the_bandwidth_is_of_the_size_of_rdrobusts():
    """Reference: rdrobust's MSE-optimal choice; another plug-in, so the same within a factor of four."""
    x, y, fold = rows(2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = rdrobust(y, x).bws.loc["h"].iloc[0]
    assert theirs / 4 < choose_bandwidth(binned(x, y, fold)) < theirs * 4


def test_robust_intervals_cover_the_jump():
    hits = sum(
        0.15 in discontinuity(binned(*rows(seed, n=2_000, jump=0.15))).robust.interval(0.95)
        for seed in range(200)
    )
    assert 177 <= hits <= 198


def test_swapping_the_sides_turns_the_sign():
    x, y, fold = rows(3, jump=0.2)
    one = discontinuity(binned(x + 0.0, y, fold), bandwidth=10.0)
    # Mirrored at the cut: what was at 0 is at -1.
    other = discontinuity(binned(-x - 1.0, y, fold), bandwidth=10.0)
    assert np.sign(one.robust.value) == -np.sign(other.robust.value)


def test_too_little_is_said_to_be_too_little():
    x, y, fold = rows(4, n=60)
    with pytest.raises(Layer7Error, match="cases lie below"):
        discontinuity(binned(x, y, fold))
    x, y, fold = rows(4)
    with pytest.raises(Layer7Error, match="different scores"):
        discontinuity(binned(x, y, fold), bandwidth=3.0)
    with pytest.raises(Layer7Error, match="folds"):
        discontinuity(binned(x, y, fold % 3), bandwidth=10.0)
    with pytest.raises(Layer7Error, match="shape"):
        Binned(np.zeros(2), np.zeros((3, 2)), np.zeros((3, 2)), np.zeros((3, 3)))


def scores(seed, n=4_000, steer=0.0, digits=1):
    rng = np.random.default_rng(seed)
    x = np.round(np.clip(rng.normal(68, 12, n), 20, 100), digits)
    near = (x >= 72) & (x < 75) & (rng.random(n) < steer)
    x = np.where(near, np.round(rng.uniform(75, 78, n), digits), x)
    return x, rng.integers(0, FOLDS, n)


def counted(x, fold, width=0.5):
    step = np.floor((x - 75) / width + 1e-9).astype(int) + 200
    cells = np.zeros((FOLDS, 400))
    np.add.at(cells, (fold, step), 1)
    return cells


def test_smooth_scores_pass_as_often_as_they_should():
    rejected = sum(density_jump(counted(*scores(seed)), width=0.5).jump.p_value < 0.05 for seed in range(200))
    # Binomial(200, 0.05): 3 to 18 with 99 %.
    assert 3 <= rejected <= 18


def test_steered_scores_are_seen():
    """Reference: rddensity (Cattaneo, Jansson and Ma), which sees it in the same data."""
    found = []
    for seed in range(6):
        x, fold = scores(seed, steer=0.4)
        ours = density_jump(counted(x, fold), width=0.5).jump
        found.append((ours.p_value < 0.05, ours.value > 0))
        if seed < 2:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                theirs = rddensity(X=x, c=75).test["p_jk"]
            assert (ours.p_value < 0.05) == (theirs < 0.05)
    assert all(seen and up for seen, up in found)


def test_whole_points_are_read_as_whole_points():
    x, fold = scores(7, digits=0)
    found = density_jump(counted(x, fold), width=0.5)
    assert abs(found.jump.value) < 3 * found.jump.error
    assert found.jump.value == pytest.approx(
        density_jump(counted(x, fold)[:, ::2] + counted(x, fold)[:, 1::2], width=1.0).jump.value
    )


def test_too_few_scores_are_said_to_be_too_few():
    x, fold = scores(8, n=80)
    with pytest.raises(Layer7Error, match="too few"):
        density_jump(counted(x, fold), width=0.5)
    x, fold = scores(8)
    with pytest.raises(Layer7Error, match="scores lie near"):
        density_jump(counted(x, fold), width=0.5, bandwidth=1.0)
    with pytest.raises(Layer7Error, match="even number"):
        density_jump(np.ones((8, 3)), width=1.0)
