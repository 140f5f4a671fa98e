"""One week of every person, counted by hand from small tables."""

from datetime import UTC, date, datetime

import ibis
import pyarrow as pa
import pytest

from layer7.analytics.applications.outcomes import Outlook
from layer7.analytics.performance.weeks import compared_with, latest_week, week_moments, week_table

END = datetime(2026, 2, 2, tzinfo=UTC)
"""A Monday, 32 days after the first of the year; day 31.5 of the builder is the last noon before it."""


def night(unseen=0.5):
    curve = ibis.memtable(pa.table({"age": list(range(60)), "unseen": [unseen] * 60}))
    return Outlook(END, curve, None)


def moments(build, *rows, **more):
    return week_moments(build.applications(*rows), night(**more), follow_up=7.0).to_pyarrow().to_pylist()


def test_a_week_as_it_stood_at_its_end(build):
    (row,) = moments(
        build,
        build.application(25),  # noon of Monday, 26 January: the first day of the week
        build.application(31),
        build.application(20, interview=8),  # heard on 29 January
        build.application(20, interview=20),  # heard after the week: it is still silent
        build.application(10, offer=18),
        build.application(22, rejection=5),
        build.application(24),  # Sunday before: 7 days old on the last day of the week
        build.application(32),  # sent after the week
        build.application(30, sent=False),
    )
    assert [row[f"sent_{at}"] for at in range(4)] == [2, 4, 0, 1]
    assert (row["invited"], row["offered"], row["rejected"]) == (2, 1, 1)
    assert (row["waiting"], row["longest"], row["due"]) == (4, 11, 2)
    assert (row["n"], row["k"], row["unseen"]) == (7, 2, 2.0)
    assert (row["n_recent"], row["k_recent"]) == (7, 2)


def test_only_eight_weeks_are_recent(build):
    (row,) = moments(build, build.application(-40, interview=3), build.application(30))
    assert (row["n"], row["n_recent"], row["k"], row["k_recent"]) == (2, 1, 1, 0)


def test_rates_are_drawn_to_everybodys_and_placed_in_the_group_if_there_is_one(build):
    rows = [build.application(day, person=who) for who in ("a0", "b0") for day in range(10)]
    found = week_moments(build.applications(*rows), night(0.0), follow_up=7.0).to_pyarrow()
    groups = compared_with(
        pa.table({"person": ["a0", "b0"], "segment": ["s", None], "level": ["l", None]}),
        {"l": (0.2, 0.1, 0.3)},
    )
    a, b = week_table(found, groups, mean=0.05, precision=20.0).to_pylist()
    assert (a["segment_id"], a["segment_mean"]) == ("l", 0.2)
    assert a["rate"] == b["rate"]
    assert a["percentile_low"] <= a["percentile"] <= a["percentile_high"]
    assert (b["segment_id"], b["percentile"]) == (None, None)
    assert b["seen"] == 10
    assert b["changed"] is False


def test_an_empty_log_has_no_weeks(build):
    found = week_moments(build.applications(), night(), follow_up=7.0).to_pyarrow()
    assert week_table(found, None, mean=0.05, precision=20.0).num_rows == 0


@pytest.mark.parametrize(("day", "monday"), [(5, date(2026, 1, 26)), (9, date(2026, 2, 2))])
def test_the_last_whole_week(day, monday):
    assert latest_week(datetime(2026, 2, day, tzinfo=UTC)) == monday
