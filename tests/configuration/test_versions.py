"""Versions are named by their content; changes do what the plan says or nothing."""

import json
import subprocess
import sys
from types import MappingProxyType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layer7.configuration import (
    CATALOGUE,
    ConfigVersion,
    ValueKind,
    apply,
    baseline,
    canonical_json,
    check,
    config_version,
    diff,
    plan,
    plan_back,
    restore,
    short_hash,
)
from layer7.contract.recommendation import SettingsChange
from layer7.contract.vocabulary import Component
from layer7.errors import Layer7Error

L2 = Component.STRATEGY_ENGINE
START = baseline(L2)


def values_of(key):
    """Values of a setting as another layer might write them."""
    entry = CATALOGUE[key]
    if entry.kind is ValueKind.INTEGER:
        return st.integers(int(entry.low), int(entry.high))
    if entry.kind is ValueKind.FLOAT:
        return st.floats(entry.low, entry.high) | st.integers(int(entry.low), int(entry.high))
    if entry.kind is ValueKind.STRING:
        return st.sampled_from(entry.choices)
    numbers = st.lists(st.integers(0, 100), min_size=len(entry.members), max_size=len(entry.members))
    if entry.constraint == "sums_to_one":
        scaled = numbers.filter(any).map(lambda parts: [part / sum(parts) for part in parts])
    else:
        scaled = numbers.map(lambda parts: [part / 100 for part in sorted(parts)])
    return scaled.map(lambda parts: dict(zip(entry.members, parts, strict=True)))


changes = st.sampled_from(list(CATALOGUE)).flatmap(lambda key: st.tuples(st.just(key), values_of(key)))


def code_of(call, *arguments):
    with pytest.raises(Layer7Error) as caught:
        call(*arguments)
    return caught.value.code


def test_canonical_json_is_one_text_per_value():
    assert canonical_json({"b": (1, 2.0), "a": MappingProxyType({"é": None})}) == (
        '{"a":{"\\u00e9":null},"b":[1,2.0]}'
    )


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {1, 2}, object(), {(1, 2): 3}])
def test_canonical_json_refuses_what_json_cannot_say(value):
    assert code_of(canonical_json, value) == "not_json"


@settings(deadline=None, derandomize=True)
@given(st.dictionaries(st.text(max_size=4), st.integers() | st.floats(allow_nan=False, allow_infinity=False)))
def test_canonical_json_does_not_depend_on_order(content):
    turned = dict(reversed(content.items()))
    assert canonical_json(turned) == canonical_json(content)
    assert canonical_json(json.loads(canonical_json(content))) == canonical_json(content)


def test_names_are_fixed_for_ever():
    """By hand, with coreutils: ``printf '75.0' | sha256sum``; other names would orphan the history."""
    assert short_hash(75.0) == "vdc371291bd7a"
    version = ConfigVersion(Component.JOB_DISCOVERY, {"reach_bonus": 1.0})
    assert version.version == "v9468197b7d4f"


