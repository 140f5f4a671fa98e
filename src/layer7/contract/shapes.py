"""The shapes of the values inside events, each with the kind of column that the engine keeps it in."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from math import isfinite
from typing import Annotated

from pydantic import AfterValidator, Field, JsonValue

from layer7.errors import Layer7Error

EARLIEST_YEAR = 2000
"""Events before this year are refused: no job search was logged then."""

INVISIBLE = re.compile(
    "[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]"
)
"""Characters that no identifier may hold: control, zero-width, direction marks, lone surrogates."""

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")

COMPONENT = "[a-z][a-z0-9_]{0,39}"
"""What the name of a part of a score looks like: a lower-case identifier of at most 40 characters."""

MAX_COMPONENTS = 20
"""How many parts a score may have."""

MAX_TEXT = 100_000
"""Longest free text, in characters of its JSON."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What kind of column a field becomes.

    Args:
        kind: one of ``identifier``, ``word``, ``words``, ``choice``, ``instant``, ``number``, ``flag``,
            ``scores`` (numbers from 0 to 100 by name), ``text`` (JSON text of a string), ``json`` (JSON text
            of anything).
        sealed: whether it may hold a person's own words and is therefore kept under the person's own key.
    """

    kind: str
    sealed: bool = False


@dataclass(frozen=True, slots=True)
class Instant:
    """A moment as an event states it.

    Args:
        utc: the moment in UTC; a date alone counts from its midnight, a time without offset as UTC.
        local_hour: 0 to 23 on the person's clock; None when unknown.
        local_weekday: 0 (Monday) to 6 on the person's calendar; None when unknown.
    """

    utc: datetime
    local_hour: int | None
    local_weekday: int | None


def parse_instant(text: str) -> Instant:
    """Read an ISO 8601 date or time; its offset is the person's local time, and no offset stays unknown.

    Args:
        text: for example ``2026-03-02T09:14:05-05:00``, ``2026-03-02T14:14Z`` or ``2026-03-02``.

    Raises:
        Layer7Error: ``invalid_timestamp`` when it is no such thing, or lies before the year 2000.

    Example:
        >>> parse_instant("2026-03-02T23:30:00-05:00").local_weekday
        0
        >>> parse_instant("2026-03-02T23:30:00").local_hour is None
        True
    """
    try:
        moment = datetime.fromisoformat(text)
        utc = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        utc = None
    if utc is None or utc.year < EARLIEST_YEAR:
        raise Layer7Error(
            "invalid_timestamp",
            f"The timestamp is not an ISO 8601 date or time from {EARLIEST_YEAR} on.",
            "Write it like 2026-03-02T09:14:05-05:00, with the person's own offset.",
        )
    if len(text) <= len("2026-W10-1"):
        return Instant(utc, None, moment.weekday())
    if moment.tzinfo is None:
        return Instant(utc, None, None)
    return Instant(utc, moment.hour, moment.weekday())


def _visible(text: str) -> str:
    # Nearly every name is plain, which is told far sooner than what is hidden in one that is not.
    if not (text.isascii() and text.isprintable()) and INVISIBLE.search(text):
        message = "holds control, zero-width or direction characters"
        raise ValueError(message)
    if not text.strip():
        message = "holds nothing but space"
        raise ValueError(message)
    return text


def _storable(text: str) -> str:
    if ("\0" in text or not text.isascii()) and _UNSTORABLE.search(text):
        message = "holds a NUL or half a surrogate pair"
        raise ValueError(message)
    return text


@lru_cache(maxsize=4_096)
def _instant(text: str) -> str:
    try:
        parse_instant(text)
    except Layer7Error as error:
        raise ValueError(error.message) from error
    return text


def _bounded(value: JsonValue) -> JsonValue:
    pending, size = [value], 0
    while pending:
        item = pending.pop()
        size += len(item) if isinstance(item, str) else 8
        if isinstance(item, str):
            _storable(item)
        elif isinstance(item, float) and not isfinite(item):
            message = "holds a number that is not finite"
            raise ValueError(message)
        elif isinstance(item, Mapping):
            pending.extend(item.keys())
            pending.extend(item.values())
        elif isinstance(item, list):
            pending.extend(item)
        if size > MAX_TEXT:
            message = f"is longer than {MAX_TEXT} characters"
            raise ValueError(message)
    return value


Identifier = Annotated[
    str, Field(min_length=1, max_length=200), AfterValidator(_visible), Shape("identifier")
]
"""A name that another layer gave: 1 to 200 characters, not all of them space."""

Word = Annotated[str, Field(max_length=500), AfterValidator(_storable), Shape("word")]
"""A short public text such as a job title: at most 500 characters."""

Words = Annotated[tuple[Word, ...], Field(max_length=200), Shape("words")]
"""A list of at most 200 short public texts."""

PrivateText = Annotated[
    str, Field(max_length=MAX_TEXT), AfterValidator(_storable), Shape("text", sealed=True)
]
"""A person's own words; sealed with the person's key before they are kept."""

PrivateContent = Annotated[JsonValue, AfterValidator(_bounded), Shape("json", sealed=True)]
"""Any JSON that may hold a person's own words; sealed like them."""

Content = Annotated[dict[str, Word], Field(max_length=50), Shape("json")]
"""A small public JSON object of short texts."""

Moment = Annotated[str, Field(max_length=64), AfterValidator(_instant), Shape("instant")]
"""An ISO 8601 date or time; its offset is the person's local time."""

Flag = Annotated[bool, Shape("flag")]
"""True or false."""

Percent = Annotated[float, Field(ge=0, le=100), Shape("number")]
"""A score from 0 to 100 points."""

Scores = Annotated[
    dict[Annotated[str, Field(pattern=f"^{COMPONENT}$")], Percent],
    Field(max_length=MAX_COMPONENTS, json_schema_extra={"additionalProperties": False}),
    Shape("scores"),
]
"""Scores from 0 to 100 points by name, at most 20."""

Fraction = Annotated[float, Field(ge=0, le=1), Shape("number")]
"""A share from 0 to 1."""

Count = Annotated[float, Field(ge=0, le=1e9), Shape("number")]
"""A count or an amount, 0 to a thousand million."""

Days = Annotated[float, Field(ge=0, le=10_000), Shape("number")]
"""A duration in days, never negative."""

Difference = Annotated[float, Field(ge=-100, le=100), Shape("number")]
"""A difference of two scores, in points."""
