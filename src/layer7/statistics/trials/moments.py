"""What an arm of an experiment is told by: a count, sums and sums of products, which add."""

from dataclasses import dataclass

import numpy as np

from layer7.errors import Layer7Error
from layer7.statistics.arrays import Column, FloatArray, column

ROUNDING = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ArmMoments:
    """One arm's units: how many, and the sums and sums of products of their columns.

    The columns are the metric's: ``y`` of a mean, ``m`` and ``d`` of a ratio, and as many again from before
    the experiment where there is adjustment. Moments of days, shards and strata add.

    Args:
        n: units, not negative.
        sums: sum of each column, shape (k,).
        products: sum of the products of each pair of columns, shape (k, k), symmetric.

    Raises:
        Layer7Error: ``bad_moments`` if shapes differ, n is negative, the products are not symmetric or
            smaller than the sums allow; ``not_finite``.

    Example:
        >>> one, two = ArmMoments.of([[1.0], [3.0]]), ArmMoments.of([[5.0]])
        >>> (one + two).n, (one + two).mean.tolist(), (one + two).covariance.tolist()
        (3.0, [3.0], [[4.0]])
    """

    n: float
    sums: FloatArray
    products: FloatArray

    def __post_init__(self) -> None:
        sums, products = column("sums", self.sums), column("products", self.products)
        object.__setattr__(self, "sums", sums)
        object.__setattr__(self, "products", products)
        k = sums.size
        if sums.ndim != 1 or products.shape != (k, k) or not 0 <= self.n < np.inf:
            raise Layer7Error(
                "bad_moments",
                f"n = {self.n} with sums of shape {sums.shape} and products of shape {products.shape}.",
                "Give n of 0 or more, k sums and k x k sums of products.",
            )
        scale = np.abs(products).max(initial=0.0) * ROUNDING
        below = self.n * products.diagonal() - sums**2 < -self.n * scale
        if np.abs(products - products.T).max(initial=0.0) > scale or below.any():
            raise Layer7Error(
                "bad_moments",
                "The sums of products do not fit the sums: a variance would be negative.",
                "Sum values and products over the same units.",
            )

    @classmethod
    def of(cls, rows: Column) -> "ArmMoments":
        """Counts units given one by one.

        Args:
            rows: one row per unit, one column per column of the metric, shape (n, k).

        Raises:
            Layer7Error: ``bad_moments`` if the rows are no table; ``not_finite``.
        """
        table = column("rows", rows)
        if table.ndim != 2:
            raise Layer7Error("bad_moments", f"Rows of shape {table.shape}.", "Give one row per unit.")
        return cls(n=float(len(table)), sums=table.sum(axis=0), products=table.T @ table)

    def __add__(self, other: "ArmMoments") -> "ArmMoments":
        """Gives the moments of both parts' units together."""
        return ArmMoments(
            n=self.n + other.n, sums=self.sums + other.sums, products=self.products + other.products
        )

    @property
    def mean(self) -> FloatArray:
        """Mean of each column, shape (k,); there must be at least one unit."""
        return self.sums / self.n

    @property
    def covariance(self) -> FloatArray:
        """Unbiased covariance between columns, shape (k, k); there must be at least two units."""
        centred = self.products - np.outer(self.sums, self.sums) / self.n
        return centred / (self.n - 1)

    @property
    def carriers(self) -> float:
        """How many units, if all had as much, would carry the sum of column 0: (Σx)² / Σx²; 0 for none.

        Where the column counts what seldom happens, it is about how often that was.

        Source:
            Kish (1965), *Survey Sampling*, section 11.7, for weights.

        Example:
            >>> ArmMoments.of([[0.0], [1.0], [0.0], [1.0]]).carriers
            2.0
        """
        square = float(self.products[0, 0])
        return float(self.sums[0]) ** 2 / square if square > 0 else 0.0
