"""How many times as good: the logarithm of a ratio of two rates, with its standard error."""

import math

from layer7.errors import Layer7Error
from layer7.fairness.groups import LEAST_EVENTS, LEAST_PEOPLE
from layer7.statistics.trials import ArmMoments, Contrast, MetricKind, compare


def is_reportable(moments: ArmMoments) -> bool:
    """Say whether a group is large enough to be told: 400 people and 20 events.

    Args:
        moments: of people; the first column counts events, the second chances.
    """
    return moments.n >= LEAST_PEOPLE and moments.sums[0] >= LEAST_EVENTS and moments.sums[1] > 0


def log_ratio(base: ArmMoments, other: ArmMoments) -> Contrast | None:
    """Give log(rate of the other / rate of the base); None where a rate is zero or does not vary.

    The person is the unit, her events and chances are two sums: with L the lift of
    :func:`layer7.statistics.trials.compare` (a ratio metric by the delta method), log(1 + L) has standard
    error se(L) / (1 + L), exactly sqrt(v1 / r1² + v2 / r2²).

    Args:
        base: moments of people with columns events and chances.
        other: of the same columns.

    Source:
        Katz, Baptista, Azen and Pike (1978), Biometrics 34, for the logarithm; Deng, Knoblich and Lu (2018),
        KDD, eq. 4, for people as units.

    Example:
        >>> import numpy as np
        >>> half = ArmMoments.of(np.array([[1.0, 1.0], [0.0, 1.0]] * 50))
        >>> quarter = ArmMoments.of(np.array([[1.0, 1.0], [0.0, 1.0], [0.0, 1.0], [0.0, 1.0]] * 25))
        >>> round(math.exp(log_ratio(half, quarter).estimate), 6)
        0.5
    """
    if min(base.sums[0], other.sums[0]) <= 0:
        return None
    try:
        lift = compare(base, other, kind=MetricKind.RATIO).lift
    except Layer7Error as error:
        if error.code not in {"too_few_units", "no_denominator"}:
            raise
        return None
    if lift is None or lift.standard_error <= 0 or lift.estimate <= -1:
        return None
    factor = 1 + lift.estimate
    return Contrast(
        estimate=math.log(factor),
        standard_error=lift.standard_error / factor,
        freedom=lift.freedom,
        n=lift.n,
    )


def without(everybody: ArmMoments, one: ArmMoments) -> ArmMoments:
    """Give the moments of everybody else.

    Args:
        everybody: moments of all groups together.
        one: those of one of them.
    """
    return ArmMoments(
        n=everybody.n - one.n,
        sums=everybody.sums - one.sums,
        products=everybody.products - one.products,
    )
