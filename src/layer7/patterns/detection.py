"""One pattern after the other: each has to show in the applications that those before it do not cover."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa

from layer7.analytics.cells.columns import CellTable
from layer7.analytics.cells.moments import DIMENSIONS
from layer7.patterns.believing import Believed, Floats, Ints, Laws, believe, leaders
from layer7.statistics.chances.deviations import deviation_likelihood, group_rates
from layer7.statistics.chances.sparse_effects import competing, room
from layer7.statistics.many.discoveries import bayesian_fdr

# The list as a whole decides: of all that is shown at most a tenth is false. Asking 0.9 of each besides
# keeps back most of them at 300 applications (docs/methods/patterns.md).
LEAST_PROBABILITY = 0.5
LARGEST_FDR = 0.10
WORTH_ANOTHER_LOOK = 0.5
MOST_PATTERNS = 4
STEPS = (1, 2, 3, 5, 8, 12, 20, 30, 50, 80, 120, 200, 300)

Remaining = Callable[[pa.Table], CellTable]
"""Gives the cells of people without the applications of levels (``person``, ``dimension``, ``level``)."""

_TEXTS = ("person", "dimension", "level")
_COUNTS = ("bucket", "n", "events", "change", "rank")
_NUMBERS = ("odds_ratio", "low", "high", "probability", "rate", "rate_low", "rate_high")
FOUND = pa.schema(
    {name: pa.string() for name in _TEXTS}
    | {name: pa.int64() for name in _COUNTS}
    | {name: pa.float64() for name in _NUMBERS}
)
"""The columns of what was found."""


@dataclass(frozen=True, slots=True, eq=False)
class _Round:
    """Cells that were looked at together, and the leaders among them that are worth another look."""

    table: CellTable
    believed: Believed
    leads: Ints

    @classmethod
    def of(cls, table: CellTable, laws: Laws) -> "_Round":
        believed = believe(table.cells, table.dimension, laws)
        believed = replace(believed, strength=believed.strength * _crowding(table, laws))
        leads = leaders(table.person, believed.strength)
        return cls(table, believed, leads[believed.chance[leads] > WORTH_ANOTHER_LOOK])

    def taken(self) -> pa.Table:
        names = np.array(DIMENSIONS)[self.table.dimension[self.leads]]
        return pa.table(
            {
                "person": pa.array(self.table.people[self.table.person[self.leads]], pa.string()),
                "dimension": pa.array(names.tolist(), pa.string()),
                "level": pa.array(self.table.level[self.leads], pa.string()),
            }
        )

    def keys(self) -> list[tuple[str, int, str]]:
        people = self.table.people[self.table.person]
        return list(zip(people, self.table.dimension.tolist(), self.table.level, strict=True))


def _crowding(table: CellTable, laws: Laws) -> Floats:
    """Turn odds of a cell alone into odds among the person's cells, of which at most one has an effect."""
    share = np.array([laws.of(place).effects for place in range(len(DIMENSIONS))])[table.dimension]
    return (1 - share) / room(share, table.person)


def detect(table: CellTable, laws: Laws, remaining: Remaining) -> pa.Table:
    """Look for each person's patterns, the strongest first.

    A person's strongest cell leads. Its rivals are the person's other cells, each as far as it is gone once
    the leader's applications are left out: a cell that then still stands out is a finding of its own, one
    that does not may be the leader's shadow, or the leader its. The next pattern is looked for in what is
    left.

    Args:
        table: all cells of some people.
        laws: what was learned from all people.
        remaining: gives the cells without what is taken already.

    Returns:
        Leaders with a probability above one half, in the columns of :data:`FOUND`; nothing is chosen yet.
    """
    looked = _Round.of(table, laws)
    taken = looked.taken()
    found = []
    for rank in range(MOST_PATTERNS):
        if not looked.leads.size:
            break
        after = _Round.of(remaining(taken), laws)
        found.append(_told(looked, after, laws, rank))
        looked, taken = after, pa.concat_tables([taken, after.taken()])
    return pa.concat_tables(found) if found else FOUND.empty_table()


