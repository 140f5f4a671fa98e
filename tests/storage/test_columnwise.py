"""Validation in columns is never laxer than the contract, and says the same of what it refuses."""

import json
import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from random import Random
from typing import Any
from uuid import UUID

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layer7.contract import EVENT_EXAMPLES, EventType
from layer7.contract.reading import Problem, read_event
from layer7.contract.shapes import parse_instant
from layer7.storage.intake.bulk import TYPED, Tally, Validator, typed_row
from layer7.storage.intake.score_maps import check_scores
from layer7.storage.intake.typed_rows import TypedRows
from strategies import Json, Literal, any_lines, random_event, random_line

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def engine() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(config={"threads": 1}) as engine:
        engine.execute("SET TimeZone = 'UTC'")
        yield engine


@dataclass
class Verdict:
    """What became of each row."""

    taken: dict[int, Json]
    refused: dict[int, tuple[Problem, ...]]
    ignored: Counter[str]
    unknown: Counter[str]


def by_columns(checked: pa.Table, tally: Tally) -> Verdict:
    taken = {row["position"]: row for row in checked.to_pylist(maps_as_pydicts="strict")}
    refused = {item.position: item.problems for item in tally.refused}
    return Verdict(taken, refused, tally.ignored, tally.unknown)


def by_contract(lines: list[str]) -> Verdict:
    verdict = Verdict({}, {}, Counter(), Counter())
    for at, line in enumerate(lines):
        reading = read_event(line, now=NOW)
        verdict.unknown.update(reading.unknown)
        if reading.event is not None:
            verdict.taken[at] = dict.fromkeys(TYPED.names) | typed_row(reading.event, at)
        elif reading.ignored is not None:
            verdict.ignored[reading.ignored] += 1
        else:
            verdict.refused[at] = reading.problems
    return verdict


def check_lines(engine: duckdb.DuckDBPyConnection, lines: list[str]) -> None:
    positions = pa.array(range(len(lines)), pa.int64())
    validator = Validator(engine, now=NOW)
    tally = validator.lines(pa.table({"position": positions, "line": pa.array(lines)}))
    found, expected = by_columns(validator.checked, tally), by_contract(lines)
    for at, line in enumerate(lines):
        assert found.taken.get(at) == expected.taken.get(at), line
        assert found.refused.get(at) == expected.refused.get(at), line
    assert (found.ignored, found.unknown) == (expected.ignored, expected.unknown)


@settings(max_examples=12, deadline=None, derandomize=True)
@given(lines=any_lines())
def test_lines(engine, lines):
    check_lines(engine, lines)


@pytest.mark.parametrize("seed", range(3))
def test_many_lines(engine, seed):
    dice = Random(seed)
    check_lines(engine, [random_line(dice) for _ in range(1500)])


def sure_of(engine: duckdb.DuckDBPyConnection, lines: list[str]) -> int:
    """How many lines the engine took without reading them one by one."""
    validator = Validator(engine, now=NOW)
    validator._take = lambda *_: None
    positions = pa.array(range(len(lines)), pa.int64())
    validator.lines(pa.table({"position": positions, "line": pa.array(lines)}))
    return validator.checked.num_rows


def test_ordinary_events_need_no_second_look(engine):
    """Else bulk files would be slow, though right."""
    usual = [
        json.dumps(example, ensure_ascii=False)
        for event_type, example in EVENT_EXAMPLES.items()
        if event_type not in {EventType.CONSENT_CHANGED, EventType.EXPERIMENT_EXPOSED}
    ]
    newer = [line[:-1] + ', "version": 2, "tags": ["a"]}' for line in usual]
    assert sure_of(engine, usual + newer) == len(usual + newer)


@pytest.mark.parametrize(
    "line",
    [
        '{"event_type":"ERASURE_REQUESTED","user_id":"u","timestamp":"2025-01-01T00:00:00Z",}',
        '{"event_type":"ERASURE_REQUESTED","user_id":"u","timestamp":"2025-01-01T00:00:00Z","x":{"a":1,"a":2}}',
        '{"event_type":"ERASURE_REQUESTED","user_id":"u","user_id":"u","timestamp":"2025-01-01T00:00:00Z"}',
        '{"event_type":"ERASURE_REQUESTED","user_id":"u","timestamp":"2025-01-01T00:00:00Z","specversion":"1.0"}',
        '{"event_type":"PROFILE_UPDATED","user_id":"u","timestamp":"2025-01-01T00:00:00Z"}',
        '{"event_type":"NEW_TYPE","a":1,"a":2}',
        '{"event_type":"SUGGESTION_EDITED","user_id":"u","timestamp":"2025-01-01","suggestion_type":"job","final_content":{"a":1,"a":2}}',
    ],
)
def test_what_only_strict_reading_refuses(engine, line):
    assert read_event(line, now=NOW).problems
    check_lines(engine, [line])


