"""The highest point of a log-likelihood, and how far a number may move before the data object."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import scipy

from layer7.statistics.arrays import FloatArray

Differentiable = Callable[[FloatArray], tuple[float, FloatArray]]
Bounds = Sequence[tuple[float, float]]

STEP = 1e-4
FLATTEST = 1e-3
PRESSED = 1e-2
CLOSE = 1e-4


def maximise(target: Differentiable, start: FloatArray, bounds: Bounds) -> FloatArray:
    """Finds the parameters at which a smooth function is highest, by L-BFGS-B.

    The function is divided by its size at the start. Without that the first line search of L-BFGS-B stops
    where it began on one log of sixty, since changes that matter are small beside the sum over all
    applications.

    Args:
        target: gives a value and its gradient.
        start: where to begin, inside the bounds.
        bounds: lowest and highest value of each parameter; equal ends hold it fixed.

    Source:
        Byrd, Lu, Nocedal and Zhu (1995), SIAM Journal on Scientific Computing 16:1190-1208; scipy.optimize.

    Example:
        >>> maximise(lambda x: (-float(x @ x), -2 * x), np.array([3.0]), [(1, 5)]).tolist()
        [1.0]
    """
    size = max(1.0, abs(target(start)[0]))

    def negative(theta: FloatArray) -> tuple[float, FloatArray]:
        value, gradient = target(theta)
        return -value / size, -gradient / size

    found = scipy.optimize.minimize(
        negative,
        start,
        jac=True,
        method="L-BFGS-B",
        bounds=bounds,
        options={"ftol": 1e-13, "gtol": 1e-9, "maxiter": 500},
    )
    return np.asarray(found.x, dtype=np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """All parameters whose log-likelihood is within a given drop of the maximum.

    Args:
        log_likelihood: gives the value and its gradient.
        peak: the parameters at the maximum.
        bounds: as for `maximise`.
        drop: by how much the log-likelihood may fall; χ²(level, 1) / 2 for a profile-likelihood interval.
    """

    log_likelihood: Differentiable
    peak: FloatArray
    bounds: Bounds
    drop: float

    def range_of(self, number: Differentiable, ceiling: float = np.inf) -> tuple[float, float] | None:
        """Lowest and highest value of a smooth number inside the region: its profile-likelihood interval.

        The parameters are first turned and scaled so that the region is close to a ball, then each end is a
        search for the extreme value under one constraint (SLSQP).

        Args:
            number: gives the number and its gradient.
            ceiling: what the number cannot exceed; at it there is nothing to search above.

        Returns:
            The two ends; None if the search does not settle.

        Source:
            Venzon and Moolgavkar (1988), Applied Statistics 37:87-94, eq. 1.

        Example:
            >>> line = Region(lambda x: (-0.5 * float(x @ x), -x), np.zeros(1), [(-9, 9)], 1.92)
            >>> low, high = line.range_of(lambda x: (float(x[0]), np.ones(1)))
            >>> round(low, 2), round(high, 2)
            (-1.96, 1.96)
        """
        turned = self._turned()
        low = self._extreme(number, turned, 1.0)
        at_top = number(self.peak)[0] > ceiling - CLOSE
        high = ceiling if at_top else self._extreme(number, turned, -1.0)
        return None if low is None or high is None else (low, high)

    def _turned(self) -> FloatArray:
        slope = np.abs(self._slope(self.peak))
        low, high = np.array(self.bounds).T
        at_end = np.minimum(self.peak - low, high - self.peak) < STEP
        # A parameter pressed against its bound stays there; one that is merely flat may still come back.
        free = np.flatnonzero((low < high) & ~(at_end & (slope > PRESSED)))
        steps = np.eye(self.peak.size)[free] * STEP
        rows = [self._slope(self.peak + s)[free] - self._slope(self.peak - s)[free] for s in steps]
        curvature = -np.array(rows) / (2 * STEP)
        values, axes = np.linalg.eigh((curvature + curvature.T) / 2)
        turned = np.zeros((self.peak.size, free.size))
        turned[free] = axes / np.sqrt(np.maximum(values, FLATTEST))
        return turned

    def _slope(self, theta: FloatArray) -> FloatArray:
        return self.log_likelihood(theta)[1]

    def _extreme(self, number: Differentiable, turned: FloatArray, sign: float) -> float | None:
        lowest, highest = np.array(self.bounds).T
        floor = self.log_likelihood(self.peak)[0] - self.drop
        memory: dict[bytes, tuple[float, FloatArray]] = {}

        def place(z: FloatArray) -> FloatArray:
            return np.clip(self.peak + turned @ z, lowest, highest)

        def room(z: FloatArray) -> tuple[float, FloatArray]:
            if z.tobytes() not in memory:
                value, gradient = self.log_likelihood(place(z))
                memory[z.tobytes()] = value - floor, gradient @ turned
            return memory[z.tobytes()]

        def target(z: FloatArray) -> tuple[float, FloatArray]:
            value, gradient = number(place(z))
            return sign * value, sign * gradient @ turned

        uphill = target(np.zeros(turned.shape[1]))[1]
        length = float(np.linalg.norm(uphill))
        start = -uphill * np.sqrt(2 * self.drop) / length if length > 0 else uphill
        found = scipy.optimize.minimize(
            target,
            start,
            jac=True,
            method="SLSQP",
            constraints=scipy.optimize.NonlinearConstraint(
                lambda z: np.array([room(z)[0]]), 0, np.inf, jac=lambda z: room(z)[1]
            ),
            options={"ftol": 1e-6, "maxiter": 40},
        )
        inside = room(found.x)[0] > -0.01 * self.drop
        return sign * float(found.fun) if found.success and inside else None
