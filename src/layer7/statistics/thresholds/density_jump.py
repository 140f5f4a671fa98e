"""Is a score steered across a cut: the density test of a regression discontinuity, on binned counts."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from layer7.errors import Layer7Error
from layer7.statistics.arrays import FloatArray, column
from layer7.statistics.rates.estimate import LEAST_FOLDS, Estimate, error_over_folds

LEAST_STEPS = 6
LEAST_SIDE = 50.0


@dataclass(frozen=True, slots=True)
class DensityJump:
    """How the number of cases changes at a cut.

    Args:
        jump: logarithm of the density above over that below.
        bandwidth: points on each side that were read.
        cases: cases read below and above.
    """

    jump: Estimate
    bandwidth: float
    cases: tuple[float, float]


def density_jump(counts: FloatArray, *, width: float, bandwidth: float | None = None) -> DensityJump:
    """Test whether the density of a score jumps at the cut.

    Counts per step are smoothed on each side by a local parabola with triangular weights; θ is the difference
    of the logarithms of the two at the cut. One person has many cases, so the error of θ is over folds of
    people. People who edit until they pass a cut leave a gap below and a heap above it.

    Args:
        counts: cases by fold of people (rows) and step of the score (columns); an even number of steps, the
            cut in their middle.
        width: points that a step is wide.
        bandwidth: points on each side; None for 3 standard deviations of the score times cases^(-1/7), which
            undersmooths a parabola.

    Raises:
        Layer7Error: ``not_enough_data``, with what is missing; ``bad_counts`` for an odd number of steps.

    Trust:
        A test that passes on few cases proves little: read its interval.

    Source:
        McCrary (2008), Journal of Econometrics 142:698-714, with the order above his as in Cattaneo,
        Jansson and Ma (2020), JASA 115:1449-1455.
    """
    held = column("counts", counts)
    if held.ndim != 2 or held.shape[1] % 2:
        raise Layer7Error(
            "bad_counts", f"The counts have shape {held.shape}.", "Give an even number of steps."
        )
    held, width = _as_fine_as_scores(held, width)
    middle = held.shape[1] // 2
    position = (np.arange(held.shape[1]) - middle + 0.5) * width
    reach = _bandwidth(held, position) if bandwidth is None else bandwidth
    value, deviations, cases = 0.0, np.zeros(held.shape[0]), []
    for sign, side in ((-1, position < 0), (1, position >= 0)):
        loads, near = _loads(position[side], reach)
        found = held[:, side]
        cases.append(_enough(found[:, near], sign))
        height = float(loads @ found.sum(axis=0))
        if height <= 0:
            raise Layer7Error(
                "not_enough_data", "There are next to no cases at the cut.", "Wait for more cases near it."
            )
        value += sign * float(np.log(height))
        shares = found @ loads / height
        deviations += sign * (shares - shares.sum() / np.count_nonzero(held.sum(axis=1)))
    filled = held.sum(axis=1) > 0
    if filled.sum() < LEAST_FOLDS:
        raise Layer7Error(
            "not_enough_data",
            f"The cases are of people in {filled.sum()} folds.",
            f"More people are needed: {LEAST_FOLDS} folds.",
        )
    error = max(error_over_folds(deviations[filled]), np.finfo(float).tiny)
    return DensityJump(Estimate(value, error, int(filled.sum())), reach, (cases[0], cases[1]))


def _as_fine_as_scores(counts: FloatArray, width: float) -> tuple[FloatArray, float]:
    """Join neighbouring steps as long as every second one is empty: scores may be whole points."""
    while counts.shape[1] % 4 == 0 and not counts[:, 1::2].sum():
        counts, width = counts[:, ::2] + counts[:, 1::2], 2 * width
    return counts, width


def _bandwidth(counts: FloatArray, position: FloatArray) -> float:
    n = counts.sum(axis=0)
    total = float(n.sum())
    if total < 2 * LEAST_SIDE:
        raise Layer7Error(
            "not_enough_data",
            f"{total:.0f} cases are too few to see a jump of their density.",
            f"At least {LEAST_SIDE:.0f} are needed on each side.",
        )
    mean = float(n @ position) / total
    sd = math.sqrt(float(n @ (position - mean) ** 2) / total)
    return float(3 * sd * total ** (-1 / 7))


def _loads(position: FloatArray, reach: float) -> tuple[FloatArray, npt.NDArray[np.bool_]]:
    """What each step's count adds to the parabola's height at the cut."""
    kernel = np.maximum(1 - np.abs(position) / reach, 0.0)
    design = np.vander(position / reach, 3, increasing=True)
    inverse = np.linalg.pinv((design.T * kernel) @ design)
    return (inverse @ design.T)[0] * kernel, kernel > 0


def _enough(found: FloatArray, sign: int) -> float:
    cases, steps = float(found.sum()), int(np.count_nonzero(found.sum(axis=0)))
    if cases < LEAST_SIDE or steps < LEAST_STEPS:
        raise Layer7Error(
            "not_enough_data",
            f"{cases:.0f} cases at {steps} scores lie near the cut {'above' if sign > 0 else 'below'} it.",
            f"At least {LEAST_SIDE:.0f} cases at {LEAST_STEPS} scores are needed on each side.",
        )
    return cases
