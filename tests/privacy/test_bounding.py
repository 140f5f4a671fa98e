"""What one person can move: never more than the noise is made for, and exactly that at most."""

import hashlib
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit import TORTURE
from layer7.errors import Layer7Error
from layer7.privacy import bounding
from layer7.privacy.bounding import Contributions, bounded, exact
from layer7.privacy.cells import SCALE, CellTable, Layout

KEYS = tuple(f"c{at}" for at in range(6))
LAYOUT = Layout([CellTable("one", KEYS, ("x", "y"), 3), CellTable("two", KEYS[:3], ("x",), 1)])
KEY = b"an epoch"

SHARE = st.one_of(
    st.floats(allow_nan=True, allow_infinity=True), st.floats(0, 1), st.sampled_from([0.0, 1.0])
)
ROW = st.tuples(st.sampled_from("abcde"), st.integers(-2, LAYOUT.cells + 1), SHARE, SHARE)


def word(name):
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")


def contributions(rows):
    """Rows of named people; numbers are given anew, as if whoever is not there had never been."""
    people = sorted({row[0] for row in rows})
    return Contributions(
        np.array([people.index(row[0]) for row in rows], np.int64),
        np.array([row[1] for row in rows], np.int64),
        np.array([row[2:] for row in rows], np.float64).reshape(-1, 2),
        np.array([word(name) for name in people], np.uint64),
    )


def vector(rows):
    return exact(bounded(contributions(rows), LAYOUT, KEY), LAYOUT)


def largest_move(rows):
    whole = vector(rows)
    return max(
        np.linalg.norm((whole - vector([row for row in rows if row[0] != name])).astype(np.float64))
        for name in {row[0] for row in rows}
    )


@settings(
    max_examples=100_000 if TORTURE else 150,
    deadline=None,
    derandomize=not TORTURE,
    suppress_health_check=list(HealthCheck),
)
@given(st.lists(ROW, min_size=1, max_size=30))
def test_nobody_moves_the_release_further_than_the_noise_is_made_for(rows):
    assert largest_move(rows) <= LAYOUT.l2 + 1e-6


WORST = [("a", cell, 1.0, 0.0) for cell in range(9) for _ in range(3)] + [
    (name, cell, 0.3, float("inf")) for name in "bcd" for cell in range(4)
]


def test_the_bound_is_reached_so_no_smaller_one_would_do():
    """By hand: 3 cells x (1 + 2/4) + 1 cell x (1 + 1/4), in squares of the scale."""
    assert pytest.approx(SCALE * 5.75**0.5) == LAYOUT.l2
    assert largest_move(WORST) == pytest.approx(LAYOUT.l2, rel=1e-9)


def _all_cells(monkeypatch):
    monkeypatch.setattr(bounding, "_chosen", lambda person, *_args, **_more: np.ones(len(person), bool))


def _no_clip(monkeypatch):
    monkeypatch.setattr(bounding.np, "clip", lambda values, *_: values)


def _by_position(monkeypatch):
    """Who is kept depends on who else is there."""
    true = bounding._chosen

    def chosen(person, cell, *, keys, layout, key):
        return true(
            person, cell, keys=np.arange(len(keys), dtype=np.uint64) + len(keys), layout=layout, key=key
        )

    monkeypatch.setattr(bounding, "_chosen", chosen)


def _every_row(monkeypatch):
    def plain(rows, layout, _key):
        inside = (rows.cell >= 0) & (rows.cell < layout.cells)
        points = np.rint((np.clip(np.nan_to_num(rows.values[inside]), 0, 1) - 0.5) * SCALE).astype(np.int64)
        return bounding.Bounded(rows.person[inside], rows.cell[inside], points)

    monkeypatch.setitem(globals(), "bounded", plain)


