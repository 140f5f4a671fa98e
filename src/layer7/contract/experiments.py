"""Whether a change really helped (specification 6): the experiment, its results, the six checks."""

from typing import Literal, Self

from pydantic import ConfigDict, Field, model_validator
from pydantic.config import JsonDict

from layer7.contract.base import Contract
from layer7.contract.effects import Arm, Effect, FairnessVerdict, MetricResult, SegmentEffect
from layer7.contract.evidence import Explained, Lineage
from layer7.contract.fields import (
    Addition,
    FrozenDict,
    FrozenMap,
    Interval,
    Json,
    Level,
    NonNegative,
    Positive,
    Whole,
)
from layer7.contract.lifecycle import State
from layer7.contract.passport import DesignPassport
from layer7.contract.shapes import Fraction, Identifier, Moment
from layer7.contract.vocabulary import Component

ExperimentStatus = Literal[State.DRAFT, State.RUNNING, State.PAUSED, State.COMPLETED, State.REJECTED]
"""The specification's four, and ``rejected`` for a draft that was refused."""

Verdict = Literal["ship", "keep_control", "continue", "no_worthwhile_difference", "ended_without_proof"]
"""The symmetric decision on an experiment."""

Looking = Literal["gst", "anytime", "fixed"]
"""How an experiment is looked at."""

ALLOCATION_TOLERANCE = 1e-9


