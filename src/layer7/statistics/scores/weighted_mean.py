"""Which weighted mean of its parts a score is, if it is one."""

from dataclasses import dataclass

import numpy as np
import scipy

from layer7.statistics.arrays import FloatArray

CLOSE = 1.0
KNOWN = 0.02
_FIRM = 1e4


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightedMean:
    """The weighted mean of the parts that comes nearest to a score.

    Args:
        weights: from 0, adding up to 1; None if even the nearest is no such score, or others are as near.
        off: how far the nearest is from the score, root mean square; None without applications.
    """

    weights: tuple[float, ...] | None
    off: float | None


def weighted_mean(parts: FloatArray, score: FloatArray) -> WeightedMean:
    """Finds weights from a log of scores and their parts.

    The w that minimises Σ (score - parts w)² among those with w >= 0 and Σ w = 1. The score is taken for this
    mean if the root mean square of what is left is at most 1 point (rounding leaves about 0.5), and if no
    weight has a standard error, off √diag((X'X)⁻¹), above 0.02: parts that move together leave weights open.

    Trust it where one rule made all the scores; after a change of the rule within the log it says that the
    score is no such mean.

    Args:
        parts: one column per part, in points.
        score: one per application, in points.

    Source:
        Lawson and Hanson (1974), Solving Least Squares Problems, chapters 20 and 23.

    Example:
        >>> parts = 100 * np.random.default_rng(1).random((50, 3))
        >>> found = weighted_mean(parts, np.round(parts @ [0.5, 0.3, 0.2]))
        >>> [round(weight, 2) for weight in found.weights]
        [0.5, 0.3, 0.2]
        >>> weighted_mean(parts, parts.sum(axis=1)).weights is None
        True
    """
    n, count = parts.shape
    if not n or not count:
        return WeightedMean(weights=None, off=None)
    triangle: FloatArray = np.asarray(np.linalg.qr(np.column_stack([parts, score]), mode="r"))
    # A row that outweighs all others holds the sum at 1.
    firm = _FIRM * max(float(np.abs(triangle).max()), 1.0)
    left = np.vstack([triangle[:, :count], np.full((1, count), firm)])
    found, _ = scipy.optimize.nnls(left, np.append(triangle[:, count], firm))
    weights = found / found.sum()
    off = float(np.sqrt(np.mean((score - parts @ weights) ** 2)))
    told = off <= CLOSE and _largest_error(parts, off) <= KNOWN
    return WeightedMean(weights=tuple(weights.tolist()) if told else None, off=off)


def _largest_error(parts: FloatArray, off: float) -> float:
    products = parts.T @ parts
    scale = np.sqrt(np.diag(products))
    if (scale <= 0).any():
        return np.inf
    shares, turns = np.linalg.eigh(products / np.outer(scale, scale))
    if shares[0] < 1e-10:
        return np.inf
    spread = (turns**2 / shares).sum(axis=1)
    return float((off * np.sqrt(spread) / scale).max())
