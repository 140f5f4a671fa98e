"""Released weeks together: by hand, covering what they estimate, never shown on a true count."""

import numpy as np
import pytest

from layer7.errors import Layer7Error
from layer7.privacy.cells import SCALE, CellTable, Layout
from layer7.privacy.noise import noisy
from layer7.privacy.pooled import Pooled, Told

LAYOUT = Layout([CellTable("a", ("p", "q"), ("x",), 1), CellTable("b", ("r",), ("x", "y"), 2)])


def week(*cells):
    rows = [[votes, *((mean - 0.5) * votes for mean in means)] for votes, *means in cells]
    wide = [row + [0.0] * (3 - len(row)) for row in rows]
    return np.rint(np.array(wide) * SCALE).astype(np.int64)


def test_two_weeks_by_hand():
    pooled = Pooled(
        LAYOUT, [week((100, 0.3), (40, 1.0), (0, 0.0, 0.0)), week((300, 0.1), (8, 1.0), (0, 0.0, 0.0))]
    )
    assert pooled.sums[0, 0] == 400
    told = pooled.share(0, "x")
    assert told.middle == pytest.approx(0.15, abs=1e-3)
    variance = pooled.sigma**2 * (1 + 0.35**2) + 1.1 * 400 * 0.15 * 0.85
    assert told.error == pytest.approx(variance**0.5 / 400, rel=1e-3)
    assert pooled.total(0, "x").middle == pytest.approx(60, abs=0.1)
    assert pooled.least == max(50, 5 * LAYOUT.sigma * 2**0.5)
    assert [pooled.shown(place) for place in range(3)] == [True, False, False]
    assert pooled.places("b") == range(2, 3)
    with pytest.raises(Layer7Error):
        pooled.places("c")


def test_a_cell_where_all_are_alike_is_told_with_an_interval_inside_what_is_possible():
    pooled = Pooled(LAYOUT, [week((500, 1.0), (500, 0.0), (0, 0.0, 0.0))])
    for place, edge in ((0, 1.0), (1, 0.0)):
        value, low, high = pooled.share(place, "x").within(0.95)
        assert value == pytest.approx(edge, abs=1e-3)
        assert 0 <= low < high <= 1
    empty = Pooled(LAYOUT, [])
    assert not empty.shown(0)


def test_intervals_cover_the_rate_that_people_have():
    """2,000 cells of 600 votes a week with rates of their own: 95 %, less three deviations."""
    rng = np.random.default_rng(11)
    layout = Layout([CellTable("a", tuple(map(str, range(2000))), ("x",), 3)])
    rate = rng.uniform(0.02, 0.6, 2000)
    weeks = []
    for _ in range(3):
        votes = rng.binomial(600, rate)
        true = np.column_stack([np.full(2000, 600), votes - 300.0]) * SCALE
        weeks.append(noisy(true.astype(np.int64), layout))
    pooled = Pooled(layout, weeks)
    assert all(pooled.shown(place) for place in range(2000))
    ends = np.array([pooled.share(place, "x").within(0.95) for place in range(2000)])
    share = ((ends[:, 1] <= rate) & (rate <= ends[:, 2])).mean()
    assert 0.95 - 3 * (0.95 * 0.05 / 2000) ** 0.5 < share < 0.99
    assert np.median(np.abs(ends[:, 0] - rate)) < 0.02


def test_a_noisy_number_is_drawn_towards_what_is_known():
    loose, tight = Told(0.4, 0.2, 60).towards(Told(0.05, 0.01, 9000), 0.02), Told(0.4, 0.001, 9e5)
    assert loose.middle < 0.06
    assert loose.error < 0.03
    assert tight.towards(Told(0.05, 0.01, 9000), 0.02).middle == pytest.approx(0.4, abs=0.001)


def test_a_layout_is_named_by_all_that_the_promise_hangs_on():
    names = {
        Layout(tables, rho_micro=rho).spec
        for tables, rho in (
            (LAYOUT.tables, 15_000),
            (LAYOUT.tables, 15_001),
            (LAYOUT.tables[:1], 15_000),
            ((CellTable("a", ("p", "q"), ("x",), 2),), 15_000),
        )
    }
    assert len(names) == 4
    assert Layout(LAYOUT.tables).spec == LAYOUT.spec


@pytest.mark.parametrize(("keys", "most"), [((), 1), (("a", "a"), 1), (("a",), 0)])
def test_tables_without_sense_are_refused(keys, most):
    with pytest.raises(Layer7Error):
        CellTable("t", keys, (), most)
