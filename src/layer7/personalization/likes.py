"""What a person wants of a job: what she says herself, else what she mostly chooses."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from layer7.analytics.cells.chances import key_of
from layer7.personalization.config import Person, value_of
from layer7.personalization.values import Usual

_PROPERTIES: Mapping[str, str] = MappingProxyType(
    {
        "preferred_locations": "location",
        "preferred_company_sizes": "company_size",
        "work_arrangement_preference": "arrangement",
    }
)
_NOBODY = Usual(pace=1.0, fit=0.0, follow_up=1.0)
"""Everybody's numbers; none of them is asked for here."""


@dataclass(frozen=True, slots=True)
class Like:
    """Levels that a person wants.

    Args:
        name: of the property, ``location`` or ``company_size``, or ``arrangement``.
        keys: of the levels; one also holds where its words stand in a longer name.
        chosen: whether she said so herself; else it is what she mostly applies to.
    """

    name: str
    keys: tuple[str, ...]
    chosen: bool

    def holds(self, key: str) -> bool:
        """Tell whether a level is one of them.

        Args:
            key: of the level.

        Example:
            >>> Like("location", ("berlin",), chosen=True).holds("berlin mitte")
            True
        """
        return any(f" {each} " in f" {key} " for each in self.keys)


def likes_of(person: Person) -> tuple[Like, ...]:
    """Give what a person wants of jobs; her own word takes the place of what was learned.

    Args:
        person: what is known of her settings.

    Example:
        >>> likes_of(Person(level="standard", wishes={"preferred_locations": ["Berlin"]}))
        (Like(name='location', keys=('berlin',), chosen=True),)
    """
    found = []
    for field, name in _PROPERTIES.items():
        own = value_of(field, person, _NOBODY)
        levels = (own.value,) if isinstance(own.value, str) else own.value
        if isinstance(levels, tuple) and levels:
            keys = tuple(key_of(str(level)) for level in levels)
            found.append(Like(name, keys, chosen=own.origin == "chosen"))
    return tuple(found)


def rejected_of(person: Person) -> tuple[str, ...]:
    """Give what a person rejects, in small letters; her own word takes the place of what was learned.

    Args:
        person: what is known of her settings.
    """
    said = value_of("rejection_patterns", person, _NOBODY).value
    return tuple(str(words).casefold() for words in said) if isinstance(said, tuple) else ()