def test_what_json_has_no_word_for_is_read_one_by_one(engine):
    """The engine takes no line with NaN; strict reading takes it where the field is unknown."""
    line = '{"event_type":"ERASURE_REQUESTED","user_id":"u","timestamp":"2025-01-01T00:00:00Z","x":NaN}'
    assert sure_of(engine, [line]) == 0
    check_lines(engine, [line])


@pytest.mark.parametrize("name", [" ", "  ", " a", "a ", "\u00a0", "\u3000x"])
def test_names_with_space(engine, name):
    event = {"event_type": "ERASURE_REQUESTED", "user_id": name, "timestamp": "2025-01-01T00:00:00Z"}
    check_lines(engine, [json.dumps(event), json.dumps(event, ensure_ascii=False)])
    found = check_rows(engine, [whole_row(user_id=name)], WHOLE)
    assert bool(found.taken) == bool(name.strip())


def test_long_and_deep_values(engine):
    start = '{"event_type":"ERASURE_REQUESTED","user_id":"u","timestamp":"2025-01-01T00:00:00Z","x":'
    values = [json.dumps("y" * 1_000_000), "[" * 5000 + "]" * 5000, "9" * 5000, '{"a":' * 30 + "1" + "}" * 30]
    check_lines(engine, [f"{start}{value}}}" for value in values])


TEXT = pa.string()
WORDS = pa.dictionary(pa.int32(), TEXT)
TEXTS = (TEXT, TEXT, pa.large_string(), WORDS, pa.dictionary(pa.int8(), pa.large_string()))
NUMBERS = (pa.float64(), pa.float32(), pa.int64(), pa.decimal128(10, 3))
INSTANTS = (
    TEXT,
    pa.timestamp("us", "UTC"),
    pa.timestamp("us"),
    pa.timestamp("ms", "Europe/Berlin"),
    pa.timestamp("ns"),
    pa.timestamp("s"),
    pa.date32(),
)
OBJECTS = {("context",), ("outcome",), ("metrics",), ("profile",), ("context", "job_characteristics")} | {
    ("context", "resume_score_components")
}
BROKEN = (
    '{"a":1,"a":2}',
    "null",
    "[]",
    "{",
    '{"status":null}',
    '{"status":"offer",}',
    '{"status":"interview","status":"offer"}',
)


def random_schema(dice: Random) -> dict[str, pa.DataType]:
    """Make up the columns of a Parquet file: known ones, strange ones, objects as structs or as text."""

    def number() -> pa.DataType:
        return dice.choice(NUMBERS)

    def struct(**fields: pa.DataType) -> pa.DataType:
        return pa.struct(fields | ({"strange": TEXT} if dice.random() < 0.3 else {}))

    job = struct(
        title=dice.choice(TEXTS),
        company=dice.choice(TEXTS),
        technical_match=pa.float64(),
        skills=pa.list_(TEXT),
        salary=number(),
        posted_at=dice.choice(INSTANTS),
    )
    objects = {
        "context": struct(
            strategy_mode=TEXT,
            fit_score=number(),
            job_characteristics=dice.choice((job, job, TEXT)),
            tailoring_applied=pa.bool_(),
            resume_score_components=dice.choice(
                (struct(keywords=number(), format=number(), x_1=pa.float64()), pa.map_(TEXT, number()), TEXT)
            ),
        ),
        "outcome": struct(status=TEXT, days_to_response=number()),
        "metrics": struct(resume_score=pa.float64(), interview_rate=number()),
        "profile": struct(seniority=TEXT, target_roles=pa.list_(TEXT), years_experience=number()),
    }
    if dice.random() < 0.4:
        objects |= {name: TEXT for name in objects if dice.random() < 0.5}
    texts = (
        "event_id user_id application_id job_id resume_version_id to_mode reason suggestion_type "
        "suggested_content final_content purpose experiment_id variant_id decision event_time status"
    )
    columns = {
        **{name: dice.choice(TEXTS) for name in texts.split()},
        **objects,
        "timestamp": dice.choice(INSTANTS),
        "propensity": number(),
        "before_score": number(),
        "explored": pa.bool_(),
        "gaps_addressed": pa.list_(TEXT),
        # Names that the engine gives its own columns.
        "fit_score": pa.float64(),
        "sure": pa.bool_(),
        "local_hour": pa.int32(),
    }
    return {"event_type": dice.choice(TEXTS)} | {
        name: kind for name, kind in columns.items() if dice.random() < 0.93
    }