class RolloutChecks(Contract):
    """The six checks of 6.3 before a winner may roll out by itself; null where a check cannot be told."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "sufficient_sample": True,
                    "statistically_significant": True,
                    "meaningful_effect": False,
                    "clear_winner": True,
                    "positive_direction": True,
                    "low_risk": True,
                }
            ]
        }
    )

    sufficient_sample: bool | None = Field(description="At least 200 units in the treatment.")
    statistically_significant: bool | None = Field(description="p-value below 0.05.")
    meaningful_effect: bool | None = Field(description="Effect size beyond 0.3 standard deviations.")
    clear_winner: bool | None = Field(description="There is a winner.")
    positive_direction: bool | None = Field(description="The relative improvement is above zero.")
    low_risk: bool | None = Field(description="The lower end of the interval is above zero.")

    @property
    def passed(self) -> bool:
        """Whether every check is met; one that cannot be told is not."""
        return all(getattr(self, name) is True for name in type(self).model_fields)


class GuardrailResult(Contract):
    """What happened to a metric that must not get worse."""

    difference: float | None = Field(description="Treatment minus control, in the metric's unit.")
    interval: Interval | None = Field(description="Interval of the difference.")
    margin: NonNegative = Field(description="How much worse is still accepted, in the metric's unit.")
    non_inferior: bool | None = Field(description="Whether more harm than the margin is excluded.")


_RESULTS_EXAMPLE: JsonDict = {
    "control_sample_size": 640,
    "treatment_sample_size": 655,
    "control_metric": 0.041,
    "treatment_metric": 0.052,
    "absolute_difference": 0.011,
    "relative_improvement": 0.268,
    "p_value": 0.012,
    "confidence_interval": [0.002, 0.02],
    "effect_size": 0.055,
    "winner": None,
    "recommendation": "continue_test",
    "statistical_power": 0.71,
    "verdict": "continue",
    "certificate": "group sequential, alpha 0.05 over 5 planned looks",
    "look": 3,
    "information_fraction": 0.6,
    "guardrails": {
        "offer_rate": {"difference": 0.001, "interval": [-0.004, 0.006], "margin": 0.01, "non_inferior": True}
    },
    "sample_ratio_p_value": 0.68,
    "as_of": "2025-02-14",
}


class ExperimentResults(Explained):
    """What an experiment says so far, with the guarantee under which it may be read."""

    model_config = ConfigDict(json_schema_extra={"examples": [_RESULTS_EXAMPLE]})

    control_sample_size: Whole = Field(description="Units in the control, in the unit of randomisation.")
    treatment_sample_size: Whole = Field(description="Units in the treatment.")
    control_metric: float | None = Field(description="Success metric of the control.")
    treatment_metric: float | None = Field(description="Success metric of the treatment.")
    absolute_difference: float | None = Field(description="Treatment minus control, in the metric's unit.")
    relative_improvement: float | None = Field(description="Difference / control; null when control is zero.")
    p_value: Fraction | None = Field(
        description="Two-sided, under the stated certificate; null when unknown."
    )
    confidence_interval: Interval | None = Field(description="Interval of the absolute difference.")
    effect_size: float | None = Field(description="Difference / standard deviation between units.")
    winner: Arm | None = Field(description="The better arm, when one is proven better.")
    recommendation: Literal["roll_out_winner", "no_significant_difference", "continue_test"] = Field(
        description="What to do, in the specification's words."
    )
    statistical_power: Fraction | None = Field(
        description="Probability of proving the smallest worthwhile effect with this many units."
    )
    verdict: Addition[Verdict | None] = Field(
        default=None, description="The symmetric decision; null while quality checks block it."
    )
    certificate: Addition[str | None] = Field(
        default=None, description="Which guarantee against false alarms holds, in words."
    )
    look: Addition[Positive | None] = Field(default=None, description="Which look at the data this is.")
    information_fraction: Addition[NonNegative | None] = Field(
        default=None, description="Information so far / planned; above 1 when the plan is overrun."
    )
    guardrails: Addition[FrozenMap[str, GuardrailResult]] = Field(
        default_factory=FrozenDict, description="Guardrail metrics by name."
    )
    sample_ratio_p_value: Addition[Fraction | None] = Field(
        default=None, description="Test of the planned split; below 0.001 blocks any verdict."
    )
    blocked_by: Addition[tuple[str, ...]] = Field(
        default=(), description="Quality checks that block a verdict."
    )
    adjusted_difference: Addition[float | None] = Field(
        default=None, description="Difference after adjusting for data from before the experiment."
    )
    adjusted_interval: Addition[Interval | None] = Field(
        default=None, description="Interval of the adjusted difference."
    )
    rollout_checks: Addition[RolloutChecks | None] = Field(default=None, description="The six checks of 6.3.")
    relative_interval: Addition[Interval | None] = Field(
        default=None, description="Interval of the relative improvement."
    )
    adjusted_p_value: Addition[Fraction | None] = Field(
        default=None, description="p-value of the adjusted difference, under the same certificate."
    )
    familywise_p_value: Addition[Fraction | None] = Field(
        default=None, description="p-value corrected (Holm) for all metrics and arms that decide together."
    )
    detectable_effect: Addition[NonNegative | None] = Field(
        default=None, description="Smallest absolute effect that as many units prove in 4 of 5 experiments."
    )
    sentence: Addition[str | None] = Field(default=None, description="The result in one sentence.")
    variant_id: Addition[Identifier | None] = Field(
        default=None, description="The treatment that the figures above are of: the best of several."
    )
    arms: Addition[FrozenMap[str, MetricResult]] = Field(
        default_factory=FrozenDict, description="The success metric of each treatment, by variant_id."
    )
    signals: Addition[FrozenMap[str, MetricResult]] = Field(
        default_factory=FrozenDict, description="Signal metrics by name."
    )
    units: Addition[FrozenMap[str, Whole]] = Field(
        default_factory=FrozenDict, description="Units by variant_id, without those that met several."
    )
    in_several: Addition[Whole | None] = Field(
        default=None, description="Units that met several variants; they are left out."
    )
    sample_ratio_exact_p_value: Addition[Fraction | None] = Field(
        default=None, description="The same test for a single look."
    )
    balance: Addition[FrozenMap[str, Fraction]] = Field(
        default_factory=FrozenDict,
        description="p-values of differences between the arms from before the experiment.",
    )
    stages: Addition[tuple[Effect, ...]] = Field(
        default=(), description="The difference in each stage of the ramp; the estimate is their mean."
    )
    novelty: Addition[tuple[Effect, ...]] = Field(
        default=(),
        description="The difference in units exposed early, and late, and its change.",
    )
    triggered: Addition[Effect | None] = Field(
        default=None, description="The difference where the variants would have decided differently."
    )
    interactions: Addition[tuple[Effect, ...]] = Field(
        default=(), description="How much the difference depends on other running experiments, by name."
    )
    segments: Addition[tuple[SegmentEffect, ...]] = Field(
        default=(), description="The difference in each segment of the people, by seniority."
    )
    segments_p_value: Addition[Fraction | None] = Field(
        default=None, description="p-value of the difference being the same in all segments."
    )
    segments_warning: Addition[str | None] = Field(
        default=None, description="How far a list of segments may be believed."
    )
    fairness: Addition[FairnessVerdict | None] = Field(
        default=None,
        description="What it does in declared groups; null while none is large enough to be told.",
    )
    planned_units: Addition[NonNegative | None] = Field(
        default=None, description="Units of both arms at the planned end."
    )
    planned_end: Addition[Moment | None] = Field(default=None, description="When it ends at the latest.")
    days_left: Addition[NonNegative | None] = Field(
        default=None, description="Days until the planned units, at the pace of the last two weeks."
    )
    power_at_end: Addition[Fraction | None] = Field(
        default=None, description="Probability of proving the minimum effect by the planned end."
    )
    as_of: Addition[Moment | None] = Field(default=None, description="When the log was read to.")
    lineage: Addition[Lineage | None] = Field(default=None, description="Where the results came from.")


class Coverage(Contract):
    """From when on which share of the units took part."""

    share: Fraction = Field(description="Share of the units that take part, all arms together.")
    since: Moment = Field(description="From when on, ISO 8601.")


class Variant(Contract):
    """One value that an experiment tries."""

    variant_id: Identifier = Field(description="Name of the variant within the experiment, such as control.")
    name: str = Field(description="Name that people read.")
    value: Json = Field(description="The setting's value in this variant.")
    allocation: Fraction = Field(description="Share of the units that get it, 0 to 1.")


class Experiment(Contract):
    """A setting tried with several values on people (or their applications) split by chance."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "experiment_id": "exp_001",
                    "name": "Strategy Threshold Optimization",
                    "hypothesis": (
                        "Lowering IMPROVE_RESUME_FIRST threshold to 70 will improve overall interview rate"
                    ),
                    "component": "strategy_engine",
                    "parameter": "improve_resume_threshold",
                    "variants": [
                        {"variant_id": "control", "name": "Current (75)", "value": 75, "allocation": 0.5},
                        {"variant_id": "treatment", "name": "Lower (70)", "value": 70, "allocation": 0.5},
                    ],
                    "success_metric": "interview_rate",
                    "minimum_sample_size": 200,
                    "maximum_duration_days": 30,
                },
                {
                    "experiment_id": "exp_002",
                    "name": "Fit Score Weight Adjustment",
                    "hypothesis": (
                        "Increasing technical_match weight to 0.45 improves job recommendation quality"
                    ),
                    "component": "job_discovery",
                    "parameter": "fit_score_weights",
                    "variants": [
                        {
                            "variant_id": "control",
                            "name": "Current",
                            "value": {
                                "technical": 0.40,
                                "seniority": 0.20,
                                "experience": 0.20,
                                "signal": 0.20,
                            },
                            "allocation": 0.5,
                        },
                        {
                            "variant_id": "treatment",
                            "name": "Technical Focus",
                            "value": {
                                "technical": 0.45,
                                "seniority": 0.20,
                                "experience": 0.15,
                                "signal": 0.20,
                            },
                            "allocation": 0.5,
                        },
                    ],
                    "success_metric": "jobs_applied_rate",
                    "minimum_sample_size": 300,
                    "maximum_duration_days": 21,
                },
            ]
        }
    )

    experiment_id: Identifier = Field(description="Its name for machines.")
    name: str = Field(description="Its name for people.")
    hypothesis: str = Field(description="What is expected, and of what.")
    component: Component = Field(description="Whose setting is tried.")
    parameter: str = Field(description="Name of the setting.")
    variants: tuple[Variant, ...] = Field(
        min_length=2,
        description="The values tried; units beyond their allocations are not in the experiment.",
    )
    success_metric: str = Field(description="Name of the metric that decides.")
    minimum_sample_size: Positive = Field(description="Units per variant before any verdict.")
    maximum_duration_days: Positive = Field(description="Days after which it ends, whatever it found.")
    status: ExperimentStatus = Field(default=State.DRAFT, description="Where it stands in its life.")
    start_date: Moment | None = Field(default=None, description="When it started, ISO 8601.")
    end_date: Moment | None = Field(default=None, description="When it ended or will end, ISO 8601.")
    results: ExperimentResults | None = Field(default=None, description="What it says so far.")
    unit: Addition[Literal["user", "application"]] = Field(
        default="user", description="What is split by chance: people, or the applications of each person."
    )
    guardrail_metrics: Addition[tuple[str, ...]] = Field(
        default=(), description="Names of the metrics that must not get worse."
    )
    minimum_effect: Addition[NonNegative | None] = Field(
        default=None, description="Smallest worthwhile absolute effect, in the success metric's unit."
    )
    alpha: Addition[Level] = Field(default=0.05, description="Accepted probability of a false alarm.")
    power: Addition[Level] = Field(
        default=0.8, description="Planned probability to prove the minimum effect."
    )
    seed: Addition[str | None] = Field(
        default=None, description="Seed of the assignment's hash; without it, the experiment_id."
    )
    recommendation_id: Addition[Identifier | None] = Field(
        default=None, description="The recommendation that it tests."
    )
    signal_metrics: Addition[tuple[str, ...]] = Field(
        default=(), description="Names of the metrics that pause a rollout when they get worse."
    )
    guardrail_margins: Addition[FrozenMap[str, NonNegative]] = Field(
        default_factory=FrozenDict,
        description="How much worse is still accepted, by guardrail, as a share of the control's value.",
    )
    looking: Addition[Looking] = Field(
        default="gst", description="How it is looked at: group sequential, at any time, or once."
    )
    looks: Addition[Positive] = Field(
        default=4, description="Planned looks of a group sequential test, the last at the end."
    )
    coverage: Addition[Fraction] = Field(
        default=1.0, description="Share of the units that take part at the start, all arms together."
    )
    coverages: Addition[tuple[Coverage, ...]] = Field(
        default=(), description="Which share took part from when on; the last holds now."
    )
    holdout: Addition[Fraction] = Field(
        default=0.05, description="Share of the units that keep the control after the treatment has won."
    )
    namespace: Addition[Identifier | None] = Field(
        default=None, description="Experiments of one namespace never share a unit."
    )
    segments: Addition[tuple[Whole, ...]] = Field(
        default=(), description="The namespace's segments that belong to it, of 100."
    )
    targeting: Addition[FrozenMap[str, tuple[str, ...]]] = Field(
        default_factory=FrozenDict,
        description="Who may take part: allowed values by attribute of the evaluation's context.",
    )
    plan_hash: Addition[Identifier | None] = Field(
        default=None, description="Hash of the plan, frozen at the start."
    )
    passport: Addition[DesignPassport | None] = Field(
        default=None, description="What the design would do, simulated on the log before the start."
    )
    created_at: Addition[Moment | None] = Field(default=None, description="When it was made, ISO 8601.")

    @model_validator(mode="after")
    def _variants_share_the_units(self) -> Self:
        names = [variant.variant_id for variant in self.variants]
        if len(set(names)) < len(names):
            message = f"variant_id must differ within an experiment; came: {', '.join(names)}"
            raise ValueError(message)
        total = sum(variant.allocation for variant in self.variants)
        if total > 1 + ALLOCATION_TOLERANCE:
            message = f"allocations must add up to at most 1; they add up to {total}"
            raise ValueError(message)
        return self
