"""What the optimizers find (specification 5.1 to 5.4): thresholds, scores, weights and timing."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from layer7.contract.analytics import Weekday
from layer7.contract.base import Contract
from layer7.contract.evidence import Evidenced, Explained
from layer7.contract.fields import (
    Addition,
    FrozenDict,
    FrozenMap,
    Interval,
    NonNegative,
    Positive,
    Whole,
)
from layer7.contract.score_weights import ComponentWeights
from layer7.contract.shapes import Days, Fraction, Percent

CalibrationIssue = Literal["scores_too_optimistic", "scores_too_pessimistic", "scores_not_discriminative"]
"""What can be wrong with a score."""

Hour = Annotated[int, Field(ge=0, le=23)]
"""An hour of the day."""


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
                            "component_weights": {"experience": 0.2, "keywords": 0.8},
                            "threshold_adjustments": {"improve_resume_threshold": 2.5},
                        },
                        "expected_improvement": {
                            "current_calibration_error": 0.031,
                            "expected_calibration_error": 0.012,
                        },
                    },
                    "component_weights": {
                        "current_weights": {"experience": 0.6, "keywords": 0.4},
                        "off_by": 0.3,
                        "learned_weights": {"experience": 0.19, "keywords": 0.81},
                        "weight_intervals": {"experience": [0.0, 0.41], "keywords": [0.59, 1.0]},
                        "suggested_weights": {"experience": 0.2, "keywords": 0.8},
                        "recommendation": "update_weights",
                        "route": "a_b_test",
                        "improvement_estimate": 0.07,
                        "interval": [0.038, 0.101],
                        "n": 15000,
                        "answer": "Other weights order a person's later applications better.",
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
    component_weights: Addition[ComponentWeights | None] = Field(
        default=None,
        description="What the parts of the score should weigh, whether or not it keeps promises.",
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
