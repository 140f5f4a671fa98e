"""Logistic regression on counts: few cells, real-valued trials, by Newton's method."""

from dataclasses import dataclass

import numpy as np
from scipy import special

from layer7.errors import Layer7Error
from layer7.statistics.arrays import FloatArray

STEPS = 100
SETTLED = 1e-9
SEPARATED = 1e-6
TOO_STEEP = 1e3


@dataclass(frozen=True, slots=True, eq=False)
class LogisticFit:
    """Coefficients of a logistic regression, how sure they are, and how well they fit.

    Args:
        coefficients: one per column of the design.
        covariance: inverse of the observed information, square.
        log_likelihood: Σ k η - n ln(1 + e^η) at the coefficients.
    """

    coefficients: FloatArray
    covariance: FloatArray
    log_likelihood: float

    @property
    def standard_errors(self) -> FloatArray:
        """Square roots of the variances."""
        errors: FloatArray = np.sqrt(np.diag(self.covariance))
        return errors


def log_likelihood(predictor: FloatArray, events: FloatArray, trials: FloatArray) -> float:
    """The binomial log-likelihood Σ k η - n ln(1 + e^η), without its constant.

    Args:
        predictor: log odds η, one per cell.
        events: successes k per cell.
        trials: trials n per cell, may be fractional.

    Example:
        >>> round(log_likelihood(np.zeros(1), np.ones(1), np.full(1, 2.0)), 3)
        -1.386
    """
    return float(events @ predictor - trials @ np.logaddexp(0.0, predictor))


def fit_logistic(
    design: FloatArray, events: FloatArray, trials: FloatArray, *, offset: FloatArray | None = None
) -> LogisticFit:
    """Maximum likelihood of logit π = offset + design b, with k of n events per cell.

    Newton's method (iteratively reweighted least squares) with step halving. With fractional trials this
    is the quasi-likelihood of effective counts.

    Args:
        design: one row per cell, one column per coefficient.
        events: successes per cell, 0 to trials.
        trials: trials per cell.
        offset: known part of the log odds per cell; None for zero.

    Raises:
        Layer7Error: ``no_fit`` if the coefficients run off (events and non-events separated, or a column
            that does not vary).

    Source:
        McCullagh and Nelder (1989), Generalized Linear Models, section 4.4.

    Example:
        >>> fit = fit_logistic(np.ones((1, 1)), np.array([20.0]), np.array([100.0]))
        >>> round(float(special.expit(fit.coefficients[0])), 3)
        0.2
    """
    known = np.zeros(events.size) if offset is None else offset
    beta = np.zeros(design.shape[1])
    height = log_likelihood(known, events, trials)
    for _ in range(STEPS):
        probability = special.expit(known + design @ beta)
        slope = design.T @ (events - trials * probability)
        weight = trials * probability * (1 - probability)
        if weight.sum() < SEPARATED:
            raise _no_fit()
        information = (design.T * weight) @ design
        step = _solve(information, slope)
        gain = float(slope @ step)
        new = log_likelihood(known + design @ (beta + step), events, trials)
        while not new >= height - SETTLED and np.abs(step).max() > SETTLED:
            step = step / 2
            new = log_likelihood(known + design @ (beta + step), events, trials)
        beta, height = beta + step, new
        if gain < SETTLED and np.abs(beta).max() < TOO_STEEP:
            return LogisticFit(beta, np.asarray(np.linalg.inv(information), dtype=np.float64), height)
    raise _no_fit()


def _solve(information: FloatArray, slope: FloatArray) -> FloatArray:
    if not np.isfinite(information).all() or np.linalg.cond(information) > 1e14:
        raise _no_fit()
    return np.asarray(np.linalg.solve(information, slope), dtype=np.float64)


def _no_fit() -> Layer7Error:
    return Layer7Error(
        "no_fit",
        "The logistic regression has no finite solution on these counts.",
        "Wait for more events, spread over more than one score.",
    )
