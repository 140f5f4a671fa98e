"""Reading one event as it comes: JSON, plain or wrapped in a CloudEvent, into the contract's models.

This is the authority on what is valid. The engine's column-wise validation of bulk files may only wave
through what this would accept; whatever it is not sure of comes here.
"""

import base64
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import takewhile
from types import MappingProxyType
from typing import Any

from pydantic import ValidationError

from layer7.contract.columns import known_fields
from layer7.contract.events import EVENT_MODELS, Event
from layer7.contract.shapes import parse_instant
from layer7.contract.vocabulary import EventType

AHEAD = timedelta(minutes=5)
"""How far ahead of the receiver's clock an event may lie."""

MAX_DEPTH = 20
"""How deep an event's JSON may nest."""

MAX_BYTES = 4 << 20
"""Longest event, in bytes of its JSON."""

MAX_NAME = 200
"""How much of an unknown name is kept."""

_MAX_PROBLEMS = 20
_CONTAINERS = (dict, list)

_FIELDS = frozenset(
    name for event_type in EventType for names in known_fields(event_type).values() for name in names
)

_CODES: Mapping[str, str] = MappingProxyType(
    {
        "missing": "missing_field",
        "float_type": "wrong_type",
        "string_type": "wrong_type",
        "bool_type": "wrong_type",
        "tuple_type": "wrong_type",
        "dict_type": "wrong_type",
        "model_type": "wrong_type",
        "model_attributes_type": "wrong_type",
        "finite_number": "not_finite",
        "greater_than": "out_of_range",
        "greater_than_equal": "out_of_range",
        "less_than": "out_of_range",
        "less_than_equal": "out_of_range",
        "string_too_short": "too_short",
        "string_too_long": "too_long",
        "too_long": "too_long",
        "enum": "unknown_choice",
        "literal_error": "unknown_choice",
    }
)


@dataclass(frozen=True, slots=True)
class Problem:
    """Why an event cannot be taken.

    Args:
        code: stable name of the fault, e.g. ``missing_field``.
        pointer: where it is, an RFC 6901 JSON pointer.
        reason: what is wrong in words, without the value itself.
    """

    code: str
    pointer: str
    reason: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What became of one event: taken, refused with problems, or ignored for its unknown type.

    Args:
        event: the event, when it is valid.
        problems: why not, when it is not.
        ignored: the unknown event type, when it has one.
        unknown: names of fields that the contract does not know, as dotted paths.
    """

    event: Event | None = None
    problems: tuple[Problem, ...] = ()
    ignored: str | None = None
    unknown: tuple[str, ...] = ()


_TOO_LONG = Problem("event_too_long", "", f"an event has at most {MAX_BYTES >> 20} MiB")
_NOT_UTF8 = Problem("not_utf8", "", r"holds bytes that are no UTF-8, shown here as \xNN; convert the file")
_BYTE = re.compile(r"\\x[89a-f][0-9a-f]")
"""How readers of files show a byte that is no UTF-8; in JSON it stands for nothing."""

_TOO_DEEP = Problem("too_deep", "", f"nested deeper than {MAX_DEPTH}")


class _DuplicateKeyError(ValueError):
    pass


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _DuplicateKeyError
    return found


def _refuse_constant(name: str) -> Any:
    message = f"{name} is not JSON"
    raise ValueError(message)


def _depth(value: Any) -> int:
    level, deepest = [value] if isinstance(value, _CONTAINERS) else [], 1
    while level:
        deepest += any(level)
        # Only what holds more is walked on: of a large batch nearly all are texts and numbers.
        level = [
            child
            for item in level
            for child in (item.values() if isinstance(item, dict) else item)
            if isinstance(child, _CONTAINERS)
        ]
    return deepest


def parse_json(text: str | bytes, *, constants: bool = False) -> Any:
    """Parse JSON strictly: no duplicate keys, no NaN or Infinity, no nesting beyond 20.

    Args:
        text: the JSON, UTF-8 when bytes.
        constants: whether NaN and Infinity, which many writers give out as JSON, may pass, because a model
            that names the field will refuse them.

    Returns:
        The parsed value, or a :class:`Problem`.

    Example:
        >>> parse_json('{"a": 1, "a": 2}').code
        'duplicate_key'
    """
    try:
        refuse = None if constants else _refuse_constant
        value = json.loads(text, object_pairs_hook=_unique, parse_constant=refuse)
    except _DuplicateKeyError:
        return Problem("duplicate_key", "", "an object holds the same key twice")
    except UnicodeDecodeError:
        return _NOT_UTF8
    except ValueError:
        return Problem("invalid_json", "", "this is not JSON")
    except RecursionError:
        return _TOO_DEEP
    return _TOO_DEEP if _depth(value) > MAX_DEPTH else value


def read_event(text: str | bytes, *, now: datetime) -> Reading:
    """Read one event from JSON.

    Args:
        text: one JSON object.
        now: the receiver's clock; events more than five minutes ahead of it are refused.

    Example:
        >>> from datetime import UTC
        >>> reading = read_event('{"event_type": "STATUS_CHANGED"}', now=datetime(2026, 1, 1, tzinfo=UTC))
        >>> reading.problems[0].code, reading.problems[0].pointer
        ('missing_field', '/user_id')
    """
    if _size(text) > MAX_BYTES:
        return Reading(problems=(_TOO_LONG,))
    value = parse_json(text, constants=True)
    if not isinstance(value, Problem):
        return check_event(value, now=now)
    foreign = value.code == "invalid_json" and isinstance(text, str) and _BYTE.search(text)
    return Reading(problems=(_NOT_UTF8 if foreign else value,))


def _size(text: str | bytes) -> int:
    """Give how many bytes a text has; counted only where it matters."""
    if isinstance(text, bytes) or len(text) * 4 <= MAX_BYTES or len(text) > MAX_BYTES:
        return len(text)
    return len(text.encode(errors="surrogatepass"))


def check_event(value: Any, *, now: datetime) -> Reading:
    """Check one parsed event; see :func:`read_event`."""
    if not isinstance(value, dict):
        return Reading(problems=(Problem("not_an_object", "", "an event is one JSON object"),))
    if "specversion" in value:
        value = unwrap(value)
        if isinstance(value, Problem):
            return Reading(problems=(value,))
    name = value.get("event_type")
    if not isinstance(name, str):
        code = "missing_field" if name is None else "wrong_type"
        return Reading(problems=(Problem(code, "/event_type", "every event says its type"),))
    if name not in EventType.__members__:
        return Reading(ignored=name[:MAX_NAME])
    return _validate(value, EventType(name), now)


def _validate(value: Mapping[str, Any], event_type: EventType, now: datetime) -> Reading:
    try:
        event = EVENT_MODELS[event_type].model_validate_json(json.dumps(value))
    except ValidationError as error:
        return Reading(problems=tuple(_problems(error)))
    if parse_instant(event.timestamp).utc > now + AHEAD:
        return Reading(problems=(Problem("timestamp_in_future", "/timestamp", "lies in the future"),))
    return Reading(event=event, unknown=tuple(_unknown(value, known_fields(event_type))))


def _problems(error: ValidationError) -> Iterator[Problem]:
    errors = error.errors(include_url=False, include_input=False, include_context=False)
    for item in errors[:_MAX_PROBLEMS]:
        pointer = "".join(f"/{part}" for part in takewhile(_is_ours, item["loc"]))
        timestamp = item["loc"] and item["loc"][-1] in {"timestamp", "posted_at"}
        code = "invalid_timestamp" if timestamp and item["type"] == "value_error" else None
        yield Problem(code or _CODES.get(item["type"], "invalid_value"), pointer, item["msg"])


def _is_ours(part: int | str) -> bool:
    """Whether a step of a path is the contract's; a key that the writer chose may be private."""
    return isinstance(part, int) or part in _FIELDS


