"""Rates of few events, with how sure they are.

Real searches have 0 to 5 interviews per hundred applications; the textbook interval (rate plus or minus
two standard errors) is empty at 0 events and covers far less than it says below 20. Wilson's does neither,
and it takes a real-valued number of trials, which is what silence leaves
of them (see `layer7.statistics.silence.model`).
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy import special

from layer7.errors import Layer7Error
from layer7.statistics.arrays import Column, FloatArray, column

ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Interval:
    """Where a number lies, and with which confidence.

    Args:
        low: lower end.
        high: upper end, not below ``low``.
        level: confidence, between 0 and 1, e.g. 0.95.

    Raises:
        Layer7Error: ``bad_interval`` if an end is not finite or the ends are swapped.

    Example:
        >>> 0.1 in Interval(0.02, 0.18, 0.95)
        True
    """

    low: float
    high: float
    level: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low <= self.high):
            raise Layer7Error(
                "bad_interval",
                f"Got an interval from {self.low} to {self.high}; both ends must be finite and in order.",
                "Say that the number is not known instead.",
            )
        check_level(self.level)

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high

    @property
    def half_width(self) -> float:
        """Half the distance between the ends."""
        return (self.high - self.low) / 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """A share of trials, with its interval, its numbers and how it was found; or why it cannot be told.

    Args:
        value: the rate between 0 and 1; None if nothing can be said.
        low: lower end of the interval; None with ``value``.
        high: upper end of the interval; None with ``value``.
        n: number of trials the value rests on, not negative; effective trials may be fractional.
        events: number of successes among them.
        level: confidence of the interval.
        method: how value and interval were found, e.g. ``"wilson"``.
        needed: what is missing before something can be said; empty if nothing is.

    Example:
        >>> Rate.unknown(needed="at least one application").value is None
        True
    """

    value: float | None
    low: float | None
    high: float | None
    n: float
    events: float
    level: float
    method: str
    needed: str = ""

    @classmethod
    def unknown(cls, *, needed: str, n: float = 0.0, events: float = 0.0, level: float = 0.95) -> "Rate":
        """Says that nothing can be said yet, and what is missing.

        Args:
            needed: what is missing, in words for a person.
            n: trials so far.
            events: successes so far.
            level: the confidence that was asked for.
        """
        return cls(
            value=None, low=None, high=None, n=n, events=events, level=level, method="none", needed=needed
        )

    @property
    def interval(self) -> Interval | None:
        """The ends as one value; None if nothing can be said."""
        if self.low is None or self.high is None:
            return None
        return Interval(self.low, self.high, self.level)


def check_level(level: float) -> None:
    """Refuses a confidence that is not strictly between 0 and 1.

    Args:
        level: the confidence asked for.

    Raises:
        Layer7Error: ``bad_level``.
    """
    if not 0 < level < 1:
        raise Layer7Error(
            "bad_level",
            f"The level {level} is not between 0 and 1.",
            "Give a share such as 0.95, not percent.",
        )


def normal_quantile(level: float) -> float:
    """How many standard errors each way a two-sided interval of this level reaches.

    Args:
        level: confidence, between 0 and 1.

    Raises:
        Layer7Error: ``bad_level``.

    Example:
        >>> round(normal_quantile(0.95), 3)
        1.96
    """
    check_level(level)
    return float(special.ndtri((1 + level) / 2))


def wilson_bounds(events: Column, n: Column, level: float = 0.95) -> tuple[FloatArray, FloatArray]:
    """Wilson's score interval, for many rates at once.

    With z the normal quantile and k of n events, the ends are
    (k + z²/2 ± z sqrt(k(n-k)/n + z²/4)) / (n + z²). For n = 0 this is the whole range from 0 to 1;
    the caller masks it.

    Trust it from the first trial on: over rates from 0 to 1 its coverage averages the stated level. It
    assumes independent trials; with several applications to one posting divide both numbers by the design
    effect.

    Args:
        events: successes, 0 to n, may be fractional; broadcast against ``n``.
        n: trials, not negative, may be fractional.
        level: confidence, between 0 and 1.

    Returns:
        Lower and upper ends, in the broadcast shape.

    Raises:
        Layer7Error: ``bad_counts`` if events < 0, n < 0 or events > n; ``not_finite``; ``bad_level``.

    Source:
        Wilson (1927), JASA 22:209-212; Brown, Cai and DasGupta (2001), Statistical Science 16:101-133, eq. 4.

    Example:
        >>> low, high = wilson_bounds([0, 5], [10, 100])
        >>> low.round(3).tolist(), high.round(3).tolist()
        ([0.0, 0.022], [0.278, 0.112])
    """
    k, trials = np.broadcast_arrays(column("events", events), column("n", n))
    if (k < 0).any() or (trials < 0).any() or (k > trials + ROUNDING).any():
        raise Layer7Error(
            "bad_counts",
            "Events must be 0 or more and at most n.",
            "Count events and trials over the same applications.",
        )
    z2 = normal_quantile(level) ** 2
    k = np.minimum(k, trials)
    spread = k * (trials - k) / np.where(trials > 0, trials, 1.0)
    root = np.sqrt(z2 * (spread + z2 / 4))
    low = (k + z2 / 2 - root) / (trials + z2)
    high = (k + z2 / 2 + root) / (trials + z2)
    # Exact at the borders, where rounding would leave ±1e-17.
    return np.where(k == 0, 0.0, low.clip(0, 1)), np.where(k == trials, 1.0, high.clip(0, 1))


def wilson(events: float, n: float, level: float = 0.95) -> Rate:
    """A rate with Wilson's score interval; formula, trust and source as in `wilson_bounds`.

    Args:
        events: successes, 0 to n, may be fractional.
        n: trials, may be fractional; with 0 the rate is not known.
        level: confidence, between 0 and 1.

    Raises:
        Layer7Error: as `wilson_bounds`.

    Example:
        >>> rate = wilson(2, 12)
        >>> f"{rate.value:.3f} ({rate.low:.3f} to {rate.high:.3f})"
        '0.167 (0.047 to 0.448)'
        >>> wilson(0, 0).needed
        'at least one application'
    """
    low, high = wilson_bounds(events, n, level)
    if n <= 0:
        return Rate.unknown(needed="at least one application", level=level)
    value = min(events / n, 1.0)
    return Rate(
        value=value, low=float(low), high=float(high), n=n, events=events, level=level, method="wilson"
    )


def jeffreys(events: float, n: float, level: float = 0.95) -> Rate:
    """A rate with Jeffreys' interval: the middle of the Beta(k + 1/2, n - k + 1/2) posterior.

    The value is k/n, not the posterior mean. At k = 0 the lower end is 0, at k = n the upper end is 1.
    Trust it where a posterior is wanted; its coverage is close to Wilson's.

    Args:
        events: successes, 0 to n, may be fractional.
        n: trials, may be fractional; with 0 the rate is not known.
        level: confidence, between 0 and 1.

    Raises:
        Layer7Error: as `wilson_bounds`.

    Source:
        Brown, Cai and DasGupta (2001), Statistical Science 16:101-133, section 3.1.2.

    Example:
        >>> rate = jeffreys(0, 10)
        >>> f"{rate.low:.3f} to {rate.high:.3f}"
        '0.000 to 0.217'
    """
    wilson_bounds(events, n, level)
    if n <= 0:
        return Rate.unknown(needed="at least one application", level=level)
    k = min(events, n)
    low, high = (
        float(special.betaincinv(k + 0.5, n - k + 0.5, tail)) for tail in ((1 - level) / 2, (1 + level) / 2)
    )
    return Rate(
        value=k / n,
        low=0.0 if k == 0 else low,
        high=1.0 if k == n else high,
        n=n,
        events=events,
        level=level,
        method="jeffreys",
    )


def more_needed(events: float, n: float, half_width: float, *, level: float = 0.95) -> int:
    """How many more trials until Wilson's interval is as narrow as asked, if the rate stays as it looks.

    Solves h²N² + z²(2h² - q(1-q))N + z⁴(h² - 1/4) = 0 for N, the square of
    h = z sqrt(N q(1-q) + z²/4) / (N + z²), with q the centre of today's interval,
    (k + z²/2)/(n + z²), which is 1/2 before the first trial. The answer is N - n, never below 0.

    Trust it as a plan, not a promise: q itself moves as trials come in.

    Args:
        events: successes so far, 0 to n.
        n: trials so far.
        half_width: half the width the interval should have, between 0 and 1/2.
        level: confidence, between 0 and 1.

    Raises:
        Layer7Error: ``bad_half_width``; else as `wilson_bounds`.

    Example:
        >>> more_needed(5, 100, 0.02)
        505
        >>> more_needed(50, 1000, 0.02)
        0
    """
    if not 0 < half_width < 0.5:
        raise Layer7Error(
            "bad_half_width",
            f"The half-width {half_width} is not between 0 and 0.5.",
            "Give it as a share: 0.02 means 2 points each way.",
        )
    wilson_bounds(events, n, level)
    z2, h2 = normal_quantile(level) ** 2, half_width**2
    centre = (events + z2 / 2) / (n + z2)
    linear = z2 * (2 * h2 - centre * (1 - centre))
    constant = z2 * z2 * (h2 - 0.25)
    total = (-linear + math.sqrt(linear * linear - 4 * h2 * constant)) / (2 * h2)
    return max(0, math.ceil(total - n))
