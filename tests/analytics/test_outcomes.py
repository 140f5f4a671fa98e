"""Heard, rejected or silent; how old; how much is unseen."""

from datetime import UTC, datetime

import ibis
import pyarrow as pa
import pytest

from layer7.analytics import Outlook, judged, outcomes
from layer7.analytics.applications.outcomes import epoch_seconds
from layer7.errors import Layer7Error

FLAGS = ("is_submitted", "is_interviewed", "is_rejected", "is_silent")


def _said(rows):
    return [tuple(row[name] for name in FLAGS) for row in rows.to_pyarrow().to_pylist()]


def test_an_application_is_a_draft_or_heard_or_rejected_or_silent(build):
    make = build.application
    applications = build.applications(
        make(0, sent=False),
        make(0),
        make(0, closed="ghosted"),
        make(0, interview=3),
        make(0, rejection=3),
        make(0, interview=3, rejection=9),
        make(0, offer=20),
    )
    assert _said(judged(applications, build.as_of)) == [
        (False, False, False, False),
        (True, False, False, True),
        (True, False, False, True),
        (True, True, False, False),
        (True, False, True, False),
        (True, True, True, False),
        (True, True, False, False),
    ]


def test_ages_are_whole_days_rounded_down_and_never_negative(build):
    # Sent at noon, 90 days and 12 hours, 12 hours, and -12 hours before the end of the night.
    rows = build.applications(build.application(0), build.application(89), build.application(90))
    ages = judged(rows, build.as_of).age.to_pyarrow().to_pylist()
    assert ages == [89, 0, 0]


def test_only_silence_within_the_curve_is_unseen(build):
    make = build.application
    rows = build.applications(make(80), make(80, rejection=1), make(80, sent=False), make(0))
    assert outcomes(rows, build.night(unseen=0.4)).unseen.to_pyarrow().to_pylist() == [0.4, 0.0, 0.0, 0.0]


def test_a_night_needs_a_time_zone(build):
    with pytest.raises(Layer7Error, match="no time zone"):
        Outlook(datetime(2026, 4, 1), build.night().curve, None)  # noqa: DTZ001  # the mistake itself


def test_seconds_do_not_depend_on_the_session_and_work_before_an_engine_is_chosen():
    moment = datetime(2026, 3, 2, 23, 30, tzinfo=UTC)
    con = ibis.duckdb.connect()
    con.raw_sql("SET TimeZone = 'America/New_York'")
    table = ibis.memtable(pa.table({"at": pa.array([moment], pa.timestamp("us", tz="UTC"))}))
    assert con.to_pyarrow(epoch_seconds(table.at)).to_pylist() == [int(moment.timestamp())]
    unbound = ibis.table({"at": "timestamp('UTC')"}, name="t")
    assert "EPOCH(" in ibis.to_sql(unbound.select(s=epoch_seconds(unbound.at)), dialect="duckdb")
