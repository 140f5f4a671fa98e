"""A decision is allowed exactly when the table of states allows it; who and why are part of it."""

import json
from datetime import UTC, datetime

import pytest

from layer7.contract.lifecycle import ALLOWED, Kind, State
from layer7.contract.recommendation import OptimizationRecommendation
from layer7.contract.vocabulary import Route
from layer7.errors import Layer7Error
from layer7.review import (
    ENGINE,
    LEADS_TO,
    NEEDS_REASON,
    Action,
    NextStep,
    decide,
    next_step,
    possible_actions,
)

MOMENT = datetime(2025, 7, 2, 9, 0, tzinfo=UTC)
MOVES = ALLOWED[Kind.RECOMMENDATION]
PAIRS = [(state, action) for state in MOVES for action in Action]


def standing(state=State.PROPOSED, route=Route.MANUAL_REVIEW, **more):
    example = OptimizationRecommendation.model_config["json_schema_extra"]["examples"][0]
    changed = example | {"state": state, "recommendation": route} | more
    return OptimizationRecommendation.model_validate_json(json.dumps(changed))


def decided(recommendation, action, **options):
    facts = {"actor": "ada", "at": MOMENT, "why": "because"}
    return decide(recommendation, action, **(facts | options))


def code_of(*arguments, **options):
    with pytest.raises(Layer7Error) as caught:
        decided(*arguments, **options)
    return caught.value.code


@pytest.mark.parametrize(("state", "action"), PAIRS)
def test_what_the_table_allows_is_allowed_and_nothing_else(state, action):
    to = LEADS_TO[action]
    if to in MOVES[state]:
        decision = decided(standing(state), action)
        assert (decision.from_state, decision.to_state, decision.action) == (state, to, action)
    else:
        assert code_of(standing(state), action) == "move_not_allowed"
    assert (action in possible_actions(state)) == (to in MOVES[state])


def test_every_action_leads_somewhere_in_the_table():
    assert set(LEADS_TO) == set(Action)
    assert set(LEADS_TO.values()) <= set(MOVES)


def test_a_decision_keeps_who_when_and_why():
    decision = decided(standing(), Action.REJECT, actor=" ada ", why=" too few people ")
    assert (decision.recommendation_id, decision.actor, decision.at, decision.why) == (
        "rec_88",
        "ada",
        MOMENT,
        "too few people",
    )


@pytest.mark.parametrize("action", Action)
@pytest.mark.parametrize("why", ["", "  "])
def test_saying_no_needs_a_reason(action, why):
    state = next(state for state in MOVES if action in possible_actions(state))
    if action in NEEDS_REASON:
        assert code_of(standing(state), action, why=why) == "reason_missing"
    else:
        assert decided(standing(state), action, why=why).why == ""


@pytest.mark.parametrize("actor", ["", "  "])
def test_a_decision_needs_an_actor(actor):
    assert code_of(standing(), Action.APPROVE, actor=actor) == "actor_missing"


def test_a_decision_needs_a_time_with_offset_and_a_named_recommendation():
    assert code_of(standing(), Action.APPROVE, at=MOMENT.replace(tzinfo=None)) == "naive_time"
    assert code_of(standing(recommendation_id=None), Action.APPROVE) == "recommendation_unnamed"


@pytest.mark.parametrize("route", Route)
def test_the_engine_approves_only_what_may_apply_by_itself(route):
    if route is Route.AUTO_APPLY:
        assert decided(standing(route=route), Action.APPROVE, actor=ENGINE).to_state is State.APPROVED
    else:
        assert code_of(standing(route=route), Action.APPROVE, actor=ENGINE) == "person_needed"
        assert code_of(standing(route=route), Action.APPROVE, actor=f" {ENGINE} ") == "person_needed"


@pytest.mark.parametrize("route", Route)
@pytest.mark.parametrize("actor", ["ada", ENGINE])
def test_what_goes_through_a_test_is_applied_only_with_its_experiment(route, actor):
    approved = standing(State.APPROVED, route)
    if route is Route.A_B_TEST:
        assert code_of(approved, Action.APPLY, actor=actor) == "experiment_needed"
        assert code_of(approved, Action.APPLY, actor=actor, proven_by="") == "experiment_needed"
        assert decided(approved, Action.APPLY, actor=actor, proven_by="exp_001").proven_by == "exp_001"
    else:
        assert decided(approved, Action.APPLY, actor=actor).to_state is State.APPLIED


@pytest.mark.parametrize("route", Route)
def test_the_engine_may_always_roll_back(route):
    assert (
        decided(standing(State.APPLIED, route), Action.ROLL_BACK, actor=ENGINE).to_state is State.ROLLED_BACK
    )


def test_what_follows():
    assert next_step(Action.APPROVE, Route.A_B_TEST) is NextStep.EXPERIMENT
    assert next_step(Action.APPROVE, Route.MANUAL_REVIEW) is NextStep.APPLY
    assert next_step(Action.APPROVE, Route.AUTO_APPLY) is NextStep.APPLY
    for route in Route:
        assert next_step(Action.SEND_BACK, route) is NextStep.REVISE
        for action in (Action.REJECT, Action.APPLY, Action.ROLL_BACK):
            assert next_step(action, route) is NextStep.NONE


def test_a_decision_cannot_be_changed():
    with pytest.raises(AttributeError):
        decided(standing(), Action.APPROVE).why = "other"
