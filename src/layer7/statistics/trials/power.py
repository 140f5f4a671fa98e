"""How many units an experiment needs, and what it can find with those it gets."""

import math
from collections.abc import Sequence

import numpy as np
from scipy import special

from layer7.errors import Layer7Error
from layer7.statistics.trials.anytime import check_alpha, critical_anytime
from layer7.statistics.trials.group_sequential import bounds, crossing_probability


def power_fixed(effect: float, standard_error: float, alpha: float = 0.05) -> float:
    """Gives the probability of a two-sided rejection at one planned look.

    1 - Φ(z - d) + Φ(-z - d), d = effect / se, z = Φ⁻¹(1 - alpha / 2).

    Args:
        effect: true difference.
        standard_error: of the estimate at that look, above 0.
        alpha: accepted probability of a false alarm.

    Raises:
        Layer7Error: ``bad_design``; ``bad_alpha``.

    Example:
        >>> round(power_fixed(0.05, math.sqrt((0.1 * 0.9 + 0.15 * 0.85) / 686)), 2)
        0.8
    """
    check_alpha(alpha)
    if not 0 < standard_error < math.inf:
        raise Layer7Error("bad_design", f"A standard error of {standard_error}.", "It is above 0.")
    z, d = -special.ndtri(alpha / 2), effect / standard_error
    return float(special.ndtr(d - z) + special.ndtr(-z - d))


def power_sequential(
    effect: float, standard_error: float, looks: Sequence[float], alpha: float = 0.05
) -> float:
    """Gives the probability that any of the planned looks crosses its group-sequential bound.

    Args:
        effect: true difference.
        standard_error: of the estimate at the planned end, above 0.
        looks: information fractions of the looks, the last is 1.
        alpha: accepted probability of a false alarm over all looks.

    Raises:
        Layer7Error: ``bad_looks``; ``bad_design``; ``bad_alpha``.

    Example:
        >>> round(power_sequential(2.8, 1.0, [0.5, 1.0]), 2)
        0.79
    """
    if not 0 < standard_error < math.inf:
        raise Layer7Error("bad_design", f"A standard error of {standard_error}.", "It is above 0.")
    limits = bounds(looks, alpha)
    return min(1.0, sum(crossing_probability(looks, limits, effect / standard_error)))


def power_anytime(effect: float, standard_error: float, alpha: float = 0.05) -> float:
    """Gives the probability that a confidence sequence excludes zero at the planned end.

    Φ(d - c) + Φ(-d - c), d = effect / se, c the reach of the sequence at the units that it is tuned for. That
    it may have excluded zero before is not counted: a lower bound.

    Args:
        effect: true difference.
        standard_error: of the estimate at the planned end, above 0.
        alpha: accepted probability of a false alarm at any time.

    Raises:
        Layer7Error: ``bad_design``; ``bad_alpha``.

    Example:
        >>> round(power_anytime(4.0, 1.0), 2)
        0.83
    """
    if not 0 < standard_error < math.inf:
        raise Layer7Error("bad_design", f"A standard error of {standard_error}.", "It is above 0.")
    reach, d = critical_anytime(1.0, 1.0, alpha), effect / standard_error
    return float(special.ndtr(d - reach) + special.ndtr(-d - reach))


def units_needed(
    effect: float,
    variances: tuple[float, float],
    *,
    alpha: float = 0.05,
    power: float = 0.8,
    share: float = 0.5,
) -> int:
    """Gives how many units both arms need together for one planned look.

    n = (z_{1 - alpha / 2} + z_power)² (v_c / (1 - share) + v_t / share) / effect².

    Args:
        effect: smallest worthwhile difference, not 0.
        variances: variance of one unit's part in the metric, of control and treatment.
        alpha: accepted probability of a false alarm.
        power: wanted probability of proving the effect, above 0.5 and below 1.
        share: of the treatment among the units, between 0 and 1.

    Raises:
        Layer7Error: ``bad_design``; ``bad_alpha``.

    Source:
        G*Power's z tests; checked against the references of `spotify-confidence`.

    Example:
        >>> units_needed(0.3, (100.0, 100.0), power=0.85)
        39904
    """
    check_alpha(alpha)
    if effect == 0 or not math.isfinite(effect) or min(variances) < 0 or not 0 < share < 1:
        raise Layer7Error(
            "bad_design",
            f"An effect of {effect}, variances {variances}, a treatment share of {share}.",
            "Name a smallest worthwhile effect other than 0, and a share between 0 and 1.",
        )
    if not 0.5 < power < 1:
        raise Layer7Error("bad_design", f"A power of {power}.", "It lies between 0.5 and 1; 0.8 is usual.")
    z = float(-special.ndtri(alpha / 2) + special.ndtri(power))
    spread = variances[0] / (1 - share) + variances[1] / share
    return math.ceil(z**2 * spread / effect**2 - 1e-9)


def detectable(standard_error: float, *, alpha: float = 0.05, power: float = 0.8) -> float:
    """Gives the smallest effect that is proven with the wanted power: (z_{1 - alpha / 2} + z_power) se.

    Args:
        standard_error: of the estimate at the planned end, above 0.
        alpha: accepted probability of a false alarm.
        power: wanted probability.

    Raises:
        Layer7Error: ``bad_alpha``.

    Example:
        >>> round(detectable(0.01), 4)
        0.028
    """
    check_alpha(alpha)
    return float(np.sum([-special.ndtri(alpha / 2), special.ndtri(power)])) * standard_error
