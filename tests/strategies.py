"""Random events, valid and faulty, as JSON text: one seed, one line; a failure shrinks to its line."""

import json
import string
from collections.abc import Callable, Mapping
from random import Random
from typing import Any

from hypothesis import strategies as st

from layer7.contract import EVENT_COLUMNS, EVENT_MODELS, Column, EventType

Json = dict[str, Any]

_TEXTS = (
    "Backend Engineer",
    "Zoë's café",
    'say "yes" \\ no',
    "a/b",
    "line\nbreak\ttab",
    "日本語 ✓",
    "👩🏽‍💻 emoji",
    "",
    "=1+1",
    "'; DROP TABLE events; --",
    "{curly} [square]",
    "NaN, ] Infinity",
)
_SCORES = (0, 100, 100.0, 7, 70.5, 81.25, 33.333333333333336)
_ZONES = ("Z", "+00:00", "-05:00", "+05:30", "+13:45", "+14:00", "", "+0100", "-0530")


def _name(dice: Random) -> str:
    return "".join(dice.choices(string.ascii_letters + string.digits + "-_.: /@", k=dice.randint(1, 20)))


def _moment(dice: Random) -> str:
    day = f"{dice.randint(2001, 2025)}-{dice.randint(1, 12):02d}-{dice.randint(1, 28):02d}"
    if dice.random() < 0.1:
        return day
    clock = f"{dice.randint(0, 23):02d}:{dice.randint(0, 59):02d}:{dice.randint(0, 59):02d}"
    fraction = dice.choice(("", "", ".5", ".123", ".123456", ".123456789"))
    return f"{day}{dice.choice('TTTTT ')}{clock}{fraction}{dice.choice(_ZONES)}"


def _number(dice: Random, column: Column) -> float:
    low = column.low if column.low is not None else column.above or 0.0
    high = min(column.high if column.high is not None else 100.0, 1e6)
    kind = dice.random()
    if kind < 0.2 and column.above is None:
        return low
    if kind < 0.4:
        return int(high)
    value = dice.uniform(low, high)
    return round(value, dice.randint(1, 9)) or high


def _text(dice: Random) -> str:
    return dice.choice(_TEXTS) if dice.random() < 0.5 else _name(dice)


def _content(dice: Random) -> Any:
    return dice.choice(
        (
            _text(dice),
            {"text": _text(dice), "list": [1, 2.5, None, True], "inner": {"a": 1e5}},
            [_text(dice)],
            12,
            True,
        )
    )


def _value(dice: Random, column: Column) -> Any:
    if column.name == "value":
        return dice.choice((True, False, "off", "full"))
    makers: Mapping[str, Callable[[], Any]] = {
        "identifier": lambda: _name(dice),
        "word": lambda: _text(dice),
        "words": lambda: [_text(dice) for _ in range(dice.randint(0, 4))],
        "choice": lambda: dice.choice(column.choices),
        "instant": lambda: _moment(dice),
        "number": lambda: _number(dice, column),
        "flag": lambda: dice.random() < 0.5,
        "scores": lambda: {
            dice.choice(("experience", "format", "keywords", "x_1", "length")): dice.choice(_SCORES)
            for _ in range(dice.randint(0, 5))
        },
        "text": lambda: _text(dice),
        "json": lambda: _content(dice) if column.shape.sealed else {_name(dice): _text(dice)},
    }
    return makers[column.shape.kind]()


def random_event(dice: Random) -> Json:
    """Make a valid event."""
    kind = dice.choice(list(EventType))
    event: Json = {
        "event_type": kind.value,
        "user_id": f"user {dice.randint(1, 9)}",
        "timestamp": _moment(dice),
    }
    if dice.random() < 0.5:
        event["event_id"] = _name(dice)
    if EVENT_MODELS[kind].model_fields.get("profile"):
        event["profile"] = {}
    for column in EVENT_COLUMNS.values():
        if kind not in column.used_by:
            continue
        if (len(column.path) == 1 and kind in column.required_by) or dice.random() < 0.5:
            _put(event, column.path, _value(dice, column))
    if "outcome" in event and "status" not in event["outcome"]:
        event["outcome"]["status"] = "interview"
    return event


def _put(event: Json, path: tuple[str, ...], value: Any) -> None:
    for name in path[:-1]:
        event = event.setdefault(name, {})
    event[path[-1]] = value


def _objects(event: Json) -> list[Json]:
    found, pending = [], [event]
    while pending:
        item = pending.pop()
        found.append(item)
        pending += [inner for inner in item.values() if isinstance(inner, dict)]
    return found


class Literal(str):
    """A piece of JSON to be written as it stands."""

    __slots__ = ()


def _deep(depth: int) -> Literal:
    return Literal("[" * depth + "]" * depth)


