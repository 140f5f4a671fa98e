"""Weeks and stages."""

from datetime import date

import pytest

from layer7.analytics import fate_counts, fated, funnel, month_facts, weekly


def test_weeks_start_on_monday(build):
    make = build.application
    # 2026-01-01 is a Thursday: day 3 is a Sunday, day 4 a Monday.
    both = make(10, interview=5, rejection=9)
    applications = build.applications(make(3), make(4, rejection=2), both, make(85), make(85, sent=False))
    rows = weekly(fate_counts(fated(applications)).to_pyarrow(), build.night(unseen=0.3)).to_pylist()
    assert [row["week"] for row in rows] == [date(2025, 12, 29), date(2026, 1, 5), date(2026, 3, 23)]
    assert rows[1] == {
        "week": date(2026, 1, 5),
        "n": 2,
        "interviews": 1,
        "rejected": 1,
        "silent": 0,
        "unseen": 0,
    }
    assert (rows[2]["n"], rows[2]["unseen"]) == (1, pytest.approx(0.3))
    assert all(row["n"] == row["interviews"] + row["rejected"] + row["silent"] for row in rows)


def test_each_stage_is_within_the_one_before(build):
    make = build.application
    rows = build.applications(
        make(0, sent=False),
        make(0),
        make(0, rejection=1),
        make(0, interview=1),
        make(0, offer=1, rejection=2),
    )
    (found,) = funnel(month_facts(rows, build.events())).to_pyarrow().to_pylist()
    assert found == {"created": 5, "submitted": 4, "answered": 3, "interview": 2, "offer": 1}
    (none,) = funnel(month_facts(build.applications(), build.events())).to_pyarrow().to_pylist()
    assert set(none.values()) == {0}
