"""Read-only mappings, intervals and JSON values inside models."""

import copy
import json
import pickle
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from layer7.contract import FrozenDict, UserPerformance, Variant, schemas

SCHEMAS = schemas()

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
)
JSON = st.recursive(
    SCALARS | st.text(st.characters(codec="utf-8"), max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=4), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(JSON)
def test_any_finite_json_value_comes_back_equal(value: Any) -> None:
    variant = Variant(variant_id="control", name="Now", value=value, allocation=0.5)
    assert Variant.model_validate_json(variant.model_dump_json()) == variant
    assert variant.value == value
    assert type(variant.value) in {type(value), FrozenDict}
    assert isinstance(hash(variant), int)


@pytest.mark.parametrize("value", ["NaN", "Infinity", '{"weight": NaN}', "[1, -Infinity]"])
def test_values_that_are_not_finite_are_refused(value: str) -> None:
    with pytest.raises(ValidationError):
        Variant.model_validate_json(
            f'{{"variant_id": "control", "name": "Now", "value": {value}, "allocation": 0.5}}'
        )


def test_mappings_inside_models_cannot_be_changed() -> None:
    given_weights = {"technical": 0.4}
    variant = Variant(variant_id="control", name="Now", value=given_weights, allocation=0.5)
    given_weights["technical"] = 0.9
    weights = variant.value
    assert isinstance(weights, FrozenDict)
    assert weights["technical"] == 0.4
    changes = (
        lambda: weights.__setitem__("technical", 1.0),
        lambda: weights.__delitem__("technical"),
        lambda: weights.update(technical=1.0),
        lambda: weights.__ior__({"technical": 1.0}),
        weights.clear,
        weights.popitem,
        lambda: weights.pop("technical"),
        lambda: weights.setdefault("signal", 1.0),
    )
    for change in changes:
        with pytest.raises(TypeError, match="read-only"):
            change()
    assert weights == {"technical": 0.4}


def test_a_read_only_view_is_accepted_and_copied() -> None:
    example = UserPerformance.model_validate_json(_performance())
    view = MappingProxyType(dict(example.interview_rate_by_mode))
    fields = {**dict(example), "interview_rate_by_mode": view}
    assert UserPerformance(**fields).interview_rate_by_mode == example.interview_rate_by_mode


def test_read_only_mappings_copy_pickle_and_hash() -> None:
    weights = FrozenDict({"technical": 0.4, "parts": FrozenDict({"signal": 0.2})})
    assert pickle.loads(pickle.dumps(weights)) == weights
    assert copy.deepcopy(weights) == weights
    assert type(copy.deepcopy(weights)) is FrozenDict
    assert hash(FrozenDict({"a": 1, "b": 2})) == hash(FrozenDict({"b": 2, "a": 1}))


def _performance() -> str:
    return json.dumps(SCHEMAS["UserPerformance"]["examples"][0])
