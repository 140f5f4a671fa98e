"""What the arms of an experiment are told by: moments of every metric in one pass over a table of units."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement
from types import MappingProxyType

import ibis
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from ibis.expr import types as ir

from layer7.contract.vocabulary import MetricShape
from layer7.errors import Layer7Error
from layer7.statistics.trials import ArmMoments, FreeTime, MetricKind, Quantile, Spectrum
from layer7.statistics.trials.spectrum import Z

KINDS: Mapping[MetricShape, MetricKind] = MappingProxyType(
    {
        MetricShape.BINOMIAL: MetricKind.SHARE,
        MetricShape.MEAN: MetricKind.MEAN,
        MetricShape.RATIO: MetricKind.RATIO,
    }
)
"""What each shape that moments tell is compared as."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableMetric:
    """A metric over the columns of a table.

    Args:
        name: its name.
        shape: what it is made of.
        columns: the columns that it reads; two for a ratio and a time (how long, and whether it ended so).
        before: columns from before the experiment, one (a mean) or two (a ratio); empty for no adjustment.
        quantile: which quantile, 0 to 1, of a quantile metric.
        horizon: how long a time metric looks, in the unit of its column; None for as long as can be told.
        winsorized: the quantiles of all units at which the values of a mean are capped; None for no caps.

    Raises:
        Layer7Error: ``bad_metric`` for another number of columns than the shape has, or for what no such
            metric has.
    """

    name: str
    shape: MetricShape
    columns: tuple[str, ...]
    before: tuple[str, ...] = ()
    quantile: float = 0.5
    horizon: float | None = None
    winsorized: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        wanted = 2 if self.shape in {MetricShape.RATIO, MetricShape.TIME_TO_EVENT} else 1
        if len(self.columns) != wanted or len(self.before) > 2:
            several = f"{len(self.columns)} columns and {len(self.before)} from before"
            raise Layer7Error(
                "bad_metric",
                f"The {self.shape} metric {self.name!r} reads {several}.",
                "A ratio reads NUM/DEN, a time DURATION/EVENT, any other one; from before come one or two.",
            )
        if not 0 < self.quantile < 1:
            said = f"{self.name!r} asks for the quantile {self.quantile:g}."
            raise Layer7Error("bad_metric", said, "A quantile lies between 0 and 1, as p90 does.")
        if not (self.horizon is None or 0 < self.horizon < math.inf):
            said = f"{self.name!r} looks {self.horizon:g} ahead."
            raise Layer7Error("bad_metric", said, "Name a positive time, as time30 does.")
        _check_caps(self)

    @property
    def kind(self) -> MetricKind | Quantile | FreeTime:
        """What the arms are compared as; of a time, with a horizon of 0 where none was named."""
        if self.shape is MetricShape.TIME_TO_EVENT:
            return FreeTime(horizon=self.horizon or 0.0)
        return KINDS.get(self.shape) or Quantile(share=self.quantile)

    @property
    def whether(self) -> int | None:
        """The place of the column that tells whether something happened; None without such a column."""
        return {MetricShape.BINOMIAL: 0, MetricShape.TIME_TO_EVENT: 1}.get(self.shape)

    @property
    def all_columns(self) -> tuple[str, ...]:
        """The metric's own columns, then those from before."""
        return (*self.columns, *self.before)

    @property
    def before_kind(self) -> MetricKind | None:
        """What the columns from before are compared as; None without any."""
        return {1: MetricKind.MEAN, 2: MetricKind.RATIO}.get(len(self.before))


def _check_caps(metric: TableMetric) -> None:
    if metric.winsorized is None:
        return
    low, high = metric.winsorized
    if metric.shape is not MetricShape.MEAN or not 0 <= low < high <= 1:
        raise Layer7Error(
            "bad_caps",
            f"The {metric.shape} metric {metric.name!r} cannot be capped at quantiles {low:g} and {high:g}.",
            "Cap the values of a mean, at quantiles like 0.99, or 0.01 and 0.99.",
        )


UNIT, ARM, SEVERAL = "unit", "arm", "in_several"


def rows_and_units(table: ir.Table, *, unit: str, arm: str) -> ir.Table:
    """Count rows and units; only where every unit has a single row, there are as many of both.

    Units are counted by a hash of theirs. Two of them may share one, and then there seem to be fewer; two
    rows of one unit never have different ones.

    Args:
        table: one row or more per unit.
        unit: column of the unit of randomisation.
        arm: column of the arm.

    Raises:
        Layer7Error: ``unknown_column``.
    """
    known = _known(table, unit, arm)
    return known.aggregate(rows=known.count(), units=known[unit].hash().nunique())


