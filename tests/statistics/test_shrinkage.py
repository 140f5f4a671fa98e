"""Levels that borrow strength: eight schools, laws, and coverage."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layer7.errors import Layer7Error
from layer7.statistics.many.shrinkage import shrink

SCHOOLS = np.array([28, 8, -3, 7, -1, 1, 18, 12], dtype=float)
ERRORS = np.array([15, 10, 16, 11, 9, 11, 10, 18], dtype=float)


def test_eight_schools():
    """Reference: Gelman and others (2013), Bayesian Data Analysis, table 5.3, medians of 200 draws."""
    found = shrink(SCHOOLS, ERRORS, scale=30.0).effects
    median = found.interval(1e-9)[0]
    assert median == pytest.approx([10, 8, 7, 8, 5, 6, 10, 8], abs=2)
    assert found.above(0.0)[0] > 0.9


def test_by_hand_with_a_known_centre_and_next_to_no_spread():
    found = shrink([1.0, -1.0], [0.5, 0.5], centre=0.0, scale=1e-6)
    assert found.effects.mean == pytest.approx([0, 0], abs=1e-9)
    assert found.pull == pytest.approx([1, 1])


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(st.floats(-3, 3), st.floats(0.05, 2)), min_size=1, max_size=12),
    st.randoms(use_true_random=False),
)
def test_laws(levels, dice):
    y, e = np.array(levels).T
    found = shrink(y, e)
    assert (found.effects.sd > 0).all()
    turned = shrink(-y, e)
    assert turned.effects.mean == pytest.approx(-found.effects.mean, abs=1e-9)
    order = list(range(y.size))
    dice.shuffle(order)
    assert shrink(y[order], e[order]).effects.mean == pytest.approx(found.effects.mean[order], abs=1e-9)
    low, high = found.effects.interval(0.9)
    assert (low <= high).all()
    assert found.effects.above(low) == pytest.approx(np.full(y.size, 0.95), abs=1e-6)


def test_intervals_cover():
    """600 levels in 60 sets of 10: coverage of 95 % intervals inside its binomial band."""
    rng = np.random.default_rng(11)
    inside = 0
    for _ in range(60):
        spread = abs(rng.normal(0, 0.5))
        truth = rng.normal(-3, spread, 10)
        e = rng.uniform(0.1, 0.6, 10)
        low, high = shrink(rng.normal(truth, e), e).effects.interval(0.95)
        inside += int(((low <= truth) & (truth <= high)).sum())
    assert 0.92 <= inside / 600 <= 0.98


def test_what_cannot_be_shrunk_is_refused():
    for bad in (([], []), ([1.0], [0.0])):
        with pytest.raises(Layer7Error):
            shrink(*bad)
