"""The door through which figures about others go out: what is about too few people stays inside.

This is a least count, not yet a guarantee: two releases that differ by one person can still tell about her.
Noise with a budget takes the place of this function's body, without a change at its callers.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from layer7.errors import Layer7Error

LEAST_PEOPLE = 10
"""People that an entry must be about before it is shown to others."""

Entry = TypeVar("Entry")


@dataclass(frozen=True, slots=True)
class Released(Generic[Entry]):
    """What may be shown, and how much stays inside.

    Args:
        shown: the entries about enough people, in the order given.
        suppressed: how many entries were left out.
    """

    shown: tuple[Entry, ...]
    suppressed: int


def release(
    entries: Iterable[Entry], people: Callable[[Entry], float], *, least: int = LEAST_PEOPLE
) -> Released[Entry]:
    """Let out those entries that are about enough people.

    Args:
        entries: what would be shown.
        people: how many different people an entry is about.
        least: how many they must be, at least 2.

    Raises:
        Layer7Error: ``bad_least`` below 2, since an entry about one person is hers alone.

    Example:
        >>> release([("Berlin", 240), ("Ulm", 3)], lambda entry: entry[1])
        Released(shown=(('Berlin', 240),), suppressed=1)
    """
    if least < 2:
        raise Layer7Error("bad_least", f"A least count of {least} protects nobody.", "Give 10 or more.")
    every = tuple(entries)
    shown = tuple(entry for entry in every if people(entry) >= least)
    return Released(shown, len(every) - len(shown))
