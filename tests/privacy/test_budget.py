"""What a year of releases costs a person, against OpenDP's own conversion."""

import math
from importlib import import_module

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layer7.errors import Layer7Error
from layer7.privacy.budget import (
    DELTA,
    EPOCHS_A_YEAR,
    RHO_MICRO,
    YEAR_MICRO,
    advantage_of,
    epsilon_of,
)


def test_the_promise():
    """epsilon 3.9 a year at delta 1e-9; an attacker gains at most 6.9 % a week, 24.5 % a year."""
    year = YEAR_MICRO / 1e6
    assert (RHO_MICRO, EPOCHS_A_YEAR, year, DELTA) == (15_000, 13, 0.195, 1e-9)
    assert epsilon_of(year) <= 3.9
    assert advantage_of(RHO_MICRO / 1e6) <= 0.070
    assert advantage_of(year) <= 0.246


@pytest.mark.parametrize("rho", [0.015, 0.06, 0.195, 0.5, 2.63])
def test_epsilon_is_opendps(rho):
    """``make_zCDP_to_approxDP`` of OpenDP 0.16."""
    parts = {
        name: import_module(f"opendp.{name}")
        for name in ("domains", "metrics", "measurements", "combinators")
    }
    import_module("opendp.mod").enable_features("contrib")
    domain = parts["domains"].atom_domain(T="i64")
    distance = parts["metrics"].absolute_distance(T=float)
    noise = parts["measurements"].make_gaussian(domain, distance, scale=1 / math.sqrt(2 * rho))
    curve = parts["combinators"].make_zCDP_to_approxDP(noise).map(1.0)
    for delta in (1e-9, 1e-6):
        assert epsilon_of(rho, delta) == pytest.approx(curve.epsilon(delta), rel=1e-4)


@given(st.floats(1e-4, 3), st.floats(1.01, 3))
def test_more_budget_tells_more(rho, factor):
    assert epsilon_of(rho) < epsilon_of(rho * factor)
    assert advantage_of(rho) < advantage_of(rho * factor) <= 1
    assert epsilon_of(rho) <= rho + 2 * math.sqrt(rho * math.log(1 / DELTA)) + 1e-9


@pytest.mark.parametrize(("rho", "delta"), [(0.0, 1e-9), (-1.0, 1e-9), (0.1, 0.0), (0.1, 1.0)])
def test_a_budget_of_nothing_is_refused(rho, delta):
    with pytest.raises(Layer7Error):
        epsilon_of(rho, delta)
