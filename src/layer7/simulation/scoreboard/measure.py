"""A line of the scoreboard: what is planted, what is measured, and what counts as good."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """How the figures of the replications become one."""

    MEAN = "mean"
    SHARE = "share"
    MEDIAN = "median"
    RATE = "rate"


class Unit(StrEnum):
    """How a figure is written."""

    PERCENT = "percent"
    NUMBER = "number"
    POINTS = "points"
    WEEKS = "weeks"
    PER_YEAR = "per user-year"


@dataclass(frozen=True, slots=True)
class Mark:
    """Which figures are good enough.

    Args:
        low: the least that passes; None without such an end.
        high: the most that passes; None without such an end.

    Example:
        >>> Mark(high=0.05).high
        0.05
    """

    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Figure:
    """What one replication gives: a number, or a count of a count.

    Figures of several replications are pooled as Σ value / Σ n, so a replication of many users weighs more.

    Args:
        value: the number itself with n = 1; for a share, how many of the ``n``.
        n: of how many, not negative; 0 where the replication had nothing to count.
    """

    value: float
    n: float = 1.0


@dataclass(frozen=True, slots=True)
class Pair:
    """The engine's figure and that of the naive rule on the same log; None where one cannot tell.

    Args:
        engine: what the engine's own stages said.
        naive: what the rule that they replace says.
    """

    engine: Figure | None
    naive: Figure | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One simulated log, judged: what a replication of one or more lines does.

    Args:
        name: names the trial; with the replication's number it makes the seed.
        run: makes a market from a seed, lets the engine read its log, and gives a pair per measure's key;
            a function of a module, so that another process finds it.
        short: replications in the short form.
        full: replications in the full form; 200 or more where a line claims an error rate.
    """

    name: str
    run: Callable[[int], Mapping[str, Pair]]
    short: int
    full: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One line of the scoreboard.

    Args:
        scenario: e.g. ``"S2"``.
        name: what is measured, in words.
        unit: how its figures are written.
        kind: how the replications are put together.
        mark: which figures are good enough.
        naive: what the naive rule does, in words; empty without one.
        trial: what makes its figures; lines of one trial share its logs.
        key: under which the trial gives this line's pair.
        known: why the line is known to fall short; empty for a line that should pass.
    """

    scenario: str
    name: str
    unit: Unit
    kind: Kind
    mark: Mark
    naive: str
    trial: Trial
    key: str
    known: str = ""
