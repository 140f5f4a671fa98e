"""Which setting would be better (specification 5): a recommendation and the analyses behind it."""

from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from layer7.contract.analytics import Weekday
from layer7.contract.base import Contract
from layer7.contract.evidence import Evidenced, Explained, Lineage
from layer7.contract.fields import (
    Addition,
    FrozenDict,
    FrozenMap,
    Interval,
    Json,
    NonNegative,
    Positive,
    Whole,
)
from layer7.contract.lifecycle import State
from layer7.contract.shapes import Days, Fraction, Identifier, Moment, Percent
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

CalibrationIssue = Literal["scores_too_optimistic", "scores_too_pessimistic", "scores_not_discriminative"]
"""What can be wrong with a score."""

Hour = Annotated[int, Field(ge=0, le=23)]
"""An hour of the day."""


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


class ThresholdGain(Evidenced):
    """What moving one threshold is expected to gain; n, interval and level are of the gain."""

    current_value: float = Field(description="The threshold now.")
    expected_gain: float | None = Field(
        description="Expected interviews per person and week at equal effort."
    )
    probability_of_gain: Fraction | None = Field(description="Probability that the gain is above zero.")
    expected_loss: NonNegative | None = Field(
        description="Expected interviews per person and week lost if the move is wrong."
    )


class ThresholdUpdates(Explained):
    """Better thresholds for the strategy mode; null where nothing speaks for a move."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "improve_resume_threshold": 70.0,
                    "rethink_targets_threshold": None,
                    "confidence": 0.93,
                    "sample_size": 1840,
                    "gains": {
                        "improve_resume_threshold": {
                            "current_value": 75.0,
                            "expected_gain": 0.021,
                            "probability_of_gain": 0.93,
                            "expected_loss": 0.001,
                            "n": 1840,
                            "interval": [-0.004, 0.041],
                            "level": 0.95,
                        }
                    },
                }
            ]
        }
    )

    improve_resume_threshold: Percent | None = Field(
        description="Resume score below which the resume comes first, 0 to 100."
    )
    rethink_targets_threshold: float | None = Field(
        ge=1, description="Applications without success after which targets are rethought."
    )
    confidence: Fraction | None = Field(description="Probability that the proposed moves gain something.")
    sample_size: Whole = Field(description="People whose outcomes were read.")
    gains: Addition[FrozenMap[str, ThresholdGain]] = Field(
        default_factory=FrozenDict, description="The expected gain by name of the threshold."
    )


class BucketRate(Evidenced):
    """Interview rate of one range of resume scores."""

    interview_rate: Fraction | None = Field(description="Applications that reach an interview / submitted.")
    sample_size: Whole = Field(description="Applications in the range.")


class CurvePoint(Evidenced):
    """One point of the monotone curve from score to interview rate."""

    score: Percent = Field(description="Resume score, 0 to 100.")
    interview_rate: Fraction = Field(description="Fitted interview rate at the score.")


class SuggestedAdjustment(Contract):
    """What would mend a score."""

    component_weights: FrozenMap[str, float] = Field(description="New weights by part of the score.")
    why_no_weights: Addition[str | None] = Field(
        default=None, description="Why there are no weights, and what they would take; null where there are."
    )
    threshold_adjustments: FrozenMap[str, float] = Field(description="Points to add, by threshold.")


class ExpectedImprovement(Contract):
    """How much better a mended score would predict."""

    current_calibration_error: Fraction = Field(description="Calibration error now.")
    expected_calibration_error: Fraction | None = Field(
        description="Calibration error after the adjustment, out of time; null when unknown."
    )


class ScoreCalibrationRecommendation(Evidenced):
    """How the resume score should be mended to predict better, which is no promise of interviews."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "issue": "scores_too_optimistic",
                    "suggested_adjustment": {
                        "component_weights": {"experience": 0.35, "keywords": 0.25, "format": 0.4},
                        "threshold_adjustments": {"improve_resume_threshold": 2.5},
                    },
                    "expected_improvement": {
                        "current_calibration_error": 0.031,
                        "expected_calibration_error": 0.012,
                    },
                    "n": 6200,
                }
            ]
        }
    )

    issue: CalibrationIssue = Field(description="What is wrong.")
    suggested_adjustment: SuggestedAdjustment = Field(description="What would mend it.")
    expected_improvement: ExpectedImprovement = Field(description="How much it would help.")


