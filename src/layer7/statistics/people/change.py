"""Has a person's rate changed: an exact comparison of what was lately with what was before."""

from dataclasses import dataclass

import numpy as np
from scipy import special

from layer7.errors import Layer7Error
from layer7.statistics.arrays import Column, FloatArray, counts
from layer7.statistics.many.discoveries import Chosen, benjamini_hochberg
from layer7.statistics.rates.intervals import check_level


@dataclass(frozen=True, slots=True, eq=False)
class Changes:
    """Rate ratios of many people, one row each.

    Args:
        low: lower end of the interval of recent rate / earlier rate; 0 where nothing happened lately.
        high: upper end; infinite where nothing happened before.
        p_value: of no change, two-sided.
        shown: whether it may be shown.
    """

    low: FloatArray
    high: FloatArray
    p_value: FloatArray
    shown: Chosen


def changes(
    events: tuple[Column, Column], trials: tuple[Column, Column], *, level: float = 0.95, fdr: float = 0.10
) -> Changes:
    """Compare two stretches of many people's time, and choose the changes that may be shown.

    Given k = k1 + k0 events in all, those of the first stretch are binomial with the share
    s = r n1 / (r n1 + n0), r the rate ratio: p = min(1, 2 min(P(X <= k1), P(X >= k1))) at r = 1, and the
    interval of r comes from Clopper and Pearson's of s. Both are exact for Poisson counts and never too
    narrow. A change is shown if its interval leaves out 1 **and** it is among those that Benjamini and
    Hochberg's rule lets through at the false discovery rate, over all people whose counts could show one.

    Give effective trials, since what is still silent has hardly been tried. Trust it where the delays of both
    stretches are the cohort's. Regression to the mean does not make it say more: a stretch is never chosen
    for its luck.

    Args:
        events: of the recent stretch, and of the one before, one per person each.
        trials: effective trials of both.
        level: confidence of the intervals.
        fdr: expected share of false changes among those shown, at most.

    Raises:
        Layer7Error: ``bad_counts``; ``bad_level``; ``bad_rate``.

    Source:
        Przyborowski and Wilenski (1940), Biometrika 31:313-323; Clopper and Pearson (1934), Biometrika
        26:404-413; Benjamini and Hochberg (1995), JRSS B 57:289-300.

    Example:
        >>> found = changes(([9, 1], [2, 1]), ([40.0, 20.0], [90.0, 60.0]))
        >>> found.shown.tolist(), f"{found.low[0]:.1f} to {found.high[0]:.1f} times"
        ([True, False], '2.1 to 96.3 times')
    """
    check_level(level)
    k1, k0 = (counts("events", each) for each in events)
    n1, n0 = (counts("trials", each) for each in trials)
    if not k1.size == k0.size == n1.size == n0.size:
        raise Layer7Error("bad_counts", "The stretches have different people.", "Give one row per person.")
    able = (n1 > 0) & (n0 > 0) & (k1 + k0 > 0)
    share = np.where(able, n1 / np.maximum(n1 + n0, 1e-300), 0.5)
    k = k1 + k0
    tails = np.minimum(_at_least(k1, k0, share), _at_least(k0, k1, 1 - share))
    p = np.where(able, np.minimum(1.0, 2 * tails), 1.0)
    low, high = _ratio_ends(k1, k0, (1 - level) / 2)
    scale = np.where(able, n0 / np.maximum(n1, 1e-300), 1.0)
    low, high = np.where(able, low * scale, 0.0), np.where(able, high * scale, np.inf)
    shown = np.zeros(k.size, dtype=np.bool_)
    shown[able] = benjamini_hochberg(p[able], fdr)
    return Changes(low, high, p, shown & ((low > 1) | (high < 1)))


def _at_least(events: FloatArray, others: FloatArray, share: FloatArray) -> FloatArray:
    """P(X >= events), X binomial of events + others: the incomplete beta function."""
    found = special.betainc(np.maximum(events, 1e-9), others + 1, share)
    return np.where(events > 0, found, 1.0)


def _ratio_ends(k1: FloatArray, k0: FloatArray, tail: float) -> tuple[FloatArray, FloatArray]:
    """Clopper and Pearson's ends of the share k1 / (k1 + k0), as odds."""
    low = np.where(k1 > 0, special.betaincinv(np.maximum(k1, 1e-9), k0 + 1, tail), 0.0)
    high = np.where(k0 > 0, special.betaincinv(k1 + 1, np.maximum(k0, 1e-9), 1 - tail), 1.0)
    with np.errstate(divide="ignore"):
        return low / (1 - low), np.where(high < 1, high / np.maximum(1 - high, 1e-300), np.inf)
