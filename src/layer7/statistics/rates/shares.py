"""How sure it is that a share is above a line, when it was counted a few times only."""

import numpy as np
from scipy import special

from layer7.statistics.arrays import Column, FloatArray, column
from layer7.statistics.rates.intervals import wilson_bounds


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
    asked = np.broadcast_arrays(k + weight * mean, trials - k + weight * (1 - mean), at)
    # Many people have the same few counts, and the function takes longer than finding these.
    code = np.zeros(asked[0].size, dtype=np.int64)
    for each in asked:
        known, place = np.unique(each, return_inverse=True)
        code = code * known.size + place.ravel()
    _, first, place = np.unique(code, return_index=True, return_inverse=True)
    above = special.betaincc(*(each.ravel()[first] for each in asked))
    return np.asarray(above, dtype=np.float64)[place].reshape(asked[0].shape)
