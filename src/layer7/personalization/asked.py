"""What a ranking is made from: the jobs, and what is known of the person that they are ranked for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType

from layer7.contract.ranking import Job
from layer7.personalization.likes import Like


@dataclass(frozen=True, slots=True)
class Leaning:
    """What goes with a level for one person alone.

    Args:
        value: log odds.
        n: her applications to it.
    """

    value: float
    n: int


@dataclass(frozen=True, slots=True)
class Person:
    """What is known of the person that jobs are ranked for.

    Args:
        value: her own average log odds, against somebody unknown.
        error: how uncertain that is; None for the spread between people.
        n: her applications that it is learned from.
        leanings: by property and key of the level.
        company_types: keys of kinds of company that are shown as working for her.
        locations: keys of locations likewise.
        rejected: what she rejects, by her own word or again and again, in small letters.
        likes: what she wishes, or mostly chooses.
        min_fit_score: fit below which she should not apply; None for none.
    """

    value: float = 0.0
    error: float | None = None
    n: int = 0
    leanings: Mapping[tuple[str, str], Leaning] = field(default_factory=lambda: MappingProxyType({}))
    company_types: frozenset[str] = frozenset()
    locations: frozenset[str] = frozenset()
    rejected: tuple[str, ...] = ()
    likes: tuple[Like, ...] = ()
    min_fit_score: float | None = None

    def with_minimum(self, least: float | None) -> "Person":
        """Give the same person with another minimum fit.

        Args:
            least: the fit below which she should not apply; None for none.
        """
        return replace(self, min_fit_score=least)


SOMEBODY = Person()
"""Somebody of whom nothing is known, or whose own outcomes may not be used."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked for.

    Args:
        jobs: the jobs, in any order, each once.
        at: now, for the age of postings.
        slots: how many the person is going to look at.
        exploration_share: of these places, given by lot to jobs a little behind.
        exposures: people to whom each job was lately shown among the first places.
    """

    jobs: Sequence[Job]
    at: datetime
    slots: int = 10
    exploration_share: float = 0.05
    exposures: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