def test_names_do_not_depend_on_the_process():
    code = (
        "from layer7.configuration import baseline; from layer7.contract.vocabulary import Component;"
        "import sys; sys.stdout.write(baseline(Component.STRATEGY_ENGINE).version)"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout == START.version


@settings(deadline=None, derandomize=True)
@given(change=changes)
def test_same_content_gives_the_same_name_and_other_content_another(change):
    key, value = change
    component = CATALOGUE[key].component
    one = config_version(component, {key: value})
    other = config_version(component, dict(reversed(one.content.items())))
    assert one == other
    assert hash(one) == hash(other)
    assert one.version == other.version
    assert (one.version == baseline(component).version) == (one == baseline(component))
    assert restore(component, one.version, canonical_json(one.content)) == one


@settings(deadline=None, derandomize=True)
@given(change=changes)
def test_a_change_does_what_it_says_and_can_be_taken_back(change):
    key, value = change
    start = baseline(CATALOGUE[key].component)
    if check(CATALOGUE[key], value) == start.value(key):
        assert code_of(plan, start, key, value) == "no_change"
        return
    planned = plan(start, key, value)
    after = apply(start, planned)
    (difference,) = diff(start, after)
    assert (difference.parameter, difference.from_value, difference.to_value) == (
        planned.parameter,
        planned.from_value,
        planned.to_value,
    )
    assert canonical_json(difference.to_value) == canonical_json(check(CATALOGUE[key], value))
    assert apply(after, plan_back(after, planned)) == start


def test_a_plan_survives_its_own_json():
    weights = {"skills": 1, "tools": 0, "experience": 0, "seniority": 0, "industry": 0}
    for key, value in (("min_days_in_mode", 5), ("improve_resume_threshold", 70), ("gap_weights", weights)):
        planned = plan(START, key, value)
        reread = SettingsChange.model_validate_json(planned.model_dump_json())
        assert apply(START, reread) == apply(START, planned)


def test_a_plan_from_another_version_is_stale():
    planned = plan(START, "improve_resume_threshold", 70)
    moved = apply(START, plan(START, "min_days_in_mode", 5))
    assert code_of(apply, moved, planned) == "plan_stale"
    assert code_of(apply, apply(START, planned), planned) == "plan_stale"


def test_a_plan_that_misstates_the_value_is_stale():
    planned = plan(START, "improve_resume_threshold", 70).model_copy(update={"from_value": 60.0})
    assert code_of(apply, START, planned) == "plan_stale"


def test_a_plan_is_checked_again_when_it_is_applied():
    planned = plan(START, "improve_resume_threshold", 70).model_copy(update={"to_value": 120.0})
    assert code_of(apply, START, planned) == "value_out_of_range"


def test_a_plan_for_another_component_is_refused():
    planned = plan(START, "improve_resume_threshold", 70)
    assert code_of(apply, baseline(Component.ORCHESTRATOR), planned) == "wrong_component"
    assert code_of(plan, START, "fit_score_weights", {}) == "wrong_component"
    assert code_of(diff, START, baseline(Component.ORCHESTRATOR)) == "wrong_component"


def test_taking_back_leaves_later_changes_in_place():
    first = plan(START, "improve_resume_threshold", 70)
    second = apply(START, first)
    third = apply(second, plan(second, "min_days_in_mode", 5))
    back = apply(third, plan_back(third, first))
    assert [d.parameter for d in diff(START, back)] == ["min_days_in_mode"]


def test_taking_back_what_was_changed_since_is_refused():
    first = plan(START, "improve_resume_threshold", 70)
    second = apply(START, first)
    third = apply(second, plan(second, "improve_resume_threshold", 65))
    assert code_of(plan_back, third, first) == "plan_stale"


def test_a_version_from_before_a_setting_was_added_keeps_its_name_and_has_the_default():
    old = ConfigVersion(L2, {"improve_resume_threshold": 70.0})
    assert restore(L2, old.version, '{"improve_resume_threshold":70.0}') == old
    assert old.value("min_days_in_mode") == 7
    after = apply(old, plan(old, "min_days_in_mode", 5))
    assert set(after.content) == set(START.content)
    assert after.value("improve_resume_threshold") == 70.0


@pytest.mark.parametrize("text", ['{"reach_bonus":2.0}', "[]", "{", "null", '{"reach_bonus":NaN}'])
def test_a_damaged_version_is_refused(text):
    kept = config_version(Component.JOB_DISCOVERY, {"reach_bonus": 1})
    assert code_of(restore, kept.component, kept.version, text) == "version_damaged"


def test_a_version_cannot_be_changed():
    with pytest.raises(TypeError):
        START.content["min_days_in_mode"] = 1
    with pytest.raises(AttributeError):
        START.version = "v0"


def test_unknown_settings_are_refused():
    assert code_of(config_version, L2, {"luck": 1}) == "unknown_parameter"
    assert code_of(START.value, "luck") == "unknown_parameter"
