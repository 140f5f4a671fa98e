"""What a night reports of its measurements."""

from datetime import date

import pyarrow as pa
import pytest

from layer7.analytics.performance.report import weekly_rates


@pytest.fixture
def weeks() -> pa.Table:
    """Four weeks of 100 applications, of whose outcomes less and less has been seen."""
    return pa.table(
        {
            "week": [date(2026, 3, day) for day in (2, 9, 16, 23)],
            "interviews": [5, 4, 2, 1],
            "n": [100, 100, 100, 100],
            "unseen": [0.0, 50.0, 75.0, 76.0],
        }
    )


def test_a_week_is_told_once_a_quarter_of_its_outcomes_were_seen(weeks):
    told = weekly_rates(weeks)
    assert [week["week"] for week in told] == ["2026-03-02", "2026-03-09", "2026-03-16", "2026-03-23"]
    assert [week["n"] for week in told] == [100] * 4
    assert [week["value"] for week in told] == [0.05, 0.08, 0.08, None]
    assert (told[3]["low"], told[3]["high"]) == (None, None)


def test_what_is_told_has_an_interval_around_it_that_widens_with_what_is_unseen(weeks):
    shown = weekly_rates(weeks)[:3]
    assert all(week["low"] < week["value"] < week["high"] for week in shown)
    widths = [week["high"] - week["low"] for week in shown]
    assert widths == sorted(widths)


def test_without_weeks_there_is_nothing_to_tell(weeks):
    assert weekly_rates(weeks.slice(0, 0)) == []
