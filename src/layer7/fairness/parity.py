"""Parity: how a group fares beside everybody else, in an interval that may be looked at every night."""

import functools
import math
import operator
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from layer7.fairness.groups import LEAST_EVENTS, LEAST_PEOPLE, OTHER_SMALL
from layer7.fairness.log_ratio import is_reportable, log_ratio, without
from layer7.privacy.budget import LEAST_SHOWN
from layer7.statistics.trials import ArmMoments, critical_anytime

FOUR_FIFTHS = 0.8
"""Below so many times the rate of the others, a group is treated worse (29 CFR 1607.4(D))."""

WATCHED = 0.9
ALPHA = 0.02
"""Accepted probability of any false alarm of an attribute, over all nights, groups and metrics."""

PLANNED = 20_000
"""People at whom the interval is tightest; fixed, so that looking cannot move it."""


class Level(StrEnum):
    """What is said of a group."""

    BREACH = "breach"
    WATCH = "watch"
    CERTIFIED = "certified"
    NOT_ENOUGH = "not_enough_data"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked of the groups of an attribute.

    Args:
        attribute: what was declared.
        metric: what is measured.
        higher_is_better: its direction.
        tests: comparisons of the attribute over all metrics, which share alpha.
    """

    attribute: str
    metric: str
    higher_is_better: bool = True
    tests: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Parity:
    """How one group fares.

    Args:
        attribute: what was declared.
        group: the group.
        metric: what is measured.
        people: how many people.
        rate: the group's rate; None where too little is known to show it.
        rest: the rate of everybody else.
        ratio: how many times as good the group fares as everybody else; below 1 it fares worse.
        low: lower end of the interval of the ratio, which holds at all times together.
        high: upper end.
        impact_ratio: rate / that of the best group that is large enough.
        level: what is said.
        why: the reason, in words; what is missing where nothing can be said.
        holds: the small groups that were put together.
    """

    attribute: str
    group: str
    metric: str
    people: int
    rate: float | None = None
    rest: float | None = None
    ratio: float | None = None
    low: float | None = None
    high: float | None = None
    impact_ratio: float | None = None
    level: Level = Level.NOT_ENOUGH
    why: str = ""
    holds: tuple[str, ...] = ()


def parity(groups: Mapping[str, ArmMoments], asked: Question, *, alpha: float = ALPHA) -> tuple[Parity, ...]:
    """Give how each group fares beside everybody else, the worst first.

    Ratio of the rates, its logarithm with a normal-mixture confidence sequence
    (:func:`layer7.statistics.trials.critical_anytime`), alpha divided by all comparisons of the attribute.
    Groups below 400 people or 20 events are put together; nothing is shown of what stays too small.

    * breach: the upper end is below 0.8.
    * watch: the ratio is below 0.8, or the upper end below 0.9.
    * certified: the lower end is at least 0.8.
    * not enough data: anything else, with about how many people more it takes.

    Args:
        groups: moments of people by group; columns events and chances.
        asked: the question.
        alpha: accepted probability of any false alarm.

    Example:
        >>> import numpy as np
        >>> def people(rate, n=4000):
        ...     had = np.arange(n) < rate * n
        ...     return ArmMoments.of(np.column_stack([had, np.ones(n)]).astype(float))
        >>> found = parity({"a": people(0.30), "b": people(0.18)}, Question(attribute="x", metric="answers"))
        >>> [(each.group, each.level.value) for each in found]
        [('b', 'breach'), ('a', 'certified')]
    """
    told, held = _pooled(groups)
    if not told:
        return ()
    rates = [_rate(one, asked) for one in told.values() if is_reportable(one)]
    whole = _Whole(
        asked=asked,
        everybody=functools.reduce(operator.add, told.values()),
        alpha=alpha / max(asked.tests, len(told)),
        best=max(rates, default=None),
    )
    found = [_one(name, one, whole, held if name == OTHER_SMALL else ()) for name, one in told.items()]
    return tuple(sorted(found, key=lambda each: (each.ratio is None, each.ratio or 0.0, each.group)))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Whole:
    """What all groups of a question share; ``best`` is the best rate, as its direction has it."""

    asked: Question
    everybody: ArmMoments
    alpha: float
    best: float | None


def _pooled(groups: Mapping[str, ArmMoments]) -> tuple[dict[str, ArmMoments], tuple[str, ...]]:
    """Put those together that are too small to be told; a word that few have said is not even named."""
    small = tuple(sorted(name for name, one in groups.items() if not is_reportable(one)))
    named = tuple(name for name in small if groups[name].n >= LEAST_SHOWN)
    told = {name: one for name, one in groups.items() if name not in small}
    if small:
        told[OTHER_SMALL] = functools.reduce(operator.add, (groups[name] for name in small))
    return told, named


def _rate(one: ArmMoments, asked: Question) -> float:
    """Give the rate, turned around where less is better, so that more is always better."""
    rate = float(one.sums[0] / one.sums[1])
    return rate if asked.higher_is_better else 1 / rate


def _one(name: str, one: ArmMoments, whole: _Whole, held: tuple[str, ...]) -> Parity:
    asked, rest = whole.asked, without(whole.everybody, one)
    row = Parity(
        attribute=asked.attribute,
        group=name,
        metric=asked.metric,
        people=int(one.n),
        holds=held,
        why=f"{LEAST_PEOPLE} people with {LEAST_EVENTS} events are needed, in the group and beside it.",
    )
    if not is_reportable(one) or not is_reportable(rest):
        return row
    found = log_ratio(rest, one) if asked.higher_is_better else log_ratio(one, rest)
    if found is None:
        return replace(row, why="Everybody fares alike: without any difference there is no interval.")
    reach = critical_anytime(found.n, PLANNED, whole.alpha) * found.standard_error
    ends = (math.exp(found.estimate - reach), math.exp(found.estimate + reach))
    level, why = _level(math.exp(found.estimate), ends, int(one.n))
    return replace(
        row,
        rate=float(one.sums[0] / one.sums[1]),
        rest=float(rest.sums[0] / rest.sums[1]),
        ratio=math.exp(found.estimate),
        low=ends[0],
        high=ends[1],
        impact_ratio=_rate(one, asked) / whole.best if whole.best else None,
        level=level,
        why=why,
    )


def _level(ratio: float, ends: tuple[float, float], people: int) -> tuple[Level, str]:
    low, high = ends
    if high < FOUR_FIFTHS:
        return Level.BREACH, f"At most {high:.2f} times the rate of the others, which is below four fifths."
    if ratio < FOUR_FIFTHS or high < WATCHED:
        return Level.WATCH, f"{ratio:.2f} times the rate of the others, {low:.2f} to {high:.2f}."
    if low >= FOUR_FIFTHS:
        return Level.CERTIFIED, f"At least {low:.2f} times the rate of the others."
    more = people * (math.log(high / low) / 2 / -math.log(FOUR_FIFTHS)) ** 2 - people
    return (
        Level.NOT_ENOUGH,
        f"Between {low:.2f} and {high:.2f}; about {math.ceil(more):,} more people would tell.",
    )
