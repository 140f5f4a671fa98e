"""The stage ``measure``: rates under silence, every person's months, and the quality of the data."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

import ibis
import pyarrow as pa
from ibis.expr import types as ir

from layer7.analytics.applications.delays import to_silence_moments
from layer7.analytics.applications.fates import fate_counts
from layer7.analytics.applications.outcomes import outlook
from layer7.analytics.applications.quality import quality_moments, to_quality
from layer7.analytics.performance.falls import fall_report, recent_weeks
from layer7.analytics.performance.months import month_fates
from layer7.analytics.performance.overview import funnel, weekly
from layer7.analytics.performance.report import measure_report
from layer7.nightly.night import NOTHING_YET, Night, Outcome
from layer7.statistics import SilenceMoments, fit_silence
from layer7.storage.services.months import Allowed, Months
from layer7.storage.warehouse.reading import MONTHS

MOST_A_MONTH = 300
"""Applications of a person in a month that count in what silence means; hardly anybody sends more by hand."""


def measure(night: Night) -> Outcome:
    """Measure rates under silence, the months of people, and the quality of the data.

    Months are counted anew only of people of whom something changed; what hangs on silence is made of them
    every night.
    """
    end, at = night.horizon.end, night.clock()
    with night.home.warehouse.open() as tables:
        log = night.log(tables)
        if log is None:
            return NOTHING_YET
        rows = Months(night.home, tables).renew(Allowed(log.applications, log.events, end), at=at)
        months = tables.read(MONTHS)
        if months is None:
            return NOTHING_YET
        fates = months.select("person", fate=months.fates.unnest())
        counts = fate_counts(fates).to_pyarrow()
        model = fit_silence(to_silence_moments(of_everybody(months, counts), end))
        now = outlook(model, end)
        night.home.warehouse.replace("outlook", now.curve.to_pyarrow(), at=at)
        totals = months.aggregate(people=months.person.nunique())
        people = totals.to_pyarrow()["people"][0].as_py()
        quality = to_quality(quality_moments(months).to_pyarrow().to_pylist()[0], **_door(night))
        steps = funnel(months).to_pyarrow().to_pylist()[0]
        weeks, fallen = weekly(counts, now), fall_report(recent_weeks(fates, now).to_pyarrow())
        read = _range(log.events)
    report = measure_report(model, people=people, weeks=weeks, fall=fallen, funnel=steps, quality=quality)
    return Outcome(rows, report | {"log": read})


def of_everybody(months: ir.Table, counts: pa.Table) -> pa.Table:
    """Let nobody's month count more than so many applications in what silence means.

    Else one program that applies to thousands of jobs would tell everybody that silence is for ever. Of a
    month with more, every second, every third ... fate is taken in their order, so that days and what came of
    them stay in proportion.
    """
    largest = months.aggregate(most=months.fates.length().max()).to_pyarrow()["most"][0].as_py()
    if (largest or 0) <= MOST_A_MONTH:
        return counts
    long = months.fates.length() > MOST_A_MONTH
    few, many = (months.filter(each) for each in (~long, long))
    step = (many.fates.length() + MOST_A_MONTH - 1) // MOST_A_MONTH
    bounded = many.fates.filter(lambda _fate, at: at % step == 0)
    parts = (part.select(fate=fates.unnest()) for part, fates in ((few, few.fates), (many, bounded)))
    found: pa.Table = fate_counts(ibis.union(*parts)).to_pyarrow()
    return found


def counted(applications: ir.Table, end: datetime) -> SilenceMoments:
    """Count what became of applications by the end of a night as :func:`measure` does, from the log itself.

    Args:
        applications: what the night could read.
        end: its end.
    """
    months = month_fates(applications)
    counts = fate_counts(months.select(fate=months.fates.unnest())).to_pyarrow()
    return to_silence_moments(of_everybody(months, counts), end)


def _range(events: ir.Table) -> dict[str, Any]:
    """Give how many events are read, and when they happened: what is explained is walked back to here."""
    found = events.aggregate(
        events=events.count(), first=events.event_time.min(), last=events.event_time.max()
    )
    read = found.to_pyarrow().to_pylist()[0]
    return {name: at.isoformat() if isinstance(at, datetime) else at for name, at in read.items()}


def _door(night: Night) -> Mapping[str, int]:
    """Give how many events were taken and how many wait in quarantine."""
    taken = sum(file.rows for file in night.home.manifest.live("events"))
    waiting = sum(night.home.quarantine.counts().values())
    return MappingProxyType({"accepted": taken, "quarantined": waiting})
