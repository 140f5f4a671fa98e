"""How sure it is that a share is above a line, when it was counted a few times only."""

import numpy as np
from scipy import special

from layer7.statistics.arrays import Column, FloatArray, column
from layer7.statistics.intervals import wilson_bounds


def share_above(
    events: Column, n: Column, line: Column, *, usual: Column = 0.5, weight: float = 4.0
) -> FloatArray:
    """P(share > line | events of n), with a Beta(weight x usual, weight x (1 - usual)) prior.

    Args:
        events: how many of the n.
        n: how many there were.
        line: between 0 and 1.
        usual: the share that is believed before anything was counted, between 0 and 1.
        weight: how many observations that belief is worth, positive.

    Raises:
        Layer7Error: ``bad_counts``; ``not_finite``.

    Source:
        Gelman and others (2013), Bayesian Data Analysis, section 2.4.

    Example:
        >>> share_above([9, 3], [10, 4], 0.5).round(2).tolist()
        [0.99, 0.77]
    """
    k, trials = np.broadcast_arrays(column("events", events), column("n", n))
    wilson_bounds(k, trials)
    mean, at = np.clip(column("usual", usual), 0.01, 0.99), column("line", line)
    above = special.betaincc(k + weight * mean, trials - k + weight * (1 - mean), at)
    return np.asarray(above, dtype=np.float64)
