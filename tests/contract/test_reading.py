"""Reading one event: what is taken, what is refused and where, what is ignored."""

import base64
import json
from datetime import UTC, datetime
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layer7.contract import EVENT_EXAMPLES, EventType
from layer7.contract.columns import flatten
from layer7.contract.reading import MAX_BYTES, Problem, check_event, parse_json, read_event, unwrap
from strategies import random_line, valid_events

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
SUBMITTED = {
    "event_type": "APPLICATION_SUBMITTED",
    "user_id": "u1",
    "timestamp": "2026-03-01T09:00:00Z",
    "application_id": "a1",
    "job_id": "j1",
    "resume_version_id": "r1",
}


def reading(**changes):
    return read_event(json.dumps(SUBMITTED | changes), now=NOW)


def faults(found):
    return [(problem.code, problem.pointer) for problem in found.problems]


@pytest.mark.parametrize("event_type", EventType)
def test_every_example_is_taken(event_type):
    found = read_event(json.dumps(EVENT_EXAMPLES[event_type]), now=NOW)
    assert found.event is not None
    assert found.event.kind == event_type
    assert (found.problems, found.ignored, found.unknown) == ((), None, ())


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "invalid_json"),
        ("not json", "invalid_json"),
        ('{"a": 1,}', "invalid_json"),
        ('{"a": 01}', "invalid_json"),
        ('{"a": ' + "9" * 5000 + "}", "invalid_json"),
        ("[" * 100_000, "too_deep"),
        (b"\xff\xfe", "invalid_json"),
        ("\ufeff{}", "invalid_json"),
        ('{"a": 1, "a": 1}', "duplicate_key"),
        ('{"a": {"b": {"c": 1, "c": 2}}}', "duplicate_key"),
        ("[" * 21 + "]" * 21, "too_deep"),
        ("[]", "not_an_object"),
        ("null", "not_an_object"),
        ("5", "not_an_object"),
        ("{}", "missing_field"),
    ],
)
def test_what_is_no_event_is_refused_whole(text, code):
    found = read_event(text, now=NOW)
    assert found.event is None
    assert found.problems[0].code == code


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e400"])
def test_what_is_no_number_is_refused_at_its_field_and_left_out_where_the_field_is_unknown(number):
    start = '{"event_type": "ERASURE_REQUESTED", "user_id": "u", "timestamp": "2025-01-01", "x": '
    assert read_event(f"{start}{number}}}", now=NOW).unknown == ("x",)
    start = start.replace("ERASURE_REQUESTED", "POLICY_DECISION").replace('"x"', '"propensity"')
    problem = read_event(f'{start}{number}, "decision": "APPLY_MODE"}}', now=NOW).problems[0]
    assert (problem.code, problem.pointer) == ("not_finite", "/propensity")
    assert parse_json(f"[{number}]") == (
        Problem("invalid_json", "", "this is not JSON") if number != "1e400" else [float("inf")]
    )


