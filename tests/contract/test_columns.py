"""The columns of the event log, read off the models."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings

from layer7.contract import EVENT_COLUMNS, EVENT_EXAMPLES, EVENT_MODELS, EventType
from layer7.contract.columns import flatten, known_fields
from layer7.contract.reading import read_event
from strategies import valid_events

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


def row(event):
    return flatten(read_event(json.dumps(event), now=NOW).event)


def test_an_application_becomes_columns():
    values = row(EVENT_EXAMPLES[EventType.STATUS_CHANGED])
    assert values["application_id"] == "app_9"
    assert values["fit_score"] == 82.0
    assert values["company_type"] == "Series A startup"
    assert values["status"] == "interview"
    assert "skills" not in values


def test_metrics_and_profile_keep_their_names_apart():
    decision = row(EVENT_EXAMPLES[EventType.MODE_CHANGED])
    assert decision["metrics_resume_score"] == 78.0
    assert "resume_score" not in decision
    assert row(EVENT_EXAMPLES[EventType.PROFILE_UPDATED])["profile_target_roles"] == ["Backend Engineer"]


def test_moments_are_utc_and_content_is_minified_json():
    event = EVENT_EXAMPLES[EventType.APPLICATION_CREATED]
    context = {"job_characteristics": {"posted_at": "2026-01-01T01:00:00+02:00"}}
    assert row(event | {"context": context})["posted_at"] == datetime(2025, 12, 31, 23, tzinfo=UTC)
    edited = EVENT_EXAMPLES[EventType.SUGGESTION_EDITED] | {"final_content": {"a": [1, "ü\n"]}}
    assert row(edited)["final_content"] == '{"a":[1,"ü\\n"]}'


def test_a_column_means_one_thing_whatever_the_event():
    """The same name in two models has one path and one shape; else one column could not hold both."""
    for column in EVENT_COLUMNS.values():
        for event_type in column.used_by:
            model = EVENT_MODELS[event_type]
            assert column.path[0] in model.model_fields


@pytest.mark.parametrize("event_type", EventType)
def test_columns_and_known_fields_agree(event_type):
    known = known_fields(event_type)
    paths = {(*path, name) for path, names in known.items() for name in names}
    leaves = paths - set(known) - {(name,) for name in ("event_id", "event_type", "user_id", "timestamp")}
    assert leaves == {column.path for column in EVENT_COLUMNS.values() if event_type in column.used_by}


def test_a_persons_own_words_are_sealed():
    sealed = {name for name, column in EVENT_COLUMNS.items() if column.shape.sealed}
    assert sealed == {"reason", "suggested_content", "final_content", "rejection_reason"}


@settings(max_examples=200, deadline=None, derandomize=True)
@given(valid_events())
def test_flattening_keeps_what_was_said_and_adds_nothing(event):
    values = row(event)
    for name, column in EVENT_COLUMNS.items():
        said = event
        for part in column.path:
            said = said.get(part) if isinstance(said, dict) else None
        assert (name in values) == (said is not None)