@pytest.mark.parametrize("fault", [_all_cells, _no_clip, _by_position, _every_row])
def test_known_faults_are_found(monkeypatch, fault):
    fault(monkeypatch)
    wild = [*WORST, ("e", 0, 1e9, 0.5), ("e", 1, -1e9, 0.5)]
    assert max(largest_move(rows) for rows in (WORST, wild)) > LAYOUT.l2 + 1e-6


def test_means_are_a_persons_own_by_hand():
    rows = [("a", 0, 1.0, 0.0), ("a", 0, 0.0, 0.0), ("b", 0, 1.0, float("nan")), ("b", 99, 1.0, 1.0)]
    found = vector(rows)
    assert found[0].tolist() == [2 * SCALE, (0.0 + 0.5) * SCALE, -SCALE]
    assert not found[1:].any()


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.lists(ROW, min_size=1, max_size=20), st.randoms(use_true_random=False))
def test_order_does_not_matter_and_people_add_up(rows, dice):
    shuffled = dice.sample(rows, len(rows))
    finite = [(name, cell, *(x if np.isfinite(x) else 0.5 for x in more)) for name, cell, *more in shuffled]
    again = [(name, cell, *(x if np.isfinite(x) else 0.5 for x in more)) for name, cell, *more in rows]
    assert np.abs(vector(finite) - vector(again)).max() <= 1
    names = sorted({row[0] for row in rows})
    alone = sum(vector([row for row in rows if row[0] == name]) for name in names)
    assert (alone == vector(rows)).all()


def test_leaving_somebody_out_after_bounding_is_leaving_her_out_before():
    found = bounded(contributions(WORST), LAYOUT, KEY)
    keep = np.array([True, False, True, True])
    left = exact(found.of(keep), LAYOUT)
    assert (left == vector([row for row in WORST if row[0] != "b"])).all()


def test_the_choice_is_even_and_another_one_every_week():
    """3 of 6 cells of 4,000 people: each kept 2,000 times, within five standard deviations."""
    people = np.repeat(np.arange(4000), 6)
    cells = np.tile(np.arange(6), 4000)
    rows = Contributions(
        people, cells, np.zeros((24_000, 2)), np.array([word(str(at)) for at in range(4000)], np.uint64)
    )
    one, other = (bounded(rows, LAYOUT, key) for key in (b"1", b"2"))
    for found in (one, other):
        assert np.abs(np.bincount(found.cell, minlength=9)[:6] - 2000).max() < 5 * 4000**0.5 / 2
    both = {*zip(one.person, one.cell, strict=True)} & {*zip(other.person, other.cell, strict=True)}
    assert abs(len(both) - 6000) < 5 * 4000**0.5


@pytest.mark.parametrize(
    "column",
    [
        {"person": np.array(["anna"])},
        {"cell": np.array(["Berlin"])},
        {"values": np.array([["words"]], object)},
    ],
)
def test_no_text_of_a_person_fits_into_a_row(column):
    rows = contributions([("a", 0, 1.0, 1.0)])
    with pytest.raises(Layer7Error) as error:
        replace(rows, **column)
    assert error.value.code == "not_numbers"


def test_rows_about_nobody_are_refused():
    rows = contributions([("a", 0, 1.0, 1.0)])
    for column in ({"person": np.array([1])}, {"cell": np.array([1, 2])}, {"values": np.array([1.0])}):
        with pytest.raises(Layer7Error):
            replace(rows, **column)


def test_many_people_are_ordered_as_few(monkeypatch):
    """Where a group, a hash and a row do not fit one word, two are sorted; the same cells are chosen."""
    one = vector(WORST)
    monkeypatch.setattr(bounding, "_MOST_GROUPS", 0)
    assert (vector(WORST) == one).all()


@pytest.mark.parametrize("most", [5, 1 << 40, 1 << 62])
def test_places_are_sorted_with_equal_ones_in_their_order(most):
    place = np.random.default_rng(3).integers(0, most, 300)
    order = np.argsort(place, kind="stable")
    assert [each.tolist() for each in bounding._ordered(place)] == [place[order].tolist(), order.tolist()]
