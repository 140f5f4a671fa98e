"""Hours and weekdays of times without an offset: by the profile's zone then, summer time minded."""

from datetime import UTC, datetime

import ibis
import pyarrow as pa
import pytest

from layer7.analytics.applications.clocks import on_own_clock
from layer7.storage.intake.zones import zone_offsets

MOMENT = pa.timestamp("us", tz="UTC")
SENT = pa.schema(
    {"person": pa.string(), "application_id": pa.string(), "context_time": MOMENT}
    | {"local_hour": pa.int8(), "local_weekday": pa.int8()}
)
SAID = pa.schema(
    [(name, pa.string()) for name in ("person", "event_id", "event_type", "profile_timezone")]
    + [("event_time", MOMENT)]
)


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def profile(zone, when="2026-01-01T00:00", person="ann", **more):
    row = {"person": person, "event_id": f"{zone} {when}", "event_type": "PROFILE_UPDATED"}
    return row | {"profile_timezone": zone, "event_time": at(when)} | more


def clocks(sent, said):
    """Hour and weekday of the applications ``sent`` (moment, hour, weekday), in their order."""
    rows = [
        {"person": "ann", "application_id": str(place), "context_time": at(when)}
        | {"local_hour": hour, "local_weekday": day}
        for place, (when, hour, day) in enumerate(sent)
    ]
    applications, events = (
        ibis.memtable(pa.Table.from_pylist(part, schema=schema))
        for part, schema in ((rows, SENT), (said, SAID))
    )
    zones = [row["profile_timezone"] for row in said if row["profile_timezone"]]
    offsets = ibis.memtable(zone_offsets(zones, datetime(2027, 1, 1, tzinfo=UTC)))
    found = on_own_clock(applications, events, offsets).order_by("application_id").to_pyarrow().to_pylist()
    return [(row["local_hour"], row["local_weekday"]) for row in found]


@pytest.mark.parametrize(
    ("when", "clock"),
    [
        ("2026-03-29T00:59", (1, 6)),  # the last minute of winter time in Berlin
        ("2026-03-29T01:00", (3, 6)),
        ("2026-10-25T00:59", (2, 6)),  # 02:59, before it is 02:00 again
        ("2026-10-25T01:00", (2, 6)),
        ("2026-07-05T22:30", (0, 0)),  # Sunday in London's sense, Monday on her clock
    ],
)
def test_summer_time_is_minded(when, clock):
    assert clocks([(when, None, None)], [profile("Europe/Berlin")]) == [clock]


def test_what_the_event_says_stands():
    said = [("2026-07-01T12:00", 5, 2), ("2026-07-01T00:00", None, 2), ("2026-07-01T12:00", None, None)]
    assert clocks(said, [profile("Asia/Kolkata")]) == [(5, 2), (None, 2), (17, 2)]


def test_the_zone_is_the_one_that_her_profile_named_then():
    moved = [profile("America/New_York"), profile("Asia/Tokyo", "2026-06-01T00:00")]
    sent = [(when, None, None) for when in ("2025-12-01T15:00", "2026-05-31T15:00", "2026-06-02T15:00")]
    assert clocks(sent, moved) == [(10, 0), (11, 6), (0, 2)]


@pytest.mark.parametrize("zone", [None, "Middle/Earth", "../../etc/passwd", "", "America"])
def test_an_unknown_zone_stays_unknown(zone):
    assert clocks([("2026-07-01T12:00", None, None)], [profile(zone)]) == [(None, None)]


def test_the_zone_of_another_person_or_of_another_event_is_not_hers():
    others = [profile("Asia/Tokyo", person="bob"), profile("Asia/Tokyo", event_type="CONSENT_CHANGED")]
    assert clocks([("2026-07-01T12:00", None, None)], others) == [(None, None)]


def test_two_profiles_of_one_moment_give_one_row():
    said = [profile("Asia/Tokyo"), profile("Asia/Seoul")]
    assert clocks([("2026-07-01T12:00", None, None)], said) == [(21, 2)]
