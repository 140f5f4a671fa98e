"""Shrinkage: many noisy effects of one kind, each drawn towards none by how much they really differ."""

from dataclasses import dataclass

import numpy as np
from scipy import special

from layer7.errors import Layer7Error
from layer7.statistics.arrays import Column, FloatArray, column
from layer7.statistics.rates.intervals import normal_quantile

GRID = 200
WIDEST = 4.0


@dataclass(frozen=True, slots=True, eq=False)
class Spread:
    """Shrunk effects.

    Args:
        mean: posterior mean of each.
        error: posterior standard deviation of each.
        above: probability that each is above 0.
        deviation: posterior mean of the standard deviation of the true effects.
    """

    mean: FloatArray
    error: FloatArray
    above: FloatArray
    deviation: float

    def interval(self, level: float = 0.95) -> tuple[FloatArray, FloatArray]:
        """Lower and upper ends: mean ± z error.

        Args:
            level: confidence, between 0 and 1.
        """
        reach = normal_quantile(level) * self.error
        return self.mean - reach, self.mean + reach


def shrink(estimates: Column, errors: Column, *, scale: float = 0.25) -> Spread:
    """Random effects: estimate_l ~ N(b_l, error_l²), b_l ~ N(0, t²), t half-normal with a given scale.

    Given t, the posterior of b_l is N(w_l estimate_l, w_l error_l²), w_l = t² / (t² + error_l²); it is
    averaged over t, whose posterior is computed on a grid, so that not knowing t widens the intervals.

    Trust it for effects of one kind, each with its own error; errors count as independent.

    Args:
        estimates: effects, for example logarithms of rate ratios.
        errors: their standard errors, above 0.
        scale: how much effects of this kind may differ, before looking.

    Raises:
        Layer7Error: ``bad_error`` for an error that is not above 0; ``not_finite``.

    Source:
        Gelman (2006), Bayesian Analysis 1:515-533, section 5, for the prior; Efron and Morris (1975),
        JASA 70:311-319, for the shrinkage.

    Example:
        >>> told = shrink([0.3, -0.1, 0.0, -0.2], [0.2] * 4)
        >>> told.mean.round(2).tolist()
        [0.08, -0.03, 0.0, -0.05]
    """
    given, noise = column("estimates", estimates), column("errors", errors)
    if (noise <= 0).any() or not scale > 0:
        raise Layer7Error("bad_error", "A standard error is not above 0.", "Leave out what has no error.")
    deviations = np.linspace(0, WIDEST * scale, GRID + 1)
    variance = deviations[:, None] ** 2 + noise**2
    height = -0.5 * (given**2 / variance + np.log(variance)).sum(axis=1) - 0.5 * (deviations / scale) ** 2
    weight = special.softmax(height)
    share = deviations[:, None] ** 2 / variance
    means, errors_given = share * given, np.sqrt(share) * noise
    mean = weight @ means
    spread = weight @ (errors_given**2 + means**2) - mean**2
    with np.errstate(divide="ignore", invalid="ignore"):
        chance = np.where(
            errors_given > 0, special.ndtr(means / np.where(errors_given > 0, errors_given, 1)), 0.5
        )
    return Spread(mean, np.sqrt(np.maximum(spread, 0.0)), weight @ chance, float(weight @ deviations))
