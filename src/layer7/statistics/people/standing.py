"""Where a person stands among people of her kind: her shrunk rate, and its place with a band."""

from dataclasses import dataclass

import numpy as np
from scipy import special

from layer7.errors import Layer7Error
from layer7.statistics.arrays import Column, FloatArray, column, counts
from layer7.statistics.rates.intervals import check_level

_EDGE = 1e-6
"""Mean rates nearer to 0 and 1 than this are placed as this."""


@dataclass(frozen=True, slots=True, eq=False)
class Standings:
    """Shrunk rates of many people, one row each.

    Args:
        rate: posterior median of each true rate.
        low: lower end of its interval.
        high: upper end of it.
    """

    rate: FloatArray
    low: FloatArray
    high: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """Where many people stand in a group, one row each, 0 to 100.

    Args:
        percentile: percent of the group whose true rate is below hers.
        low: the least that this may be.
        high: the most.
    """

    percentile: FloatArray
    low: FloatArray
    high: FloatArray


def standings(
    events: Column, trials: Column, *, mean: float, precision: float, level: float = 0.95
) -> Standings:
    """Shrink people's rates towards what is usual: their true rates follow Beta(a, b), a = mean · precision.

    With k events in n effective trials a person's true rate is Beta(a + k, b + n - k), b being the rest of
    the precision. No other person's data is used but the two numbers of the law. Trust it as far as that
    law: see `layer7.statistics.people.person_rates.fit_cohort`.

    Args:
        events: k of each person.
        trials: effective trials n of each person.
        mean: mean rate of all people, strictly between 0 and 1.
        precision: applications that knowing the law is worth, above 0.
        level: confidence of the intervals.

    Raises:
        Layer7Error: ``bad_law`` for a mean or precision out of range; ``bad_counts``; ``bad_level``.

    Source:
        Casella (1985), The American Statistician 39:83-87.

    Example:
        >>> found = standings([0, 4], [40.0, 40.0], mean=0.05, precision=30.0)
        >>> found.rate.round(3).tolist()
        [0.017, 0.075]
    """
    check_level(level)
    k, n = counts("events", events), counts("trials", trials)
    a, b = _law(column("mean", mean), precision)
    after = a + np.minimum(k, n), b + n - np.minimum(k, n)
    low, rate, high = (
        np.asarray(special.betaincinv(*after, share), dtype=np.float64)
        for share in ((1 - level) / 2, 0.5, (1 + level) / 2)
    )
    return Standings(rate, low, high)


def places(own: Standings, *, mean: Column, low: Column, high: Column, precision: float) -> Places:
    """Place people in a group whose true rates follow a Beta law with a mean that is known within bounds.

    percentile = 100 F(rate), with the law F at the group's mean. The band takes the worse of both: the lower
    end of her rate in the law at the highest mean, and the upper end at the lowest. So it holds wherever her
    interval and that of the mean hold. Trust it if people of the group differ as much as all people do.

    Args:
        own: people's rates.
        mean: mean rate of each person's group, strictly between 0 and 1.
        low: the least that this may be, 0 to 1.
        high: the most.
        precision: as in `standings`.

    Raises:
        Layer7Error: ``bad_law``.

    Source:
        Goldstein and Spiegelhalter (1996), JRSS A 159:385-443, section 3.3: ranks with their uncertainty.

    Example:
        >>> own = standings([0, 4], [40.0, 40.0], mean=0.05, precision=30.0)
        >>> found = places(own, mean=[0.05] * 2, low=[0.04] * 2, high=[0.06] * 2, precision=30.0)
        >>> found.percentile.round().tolist(), found.low.round().tolist(), found.high.round().tolist()
        ([20.0, 78.0], [0.0, 25.0], [81.0, 99.0])
    """
    laws = (
        (own.rate, column("mean", mean)),
        (own.low, np.clip(column("high", high), _EDGE, 1 - _EDGE)),
        (own.high, np.clip(column("low", low), _EDGE, 1 - _EDGE)),
    )
    found = [100 * special.betainc(*_law(at, precision), rate) for rate, at in laws]
    return Places(*(np.asarray(each, dtype=np.float64) for each in found))


def _law(mean: FloatArray, precision: float) -> tuple[FloatArray, FloatArray]:
    """The two numbers of the Beta law with this mean."""
    if (mean <= 0).any() or (mean >= 1).any() or not precision > 0:
        raise Layer7Error(
            "bad_law", "A group's mean is not between 0 and 1, or its precision not above 0.", "Fit it first."
        )
    return mean * precision, (1 - mean) * precision


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
