"""Kinds of fields that the interfaces of sections 4 to 9 share: read-only mappings, intervals, additions."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, NoReturn, TypeVar

from pydantic import AfterValidator, Field
from typing_extensions import TypeAliasType

K = TypeVar("K")
V = TypeVar("V")

ADDITION = "x-layer7-addition"
"""Keyword of the JSON Schemas that marks a field which the specification does not have."""


class FrozenDict(dict[K, V]):
    """A dictionary that cannot be changed after it is made: hashable, and JSON and pickle know it.

    Example:
        >>> weights = FrozenDict({"technical": 0.4})
        >>> weights["technical"], weights == {"technical": 0.4}
        (0.4, True)
        >>> weights["technical"] = 0.5
        Traceback (most recent call last):
        TypeError: this mapping is read-only; make a new one with dict(...)
    """

    __slots__ = ()

    def _refuse(self, *_: object, **__: object) -> NoReturn:
        message = "this mapping is read-only; make a new one with dict(...)"
        raise TypeError(message)

    __setitem__ = __delitem__ = __ior__ = _refuse
    clear = pop = popitem = setdefault = update = _refuse

    def __hash__(self) -> int:  # type: ignore[override]  # dict sets it to None; a frozen one has a hash
        return hash(frozenset(self.items()))

    def __reduce__(self) -> tuple[type["FrozenDict[K, V]"], tuple[dict[K, V]]]:
        return type(self), (dict(self),)


def _ordered(interval: tuple[float, float]) -> tuple[float, float]:
    low, high = interval
    if low > high:
        message = f"low ({low}) must not exceed high ({high})"
        raise ValueError(message)
    return interval


def _calendar_day(text: str) -> str:
    date.fromisoformat(text)
    return text


Addition = Annotated[V, Field(json_schema_extra={ADDITION: True})]
"""A field that the specification does not have; always optional."""

FrozenMap = Annotated[Mapping[K, V], AfterValidator(FrozenDict)]
"""A mapping that is read-only once it is inside a model."""

Interval = Annotated[tuple[float, float], AfterValidator(_ordered)]
"""Low and high end of an interval, low first."""

Whole = Annotated[int, Field(ge=0)]
"""How many: 0, 1, 2, ..."""

Positive = Annotated[int, Field(ge=1)]
"""How many, at least one."""

NonNegative = Annotated[float, Field(ge=0)]
"""A quantity that cannot be negative."""

Level = Annotated[float, Field(gt=0, lt=1)]
"""A probability strictly between 0 and 1, such as the level of an interval."""

Day = Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$"), AfterValidator(_calendar_day)]
"""A calendar day, ``YYYY-MM-DD``."""

Json = TypeAliasType(
    "Json",
    "bool | int | float | str | tuple[Json, ...] | FrozenMap[str, Json] | None",
)
"""Any JSON value, finite and read-only: arrays are tuples, objects are read-only mappings."""
