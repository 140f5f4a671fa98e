"""What a letter is made from: one person's week in numbers, and what was learned from her and others."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from types import MappingProxyType
from typing import Literal

from layer7.contract.evidence import Lineage

Tone = Literal["professional", "friendly", "motivational"]
Detail = Literal["brief", "standard", "detailed"]


@dataclass(frozen=True, slots=True)
class Manner:
    """How a person likes to be told.

    Args:
        tone: how she is spoken to.
        detail: how much she is told.
    """

    tone: Tone = "friendly"
    detail: Detail = "standard"


@dataclass(frozen=True, slots=True, kw_only=True)
class Week:
    """What was counted of a week, as it stood at its end.

    Args:
        start: its Monday.
        sent: applications of the last 8 weeks, the oldest first; the last one is this week's.
        invited: employers who invited her in it.
        offered: offers that came in it.
        rejected: rejections that came in it.
        waiting: applications that are silent so far.
        longest: days of the longest silence; None without any.
        due: applications whose day to follow up came in it.
    """

    start: date
    sent: tuple[int, ...]
    invited: int = 0
    offered: int = 0
    rejected: int = 0
    waiting: int = 0
    longest: int | None = None
    due: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Rated:
    """A person's interview rate over all her applications, shrunk.

    Args:
        value: the rate.
        low: lower end of its 95 % interval.
        high: upper end of it.
        n: applications.
        seen: what of them has been seen to its end.
        events: interviews.
        none: chance that somebody has no interview in so many applications.
    """

    value: float
    low: float
    high: float
    n: int
    seen: float
    events: int
    none: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """The rate of the last 8 weeks against the one before, where the interval leaves out "none".

    Args:
        low: lower end of the ratio's 95 % interval.
        high: upper end; None where it has no bound.
        recent: interviews and applications of the last 8 weeks.
        before: the same of all time before.
    """

    low: float
    high: float | None
    recent: tuple[int, int]
    before: tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where she stands among similar people.

    Args:
        segment_id: whom she is compared with.
        who: the same in words.
        people: how many they are, as released.
        mean: their mean interview rate and the ends of its interval, as released.
        percentile: percent of them below her, with its band.
    """

    segment_id: str
    who: str
    people: int
    mean: tuple[float, float, float]
    percentile: tuple[float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """A level that answers her differently than the rest, as the night found it.

    Args:
        dimension: what applications were split by.
        level: which of them.
        odds_ratio: against her average and everybody's experience, with its interval.
        probability: that it is so.
        n: applications to the level.
        events: interviews of them.
        rate: shrunk interview rate of the level, with its interval.
        change: about how many more applications would take it back.
    """

    dimension: str
    level: str
    odds_ratio: tuple[float, float, float]
    probability: float
    n: int
    events: int
    rate: tuple[float, float, float]
    change: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SilenceLaw:
    """What silence means in the log as a whole.

    Args:
        curve: days of silence, and the chance that an interview still comes.
        answered: share of applications that are ever answered; None when unknown.
        n: applications it rests on.
    """

    curve: tuple[tuple[int, float], ...]
    answered: float | None
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Targets:
    """Whether it is time to rethink targets.

    Args:
        rethink: whether it is.
        probability: that her rate is below the threshold.
        threshold: the rate below which targets are rethought.
        n: applications since targets were last rethought.
        interviews: of them.
    """

    rethink: bool
    probability: float
    threshold: float
    n: int
    interviews: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """What was learned, beside what was counted; empty for a past week, of which only the counts are told.

    Args:
        change: of her rate.
        patterns: what works for her and what does not, the most probable first.
        targets: whether to rethink them; None when it cannot be told.
        needed: about how many more applications tell more, by dimension.
    """

    change: Change | None = None
    patterns: tuple[Pattern, ...] = ()
    targets: Targets | None = None
    needed: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Everything that a letter is made from.

    Args:
        user_id: whose letter it is.
        as_of: when the log was read to.
        week: what was counted; None when nothing may be read of her, or nothing is known.
        rated: her interview rate; None before any application has been seen.
        standing: where she stands; None when there are too few similar people.
        silence: what silence means; None while that cannot be told.
        learned: what was learned.
        aim: applications a week that she wants, or keeps up; None where neither is known.
        planned: whether she wants them, by her own word.
        follow_up: days of silence after which to follow up.
        off: why nothing is read of her; None when it is.
        lineage: where it was read.
    """

    user_id: str
    as_of: datetime
    start: date
    week: Week | None = None
    rated: Rated | None = None
    standing: Standing | None = None
    silence: SilenceLaw | None = None
    learned: Learned = field(default_factory=Learned)
    aim: float | None = None
    planned: bool = False
    follow_up: float = 7.0
    off: Literal["switched_off", "paused", "unknown"] | None = None
    lineage: Lineage | None = None
