"""The query that validates JSON lines of a family, and the one that writes typed rows as such lines."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from layer7.contract.columns import EVENT_COLUMNS, known_fields
from layer7.contract.reading import MAX_DEPTH, MAX_NAME
from layer7.storage.intake.columnwise import (
    DOOR,
    Family,
    from_json,
    nested_requirements,
    quoted,
    selection,
)

Path = tuple[str, ...]
Kinds = Mapping[Path, tuple[str, str]]
"""SQL expression and engine type of every field of a typed relation, by its path."""

TEXTS = frozenset({"VARCHAR", "JSON"})
FLOATS = frozenset({"FLOAT", "DOUBLE"})
TEXT_OBJECTS = frozenset(
    column.path[:cut] for column in EVENT_COLUMNS.values() for cut in range(1, len(column.path))
) | {column.path for column in EVENT_COLUMNS.values() if column.shape.kind == "scores"}
"""Objects of events, which a columnar file may hold as JSON text."""

_MAX_ODD = 4000


def dollar(path: Path) -> str:
    """Give a path as JSON path.

    Example:
        >>> dollar(("context", "fit_score"))
        '$.context.fit_score'
    """
    return "$" + "".join(f".{name}" for name in path)


def json_query(family: Family) -> str:
    """Give the query that checks and types the JSON lines of a family; reads the relation ``raw``."""
    raw = {column.path: f"r{at}" for at, column in enumerate((*DOOR, *family.columns), start=1)}
    kind = {path: f"o[{at}]" for at, path in enumerate(family.objects, start=1)}
    sure = [f"coalesce({kind[path]} IN ('OBJECT', 'NULL'), TRUE)" for path in family.objects]
    sure += [f"coalesce({kind[path]} = 'OBJECT', FALSE)" for path in family.required]
    sure += [
        f"(coalesce({kind[column.path[:-1]]} = 'NULL', TRUE) OR {raw[column.path]} IS NOT NULL)"
        for column in nested_requirements(family)
    ]
    objects: tuple[Path, ...] = ((), *family.objects)
    keys = {path: f"k[{number}]" for number, path in enumerate(objects, start=1)}
    odd = [_odd(family, path, keys[path], raw | kind) for path in objects]
    maps = [raw[column.path] for column in family.columns if column.shape.kind == "scores"]
    sure.append(f"CASE WHEN odd THEN {_plain(keys, kind, maps)} ELSE TRUE END")
    strange = " || ".join(f"coalesce({_strange(family, path, keys[path])}, [])" for path in objects)
    return selection(
        family,
        lambda column: from_json(raw[column.path], column),
        sure=tuple(sure),
        unknown=f"CASE WHEN odd THEN {strange} END",
        source=f"(SELECT *, {' OR '.join(odd)} AS odd FROM {_fragments(family)})",
    )


def _plain(keys: Mapping[Path, str], kinds: Mapping[Path, str], maps: Sequence[str]) -> str:
    """Give whether a line with unknown keys holds nothing there that strict reading could refuse.

    No key comes twice, no CloudEvent is around the event, and what is unknown is neither an object nor deep,
    nor a number that only the engine reads.
    """
    objects = (
        *(f"{kind} = 'OBJECT'" for kind in kinds.values()),
        *(f"starts_with({raw}, '{{')" for raw in maps),
    )
    known = " + ".join(("1", *(f"coalesce(CAST({each} AS INT), 0)" for each in objects)))
    return " AND ".join(
        (
            *(f"coalesce(len(list_distinct({key})) = len({key}), TRUE)" for key in keys.values()),
            f"NOT list_contains({keys[()]}, 'specversion')",
            f"length(line) < {_MAX_ODD}",
            f"length(line) - length(replace(line, '{{', '')) = {known}",
            f"length(line) - length(replace(line, '[', '')) < {MAX_DEPTH // 2}",
            r"NOT regexp_matches(line, '(?i)[:,\[]\s*-?(nan|inf)')",
        )
    )


def _fragments(family: Family) -> str:
    """Give each field's JSON text (``r1``, ...), and keys (``k``) and kinds (``o``) of objects."""
    columns = (*DOOR, *family.columns)
    wanted: dict[str, Any] = {}
    for column in columns:
        inner = wanted
        for name in column.path[:-1]:
            inner = inner.setdefault(name, {})
        inner[column.path[-1]] = "JSON"
    listed = ", ".join(quoted(dollar(path)) for path in family.objects)
    keyed = ", ".join(quoted(dollar(path)) for path in ((), *family.objects))
    types = ", ".join(quoted(f'"{name}"') for name in family.types)
    texts = ", ".join(
        f"CAST(j.{'.'.join(column.path)} AS VARCHAR) AS r{at}" for at, column in enumerate(columns, start=1)
    )
    found = (
        "SELECT position, line, substring(kind, 2, length(kind) - 2) AS event_type, "
        f"json_transform(line, {quoted(json.dumps(wanted))}) AS j, json_keys(line, [{keyed}]) AS k, "
        f"{f'json_type(line, [{listed}])' if listed else '[]'} AS o FROM raw WHERE kind IN ({types})"
    )
    return f"(SELECT position, line, event_type, k, o, {texts} FROM ({found}))"


