"""Local times of applications: as the event told them, else on the clock of the person's profile."""

from dataclasses import replace

import ibis

from layer7.analytics.applications.clocks import on_own_clock, without_clock, zones_said
from layer7.nightly.night import Log, Night
from layer7.storage.intake.zones import zone_offsets
from layer7.storage.warehouse.reading import Tables


def on_own_clocks(log: Log, tables: Tables, night: Night) -> Log:
    """Give a log in which times without an offset are read by their people's time zones.

    Args:
        log: what may be read.
        tables: where expressions are told once.
        night: the night.
    """
    names = zones_said(log.events).select("zone").distinct().to_pyarrow()["zone"].to_pylist()
    if not names or not log.applications.filter(without_clock(log.applications)).count().to_pyarrow().as_py():
        return log
    offsets = ibis.memtable(zone_offsets(names, night.horizon.end))
    return replace(log, applications=tables.view(on_own_clock(log.applications, log.events, offsets)))
