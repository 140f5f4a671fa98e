"""The stage ``find``: what works for whom."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import pyarrow as pa
from ibis.expr import types as ir

from layer7.analytics.cell_columns import CellTable, to_cells, to_sample
from layer7.analytics.cells import FIXED, SHARED, adjusted, cell_moments, placed, spellings, without
from layer7.analytics.levels import Spellings, fixed, to_spellings
from layer7.analytics.outcomes import Outlook
from layer7.nightly.night import NOTHING_YET, Log, Night, Outcome
from layer7.patterns import Laws, choose, detect, learn, needed
from layer7.patterns.report import pattern_report
from layer7.statistics.background import fit_background
from layer7.storage.warehouse import Tables

SAMPLE = 300_000
AT_ONCE = 1_000_000


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
    known = dict(to_spellings(spellings(search.log.applications).to_pyarrow(), SHARED))
    known |= {name: fixed(levels) for name, levels in FIXED.items()}
    sampled = _sampled(search)
    with _looked_at(search, known, sampled) as sample:
        laws = sample.laws
        told = [sample.told()] if len(sampled) == search.night.home.settings.buckets else []
    parts = () if told else _parts(search)
    for done, part in enumerate(parts, start=1):
        with _looked_at(search, known, part, laws) as look:
            told.append(look.told())
        search.night.progress(done / len(parts))
    shown = choose(pa.concat_tables(found for found, _ in told))
    people = pa.concat_tables(plans for _, plans in told)
    return Finding(
        pattern_report(shown, people=people, laws=laws), {"patterns": shown, "pattern_plans": people}
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Look:
    """Some people's applications, their cells, and what to judge them by."""

    held: ir.Table
    cells: CellTable
    laws: Laws

    def told(self) -> tuple[pa.Table, pa.Table]:
        """Give what was found of these people, and what is needed where nothing was."""
        return detect(self.cells, self.laws, self._remaining), needed(self.cells, self.laws)

    def _remaining(self, taken: pa.Table) -> CellTable:
        return to_cells(cell_moments(without(self.held, taken)).to_pyarrow())


@contextmanager
def _looked_at(
    search: Search, known: Mapping[str, Spellings], buckets: range, laws: Laws | None = None
) -> Iterator[_Look]:
    """Look at the people of some buckets; without laws, learn from them."""
    with search.tables.held(_placed(search, buckets)) as rows:
        background = laws.background if laws else fit_background(to_sample(rows.to_pyarrow(), known))
        effects = {name: each.table(background.effects.get(name)) for name, each in known.items()}
        with search.tables.held(adjusted(rows, effects, correlation=background.correlation)) as held:
            cells = to_cells(cell_moments(held).to_pyarrow())
            yield _Look(held, cells, laws or learn(cells, background))


def _placed(search: Search, buckets: range) -> ir.Table:
    applications, events = (
        table.filter(table.bucket.between(buckets.start, buckets.stop - 1))
        for table in (search.log.applications, search.log.events)
    )
    return placed(applications, events, search.outlook)


def _parts(search: Search) -> list[range]:
    """Neighbouring buckets, as many at a time as memory allows."""
    rows, buckets = _size(search)
    step = max(1, AT_ONCE * buckets // max(rows, 1))
    return [range(first, min(first + step, buckets)) for first in range(0, buckets, step)]


def _sampled(search: Search) -> range:
    """The first buckets, which hold enough to learn from: people are in buckets by lot."""
    rows, buckets = _size(search)
    return range(max(1, min(buckets, -(-SAMPLE * buckets // max(rows, 1)))))


def _size(search: Search) -> tuple[int, int]:
    rows = int(search.log.applications.count().to_pyarrow().as_py())
    return rows, search.night.home.settings.buckets


FINDERS: Mapping[str, Callable[[Search], Finding]] = MappingProxyType({"patterns": patterns})
"""The finders by the names under which the night reports them (specification 4)."""


def find(night: Night) -> Outcome:
    """Look for what works for whom."""
    with night.home.warehouse.open() as tables:
        log, curve = night.log(tables), tables.read("outlook")
        if log is None or curve is None:
            return NOTHING_YET
        search = Search(night, log, Outlook(night.horizon.end, curve, None), tables)
        findings = {name: finder(search) for name, finder in FINDERS.items()}
    rows = 0
    for finding in findings.values():
        for name, table in finding.tables.items():
            rows += night.home.warehouse.replace(name, table, at=night.clock())
    return Outcome(rows, {name: dict(finding.report) for name, finding in findings.items()})
