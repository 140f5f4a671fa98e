"""The stage ``measure``: rates under silence, every person's performance, and the quality of the data."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType

from ibis.expr import types as ir

from layer7.analytics.delays import delay_moments, to_silence_moments
from layer7.analytics.outcomes import outlook
from layer7.analytics.overview import funnel, weekly_moments
from layer7.analytics.performance import performance_moments
from layer7.analytics.person import finish
from layer7.analytics.quality import quality_moments, to_quality
from layer7.analytics.report import measure_report
from layer7.nightly.night import NOTHING_YET, Night, Outcome
from layer7.statistics import SilenceMoments, fit_silence


def measure(night: Night) -> Outcome:
    """Measure rates under silence, every person's performance, and the quality of the data."""
    with night.home.warehouse.open() as tables:
        log = night.log(tables)
        if log is None:
            return NOTHING_YET
        found = log.applications
        model = fit_silence(counted(found, night.horizon.end))
        now = outlook(model, night.horizon.end)
        night.home.warehouse.replace("outlook", now.curve.to_pyarrow(), at=night.clock())
        people = finish(performance_moments(found, log.events, now).to_pyarrow())
        quality = to_quality(quality_moments(found).to_pyarrow().to_pylist()[0], **_door(night))
        weeks = weekly_moments(found, now).to_pyarrow()
        steps = funnel(found).to_pyarrow().to_pylist()[0]
    rows = night.home.warehouse.replace("performance", people, at=night.clock())
    return Outcome(rows, measure_report(model, people=people, weeks=weeks, funnel=steps, quality=quality))


def counted(applications: ir.Table, end: datetime) -> SilenceMoments:
    """Count what became of applications by the end of a night, as the silence model takes it."""
    return to_silence_moments(delay_moments(applications, end).to_pyarrow())


def _door(night: Night) -> Mapping[str, int]:
    """Give how many events were taken and how many wait in quarantine."""
    taken = sum(file.rows for file in night.home.manifest.live("events"))
    waiting = sum(night.home.quarantine.counts().values())
    return MappingProxyType({"accepted": taken, "quarantined": waiting})
