"""What the months of a market tell: a trend at a fixed mix, and seasons once there are two years."""

from dataclasses import dataclass
from typing import get_args

import numpy as np
import pyarrow as pa

from layer7.analytics.clusters import design_effect
from layer7.analytics.segments.habits import FDR, LEVEL
from layer7.contract.market import MarketMonth, Month, MonthEffect
from layer7.statistics import bayesian_fdr
from layer7.statistics.arrays import FloatArray
from layer7.statistics.many.seasons import FEWEST_MONTHS, YEAR, month_effects
from layer7.statistics.rates.intervals import normal_quantile
from layer7.statistics.rates.standardised import Standardised, standardise

LEAST_TRIALS = 30
"""Effective applications without which a month is left out."""

LEAST_RATIO = 1.02
"""Least ratio to the year's mean (or its inverse) that is worth saying of a month."""

TREND_MONTHS = 24
_NAMES: tuple[Month, ...] = get_args(Month)
_METHOD = (
    "interview rates by month at a fixed mix of levels and channels; effects of the months beside a trend, "
    "shrunk towards none; shown ones chosen for a false discovery rate of 10 %"
)


@dataclass(frozen=True, slots=True)
class Seasons:
    """What the months tell.

    Args:
        months: effects of the 12 months; empty before two years.
        best: months that are better than the year, as far as it may be said; the best first.
        worst: months that are worse; the worst first.
        trend: the last months at a fixed mix.
        missing: what an empty list waits for.
    """

    months: tuple[MonthEffect, ...]
    best: tuple[Month, ...]
    worst: tuple[Month, ...]
    trend: tuple[MarketMonth, ...]
    missing: str


def seasons(counted: pa.Table) -> Seasons:
    """Tell a trend and seasons from monthly counts.

    Args:
        counted: rows of :func:`layer7.analytics.market.moments.month_moments`.
    """
    month, told, n = _rates(counted)
    trend = _trend(month, told, n)
    known = (told.trials >= LEAST_TRIALS) & (told.rate > 0)
    if known.sum() < FEWEST_MONTHS:
        missing = f"{FEWEST_MONTHS} months of applications; there are {int(known.sum())}."
        return Seasons((), (), (), trend, missing)
    effects = month_effects(month[known], np.log(told.rate[known]), (told.error / told.rate)[known])
    better = effects.above(0.0)
    low, high = effects.interval(LEVEL)
    submitted = np.bincount(month % YEAR, n, minlength=YEAR)
    months = tuple(
        MonthEffect(
            month=name,
            ratio=float(np.exp(effects.mean[at])),
            probability=float(max(better[at], 1 - better[at])),
            n=int(submitted[at]),
            interval=(float(np.exp(low[at])), float(np.exp(high[at]))),
            level=LEVEL,
            method=_METHOD,
        )
        for at, name in enumerate(_NAMES)
    )
    least = np.log(LEAST_RATIO)
    up, down = effects.above(least), 1 - effects.above(-least)
    shown = bayesian_fdr(1 - np.maximum(up, down), FDR)
    order = np.argsort(-effects.mean)
    best = tuple(_NAMES[at] for at in order if shown[at] and up[at] > down[at])
    worst = tuple(_NAMES[at] for at in order[::-1] if shown[at] and down[at] > up[at])
    return Seasons(months, best, worst, trend, "Months that differ by more than chance; none does so far.")


def _rates(counted: pa.Table) -> tuple[FloatArray, Standardised, FloatArray]:
    """Months, their standardised rates, and applications."""
    rows = counted.to_pylist()
    whole = sorted((row for row in rows if row["kind"] == "*"), key=lambda row: row["month"])
    months = {row["month"]: at for at, row in enumerate(whole)}
    kinds = {kind: at for at, kind in enumerate(sorted({row["kind"] for row in rows} - {"*"}))}
    k, trials = np.zeros((2, len(months), len(kinds)))
    for row in rows:
        if row["kind"] != "*":
            k[months[row["month"]], kinds[row["kind"]]] = row["k"]
            trials[months[row["month"]], kinds[row["kind"]]] = max(row["trials"], row["k"])
    design = [design_effect(row) for row in whole]
    found = standardise(k, trials, design=design)
    return (
        np.array(list(months), dtype=np.int64),
        found,
        np.array([row["n"] for row in whole], dtype=np.float64),
    )


def _trend(month: FloatArray, told: Standardised, n: FloatArray) -> tuple[MarketMonth, ...]:
    reach = normal_quantile(LEVEL) * told.error
    found = []
    for at in range(max(0, month.size - TREND_MONTHS), month.size):
        known = told.trials[at] >= LEAST_TRIALS
        rate, ends = float(told.rate[at]), (told.rate[at] - reach[at], told.rate[at] + reach[at])
        found.append(
            MarketMonth(
                month=f"{1970 + int(month[at]) // YEAR}-{int(month[at]) % YEAR + 1:02}",
                interview_rate=rate if known else None,
                raw_interview_rate=float(told.raw[at]) if known else None,
                n=int(n[at]),
                interval=(max(float(ends[0]), 0.0), min(float(ends[1]), 1.0)) if known else None,
                level=LEVEL,
            )
        )
    return tuple(found)
