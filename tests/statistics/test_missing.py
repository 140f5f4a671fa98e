"""What a rate may be if some interviews were never logged."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from layer7.errors import Layer7Error
from layer7.statistics import Rate, missing_bounds, tipping_share, wilson


def test_by_hand():
    """Nine of a hundred are seen, and up to one in ten is not: 9 % to 10 %."""
    rate = wilson(9, 100)
    bounds = missing_bounds(rate, most=0.1)
    assert (bounds.low, bounds.high) == pytest.approx((0.09, 0.10))
    assert bounds.interval.low == rate.low
    assert bounds.interval.high == pytest.approx(rate.high / 0.9)


@given(st.integers(0, 50), st.integers(50, 500), st.floats(0, 0.4), st.floats(0, 0.5))
def test_more_that_may_be_missing_never_narrows(events, n, least, more):
    few, many = (
        missing_bounds(wilson(events, n), most=least),
        missing_bounds(wilson(events, n), most=least + more),
    )
    assert few.interval.low == many.interval.low
    assert few.interval.high <= many.interval.high <= 1
    assert many.low <= many.high


@given(st.integers(1, 50), st.integers(60, 500), st.floats(0.0, 0.8))
def test_the_tipping_share_is_where_the_bound_meets_the_claim(events, n, share):
    claim = min(1.0, events / n / (1 - share))
    tip = tipping_share(wilson(events, n), claim)
    assert missing_bounds(wilson(events, n), most=tip).high == pytest.approx(claim, rel=1e-6)


def test_the_interval_covers_whatever_the_share_is():
    """1,000 logs each, at both ends and inside: at least as often as 95 % says, binomial band of 99.9 %."""
    rng = np.random.default_rng(3)
    for share in (0.0, 0.04, 0.10):
        logged = rng.binomial(600, 0.05 * (1 - share), 1000)
        found = [missing_bounds(wilson(int(k), 600)).interval for k in logged]
        assert np.mean([0.05 in interval for interval in found]) > 0.927


def test_what_cannot_be_told_has_no_bounds():
    unknown = Rate.unknown(needed="at least one application")
    assert missing_bounds(unknown) is None
    assert tipping_share(unknown, 0.1) is None
    assert tipping_share(wilson(10, 100), 0.05) == 0.0


@pytest.mark.parametrize(("least", "most"), [(-0.1, 0.1), (0.2, 0.1), (0.0, 1.0)])
def test_shares_out_of_order_are_refused(least, most):
    with pytest.raises(Layer7Error) as refused:
        missing_bounds(wilson(1, 10), least=least, most=most)
    assert refused.value.code == "bad_share"
    with pytest.raises(Layer7Error):
        tipping_share(wilson(1, 10), 0.0)
