"""What the models promise beyond their fields: order, stages, allocations, states."""

import json
import typing
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from layer7.contract import (
    ALLOWED,
    Experiment,
    ExperimentStatus,
    FitScoreWeights,
    Kind,
    OptimizationRecommendation,
    Period,
    RateEvidence,
    RecommendationState,
    RolloutChecks,
    State,
    UserPerformance,
    WeeklyInsights,
    schemas,
)

SCHEMAS = schemas()

RATES = st.floats(0, 1)
CHECKS = tuple(RolloutChecks.model_fields)


def _changed(name: str, **changes: Any) -> str:
    return json.dumps({**SCHEMAS[name]["examples"][0], **changes})


@given(bounds=st.tuples(RATES, RATES).map(sorted) | st.none(), counts=st.tuples(st.integers(0, 10**6), RATES))
def test_rate_evidence_comes_back_equal(bounds: list[float] | None, counts: tuple[int, float]) -> None:
    low, high = bounds or (None, None)
    n, share = counts
    evidence = RateEvidence(value=low, low=low, high=high, n=n, events=int(n * share), method="beta-binomial")
    assert RateEvidence.model_validate_json(evidence.model_dump_json()) == evidence


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"low": 0.5, "high": 0.2}, "must not exceed high"),
        ({"low": 0.1}, "together or not at all"),
        ({"events": 11}, "must not exceed n"),
        ({"value": 1.2}, "less than or equal to 1"),
        ({"level": 1.0}, "less than 1"),
    ],
)
def test_incoherent_rate_evidence_is_refused(changes: dict[str, Any], why: str) -> None:
    whole = {"value": None, "n": 10, "events": 0, "method": "none", **changes}
    with pytest.raises(ValidationError, match=why):
        RateEvidence(**whole)


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2025-01-01", "2025-04-01"),
        ("2025-01-01", "2025-01-01"),
        ("2025-01-01T10:00:00+02:00", "2025-01-01T09:00:00+00:00"),
        ("2025-01-01", "2025-01-01T09:00:00+00:00"),
    ],
)
def test_periods_run_forward(start: str, end: str) -> None:
    assert Period(start=start, end=end).end == end


@pytest.mark.parametrize("end", ["2024-12-31", "2024-12-31T23:00:00Z", "soon"])
def test_periods_that_do_not_are_refused(end: str) -> None:
    with pytest.raises(ValidationError):
        Period(start="2025-01-01", end=end)


def test_stages_are_cumulative() -> None:
    with pytest.raises(ValidationError, match="stages are cumulative"):
        UserPerformance.model_validate_json(_changed("UserPerformance", offers=4))
    with pytest.raises(ValidationError, match="stages are cumulative"):
        UserPerformance.model_validate_json(_changed("UserPerformance", total_applications=2))


def test_what_is_unknown_is_said_and_never_left_out() -> None:
    person = json.loads(_changed("UserPerformance", interview_rate=None))
    assert UserPerformance.model_validate_json(json.dumps(person)).interview_rate is None
    del person["interview_rate"]
    with pytest.raises(ValidationError, match="interview_rate"):
        UserPerformance.model_validate_json(json.dumps(person))


def test_a_plan_is_what_is_recommended() -> None:
    with pytest.raises(ValidationError, match="the plan must be the change that is recommended"):
        OptimizationRecommendation.model_validate_json(
            _changed("OptimizationRecommendation", recommended_value=71)
        )


def test_the_specifications_experiments_are_drafts() -> None:
    examples = SCHEMAS["Experiment"]["examples"]
    experiments = [Experiment.model_validate_json(json.dumps(example)) for example in examples]
    assert [experiment.experiment_id for experiment in experiments] == ["exp_001", "exp_002"]
    assert {experiment.status for experiment in experiments} == {State.DRAFT}


@pytest.mark.parametrize(
    ("second", "why"),
    [
        ({"variant_id": "control", "allocation": 0.5}, "variant_id must differ"),
        ({"variant_id": "treatment", "allocation": 0.6}, "at most 1"),
    ],
)
def test_variants_differ_and_share_the_units(second: dict[str, Any], why: str) -> None:
    variants = [
        {"variant_id": "control", "name": "Now", "value": 75, "allocation": 0.5},
        {"name": "Then", "value": 70, **second},
    ]
    with pytest.raises(ValidationError, match=why):
        Experiment.model_validate_json(_changed("Experiment", variants=variants))


@pytest.mark.parametrize(
    ("states", "kind"),
    [(ExperimentStatus, Kind.EXPERIMENT), (RecommendationState, Kind.RECOMMENDATION)],
)
def test_states_are_those_of_the_table_of_moves(states: Any, kind: Kind) -> None:
    assert set(typing.get_args(states)) == set(ALLOWED[kind])


@given(st.lists(st.sampled_from([True, False, None]), min_size=len(CHECKS), max_size=len(CHECKS)))
def test_a_rollout_passes_only_when_every_check_is_met(answers: list[bool | None]) -> None:
    checks = RolloutChecks(**dict(zip(CHECKS, answers, strict=True)))
    assert checks.passed == (answers == [True] * 6)


def test_fit_weights_add_up_to_one() -> None:
    assert FitScoreWeights(technical=0.45, seniority=0.2, experience=0.15, signal=0.2).technical == 0.45
    with pytest.raises(ValidationError, match="add up to 1"):
        FitScoreWeights(technical=0.5, seniority=0.2, experience=0.2, signal=0.2)


@pytest.mark.parametrize("day", ["2025-13-01", "2025-1-6", "2025-01-06T00:00:00Z", ""])
def test_weeks_start_on_a_calendar_day(day: str) -> None:
    with pytest.raises(ValidationError):
        WeeklyInsights.model_validate_json(_changed("WeeklyInsights", week_start=day))


def test_a_decline_is_never_above_zero() -> None:
    wrong = [{"pattern": "late evenings", "metric": "response_rate", "decline": 0.1}]
    with pytest.raises(ValidationError, match="decline"):
        WeeklyInsights.model_validate_json(_changed("WeeklyInsights", what_didnt_work=wrong))


def test_models_are_frozen_and_strict() -> None:
    insights = WeeklyInsights.model_validate_json(_changed("WeeklyInsights"))
    with pytest.raises(ValidationError, match="frozen"):
        insights.user_id = "user_2"
    with pytest.raises(ValidationError):
        UserPerformance.model_validate_json(_changed("UserPerformance", drafts="5"))
    with pytest.raises(ValidationError):
        UserPerformance.model_validate_json(_changed("UserPerformance", unheard_of=1))
