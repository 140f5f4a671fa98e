"""The description keeps its word: requests made from it get only the answers that it names."""

import pytest
import schemathesis
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from layer7.contract import Component
from server.conftest import House, event, listening

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
EXAMPLES = settings(max_examples=4, deadline=None, database=None, suppress_health_check=list(HealthCheck))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@pytest.fixture
def busy(house: House) -> House:
    house.propose()
    house.post("/v1/events", event(), "events")
    house.home.configs.set(Component.ORCHESTRATOR, "follow_up_timing", 9, actor="x", why="", at=house.time())
    return house


def test_every_answer_to_a_made_up_request_is_one_that_is_described(busy):
    schema = schemathesis.openapi.from_dict(busy.app.openapi())
    seen = []
    with listening(busy.app) as address:
        for operation in (result.ok() for result in schema.get_all_operations()):
            # An operation that takes nothing can be asked for in one way only.
            takes = [*operation.iter_parameters(), *operation.body]
            for mode in GenerationMode if takes else (GenerationMode.POSITIVE,):

                @EXAMPLES
                @seed(7)
                @given(case=operation.as_strategy(generation_mode=mode))
                def answers_as_described(case):
                    response = case.call(base_url=address, headers=busy.headers["admin"])
                    case.validate_response(response, checks=CHECKS)
                    seen.append((case.method, case.operation.path, response.status_code))

                answers_as_described()
    assert {path for _, path, _ in seen} == set(busy.app.openapi()["paths"])
    assert {200, 202, 404, 409, 422} <= {status for _, _, status in seen}


@settings(EXAMPLES, max_examples=40)
@seed(7)
@given(
    body=JSON.filter(lambda value: value is not None)
    | st.fixed_dictionaries({"context": JSON | st.fixed_dictionaries({"targetingKey": JSON})})
)
def test_ofrep_answers_any_json_with_a_value_or_a_refusal_of_its_own(busy, body):
    for path in ("improve_resume_threshold", "nope", ""):
        answer = busy.post(f"/ofrep/v1/evaluate/flags{'/' + path if path else ''}", body, "flags")
        shown = answer.json()
        assert answer.status_code in {200, 400, 404}
        assert {"key", "errorCode", "errorDetails"} == set(shown) if answer.status_code >= 400 else shown
