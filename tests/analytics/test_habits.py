"""What may be said of habits: chance that favoured a rare one, few people or few employers is not told."""

import pyarrow as pa

from layer7.analytics.applications.employers import employer_variance, with_shared
from layer7.analytics.segments.habits import habits


def moments(rows):
    """Sums of ``rows`` of (segment, family, habit, n, k)."""
    made = []
    for segment, family, habit, n, k in rows:
        r = k * 0.9
        made.append(
            {
                "scheme": "location", "segment": segment, "family": family, "habit": habit, "people": n,
                "usual": 0, "n": n, "k": float(k), "trials": float(n), "r": r, "s": 0.1 * (n - k),
                "rr": r, "ss": 0.1 * (n - k), "rs": 0.0,
            }
        )  # fmt: skip
    return pa.Table.from_pylist(made)


def test_a_rare_habit_is_not_looked_at_because_chance_favoured_it():
    """12 applications at a usual rate of 10 % let expect 1.2 interviews; that 8 came decides nothing."""
    rows = [(0, "channel", "referral", 12, 8), (0, "channel", "job_board", 1_000, 100)]
    assert habits(moments(rows), correlation=0.0) == {}


def test_a_strong_habit_is_told():
    rows = [(0, "channel", "referral", 400, 160), (0, "channel", "job_board", 1_000, 100)]
    told = habits(moments(rows), correlation=0.0)[0]
    assert [habit.words for habit in told if habit.ratio[0] > 1] == ["applied through referral"]


def test_the_error_is_never_below_that_of_independent_applications():
    """Few people that happen to be alike have next to no error between them."""
    rows = moments([(0, "channel", "referral", 100, 15), (0, "channel", "job_board", 200, 20)])
    tiny = rows.set_column(rows.column_names.index("rr"), "rr", pa.array([1e-6, 1e-6]))
    tiny = tiny.set_column(tiny.column_names.index("ss"), "ss", pa.array([1e-6, 1e-6]))
    assert habits(tiny, correlation=0.0) == {}


def test_luck_of_two_employers_is_not_told_of_their_kind():
    rows = [(0, "company_type", "ngo", 400, 80), (0, "company_type", "firm", 1_000, 100)]
    assert habits(moments(rows), correlation=0.0)
    kinds = [
        {"habit": "ngo", "k": 80.0, "m": 50.0, "v": 44.0, "kk": 6_400.0, "km": 4_000.0, "mm": 2_500.0},
        {"habit": "firm", "k": 100.0, "m": 130.0, "v": 114.0, "kk": 900.0, "km": 600.0, "mm": 1_000.0},
    ]
    employers = pa.Table.from_pylist(kinds)
    assert habits(with_shared(moments(rows), employers), correlation=0.0) == {}


def test_without_interviews_employers_add_nothing():
    none = dict.fromkeys(("k", "m", "v", "kk", "km", "mm"), 0.0)
    assert employer_variance(pa.Table.from_pylist([{"habit": "ngo", **none}])) == {}
