"""Which setting would be better (specification 5): a recommendation, with what speaks for it."""

from typing import Literal, Self

from pydantic import ConfigDict, Field, model_validator

from layer7.contract.base import Contract
from layer7.contract.evidence import Explained, Lineage
from layer7.contract.fields import (
    Addition,
    Interval,
    Json,
    Whole,
)
from layer7.contract.lifecycle import State
from layer7.contract.shapes import Fraction, Identifier, Moment
from layer7.contract.vocabulary import Component, RiskLevel, Route

RecommendationState = Literal[
    State.PROPOSED,
    State.SENT_BACK,
    State.APPROVED,
    State.REJECTED,
    State.APPLIED,
    State.ROLLED_BACK,
    State.SUPERSEDED,
]
"""Where a recommendation can stand in its life."""


class Evidence(Contract):
    """What speaks for a recommendation."""

    metric_improved: str = Field(description="Name of the metric, such as expected_interviews_per_week.")
    improvement_amount: float | None = Field(
        description="Absolute gain of the metric, in its unit; null when unknown."
    )
    sample_size: Whole = Field(description="Units (people or applications) that the gain is estimated from.")
    confidence_interval: Interval | None = Field(description="Interval of the gain; null when unknown.")
    p_value: Fraction | None = Field(
        description="Probability of such data without any gain; null when unknown."
    )


class ImpactEstimate(Contract):
    """What a recommendation would do if it came into force."""

    users_affected: Whole = Field(description="People whose settings would change.")
    expected_benefit: str = Field(description="The gain in words, with its interval.")
    risk_level: RiskLevel = Field(description="How much harm it could do before it is taken back.")


class SettingsChange(Contract):
    """The exact change of a setting; what a person is shown is what will be applied."""

    component: Component = Field(description="Whose setting changes.")
    parameter: str = Field(description="Name of the setting.")
    from_value: Json = Field(description="Its value before.")
    to_value: Json = Field(description="Its value after.")
    from_version: str = Field(description="Version of the configuration that the change starts from.")


class OptimizationRecommendation(Explained):
    """A proposed change of one setting, with what speaks for it and how it may come into force."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "component": "strategy_engine",
                    "parameter": "improve_resume_threshold",
                    "current_value": 75,
                    "recommended_value": 70,
                    "reasoning": "People between 70 and 75 who applied anyway got as many interviews.",
                    "evidence": {
                        "metric_improved": "expected_interviews_per_week",
                        "improvement_amount": 0.021,
                        "sample_size": 1840,
                        "confidence_interval": [0.012, 0.041],
                        "p_value": 0.0031,
                    },
                    "impact_estimate": {
                        "users_affected": 310,
                        "expected_benefit": "0.02 more interviews per person and week (0.01 to 0.04)",
                        "risk_level": "medium",
                    },
                    "recommendation": "a_b_test",
                    "recommendation_id": "rec_88",
                    "state": "proposed",
                    "created_at": "2025-07-02T03:10:00Z",
                    "as_of": "2025-07-01",
                    "plan": {
                        "component": "strategy_engine",
                        "parameter": "improve_resume_threshold",
                        "from_value": 75,
                        "to_value": 70,
                        "from_version": "3f9c1a",
                    },
                    "method": "regression discontinuity",
                    "window": {"start": "2025-01-01", "end": "2025-07-01"},
                    "what_would_change_this": "A gain below zero in the experiment.",
                    "lineage": {"run_id": "night_2025-07-01", "log_to": "2025-07-01", "events": 210000},
                }
            ]
        }
    )

    component: Component = Field(description="Whose setting should change.")
    parameter: str = Field(description="Name of the setting.")
    current_value: Json = Field(description="What it is now.")
    recommended_value: Json = Field(description="What it should be.")
    reasoning: str = Field(description="Why, in words.")
    evidence: Evidence = Field(description="What speaks for it.")
    impact_estimate: ImpactEstimate = Field(description="What it would do.")
    recommendation: Route = Field(description="How it may come into force.")
    recommendation_id: Addition[Identifier | None] = Field(default=None, description="Its name.")
    state: Addition[RecommendationState] = Field(
        default=State.PROPOSED, description="Where it stands between proposal and its end."
    )
    created_at: Addition[Moment | None] = Field(default=None, description="When it was made, ISO 8601.")
    as_of: Addition[Moment | None] = Field(default=None, description="When the log was read to.")
    plan: Addition[SettingsChange | None] = Field(default=None, description="The exact change.")
    lineage: Addition[Lineage | None] = Field(default=None, description="Where it came from.")

    @model_validator(mode="after")
    def _plan_is_what_is_recommended(self) -> Self:
        plan = self.plan
        said = (self.component, self.parameter, self.current_value, self.recommended_value)
        if plan and (plan.component, plan.parameter, plan.from_value, plan.to_value) != said:
            message = "the plan must be the change that is recommended: same component, parameter and values"
            raise ValueError(message)
        return self