class ScoreCalibration(Evidenced):
    """Whether the resume score predicts interviews; n is applications, interval is of the error."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "calibration": {
                        "70-79": {"interview_rate": 0.061, "sample_size": 900, "interval": [0.047, 0.078]},
                        "90-100": {"interview_rate": None, "sample_size": 4},
                    },
                    "calibration_error": 0.019,
                    "is_well_calibrated": None,
                    "recommendation": "no_change",
                    "expected_rates": {"70-79": 0.08, "90-100": 0.18},
                    "n": 904,
                    "interval": [0.004, 0.033],
                    "slope": 0.82,
                    "slope_interval": [0.41, 1.23],
                    "curve": [{"score": 75.0, "interview_rate": 0.06}],
                    "adjustment": {
                        "issue": "scores_too_optimistic",
                        "suggested_adjustment": {
                            "component_weights": {},
                            "why_no_weights": "Events hold the resume score and not its parts.",
                            "threshold_adjustments": {"improve_resume_threshold": 2.5},
                        },
                        "expected_improvement": {
                            "current_calibration_error": 0.031,
                            "expected_calibration_error": 0.012,
                        },
                    },
                }
            ]
        }
    )

    calibration: FrozenMap[str, BucketRate] = Field(description="Rate by range of scores, such as '70-79'.")
    calibration_error: Fraction | None = Field(
        description="Mean absolute difference of observed and expected rates over the ranges."
    )
    is_well_calibrated: bool | None = Field(
        description="Whether the error is proven small; null when it cannot be told."
    )
    recommendation: Literal["recalibrate_weights", "no_change"] = Field(
        description="What to do; without evidence nothing."
    )
    expected_rates: Addition[FrozenMap[str, Fraction]] = Field(
        default_factory=FrozenDict, description="Rate that the score promises, by range of scores."
    )
    slope: Addition[float | None] = Field(
        default=None, description="Calibration slope on log odds; 1 is perfect."
    )
    slope_interval: Addition[Interval | None] = Field(default=None, description="Interval of the slope.")
    intercept: Addition[float | None] = Field(
        default=None, description="Calibration intercept on log odds; 0 is perfect."
    )
    intercept_interval: Addition[Interval | None] = Field(
        default=None, description="Interval of the intercept."
    )
    brier_skill: Addition[float | None] = Field(
        default=None, le=1, description="Brier skill against the user-only model; above 0 helps."
    )
    curve: Addition[tuple[CurvePoint, ...]] = Field(default=(), description="The monotone curve, by score.")
    adjustment: Addition[ScoreCalibrationRecommendation | None] = Field(
        default=None,
        description="What is wrong with the score, what would mend it; null if nothing is proven.",
    )


class RateRatio(Evidenced):
    """How many times as many interviews come as otherwise, within people; it predicts only."""

    ratio: float | None = Field(gt=0, description="Rate ratio; null while it cannot be told.")


class FitScoreOptimization(Evidenced):
    """Which parts of the fit score predict success; n is applications, interval is of the estimate."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "current_weights": {"technical": 0.4, "seniority": 0.2, "experience": 0.2, "signal": 0.2},
                    "learned_weights": {
                        "technical": 0.47,
                        "seniority": 0.22,
                        "experience": 0.21,
                        "signal": 0.1,
                    },
                    "improvement_estimate": 0.012,
                    "recommendation": "keep_current",
                    "n": 8200,
                    "interval": [-0.006, 0.03],
                    "level": 0.95,
                    "weight_intervals": {"technical": [0.33, 0.61]},
                }
            ]
        }
    )

    current_weights: FrozenMap[str, float] = Field(description="Weights in force, by part of the score.")
    learned_weights: FrozenMap[str, float] | None = Field(
        description="Weights that predict best, by part of the score; null when they cannot be told."
    )
    improvement_estimate: float | None = Field(
        ge=-1, le=1, description="Gain of the area under the curve, out of time and within people."
    )
    recommendation: Literal["update_weights", "keep_current"] = Field(
        description="What to do; without evidence keep."
    )
    weight_intervals: Addition[FrozenMap[str, Interval]] = Field(
        default_factory=FrozenDict, description="Interval of each learned weight."
    )
    users: Addition[Positive | None] = Field(default=None, description="People whose outcomes were read.")
    within_auc: Addition[FrozenMap[Literal["current", "learned"], Fraction]] = Field(
        default_factory=FrozenDict,
        description="Area under the curve within people, out of time, by which weights.",
    )
    category_effects: Addition[FrozenMap[str, RateRatio]] = Field(
        default_factory=FrozenDict, description="Interviews of a category against target jobs of equal fit."
    )
    needed: Addition[Whole | None] = Field(
        default=None, description="About how many more applications are needed; null when enough."
    )
    answer: Addition[str | None] = Field(default=None, description="The outcome in one sentence.")


