"""What a design would do on this log, found by simulating it before it starts: an addition to section 6."""

from typing import Literal, Self

from pydantic import Field, model_validator

from layer7.contract.base import Contract
from layer7.contract.evidence import Period
from layer7.contract.fields import Interval, Level, NonNegative, Positive, Whole
from layer7.contract.shapes import Fraction, Identifier

Judgement = Literal["sound", "underpowered", "cannot_tell"]
"""Whether a design can answer its question; ``cannot_tell`` where the log cannot say."""


class Simulated(Contract):
    """A figure found by simulation, with its Monte-Carlo interval."""

    value: float = Field(description="The figure.")
    interval: Interval = Field(description="Its 95 % Monte-Carlo interval.")
    n: Positive = Field(description="How many simulated experiments it rests on.")


class DesignPassport(Contract):
    """What a planned experiment would do on this log: false alarms, power, duration, harm."""

    experiment_id: Identifier = Field(description="The experiment.")
    plan_hash: Identifier = Field(description="Hash of the plan that was simulated.")
    judgement: Judgement = Field(description="Whether the design can answer its question.")
    sentence: str = Field(description="The judgement in words.")
    feasible: tuple[str, ...] = Field(default=(), description="What would work instead.")
    metric: str = Field(description="The success metric.")
    unit: Literal["user", "application"] = Field(description="What is split by chance.")
    minimum_effect: NonNegative | None = Field(description="The effect to be found, in the metric's unit.")
    effect_is_assumed: bool = Field(
        default=False, description="Whether the plan names no effect, so that a quarter of the rate is taken."
    )
    alpha: Level = Field(description="Accepted probability of a false alarm.")
    planned_power: Level = Field(description="Wanted probability of proving the effect.")
    days: Positive = Field(description="How long the experiment lasts at most.")
    looks: tuple[NonNegative, ...] = Field(default=(), description="Days of the looks.")
    certificate: str | None = Field(default=None, description="How it is looked at, in words.")
    window: Period | None = Field(default=None, description="The stretch of the log that was played again.")
    units: Whole | None = Field(default=None, description="People of that stretch who would take part.")
    units_per_week: NonNegative | None = Field(default=None, description="New people per week among them.")
    attempts_per_unit: NonNegative | None = Field(
        default=None, description="What the metric counts (such as applications), per person."
    )
    rate: float | None = Field(default=None, description="The metric over the stretch, nothing changed.")
    between_unit_sd: NonNegative | None = Field(
        default=None, description="Standard deviation of the true rates between people; null where not told."
    )
    design_effect: NonNegative | None = Field(
        default=None,
        description="How many times fewer applications are needed when applications are split, not people.",
    )
    median_wait_days: NonNegative | None = Field(default=None, description="Median days to a success.")
    unseen_share: Fraction | None = Field(
        default=None, description="Share of the trials that have not been answered for by the end."
    )
    units_needed: Whole | None = Field(
        default=None, description="People of both arms that prove the effect at one look."
    )
    days_needed: NonNegative | None = Field(
        default=None, description="Days until so much is known, at this traffic; null beyond four years."
    )
    detectable_effect: NonNegative | None = Field(
        default=None, description="Smallest effect that is proven with the planned power by the end."
    )
    detectable_at_minimum: NonNegative | None = Field(
        default=None, description="The same with just the plan's minimum sample in each arm."
    )
    detectable_by_application: NonNegative | None = Field(
        default=None,
        description="The same when applications are split by chance; null for metrics of people.",
    )
    false_positive_rate: Simulated | None = Field(
        default=None, description="Experiments that claim a difference where there is none."
    )
    power: Simulated | None = Field(default=None, description="Experiments that prove the effect.")
    harm_found: Simulated | None = Field(
        default=None, description="Experiments that prove an equally large harm."
    )
    days_to_adopt: Simulated | None = Field(
        default=None, description="Days until the effect is proven, or the end."
    )
    days_to_stop_harm: Simulated | None = Field(
        default=None, description="Days until the harm is proven, or the end."
    )
    expected_loss: Simulated | None = Field(
        default=None, description="Successes (such as interviews) lost to the harm until it is stopped."
    )
    as_of: str | None = Field(default=None, description="The day up to which the log was read.")

    @model_validator(mode="after")
    def _says_what_it_judged(self) -> Self:
        if self.judgement != "cannot_tell" and self.power is None:
            message = f"a judgement of {self.judgement} needs the power that it rests on"
            raise ValueError(message)
        return self