def random_cell(value: Any, kind: pa.DataType, dice: Random) -> Any:
    """Give a value for a cell: the event's own where it fits, now and then another one."""
    if pa.types.is_struct(kind):
        inner = value if isinstance(value, dict) else {}
        cell: Any = {item.name: random_cell(inner.get(item.name), item.type, dice) for item in kind}
    elif value is None and dice.random() < 0.97:
        cell = None
    elif pa.types.is_map(kind):
        named = value if isinstance(value, dict) else {"Odd name": 3.0}
        odd = {"a": 101.0}, {"x" * 41: 1.0}, {f"p{at}": at for at in range(21)}
        named = dice.choice((*odd, *[named] * 40))
        cell = [(name, random_number(score, kind.item_type, dice)) for name, score in named.items()]
    elif pa.types.is_temporal(kind):
        cell = random_moment(value, kind, dice)
    elif pa.types.is_list(kind):
        cell = value if isinstance(value, list) else dice.choice((None, ["x", None]))
    elif pa.types.is_boolean(kind):
        cell = bool(value)
    elif kind in TEXTS:
        cell = random_text(value, dice)
    else:
        cell = random_number(value, kind, dice)
    return None if dice.random() < 0.03 else cell


def random_moment(value: Any, kind: pa.DataType, dice: Random) -> Any:
    moment = parse_instant(value).utc if isinstance(value, str) else NOW
    moment = dice.choice((datetime(2031, 1, 1, tzinfo=UTC), datetime(1980, 1, 1, tzinfo=UTC), *[moment] * 40))
    if pa.types.is_date(kind):
        return moment.date()
    step = {"s": 1_000_000, "ms": 1000}.get(kind.unit, 1)
    moment = moment.replace(microsecond=moment.microsecond // step * step)
    return moment if kind.tz else moment.replace(tzinfo=None)


def random_number(value: Any, kind: pa.DataType, dice: Random) -> Any:
    number = value if isinstance(value, int | float) else 3.5
    if pa.types.is_integer(kind):
        return int(number)
    if pa.types.is_decimal(kind):
        return Decimal(str(round(min(number, 1e6), 3)))
    return dice.choice((math.nan, math.inf, -1.0, -0.0, 1e30, *[float(number)] * 150))


def random_text(value: Any, dice: Random) -> str:
    if value is None:
        # It may stand for an object: a word that is no JSON would spoil the whole line it is written to.
        return "null"
    if isinstance(value, dict):
        return dice.choice((*BROKEN, *[json.dumps(value, ensure_ascii=dice.random() < 0.5)] * 60))
    odd = ("", "x" * 600, "a\x00b", "a\u202eb", "NaN", "\x01")
    return dice.choice((*odd, *[value if isinstance(value, str) else json.dumps(value)] * 300))


def as_said(value: Any, kind: pa.DataType, path: tuple[str, ...]) -> Any:
    """Give what a cell says in JSON; None for nothing."""
    if value is not None and pa.types.is_struct(kind):
        members = {item.name: as_said(value[item.name], item.type, (*path, item.name)) for item in kind}
        return {name: member for name, member in members.items() if member is not None} or None
    if value is not None and pa.types.is_map(kind):
        return {name: as_said(score, kind.item_type, ()) for name, score in value}
    match value:
        case datetime():
            said: Any = (
                (value.astimezone(UTC) if value.tzinfo else value).replace(tzinfo=None).isoformat(sep=" ")
            )
        case date():
            said = value.isoformat()
        case float() if not math.isfinite(value):
            said = Literal("1e999")
        case float() if pa.types.is_float32(kind):
            said = float(str(np.float32(value)))
        case Decimal():
            said = float(value)
        case str() if path in OBJECTS and value not in {"{", ""}:
            said = Literal(value)
        case _:
            said = value
    return said


def as_line(value: Any) -> str:
    if isinstance(value, Literal):
        return str(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(name)}:{as_line(item)}" for name, item in value.items()) + "}"
    return json.dumps(value)


def check_rows(
    engine: duckdb.DuckDBPyConnection, rows: list[Json], schema: dict[str, pa.DataType]
) -> Verdict:
    table = pa.table({name: pa.array([row[name] for row in rows], kind) for name, kind in schema.items()})
    table = table.append_column("position", pa.array(range(len(rows)), pa.int64()))
    validator = Validator(engine, now=NOW)
    tally = validator.rows(table)
    found = by_columns(validator.checked, tally)
    kind = pa.struct(schema)
    expected = by_contract([as_line(as_said(row, kind, ()) or {}) for row in rows])
    for at, row in enumerate(rows):
        assert found.taken.get(at) == expected.taken.get(at), row
        assert found.refused.get(at) == expected.refused.get(at), row
    assert (found.ignored, found.unknown) == (expected.ignored, expected.unknown)
    return found


