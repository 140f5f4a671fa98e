"""The stage ``compare``: is it as good for every group that people declare themselves to be of?"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

import ibis
import pyarrow as pa

from layer7.analytics.groups.parity import MEASURED, group_moments, read_moments
from layer7.analytics.trials.exposures import person_facts
from layer7.fairness import Level, Parity, Question, crossed, parity
from layer7.nightly.night import NOTHING_YET, Night, Outcome
from layer7.nightly.proxying import proxies_of
from layer7.storage.decisions.parities import PROXIES, TABLE
from layer7.storage.home import Home
from layer7.storage.people.declared import Declaration, in_force

_FOR_EVER = 2**40
_TIMES: Mapping[str, pa.DataType] = {"since": pa.int64(), "until": pa.int64()}
_GROUPS = pa.schema({"person": pa.string(), "attribute": pa.string(), "group": pa.string()})
_SPANS = pa.schema([*_GROUPS, *(pa.field(name, kind) for name, kind in _TIMES.items())])
NOBODY = Outcome(0, {"answer": "nobody has declared a group"})


def compare(night: Night) -> Outcome:
    """Compare declared groups, in service and in outcomes."""
    groups = declared_groups(night.home)
    if not groups.num_rows:
        return NOBODY
    with night.home.warehouse.open() as tables:
        log = night.log(tables)
        outlook = night.outlook(tables, log) if log else None
        if log is None or outlook is None:
            return NOTHING_YET
        people = person_facts(log.applications, log.events, outlook)
        counted = group_moments(people, ibis.memtable(groups)).to_pyarrow()
        telling = proxies_of(log, groups)
    found = compared(counted)
    rows = [asdict(each) | {"level": each.level.value, "holds": list(each.holds)} for each in found]
    night.home.warehouse.replace(TABLE, pa.Table.from_pylist(rows, _SHOWN), at=night.clock())
    night.home.warehouse.replace(PROXIES, telling, at=night.clock())
    levels = Counter(each.level.value for each in found)
    breaches = [f"{each.group}: {each.metric}" for each in found if each.level is Level.BREACH]
    looked_at = [row for row in telling.to_pylist() if row["needs_review"]]
    proxies = [f"{row['feature']} tells {row['attribute']} {row['group']}" for row in looked_at]
    report = {"levels": dict(sorted(levels.items())), "breaches": breaches, "proxies": proxies}
    return Outcome(len(rows), report)


def declared_groups(home: Home) -> pa.Table:
    """Give who is in which group by now, gender crossed with ethnicity besides."""
    said: dict[str, list[Declaration]] = {}
    for person, each in home.declared.everybody():
        said.setdefault(person, []).append(each)
    rows = [
        {"person": person, "attribute": attribute, "group": group}
        for person, declared in said.items()
        for attribute, group in crossed(in_force(tuple(declared))).items()
    ]
    return pa.Table.from_pylist(rows, _GROUPS)


def declared_spans(home: Home) -> pa.Table:
    """Give who was in which group from when until when, in seconds since 1970."""
    said: dict[str, list[Declaration]] = {}
    for person, each in home.declared.everybody():
        said.setdefault(person, []).append(each)
    rows = [row for person, declared in said.items() for row in _spans(person, tuple(declared))]
    return pa.Table.from_pylist(rows, _SPANS)


def _spans(person: str, declared: tuple[Declaration, ...]) -> Iterator[dict[str, Any]]:
    moments = sorted({datetime.fromisoformat(each.since) for each in declared})
    ends = [*(int(moment.timestamp()) for moment in moments[1:]), _FOR_EVER]
    for moment, until in zip(moments, ends, strict=True):
        span = {"person": person, "since": int(moment.timestamp()), "until": until}
        for attribute, group in crossed(in_force(declared, moment)).items():
            yield span | {"attribute": attribute, "group": group}


def compared(counted: pa.Table) -> tuple[Parity, ...]:
    """Compare every group in every metric, from sums over people.

    Args:
        counted: the rows of :func:`layer7.analytics.groups.parity.group_moments`.
    """
    found: list[Parity] = []
    for name, metric in MEASURED.items():
        for attribute, groups in read_moments(counted, name).items():
            asked = Question(
                attribute=attribute,
                metric=name,
                higher_is_better=metric.higher_is_better,
                tests=len(groups) * len(MEASURED),
            )
            found += parity(groups, asked)
    return tuple(found)


_SHOWN = pa.schema(
    {name: pa.string() for name in ("attribute", "group", "metric")}
    | {"people": pa.int64()}
    | {name: pa.float64() for name in ("rate", "rest", "ratio", "low", "high", "impact_ratio")}
    | {"level": pa.string(), "why": pa.string(), "holds": pa.list_(pa.string())}
)
