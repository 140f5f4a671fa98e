"""The event log as columns, read off the event models: one row per event, one column per field.

The models are the one authority; this table of columns only flattens them, so that bulk files can be
validated by the engine in columns and every reader finds context as columns, never as a blob.
"""

import json
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from types import MappingProxyType
from typing import Any

import annotated_types
from pydantic import BaseModel

from layer7.contract.events import EVENT_MODELS, Event
from layer7.contract.shapes import Shape, parse_instant
from layer7.contract.vocabulary import EventType

_PREFIX: Mapping[str, str] = MappingProxyType({"metrics": "metrics_", "profile": "profile_"})
_AT_THE_DOOR = frozenset({"event_id", "event_type", "user_id", "timestamp"})


@dataclass(frozen=True, slots=True)
class Column:
    """One field of an event as a column.

    Args:
        name: the column's name: the field's own, with ``metrics_`` or ``profile_`` before it inside those.
        path: where the field stands in the event.
        shape: what kind of column it is.
        low: smallest allowed number, if it is one and has such a bound.
        high: largest allowed number.
        above: number that it must exceed.
        choices: allowed words of a choice.
        required_by: event types that cannot do without it (given that the object around it is there).
        used_by: event types that have it.
    """

    name: str
    path: tuple[str, ...]
    shape: Shape
    low: float | None = None
    high: float | None = None
    above: float | None = None
    choices: tuple[str, ...] = ()
    required_by: frozenset[EventType] = field(default=frozenset())
    used_by: frozenset[EventType] = field(default=frozenset())


def _unwrap(annotation: Any, metadata: tuple[Any, ...]) -> tuple[Any, tuple[Any, ...]]:
    """Peel ``Annotated`` and ``| None`` off an annotation and gather what was said on the way."""
    origin = typing.get_origin(annotation)
    if origin is typing.Annotated:
        inner, *said = typing.get_args(annotation)
        return _unwrap(inner, (*metadata, *said))
    if origin in {typing.Union, types.UnionType}:
        rest = [arm for arm in typing.get_args(annotation) if arm is not type(None)]
        if len(rest) == 1:
            return _unwrap(rest[0], metadata)
    return annotation, metadata


def _flatten(metadata: tuple[Any, ...]) -> Iterator[Any]:
    for item in metadata:
        yield from getattr(item, "metadata", None) or [item]


def _bound(said: list[Any], kind: type, name: str) -> float | None:
    return next((float(getattr(item, name)) for item in said if isinstance(item, kind)), None)


def _leaves(model: type[BaseModel], event_type: EventType, path: tuple[str, ...] = ()) -> Iterator[Column]:
    for name, info in model.model_fields.items():
        if not path and name in _AT_THE_DOOR:
            continue
        annotation, metadata = _unwrap(info.annotation, tuple(info.metadata))
        here = (*path, name)
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            yield from _leaves(annotation, event_type, here)
            continue
        said = list(_flatten(metadata))
        is_choice = isinstance(annotation, type) and issubclass(annotation, StrEnum)
        yield Column(
            name="".join(_PREFIX.get(parent, "") for parent in path) + name,
            path=here,
            shape=next(item for item in said if isinstance(item, Shape)),
            low=_bound(said, annotated_types.Ge, "ge"),
            high=_bound(said, annotated_types.Le, "le"),
            above=_bound(said, annotated_types.Gt, "gt"),
            choices=tuple(word.value for word in annotation) if is_choice else (),
            required_by=frozenset({event_type} if info.is_required() else ()),
            used_by=frozenset({event_type}),
        )


def _columns() -> Mapping[str, Column]:
    found: dict[str, Column] = {}
    for event_type, model in EVENT_MODELS.items():
        for leaf in _leaves(model, event_type):
            known = found.get(leaf.name)
            if known is None:
                found[leaf.name] = leaf
            else:
                found[leaf.name] = Column(
                    name=known.name,
                    path=known.path,
                    shape=known.shape,
                    low=known.low,
                    high=known.high,
                    above=known.above,
                    choices=known.choices,
                    required_by=known.required_by | leaf.required_by,
                    used_by=known.used_by | leaf.used_by,
                )
    return MappingProxyType(found)


