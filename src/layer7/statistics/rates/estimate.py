"""An estimate with its standard error, from sums over folds of people."""

import math
from dataclasses import dataclass

import numpy as np
from scipy import special

from layer7.statistics.arrays import FloatArray
from layer7.statistics.rates.intervals import Interval, check_level

LEAST_FOLDS = 8
"""With fewer folds of people than this, how much people differ cannot be told."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number, its standard error, and on how many independent folds of people that error rests.

    Args:
        value: the estimate.
        error: its standard error, above 0.
        folds: folds of people that are not empty; the reference law is Student's t with folds - 1.

    Example:
        >>> found = Estimate(0.2, 0.05, 64)
        >>> round(found.interval().low, 3), round(found.p_value, 4)
        (0.1, 0.0002)
    """

    value: float
    error: float
    folds: int

    def interval(self, level: float = 0.95) -> Interval:
        """The interval value ± t · error.

        Args:
            level: confidence, between 0 and 1.

        Raises:
            Layer7Error: ``bad_level``.
        """
        check_level(level)
        reach = float(special.stdtrit(self.folds - 1, (1 + level) / 2)) * self.error
        return Interval(self.value - reach, self.value + reach, level)

    @property
    def p_value(self) -> float:
        """Two-sided probability of so large a value where there is no effect."""
        return float(2 * special.stdtr(self.folds - 1, -abs(self.value) / self.error))


def error_over_folds(deviations: FloatArray) -> float:
    """Standard error of a sum of fold totals: sqrt(G / (G - 1) Σ z²), z the deviations of the G folds.

    People are independent, their cases are not; whatever happens inside a fold is in its total.

    Args:
        deviations: one per fold that is not empty, adding up to about 0.

    Source:
        Liang and Zeger (1986), Biometrika 73:13-22, with the correction of small numbers of clusters.

    Example:
        >>> error_over_folds(np.array([1.0, -1.0]))
        2.0
    """
    folds = deviations.size
    return math.sqrt(folds / (folds - 1) * float(deviations @ deviations))


def share_over_folds(sums: FloatArray, sizes: FloatArray) -> Estimate:
    """A ratio Σ y / Σ n with its error over folds of people (the delta method on fold totals).

    Args:
        sums: Σ y by fold.
        sizes: Σ n by fold; a fold of size 0 is empty.

    Example:
        >>> found = share_over_folds(np.array([1.0, 3.0, 0.0]), np.array([10.0, 10.0, 0.0]))
        >>> found.value, round(found.error, 3), found.folds
        (0.2, 0.1, 2)
    """
    filled = sizes > 0
    total = float(sizes.sum())
    value = float(sums.sum()) / total
    error = error_over_folds((sums - sizes * value)[filled]) / total
    return Estimate(value, max(error, np.finfo(float).tiny), int(filled.sum()))


def probability_above(mean: float, sd: float) -> float:
    """Probability that a normal number lies above 0.

    Args:
        mean: its mean.
        sd: its standard deviation, above 0.

    Example:
        >>> probability_above(0.0, 1.0)
        0.5
    """
    return float(special.ndtr(mean / sd))


def expected_loss(mean: float, sd: float) -> float:
    """What a normal number falls below 0 on average, E max(-x, 0) = s φ(m/s) - m Φ(-m/s).

    Args:
        mean: its mean m.
        sd: its standard deviation s, above 0.

    Source:
        DeGroot (1970), Optimal Statistical Decisions, section 11.9.

    Example:
        >>> round(expected_loss(0.0, 1.0), 4), round(expected_loss(2.0, 1.0), 4)
        (0.3989, 0.0085)
    """
    z = mean / sd
    density = math.exp(-z * z / 2) / math.sqrt(2 * math.pi)
    return max(sd * density - mean * float(special.ndtr(-z)), 0.0)
