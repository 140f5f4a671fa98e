"""Models, schemas and examples say the same."""

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError as SchemaError
from pydantic import ValidationError

from layer7.contract import EVENT_EXAMPLES, EVENT_MODELS, INTERFACES, EventType, schemas

SCHEMAS = schemas()

EXAMPLES = [
    pytest.param(name, example, id=f"{name}-{place}")
    for name, schema in SCHEMAS.items()
    if name != "Event"
    for place, example in enumerate(schema["examples"])
]


@pytest.mark.parametrize("name", SCHEMAS)
def test_schemas_are_valid_and_say_who_they_are(name: str) -> None:
    schema = SCHEMAS[name]
    Draft202012Validator.check_schema(schema)
    assert schema["$id"] == f"urn:layer7:schema:{name}:1-0-0"
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["title"] == name
    assert schema["description"]
    assert schema["examples"]


@pytest.mark.parametrize(("name", "example"), EXAMPLES)
def test_examples_satisfy_the_schema_and_the_model_and_come_back_equal(name: str, example: Any) -> None:
    Draft202012Validator(SCHEMAS[name]).validate(example)
    model = INTERFACES[name].model
    value = model.model_validate_json(json.dumps(example))
    again = model.model_validate_json(value.model_dump_json())
    assert again == value
    assert model.model_validate(value.model_dump()) == value
    Draft202012Validator(SCHEMAS[name]).validate(json.loads(value.model_dump_json()))
    assert value.model_dump(mode="json", exclude_unset=True) == example


@pytest.mark.parametrize(("name", "example"), EXAMPLES)
def test_schema_and_model_agree_on_what_is_missing_or_unknown(name: str, example: dict[str, Any]) -> None:
    model, schema = INTERFACES[name].model, Draft202012Validator(SCHEMAS[name])
    damaged = [{key: value for key, value in example.items() if key != left_out} for left_out in example]
    damaged.append({**example, "not_of_the_contract": 1})
    for candidate in damaged:
        assert _is_accepted(model.model_validate_json, json.dumps(candidate)) == schema.is_valid(candidate)


def _is_accepted(read: Any, text: str) -> bool:
    try:
        read(text)
    except ValidationError:
        return False
    return True


@pytest.mark.parametrize("event_type", EventType)
def test_any_event_is_told_apart_by_its_type(event_type: EventType) -> None:
    union = Draft202012Validator(SCHEMAS["Event"])
    example = EVENT_EXAMPLES[event_type]
    union.validate(example)
    assert EVENT_MODELS[event_type].model_validate_json(json.dumps(example)).user_id
    with pytest.raises(SchemaError):
        union.validate({**example, "event_type": "SOMETHING_ELSE"})


def test_every_field_of_sections_4_to_9_says_what_it_means() -> None:
    silent = [
        f"{name}.{field}"
        for name, schema in SCHEMAS.items()
        if not name.endswith("Event")
        for part in (schema, *schema.get("$defs", {}).values())
        for field, body in part.get("properties", {}).items()
        if not body.get("description")
    ]
    assert silent == []
