"""Validation of JSON lines by the engine, in columns.

Each field becomes two SQL expressions: its value, and whether it is surely valid. Rows that are surely valid
are taken at once; every other row goes, one by one, to :func:`layer7.contract.reading.read_event`, which
decides. So the engine may be stricter here than the contract, never laxer; a test holds it to that.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from layer7.contract.columns import EVENT_COLUMNS, Column, known_fields
from layer7.contract.events import EVENT_MODELS
from layer7.contract.shapes import COMPONENT, EARLIEST_YEAR, MAX_COMPONENTS, Shape
from layer7.contract.vocabulary import EventType

DOOR = (
    Column("event_id", ("event_id",), Shape("identifier")),
    Column("user_id", ("user_id",), Shape("identifier")),
    Column("timestamp", ("timestamp",), Shape("instant")),
)
"""What every event says of itself, besides its type."""

SQL_TYPES: Mapping[str, str] = {
    "identifier": "VARCHAR",
    "word": "VARCHAR",
    "choice": "VARCHAR",
    "text": "VARCHAR",
    "json": "VARCHAR",
    "instant": "TIMESTAMPTZ",
    "number": "DOUBLE",
    "flag": "BOOLEAN",
    "words": "VARCHAR[]",
    "scores": "MAP(VARCHAR, DOUBLE)",
}
"""The engine's type for each kind of column."""

_INSTANT = r"\d{4}-\d\d-\d\d[T ]([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,6})?(Z|[+-](0\d|1[0-3]):[0-5]\d)"
_EARLIEST = f"TIMESTAMPTZ '{EARLIEST_YEAR}-01-01 00:00:00+00'"
MAX_SEALED = 50_000
"""Longest text, in characters of its JSON, that is sealed without a second look."""


@dataclass(frozen=True, slots=True)
class Checked:
    """A field in SQL.

    Args:
        value: expression of the typed value, NULL when the event does not say it.
        sure: expression that is TRUE when the value is absent or surely valid.
        local: for instants, expressions of local hour and weekday (NULL when unknown).
    """

    value: str
    sure: str
    local: tuple[str, str] = ("NULL", "NULL")


def quoted(text: str) -> str:
    """Quote a text as an SQL literal.

    Example:
        >>> quoted("it's")
        "'it''s'"
    """
    return "'" + text.replace("'", "''") + "'"


def _number(value: str, column: Column) -> str:
    bounds = [f"isfinite({value})"]
    if column.low is not None:
        bounds.append(f"{value} >= {column.low!r}")
    if column.high is not None:
        bounds.append(f"{value} <= {column.high!r}")
    if column.above is not None:
        bounds.append(f"{value} > {column.above!r}")
    return " AND ".join(bounds)


def instant(text: str) -> Checked:
    """Check a time that is written as text.

    Args:
        text: expression of the text; NULL when absent.
    """
    value = f"TRY_CAST({text} AS TIMESTAMPTZ)"
    sure = f"regexp_full_match({text}, '{_INSTANT}') AND {value} >= {_EARLIEST}"
    hour = f"TRY_CAST(substring({text}, 12, 2) AS TINYINT)"
    weekday = f"CAST(isodow(TRY_CAST(substring({text}, 1, 10) AS DATE)) - 1 AS TINYINT)"
    return Checked(value, sure, (hour, weekday))


def _no_escape(raw: str) -> str:
    return f"NOT contains({raw}, chr(92))"


_SCORE = rf'"{COMPONENT}":(100(\.0+)?|\d\d?(\.\d+)?)'
_SCORES = rf"\{{({_SCORE}(,{_SCORE})*)?\}}"


def _scores(raw: str) -> Checked:
    """Check numbers by name; a map with a name that comes twice cannot even be made."""
    names = f"json_keys({raw})"
    sure = (
        f"regexp_full_match({raw}, {quoted(_SCORES)}) AND len({names}) <= {MAX_COMPONENTS} "
        f"AND len(list_distinct({names})) = len({names})"
    )
    made = f"map_from_entries(list_sort(map_entries(CAST({raw}::JSON AS MAP(VARCHAR, DOUBLE)))))"
    return Checked(f"CASE WHEN {sure} THEN {made} END", sure)


