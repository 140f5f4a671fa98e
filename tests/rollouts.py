"""Ramps and results made up for tests of the room."""

import json
from datetime import UTC, datetime, timedelta

from layer7.contract.effects import MetricResult
from layer7.contract.experiments import GuardrailResult
from layer7.contract.lifecycle import State
from layer7.contract.recommendation import OptimizationRecommendation
from layer7.experiments.comparison import unknown
from layer7.experiments.plan import specified, started
from layer7.rollout.ramp import ramp_of

NOW = datetime(2026, 3, 2, tzinfo=UTC)
KEY = "improve_resume_threshold"
DAY = timedelta(days=1)
DUE = NOW + 7 * DAY


def guardrail(interval=(-0.001, 0.003), *, margin=0.01, non_inferior=True):
    """Give what happened to a guardrail."""
    return GuardrailResult(
        difference=sum(interval) / 2, interval=interval, margin=margin, non_inferior=non_inferior
    )


def signal(winner):
    """Give what happened to a signal metric."""
    return MetricResult(
        control_n=400,
        treatment_n=400,
        control=0.3,
        treatment=0.1,
        difference=-0.2,
        interval=(-0.3, -0.1),
        p_value=0.001,
        relative_improvement=-0.67,
        winner=winner,
    )


def results(interval=(0.01, 0.03), *, units=400, as_of=DUE, **changes):
    """Give results of an experiment whose treatment is better, unless told otherwise."""
    low, high = interval
    winner = "treatment" if low > 0 else "control" if high < 0 else None
    said = {
        "control_sample_size": units,
        "treatment_sample_size": units,
        "control_metric": 0.05,
        "treatment_metric": 0.05 + (low + high) / 2,
        "absolute_difference": (low + high) / 2,
        "relative_improvement": (low + high) / 0.1,
        "confidence_interval": interval,
        "p_value": 0.01 if winner else 0.4,
        "effect_size": 0.1,
        "winner": winner,
        "blocked_by": (),
        "sample_ratio_p_value": 0.5,
        "as_of": as_of.isoformat(),
        "guardrails": {"offer_rate": guardrail()},
    }
    return unknown(units, units, "x").model_copy(update=said | changes)


def experiment(found=None, **changes):
    """Give a running experiment with results."""
    plan = specified(0).model_copy(
        update={
            "coverage": 0.2,
            "guardrail_metrics": ("offer_rate",),
            "signal_metrics": ("response_rate",),
            "minimum_effect": 0.01,
            "recommendation_id": "rec_1",
        }
        | changes
    )
    return started(plan, NOW).model_copy(update={"results": found})


def ramp(stage=1, state=State.RUNNING, **changes):
    """Give a ramp at a stage, entered at NOW."""
    plan = ramp_of(experiment(), anchor="v1")
    update = {"stage": stage, "state": state, "entered_at": NOW.isoformat(), **changes}
    return plan.model_copy(update=update)


def proposal(value=70):
    """Give a recommendation to try another threshold in an experiment."""
    body = {
        "component": "strategy_engine",
        "parameter": KEY,
        "current_value": 75,
        "recommended_value": value,
        "reasoning": "It would be better.",
        "evidence": {
            "metric_improved": "interview_rate",
            "improvement_amount": 0.02,
            "sample_size": 900,
            "confidence_interval": [0.01, 0.03],
            "p_value": 0.01,
        },
        "impact_estimate": {"users_affected": 10, "expected_benefit": "some", "risk_level": "low"},
        "recommendation": "a_b_test",
    }
    return OptimizationRecommendation.model_validate_json(json.dumps(body))
