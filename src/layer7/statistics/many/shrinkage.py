"""Effects of many levels at once: each borrows strength from the others, as far as they are alike."""

from dataclasses import dataclass

import numpy as np

from layer7.errors import Layer7Error
from layer7.statistics.arrays import Column, FloatArray, column
from layer7.statistics.many.mixture import Mixture

SPREAD_SCALE = 0.5
GRID = 81


@dataclass(frozen=True, slots=True, eq=False)
class Shrunken:
    """What is believed of each level once all levels are seen.

    Args:
        effects: of the levels, a mixture over the spread between them.
        centre: posterior mean of the centre that the levels scatter about.
        spread: posterior mean of the standard deviation between levels.
        pull: weight of the centre in each level's mean, 0 (its own estimate) to 1.
    """

    effects: Mixture
    centre: float
    spread: float
    pull: FloatArray


def shrink(
    estimates: Column, errors: Column, *, centre: float | None = None, scale: float = SPREAD_SCALE
) -> Shrunken:
    """Estimate the effects of levels that scatter about a common centre.

    Each estimate y_s ~ N(theta_s, e_s²), theta_s ~ N(mu, tau²), mu flat (or given), tau half-normal with the
    given scale. Given tau, mu has precision Σ 1/(e_s² + tau²), and theta_s has mean B_s mu + (1 - B_s) y_s
    and variance (1 - B_s) e_s² + B_s² var(mu), B_s = e_s² / (e_s² + tau²). The spread tau is summed out on a
    grid by its marginal likelihood, so that not knowing it widens the intervals; one number in its place
    makes them too narrow when levels are few.

    Trust it for estimates that are close to normal with known errors: log odds from about five events on.
    The prior says that levels of one dimension seldom differ by more than a factor of e; with many levels it
    hardly matters.

    Args:
        estimates: one per level, for example log odds.
        errors: their standard errors, above 0.
        centre: the centre if it is known, such as 0 for effects of single persons; None to estimate it.
        scale: how far levels may differ, in the unit of the estimates, above 0.

    Raises:
        Layer7Error: ``no_levels``; ``bad_error`` for an error or a scale not above 0; ``not_finite``.

    Source:
        Gelman and others (2013), Bayesian Data Analysis, 3rd edition, section 5.4, eq. 5.17 to 5.21; Röver
        (2020), Journal of Statistical Software 93(6), for the half-normal prior.

    Example:
        >>> found = shrink([0.9, 0.1, 0.0, 0.1], [0.5, 0.2, 0.2, 0.2]).effects
        >>> found.mean.round(2).tolist(), found.above(0.0).round(2).tolist()
        ([0.25, 0.11, 0.08, 0.11], [0.86, 0.78, 0.7, 0.78])
    """
    y, e = np.broadcast_arrays(column("estimates", estimates), column("errors", errors))
    if y.ndim != 1 or not y.size:
        raise Layer7Error("no_levels", "There is no level to estimate.", "Give one estimate per level.")
    if (e <= 0).any() or scale <= 0:
        raise Layer7Error("bad_error", "A standard error is not above 0.", "Leave out levels without one.")
    spreads = np.linspace(0.0, 4 * scale, GRID)[:, None]
    total = e**2 + spreads**2
    precision = (1 / total).sum(axis=1, keepdims=True)
    known = centre is not None
    middle = np.full_like(precision, centre) if known else (y / total).sum(axis=1, keepdims=True) / precision
    middle_variance = np.zeros_like(precision) if known else 1 / precision
    fit = -0.5 * (np.log(total) + (y - middle) ** 2 / total).sum(axis=1, keepdims=True)
    fit = fit + 0.5 * np.log(np.where(known, 1.0, middle_variance)) - 0.5 * (spreads / scale) ** 2
    weights = np.exp(fit - fit.max())[:, 0]
    pull = e**2 / total
    means = pull * middle + (1 - pull) * y
    sds = np.sqrt((1 - pull) * e**2 + pull**2 * middle_variance)
    # A level at a known centre without any spread has no error left.
    effects = Mixture.of(weights, means, np.maximum(sds, 1e-9))
    return Shrunken(
        effects=effects,
        centre=float(effects.weights @ middle[:, 0]),
        spread=float(effects.weights @ spreads[:, 0]),
        pull=effects.weights @ pull,
    )
