"""The stage ``tell``: what every person's letter of the last whole week says, in numbers."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta

import pyarrow as pa

from layer7.analytics.applications.outcomes import Outlook
from layer7.analytics.performance.weeks import compared_with, latest_week, law_of, week_moments, week_table
from layer7.contract.vocabulary import Component
from layer7.errors import Layer7Error
from layer7.nightly.night import NOTHING_YET, Night, Outcome
from layer7.storage.warehouse.reading import Tables

FOLLOW_UP = "follow_up_timing"


def tell(night: Night) -> Outcome:
    """Count every person's last whole week, and place it among what is known."""
    start = latest_week(night.horizon.end)
    end = datetime.combine(start, time(), UTC) + timedelta(weeks=1)
    with night.home.warehouse.open() as tables:
        log, curve = night.log(tables), tables.read("outlook")
        if log is None or curve is None:
            return NOTHING_YET
        follow_up = _follow_up(night)
        found = week_moments(log.applications, Outlook(end, curve, None), follow_up=follow_up).to_pyarrow()
        groups = _groups(tables)
    law = law_of(found)
    table = week_table(found, groups, mean=law.mean, precision=law.precision)
    rows = night.home.warehouse.replace("weeks", table, at=night.clock())
    told = {
        "week_start": start.isoformat(),
        "people": table.num_rows,
        "compared": table.num_rows - table["segment_id"].null_count,
        "changed": sum(map(bool, table["changed"].to_pylist())),
        "mean": law.mean,
        "precision": law.precision,
        "follow_up": follow_up,
    }
    return Outcome(rows, told)


def _follow_up(night: Night) -> float:
    value = night.home.configs.active(Component.ORCHESTRATOR).value(FOLLOW_UP)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Layer7Error("wrong_type", f"{FOLLOW_UP} is no number.", "Roll the settings back.")
    return float(value)


def _groups(tables: Tables) -> pa.Table | None:
    """With whom each person is compared, among the segments that others may see."""
    members, segments = tables.read("memberships"), tables.read("released_segments")
    if members is None or segments is None:
        return None
    shown = segments.select("segment_id", "document").to_pyarrow().to_pylist()
    return compared_with(members.to_pyarrow(), _means({row["segment_id"]: row["document"] for row in shown}))


def _means(documents: Mapping[str, str]) -> Mapping[str, tuple[float, float, float]]:
    """Mean interview rates as they were released; published rates are of other people, and compare nobody."""
    told = {name: json.loads(document) for name, document in documents.items()}
    rates = {
        name: (each["avg_interview_rate"], *each["interval"])
        for name, each in told.items()
        if each["n"] and each["avg_interview_rate"] is not None and each["interval"] is not None
    }
    return {name: rate for name, rate in rates.items() if 0 < rate[0] < 1}
