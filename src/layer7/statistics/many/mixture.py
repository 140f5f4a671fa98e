"""What is believed of several numbers at once when their spread is not known: mixtures of normals."""

from dataclasses import dataclass

import numpy as np
from scipy import special

from layer7.statistics.arrays import Column, FloatArray, column
from layer7.statistics.rates.intervals import normal_quantile

HALVINGS = 60


@dataclass(frozen=True, slots=True, eq=False)
class Mixture:
    """One mixture of normals for each of several numbers, with weights in common.

    Args:
        mean: mean of each number.
        sd: standard deviation of each number.
        weights: probability of each part; they add up to 1.
        means: mean of each number given each part, one row per part.
        sds: its standard deviation given each part, above 0.
    """

    mean: FloatArray
    sd: FloatArray
    weights: FloatArray
    means: FloatArray
    sds: FloatArray

    @classmethod
    def of(cls, weights: FloatArray, means: FloatArray, sds: FloatArray) -> "Mixture":
        """Make a mixture from its parts; the weights need not add up to 1.

        Example:
            >>> found = Mixture.of(np.ones(2), np.array([[-1.0], [1.0]]), np.ones((2, 1)))
            >>> found.mean.tolist(), found.sd.round(3).tolist(), found.above(0).tolist()
            ([0.0], [1.414], [0.5])
        """
        share = weights / weights.sum()
        mean = share @ means
        spread = np.sqrt(share @ (sds**2 + (means - mean) ** 2))
        return cls(mean=mean, sd=spread, weights=share, means=means, sds=sds)

    def above(self, threshold: Column) -> FloatArray:
        """Probability that each number exceeds a threshold.

        Args:
            threshold: one for all numbers, or one for each.
        """
        z = (self.means - column("threshold", threshold)) / self.sds
        return np.clip(self.weights @ special.ndtr(z), 0.0, 1.0)

    def interval(self, level: float = 0.95) -> tuple[FloatArray, FloatArray]:
        """Ends between which each number lies with a probability, as much outside on each side.

        Args:
            level: probability, between 0 and 1.

        Raises:
            Layer7Error: ``bad_level``.
        """
        reach = 2 * normal_quantile(level) + 4
        tail = (1 - level) / 2
        return self._quantile(tail, reach), self._quantile(1 - tail, reach)

    def _quantile(self, share: float, reach: float) -> FloatArray:
        low = (self.means - reach * self.sds).min(axis=0)
        high = (self.means + reach * self.sds).max(axis=0)
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            below = 1 - self.above(middle) < share
            low, high = np.where(below, middle, low), np.where(below, high, middle)
        return np.asarray((low + high) / 2, dtype=np.float64)
