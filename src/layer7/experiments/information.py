"""The currency of looking: information, in which looks are planned and alpha is spent.

People go on applying after they came in, so the units of an experiment say little of how much is known: all
of them may be there in the first week. What grows with knowledge is the square of value over standard error.
"""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy import special

from layer7.errors import Layer7Error
from layer7.statistics.trials import Contrast, Guarantee, Looking, critical


def information(value: float, standard_error: float) -> float:
    """Give how much is known of a metric: (value / se)²; 0 where nothing can be told.

    For a rate that stays where it is this is 1 / se² up to a factor. It also holds where the value grows with
    time, as interviews per person do: for indicators that stay on once they are on, and for counts of people
    who differ, the correlation of two looks is the root of the ratio of their information, as group
    sequential bounds assume.

    Args:
        value: of the metric, both arms together.
        standard_error: of the difference between the arms, not negative.

    Source:
        Jennison and Turnbull (2000), section 11.2, for rates; the rest follows from cov(Y1, Y2) =
        p1 (1 - p2) of an indicator, and v t1 + w t1 t2 of a count of mean v t and variance v t + w t².

    Example:
        >>> information(0.04, 0.01)
        16.0
    """
    return (value / standard_error) ** 2 if 0 < standard_error < math.inf else 0.0


def planned_information(lift: float, *, alpha: float = 0.05, power: float = 0.8) -> float:
    """Give the information that proves a lift with the wanted power: ((z_{1 - alpha/2} + z_power) / lift)².

    Args:
        lift: smallest worthwhile difference over the value, not 0.
        alpha: accepted probability of a false alarm.
        power: wanted probability of proving it.

    Raises:
        Layer7Error: ``bad_design`` for a lift of 0.

    Source:
        Mehta and Tsiatis (2001), Drug Information Journal 35:1095-1112, eq. 2.

    Example:
        >>> round(planned_information(0.25), 1)
        125.6
    """
    if lift == 0 or not math.isfinite(lift):
        raise Layer7Error("bad_design", f"A smallest worthwhile lift of {lift}.", "Name one other than 0.")
    return float((-special.ndtri(alpha / 2) + special.ndtri(power)) / lift) ** 2


def reaches(
    looks: Sequence[float],
    *,
    guarantee: Guarantee,
    alpha: float,
    planned: float,
    freedom: float = math.inf,
) -> tuple[float, ...]:
    """Give how many standard errors each look's interval reaches.

    The looks are at equal steps of the planned time, by which a group sequential test spends alpha; the last
    is the planned end, whatever information came by then. Where one look is planned, it is the last.

    Args:
        looks: information of each look, in order; 0 where nothing can be told.
        guarantee: how the experiment is looked at.
        alpha: accepted probability of a false alarm over all looks.
        planned: planned information, for a sequence that may be read at any time.
        freedom: degrees of freedom at the end, for one look.

    Returns:
        One number per look; infinite where a look may prove nothing.

    Source:
        Lan and DeMets (1983), Biometrika 70:659-663, with observed information in place of counts.

    Example:
        >>> asked = {"guarantee": Guarantee.GROUP_SEQUENTIAL, "alpha": 0.05, "planned": 9}
        >>> [round(reach, 2) for reach in reaches([8, 16], **asked)]
        [2.5, 2.02]
    """
    seen = np.maximum.accumulate(np.asarray(looks, dtype=np.float64)).tolist()
    found = []
    for at, known in enumerate(seen):
        if known <= 0 or (guarantee is Guarantee.FIXED and at + 1 < len(seen)):
            found.append(math.inf)
            continue
        earlier = tuple(units for units in seen[: at + 1] if units > 0)
        looking = Looking(guarantee=guarantee, alpha=alpha, planned=planned, looks=earlier)
        if guarantee is Guarantee.GROUP_SEQUENTIAL:
            passed = range(at + 2 - len(earlier), at + 2)
            spending = tuple(step / len(seen) for step in passed)
            looking = replace(looking, planned=None, spending=spending)
        contrast = Contrast(estimate=0.0, standard_error=1.0, freedom=freedom, n=known)
        found.append(critical(contrast, looking))
    return tuple(found)