def _unknown(
    value: Mapping[str, Any], known: Mapping[tuple[str, ...], frozenset[str]], path: tuple[str, ...] = ()
) -> Iterator[str]:
    for name, inner in value.items():
        if name not in known[path]:
            yield ".".join((*path, name))[:MAX_NAME]
        elif isinstance(inner, dict) and (*path, name) in known:
            yield from _unknown(inner, known, (*path, name))


def unwrap(envelope: Mapping[str, Any]) -> dict[str, Any] | Problem:
    """Take the event out of a CloudEvent 1.0 in JSON.

    Args:
        envelope: the structured CloudEvent; its ``data`` (or ``data_base64``) is the event. Where the
            event says no ``event_id`` the envelope's (``source``, ``id``) is its identity; likewise ``time``
            and ``type``.

    Returns:
        The plain event, or the problem with the envelope.

    Example:
        >>> unwrap({"specversion": "1.0", "id": "e1", "source": "/l4", "type": "x", "data": {"user_id": "u"}})
        {'user_id': 'u', 'event_id': '/l4#e1', 'event_type': 'x'}
    """
    if envelope.get("specversion") != "1.0":
        return Problem("unknown_specversion", "/specversion", "only CloudEvents 1.0 are read")
    for name in ("id", "source", "type"):
        if not isinstance(envelope.get(name), str) or not envelope[name]:
            return Problem("missing_field", f"/{name}", "a CloudEvent has id, source and type")
    data = envelope.get("data", _decoded(envelope.get("data_base64")))
    if not isinstance(data, dict):
        return Problem("missing_field", "/data", "the event is the CloudEvent's data, as a JSON object")
    event = dict(data)
    if event.get("event_id") is None:
        event["event_id"] = f"{envelope['source']}#{envelope['id']}"
    if event.get("event_type") is None:
        event["event_type"] = _type_of(envelope["type"])
    if event.get("timestamp") is None and envelope.get("time") is not None:
        event["timestamp"] = envelope["time"]
    return event


def _decoded(text: Any) -> Any:
    """Give the JSON inside ``data_base64``, which writers use who hold their data as bytes; None without."""
    if not isinstance(text, str):
        return None
    try:
        value = parse_json(base64.b64decode(text, validate=True), constants=True)
    except ValueError:
        return None
    return None if isinstance(value, Problem) else value


def _type_of(name: str) -> str:
    """Give the event type that a dotted CloudEvents type ends in, e.g. ``...application.status_changed``."""
    tail = name.rsplit(".", 1)[-1].upper()
    subject = name.rsplit(".", 2)[-2].upper() if name.count(".") else ""
    candidates = (tail, f"{subject}_{tail}")
    return next((word for word in candidates if word in EventType.__members__), name)
