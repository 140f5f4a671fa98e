"""Reviewers are not asked the same question every night."""

import json

import pytest

from layer7.contract.lifecycle import State
from layer7.contract.recommendation import OptimizationRecommendation
from layer7.review import worth_asking

EXAMPLE = OptimizationRecommendation.model_config["json_schema_extra"]["examples"][0]


def made(
    state: State = State.PROPOSED, *, n: int = 1000, as_of: str = "2026-03-02T00:00:00+00:00", **changes
):
    evidence = EXAMPLE["evidence"] | {"sample_size": n}
    said = EXAMPLE | {"state": state.value, "evidence": evidence, "as_of": as_of} | changes
    return OptimizationRecommendation.model_validate_json(json.dumps(said))


def test_the_first_question_is_asked():
    assert worth_asking(made(), [])


def test_another_setting_is_another_question():
    other = made(parameter="rethink_targets_threshold", plan=None)
    assert worth_asking(made(), [other])


@pytest.mark.parametrize("state", [State.PROPOSED, State.SENT_BACK])
def test_an_open_question_is_asked_again_only_with_more_evidence(state):
    assert not worth_asking(made(n=1200), [made(state)])
    assert worth_asking(made(n=1250), [made(state)])


def test_an_open_question_is_asked_again_when_the_settings_have_changed():
    plan = EXAMPLE["plan"]
    assert worth_asking(made(plan=plan | {"from_version": "v000000000000"}), [made(plan=plan)])


def test_a_refused_question_rests_for_four_weeks():
    refused = made(State.REJECTED)
    assert not worth_asking(made(as_of="2026-03-29T00:00:00+00:00"), [refused])
    assert worth_asking(made(as_of="2026-03-30T00:00:00+00:00"), [refused])
    assert worth_asking(made(n=1250), [refused])


@pytest.mark.parametrize("state", [State.APPLIED, State.ROLLED_BACK, State.SUPERSEDED])
def test_what_is_settled_does_not_stand_in_the_way(state):
    assert worth_asking(made(), [made(state)])
