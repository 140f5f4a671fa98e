"""Looking for what works for single people: from a log to the patterns that are shown."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import pyarrow as pa
from ibis.expr import types as ir

from layer7.analytics.applications.outcomes import Outlook
from layer7.analytics.cells.columns import CellTable, to_cells, to_sample
from layer7.analytics.cells.levels import Spellings, fixed, to_spellings
from layer7.analytics.cells.moments import FIXED, SHARED, adjusted, cell_moments, placed, spellings, without
from layer7.nightly.night import Hold, Log
from layer7.patterns import Laws, choose, detect, learn, needed
from layer7.statistics.chances.background import fit_background

SAMPLE = 300_000
"""Applications of so many are enough to learn from."""

AT_ONCE = 1_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """What is looked through.

    Args:
        log: what may be read.
        outlook: what silence means.
        hold: computes a table once.
        buckets: how many storage buckets people are in, by lot.
    """

    log: Log
    outlook: Outlook
    hold: Hold
    buckets: int


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """What was found.

    Args:
        shown: the patterns that are shown.
        plans: per person, what is needed where there are none.
        laws: what was learned from all people.
    """

    shown: pa.Table
    plans: pa.Table
    laws: Laws


def find_patterns(source: Source, progress: Callable[[float], None]) -> Found:
    """Learn from a sample of people, look at all of them some buckets at a time, and choose what is shown.

    Args:
        source: what is looked through.
        progress: is told how far it is, 0 to 1.
    """
    known = dict(to_spellings(spellings(source.log.applications).to_pyarrow(), SHARED))
    known |= {name: fixed(levels) for name, levels in FIXED.items()}
    rows = int(source.log.applications.count().to_pyarrow().as_py())
    sampled = range(max(1, min(source.buckets, -(-SAMPLE * source.buckets // max(rows, 1)))))
    with _looked_at(source, known, sampled) as sample:
        laws = sample.laws
        told = [sample.told()] if len(sampled) == source.buckets else []
    parts = () if told else tuple(_parts(rows, source.buckets))
    for done, part in enumerate(parts, start=1):
        with _looked_at(source, known, part, laws) as look:
            told.append(look.told())
        progress(done / len(parts))
    shown = choose(pa.concat_tables(found for found, _ in told))
    return Found(shown, pa.concat_tables(plans for _, plans in told), laws)


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
    source: Source, known: Mapping[str, Spellings], buckets: range, laws: Laws | None = None
) -> Iterator[_Look]:
    """Look at the people of some buckets; without laws, learn from them."""
    applications, events = (
        table.filter(table.bucket.between(buckets.start, buckets.stop - 1))
        for table in (source.log.applications, source.log.events)
    )
    with source.hold(placed(applications, events, source.outlook)) as rows:
        background = laws.background if laws else fit_background(to_sample(rows.to_pyarrow(), known))
        effects = {name: each.table(background.effects.get(name)) for name, each in known.items()}
        with source.hold(adjusted(rows, effects, correlation=background.correlation)) as held:
            cells = to_cells(cell_moments(held).to_pyarrow())
            yield _Look(held, cells, laws or learn(cells, background))


def _parts(rows: int, buckets: int) -> Iterator[range]:
    """Neighbouring buckets, as many at a time as memory allows."""
    step = max(1, AT_ONCE * buckets // max(rows, 1))
    return (range(first, min(first + step, buckets)) for first in range(0, buckets, step))
