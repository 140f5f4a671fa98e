"""Proxies: does a feature that the engine learns from tell who somebody is?"""

import math
from dataclasses import dataclass

import numpy as np
import scipy

from layer7.errors import Layer7Error
from layer7.fairness.groups import LEAST_PEOPLE
from layer7.statistics.arrays import Column, column

REVIEWED = 0.65
"""Area under the curve from which on a feature is looked at by a person."""

_LEAST = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxy:
    """How well one feature tells a group from everybody else.

    Args:
        feature: its name.
        group: the group.
        people: how many have the feature.
        area: area under the curve, 0.5 to 1, whichever way the feature points; None where there are too few.
        low: lower end of its 95 % interval.
        needs_review: whether the lower end is above 0.65.
    """

    feature: str
    group: str
    people: int
    area: float | None
    low: float | None
    needs_review: bool


def proxy(feature: str, values: Column, group: str, belongs: Column) -> Proxy:
    """Give how well a feature tells a group from everybody else.

    The area is that of the Mann-Whitney statistic: the probability that somebody of the group has the larger
    value, ties counted half; below 0.5 it is turned around. Its standard error is Hanley and McNeil's.

    Args:
        feature: its name.
        values: one number per person, shape (n,); NaN where the feature is missing.
        group: the group's name.
        belongs: 1 for people of the group, 0 for others, shape (n,).

    Raises:
        Layer7Error: ``bad_counts`` for columns of different lengths.

    Source:
        Hanley and McNeil (1982), Radiology 143, eq. 1 and 2.

    Example:
        >>> import numpy as np
        >>> belongs = np.arange(1000) % 2
        >>> found = proxy("first name's length", belongs * 3.0 + np.arange(1000) % 7, "a", belongs)
        >>> round(found.area, 3), found.needs_review
        (0.837, True)
    """
    told, member = np.asarray(values, np.float64), column("belongs", belongs) > 0
    if told.shape != member.shape:
        raise Layer7Error("bad_counts", "The columns have different lengths.", "Give one value per person.")
    known = np.isfinite(told)
    told, member = told[known], member[known]
    inside, outside = int(member.sum()), int((~member).sum())
    if told.size < LEAST_PEOPLE or min(inside, outside) < _LEAST:
        return Proxy(
            feature=feature, group=group, people=int(told.size), area=None, low=None, needs_review=False
        )
    ranks = scipy.stats.rankdata(told)
    area = (float(ranks[member].sum()) - inside * (inside + 1) / 2) / (inside * outside)
    area = max(area, 1 - area)
    low = area - 1.96 * _error(area, inside, outside)
    return Proxy(
        feature=feature,
        group=group,
        people=int(told.size),
        area=area,
        low=low,
        needs_review=low > REVIEWED,
    )


def _error(area: float, inside: int, outside: int) -> float:
    above, below = area / (2 - area), 2 * area**2 / (1 + area)
    spread = (inside - 1) * (above - area**2) + (outside - 1) * (below - area**2)
    return math.sqrt(max(area * (1 - area) + spread, 0.0) / (inside * outside))