def from_json(raw: str, column: Column) -> Checked:
    """Check a field given as JSON text.

    Args:
        raw: expression of the field's JSON text, e.g. ``"abc"`` with its quotation marks; NULL when absent.
        column: the field.
    """
    inner = f"substring({raw}, 2, length({raw}) - 2)"
    is_string = f"starts_with({raw}, '\"')"
    unescaped = f"CASE WHEN contains({raw}, chr(92)) THEN json_extract_string({raw}, '$') ELSE {inner} END"
    harmless = f"NOT contains({raw}, '\\u')"
    match column.shape.kind:
        case "identifier":
            checked = Checked(inner, f"regexp_full_match({raw}, '\"[!#-\\[\\]-~][ !#-\\[\\]-~]{{0,199}}\"')")
        case "word":
            checked = Checked(unescaped, f"{is_string} AND length({raw}) <= 502 AND {harmless}")
        case "choice":
            words = ", ".join(quoted(f'"{word}"') for word in column.choices)
            checked = Checked(inner, f"{raw} IN ({words})")
        case "number":
            value = f"TRY_CAST({raw} AS DOUBLE)"
            checked = Checked(
                value, f"NOT starts_with({raw}, '-0') AND NOT {is_string} AND {_number(value, column)}"
            )
        case "flag":
            checked = Checked(f"{raw} = 'true'", f"{raw} IN ('true', 'false')")
        case "words":
            shape = r'\[\]|\["[^"\\]*"(,"[^"\\]*")*\]'
            value = f"from_json({raw}, '[\"VARCHAR\"]')"
            checked = Checked(value, f"length({raw}) <= 500 AND regexp_full_match({raw}, {quoted(shape)})")
        case "scores":
            checked = _scores(raw)
        case "instant":
            moment = instant(inner)
            checked = Checked(moment.value, f"{_no_escape(raw)} AND {moment.sure}", moment.local)
        case "text" | "json" if column.shape.sealed:
            checked = Checked(raw, f"{is_string} AND length({raw}) <= {MAX_SEALED} AND {harmless}")
        case _:
            checked = Checked(raw, "FALSE")
    return Checked(checked.value, f"({raw} IS NULL OR coalesce({checked.sure}, FALSE))", checked.local)


@dataclass(frozen=True, slots=True)
class Family:
    """Event types that share one model, and so one list of columns.

    Args:
        types: the event types.
        columns: their columns.
        objects: paths of the objects inside them.
        required: paths of those objects that they cannot do without.
    """

    types: tuple[EventType, ...]
    columns: tuple[Column, ...]
    objects: tuple[tuple[str, ...], ...]
    required: tuple[tuple[str, ...], ...]


def families() -> tuple[Family, ...]:
    """Give the families of event types."""
    grouped: dict[tuple[str, ...], list[EventType]] = {}
    for event_type in EventType:
        names = tuple(name for name, column in EVENT_COLUMNS.items() if event_type in column.used_by)
        grouped.setdefault(names, []).append(event_type)
    return tuple(
        Family(
            tuple(types),
            tuple(EVENT_COLUMNS[name] for name in names),
            tuple(path for path in known_fields(types[0]) if path),
            tuple(
                (name,)
                for name, info in EVENT_MODELS[types[0]].model_fields.items()
                if info.is_required() and (name,) in known_fields(types[0])
            ),
        )
        for names, types in grouped.items()
    )


Fetch = Callable[[Column], Checked]


def selection(family: Family, fetch: Fetch, *, sure: tuple[str, ...], unknown: str, source: str) -> str:
    """Give the query that checks and types all rows of a family.

    Args:
        family: the event types.
        fetch: gives the SQL of a field.
        sure: further conditions on the source for a row to be sure, e.g. that no key is doubled.
        unknown: expression on the source of the list of names that the contract does not know.
        source: the relation; has ``position``, ``event_type`` and what ``fetch`` reads.

    Returns:
        A query with the columns of the family, ``sure`` and ``unknown``.
    """
    door = {column.name: fetch(column) for column in DOOR}
    own = {column.name: fetch(column) for column in family.columns}
    certain = " AND ".join((*(checked.sure for checked in (*door.values(), *own.values())), *sure))
    conditions = ["certain", "user_id IS NOT NULL", "event_time IS NOT NULL", "event_time <= $latest"]
    conditions += [
        f"{column.name} IS NOT NULL"
        for column in family.columns
        if len(column.path) == 1 and column.required_by.intersection(family.types)
    ]
    hour, weekday = door["timestamp"].local
    values = [
        f"{door['event_id'].value} AS event_id",
        f"{door['user_id'].value} AS user_id",
        f"{door['timestamp'].value} AS event_time",
        f"CAST({hour} AS TINYINT) AS local_hour",
        f"CAST({weekday} AS TINYINT) AS local_weekday",
    ]
    values += [
        f"CAST({own[column.name].value} AS {SQL_TYPES[column.shape.kind]}) AS {column.name}"
        for column in family.columns
    ]
    types = ", ".join(quoted(str(event_type)) for event_type in family.types)
    typed = (
        f"SELECT source.position, source.event_type, {', '.join(values)}, "
        f"({certain}) AS certain, CAST({unknown} AS VARCHAR[]) AS unknown FROM {source} AS source "
        f"WHERE source.event_type IN ({types})"
    )
    return f"SELECT * EXCLUDE (certain), coalesce({' AND '.join(conditions)}, FALSE) AS sure FROM ({typed})"


def nested_requirements(family: Family) -> tuple[Column, ...]:
    """Give the fields that the object around them cannot do without."""
    return tuple(
        column
        for column in family.columns
        if len(column.path) > 1 and column.required_by.intersection(family.types)
    )
