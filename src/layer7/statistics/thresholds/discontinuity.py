"""What changes at a cut: regression discontinuity on binned sums, with robust bias-corrected intervals."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from layer7.errors import Layer7Error
from layer7.statistics.arrays import FloatArray, column
from layer7.statistics.rates.estimate import LEAST_FOLDS, Estimate, error_over_folds

Bools = npt.NDArray[np.bool_]

LEAST_STEPS = 5
"""Distinct positions that must lie on each side within reach, for a curve and its rest."""

LEAST_SIDE = 50.0
"""Cases that must lie on each side within reach."""


@dataclass(frozen=True, slots=True, eq=False)
class Binned:
    """Cases around a cut: sums by fold of people (rows) and step of the score (columns).

    Args:
        position: points of each step above the cut (the mean of its cases), ascending; the cut itself is
            above.
        n: cases.
        reward: Σ y, what came of them.
        reward_squares: Σ y², for the choice of the bandwidth.

    Raises:
        Layer7Error: ``bad_counts`` if the shapes differ; ``not_finite``.
    """

    position: FloatArray
    n: FloatArray
    reward: FloatArray
    reward_squares: FloatArray

    def __post_init__(self) -> None:
        for name in ("position", "n", "reward", "reward_squares"):
            object.__setattr__(self, name, column(name, getattr(self, name)))
        if (
            not self.n.shape
            == self.reward.shape
            == self.reward_squares.shape
            == (
                self.n.shape[0],
                self.position.size,
            )
        ):
            raise Layer7Error("bad_counts", "Positions, cases and sums differ in shape.")


@dataclass(frozen=True, slots=True)
class Discontinuity:
    """The jump of an outcome at a cut, from below to above.

    Args:
        linear: local-linear estimate with its usual standard error.
        robust: bias-corrected estimate with robust standard error: use its interval.
        bandwidth: points on each side that were read.
        cases: cases read below and above.
    """

    linear: Estimate
    robust: Estimate
    bandwidth: float
    cases: tuple[float, float]


def discontinuity(data: Binned, *, bandwidth: float | None = None) -> Discontinuity:
    """Estimate the jump at the cut.

    A line is fitted on each side with triangular weights K(x / h); the jump is the difference of the two at
    the cut. With the bias bandwidth equal to h, the robust bias-corrected estimate is the difference of two
    local parabolas. Both are weighted sums Σ l y of the outcomes, so their errors over folds of people are
    those of Σ l (y - fitted).

    Args:
        data: cases around the cut.
        bandwidth: points on each side; None for the one of :func:`choose_bandwidth`.

    Raises:
        Layer7Error: ``not_enough_data``, with what is missing.

    Trust:
        Only if nobody steers the score across the cut: see
        :func:`layer7.statistics.thresholds.density_jump`. It speaks of people at the cut, not of those far
        from it.

    Source:
        Calonico, Cattaneo and Titiunik (2014), Econometrica 82:2295-2326, remark 7 for equal bandwidths;
        Bartalotti and Brummet (2017) for clusters.
    """
    reach = choose_bandwidth(data) if bandwidth is None else bandwidth
    near = np.abs(data.position) < reach
    sides = (near & (data.position < 0), near & (data.position >= 0))
    _check(data, sides)
    linear, robust = (_jump(data, sides, reach, order=order) for order in (1, 2))
    below, above = (float(data.n[:, side].sum()) for side in sides)
    return Discontinuity(linear, robust, reach, (below, above))


def _check(data: Binned, sides: tuple[Bools, Bools]) -> None:
    for side, word in zip(sides, ("below", "above"), strict=True):
        steps = int(np.count_nonzero(data.n[:, side].sum(axis=0)))
        cases = float(data.n[:, side].sum())
        if steps < LEAST_STEPS or cases < LEAST_SIDE:
            raise Layer7Error(
                "not_enough_data",
                f"{cases:.0f} cases at {steps} different scores lie within reach {word} the cut.",
                f"At least {LEAST_SIDE:.0f} cases at {LEAST_STEPS} scores are needed on each side.",
            )
    folds = int(np.count_nonzero(data.n[:, sides[0] | sides[1]].sum(axis=1)))
    if folds < LEAST_FOLDS:
        raise Layer7Error(
            "not_enough_data",
            f"The cases at the cut are of people in {folds} folds.",
            f"More people are needed: {LEAST_FOLDS} folds.",
        )


def _jump(data: Binned, sides: tuple[Bools, Bools], reach: float, *, order: int) -> Estimate:
    value, deviations = 0.0, np.zeros(data.n.shape[0])
    for sign, side in zip((-1, 1), sides, strict=True):
        x = data.position[side]
        design = np.vander(x / reach, order + 1, increasing=True)
        weights = data.n[:, side].sum(axis=0) * (1 - np.abs(x) / reach)
        inverse = np.linalg.pinv((design.T * weights) @ design)
        # The row of the hat matrix at the cut: the fit there is loads @ (sums of the outcome by step).
        loads = (inverse @ design.T)[0] * (1 - np.abs(x) / reach)
        reward = data.reward[:, side]
        fitted = design @ (inverse @ (design.T @ ((1 - np.abs(x) / reach) * reward.sum(axis=0))))
        value += sign * float(loads @ reward.sum(axis=0))
        deviations += sign * ((reward - data.n[:, side] * fitted) @ loads)
    filled = data.n.sum(axis=1) > 0
    error = error_over_folds(deviations[filled])
    return Estimate(value, max(error, np.finfo(float).tiny), int(filled.sum()))


def choose_bandwidth(data: Binned) -> float:
    """Choose how many points on each side to read, by least expected squared error of the local line.

    The plug-in of Imbens and Kalyanaraman: variance and density at the cut from a pilot window, curvatures
    from parabolas on windows of their own, and a term that keeps h small where curvatures are poorly known.

    Args:
        data: cases around the cut.

    Raises:
        Layer7Error: ``not_enough_data`` when there are none on one of the sides.

    Source:
        Imbens and Kalyanaraman (2012), Review of Economic Studies 79:933-959, section 4.2.
    """
    n, x = data.n.sum(axis=0), data.position
    total, below = float(n.sum()), float(n[x < 0].sum())
    if min(below, total - below) < LEAST_SIDE:
        raise Layer7Error(
            "not_enough_data",
            f"{below:.0f} cases lie below the cut and {total - below:.0f} above it.",
            f"At least {LEAST_SIDE:.0f} are needed on each side.",
        )
    mean = float(n @ x) / total
    sd = float(np.sqrt(n @ (x - mean) ** 2 / total))
    pilot = 1.84 * sd * total ** (-1 / 5)
    inside = [(np.abs(x) <= pilot) & side for side in (x < 0, x >= 0)]
    density = max(sum(float(n[side].sum()) for side in inside), 1.0) / (2 * total * pilot)
    variance = [_variance(data, side if n[side].sum() > 1 else n > 0) for side in inside]
    third = _third_derivative(data)
    bends, doubts = [], []
    for side, spread in zip((x < 0, x >= 0), variance, strict=True):
        size = float(n[side].sum())
        window = 3.56 * (spread / (density * max(third**2, 1e-12))) ** (1 / 7) * size ** (-1 / 7)
        window = min(max(window, pilot), float(np.abs(x[side]).max()) + 1)
        bend, used = _curvature(data, side & (np.abs(x) <= window))
        bends.append(bend)
        doubts.append(2160 * spread / (max(used, 1.0) * window**4))
    spread = variance[0] + variance[1]
    bent = (bends[1] - bends[0]) ** 2 + sum(doubts)
    return float(3.4375 * (spread / (density * bent)) ** (1 / 5) * total ** (-1 / 5))


def _variance(data: Binned, steps: Bools) -> float:
    size = float(data.n[:, steps].sum())
    mean = float(data.reward[:, steps].sum()) / size
    return max(float(data.reward_squares[:, steps].sum()) / size - mean**2, 1e-12)


def _third_derivative(data: Binned) -> float:
    """From one cubic over all cases, with a jump at the cut."""
    x, n = data.position, data.n.sum(axis=0)
    design = np.column_stack([x >= 0, np.vander(x, 4, increasing=True)])
    cubic = np.linalg.pinv((design.T * n) @ design) @ (design.T @ data.reward.sum(axis=0))
    return float(6 * cubic[4])


def _curvature(data: Binned, steps: Bools) -> tuple[float, float]:
    x, n = data.position[steps], data.n[:, steps].sum(axis=0)
    design = np.vander(x, 3, increasing=True)
    bow = np.linalg.pinv((design.T * n) @ design) @ (design.T @ data.reward[:, steps].sum(axis=0))
    return float(2 * bow[2]), float(n.sum())
