import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from layer7.errors import Layer7Error
from layer7.statistics import effective_rate, effective_rates, wilson

rows = st.lists(
    st.tuples(st.integers(0, 5), st.integers(0, 200), st.floats(0, 1)).map(
        lambda r: (r[0], r[0] + r[1], r[1] * r[2])
    ),
    min_size=1,
    max_size=20,
)


@given(rows)
def test_many_at_once_are_the_same_as_one_by_one(table):
    k, n, unseen = np.array(table, dtype=float).T
    many = effective_rates(k, n, unseen)
    for i, row in enumerate(table):
        one = effective_rate(*row)
        assert many.value.tolist()[i] == one.value
        assert many.low.tolist()[i] == one.low
        assert many.high.tolist()[i] == one.high
    assert not np.isnan(many.value.filled(0)).any()
    assert (many.known == ~np.ma.getmaskarray(many.value)).all()


def test_without_silence_it_is_the_plain_proportion():
    assert effective_rate(3, 60, 0.0).value == 3 / 60
    assert effective_rate(3, 60, 0.0).high == wilson(3, 60).high


def test_all_answered_in_time_is_one_even_after_rounding():
    assert effective_rate(3, 10, 7 + 1e-9).value == 1.0


def test_too_fresh_to_tell():
    assert effective_rate(0, 4, 3.9).value is None
    assert effective_rates([0], [0], [0]).value.tolist() == [None]


@pytest.mark.parametrize(("k", "n", "unseen"), [(3, 5, 4.0), (0, 5, -1.0), (0, 5, 6.0), (0, 5, float("nan"))])
def test_impossible_counts_are_refused(k, n, unseen):
    with pytest.raises(Layer7Error):
        effective_rate(k, n, unseen)
