"""Where a person stands among people of her kind: her shrunk rate, and its place with a band."""

from dataclasses import dataclass

import numpy as np
from scipy import special

from layer7.errors import Layer7Error
from layer7.statistics.arrays import Column, FloatArray, column, counts
from layer7.statistics.rates.intervals import check_level

_EDGE = 1e-6
"""Mean rates nearer to 0 and 1 than this count as this."""

_SURE = 1e-9
"""So do places."""


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

    percentile = 100 F(rate), with the law F at the group's mean. On the normal scale z = Phi^-1(F) the band
    goes as far as her own uncertainty and that of the mean reach together, sqrt(a² + b²): a from her rate to
    its end, b from the group's mean to the end that moves her the same way. Trust it if people of the group
    differ as much as all people do.

    Args:
        own: people's rates.
        mean: mean rate of each person's group, 0 to 1.
        low: the least that this may be.
        high: the most.
        precision: as in `standings`.

    Raises:
        Layer7Error: ``bad_law`` for a precision that is not above 0.

    Source:
        Zou and Donner (2008), Statistics in Medicine 27:1693-1702, equations 7 and 8, for intervals that are
        put together from those of their parts.

    Example:
        >>> own = standings([0, 4], [40.0, 40.0], mean=0.05, precision=30.0)
        >>> found = places(own, mean=[0.05] * 2, low=[0.04] * 2, high=[0.06] * 2, precision=30.0)
        >>> found.percentile.round().tolist(), found.low.round().tolist(), found.high.round().tolist()
        ([20.0, 78.0], [1.0, 34.0], [74.0, 98.0])
    """
    usual = column("mean", mean)
    place = _z(own.rate, usual, precision)
    reach = [
        np.hypot(place - _z(end, usual, precision), place - _z(own.rate, column("mean", other), precision))
        for end, other in ((own.low, high), (own.high, low))
    ]
    found = (place, place - reach[0], place + reach[1])
    return Places(*(np.asarray(100 * special.ndtr(each), dtype=np.float64) for each in found))


def _z(rate: FloatArray, mean: FloatArray, precision: float) -> FloatArray:
    """Give how much of a law with this mean lies below a rate, on the normal scale."""
    below = special.betainc(*_law(np.clip(mean, _EDGE, 1 - _EDGE), precision), rate)
    return np.asarray(special.ndtri(np.clip(below, _SURE, 1 - _SURE)), dtype=np.float64)


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
