"""Where there is no pattern: about how many more applications it would take to see one."""

from typing import Any

import numpy as np
import pyarrow as pa
from scipy import special

from layer7.analytics.cells.columns import CellTable
from layer7.analytics.cells.moments import DIMENSIONS
from layer7.patterns.believing import Floats, Ints, Laws
from layer7.statistics.chances.deviations import trials_to_tell
from layer7.statistics.chances.sparse_effects import DEFAULT_LAW

ODDS_RATIO = 3.0
"""What a pattern is planned with: three times the person's usual odds."""

_WEEKDAY = DIMENSIONS.index("weekday")
USUAL_SHARE = 0.3
"""Share of a person's applications in her most frequent level, before she has any."""


def needed(table: CellTable, laws: Laws) -> pa.Table:
    """Say for each person and dimension about how many more applications a pattern would need.

    In the person's most frequent level it takes :func:`layer7.statistics.chances.deviations.trials_to_tell`;
    her other applications come along in their usual share. It is a plan for a pattern of three times the
    odds; a smaller one needs more.

    Args:
        table: all cells of some people.
        laws: what was learned from all people.

    Returns:
        ``person``, ``bucket``, and per dimension a column with the number, 0 where there are enough.
    """
    people = len(table.people)
    rate = _rates(table, laws, people)
    columns: dict[str, Any] = {"person": pa.array(table.people, pa.string()), "bucket": table.buckets}
    for place, name in enumerate(DIMENSIONS):
        here = table.dimension == place
        known, most = (_largest(table.person[here], each[here], people) for each in (table.known, table.n))
        share = np.where(most > 0, most / np.maximum(known, 1), USUAL_SHARE)
        odds = laws.of(place).effects or DEFAULT_LAW.effects
        total = trials_to_tell(rate, odds / (1 - odds), odds_ratio=ODDS_RATIO) / share
        columns[name] = pa.array(np.ceil(np.maximum(total - known, 0)).astype(np.int64))
    timed = _largest(table.person, np.where(table.dimension == _WEEKDAY, table.known, 0), people)
    return pa.table(columns | {"timed": pa.array(timed.astype(np.int64))})


def _rates(table: CellTable, laws: Laws, people: int) -> Floats:
    """Each person's rate, shrunk as far as one application of the others' goes."""
    usual = float(special.expit(laws.background.people.mean))
    cells = table.cells
    events = _largest(table.person, cells.events + cells.rest_events, people)
    trials = _largest(table.person, cells.trials + cells.rest_trials, people)
    rate = (events + 1) / (np.maximum(trials, events) + 1 / usual)
    return np.clip(rate, 1e-4, 0.9)


def _largest(person: Ints, values: Floats | Ints, people: int) -> Floats:
    found = np.zeros(people)
    np.maximum.at(found, person, values)
    return found
