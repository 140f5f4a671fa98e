"""Which weighted mean a score is of its parts: found, and denied where it is none."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layer7.statistics import weighted_mean

DICE = np.random.default_rng(3)
PARTS = DICE.uniform(20, 100, (400, 3))


def test_by_hand():
    """Half of 60 and half of 80 are 70; 60 and 100 give 80."""
    found = weighted_mean(np.array([[60.0, 80.0], [60.0, 100.0]]), np.array([70.0, 80.0]))
    assert found.weights == pytest.approx((0.5, 0.5))
    assert found.off == pytest.approx(0, abs=1e-6)


def test_a_rounded_score_is_still_a_mean():
    found = weighted_mean(np.rint(PARTS), np.rint(PARTS @ [0.5, 0.5, 0.0]))
    assert found.weights == pytest.approx((0.5, 0.5, 0.0), abs=0.02)
    assert 0.2 < found.off < 0.6


@pytest.mark.parametrize(
    "score",
    [
        PARTS.sum(axis=1),
        PARTS @ [0.8, 0.6, -0.4],
        PARTS @ [0.2, 0.2, 0.2],
        np.full(400, 70.0),
        np.where(np.arange(400) < 200, PARTS @ [0.8, 0.1, 0.1], PARTS @ [0.1, 0.1, 0.8]),
    ],
    ids=["sum", "against", "less", "constant", "changed"],
)
def test_other_scores_are_no_mean(score):
    found = weighted_mean(PARTS, score)
    assert found.weights is None
    assert found.off > 1


def test_a_constant_part_has_the_weight_that_the_level_shows():
    parts = np.column_stack([PARTS[:, :2], np.full(400, 100.0)])
    assert weighted_mean(parts, parts @ [0.3, 0.3, 0.4]).weights == pytest.approx((0.3, 0.3, 0.4), abs=1e-6)


def test_parts_that_move_together_leave_the_weights_open():
    parts = PARTS[:, [0, 0, 1]]
    found = weighted_mean(parts, parts @ [0.3, 0.3, 0.4])
    assert found.weights is None
    assert found.off == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("shape", [(0, 3), (5, 0), (1, 2)])
def test_too_little_leaves_them_open(shape):
    assert weighted_mean(np.full(shape, 50.0), np.full(shape[0], 50.0)).weights is None


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.lists(st.integers(0, 20), min_size=2, max_size=5).filter(any), st.integers(0, 999))
def test_any_mean_is_recovered_whatever_the_order(shares, seed):
    dice, weights = np.random.default_rng(seed), np.array(shares) / sum(shares)
    parts = dice.uniform(0, 100, (200, weights.size))
    turned = dice.permutation(weights.size)
    assert weighted_mean(parts, parts @ weights).weights == pytest.approx(weights, abs=1e-6)
    found = weighted_mean(parts[:, turned], parts @ weights)
    assert found.weights == pytest.approx(weights[turned], abs=1e-6)
