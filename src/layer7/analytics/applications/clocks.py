"""Whose clock it was: the hour and the weekday of applications that were told without an offset."""

import ibis
from ibis.expr import types as ir

from layer7.analytics.applications.outcomes import SECONDS_PER_DAY, epoch_seconds
from layer7.contract.vocabulary import EventType

_HOUR = 3_600
_ALWAYS = -(2**40)
_THURSDAY = 3
"""1 January 1970 was one."""


def without_clock(applications: ir.Table) -> ir.BooleanValue:
    """Say of which applications the moment is known, and neither hour nor weekday.

    A date alone says its weekday, and has no hour on any clock.

    Args:
        applications: one row per application.
    """
    unknown: ir.BooleanValue = applications.local_hour.isnull() & applications.local_weekday.isnull()
    return unknown


def zones_said(events: ir.Table) -> ir.Table:
    """Give the time zones of profiles, from when to when they were a person's.

    Args:
        events: the event log; only profiles are read.

    Returns:
        ``person``, ``zone`` and the seconds ``said`` and ``replaced``. A person's first zone is taken to have
        been hers before she said so as well.
    """
    told = events.filter(
        events.event_type == str(EventType.PROFILE_UPDATED), events.profile_timezone.notnull()
    )
    told = told.select(
        "person", "event_id", zone=told.profile_timezone.strip(), at=epoch_seconds(told.event_time)
    )
    turn = ibis.window(group_by=told.person, order_by=[told.at, told.event_id])
    first = ibis.row_number().over(turn) == 0
    return told.select(
        "person",
        "zone",
        said=ibis.ifelse(first, _ALWAYS, told.at),
        replaced=told.at.lead().over(turn).fill_null(-_ALWAYS),
    )


def on_own_clock(applications: ir.Table, events: ir.Table, offsets: ir.Table) -> ir.Table:
    """Read times that were told without an offset on the clock of the person's profile.

    Such a time counts as UTC. Its hour and weekday are those on the clock of the zone that the person's
    profile named then, summer time minded; without a zone, or with one that is not known, they stay unknown.

    Args:
        applications: one row per application.
        events: the event log; only profiles are read.
        offsets: ``zone``, ``ahead`` in seconds, and from second ``since`` on ``until`` when.

    Returns:
        The same applications, with ``local_hour`` and ``local_weekday`` where they can be told.
    """
    said = zones_said(events)
    clocks = said.join(offsets, "zone")
    clocks = clocks.select(
        clocks.person.name("clock_of"),
        clocks.ahead,
        begins=ibis.greatest(clocks.said, clocks.since),
        ends=ibis.least(clocks.replaced, clocks.until),
    )
    moment = epoch_seconds(applications.context_time)
    rows = applications.left_join(
        clocks,
        [
            applications.person == clocks.clock_of,
            without_clock(applications),
            moment >= clocks.begins,
            moment < clocks.ends,
        ],
    )
    local = epoch_seconds(rows.context_time) + rows.ahead
    day = local // SECONDS_PER_DAY
    told = rows.mutate(
        local_hour=ibis.coalesce(rows.local_hour, _small(local % SECONDS_PER_DAY // _HOUR)),
        local_weekday=ibis.coalesce(rows.local_weekday, _small((day + _THURSDAY) % 7)),
    )
    return told.select(*applications.columns)


def _small(value: ir.IntegerValue) -> ir.IntegerValue:
    return value.cast("int8")
