"""Recommendations are proposed once, decided by people, and applied exactly as they were shown."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from layer7.contract import Component
from layer7.contract.lifecycle import State
from layer7.contract.recommendation import OptimizationRecommendation
from layer7.errors import Layer7Error
from layer7.review import Action, NextStep
from layer7.storage.decisions.configs import Configs
from layer7.storage.decisions.recommendations import Recommendations
from layer7.storage.home import open_home

NOW = datetime(2026, 3, 2, tzinfo=UTC)
STRATEGY = Component.STRATEGY_ENGINE
KEY = "improve_resume_threshold"
BY = {"actor": "maria", "why": "tested", "at": NOW}


@pytest.fixture
def home(tmp_path):
    return open_home(tmp_path / "home")


@pytest.fixture
def configs(home) -> Configs:
    return Configs(home.state)


@pytest.fixture
def kept(home, configs) -> Recommendations:
    return Recommendations(home.state, configs, home.experiments)


def proposal(value: float, *, current: float = 75, key: str = KEY, route: str = "manual_review", name=None):
    body = {
        "component": "strategy_engine",
        "parameter": key,
        "current_value": current,
        "recommended_value": value,
        "reasoning": "It would be better.",
        "evidence": {
            "metric_improved": "interviews",
            "improvement_amount": 0.02,
            "sample_size": 900,
            "confidence_interval": [0.01, 0.03],
            "p_value": 0.01,
        },
        "impact_estimate": {"users_affected": 10, "expected_benefit": "some", "risk_level": "low"},
        "recommendation": route,
        "recommendation_id": name,
    }
    return OptimizationRecommendation.model_validate_json(json.dumps(body))


def test_proposing_again_changes_nothing(kept, home):
    (first,) = kept.propose([proposal(70)], NOW)
    length = home.state.verify_audit()
    assert kept.propose([proposal(70), proposal(70, name="rec_other")], NOW + timedelta(days=1)) == ()
    assert [each.recommendation_id for each in kept.list()] == [first.recommendation_id]
    assert home.state.verify_audit() == length


def test_a_proposal_gets_name_plan_and_time(kept, configs):
    (made,) = kept.propose([proposal(70)], NOW)
    assert made.recommendation_id.startswith("rec_")
    assert made.plan.from_version == configs.active(STRATEGY).version
    assert (made.current_value, made.recommended_value, made.created_at) == (75.0, 70.0, NOW.isoformat())
    assert kept.get(made.recommendation_id) == made


def test_another_value_for_the_same_setting_takes_the_place_of_the_open_proposal(kept):
    (old,) = kept.propose([proposal(70)], NOW)
    (new,) = kept.propose([proposal(72)], NOW + timedelta(days=1))
    assert kept.get(old.recommendation_id).state is State.SUPERSEDED
    assert kept.list(state=State.PROPOSED) == (new,)
    (decided,) = kept.decisions(old.recommendation_id)
    assert (decided.action, decided.actor, decided.to_state) == ("supersede", "layer_7", "superseded")
    assert new.recommendation_id in decided.why


def test_proposals_for_different_settings_stand_beside_each_other(kept):
    kept.propose([proposal(70), proposal(5, key="min_days_in_mode", current=7)], NOW)
    assert kept.counts() == {State.PROPOSED: 2}


def test_what_would_change_nothing_is_left_out(kept):
    assert kept.propose([proposal(75)], NOW) == ()


def test_a_proposal_from_settings_of_yesterday_is_refused(kept, configs):
    configs.set(STRATEGY, KEY, 60, **BY)
    with pytest.raises(Layer7Error) as error:
        kept.propose([proposal(70)], NOW)
    assert error.value.code == "plan_stale"


def test_approving_applies_the_very_plan_in_the_same_act(kept, configs, home):
    (made,) = kept.propose([proposal(70)], NOW)
    before = home.state.verify_audit()
    outcome = kept.decide(made.recommendation_id, Action.APPROVE, **BY)
    assert outcome.version == configs.active(STRATEGY)
    assert configs.active(STRATEGY).value(KEY) == made.plan.to_value == 70.0
    assert outcome.recommendation.state is State.APPLIED
    assert [each.action for each in kept.decisions(made.recommendation_id)] == ["approve", "apply"]
    assert home.state.verify_audit() == before + 1
    assert configs.history(STRATEGY)[0].recommendation_id == made.recommendation_id


def test_an_approved_test_waits_for_its_experiment(kept, configs):
    (made,) = kept.propose([proposal(70, route="a_b_test")], NOW)
    outcome = kept.decide(made.recommendation_id, Action.APPROVE, **BY)
    assert (outcome.recommendation.state, outcome.follows) == (State.APPROVED, NextStep.EXPERIMENT)
    assert outcome.version is None
    assert configs.active(STRATEGY).value(KEY) == 75.0
    with pytest.raises(Layer7Error) as error:
        kept.decide(made.recommendation_id, Action.APPLY, **BY)
    assert error.value.code == "experiment_needed"
    shipped = kept.decide(made.recommendation_id, Action.APPLY, **BY, proven_by="exp_1")
    assert shipped.version.value(KEY) == 70.0


def test_a_plan_that_no_longer_fits_is_refused_and_leaves_everything_as_it_was(kept, configs, home):
    (made,) = kept.propose([proposal(70)], NOW)
    configs.set(STRATEGY, "min_days_in_mode", 5, **BY)
    length = home.state.verify_audit()
    with pytest.raises(Layer7Error) as error:
        kept.decide(made.recommendation_id, Action.APPROVE, **BY)
    assert error.value.code == "plan_stale"
    assert kept.get(made.recommendation_id).state is State.PROPOSED
    assert kept.decisions(made.recommendation_id) == ()
    assert home.state.verify_audit() == length


def test_a_proposal_whose_plan_no_longer_fits_is_made_anew(kept, configs):
    (old,) = kept.propose([proposal(70)], NOW)
    configs.set(STRATEGY, "min_days_in_mode", 5, **BY)
    (new,) = kept.propose([proposal(70)], NOW)
    assert kept.get(old.recommendation_id).state is State.SUPERSEDED
    assert kept.decide(new.recommendation_id, Action.APPROVE, **BY).version.value(KEY) == 70.0


@pytest.mark.parametrize(("action", "state"), [(Action.REJECT, "rejected"), (Action.SEND_BACK, "sent_back")])
def test_saying_no_needs_a_reason_and_changes_no_setting(kept, configs, action, state):
    (made,) = kept.propose([proposal(70)], NOW)
    with pytest.raises(Layer7Error) as error:
        kept.decide(made.recommendation_id, action, actor="maria", why=" ", at=NOW)
    assert error.value.code == "reason_missing"
    assert kept.decide(made.recommendation_id, action, **BY).recommendation.state.value == state
    assert configs.active(STRATEGY).value(KEY) == 75.0


def test_a_decision_is_made_once(kept):
    (made,) = kept.propose([proposal(70)], NOW)
    kept.decide(made.recommendation_id, Action.REJECT, **BY)
    with pytest.raises(Layer7Error) as error:
        kept.decide(made.recommendation_id, Action.APPROVE, **BY)
    assert error.value.code == "move_not_allowed"


def test_rolling_one_back_leaves_later_changes_of_other_settings(kept, configs):
    (made,) = kept.propose([proposal(70)], NOW)
    kept.decide(made.recommendation_id, Action.APPROVE, **BY)
    configs.set(STRATEGY, "min_days_in_mode", 5, **BY)
    outcome = kept.decide(made.recommendation_id, Action.ROLL_BACK, **BY)
    active = configs.active(STRATEGY)
    assert (active.value(KEY), active.value("min_days_in_mode")) == (75.0, 5)
    assert outcome.recommendation.state is State.ROLLED_BACK


def test_rolling_the_component_back_closes_what_it_undoes_and_nothing_else(kept, configs):
    (first,) = kept.propose([proposal(70)], NOW)
    kept.decide(first.recommendation_id, Action.APPROVE, **BY)
    (second,) = kept.propose([proposal(5, key="min_days_in_mode", current=7)], NOW)
    kept.decide(second.recommendation_id, Action.APPROVE, **BY)
    configs.rollback(STRATEGY, **BY)
    states = [kept.get(each.recommendation_id).state for each in (first, second)]
    assert states == [State.APPLIED, State.ROLLED_BACK]


def test_lists_come_in_pages_newest_first(kept):
    for day, (key, current) in enumerate({KEY: 75, "min_days_in_mode": 7, "exploration_share": 0}.items()):
        value = {KEY: 70, "min_days_in_mode": 5, "exploration_share": 0.1}[key]
        kept.propose([proposal(value, key=key, current=current)], NOW + timedelta(days=day))
    first = kept.list(limit=2)
    rest = kept.list(after=(first[-1].created_at, first[-1].recommendation_id))
    assert [each.parameter for each in first + rest] == ["exploration_share", "min_days_in_mode", KEY]


def test_an_unknown_name_says_so(kept):
    with pytest.raises(Layer7Error) as error:
        kept.get("rec_none")
    assert error.value.code == "unknown_recommendation"
