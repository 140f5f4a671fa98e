"""What every number of this room is held in: checked, read-only columns of floats."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from layer7.errors import Layer7Error

FloatArray = npt.NDArray[np.float64]
Column = npt.NDArray[np.floating] | npt.NDArray[np.integer] | Sequence[float] | float


def column(name: str, values: Column) -> FloatArray:
    """Gives values as a new read-only array of finite floats.

    Args:
        name: what the values are called in an error.
        values: numbers of any shape.

    Raises:
        Layer7Error: ``not_finite`` if a value is NaN or infinite.

    Example:
        >>> column("ages", [1, 2]).tolist()
        [1.0, 2.0]
    """
    result = np.array(values, dtype=np.float64)
    if not np.isfinite(result).all():
        raise Layer7Error(
            "not_finite",
            f"{name} holds a value that is not a finite number.",
            "Leave out the rows whose value is unknown before counting.",
        )
    result.flags.writeable = False
    return result


def counts(name: str, values: Column, *, length: int | None = None) -> FloatArray:
    """Gives a read-only one-dimensional array of counts, which may be fractional but never negative.

    Args:
        name: what the counts are called in an error.
        values: one count per cell.
        length: how many cells there must be; None for any number.

    Raises:
        Layer7Error: ``bad_counts`` if a count is negative or the shape differs, ``not_finite`` as `column`.

    Example:
        >>> counts("silent", [3, 0, 1]).sum()
        np.float64(4.0)
    """
    result = column(name, values)
    if result.ndim != 1 or (length is not None and result.size != length):
        raise Layer7Error(
            "bad_counts",
            f"{name} has shape {result.shape}; allowed is one row of {length or 'any number of'} cells.",
            "Give one count per cell, in order.",
        )
    if (result < 0).any():
        raise Layer7Error(
            "bad_counts",
            f"{name} holds a negative count.",
            "Counts are zero or more; check how they were summed.",
        )
    return result


def padded_sum(first: FloatArray, second: FloatArray) -> FloatArray:
    """Adds two histograms that start at the same day and may differ in length.

    Args:
        first: counts from day 0 on.
        second: counts from day 0 on.

    Example:
        >>> padded_sum(np.array([1.0, 2.0]), np.array([1.0])).tolist()
        [2.0, 2.0]
    """
    total = np.zeros(max(first.size, second.size))
    total[: first.size] += first
    total[: second.size] += second
    return total