EVENT_COLUMNS: Mapping[str, Column] = _columns()
"""Every column of the event log that comes from an event's own fields, by name."""


@cache
def known_fields(event_type: EventType) -> Mapping[tuple[str, ...], frozenset[str]]:
    """Give the field names that the contract knows at each object of an event type.

    Args:
        event_type: the type of the event.

    Returns:
        For each path of an object (the empty path is the event itself) the names of its known fields.

    Example:
        >>> sorted(known_fields(EventType.ERASURE_REQUESTED)[()])
        ['event_id', 'event_type', 'timestamp', 'user_id']
    """
    known: dict[tuple[str, ...], set[str]] = {}

    def walk(model: type[BaseModel], path: tuple[str, ...]) -> None:
        known[path] = set(model.model_fields)
        for name, info in model.model_fields.items():
            annotation, _ = _unwrap(info.annotation, ())
            if isinstance(annotation, type) and issubclass(annotation, BaseModel):
                walk(annotation, (*path, name))

    walk(EVENT_MODELS[event_type], ())
    return MappingProxyType({path: frozenset(names) for path, names in known.items()})


def flatten(event: Event) -> dict[str, Any]:
    """Give an event's own fields as column values; what it does not say is left out.

    Args:
        event: a valid event.

    Returns:
        Column name to value: text, float, bool, UTC datetime, list of texts, numbers by name in the order of
        the names, or minified JSON text.

    Example:
        >>> from layer7.contract.events import ErasureEvent
        >>> flatten(ErasureEvent(event_type=EventType.ERASURE_REQUESTED, user_id="u", timestamp="2026-01-01"))
        {}
    """
    values: dict[str, Any] = {}
    for column in EVENT_COLUMNS.values():
        value: Any = event
        for name in column.path:
            value = getattr(value, name, None)
            if value is None:
                break
        if value is not None:
            values[column.name] = _as_column(value, column.shape.kind)
    return values


_AS_COLUMN: Mapping[str, Callable[[Any], Any]] = MappingProxyType(
    {
        "instant": lambda value: parse_instant(value).utc,
        "words": list,
        "text": lambda value: json.dumps(value, ensure_ascii=False, separators=(",", ":")),
        "json": lambda value: json.dumps(value, ensure_ascii=False, separators=(",", ":")),
        "choice": str,
        # Minus zero is zero, whichever way it was written.
        "number": lambda value: value + 0.0,
        "scores": lambda value: {name: value[name] + 0.0 for name in sorted(value)},
    }
)


def _as_column(value: Any, kind: str) -> Any:
    made = _AS_COLUMN.get(kind)
    return value if made is None else made(value)


def unflatten(event_type: EventType, values: Mapping[str, Any]) -> dict[str, Any]:
    """Give column values as the fields of an event again; the other way round of :func:`flatten`.

    Args:
        event_type: the type of the event.
        values: column values by name; None for what the event did not say.

    Example:
        >>> unflatten(EventType.SCORE_CHANGED, {"after_score": 71.0, "before_score": None})
        {'after_score': 71.0}
    """
    event: dict[str, Any] = {}
    for name, column in EVENT_COLUMNS.items():
        value = values.get(name)
        if value is None or event_type not in column.used_by:
            continue
        *parents, last = column.path
        place = event
        for parent in parents:
            place = place.setdefault(parent, {})
        place[last] = _as_field(value, column.shape.kind)
    return event


def _as_field(value: Any, kind: str) -> Any:
    if kind in {"text", "json"}:
        return json.loads(value)
    if kind == "scores":
        return dict(value)
    return value.isoformat() if kind == "instant" else value
