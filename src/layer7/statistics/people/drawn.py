"""Numbers of one person: everybody's value at first, her own as her data come."""

from dataclasses import dataclass

import numpy as np
from scipy import special

from layer7.errors import Layer7Error
from layer7.statistics.arrays import Column, FloatArray, column, counts
from layer7.statistics.rates.intervals import check_level, normal_quantile


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """One number of each person.

    Args:
        value: drawn from everybody's towards her own.
        low: lower end of its interval.
        high: upper end of it.
        n: what it rests on of her own; 0 means everybody's value.
    """

    value: FloatArray
    low: FloatArray
    high: FloatArray
    n: FloatArray


def pace(events: Column, weeks: Column, *, usual: float, weight: float = 4.0, level: float = 0.95) -> Drawn:
    """How much a person does per week: Gamma(w u + k, w + t), u everybody's pace, worth w weeks.

    Trust the interval for counts that scatter like Poisson's from week to week; people who apply in bursts
    scatter more.

    Args:
        events: k, what she did in so many weeks.
        weeks: t, how many.
        usual: u, above 0.
        weight: w, how many weeks everybody's pace is worth.
        level: confidence.

    Source:
        Gelman and others (2013), Bayesian Data Analysis, 3rd edition, section 2.6.

    Example:
        >>> found = pace([0, 60], [0.0, 12.0], usual=10.0)
        >>> found.value.tolist(), found.low.round(1).tolist()
        ([10.0, 6.25], [7.1, 5.1])
    """
    check_level(level)
    k, t = counts("events", events), counts("weeks", weeks)
    shape, rate = weight * _positive("usual", usual) + k, weight + t
    low, high = (special.gammaincinv(shape, share) / rate for share in ((1 - level) / 2, (1 + level) / 2))
    return Drawn(shape / rate, low, high, t)


def share(events: Column, n: Column, *, usual: float, weight: float = 8.0, level: float = 0.95) -> Drawn:
    """A share of what a person decided: Beta(w u + k, w (1 - u) + n - k), its mean and quantiles.

    Args:
        events: k of n.
        n: how many there were.
        usual: u, everybody's share, strictly between 0 and 1.
        weight: w, how many decisions it is worth.
        level: confidence.

    Source:
        Gelman and others (2013), Bayesian Data Analysis, 3rd edition, section 2.4.

    Example:
        >>> found = share([0, 18], [0, 20], usual=0.5)
        >>> found.value.round(2).tolist(), found.high.round(2).tolist()
        ([0.5, 0.79], [0.82, 0.91])
    """
    check_level(level)
    k, trials = counts("events", events), counts("n", n)
    a, b = weight * usual + k, weight * (1 - usual) + np.maximum(trials - k, 0)
    low, high = (
        np.asarray(special.betaincinv(a, b, each), dtype=np.float64)
        for each in ((1 - level) / 2, (1 + level) / 2)
    )
    return Drawn(a / (a + b), low, high, trials)


def middle_wait(
    log_days: Column,
    n: Column,
    *,
    usual: float,
    sigma: float = 1.6,
    weight: float = 20.0,
    level: float = 0.95,
) -> Drawn:
    """The median of a person's waits: exp of the normal posterior of the mean of ln days.

    ln days ~ N(m, sigma²), m ~ N(ln u, sigma² / w): the mean is (w ln u + Σ ln d) / (w + n), its standard
    error sigma / √(w + n). Give waits of applications that are old enough, since answers that came already
    are the fast ones. Sigma is that of published logs (1.5 to 1.8).

    Args:
        log_days: Σ ln days of each person.
        n: how many waits.
        usual: u, everybody's median in days, above 0.
        sigma: spread of ln days within a person.
        weight: w, how many waits everybody's median is worth.
        level: confidence.

    Source:
        Gelman and others (2013), Bayesian Data Analysis, 3rd edition, eq. 2.11.

    Example:
        >>> found = middle_wait([0.0, 40 * np.log(14.0)], [0, 40], usual=7.0)
        >>> found.value.round(1).tolist(), found.low.round(1).tolist()
        ([7.0, 11.1], [3.5, 7.4])
    """
    total, waits = column("log_days", log_days), counts("n", n)
    centre = (weight * np.log(_positive("usual", usual)) + total) / (weight + waits)
    reach = normal_quantile(level) * sigma / np.sqrt(weight + waits)
    return Drawn(np.exp(centre), np.exp(centre - reach), np.exp(centre + reach), waits)


def lower_edge(
    bands: FloatArray, *, usual: float, width: float = 5.0, part: float = 0.10, weight: float = 50.0
) -> Drawn:
    """The value below which a person seldom goes: the lower tenth of what she chose, drawn to everybody's.

    With n values counted in bands of equal width, q is their quantile, values spread evenly in each band, and
    the result (w u + n q) / (w + n). The interval is that of the plain quantile from the binomial law of the
    ranks (normal approximation, 95 %), drawn alike.

    Args:
        bands: counts, one row per person, one column per band from 0 on.
        usual: u, everybody's value.
        width: of a band.
        part: the share below, strictly between 0 and 1.
        weight: w, how many values everybody's is worth.

    Raises:
        Layer7Error: ``bad_counts`` unless it is a table of counts.

    Source:
        David and Nagaraja (2003), Order Statistics, section 7.1.

    Example:
        >>> found = lower_edge(np.array([[0.0] * 12 + [10, 10, 10, 10, 10, 0, 0, 0, 0]]), usual=60.0)
        >>> found.value.tolist(), found.low.round(1).tolist()
        ([61.25], [60.2])
    """
    if bands.ndim != 2 or (bands < 0).any():
        raise Layer7Error("bad_counts", "The bands are no table of counts.", "Give one row per person.")
    n = bands.sum(axis=1)
    spread = normal_quantile(0.95) * np.sqrt(part * (1 - part) / np.maximum(n, 1))
    ends = [
        (weight * usual + n * _quantile(bands, np.clip(part + step, 0, 1), width)) / (weight + n)
        for step in (0 * spread, -spread, spread)
    ]
    return Drawn(ends[0], ends[1], ends[2], n)


def _quantile(bands: FloatArray, part: FloatArray, width: float) -> FloatArray:
    """The quantile of banded values; 0 where there are none, which then weigh nothing."""
    n = bands.sum(axis=1)
    until = np.cumsum(bands, axis=1)
    wanted = part * n
    place = np.minimum((until < wanted[:, None]).sum(axis=1), bands.shape[1] - 1)
    # The lowest band that holds anything, when the quantile is the least value.
    place = np.maximum(place, (until <= 0).sum(axis=1).clip(max=bands.shape[1] - 1))
    rows = np.arange(len(n))
    inside = bands[rows, place]
    before = until[rows, place] - inside
    ahead = np.clip((wanted - before) / np.maximum(inside, 1e-300), 0, 1)
    return np.where(n > 0, width * (place + ahead), 0.0)


def _positive(name: str, value: float) -> float:
    if not value > 0:
        raise Layer7Error("bad_law", f"{name} is {value}; it must be above 0.", "Give everybody's value.")
    return value