class TimeRate(Evidenced):
    """A rate of what was sent at one time, shrunk, as if all people had sent then; n is applications."""

    rate: Fraction | None = Field(description="The rate; null where too few were sent then.")


class TimingFactor(Evidenced):
    """Whether one property of the time of applying matters for interviews; n is applications."""

    p_value: Fraction | None = Field(
        description="Probability of such data if it does not matter; null while it cannot be told."
    )
    matters: bool | None = Field(
        description="Whether it is proven to matter; null while it cannot be told, false without proof."
    )
    levels: FrozenMap[str, RateRatio] = Field(description="Shrunk rate ratio of each level to the average.")
    needed: Whole | None = Field(
        default=None,
        description="About how many more applications would show a ratio of 1.25; null when enough.",
    )


class TimingInsights(Evidenced):
    """When applications are answered; best times are null unless they are proven to matter."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "best_day_of_week": None,
                    "best_time_of_day": None,
                    "response_rate_by_day": {"Monday": 0.34, "Tuesday": 0.36, "Sunday": None},
                    "response_rate_by_hour": {"9": 0.35, "14": 0.34},
                    "confidence": "low",
                    "n": 83643,
                    "method": "random effects",
                    "what_would_change_this": "A spread between weekdays above 2 points.",
                }
            ]
        }
    )

    best_day_of_week: Weekday | None = Field(description="Weekday on the person's calendar.")
    best_time_of_day: str | None = Field(description="Hours on the person's clock, such as '10:00-12:00'.")
    response_rate_by_day: FrozenMap[Weekday, Fraction | None] = Field(
        description="Applications that get any answer / submitted, by weekday of submission."
    )
    response_rate_by_hour: FrozenMap[Hour, Fraction | None] = Field(
        description="Applications that get any answer / submitted, by hour of submission, 0 to 23."
    )
    confidence: Literal["high", "low"] = Field(
        description="High only when the best time is proven to matter."
    )
    response_by_day: Addition[FrozenMap[Weekday, TimeRate]] = Field(
        default_factory=FrozenDict, description="The same response rates with interval and n."
    )
    interview_by_day: Addition[FrozenMap[Weekday, TimeRate]] = Field(
        default_factory=FrozenDict,
        description="Applications that reach an interview / submitted, by day.",
    )
    response_by_time: Addition[FrozenMap[str, TimeRate]] = Field(
        default_factory=FrozenDict, description="Response rates by two hours of the person's clock."
    )
    interview_by_time: Addition[FrozenMap[str, TimeRate]] = Field(
        default_factory=FrozenDict, description="Interview rates by two hours of the person's clock."
    )
    factors: Addition[FrozenMap[str, TimingFactor]] = Field(
        default_factory=FrozenDict, description="What could matter for interviews, and whether it does."
    )
    follow_up_timing_days: Addition[Days | None] = Field(
        default=None, description="Days by which half of all answers have come; null while it cannot be told."
    )
    follow_up_interval: Addition[Interval | None] = Field(
        default=None, description="Interval of follow_up_timing_days."
    )
    needed: Addition[Whole | None] = Field(
        default=None, description="About how many more applications are needed to say anything."
    )
    answer: Addition[str | None] = Field(default=None, description="The outcome in one sentence.")
