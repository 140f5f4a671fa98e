"""The gate: a change goes on only if no group can be harmed by much, and back once any is."""

import functools
import math
import operator
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from layer7.fairness.groups import OTHER_SMALL
from layer7.fairness.log_ratio import is_reportable, log_ratio, without
from layer7.fairness.parity import ALPHA
from layer7.statistics.trials import ArmMoments, Contrast, critical_anytime

OVERALL = 0.95
"""More than 5 % harm overall has to be excluded."""

IN_A_GROUP = 0.80
"""More than 20 % harm has to be excluded in every group that can be told."""

GAP = 0.98
"""A gap that grows by more than 2 % is harm."""


class Move(StrEnum):
    """What the gate says."""

    GO_ON = "pass"
    HOLD = "hold"
    ROLL_BACK = "roll_back"


@dataclass(frozen=True, slots=True)
class Arms:
    """People of one group by what they got.

    Args:
        control: their moments; columns events and chances.
        treatment: of the same columns.
    """

    control: ArmMoments
    treatment: ArmMoments

    def __add__(self, other: "Arms") -> "Arms":
        """Give the people of both."""
        return Arms(self.control + other.control, self.treatment + other.treatment)

    @property
    def is_reportable(self) -> bool:
        """Whether both arms are large enough to be told."""
        return is_reportable(self.control) and is_reportable(self.treatment)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a change does in one group, as the ratio of the treatment's rate to the control's.

    Args:
        group: the group; ``everybody`` for all of them.
        people: in both arms.
        ratio: None where nothing can be told.
        low: lower end of an interval that holds at all times together.
        high: upper end.
    """

    group: str
    people: int
    ratio: float | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the gate says of a change.

    Args:
        move: pass, hold or roll back.
        why: the reason, in words.
        groups: what it does in each group, everybody first.
    """

    move: Move
    why: str
    groups: tuple[Told, ...]


def judge(
    groups: Mapping[str, Arms], *, planned: float, higher_is_better: bool = True, alpha: float = ALPHA
) -> Verdict:
    """Decide whether a change may go on, by what it does to each group.

    Log ratios of treatment to control with confidence sequences at alpha / (2 G + 1) each, G the groups that
    can be told. Roll back: the upper end is below 1 overall or in a group, or the ratio of a group's ratio to
    that of everybody else is below 0.98 for certain. Pass: the lower end is above 0.95 overall and above 0.80
    in every group. Hold: anything else. Small groups are put together.

    Args:
        groups: people by group and arm, as they had declared themselves when they were drawn by lot.
        planned: people at whom the intervals are tightest, fixed before.
        higher_is_better: the metric's direction.
        alpha: accepted probability of any false alarm, over all nights and groups.

    Example:
        >>> import numpy as np
        >>> def people(rate, n=30_000):
        ...     had = np.arange(n) < rate * n
        ...     return ArmMoments.of(np.column_stack([had, np.ones(n)]).astype(float))
        >>> fine, harmed = Arms(people(0.20), people(0.22)), Arms(people(0.20), people(0.14))
        >>> judge({"a": fine, "b": fine}, planned=20_000).move.value
        'pass'
        >>> judge({"a": fine, "b": fine, "c": harmed}, planned=20_000).why
        'Proven worse for c: at most 0.75 times the rate.'
    """
    pooled = _pooled(groups)
    if not pooled:
        return Verdict(move=Move.HOLD, why="Nobody takes part yet.", groups=())
    everybody = functools.reduce(operator.add, pooled.values())
    told = {name: arms for name, arms in pooled.items() if arms.is_reportable}
    looking = _Looking(planned, alpha / (2 * len(told) + 1), higher_is_better)
    overall = _told("everybody", everybody, looking)
    rows = tuple(
        _told(name, arms, looking) if name in told else Told(group=name, people=_people(arms))
        for name, arms in pooled.items()
    )
    verdict = _harm((overall, *rows)) or _wider(told, everybody, looking) or _open((overall, *rows), told)
    return Verdict(move=verdict[0], why=verdict[1], groups=(overall, *rows))


@dataclass(frozen=True, slots=True)
class _Looking:
    planned: float
    alpha: float
    higher_is_better: bool

    def effect(self, arms: Arms) -> Contrast | None:
        first, second = arms.control, arms.treatment
        return log_ratio(first, second) if self.higher_is_better else log_ratio(second, first)

    def reach(self, found: Contrast) -> float:
        one_sided = critical_anytime(found.n, self.planned, self.alpha, one_sided=True)
        return one_sided * found.standard_error


def _pooled(groups: Mapping[str, Arms]) -> dict[str, Arms]:
    small = [name for name, arms in groups.items() if not arms.is_reportable]
    pooled = {name: arms for name, arms in sorted(groups.items()) if name not in small}
    if small:
        pooled[OTHER_SMALL] = functools.reduce(operator.add, (groups[name] for name in small))
    return pooled


def _people(arms: Arms) -> int:
    return int(arms.control.n + arms.treatment.n)


def _told(name: str, arms: Arms, looking: _Looking) -> Told:
    found = looking.effect(arms) if arms.is_reportable else None
    if found is None:
        return Told(group=name, people=_people(arms))
    reach = looking.reach(found)
    low, middle, high = (math.exp(found.estimate + by) for by in (-reach, 0.0, reach))
    return Told(group=name, people=_people(arms), ratio=middle, low=low, high=high)


def _harm(rows: tuple[Told, ...]) -> tuple[Move, str] | None:
    for row in rows:
        if row.high is not None and row.high < 1:
            return Move.ROLL_BACK, f"Proven worse for {row.group}: at most {row.high:.2f} times the rate."
    return None


def _wider(told: Mapping[str, Arms], everybody: Arms, looking: _Looking) -> tuple[Move, str] | None:
    """Say whether a group falls behind everybody else, whatever becomes of both."""
    for name, arms in told.items():
        rest = Arms(without(everybody.control, arms.control), without(everybody.treatment, arms.treatment))
        if not rest.is_reportable:
            continue
        own, others = looking.effect(arms), looking.effect(rest)
        if own is None or others is None:
            continue
        gap = Contrast(
            estimate=own.estimate - others.estimate,
            standard_error=math.hypot(own.standard_error, others.standard_error),
            freedom=min(own.freedom, others.freedom),
            n=own.n + others.n,
        )
        if gap.estimate + looking.reach(gap) < math.log(GAP):
            return Move.ROLL_BACK, f"{name} falls behind everybody else by more than 2 %, proven."
    return None


def _open(rows: tuple[Told, ...], told: Mapping[str, Arms]) -> tuple[Move, str]:
    overall, *groups = rows
    if overall.low is None or overall.low <= OVERALL:
        return Move.HOLD, "More than 5 % harm overall is not excluded yet."
    open_ones = [row.group for row in groups if row.group in told and (row.low or 0.0) <= IN_A_GROUP]
    if open_ones:
        return Move.HOLD, f"More than 20 % harm is not excluded yet for {', '.join(open_ones)}."
    if not told:
        return Move.HOLD, "No group is large enough to be told."
    return Move.GO_ON, "More than 5 % harm is excluded overall, and more than 20 % in every group."