@settings(max_examples=15, deadline=None, derandomize=True)
@given(seed=st.integers(0, 2**32))
def test_typed_rows(engine, seed):
    dice = Random(seed)
    schema = random_schema(dice)
    events = [random_event(dice) for _ in range(60)]
    for event in events:
        event["event_type"] = dice.choice(("NEW", None, "", *[event["event_type"]] * 40))
    rows = [
        {name: random_cell(event.get(name), kind, dice) for name, kind in schema.items()} for event in events
    ]
    check_rows(engine, rows, schema)


def whole_row(**changes: Any) -> Json:
    return {
        "event_type": "STATUS_CHANGED",
        "user_id": "u",
        "timestamp": datetime(2025, 1, 1, 9, tzinfo=UTC),
        "application_id": "a",
        "job_id": "j",
        "resume_version_id": "r",
        "outcome": {"status": "interview", "days_to_response": 3.0},
    } | changes


WHOLE = {
    **dict.fromkeys(("event_type", "user_id", "application_id", "job_id", "resume_version_id"), TEXT),
    "timestamp": pa.timestamp("us", "UTC"),
    "outcome": pa.struct({"status": TEXT, "days_to_response": pa.float64()}),
}


def test_null_objects_and_null_members_are_absent(engine):
    rows = [
        whole_row(),
        whole_row(outcome=None),
        whole_row(outcome={"status": None, "days_to_response": None}),
        whole_row(outcome={"status": None, "days_to_response": 3.0}),
    ]
    found = check_rows(engine, rows, WHOLE)
    assert sorted(found.taken) == [0, 1, 2]
    assert found.refused[3][0].pointer == "/outcome/status"


def test_a_moment_without_offset_leaves_the_local_hour_unknown(engine):
    found = check_rows(engine, [whole_row()], WHOLE)
    assert (found.taken[0]["local_hour"], found.taken[0]["local_weekday"]) == (None, None)


def test_a_date_keeps_its_weekday(engine):
    found = check_rows(engine, [whole_row(timestamp=date(2025, 1, 1))], WHOLE | {"timestamp": pa.date32()})
    assert (found.taken[0]["local_hour"], found.taken[0]["local_weekday"]) == (None, 2)


def test_objects_as_json_text(engine):
    texts = [
        '{"status":"interview","extra":1}',
        '{"status":"x"}',
        '{"status":"offer","status":"offer"}',
        "{",
        None,
    ]
    schema = WHOLE | {"outcome": TEXT}
    found = check_rows(engine, [whole_row(outcome=text) for text in texts], schema)
    assert sorted(found.taken) == [0, 4]
    assert found.unknown == {"outcome.extra": 1}
    assert [found.refused[at][0].code for at in (1, 2, 3)] == [
        "unknown_choice",
        "duplicate_key",
        "wrong_type",
    ]


def test_contents_as_objects_are_not_lost(engine):
    """What a variant would have decided comes as an object with members that its writer chose."""
    schema = dict.fromkeys(("event_type", "user_id", "experiment_id", "variant_id"), TEXT)
    schema |= {"timestamp": pa.timestamp("us", "UTC")}
    decided = pa.struct({"control": TEXT, "treatment": TEXT})
    row = whole_row(event_type="EXPERIMENT_EXPOSED", experiment_id="e", variant_id="v")
    cells = [{"control": "APPLY_MODE", "treatment": None}, {"control": None, "treatment": None}, None]
    rows = [{name: row[name] for name in schema} | {"counterfactual_decisions": cell} for cell in cells]
    found = check_rows(engine, rows, schema | {"counterfactual_decisions": decided})
    said = [found.taken[at]["counterfactual_decisions"] for at in range(3)]
    assert said == ['{"control":"APPLY_MODE"}', None, None]
    assert len(sure_rows(rows, schema | {"counterfactual_decisions": decided})) == 2


def test_lists_of_objects_that_nobody_knows_stop_nothing(engine):
    tags = pa.list_(pa.struct({"name": TEXT}))
    rows = [whole_row(tags=[{"name": "x"}]), whole_row(tags=None, user_id="")]
    found = check_rows(engine, rows, WHOLE | {"tags": tags})
    assert (sorted(found.taken), found.unknown["tags"]) == ([0], 1)


