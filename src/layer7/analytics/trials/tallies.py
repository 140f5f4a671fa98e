"""What moments cannot tell of an experiment: how many units have each value, in cells that add."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

import ibis
import numpy as np
import pyarrow as pa
from ibis.expr import types as ir

from layer7.analytics.applications.outcomes import SECONDS_PER_DAY, seconds_of
from layer7.analytics.trials.cells import KEYS, Keyed, Mask, keys_of
from layer7.contract.facts import WINDOW_DAYS
from layer7.statistics.arrays import FloatArray
from layer7.statistics.trials import Spectrum

GRAIN = 16
"""Values are kept to 1 / GRAIN, so that few of them differ."""

Value = tuple[ir.NumericValue, ir.BooleanValue]
"""A value of each unit, NULL where it has none, and whether it is an event rather than the end of the log."""


def _submitted(facts: ir.Table, _: datetime) -> Value:
    return facts.submitted, ibis.literal(value=True)


def _days_each(facts: ir.Table, _: datetime) -> Value:
    each = (facts.answer_days / facts.answers * GRAIN).round() / GRAIN
    return ibis.ifelse(facts.answers > 0, each, None), ibis.literal(value=True)


def _wait(facts: ir.Table, as_of: datetime) -> Value:
    """Whole days until the first interview; a day that the log has not seen to its end does not count."""
    seen = (seconds_of(as_of) - facts.seconds) // SECONDS_PER_DAY
    waited = (facts.heard - facts.seconds) // SECONDS_PER_DAY
    last = ibis.least(seen, WINDOW_DAYS)
    happened = (waited < last).fill_null(ibis.literal(value=False))
    return ibis.ifelse(last >= 1, ibis.ifelse(happened, waited, last - 1), None), happened


VALUES: Mapping[str, Callable[[ir.Table, datetime], Value]] = MappingProxyType(
    {"submitted": _submitted, "days_each": _days_each, "wait": _wait}
)
"""Values of a unit by name: applications sent, mean days until an answer, days until the first interview."""


def tallies(facts: ir.Table, names: Collection[str], as_of: datetime) -> ir.Table:
    """Count the units of each cell that have each value; the rows of two logs add.

    Args:
        facts: as :func:`layer7.analytics.trials.exposures.units` gives them.
        names: some of :data:`VALUES`, at least one.
        as_of: the end of the log.

    Returns:
        ``measure``, the keys of cells, ``value``, ``n`` and ``happened``.
    """
    parts = []
    for name in sorted(names):
        value, happened = VALUES[name](facts, as_of)
        rows = facts.mutate(
            measure=ibis.literal(name),
            day=facts.seconds // SECONDS_PER_DAY,
            value=value.cast("float64"),
            took_place=happened.cast("int64"),
        )
        rows = rows.filter(rows.value.notnull())
        keys = ("measure", *KEYS, "value")
        parts.append(rows.group_by(keys).aggregate(n=rows.count(), happened=rows.took_place.sum()))
    return ibis.union(*parts) if len(parts) > 1 else parts[0]


@dataclass(frozen=True, slots=True, eq=False)
class Tallies(Keyed):
    """Counts of one measure as the statistics take them.

    Args:
        value: of the units of each row, shape (c,).
        happened: units of each row to whom the event happened, shape (c,).
    """

    value: FloatArray
    happened: FloatArray

    @classmethod
    def of(cls, counted: pa.Table) -> "Tallies":
        """Read the rows of :func:`tallies` of one measure."""
        columns = {name: counted[name].to_numpy().astype(np.float64) for name in ("n", "value", "happened")}
        return cls(keys=keys_of(counted), **columns)

    def at(self, mask: Mask) -> "Tallies":
        """Give the rows of a mask, shape (c,)."""
        return Tallies(
            keys={name: column[mask] for name, column in self.keys.items()},
            n=self.n[mask],
            value=self.value[mask],
            happened=self.happened[mask],
        )

    def arm(self, _facts: tuple[str, ...]) -> Spectrum:
        """Add the rows up to how many units have each value."""
        values, place = np.unique(self.value, return_inverse=True)
        counts, happened = np.zeros(values.size), np.zeros(values.size)
        np.add.at(counts, place, self.n)
        np.add.at(happened, place, self.happened)
        return Spectrum(values=values, counts=counts, happened=happened)
