"""Looking as often as one likes: confidence sequences that hold at all times together."""

import math

import numpy as np
import scipy

from layer7.errors import Layer7Error
from layer7.statistics.trials.contrast import Contrast

ONE_SIDED = (1e-5, 0.4999)
"""Where the one-sided p-value is searched for."""


def check_alpha(alpha: float) -> None:
    """Refuses an accepted probability of a false alarm that is not between 0 and 1/2.

    Args:
        alpha: the probability.

    Raises:
        Layer7Error: ``bad_alpha``.
    """
    if not 0 < alpha < 0.5:
        raise Layer7Error("bad_alpha", f"alpha is {alpha}; it lies between 0 and 0.5.", "0.05 is customary.")


def tuning(planned: float, alpha: float, *, one_sided: bool = False) -> float:
    """Gives rho, which makes the sequence tightest when as many units have come as are planned.

    rho = sqrt((-2 ln a + ln(-2 ln a + 1)) / N*), a = alpha, doubled if one-sided.

    Args:
        planned: units N* of both arms at which a decision is expected, above 0; fixed for an experiment.
        alpha: accepted probability of a false alarm, between 0 and 0.5.
        one_sided: whether only one direction counts.

    Raises:
        Layer7Error: ``bad_plan``; ``bad_alpha``.

    Source:
        Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas (2024), arXiv 2103.06476v7, eq. 161.

    Example:
        >>> round(tuning(500, 0.05), 6)
        0.125985
    """
    check_alpha(alpha)
    if not 0 < planned < math.inf:
        raise Layer7Error("bad_plan", f"{planned} units are planned.", "Plan a positive number of units.")
    log = -2 * math.log(2 * alpha if one_sided else alpha)
    return math.sqrt((log + math.log(log + 1)) / planned)


def critical_anytime(n: float, planned: float, alpha: float, *, one_sided: bool = False) -> float:
    """Gives how many standard errors a confidence sequence reaches on either side.

    Two-sided: sqrt(2 (n rho² + 1) / (n rho²) ln(sqrt(n rho² + 1) / alpha)); one-sided the logarithm is of
    1 + sqrt(n rho² + 1) / (2 alpha).

    Args:
        n: units of both arms so far, above 0.
        planned: units N* at which a decision is expected.
        alpha: accepted probability of a false alarm at any time.
        one_sided: whether only one direction counts.

    Raises:
        Layer7Error: ``bad_plan``; ``bad_alpha``.

    Source:
        Waudby-Smith and others (2024), eq. 9 and 134; the boundary of Howard, Ramdas, McAuliffe and Sekhon
        (2021), arXiv 1810.08240, eq. 14, is the same.

    Trust:
        Asymptotically, for means of finite variance; for counts below about 20 events use
        `layer7.statistics.trials.counts`.

    Example:
        >>> round(critical_anytime(200, 5000, 0.05), 3)
        5.1
    """
    return _reach(n, tuning(planned, alpha, one_sided=one_sided), alpha, one_sided=one_sided)


def p_anytime(contrast: Contrast, planned: float) -> float | None:
    """Gives the two-sided p-value that may be read at any time; None without any variance.

    p = min(1, sqrt(n rho² + 1) exp(-rho² T / (2 (n rho² + 1)))), T = n z². rho is tuned for alpha = 0.05.

    Args:
        contrast: what was found so far.
        planned: units N* at which a decision is expected.

    Raises:
        Layer7Error: ``bad_plan``.

    Source:
        Waudby-Smith and others (2024), eq. 155.

    Example:
        >>> p_anytime(Contrast(estimate=1, standard_error=0.2, freedom=math.inf, n=400), 400) < 0.001
        True
    """
    z = contrast.z
    if z is None:
        return None
    spread = contrast.n * tuning(planned, 0.05) ** 2
    exponent = -spread * z**2 / (2 * (spread + 1))
    return min(1.0, math.sqrt(spread + 1) * math.exp(exponent))


def p_anytime_one_sided(contrast: Contrast, planned: float, *, alpha: float = 0.05) -> float | None:
    """Gives the p-value of "treatment is better", which may be read at any time; None without any variance.

    The smallest alpha whose one-sided sequence excludes zero, rho held at the planned alpha; between 1e-5
    and 0.5, or 1 where none does.

    Args:
        contrast: what was found so far; change its sign to ask for harm.
        planned: units N* at which a decision is expected.
        alpha: the planned alpha.

    Raises:
        Layer7Error: ``bad_plan``; ``bad_alpha``.

    Source:
        Waudby-Smith and others (2024), eq. 134, inverted numerically.

    Example:
        >>> p_anytime_one_sided(Contrast(estimate=0, standard_error=1, freedom=math.inf, n=9), 100)
        1.0
    """
    z = contrast.z
    if z is None:
        return None
    rho = tuning(planned, alpha, one_sided=True)

    def beyond(level: float) -> float:
        return _reach(contrast.n, rho, level, one_sided=True) - z

    low, high = ONE_SIDED
    if beyond(high) > 0:
        return 1.0
    if beyond(low) < 0:
        return low
    return float(scipy.optimize.brentq(beyond, low, high, xtol=1e-12))


def _reach(n: float, rho: float, alpha: float, *, one_sided: bool) -> float:
    if n <= 0:
        raise Layer7Error("bad_plan", f"A confidence sequence of {n} units.", "Wait for the first unit.")
    spread = n * rho**2
    root = math.sqrt(spread + 1)
    log = math.log1p(root / (2 * alpha)) if one_sided else math.log(root / alpha)
    return float(np.sqrt(2 * (spread + 1) / spread * log))