def test_a_file_without_what_every_event_has(engine):
    for missing in ("event_type", "user_id", "timestamp", "job_id"):
        schema = {name: kind for name, kind in WHOLE.items() if name != missing}
        found = check_rows(engine, [{name: whole_row()[name] for name in schema}], schema)
        assert found.refused[0][0].pointer == f"/{missing}"


def test_an_event_type_that_is_no_text(engine):
    found = check_rows(engine, [whole_row(event_type=5)], WHOLE | {"event_type": pa.int64()})
    assert found.refused[0][0].code == "wrong_type"


def sure_rows(rows: list[Json], schema: dict[str, pa.DataType]) -> list[Json]:
    """The rows that are taken without a second look."""
    table = pa.table({name: pa.array([row[name] for row in rows], kind) for name, kind in schema.items()})
    table = table.append_column("position", pa.array(range(len(rows)), pa.int64()))
    with duckdb.connect() as engine:
        engine.execute("SET TimeZone = 'UTC'")
        return TypedRows(table).sort(engine, latest=NOW).sure.to_pylist()


@pytest.mark.parametrize("kind", [TEXT, WORDS, pa.large_string(), pa.uuid()])
def test_ordinary_rows_need_no_second_look(kind):
    """Else bulk files would be slow, though right."""
    name = "0f14d0ab-9605-4a62-a9e4-5ed26688389b"
    given = UUID(name).bytes if kind == pa.uuid() else name
    (row,) = sure_rows([whole_row(application_id=given)], WHOLE | {"application_id": kind})
    assert row["application_id"] == name
    assert (row["user_id"], row["status"], row["days_to_response"]) == ("u", "interview", 3.0)


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        (pa.map_(TEXT, pa.float64()), [("keywords", 80.5), ("format", 0.0)]),
        (pa.map_(WORDS, pa.int8()), [("keywords", 80), ("format", 0)]),
        (
            pa.struct({"keywords": pa.float32(), "format": pa.int64(), "x": TEXT}),
            {"keywords": 0.8, "format": 7},
        ),
        (pa.struct({"keywords": pa.float64()}), {"keywords": None}),
        (pa.map_(TEXT, pa.float64()), []),
    ],
)
def test_scores_by_name_come_as_maps_or_as_objects(kind, given):
    """A struct says what its members say; either way they are kept in the order of their names."""
    context = pa.struct({"resume_score_components": kind})
    rows = [whole_row(context=cell) for cell in ({"resume_score_components": given}, None)]
    found = sure_rows(rows, WHOLE | {"context": context})
    said = sorted((name, pytest.approx(score)) for name, score in dict(given).items() if score is not None)
    assert [row.get("resume_score_components") for row in found] == [
        said or ([] if given == [] else None),
        None,
    ]


def test_scores_by_name_in_a_part_of_a_file():
    """A batch is a slice of its file: what stands before it is not read."""
    kind = pa.map_(TEXT, pa.float64())
    values = pa.array([[("a", 1.0), ("b", 200.0)], [("b", 2.0), ("a", 3.0)], [("B", 1.0)], None], kind)
    field = check_scores(values.slice(1))
    assert field.values.to_pylist() == [[("a", 3.0), ("b", 2.0)], None, None]
    assert field.doubt.tolist() == [False, True, False]
    twice = pa.MapArray.from_arrays([0, 2], ["a", "a"], [1.0, 2.0])
    assert check_scores(twice).doubt.tolist() == [True]
    assert check_scores(pa.array(["{}"])).values is None


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_moments_beyond_all_calendars_are_looked_at_twice(unit):
    schema = WHOLE | {"timestamp": pa.timestamp(unit, "UTC")}
    rows = [whole_row(), *(whole_row(timestamp=ticks) for ticks in (2**63 - 1, -(2**63) + 1, 0))]
    assert [row["event_time"] for row in sure_rows(rows, schema)] == [whole_row()["timestamp"]]


def test_a_dictionary_may_hold_words_that_no_row_says():
    words = pa.DictionaryArray.from_arrays(pa.array([1, None], pa.int32()), ["a\x00b", "fine"])
    table = pa.table(
        {"position": [1, 2], "event_type": ["PROFILE_UPDATED"] * 2, "timestamp": ["2025-01-01"] * 2}
    )
    table = table.append_column("user_id", pa.array(["u", "v"])).append_column(
        "profile",
        pa.StructArray.from_arrays([words, pa.array([None, 3.0])], ["seniority", "years_experience"]),
    )
    with duckdb.connect() as engine:
        validator = Validator(engine, now=NOW)
        validator.rows(table)
    assert validator.checked["profile_seniority"].to_pylist() == ["fine", None]
