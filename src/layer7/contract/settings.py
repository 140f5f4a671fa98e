"""What Layers 2, 5 and 6 run on (specification 9), and what came of applying a change."""

import math
from typing import Literal, Self

from pydantic import ConfigDict, Field, model_validator

from layer7.contract.base import Contract
from layer7.contract.fields import Addition, FrozenMap, Json, NonNegative
from layer7.contract.personalization import EditFrequency
from layer7.contract.shapes import Days, Fraction, Identifier, Moment, Percent

OptimizedBy = Literal["layer_7", "manual"]
"""Who set the values."""

ApplicationMethod = Literal["direct_rollout", "a_b_test_created", "manual_review_pending"]
"""What applying a recommendation led to."""

WEIGHT_TOLERANCE = 1e-6


class GapWeights(Contract):
    """How much each kind of gap between a person and a job counts, 0 to 1."""

    skills: Fraction = Field(description="Weight of missing skills.")
    tools: Fraction = Field(description="Weight of missing tools.")
    experience: Fraction = Field(description="Weight of missing years of experience.")
    seniority: Fraction = Field(description="Weight of a different level of seniority.")
    industry: Fraction = Field(description="Weight of a different industry.")


class StrategyEngineConfig(Contract):
    """Settings of Layer 2, the strategy engine."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "improve_resume_threshold": 75.0,
                    "rethink_targets_threshold": 30.0,
                    "min_days_in_mode": 7.0,
                    "gap_weights": {
                        "skills": 0.3,
                        "tools": 0.2,
                        "experience": 0.2,
                        "seniority": 0.2,
                        "industry": 0.1,
                    },
                    "last_updated": "2025-07-02T03:10:00Z",
                    "optimized_by": "layer_7",
                    "confidence": 0.93,
                    "version": "3f9c1a",
                }
            ]
        }
    )

    improve_resume_threshold: Percent = Field(
        description="Resume score below which the resume comes first, 0 to 100."
    )
    rethink_targets_threshold: float = Field(
        ge=1, description="Applications without success after which targets are rethought."
    )
    min_days_in_mode: Days = Field(description="Days for which a mode is kept at least.")
    gap_weights: GapWeights = Field(description="How much each kind of gap counts.")
    user_overrides: FrozenMap[str, Json] | None = Field(
        default=None, description="One person's own values by setting; absent in what holds for everybody."
    )
    last_updated: Moment = Field(description="When it last changed, ISO 8601.")
    optimized_by: OptimizedBy = Field(description="Who changed it last.")
    confidence: Fraction | None = Field(
        description="Probability that the last change gains something; null when nothing was estimated."
    )
    version: Addition[str | None] = Field(default=None, description="Version, a hash of the content.")


class OrchestratorConfig(Contract):
    """Settings of Layer 5, the orchestrator, for one person or for everybody."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "optimal_weekly_target": 10.0,
                    "min_fit_score_threshold": 68.5,
                    "follow_up_timing": 7.0,
                    "task_complexity_preference": "medium",
                    "user_id": "user_123",
                    "version": "81bb02",
                }
            ]
        }
    )

    optimal_weekly_target: NonNegative = Field(description="Applications to aim for per week.")
    min_fit_score_threshold: Percent = Field(description="Fit score below which no job is planned, 0 to 100.")
    follow_up_timing: Days = Field(description="Days after submission at which to follow up.")
    task_complexity_preference: EditFrequency = Field(description="How demanding tasks may be.")
    user_id: Addition[Identifier | None] = Field(
        default=None, description="Whose settings these are; null when everybody's."
    )
    last_updated: Addition[Moment | None] = Field(default=None, description="When they last changed.")
    optimized_by: Addition[OptimizedBy | None] = Field(default=None, description="Who changed them last.")
    confidence: Addition[Fraction | None] = Field(
        default=None, description="Probability that the last change gains something."
    )
    version: Addition[str | None] = Field(default=None, description="Version, a hash of the content.")


class FitScoreWeights(Contract):
    """How much each part of the fit score counts; they add up to 1."""

    technical: Fraction = Field(description="Weight of the technical match.")
    seniority: Fraction = Field(description="Weight of the match of levels.")
    experience: Fraction = Field(description="Weight of the match of experience.")
    signal: Fraction = Field(description="Weight of other signals.")

    @model_validator(mode="after")
    def _add_up_to_one(self) -> Self:
        total = self.technical + self.seniority + self.experience + self.signal
        if not math.isclose(total, 1, abs_tol=WEIGHT_TOLERANCE):
            message = f"weights must add up to 1; they add up to {total}"
            raise ValueError(message)
        return self


class JobDiscoveryConfig(Contract):
    """Settings of Layer 6, job discovery."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "fit_score_weights": {
                        "technical": 0.4,
                        "seniority": 0.2,
                        "experience": 0.2,
                        "signal": 0.2,
                    },
                    "last_optimized": None,
                    "optimized_by": "manual",
                }
            ]
        }
    )

    fit_score_weights: FitScoreWeights = Field(description="How much each part of the fit score counts.")
    last_optimized: Moment | None = Field(description="When they last changed, ISO 8601; null when never.")
    optimized_by: Addition[OptimizedBy | None] = Field(default=None, description="Who changed them last.")
    confidence: Addition[Fraction | None] = Field(
        default=None, description="Probability that the last change gains something."
    )
    version: Addition[str | None] = Field(default=None, description="Version, a hash of the content.")


class UpdateResult(Contract):
    """What came of applying a recommendation."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"success": True, "method": "a_b_test_created", "experiment_id": "exp_001"},
                {
                    "success": True,
                    "method": "direct_rollout",
                    "recommendation_id": "rec_88",
                    "version": "81bb02",
                    "served_value": 70,
                },
            ]
        }
    )

    success: bool = Field(description="Whether it was done and, where a value is served, read back.")
    method: ApplicationMethod = Field(description="What was done.")
    recommendation_id: Addition[Identifier | None] = Field(default=None, description="What was applied.")
    experiment_id: Addition[Identifier | None] = Field(default=None, description="The experiment made.")
    version: Addition[str | None] = Field(default=None, description="The version now in force.")
    served_value: Addition[Json] = Field(default=None, description="The value read back after the change.")
    message: Addition[str | None] = Field(default=None, description="What happened, in words.")
