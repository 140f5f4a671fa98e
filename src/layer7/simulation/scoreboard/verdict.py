"""From replications to a verdict: the pooled figure, its Monte-Carlo error, and whether it meets the mark."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from scipy import special, stats

from layer7.simulation.scoreboard.measure import Figure, Kind, Mark, Measure, Pair
from layer7.statistics import wilson_bounds
from layer7.statistics.rates.intervals import normal_quantile

LEVEL = 0.95


class Verdict(StrEnum):
    """Whether a line meets its mark."""

    PASS = "pass"  # noqa: S105
    SHORT = "falls short"
    UNTOLD = "cannot tell yet"


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A figure over all replications.

    Args:
        value: mean, share or median; None if no replication gave a figure.
        error: its Monte-Carlo standard error; None where one replication alone cannot tell.
        low: lower end of its 95 % interval; None likewise.
        high: upper end; None likewise.
        n: what the figure is pooled over: replications, users, claims.
        told: replications that gave a figure.
    """

    value: float | None = None
    error: float | None = None
    low: float | None = None
    high: float | None = None
    n: float = 0.0
    told: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A measure with what came out.

    Args:
        measure: the line's definition.
        engine: the engine's figure.
        naive: the naive rule's.
        replications: how many were run.
        verdict: whether the engine's figure meets the mark.
    """

    measure: Measure
    engine: Estimate
    naive: Estimate
    replications: int
    verdict: Verdict


def judge(measure: Measure, pairs: Sequence[Pair]) -> Line:
    """Puts the replications of a line together and compares them with its mark.

    Args:
        measure: the line.
        pairs: one per replication.

    Example:
        >>> from layer7.simulation.scoreboard.measure import Trial, Unit
        >>> trial = Trial(name="dice", run=lambda seed: {}, short=1, full=2)
        >>> line = Measure(scenario="S0", name="sixes", unit=Unit.PERCENT, kind=Kind.SHARE,
        ...     mark=Mark(high=0.3), naive="", trial=trial, key="six")
        >>> str(judge(line, [Pair(Figure(10, 100)), Pair(Figure(20, 100))]).verdict)
        'pass'
    """
    engine = estimate([pair.engine for pair in pairs], measure.kind)
    return Line(
        measure=measure,
        engine=engine,
        naive=estimate([pair.naive for pair in pairs], measure.kind),
        replications=len(pairs),
        verdict=verdict(engine, measure.mark),
    )


def estimate(figures: Sequence[Figure | None], kind: Kind) -> Estimate:
    """Pools the figures of the replications.

    With m replications of value v and count n the figure is R = Σv / Σn, and its standard error
    sqrt(m / (m - 1) Σ(v - Rn)²) / Σn, the linearised one of a ratio: users of one replication may hang
    together. A mean has Student's interval. A share has Wilson's on Σn / max(1, d), d the variance over that
    of Σn independent trials, so that 0 of 200 has an upper end, too. A median has the interval of order
    statistics, a rate (rare events in n years) the exact one of a Poisson count.

    Args:
        figures: one per replication; None, and those of n = 0, are left out.
        kind: mean, share, median or rate.

    Source:
        Cochran (1977), Sampling Techniques, eq. 6.13; Conover (1999), Practical Nonparametric Statistics,
        section 3.2, for the median; Garwood (1936), Biometrika 28:437-442, for the rate.

    Example:
        >>> found = estimate([Figure(1.0), Figure(2.0), Figure(3.0)], Kind.MEAN)
        >>> found.value, round(found.error, 3)
        (2.0, 0.577)
    """
    told = [figure for figure in figures if figure is not None and figure.n > 0]
    if not told:
        return Estimate()
    values, sizes = (np.array([getattr(figure, name) for figure in told]) for name in ("value", "n"))
    if kind is Kind.MEDIAN:
        return _median(values / sizes)
    count, total = len(told), float(sizes.sum())
    value = float(values.sum()) / total
    spread = float(((values - value * sizes) ** 2).sum())
    error = math.sqrt(count / (count - 1) * spread) / total if count > 1 else None
    if kind is Kind.RATE:
        return _rate(float(values.sum()), total, count)
    if kind is Kind.SHARE:
        return _share(value, total, count, error)
    reach = None if error is None else error * float(special.stdtrit(count - 1, (1 + LEVEL) / 2))
    low, high = (None, None) if reach is None else (value - reach, value + reach)
    return Estimate(value=value, error=error, low=low, high=high, n=total, told=count)


def _share(value: float, total: float, count: int, error: float | None) -> Estimate:
    alone = value * (1 - value) / total
    clustered = 1.0 if error is None or alone <= 0 else max(1.0, error**2 / alone)
    trials = total / clustered
    low, high = wilson_bounds(min(value, 1.0) * trials, trials, LEVEL)
    spread = math.sqrt(alone * clustered) if alone > 0 else (float(high) - float(low)) / 4
    return Estimate(value=value, error=spread, low=float(low), high=float(high), n=total, told=count)


def _rate(events: float, total: float, count: int) -> Estimate:
    tail = (1 - LEVEL) / 2
    low = float(stats.chi2.ppf(tail, 2 * events)) / 2 if events > 0 else 0.0
    high = float(stats.chi2.ppf(1 - tail, 2 * events + 2)) / 2
    error = (high - low) / (2 * normal_quantile(LEVEL)) / total
    return Estimate(
        value=events / total, error=error, low=low / total, high=high / total, n=total, told=count
    )  # fmt: skip


def _median(values: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> Estimate:
    ordered, count = np.sort(values), len(values)
    first = int(stats.binom.ppf((1 - LEVEL) / 2, count, 0.5))
    middle = float(np.median(ordered))
    if first < 1:
        return Estimate(value=middle, n=float(count), told=count)
    low, high = float(ordered[first - 1]), float(ordered[count - first])
    error = (high - low) / (2 * normal_quantile(LEVEL))
    return Estimate(value=middle, error=error, low=low, high=high, n=float(count), told=count)


def verdict(found: Estimate, mark: Mark) -> Verdict:
    """Compares a figure with its mark: it passes, or falls short, only if its whole interval does.

    Args:
        found: the figure.
        mark: what is good enough.

    Example:
        >>> str(verdict(Estimate(value=0.04, low=0.02, high=0.07), Mark(high=0.05)))
        'cannot tell yet'
    """
    if found.low is None or found.high is None:
        return Verdict.UNTOLD
    least = -math.inf if mark.low is None else mark.low
    most = math.inf if mark.high is None else mark.high
    if least <= found.low and found.high <= most:
        return Verdict.PASS
    if found.high < least or found.low > most:
        return Verdict.SHORT
    return Verdict.UNTOLD
