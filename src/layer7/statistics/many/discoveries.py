"""Which of many findings may be shown, so that few of those shown are false."""

import numpy as np
import numpy.typing as npt

from layer7.errors import Layer7Error
from layer7.statistics.arrays import Column, FloatArray, column

Chosen = npt.NDArray[np.bool_]


def bayesian_fdr(false: Column, rate: float = 0.10) -> Chosen:
    """Choose the most findings of which on average at most a share is false.

    The findings are taken in the order of their posterior probabilities of being false, l(1) <= l(2) <= ...;
    the first k are shown, k the largest number with (l(1) + ... + l(k)) / k <= rate. Under the model that
    gave the probabilities, that mean is the expected share of false findings among those shown. Trust it as
    far as that model; findings with equal probabilities are shown together or not at all.

    Args:
        false: posterior probability that each finding is false, 0 to 1, in any order.
        rate: largest expected share of false findings among those shown, between 0 and 1.

    Returns:
        Which findings are shown, in the order given.

    Raises:
        Layer7Error: ``bad_probability`` outside 0 to 1; ``bad_rate``; ``not_finite``.

    Source:
        Newton, Noueiry, Sarkar and Ahlquist (2004), Biostatistics 5:155-176, eq. 3 and its rule; Stephens
        (2017), Biostatistics 18:275-294, section 2.3.

    Example:
        >>> bayesian_fdr([0.02, 0.30, 0.08, 0.60]).tolist()
        [True, False, True, False]
    """
    chances = _probabilities(false, rate)
    ordered = np.sort(chances)
    means = np.cumsum(ordered) / np.arange(1, ordered.size + 1)
    return chances <= _last_within(ordered, means <= rate + 1e-12)


def benjamini_hochberg(p_values: Column, rate: float = 0.10) -> Chosen:
    """Choose findings by their p-values so that the false discovery rate is at most a share.

    Of m ordered p-values the first k are shown, k the largest number with p(k) <= k rate / m. Trust it for
    independent and for positively dependent tests.

    Args:
        p_values: 0 to 1, in any order.
        rate: false discovery rate, between 0 and 1.

    Returns:
        Which findings are shown, in the order given.

    Raises:
        Layer7Error: ``bad_probability`` outside 0 to 1; ``bad_rate``; ``not_finite``.

    Source:
        Benjamini and Hochberg (1995), JRSS B 57:289-300, eq. 1; Benjamini and Yekutieli (2001), Annals of
        Statistics 29:1165-1188, theorem 1.2.

    Example:
        >>> benjamini_hochberg([0.001, 0.008, 0.039, 0.041, 0.6], 0.05).tolist()
        [True, True, False, False, False]
    """
    chances = _probabilities(p_values, rate)
    ordered = np.sort(chances)
    allowed = rate * np.arange(1, ordered.size + 1) / max(ordered.size, 1)
    return chances <= _last_within(ordered, ordered <= allowed + 1e-15)


def _probabilities(values: Column, rate: float) -> FloatArray:
    chances = np.atleast_1d(column("probabilities", values))
    if not 0 < rate < 1:
        raise Layer7Error("bad_rate", f"The rate {rate} is not between 0 and 1.", "0.10 is customary.")
    if chances.ndim != 1 or (chances < 0).any() or (chances > 1).any():
        raise Layer7Error(
            "bad_probability", "A probability lies outside 0 to 1.", "Give one row of probabilities."
        )
    return chances


def _last_within(ordered: FloatArray, within: Chosen) -> float:
    """The largest ordered value up to which the rule still holds, equal values together; -1 for none."""
    # Of equal values only the last place tells whether all of them fit.
    last_of_equals = np.append(ordered[1:] > ordered[:-1], True)[: ordered.size]
    places = np.flatnonzero(within & last_of_equals)
    return float(ordered[places[-1]]) if places.size else -1.0
