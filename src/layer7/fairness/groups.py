"""Groups that people declare themselves; nothing is ever guessed from a name, a photo or a word."""

import re
from collections.abc import Collection, Mapping
from types import MappingProxyType

from layer7.errors import Layer7Error

UNDISCLOSED = "undisclosed"
"""Who has not said; a group like any other."""

OTHER_SMALL = "other small groups"
"""Groups that are too small to be told on their own, together."""

LEAST_PEOPLE = 400
LEAST_EVENTS = 20
"""People, and events (such as interviews), that a group needs before anything is said of it."""

ATTRIBUTES: Mapping[str, str] = MappingProxyType(
    {
        "gender": "as the person names it",
        "age": "under 40, or 40 and over",
        "ethnicity": "by the list of the place, as the person names it",
        "disability": "yes, or no",
    }
)
"""What can be declared, each on its own."""

_WORD = re.compile(r"[^\W_][\w '/,()+-]{0,39}")


def checked_groups(
    said: Mapping[str, str], lists: Mapping[str, Collection[str]] = MappingProxyType({})
) -> Mapping[str, str]:
    """Check what a person declares, and give it in one spelling.

    Args:
        said: group by attribute; ``undisclosed`` takes an attribute back.
        lists: groups that an attribute may have, such as those a law names; any short word without a list.

    Raises:
        Layer7Error: ``unknown_attribute``; ``unknown_choice`` for a group that is no short word, or is not
            on the attribute's list.

    Example:
        >>> dict(checked_groups({"gender": " Female "}, {"gender": ("Female", "Male", "Diverse")}))
        {'gender': 'female'}
    """
    found = {}
    for attribute, group in said.items():
        if attribute not in ATTRIBUTES:
            raise Layer7Error(
                "unknown_attribute",
                f"{attribute[:40]!r} is nothing that is asked for.",
                f"Attributes are {', '.join(ATTRIBUTES)}.",
            )
        word = " ".join(group.split()).lower()
        if not _WORD.fullmatch(word) or word == OTHER_SMALL:
            raise Layer7Error(
                "unknown_choice", f"The group for {attribute} is no short word.", "Give 1 to 40 letters."
            )
        known = [" ".join(each.split()).lower() for each in lists.get(attribute, ())]
        if known and word not in (*known, UNDISCLOSED):
            raise Layer7Error(
                "unknown_choice",
                f"The group for {attribute} is not on the list of this installation.",
                f"Groups are {', '.join(known)}; {UNDISCLOSED} takes it back.",
            )
        found[attribute] = word
    return MappingProxyType(found)


def crossed(said: Mapping[str, str]) -> Mapping[str, str]:
    """Add gender crossed with ethnicity, where both were declared.

    Example:
        >>> crossed({"gender": "female", "ethnicity": "tatar"})["gender and ethnicity"]
        'female, tatar'
    """
    both = [said.get(name, UNDISCLOSED) for name in ("gender", "ethnicity")]
    more = {} if UNDISCLOSED in both else {"gender and ethnicity": ", ".join(both)}
    return MappingProxyType({**said, **more})
