"""Whether the arms got the shares of units that were planned: exact, by chi-square, and at every look."""

import math
from collections.abc import Sequence

import numpy as np
from scipy import special

from layer7.errors import Layer7Error
from layer7.statistics.arrays import FloatArray, counts

ALARM = 0.001
"""Below this p-value the split is not the planned one, and no verdict may be read."""

EXACT_BELOW = 1000
PRIOR = 100.0
"""How many units of belief in the planned split the sequential test begins with."""


def sample_ratio_p(units: Sequence[float], planned: Sequence[float]) -> float | None:
    """Gives the p-value of the planned split for one look.

    Two arms with fewer than 1000 units: the exact binomial test. Else Pearson's chi-square over the arms
    whose planned share is not zero.

    Args:
        units: whole number of units per arm.
        planned: planned share per arm, divided by their sum; an arm with share 0 is left out.

    Returns:
        None while no unit has come; 0 if units came to an arm that was planned to have none.

    Raises:
        Layer7Error: ``bad_split``; ``bad_counts``.

    Source:
        Fabijan and others (2019), KDD, *Diagnosing sample ratio mismatch*.

    Example:
        >>> f"{sample_ratio_p([821588, 815482], [0.5, 0.5]):.4e}", round(sample_ratio_p([53, 47], [1, 1]), 6)
        ('1.8218e-06', 0.617299)
    """
    seen, share, stray = _split(units, planned)
    if stray:
        return 0.0
    total = seen.sum()
    if total == 0 or seen.size < 2:
        return None
    if seen.size == 2 and total < EXACT_BELOW:
        return _binomial(int(seen[0]), int(total), float(share[0]))
    expected = share * total
    return float(special.chdtrc(seen.size - 1, ((seen - expected) ** 2 / expected).sum()))


def sample_ratio_p_anytime(units: Sequence[float], planned: Sequence[float]) -> float | None:
    """Gives a p-value of the planned split that may be read at every look: one over the Bayes factor.

    E = B(a + s) / (B(a) Π share^s) with the multivariate beta function B, a = 100 x share and s the units so
    far; under the planned split E is a martingale, so p = min(1, 1 / E) is below x at any time with a
    probability of at most x.

    Args:
        units: whole number of units per arm so far.
        planned: planned share per arm.

    Returns:
        None while no unit has come; 0 if units came to an arm that was planned to have none.

    Raises:
        Layer7Error: ``bad_split``; ``bad_counts``.

    Source:
        Lindon and Malek (2022), NeurIPS, *Anytime-valid inference for multinomial count data*, eq. 4.

    Example:
        >>> sample_ratio_p_anytime([4072, 2035], [0.8, 0.2]) < 1e-100
        True
    """
    seen, share, stray = _split(units, planned)
    if stray:
        return 0.0
    if seen.sum() == 0 or seen.size < 2:
        return None
    prior = PRIOR * share
    log = _log_beta(prior + seen) - _log_beta(prior) - float(seen @ np.log(share))
    return min(1.0, math.exp(min(-log, 0.0)))


def _split(units: Sequence[float], planned: Sequence[float]) -> tuple[FloatArray, FloatArray, bool]:
    seen, share = counts("units", units), counts("planned", planned)
    if seen.size != share.size or share.sum() <= 0 or (seen != np.rint(seen)).any():
        raise Layer7Error(
            "bad_split",
            f"Units {list(units)} for planned shares {list(planned)}.",
            "Give a whole number of units and a share for each arm.",
        )
    live = share > 0
    return seen[live], share[live] / share.sum(), bool(seen[~live].sum() > 0)


def _binomial(k: int, n: int, share: float) -> float:
    """The exact two-sided binomial test: all outcomes that are at most as likely as this one."""
    x = np.arange(n + 1)
    log = special.gammaln(n + 1) - special.gammaln(x + 1) - special.gammaln(n - x + 1)
    log = log + special.xlogy(x, share) + special.xlog1py(n - x, -share)
    likely = np.exp(log)
    return float(min(1.0, likely[likely <= likely[k] * (1 + 1e-7)].sum()))


def _log_beta(a: FloatArray) -> float:
    return float(special.gammaln(a).sum() - special.gammaln(a.sum()))
