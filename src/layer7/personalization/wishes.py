"""What a person says herself: values of her own choice, what is to be forgotten, and whether to pause."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from layer7.configuration import check, parameter
from layer7.errors import Layer7Error

PAUSED = "paused"
FORGET = "forget:"
"""What stands before the name of something that is not to be learned, such as ``forget:location: Berlin``."""

PARAMETERS: Mapping[str, str] = MappingProxyType(
    {
        "optimal_applications_per_week": "optimal_weekly_target",
        "min_fit_score_to_apply": "min_fit_score_threshold",
        "follow_up_timing_days": "follow_up_timing",
        "edit_frequency": "task_complexity_preference",
    }
)
"""Fields of a person's settings that Layer 5 reads, and the setting that each is (specification 9.3)."""

FIELDS: Mapping[str, str] = MappingProxyType({key: field for field, key in PARAMETERS.items()})
"""The same, by setting."""

_CHOICES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "preferred_detail_level": ("brief", "standard", "detailed"),
        "coach_tone_preference": ("professional", "friendly", "motivational"),
        "work_arrangement_preference": ("remote", "hybrid", "onsite"),
    }
)
_LISTS = ("preferred_company_sizes", "preferred_locations", "rejection_patterns")
MOST_WORDS, LONGEST = 20, 100
LONGEST_ITEM = 200
COUNTED = ("standing", "change", "rethink")
"""Findings that are counted anew from her applications every night: they go with these alone."""


def checked(field: str, value: object) -> Any:
    """Give a wish in the form in which it is kept, or refuse it.

    Args:
        field: of a person's settings, ``paused``, or ``forget:`` and the name of something learned.
        value: what she wishes; a text from a command line is read as what the field holds.

    Raises:
        Layer7Error: ``unknown_field`` with the fields there are; ``value_not_allowed``, or what the setting
            itself refuses.

    Example:
        >>> checked("optimal_applications_per_week", "12"), checked("preferred_locations", "Berlin; Ulm")
        (12.0, ['Berlin', 'Ulm'])
    """
    return _reader(field)(field, value)


def known(field: str) -> str:
    """Give the name of a wish back, or refuse it.

    Args:
        field: as in :func:`checked`.

    Raises:
        Layer7Error: ``unknown_field`` with the fields there are.
    """
    _reader(field)
    return field


def _reader(field: str) -> Callable[[str, object], Any]:
    if field.startswith(FORGET) and len(FORGET) < len(field) <= LONGEST_ITEM and field.isprintable():
        return _item
    if field not in _READ:
        raise Layer7Error(
            "unknown_field", f"There is no such wish: {field[:80]!r}.", f"There are: {', '.join(_READ)}."
        )
    return _READ[field]


def _setting(field: str, value: object) -> Any:
    known = parameter(PARAMETERS[field])
    if isinstance(value, str) and known.kind.value == "float":
        try:
            value = float(value)
        except ValueError as error:
            raise _refused(field, "a number") from error
    return check(known, value)


def _choice(field: str, value: object) -> str:
    if not isinstance(value, str) or value not in _CHOICES[field]:
        raise _refused(field, f"one of {', '.join(_CHOICES[field])}")
    return value


def _list(field: str, value: object) -> list[str]:
    words = value.split(";") if isinstance(value, str) else value
    if not isinstance(words, list | tuple):
        raise _refused(field, "a list of texts")
    kept = [word.strip() for word in words if isinstance(word, str) and word.strip()]
    bad = len(kept) > MOST_WORDS or any(len(word) > LONGEST or not word.isprintable() for word in kept)
    if bad or not all(isinstance(word, str) for word in words):
        raise _refused(field, f"up to {MOST_WORDS} texts of up to {LONGEST} characters")
    return kept


def _item(field: str, value: object) -> bool:
    name = field.removeprefix(FORGET)
    if name in COUNTED:
        raise Layer7Error(
            "value_not_allowed",
            f"{name} is counted from her applications, and cannot be forgotten without them.",
            "Forget since a day, correct an outcome, or set personalisation to off.",
        )
    return _flag(field, value)


def _flag(field: str, value: object) -> bool:
    plain = {"true": True, "yes": True, "false": False, "no": False}
    found = plain.get(value.lower()) if isinstance(value, str) else value
    if not isinstance(found, bool):
        raise _refused(field, "true or false")
    return found


def _refused(field: str, allowed: str) -> Layer7Error:
    return Layer7Error("value_not_allowed", f"{field} cannot be set to this.", f"It is {allowed}.")


_READ: Mapping[str, Callable[[str, object], Any]] = MappingProxyType(
    dict.fromkeys(PARAMETERS, _setting)
    | dict.fromkeys(_CHOICES, _choice)
    | dict.fromkeys(_LISTS, _list)
    | {PAUSED: _flag}
)


def is_paused(wishes: Mapping[str, Any]) -> bool:
    """Tell whether a person has stopped learning for now.

    Args:
        wishes: hers, by field.
    """
    return wishes.get(PAUSED) is True


def item_name(dimension: str, level: str) -> str:
    """Give the name by which something learned can be forgotten.

    Args:
        dimension: such as location.
        level: which.

    Example:
        >>> item_name("location", "Berlin")
        'location: Berlin'
    """
    return f"{dimension}: {level}"


def forgotten(wishes: Mapping[str, Any]) -> frozenset[str]:
    """Give the names of what a person does not want to be learned.

    Args:
        wishes: hers, by field.

    Example:
        >>> sorted(forgotten({"forget:location: Berlin": True, "forget:title: x": False, "paused": True}))
        ['location: Berlin']
    """
    return frozenset(
        field.removeprefix(FORGET) for field, value in wishes.items() if field.startswith(FORGET) and value
    )