@pytest.mark.parametrize(
    ("changes", "code", "pointer"),
    [
        ({"user_id": None}, "wrong_type", "/user_id"),
        ({"user_id": 5}, "wrong_type", "/user_id"),
        ({"user_id": ""}, "too_short", "/user_id"),
        ({"user_id": "x" * 201}, "too_long", "/user_id"),
        ({"user_id": " "}, "invalid_value", "/user_id"),
        ({"user_id": "\u00a0 "}, "invalid_value", "/user_id"),
        ({"user_id": "a\u202eb"}, "invalid_value", "/user_id"),
        ({"user_id": "a\u200bb"}, "invalid_value", "/user_id"),
        ({"user_id": "a\x00b"}, "invalid_value", "/user_id"),
        ({"user_id": "a\nb"}, "invalid_value", "/user_id"),
        ({"timestamp": "1970-01-01T00:00:00Z"}, "invalid_timestamp", "/timestamp"),
        ({"timestamp": "2026-02-30T00:00:00Z"}, "invalid_timestamp", "/timestamp"),
        ({"timestamp": "2026-01-01T00:00:60Z"}, "invalid_timestamp", "/timestamp"),
        ({"timestamp": "yesterday"}, "invalid_timestamp", "/timestamp"),
        ({"timestamp": 1767225600}, "wrong_type", "/timestamp"),
        ({"timestamp": "2106-01-01T00:00:00Z"}, "timestamp_in_future", "/timestamp"),
        ({"timestamp": "2026-03-02T12:05:01Z"}, "timestamp_in_future", "/timestamp"),
        ({"event_type": 5}, "wrong_type", "/event_type"),
        ({"event_type": None}, "missing_field", "/event_type"),
        *(
            ({"context": {"resume_score_components": parts}}, code, "/context/resume_score_components")
            for parts, code in (
                ({"keywords": 101}, "out_of_range"),
                ({"keywords": -1}, "out_of_range"),
                ({"keywords": None}, "wrong_type"),
                ({"keywords": "80"}, "wrong_type"),
                ({"Keywords": 80}, "invalid_value"),
                ({"her own words": 80}, "invalid_value"),
                ({"a\n": 80}, "invalid_value"),
                ({"a" * 41: 80}, "invalid_value"),
                ({f"p{at}": 80 for at in range(21)}, "too_long"),
                ([80], "wrong_type"),
                ("80", "wrong_type"),
                (80, "wrong_type"),
            )
        ),
        ({"context": []}, "wrong_type", "/context"),
        ({"context": "{}"}, "wrong_type", "/context"),
        ({"context": {"fit_score": "5"}}, "wrong_type", "/context/fit_score"),
        ({"context": {"fit_score": True}}, "wrong_type", "/context/fit_score"),
        ({"context": {"fit_score": 100.1}}, "out_of_range", "/context/fit_score"),
        ({"context": {"fit_score": 2**80}}, "out_of_range", "/context/fit_score"),
        ({"context": {"tailoring_applied": 1}}, "wrong_type", "/context/tailoring_applied"),
        ({"context": {"category": "Reach"}}, "unknown_choice", "/context/category"),
        ({"outcome": {}}, "missing_field", "/outcome/status"),
        ({"outcome": {"status": None}}, "unknown_choice", "/outcome/status"),
        (
            {"outcome": {"status": "interview", "days_to_response": -1}},
            "out_of_range",
            "/outcome/days_to_response",
        ),
        (
            {"context": {"job_characteristics": {"title": "x" * 501}}},
            "too_long",
            "/context/job_characteristics/title",
        ),
        (
            {"context": {"job_characteristics": {"skills": "python"}}},
            "wrong_type",
            "/context/job_characteristics/skills",
        ),
        (
            {"context": {"job_characteristics": {"skills": ["a"] * 201}}},
            "too_long",
            "/context/job_characteristics/skills",
        ),
    ],
)
def test_a_fault_is_named_with_its_place(changes, code, pointer):
    assert faults(reading(**changes)) == [(code, pointer)]


@pytest.mark.parametrize("number", ["1e400", "-1e400"])
def test_a_number_beyond_all_numbers_is_not_finite(number):
    text = json.dumps(SUBMITTED | {"context": {"fit_score": 7}}).replace(": 7", f": {number}")
    assert faults(read_event(text, now=NOW)) == [("not_finite", "/context/fit_score")]


def test_content_holds_no_number_that_is_not_finite():
    event = EVENT_EXAMPLES[EventType.SUGGESTION_EDITED] | {"final_content": {"x": 7}}
    text = json.dumps(event).replace(": 7", ": 1e400")
    assert faults(read_event(text, now=NOW)) == [("invalid_value", "/final_content")]


def test_minus_zero_is_zero():
    for text in ("0", "-0", "-0.0", "0e5"):
        line = json.dumps(SUBMITTED | {"context": {"fit_score": 7}}).replace(": 7", f": {text}")
        assert str(flatten(read_event(line, now=NOW).event)["fit_score"]) == "0.0"


@pytest.mark.parametrize(
    "text", ["2026-03-01T09:00Z", "2026-03-01", "20260301T090000", "2026-03-02T12:05:00Z"]
)
def test_other_ways_to_write_a_time_are_read(text):
    assert reading(timestamp=text).event is not None


def test_reasons_never_hold_what_was_written():
    secret = "anna@example.org"
    exposed = EVENT_EXAMPLES[EventType.EXPERIMENT_EXPOSED]
    for found in (
        reading(user_id=f"{secret}\u200b"),
        reading(timestamp=secret),
        reading(
            context={
                "category": secret,
                "fit_score": secret,
                "job_characteristics": {"skills": [1, secret, 2]},
            }
        ),
        read_event(json.dumps(exposed | {"counterfactual_decisions": {secret: 5}}), now=NOW),
        read_event(json.dumps({**exposed, "event_type": "CONSENT_CHANGED", "purpose": secret}), now=NOW),
    ):
        assert found.problems
        assert secret not in str(found.problems)


def test_problems_are_few_however_many_the_faults():
    assert len(reading(context={"job_characteristics": {"skills": [5] * 200}}).problems) == 20


