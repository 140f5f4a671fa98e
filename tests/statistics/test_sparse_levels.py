"""Effects of many kinds, most of which have none: by hand, laws, and how often what is chosen is false."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layer7.errors import Layer7Error
from layer7.statistics import bayesian_fdr
from layer7.statistics.many.sparse_levels import Levels, sparse_levels

WORTH_SAYING = np.log(1.1)


def test_by_hand_where_the_data_leave_no_doubt():
    """One level, 1.0 ± 0.01: the centre's law pulls by 0.01² / (0.01² + spread² + 0.5²), next to nothing."""
    (found,) = sparse_levels([Levels(np.array([1.0]), np.array([0.01]))])
    assert found.mean == pytest.approx([1.0], abs=1e-3)
    assert found.sd == pytest.approx([0.01], rel=0.05)


def test_an_error_that_all_levels_share_does_not_go_away_with_their_number():
    y, e = np.full(30, 0.25), np.full(30, 0.15)
    (alone,), (shared,) = sparse_levels([Levels(y, e)]), sparse_levels([Levels(y, e, shared=0.15**2)])
    assert alone.above(WORTH_SAYING).min() > 0.9
    assert shared.above(WORTH_SAYING).max() < 0.7


def test_levels_without_an_error_are_refused():
    for y, e, shared in (([], [], 0.0), ([1.0], [0.0], 0.0), ([1.0], [1.0], -1.0)):
        with pytest.raises(Layer7Error, match="standard error"):
            Levels(np.array(y), np.array(e), shared)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.floats(-2, 2), st.floats(0.05, 1)), min_size=1, max_size=8), st.floats(0, 0.2))
def test_laws(levels, shared):
    y, e = np.array(levels).T
    (found,), (turned,) = sparse_levels([Levels(y, e, shared)]), sparse_levels([Levels(-y, e, shared)])
    assert (found.sd > 0).all()
    assert turned.mean == pytest.approx(-found.mean, abs=1e-9)
    (order,) = sparse_levels([Levels(y[::-1], e[::-1], shared)])
    assert order.mean == pytest.approx(found.mean[::-1], abs=1e-9)


def test_few_of_the_chosen_are_false():
    """60 sets of 20 kinds at 12 levels, two kinds with an effect: at most a tenth is false, most is found."""
    dice = np.random.default_rng(5)
    false = true = 0
    for _ in range(60):
        effect = np.where(np.arange(20) < 2, dice.choice([-0.5, 0.5], 20), 0.0)
        error = dice.uniform(0.1, 0.5, (20, 12))
        seen = dice.normal(effect[:, None] + dice.normal(0, 0.1, (20, 12)) * (effect != 0)[:, None], error)
        found = sparse_levels([Levels(y, e) for y, e in zip(seen, error, strict=True)])
        chances = np.array([np.maximum(f.above(WORTH_SAYING), 1 - f.above(-WORTH_SAYING)) for f in found])
        chosen = bayesian_fdr(1 - chances.ravel(), 0.10).reshape(chances.shape)
        false += int(chosen[2:].sum())
        true += int(chosen[:2].sum())
    assert false <= 0.1 * (false + true)
    assert true >= 0.8 * 60 * 2 * 12
