"""Every value passes one check and comes out in one form."""

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layer7.configuration import (
    CATALOGUE,
    Constraint,
    Parameter,
    ValueKind,
    allowed_values,
    canonical_json,
    check,
    parameter,
)
from layer7.contract.fields import FrozenDict
from layer7.contract.vocabulary import Component
from layer7.errors import Layer7Error

WEIGHTS = {"technical": 0.45, "seniority": 0.20, "experience": 0.15, "signal": 0.20}
EVERY_KEY = pytest.mark.parametrize("key", CATALOGUE)

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def flag(kind: ValueKind, default: object, **more: object) -> Parameter:
    return Parameter(
        key="x",
        component=Component.ORCHESTRATOR,
        kind=kind,
        default=default,
        description="X.",
        section="9",
        **more,
    )


def refusal(key: str, value: object) -> str:
    with pytest.raises(Layer7Error) as caught:
        check(parameter(key), value)
    return caught.value.code


@pytest.mark.parametrize(
    ("key", "came", "kept"),
    [
        ("improve_resume_threshold", 70, "70.0"),
        ("improve_resume_threshold", np.float64(70), "70.0"),
        ("improve_resume_threshold", -0.0, "0.0"),
        ("rethink_targets_threshold", 28.0, "28"),
        ("rethink_targets_threshold", np.int64(28), "28"),
        ("task_complexity_preference", "high", '"high"'),
        (
            "fit_score_weights",
            {"signal": 0, "technical": 1, "seniority": 0, "experience": 0},
            '{"experience":0.0,"seniority":0.0,"signal":0.0,"technical":1.0}',
        ),
    ],
)
def test_numbers_get_the_literal_that_typed_clients_need(key, came, kept):
    assert canonical_json(check(parameter(key), came)) == kept


@pytest.mark.parametrize(
    ("key", "came", "code"),
    [
        ("improve_resume_threshold", "75", "wrong_type"),
        ("improve_resume_threshold", True, "wrong_type"),
        ("improve_resume_threshold", None, "wrong_type"),
        ("improve_resume_threshold", math.nan, "value_out_of_range"),
        ("improve_resume_threshold", math.inf, "value_out_of_range"),
        ("improve_resume_threshold", 100.5, "value_out_of_range"),
        ("rethink_targets_threshold", 30.5, "wrong_type"),
        ("rethink_targets_threshold", False, "wrong_type"),
        ("rethink_targets_threshold", 0, "value_out_of_range"),
        ("rethink_targets_threshold", 10**400, "value_out_of_range"),
        ("task_complexity_preference", "extreme", "value_not_allowed"),
        ("task_complexity_preference", 1, "wrong_type"),
        ("fit_score_weights", 0.4, "wrong_type"),
        ("fit_score_weights", WEIGHTS | {"luck": 0.0}, "wrong_members"),
        ("fit_score_weights", {"technical": 1.0}, "wrong_members"),
        ("fit_score_weights", WEIGHTS | {"signal": 0.3}, "constraint_broken"),
        ("fit_score_weights", WEIGHTS | {"signal": math.nan}, "value_out_of_range"),
        ("fit_score_weights", WEIGHTS | {"signal": "0.2"}, "wrong_type"),
        ("fit_score_weights", WEIGHTS | {"technical": 1.2, "signal": -0.55}, "value_out_of_range"),
    ],
)
def test_what_is_not_allowed_is_refused_with_its_code(key, came, code):
    assert refusal(key, came) == code


def test_weights_may_miss_one_by_rounding_only():
    assert check(parameter("fit_score_weights"), WEIGHTS | {"signal": 0.20 + 9e-7})
    assert refusal("fit_score_weights", WEIGHTS | {"signal": 0.20 + 2e-6}) == "constraint_broken"


def test_a_calibration_may_be_flat_but_never_falls():
    flat = dict.fromkeys(parameter("resume_score_calibration").members, 0.05)
    assert check(parameter("resume_score_calibration"), flat) == flat
    assert refusal("resume_score_calibration", flat | {"80-89": 0.04}) == "constraint_broken"


def test_a_refusal_says_what_came_what_is_allowed_and_the_default():
    with pytest.raises(Layer7Error) as caught:
        check(parameter("improve_resume_threshold"), 120)
    assert str(caught.value) == (
        "improve_resume_threshold: 120 lies outside; allowed is float, 0 to 100 points. The default is 75.0."
    )


def test_long_values_are_shortened_in_refusals():
    with pytest.raises(Layer7Error) as caught:
        check(parameter("task_complexity_preference"), "x" * 10_000)
    assert len(caught.value.message) < 250


def test_booleans_and_free_words_and_free_numbers():
    assert all(check(flag(ValueKind.BOOLEAN, default=True), value) is value for value in (True, False))
    assert check(flag(ValueKind.STRING, ""), "any word") == "any word"
    assert check(flag(ValueKind.INTEGER, 0), -5) == -5
    for kind, wrong in ((ValueKind.BOOLEAN, 1), (ValueKind.INTEGER, 2**53), (ValueKind.FLOAT, math.inf)):
        with pytest.raises(Layer7Error):
            check(flag(kind, 0), wrong)


def test_what_is_allowed_is_said_in_words():
    falling = flag(
        ValueKind.OBJECT,
        FrozenDict({"a": 0.0, "b": 0.5}),
        members=FrozenDict({"a": (0.0, 1.0), "b": (0.5, 2.0)}),
        constraint=Constraint.NON_DECREASING,
    )
    assert allowed_values(falling) == "object with a 0 to 1, b 0.5 to 2; none below the one before it"
    assert allowed_values(flag(ValueKind.BOOLEAN, default=True)) == "true or false"
    assert allowed_values(flag(ValueKind.STRING, "")) == "string"
    assert allowed_values(parameter("fit_score_weights")) == (
        "object with technical, seniority, experience, signal, each 0 to 1; they add up to 1"
    )
    assert allowed_values(parameter("task_complexity_preference")) == "one of low, medium, high"


@EVERY_KEY
@settings(deadline=None, derandomize=True)
@given(value=anything)
def test_checking_gives_an_allowed_finite_value_or_a_refusal_and_nothing_else(key, value):
    try:
        kept = check(CATALOGUE[key], value)
    except Layer7Error:
        return
    assert check(CATALOGUE[key], kept) == kept
    again = check(CATALOGUE[key], json.loads(canonical_json(kept)))
    assert canonical_json(again) == canonical_json(kept)
