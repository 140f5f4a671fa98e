"""Where a person stands among people of her kind: her shrunk rate, and its percentile with a band."""

from dataclasses import dataclass

import numpy as np
from scipy import special

from layer7.errors import Layer7Error
from layer7.statistics.arrays import Column, FloatArray, column, counts
from layer7.statistics.rates.intervals import check_level


@dataclass(frozen=True, slots=True, eq=False)
class Standings:
    """Shrunk rates and percentiles of many people, one row each.

    Args:
        rate: posterior median of each true rate.
        low: lower end of its interval.
        high: upper end of it.
        percentile: percent of the group whose true rate is below ``rate``, 0 to 100.
        band_low: the same of ``low``.
        band_high: the same of ``high``.
    """

    rate: FloatArray
    low: FloatArray
    high: FloatArray
    percentile: FloatArray
    band_low: FloatArray
    band_high: FloatArray


def standings(
    events: Column, trials: Column, *, mean: Column, precision: Column, level: float = 0.95
) -> Standings:
    """Place people among a group whose true rates follow Beta(a, b), a = mean · precision, b the rest.

    With k events in n effective trials a person's true rate is Beta(a + k, b + n - k); its median and its
    quantiles are put into the group's law: percentile = 100 F(rate). No other person's data is used but the
    two numbers of the law. Trust it as far as that law: see
    `layer7.statistics.people.person_rates.fit_cohort`.

    Args:
        events: k of each person.
        trials: effective trials n of each person.
        mean: mean rate of her group, strictly between 0 and 1.
        precision: applications that knowing the group is worth, above 0.
        level: confidence of the intervals.

    Raises:
        Layer7Error: ``bad_law`` for a mean or precision out of range; ``bad_counts``; ``bad_level``.

    Source:
        Casella (1985), The American Statistician 39:83-87, for the shrunk rate.

    Example:
        >>> found = standings([0, 4], [40.0, 40.0], mean=0.05, precision=30.0)
        >>> found.rate.round(3).tolist(), found.percentile.round().tolist()
        ([0.017, 0.075], [20.0, 78.0])
        >>> found.band_low.round().tolist(), found.band_high.round().tolist()
        ([1.0, 35.0], [73.0, 98.0])
    """
    check_level(level)
    k, n = counts("events", events), counts("trials", trials)
    m, size = (np.broadcast_to(column(*pair), k.shape) for pair in (("mean", mean), ("precision", precision)))
    if (m <= 0).any() or (m >= 1).any() or (size <= 0).any():
        raise Layer7Error(
            "bad_law", "A group's mean is not between 0 and 1, or its precision not above 0.", "Fit it first."
        )
    a, b = m * size, (1 - m) * size
    after = a + np.minimum(k, n), b + n - np.minimum(k, n)
    low, rate, high = (
        np.asarray(special.betaincinv(*after, share), dtype=np.float64)
        for share in ((1 - level) / 2, 0.5, (1 + level) / 2)
    )
    places = [np.asarray(100 * special.betainc(a, b, end), dtype=np.float64) for end in (rate, low, high)]
    return Standings(rate, low, high, *places)


def chance_of_none(trials: Column, *, mean: float, precision: float) -> FloatArray:
    """Chance that a person of a group has no event in so many trials: B(a, b + n) / B(a, b).

    Args:
        trials: effective trials n, one per person.
        mean: mean rate of the group.
        precision: of its law, as in `standings`.

    Example:
        >>> chance_of_none([0.0, 30.0, 120.0], mean=0.045, precision=25.0).round(2).tolist()
        [1.0, 0.4, 0.13]
    """
    n = counts("trials", trials)
    a, b = mean * precision, (1 - mean) * precision
    return np.asarray(np.exp(special.betaln(a, b + n) - special.betaln(a, b)), dtype=np.float64)
