"""The stage ``find``: what works for whom."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import pyarrow as pa

from layer7.analytics.applications.outcomes import Outlook
from layer7.nightly.clocks import on_own_clocks
from layer7.nightly.detecting import Source, find_patterns
from layer7.nightly.looking import seldom
from layer7.nightly.night import NOTHING_YET, Log, Night, Outcome
from layer7.patterns import pattern_report, preferences
from layer7.storage.services.feedback import decisions, opened, sealed_table
from layer7.storage.warehouse.reading import Tables


@dataclass(frozen=True, slots=True, eq=False)
class Search:
    """What a finder is given: this log, judged by this night.

    Args:
        night: the night.
        log: what may be read.
        outlook: what silence means.
        tables: hold what is computed once and read often.
    """

    night: Night
    log: Log
    outlook: Outlook
    tables: Tables


@dataclass(frozen=True, slots=True, eq=False)
class Finding:
    """What a finder gives.

    Args:
        report: what it found, as plain JSON values.
        tables: derived tables by name; each replaces the one before.
    """

    report: Mapping[str, Any]
    tables: Mapping[str, pa.Table] = field(default_factory=dict)


def patterns(search: Search) -> Finding:
    """Look for what works for single people (specification 4.1)."""
    buckets = search.night.home.settings.buckets
    found = find_patterns(
        Source(search.log, search.outlook, search.tables.held, buckets), search.night.progress
    )
    report = pattern_report(found.shown, people=found.plans, laws=found.laws)
    return Finding(report, {"patterns": found.shown, "pattern_plans": found.plans})


def habits(search: Search) -> Finding:
    """Look for what people do with suggestions again and again (specification 4.1)."""
    keys = search.night.home.keys
    said = tuple(opened(decisions(search.log.events).to_pyarrow(), keys))
    found = preferences(said)
    report = {"decisions": len(said), "people": len(found)}
    return Finding(report, {"preferences": sealed_table(found, keys)})


FINDERS: Mapping[str, Callable[[Search], Finding]] = MappingProxyType(
    {"patterns": patterns, "preferences": habits}
)
"""The finders by the names under which the night reports them (specification 4)."""


@seldom("patterns", "pattern_plans", "preferences")
def find(night: Night) -> Outcome:
    """Look for what works for whom."""
    with night.home.warehouse.open() as tables:
        log = night.log(tables)
        log = on_own_clocks(log, tables, night) if log else None
        outlook = night.outlook(tables, log) if log else None
        if log is None or outlook is None:
            return NOTHING_YET
        search = Search(night, log, outlook, tables)
        findings = {name: finder(search) for name, finder in FINDERS.items()}
    rows = 0
    for finding in findings.values():
        for name, table in finding.tables.items():
            rows += night.home.warehouse.replace(name, table, at=night.clock())
    return Outcome(rows, {name: dict(finding.report) for name, finding in findings.items()})
