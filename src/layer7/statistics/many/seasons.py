"""Months of the year, told apart from a trend and from months that were merely odd."""

from itertools import product

import numpy as np

from layer7.errors import Layer7Error
from layer7.statistics.arrays import Column, FloatArray, column
from layer7.statistics.many.mixture import Mixture

FEWEST_MONTHS = 24
YEAR = 12
_SEASON = np.geomspace(0.005, 0.6, 16)
_ODD = np.linspace(0.0, 0.3, 7)
_SEASON_SCALE, _ODD_SCALE = 0.2, 0.1


def month_effects(month: Column, log_rates: Column, errors: Column) -> Mixture:
    """Estimate the effect of each month of the year on the log rate, shrunk towards none.

    y_t = a + b t + theta_m(t) + odd_t + noise_t over successive months t, with noise_t ~ N(0, e_t²), odd_t ~
    N(0, s²) for months that were merely unlike others, theta_m ~ N(0, v²), a and b flat, v and s half-normal
    (scales 0.2 and 0.1) and summed out on a grid. Given v and s the effects are best linear unbiased
    predictions; they are told against their own mean, so that they say better or worse than the year. With
    one year, theta and odd cannot be told apart: below 24 months the question is refused.

    Args:
        month: months counted from a January, one per rate, no two alike.
        log_rates: natural logarithms of the rates.
        errors: their standard errors, above 0.

    Returns:
        Effects on the log rate of the 12 months, January first; of a month that was never seen, the prior's.

    Raises:
        Layer7Error: ``too_few_months`` below 24; ``bad_error``; ``not_finite``.

    Source:
        Robinson (1991), Statistical Science 6:15-51, eq. 1.3, for the predictions; Gelman and others (2013),
        Bayesian Data Analysis, section 15.2, for the mixture over variances.

    Example:
        >>> y = np.tile([-3.0] * 11 + [-3.5], 3)
        >>> found = month_effects(np.arange(36), y, np.full(36, 0.05))
        >>> found.mean[[0, 11]].round(1).tolist()
        [0.0, -0.4]
    """
    t, y, e = column("month", month), column("rates", log_rates), column("errors", errors)
    if t.size < FEWEST_MONTHS:
        raise Layer7Error(
            "too_few_months", f"{t.size} months tell no season.", f"Wait for {FEWEST_MONTHS} months."
        )
    if (e <= 0).any():
        raise Layer7Error("bad_error", "A standard error is not above 0.", "Leave out months without trials.")
    own = (t[:, None] % YEAR == np.arange(YEAR)).astype(np.float64)
    design = np.column_stack((np.ones_like(t), (t - t.mean()) / YEAR, own))
    against = np.eye(YEAR) - 1 / YEAR
    fits, means, sds = [], [], []
    for season, odd in product(_SEASON, _ODD):
        fit, effect, variance = _given(season, 1 / (e**2 + odd**2), design, y)
        fits.append(fit - 0.5 * (season / _SEASON_SCALE) ** 2 - 0.5 * (odd / _ODD_SCALE) ** 2)
        means.append(against @ effect)
        sds.append(np.sqrt(np.maximum(np.diag(against @ variance @ against), 1e-18)))
    weights = np.exp(np.array(fits) - max(fits))
    return Mixture.of(weights, np.array(means), np.array(sds))


def _given(
    season: float, precision: FloatArray, design: FloatArray, y: FloatArray
) -> tuple[float, FloatArray, FloatArray]:
    """Restricted log-likelihood, effects and their covariance, the variances being given.

    Henderson's mixed-model equations: the two fixed columns and the twelve effects are solved together.
    """
    weighted = design * precision[:, None]
    equations = weighted.T @ design
    equations[2:, 2:] += np.eye(YEAR) / season**2
    right = weighted.T @ y
    inverse = np.asarray(np.linalg.inv(equations), dtype=np.float64)
    solved = inverse @ right
    heights = float(np.linalg.slogdet(equations)[1] - np.log(precision).sum()) + 2 * YEAR * np.log(season)
    misfit = float(precision @ y**2 - right @ solved)
    return -0.5 * (heights + misfit), solved[2:], inverse[2:, 2:]