def test_unknown_fields_are_left_out_and_named():
    found = reading(
        is_admin=True, context={"rho": 1, "job_characteristics": {"x": {"title": 1}}, "metrics": {}}
    )
    assert found.event is not None
    assert not hasattr(found.event, "is_admin")
    assert sorted(found.unknown) == [
        "context.job_characteristics.x",
        "context.metrics",
        "context.rho",
        "is_admin",
    ]


def test_unknown_types_are_ignored_by_name():
    assert reading(event_type="NEW_TYPE").ignored == "NEW_TYPE"
    assert len(reading(event_type="X" * 300).ignored) == 200


ENVELOPE = {"specversion": "1.0", "id": "7", "source": "/layer4", "type": "application.submitted"}


class TestCloudEvents:
    def test_the_envelope_gives_identity_type_and_time(self):
        data = {name: SUBMITTED[name] for name in SUBMITTED if name not in {"event_type", "timestamp"}}
        found = check_event(ENVELOPE | {"data": data, "time": "2026-03-01T09:00:00Z"}, now=NOW)
        assert (found.event.event_id, found.event.kind) == ("/layer4#7", EventType.APPLICATION_SUBMITTED)
        assert found.event.timestamp == "2026-03-01T09:00:00Z"

    def test_the_event_comes_before_its_envelope(self):
        data = SUBMITTED | {"event_id": "own"}
        event = unwrap(ENVELOPE | {"data": data, "time": "2020-01-01T00:00:00Z", "type": "x.y"})
        assert event == data

    @pytest.mark.parametrize(
        ("changes", "pointer"),
        [
            ({"specversion": "0.3"}, "/specversion"),
            ({"specversion": None}, "/specversion"),
            ({"id": ""}, "/id"),
            ({"source": 5}, "/source"),
            ({"type": None}, "/type"),
            ({"data": "text"}, "/data"),
            ({}, "/data"),
        ],
    )
    def test_a_broken_envelope_is_refused(self, changes, pointer):
        problem = unwrap(ENVELOPE | changes)
        assert isinstance(problem, Problem)
        assert problem.pointer == pointer

    def test_a_type_of_another_house_is_ignored(self):
        assert check_event(ENVELOPE | {"data": {}, "type": "com.other.thing"}, now=NOW).ignored


@settings(max_examples=200, deadline=None, derandomize=True)
@given(valid_events())
def test_valid_events_are_taken(event):
    found = read_event(json.dumps(event), now=NOW)
    assert found.problems == ()
    assert found.event is not None
    assert found.unknown == ()


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.integers(0, 2**32))
def test_any_line_gets_one_answer(seed):
    found = read_event(random_line(Random(seed)), now=NOW)
    assert [found.event is not None, bool(found.problems), found.ignored is not None].count(True) == 1


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.one_of(st.text(), st.binary()))
def test_no_text_breaks_the_reader(text):
    assert read_event(text, now=NOW).event is None
    parse_json(text)


def test_the_data_of_a_cloud_event_may_come_as_bytes():
    envelope = {name: value for name, value in ENVELOPE.items() if name != "data"}
    packed = base64.b64encode(b'{"user_id": "u"}').decode()
    assert unwrap(envelope | {"data_base64": packed})["user_id"] == "u"
    for odd in ("e", "not base64", base64.b64encode(b"{").decode(), base64.b64encode(b"[1]").decode(), 5):
        assert unwrap(envelope | {"data_base64": odd}).pointer == "/data"


def test_an_event_beyond_four_mebibytes_is_told_so():
    start = '{"event_type": "ERASURE_REQUESTED", "user_id": "u", "timestamp": "2025-01-01", "x": "'
    for letter, size in (("x", 1), ("é", 2)):
        fits = start + letter * ((MAX_BYTES - len(start) - 2) // size) + '"}'
        assert read_event(fits, now=NOW).event is not None
        for text in (fits + letter * 2, (fits + letter * 2).encode()):
            assert [each.code for each in read_event(text, now=NOW).problems] == ["event_too_long"]


def test_bytes_that_are_no_utf8_are_told_so():
    latin1 = '{"event_type": "STATUS_CHANGED", "user_id": "Zoé"}'.encode("latin-1")
    for text in (latin1.decode(errors="backslashreplace"), latin1):
        assert [each.code for each in read_event(text, now=NOW).problems] == ["not_utf8"]
    assert read_event('{"a": "\\x41"}', now=NOW).problems[0].code == "invalid_json"
