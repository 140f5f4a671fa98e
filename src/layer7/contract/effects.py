"""What the results of an experiment are made of: looks, metrics, and effects in parts of the units."""

from typing import Literal

from pydantic import Field

from layer7.contract.base import Contract
from layer7.contract.fields import Interval, NonNegative, Whole
from layer7.contract.shapes import Fraction, Moment

Arm = Literal["control", "treatment"]
"""The two sides of a comparison."""


class Look(Contract):
    """One look at an experiment that spent some of its accepted false alarms."""

    at: Moment = Field(description="Up to when the log was read.")
    units: NonNegative = Field(description="Units of both arms by then.")
    information: NonNegative = Field(description="What was known by then: (value / standard error)².")
    share: Fraction = Field(description="Share of the planned time that had passed: by it alpha is spent.")
    winner: Arm | None = Field(default=None, description="The better arm, if this look proved one.")
    is_last: bool = Field(default=False, description="Whether the planned end had come.")


class Effect(Contract):
    """Treatment minus control in some part of the units."""

    name: str = Field(description="Which part of the units, or of the time.")
    control_n: Whole = Field(description="Units of the control in it.")
    treatment_n: Whole = Field(description="Units of the treatment in it.")
    difference: float | None = Field(description="Treatment minus control; null when it cannot be told.")
    interval: Interval | None = Field(default=None, description="Interval of the difference.")
    p_value: Fraction | None = Field(default=None, description="Two-sided, for one look.")


class SegmentEffect(Effect):
    """Treatment minus control in one segment of the people, and what is believed of it beside the others."""

    shrunken: float | None = Field(
        default=None, description="The difference, drawn towards the other segments as far as they are alike."
    )
    shrunken_interval: Interval | None = Field(default=None, description="95 % interval of that.")


class MetricResult(Contract):
    """A metric of one treatment beside the control."""

    control_n: Whole = Field(description="Units of the control.")
    treatment_n: Whole = Field(description="Units of the treatment.")
    control: float | None = Field(description="Value of the control.")
    treatment: float | None = Field(description="Value of the treatment.")
    difference: float | None = Field(description="Treatment minus control, in the metric's unit.")
    interval: Interval | None = Field(description="Interval of the difference.")
    p_value: Fraction | None = Field(description="Two-sided, under the stated certificate.")
    relative_improvement: float | None = Field(default=None, description="Difference / control.")
    relative_interval: Interval | None = Field(
        default=None, description="Interval of the relative improvement."
    )
    winner: Arm | None = Field(default=None, description="The better arm, when one is proven better.")
    certificate: str | None = Field(default=None, description="Which guarantee holds, in words.")
    looks: tuple[Look, ...] = Field(default=(), description="Looks of a group sequential test so far.")
    sentence: str | None = Field(default=None, description="The result in one sentence.")


class GroupEffect(Contract):
    """What an experiment does in one group that people declared of themselves."""

    attribute: str = Field(description="What was declared, such as gender.")
    group: str = Field(description="The group; everybody for all of them.")
    people: Whole = Field(description="People of both arms in it.")
    ratio: float | None = Field(description="The treatment's rate / the control's; null when too few.")
    low: float | None = Field(description="Lower end of an interval that holds at all times together.")
    high: float | None = Field(description="Upper end.")


class FairnessVerdict(Contract):
    """Whether an experiment may go on, by what it does in declared groups."""

    move: Literal["pass", "hold", "roll_back"] = Field(description="What the gate says.")
    why: str = Field(description="The reason, in words.")
    groups: tuple[GroupEffect, ...] = Field(description="What it does in each group.")
