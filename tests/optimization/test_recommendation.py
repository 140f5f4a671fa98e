"""Which way a change may come into force, and under which name."""

from dataclasses import replace
from datetime import UTC, datetime
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layer7.configuration import apply, baseline, plan
from layer7.contract.recommendation import Evidence
from layer7.contract.vocabulary import Component, RiskLevel, Route
from layer7.errors import Layer7Error
from layer7.optimization import (
    Finding,
    Grounds,
    Nature,
    Origin,
    Proposal,
    recommend,
    recommendation_id,
    risk_of,
    route_of,
)

PROPOSAL = Proposal(
    component=Component.STRATEGY_ENGINE,
    parameter="improve_resume_threshold",
    current_value=75.0,
    recommended_value=70.0,
    nature=Nature.BEHAVIOURAL,
    size=0.05,
    grounds=Grounds.OBSERVATION,
)
FINDING = Finding(
    reasoning="As many interviews below the threshold.",
    evidence=Evidence(
        metric_improved="expected_interviews_per_week",
        improvement_amount=0.02,
        sample_size=1840,
        confidence_interval=(0.01, 0.03),
        p_value=0.003,
    ),
    users_affected=310,
    expected_benefit="0.02 more interviews per person and week (0.01 to 0.03)",
    method="regression discontinuity",
    what_would_change_this="A gain below zero in the experiment.",
)
ORIGIN = Origin(as_of=datetime(2026, 3, 2, tzinfo=UTC))


@pytest.mark.parametrize(
    ("grounds", "nature", "size", "reversible", "route", "risk"),
    [
        ("experiment", "behavioural", 0.05, True, "auto_apply", "low"),
        ("experiment", "behavioural", 0.05, False, "manual_review", "high"),
        ("experiment", "behavioural", 0.2, True, "manual_review", "medium"),
        ("experiment", "behavioural", 0.5, True, "manual_review", "high"),
        ("observation", "behavioural", 0.05, True, "a_b_test", "medium"),
        ("observation", "behavioural", 0.5, True, "a_b_test", "high"),
        ("observation", "predictive", 0.05, True, "manual_review", "low"),
        ("observation", "predictive", 0.5, True, "manual_review", "medium"),
    ],
)
def test_the_table_of_routes_and_risks(grounds, nature, size, reversible, route, risk):
    proposal = replace(
        PROPOSAL, grounds=Grounds(grounds), nature=Nature(nature), size=size, reversible=reversible
    )
    assert (route_of(proposal), risk_of(proposal)) == (Route(route), RiskLevel(risk))


@given(size=st.floats(0, 1))
def test_nothing_applies_by_itself_unless_it_is_small_reversible_and_proven_by_experiment(size):
    for grounds, nature, reversible in product(Grounds, Nature, (True, False)):
        proposal = replace(PROPOSAL, grounds=grounds, nature=nature, size=size, reversible=reversible)
        if route_of(proposal) is Route.AUTO_APPLY:
            assert grounds is Grounds.EXPERIMENT
            assert reversible
            assert size <= 0.1


def test_the_same_value_has_the_same_name_all_month_whatever_the_order_of_its_members():
    def name(value, day):
        return recommendation_id(
            Component.STRATEGY_ENGINE, "gap_weights", value, datetime(2026, 3, day, tzinfo=UTC)
        )

    assert name({"a": 0.4, "b": 0.6}, 1) == name({"b": 0.6, "a": 0.4}, 31)
    assert name({"a": 0.4, "b": 0.6}, 1) != name({"a": 0.5, "b": 0.5}, 1)


def test_the_plan_is_what_the_configuration_would_plan_and_applies():
    version = baseline(Component.STRATEGY_ENGINE)
    made = recommend(PROPOSAL, FINDING, replace(ORIGIN, from_version=version.version))
    assert made.plan == plan(version, "improve_resume_threshold", 70.0)
    assert apply(version, made.plan).value("improve_resume_threshold") == 70.0
    assert made.what_would_change_this == FINDING.what_would_change_this


def test_what_is_in_force_is_not_recommended():
    with pytest.raises(Layer7Error, match="already"):
        recommend(replace(PROPOSAL, recommended_value=75.0), FINDING, ORIGIN)


def test_a_size_is_a_share():
    with pytest.raises(Layer7Error, match="no share"):
        replace(PROPOSAL, size=5.0)
