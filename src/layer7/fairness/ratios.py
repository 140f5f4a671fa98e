"""Impact ratios as New York City's Local Law 144 asks for them, from plain counts."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from layer7.errors import Layer7Error
from layer7.statistics import wilson
from layer7.statistics.rates.intervals import normal_quantile

SMALL_SHARE = 0.02
"""A category with less than this share of the people may be left out of the comparison."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImpactRatio:
    """One category.

    Args:
        category: its name.
        people: how many.
        selected: how many of them were selected.
        rate: selection rate; with the interval of one look (Wilson).
        low: lower end.
        high: upper end.
        ratio: rate / rate of the category that is selected most; None where no category is selected.
        ratio_low: lower end of the ratio's interval; None for the category that is selected most.
        ratio_high: upper end.
        is_small: whether it has less than 2 % of the people; then it is not the one compared with.
    """

    category: str
    people: int
    selected: int
    rate: float
    low: float
    high: float
    ratio: float | None
    ratio_low: float | None
    ratio_high: float | None
    is_small: bool


def impact_ratios(counts: Iterable[tuple[str, int, int]], *, level: float = 0.95) -> tuple[ImpactRatio, ...]:
    """Give selection rates and impact ratios, the most selected category first.

    impact ratio = selection rate / selection rate of the most selected category. Its interval:
    exp(log ratio ± z sqrt(1/k1 - 1/n1 + 1/k0 - 1/n0)). For scores in place of a selection, count as selected
    who scores above the median of all.

    Args:
        counts: category, people, selected; each category once.
        level: confidence of one look.

    Raises:
        Layer7Error: ``bad_counts``.

    Trust:
        For one planned look, such as the yearly audit; for nightly looks take
        :func:`layer7.fairness.parity.parity`.

    Source:
        6 RCNY 5-300 and 5-301 (Local Law 144 of 2021); Katz and others (1978), Biometrics 34: the interval.

    Example:
        >>> [(each.category, round(each.ratio, 2)) for each in impact_ratios([("a", 80, 20), ("b", 50, 10)])]
        [('a', 1.0), ('b', 0.8)]
    """
    rows = [row for row in counts if row[1] > 0]
    if any(not 0 <= selected <= people for _, people, selected in rows) or len({r[0] for r in rows}) < len(
        rows
    ):
        raise Layer7Error(
            "bad_counts", "A category has more selected than people, or stands there twice.", "Count again."
        )
    everybody = sum(people for _, people, _ in rows)
    large = [row for row in rows if row[1] >= SMALL_SHARE * everybody]
    best = max(large, key=lambda row: row[2] / row[1], default=None)
    found = (_ratio(row, best, everybody, level) for row in rows)
    return tuple(sorted(found, key=lambda each: (-each.rate, each.category)))


def _ratio(
    row: tuple[str, int, int], best: tuple[str, int, int] | None, everybody: int, level: float
) -> ImpactRatio:
    category, people, selected = row
    told = wilson(selected, people, level)
    ratio = ends = None
    if best is not None and best[2] > 0:
        ratio = (selected / people) / (best[2] / best[1])
        if row is not best and selected > 0:
            spread = math.sqrt(max(1 / selected - 1 / people + 1 / best[2] - 1 / best[1], 0.0))
            reach = normal_quantile(level) * spread
            ends = (ratio * math.exp(-reach), ratio * math.exp(reach))
    return ImpactRatio(
        category=category,
        people=people,
        selected=selected,
        rate=selected / people,
        low=told.low or 0.0,
        high=1.0 if told.high is None else told.high,
        ratio=ratio,
        ratio_low=ends[0] if ends else None,
        ratio_high=ends[1] if ends else None,
        is_small=people < SMALL_SHARE * everybody,
    )
