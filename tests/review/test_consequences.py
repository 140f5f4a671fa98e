"""What a reviewer reads is the plan that will be applied, word by word."""

from datetime import UTC, datetime

import pytest

from layer7.configuration import apply, baseline, canonical_json, plan
from layer7.contract.evidence import Period
from layer7.contract.lifecycle import State
from layer7.contract.recommendation import Evidence, ImpactEstimate, OptimizationRecommendation
from layer7.contract.vocabulary import Component, RiskLevel, Route
from layer7.errors import Layer7Error
from layer7.review import Action, consequences, decide, possible_actions

MOMENT = datetime(2025, 7, 2, 9, 0, tzinfo=UTC)
START = baseline(Component.STRATEGY_ENGINE)
STALE = (
    f"It is applied to version {START.version} only: if the settings have changed since,"
    " nothing is applied and it must be planned anew."
)


def recommended(route=Route.AUTO_APPLY, state=State.PROPOSED, change=None, users=310):
    change = change or plan(START, "improve_resume_threshold", 70)
    return OptimizationRecommendation(
        component=change.component,
        parameter=change.parameter,
        current_value=change.from_value,
        recommended_value=change.to_value,
        reasoning="As many interviews per week.",
        evidence=Evidence(
            metric_improved="expected_interviews_per_week",
            improvement_amount=0.021,
            sample_size=1840,
            confidence_interval=(0.012, 0.041),
            p_value=0.003,
        ),
        impact_estimate=ImpactEstimate(
            users_affected=users, expected_benefit="A little.", risk_level=RiskLevel.MEDIUM
        ),
        recommendation=route,
        recommendation_id="rec_88",
        state=state,
        plan=change,
        window=Period(start="2025-01-01", end="2025-07-01"),
    )


def told(recommendation, action, **options):
    decision = decide(
        recommendation, action, **({"actor": "ada", "at": MOMENT, "why": "Too soon."} | options)
    )
    return consequences(decision, recommendation)


def test_approving_says_what_changes_for_whom_and_how_it_is_taken_back():
    assert told(recommended(), Action.APPROVE) == (
        "Next, improve_resume_threshold of strategy_engine goes from 75.0 points to 70.0 points.",
        "It concerns 310 people; the risk is rated medium.",
        STALE,
        "Rolling it back gives 75.0 points again.",
    )


def test_approving_a_test_changes_nothing_for_everybody_yet():
    first, second = told(recommended(Route.A_B_TEST), Action.APPROVE)
    assert first.startswith("Nothing changes for everybody yet: an experiment compares")
    assert second == (
        "Only if its verdict is to ship, improve_resume_threshold of strategy_engine goes from 75.0 points"
        " to 70.0 points."
    )


def test_applying_names_the_experiment_that_speaks_for_it():
    text = told(recommended(Route.A_B_TEST, State.APPROVED), Action.APPLY, proven_by="exp_001")
    assert text[0].startswith("Now improve_resume_threshold of strategy_engine goes from 75.0 points")
    assert text[1] == "Experiment exp_001 speaks for it."


@pytest.mark.parametrize("action", [Action.REJECT, Action.SEND_BACK])
def test_saying_no_leaves_the_value_and_keeps_the_reason(action):
    first, second = told(recommended(), action)
    assert first == "Nothing changes: improve_resume_threshold of strategy_engine stays at 75.0 points."
    assert second.endswith("Too soon.")


def test_rolling_back_goes_the_other_way():
    text = told(recommended(state=State.APPLIED, users=1), Action.ROLL_BACK)
    assert text[0] == (
        "improve_resume_threshold of strategy_engine goes back from 70.0 points to 75.0 points"
        " for one person; later changes of other settings stay."
    )


@pytest.mark.parametrize("route", Route)
@pytest.mark.parametrize("state", State)
def test_the_text_states_the_values_of_the_very_plan(route, state):
    weights = {"skills": 0.4, "tools": 0.0, "experience": 0.2, "seniority": 0.2, "industry": 0.2}
    for change in (plan(START, "improve_resume_threshold", 62.5), plan(START, "gap_weights", weights)):
        for action in possible_actions(state):
            text = " ".join(told(recommended(route, state, change), action, proven_by="exp_001"))
            values = [change.from_value]
            if action not in {Action.REJECT, Action.SEND_BACK}:
                values.append(apply(START, change).value(change.parameter))
            for value in values:
                numbers = value.values() if isinstance(value, dict) else [value]
                assert all(canonical_json(number) in text for number in numbers)


def test_refusals():
    recommendation = recommended()
    decision = decide(recommendation, Action.APPROVE, actor="ada", at=MOMENT)
    for other, code in (
        (recommendation.model_copy(update={"recommendation_id": "rec_89"}), "another_recommendation"),
        (recommendation.model_copy(update={"plan": None}), "plan_missing"),
    ):
        with pytest.raises(Layer7Error) as caught:
            consequences(decision, other)
        assert caught.value.code == code