def choose(found: pa.Table) -> pa.Table:
    """Choose what is shown: each probable enough, and on average few wrong among all that is shown.

    Args:
        found: leaders of all people.

    Returns:
        Those more probable than not, as many as keep the Bayesian false discovery rate at most 10 %.
    """
    found = found.sort_by([(name, "ascending") for name in ("bucket", "person", "rank")])
    chance = found["probability"].to_numpy()
    probable = chance > LEAST_PROBABILITY
    fine = bayesian_fdr(1 - chance[probable], LARGEST_FDR)
    shown = np.flatnonzero(probable)[fine]
    table = found.take(pa.array(shown, pa.int64()))
    return table.append_column("place", pa.array(range(table.num_rows), pa.int64()))


def _told(looked: _Round, after: _Round, laws: Laws, rank: int) -> pa.Table:
    """Say what was found of the leaders of a round, knowing what is left without them."""
    table, leads = looked.table, looked.leads
    chance = _chance(looked, after)[leads]
    cells, dimension = table.cells.take(leads), table.dimension[leads]
    believed = looked.believed
    rates = group_rates(cells, laws.background.people, _posterior(looked, laws))
    columns: dict[str, Any] = {
        "person": table.people[table.person[leads]],
        "bucket": table.buckets[table.person[leads]],
        "dimension": np.array(DIMENSIONS, dtype=np.object_)[dimension],
        "level": table.level[leads],
        "odds_ratio": np.exp(believed.log_odds_ratio[leads]),
        "low": np.exp(believed.low[leads]),
        "high": np.exp(believed.high[leads]),
        "probability": np.minimum(chance, 1.0),
        "n": table.n[leads],
        "events": table.interviews[leads],
        "rate": rates.value,
        "rate_low": rates.low,
        "rate_high": rates.high,
        "change": _until_it_is_not(looked, chance, laws),
        "rank": np.full(leads.size, rank),
    }
    return pa.table({name: pa.array(columns[name], FOUND.field(name).type) for name in FOUND.names})


def _chance(looked: _Round, after: _Round) -> Floats:
    """The chance of each cell among its rivals: those whose effect is gone once the leader's part is."""
    table, believed = looked.table, looked.believed
    left = dict(
        zip(after.keys(), (after.believed.strength / (1 + after.believed.strength)).tolist(), strict=True)
    )
    wanted = np.isin(table.person, table.person[looked.leads])
    rivals = np.ones(len(table))
    if left:
        for at in np.flatnonzero(wanted & (believed.strength > _NOTABLE)):
            key = (table.people[table.person[at]], int(table.dimension[at]), table.level[at])
            rivals[at] = 1 - left.get(key, 0.0)
    rivals[looked.leads] = 1.0
    return believed.size * competing(believed.strength, table.person, rivals)


_NOTABLE = 0.05


def _posterior(looked: _Round, laws: Laws) -> Floats:
    cells, dimension = looked.table.cells.take(looked.leads), looked.table.dimension[looked.leads]
    found = deviation_likelihood(cells, laws.background.people)
    found *= np.array([laws.of(int(place)).effect_density for place in dimension]).reshape(found.shape)
    return np.asarray(found / found.sum(axis=1, keepdims=True), dtype=np.float64)


def _until_it_is_not(looked: _Round, chance: Floats, laws: Laws) -> Ints:
    """About how many more applications without an interview until it is not shown (if bad, with one)."""
    cells, dimension = looked.table.cells.take(looked.leads), looked.table.dimension[looked.leads]
    good = looked.believed.log_odds_ratio[looked.leads] > 0
    strength, size = looked.believed.strength[looked.leads], looked.believed.size[looked.leads]
    others = np.maximum(size * strength / np.maximum(chance, 1e-12) - strength, 1.0)
    crowding = _crowding(looked.table, laws)[looked.leads]
    needed = np.full(len(cells), STEPS[-1])
    open_ = np.ones(len(cells), dtype=np.bool_)
    for more in STEPS:
        rows = np.flatnonzero(open_)
        if not rows.size:
            break
        then = cells.take(rows).more(np.where(good[rows], 0.0, more), np.full(rows.size, float(more)))
        believed = believe(then, dimension[rows], laws)
        odds = believed.strength * crowding[rows]
        gone = believed.size * odds / (odds + others[rows]) <= LEAST_PROBABILITY
        needed[rows[gone]] = more
        open_[rows[gone]] = False
    return needed