WRONG: tuple[Any, ...] = (
    None,
    True,
    -1,
    0,
    101,
    5,
    "5",
    "",
    "x" * 201,
    "x" * 501,
    [],
    [None],
    [1, "a"],
    {},
    {"a": 1},
    "NaN",
    *map(
        Literal,
        (
            '{"b": 7, "a_1": 100.0, "c": 0.5}',
            '{"a": 100.5}',
            '{"A b": 5}',
            '{"a": 1, "a": 1}',
            '{"a": 1e1, "b": -0}',
            '{"a": null}',
            '{"a": "5"}',
            '{"a": {"b": 1}}',
            json.dumps({f"p{at}": at for at in range(21)}),
            json.dumps({"a" * 41: 1}),
            '{"a\\u0062": 1}',
            "NaN",
            "Infinity",
            "-Infinity",
            "nan",
            "1e400",
            "1e-400",
            "-0",
            "-0.0",
            "1E2",
            "0.1000000000000000055511151231257827",
            str(2**80),
            "9" * 5000,
            '"\\ud800"',
            '"\\ud83d\\ude00"',
            '"\\u0000"',
            '"\\u0001\\u001F"',
            '"\\u202e txt"',
            '"\\u200b"',
            '"a\\/b"',
            '"\\u00e9"',
            '"\\u007f"',
            '{"a": 1, "a": 2}',
            '{"a": NaN}',
            '["a",]',
        ),
    ),
    _deep(5),
    _deep(19),
    _deep(25),
    _deep(5000),
    "a\u202eb",
    "a\u200bb",
    "a\u007fb",
    "2030-01-01T00:00:00Z",
    "2026-01-01T12:04:00Z",
    "2026-01-01T12:06:00Z",
    "2025-12-31T23:59:60Z",
    "2025-02-30T10:00:00Z",
    "1999-12-31T23:30:00-01:00",
    "2000-01-01T00:30:00+01:00",
    "1970-01-01T00:00:00Z",
    "2106-01-01T00:00:00Z",
    "20250102T030405Z",
    "2025-W10-1",
    "2025-01-02",
    "2025-01-02T03:04:05",
    "2025-01-02T03:04Z",
    "2025-01-02T24:00:00Z",
    "0001-01-01T00:00:00+14:00",
    1735689600,
)
"""Values that a field may get, right for a few, wrong for most."""


def _spoil(dice: Random, event: Json) -> None:
    target = dice.choice(_objects(event))
    names = list(target)
    match dice.randrange(7):
        case 0 if names:
            del target[dice.choice(names)]
        case 1:
            target[
                dice.choice(("unknown", "specversion", "Fit_Score", "to_mode", "strange key", "status"))
            ] = dice.choice(WRONG)
        case 2 if names:
            name = dice.choice(names)
            target[dice.choice((name.upper(), name.title(), f"{name} "))] = target.pop(name)
        case 3:
            event["event_type"] = dice.choice(
                ("NEW_TYPE", "", "Status_Changed", None, 5, "X" * 300, *EventType)
            )
        case 4 if names:
            name = dice.choice(names)
            target[name] = dice.choice((json.dumps(target[name]), [target[name]], {"x": target[name]}))
        case _ if names:
            target[dice.choice(names)] = dice.choice(WRONG)
        case _:
            target["unknown"] = dice.choice(WRONG)


def _write(value: Any, dice: Random) -> str:
    """Write JSON by hand, so that keys can come twice and values can be no JSON at all."""
    if isinstance(value, Literal):
        return str(value)
    if isinstance(value, dict):
        pairs = [f"{_write(str(key), dice)}:{_write(inner, dice)}" for key, inner in value.items()]
        if pairs and dice.random() < 0.01:
            pairs.append(dice.choice(pairs))
        trailing = "," if pairs and dice.random() < 0.002 else ""
        gap = dice.choice(("", " "))
        return "{" + f",{gap}".join(pairs) + trailing + gap + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_write(inner, dice) for inner in value) + "]"
    return json.dumps(value, ensure_ascii=dice.random() < 0.3)


def random_line(dice: Random, *, faults: int | None = None) -> str:
    """Write an event as JSON text.

    Args:
        dice: decides.
        faults: how often it is spoiled; None for any number from 0 to 2.
    """
    event = random_event(dice)
    for _ in range(dice.choice((0, 1, 1, 1, 2)) if faults is None else faults):
        _spoil(dice, event)
    text = _write(event, dice)
    if faults is None and dice.random() < 0.03:
        cut = dice.randrange(len(text))
        text = dice.choice(
            (text[:cut], text[:cut] + "\x00" + text[cut:], f"[{text}]", f" {text}\r", "\ufeff" + text)
        )
    if faults is None and dice.random() < 0.05:
        text = f'{{"specversion": "1.0", "id": "1", "source": "/l4", "type": "x", "data": {text}}}'
    return text


_SEEDS = st.integers(0, 2**32)


def valid_events() -> st.SearchStrategy[Json]:
    """Valid events of every type."""
    return _SEEDS.map(lambda seed: random_event(Random(seed)))


def any_lines() -> st.SearchStrategy[list[str]]:
    """Lines of which some are events and some are not."""
    return st.lists(_SEEDS.map(lambda seed: random_line(Random(seed))), min_size=1, max_size=200)
