"""A least count for figures that stay inside: what is about too few people is shown to nobody.

It is no promise to the people counted: two tables that differ by one person tell about her.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from layer7.errors import Layer7Error

LEAST_PEOPLE = 10
"""People that an entry must be about before it is shown."""

Entry = TypeVar("Entry")


@dataclass(frozen=True, slots=True)
class Enough(Generic[Entry]):
    """What is about enough people, and how much is not.

    Args:
        shown: the entries about enough people, in the order given.
        suppressed: how many entries were left out.
    """

    shown: tuple[Entry, ...]
    suppressed: int


def about_enough(
    entries: Iterable[Entry], people: Callable[[Entry], float], *, least: int = LEAST_PEOPLE
) -> Enough[Entry]:
    """Keep those entries that are about enough people.

    Args:
        entries: what would be shown.
        people: how many different people an entry is about.
        least: how many they must be, at least 2.

    Raises:
        Layer7Error: ``bad_least`` below 2, since an entry about one person is hers alone.

    Example:
        >>> about_enough([("Berlin", 240), ("Ulm", 3)], lambda entry: entry[1])
        Enough(shown=(('Berlin', 240),), suppressed=1)
    """
    if least < 2:
        raise Layer7Error("bad_least", f"A least count of {least} protects nobody.", "Give 10 or more.")
    every = tuple(entries)
    shown = tuple(entry for entry in every if people(entry) >= least)
    return Enough(shown, len(every) - len(shown))
