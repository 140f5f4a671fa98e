"""By how much a common factor changed many people's own rates, whatever these are."""

import math

import numpy as np
import scipy

from layer7.errors import Layer7Error
from layer7.statistics.arrays import Column, FloatArray, column

EXACT = 1_000
"""So many events are summed exactly; of more, a normal law with the same mean and spread differs by less than
0.01 in the logarithm of the interval's ends."""

_CERTAIN = 30.0
"""Log odds of what is as good as certain."""


def common_ratio(late: int, odds: Column, *, error: float = 0.05) -> tuple[float, float | None]:
    """Bounds the factor by which people's own rates changed between two stretches, from who had events when.

    Given a person's events of both stretches, each fell into the later one with the chance
    t o / (1 + t o), with the ratio t of her rates and the odds o of her trials: later / earlier. The number
    of later events of all people is then Poisson binomial, grows with t, and hangs on no person's rate: both
    ends are the t at which as many or more, and as few or fewer, have the chance ``error`` / 2 (Clopper and
    Pearson's way). Above 1,000 events both chances are normal, with a correction for continuity.

    Trust it where the test of the same sum may be trusted (``decline``), and as a ratio that is common to
    all: where people change differently, it bounds a mean of their ratios.

    Args:
        late: how many of the events fell into the later stretch.
        odds: one per event of either stretch: trials of its person in the later stretch through those in the
            earlier one, above 0.
        error: how often the interval may miss the ratio, above 0 and below 1.

    Returns:
        Lowest and highest ratio; 0 if no event is late, None as the highest if no event is early.

    Raises:
        Layer7Error: ``bad_counts``; ``bad_level``.

    Source:
        Fay (2010), R Journal 2(1):53-58, for ends by turning an exact conditional test; Clopper and Pearson
        (1934), Biometrika 26:404-413; Hong (2013), CSDA 59:41-51, section 2.3, for the normal law.

    Example:
        A person had one event lately and nine before, in as many trials each.

        >>> low, high = common_ratio(1, [1.0] * 10)
        >>> f"{low:.4f} {high:.4f}"
        '0.0025 0.8019'
        >>> common_ratio(0, [])
        (0.0, None)
    """
    each = column("odds", odds)
    if each.ndim != 1 or not 0 <= late <= each.size or not (each > 0).all():
        raise Layer7Error(
            "bad_counts",
            f"{late} late events of {each.size} with odds of shape {each.shape} came.",
            "Give one positive odds per event, and how many of the events are late.",
        )
    if not 0 < error < 1:
        raise Layer7Error("bad_level", f"An error of {error} was asked for.", "0.05 gives 95 % intervals.")
    logs = np.log(each)
    low = 0.0 if late == 0 else _end(logs, late - 1, 1 - error / 2)
    high = None if late == each.size else _end(logs, late, error / 2)
    return low, high


def _end(logs: FloatArray, few: int, chance: float) -> float:
    """The ratio at which at most ``few`` late events have this chance, which falls with the ratio."""

    def off(log_ratio: float) -> float:
        return _at_most(few, scipy.special.expit(logs + log_ratio)) - chance

    return math.exp(scipy.optimize.brentq(off, -_CERTAIN - logs.max(), _CERTAIN - logs.min(), xtol=1e-6))


def _at_most(few: int, chances: FloatArray) -> float:
    if chances.size <= EXACT:
        return float(scipy.stats.poisson_binom.cdf(few, chances))
    mean, spread = chances.sum(), math.sqrt((chances * (1 - chances)).sum())
    return float(scipy.special.ndtr((few + 0.5 - mean) / max(spread, 1e-12)))
