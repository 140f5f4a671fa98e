"""Off-policy estimates: by hand, as row by row, under laws, and covering as often as they say."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layer7.errors import Layer7Error
from layer7.statistics.thresholds.off_policy import Arm, Exploration, contrast, doubly_robust

FOLDS = 32


def summed(fold, step, go, propensity, y, *, folds=FOLDS, steps=10):
    weight = 1 / propensity
    arms = []
    for side in (~go, go):
        cells = []
        for value in (np.ones(y.size), weight, weight**2, y, weight * y):
            cell = np.zeros((folds, steps))
            np.add.at(cell, (fold[side], step[side]), value[side])
            cells.append(cell)
        arms.append(Arm(*cells))
    return Exploration(arms[0], arms[1], np.arange(steps) - steps / 2 + 0.5)


def drawn(seed, effect=0.3, n=4_000, share=0.1):
    """Cases of people who differ; going on adds ``effect`` on average, more at higher scores."""
    rng = np.random.default_rng(seed)
    person = rng.integers(0, 400, n)
    fold, step = person % FOLDS, rng.integers(0, 10, n)
    ruled = step >= 5
    flip = rng.random(n) < share
    go = ruled ^ flip
    propensity = np.where(flip, share, 1 - share)
    own = np.random.default_rng(seed + 1).gamma(2.0, 0.5, 400)[person]
    y = rng.poisson(own * (0.5 + 0.05 * step) * (1 + 0 * effect)) + effect * go
    return fold, step, go, propensity, y.astype(float)


def test_by_hand():
    fold = np.tile(np.arange(8), 10)
    go = np.arange(80) % 4 == 0
    propensity = np.where(go, 0.25, 0.75)
    y = np.where(go, 2.0, 1.0)
    found = contrast(summed(fold, np.zeros(80, dtype=int), go, propensity, y, folds=8, steps=1))
    # 20 cases with weight 4 and outcome 2, 60 with weight 4/3 and outcome 1, of 80.
    assert found.ips.value == pytest.approx(20 * 4 * 2 / 80 - 60 * (4 / 3) / 80) == pytest.approx(1.0)
    assert found.self_normalised.value == pytest.approx(1.0)
    assert found.doubly_robust.value == pytest.approx(1.0)
    assert found.effective_cases == (pytest.approx(60), pytest.approx(20))
    assert found.mean_weights == (pytest.approx(1.0), pytest.approx(1.0))


def test_sums_give_what_rows_give():
    """Reference: the formulas of Dudik, Langford and Li (2011) written out row by row."""
    fold, step, go, propensity, y = drawn(1)
    data = summed(fold, step, go, propensity, y)
    found, position, weight = contrast(data), data.position[step], 1 / propensity
    ips = np.mean(np.where(go, y, -y) * weight)
    assert found.ips.value == pytest.approx(ips)
    lines = [np.polyval(np.polyfit(position[side], y[side], 1), position) for side in (~go, go)]
    scores = lines[1] - lines[0] + np.where(go, 1, -1) * weight * (y - np.where(go, lines[1], lines[0]))
    assert found.doubly_robust.value == pytest.approx(scores.mean())
    assert doubly_robust(data).sum() == pytest.approx(scores.sum())
    totals = np.bincount(fold, scores - scores.mean(), FOLDS)
    error = np.sqrt(FOLDS / (FOLDS - 1) * (totals**2).sum()) / y.size
    assert found.doubly_robust.error == pytest.approx(error)


@given(seed=st.integers(0, 10_000))
@settings(max_examples=15, deadline=None, database=None)
def test_swapping_the_arms_turns_the_sign(seed):
    fold, step, go, propensity, y = drawn(seed, n=600)
    first = contrast(summed(fold, step, go, propensity, y))
    second = contrast(summed(fold, step, ~go, propensity, y))
    for name in ("ips", "self_normalised", "doubly_robust"):
        assert getattr(first, name).value == pytest.approx(-getattr(second, name).value)
        assert getattr(first, name).error == pytest.approx(getattr(second, name).error)


def test_intervals_cover_the_true_effect():
    hits = dict.fromkeys(("ips", "self_normalised", "doubly_robust"), 0)
    widths = dict.fromkeys(hits, 0.0)
    for seed in range(200):
        found = contrast(summed(*drawn(10 + 2 * seed)))
        for name in hits:
            span = getattr(found, name).interval(0.95)
            hits[name] += 0.3 in span
            widths[name] += span.half_width
    # Binomial(200, 0.95): 181 to 197 with 99 %; two points of room for the error over 32 folds.
    assert all(177 <= hit <= 198 for hit in hits.values()), hits
    assert widths["doubly_robust"] < widths["ips"]


def test_wrong_propensities_are_seen():
    fold, step, go, propensity, y = drawn(3)
    assert contrast(summed(fold, step, go, propensity, y)).credible
    assert not contrast(summed(fold, step, go, np.where(propensity < 0.5, 0.2, 0.8), y)).credible


def test_too_little_is_said_to_be_too_little():
    fold, step, go, propensity, y = (row[:30] for row in drawn(4))
    with pytest.raises(Layer7Error, match="Too little was explored") as caught:
        contrast(summed(fold, step, go, propensity, y))
    assert "more explored cases" in caught.value.hint
    one = summed(np.zeros(4_000, dtype=int), *drawn(4)[1:])
    assert "more people" in one.missing
    with pytest.raises(Layer7Error, match="shape"):
        Arm(*(np.ones((2, 2)),) * 4, np.ones((2, 3)))
