"""An effect in parts of the units: by hand, the laws, and how often parts that are alike seem to differ."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2

from layer7.errors import Layer7Error
from layer7.statistics.trials import Contrast, heterogeneity


def parts(estimates, errors):
    return [
        Contrast(estimate=d, standard_error=e, freedom=np.inf, n=100)
        for d, e in zip(estimates, errors, strict=True)
    ]


def test_by_hand():
    """Weights 1 / 1, 1 / 4: m = 0.8 x 1 + 0.2 x 3 = 1.4, Q = (0.4)² + (1.6)² / 4 = 0.8."""
    found = heterogeneity(parts([1.0, 3.0], [1.0, 2.0]), scale=1.0)
    assert found.p_value == pytest.approx(chi2.sf(0.8, 1), rel=1e-12)
    assert 1.0 < found.effects[0] < found.effects[1] < 3.0


def test_one_part_cannot_differ():
    with pytest.raises(Layer7Error, match="Two are the least"):
        heterogeneity(parts([1.0], [1.0]), scale=1.0)


@given(
    st.lists(st.tuples(st.floats(-1, 1), st.floats(0.05, 1)), min_size=2, max_size=6),
    st.floats(0.1, 1),
    st.randoms(),
)
def test_order_does_not_matter_and_effects_are_drawn_inwards(rows, scale, dice):
    found = heterogeneity(parts(*zip(*rows, strict=True)), scale=scale)
    mixed = list(range(len(rows)))
    dice.shuffle(mixed)
    again = heterogeneity(parts(*zip(*(rows[at] for at in mixed), strict=True)), scale=scale)
    assert again.p_value == pytest.approx(found.p_value, abs=1e-9)
    assert again.effects == pytest.approx([found.effects[at] for at in mixed], abs=1e-9)
    plain = [d for d, _ in rows]
    assert min(plain) - 1e-9 <= min(found.effects)
    assert max(found.effects) <= max(plain) + 1e-9
    assert all(
        ends.low <= effect <= ends.high for ends, effect in zip(found.intervals, found.effects, strict=True)
    )


def test_parts_that_do_not_differ_are_called_different_in_5_of_100_and_held_by_their_intervals():
    rng, runs = np.random.default_rng(7), 300
    alarms, held = 0, []
    for _ in range(runs):
        errors = rng.uniform(0.01, 0.04, 5)
        found = heterogeneity(parts(0.01 + errors * rng.standard_normal(5), errors), scale=0.02)
        alarms += found.p_value < 0.05
        held += [ends.low <= 0.01 <= ends.high for ends in found.intervals]
    assert 5 <= alarms <= 26  # binomial 99.9 % band of 300 at 5 %
    assert np.mean(held) >= 0.95