def units_of(
    table: ir.Table, *, unit: str, arm: str, metrics: Sequence[TableMetric], once: bool = False
) -> ir.Table:
    """Give one row per unit: its arm, whether it was in several, and its values.

    Values of several rows of a unit add; what either happened or not has happened if any row says so. NaN
    counts as missing. Rows without a unit or an arm are left out.

    Args:
        table: one row or more per unit.
        unit: column of the unit of randomisation.
        arm: column of the arm.
        metrics: the metrics whose columns are wanted.
        once: whether every unit is known to have a single row; then nothing needs to be brought together.

    Raises:
        Layer7Error: ``unknown_column``; ``wrong_type`` for a column that holds no numbers.
    """
    known = _known(table, unit, arm)
    _check(table, {name for metric in metrics for name in metric.all_columns})
    arms = known[arm].cast("string")
    values, sums = {}, {}
    for at, metric in enumerate(metrics):
        for place, name in enumerate(metric.all_columns):
            number, key = _number(known, name), _value(at, place)
            happened = place == metric.whether
            values[key] = (number != 0).cast("float64") if happened else number
            sums[key] = values[key].max() if happened else number.sum()
    if once:
        return known.select(**{UNIT: known[unit], ARM: arms, SEVERAL: ibis.literal(value=False)}, **values)
    grouped = known.group_by(**{UNIT: known[unit]})
    found = grouped.aggregate(**{ARM: arms.min(), "other": arms.max()}, **sums)
    return found.mutate(**{SEVERAL: found[ARM] != found.other}).drop("other")


def arm_moments(units: ir.Table, metrics: Sequence[TableMetric]) -> ir.Table:
    """Count the units and the moments of every metric in each arm, those that were in several apart.

    Args:
        units: as :func:`units_of` gives them.
        metrics: the same metrics.

    Returns:
        One row per arm, and one for its units that were in others as well: ``arm``, ``in_several``,
        ``units``, and for metric i ``n_i`` (units with all of its values),
        ``s_i_j`` (sum of column j) and ``p_i_j_k`` (sum of the products of columns j and k). They add.
    """
    rows = units
    moments: dict[str, ir.Value] = {}
    for at, metric in enumerate(metrics):
        columns = _whole([rows[_value(at, place)] for place in range(len(metric.all_columns))])
        moments[f"n_{at}"] = columns[0].count()
        for place, column in enumerate(columns):
            moments[f"s_{at}_{place}"] = column.sum().fill_null(0.0)
        for one, two in combinations_with_replacement(range(len(columns)), 2):
            moments[f"p_{at}_{one}_{two}"] = (columns[one] * columns[two]).sum().fill_null(0.0)
    return rows.group_by([ARM, SEVERAL]).aggregate(units=rows.count(), **moments).order_by([ARM, SEVERAL])


def units_by_arm(counted: pa.Table) -> tuple[Mapping[str, int], int]:
    """Give how many units each arm has, and how many were in several.

    Args:
        counted: as :func:`arm_moments` gives them.
    """
    rows = counted.select([ARM, SEVERAL, "units"]).to_pylist()
    alone = {str(row[ARM]): int(row["units"]) for row in rows if not row[SEVERAL]}
    return alone, sum(int(row["units"]) for row in rows if row[SEVERAL])


def to_arms(counted: pa.Table, metrics: Sequence[TableMetric]) -> Mapping[str, Mapping[str, ArmMoments]]:
    """Give the rows of :func:`arm_moments` as the statistics take them: metric, arm, moments.

    Args:
        counted: as :func:`arm_moments` gives them, in any order; units that were in several are left out.
        metrics: the same metrics.

    Raises:
        Layer7Error: ``not_finite`` where a value was infinite.
    """
    found: dict[str, dict[str, ArmMoments]] = {}
    for at, metric in enumerate(metrics):
        size = len(metric.all_columns)
        for row in (row for row in counted.to_pylist() if not row[SEVERAL]):
            products = np.empty((size, size))
            for one, two in combinations_with_replacement(range(size), 2):
                products[one, two] = products[two, one] = row[f"p_{at}_{one}_{two}"]
            sums = np.array([row[f"s_{at}_{place}"] for place in range(size)])
            if not (np.isfinite(sums).all() and np.isfinite(products).all()):
                raise Layer7Error(
                    "not_finite",
                    f"The values of {metric.name!r} are infinite, or so large that their squares are.",
                    "Leave out infinite values, or give the column in a larger unit.",
                )
            moments = ArmMoments(n=float(row[f"n_{at}"]), sums=sums, products=products)
            found.setdefault(metric.name, {})[row[ARM]] = moments
    return found


def arm_quantiles(units: ir.Table, at: int, metric: TableMetric, counted: Mapping[str, int]) -> ir.Table:
    """Give a quantile of each arm with the order statistics about one interval beside it.

    Args:
        units: as :func:`units_of` gives them.
        at: the metric's place among those that the units were made for.
        metric: the quantile metric.
        counted: units with a value by arm.

    Returns:
        ``arm``, ``low``, ``value`` and ``high``: the quantiles q - d, q and q + d with
        d = 1.96 sqrt(q (1 - q) / n), at most the arm's own smallest and largest.
    """
    rows = units.filter(~units[SEVERAL])
    q, column = metric.quantile, _value(at, 0)
    parts = []
    for arm, n in counted.items():
        own = rows.filter(rows[ARM] == arm)
        reach = Z * (q * (1 - q) / max(n, 1)) ** 0.5
        places = {"low": max(q - reach, 0.0), "value": q, "high": min(q + reach, 1.0)}
        parts.append(own.aggregate(**{name: own[column].quantile(place) for name, place in places.items()}))
        parts[-1] = parts[-1].mutate(**{ARM: ibis.literal(arm)})
    return ibis.union(*parts) if len(parts) > 1 else parts[0]