def _odd(family: Family, path: Path, keys: str, said: Mapping[Path, str]) -> str:
    """Give whether an object may have other keys than known ones, each once; NULLs make it so needlessly."""
    members = [(*path, name) for name in sorted(known_fields(family.types[0])[path])]
    present = " + ".join(
        f"CAST({said[member]} IS NOT NULL AS INT)" for member in members if member != ("event_type",)
    )
    return f"coalesce(len({keys}), 0) <> {'' if path else '1 + '}{present}"


def _strange(family: Family, path: Path, keys: str) -> str:
    """Give the dotted names of those keys that the contract does not know."""
    names = ", ".join(quoted(name) for name in sorted(known_fields(family.types[0])[path]))
    prefix = quoted("".join(f"{part}." for part in path))
    return (
        f"list_transform(list_filter({keys}, w -> w NOT IN ({names})), w -> left({prefix} || w, {MAX_NAME}))"
    )


def present(kinds: Kinds, path: Path) -> str:
    """Give whether a typed field says anything: an object does when any of its members does."""
    expression, kind = kinds.get(path, ("NULL", ""))
    if not _is_object(kind):
        return f"({expression} IS NOT NULL)"
    inner = (present(kinds, other) for other in kinds if len(other) == len(path) + 1 and other[:-1] == path)
    return f"({' OR '.join(inner) or 'FALSE'})"


def _is_object(kind: str) -> bool:
    """Whether a type is a struct; a list of structs begins like one."""
    return kind.startswith("STRUCT") and not kind.endswith("]")


def row_as_json(kinds: Kinds, path: Path = ()) -> str:
    """Give the JSON text of a typed row, or of an object in it, without what it does not say."""
    members = []
    for member, (expression, kind) in kinds.items():
        if member[:-1] != path or not member or member == ("position",):
            continue
        inner = row_as_json(kinds, member) if _is_object(kind) else _value_as_json(expression, kind)
        if member in TEXT_OBJECTS and kind in TEXTS:
            inner = f"CASE WHEN json_valid({expression}) THEN {expression} ELSE {inner} END"
        key = quoted(json.dumps(member[-1], ensure_ascii=False) + ":")
        members.append(f"CASE WHEN {present(kinds, member)} THEN {key} || {inner} END")
    return f"('{{' || concat_ws(',', {', '.join(members)}) || '}}')"


def _value_as_json(expression: str, kind: str) -> str:
    if kind.startswith("MAP("):
        number = _value_as_json("e.value", kind.removesuffix(")").rsplit(", ", 1)[-1])
        member = f"to_json(CAST(e.key AS VARCHAR)) || ':' || coalesce({number}, 'null')"
        members = f"array_to_string(list_transform(map_entries({expression}), e -> {member}), ',')"
        return f"('{{' || {members} || '}}')"
    match kind:
        case "TIMESTAMP WITH TIME ZONE":
            # Columnar files keep the moment only: written without offset, the local hour stays unknown.
            expression = f"({expression} AT TIME ZONE 'UTC')"
        case "FLOAT":
            expression = f"CAST(CAST({expression} AS VARCHAR) AS DOUBLE)"
        case _:
            pass
    text = f"CAST(to_json({expression}) AS VARCHAR)"
    return f"CASE WHEN isfinite({expression}) THEN {text} ELSE '1e999' END" if kind in FLOATS else text