def capping_ends(units: ir.Table, metrics: Sequence[TableMetric]) -> ir.Table | None:
    """Give the values at which metrics are capped: quantiles of the units of all arms together.

    Args:
        units: as :func:`units_of` gives them.
        metrics: the same metrics.

    Returns:
        One row, ``low_i`` and ``high_i`` for each metric i with caps; None where there is none.
    """
    rows = units.filter(~units[SEVERAL])
    ends = {
        f"{name}_{at}": rows[_value(at, 0)].quantile(share)
        for at, metric in enumerate(metrics)
        for name, share in zip(("low", "high"), metric.winsorized or (), strict=False)
    }
    return rows.aggregate(**ends) if ends else None


def capped(units: ir.Table, ends: Mapping[int, tuple[float, float]]) -> ir.Table:
    """Give the units with the values of some metrics pulled in to their ends (winsorised).

    Args:
        units: as :func:`units_of` gives them.
        ends: lowest and highest value by the metric's place.
    """
    values = {_value(at, 0): units[_value(at, 0)].clip(*pair) for at, pair in ends.items()}
    return units.mutate(**values) if values else units


def arm_waits(units: ir.Table, at: int) -> ir.Table:
    """Count the units of each arm by how long they were seen, and to how many of them it happened then.

    Args:
        units: as :func:`units_of` gives them.
        at: the place of a time metric among those that the units were made for.

    Returns:
        ``arm``, ``value``, ``n`` and ``happened``, ordered by arm and value. They add.
    """
    long, happened = units[_value(at, 0)], units[_value(at, 1)]
    known = units.filter(~units[SEVERAL], long.notnull(), happened.notnull())
    counted = known.group_by(**{ARM: known[ARM]}, value=known[_value(at, 0)])
    found = counted.aggregate(n=known.count().cast("float64"), happened=known[_value(at, 1)].sum())
    return found.order_by([ARM, "value"])


def to_waits(metric: str, counted: pa.Table) -> Mapping[str, Spectrum]:
    """Give the rows of :func:`arm_waits` as the statistics take them, by arm.

    Args:
        metric: its name.
        counted: as :func:`arm_waits` gives them.

    Raises:
        Layer7Error: ``bad_duration`` where somebody waited less than no time, or for ever.
    """
    found = {}
    for arm in map(str, counted[ARM].unique().to_pylist()):
        own = counted.filter(pc.equal(counted[ARM], pa.scalar(arm)))
        values, counts, happened = (own[name].to_numpy() for name in ("value", "n", "happened"))
        if not (values[0] >= 0 and np.isfinite(values[-1])):
            raise Layer7Error(
                "bad_duration",
                f"{metric!r} has durations from {values[0]:g} to {values[-1]:g}.",
                "Give how long each unit was seen, from 0 on; that it has not happened is said by the event.",
            )
        found[arm] = Spectrum(values=values, counts=counts, happened=happened)
    return found


def _value(at: int, place: int) -> str:
    return f"v_{at}_{place}"


def _known(table: ir.Table, unit: str, arm: str) -> ir.Table:
    """The rows that have a unit and an arm."""
    _check(table, {unit, arm})
    return table.filter(table[unit].notnull(), table[arm].notnull())


def _whole(columns: Sequence[ir.NumericColumn]) -> Sequence[ir.NumericColumn]:
    """The columns where all of them are known; a missing one makes every product missing by itself."""
    if len(columns) == 1:
        return columns
    known = ibis.and_(*(column.notnull() for column in columns))
    return [ibis.ifelse(known, column, None) for column in columns]


def _check(table: ir.Table, wanted: set[str]) -> None:
    missing = sorted(wanted - set(table.columns))
    if missing:
        raise Layer7Error(
            "unknown_column",
            f"The table has no column {', '.join(map(repr, missing))}.",
            f"It has: {', '.join(table.columns)}.",
        )


def _number(table: ir.Table, name: str) -> ir.NumericValue:
    column = table[name]
    kind = column.type()
    if kind.is_boolean():
        return column.cast("int8").cast("float64")
    if not kind.is_numeric():
        raise Layer7Error(
            "wrong_type",
            f"The column {name!r} holds {kind}, not numbers.",
            "Name a column of numbers; one of a CSV file that is empty, or holds any word, counts as text.",
        )
    number = column.cast("float64")
    return ibis.ifelse(number.isnan(), None, number)
