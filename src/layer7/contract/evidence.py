"""What stands beside a number: how sure it is, when, by which method, from which part of the log."""

from datetime import datetime
from typing import Literal, Self

from pydantic import Field, model_validator

from layer7.contract.base import Contract
from layer7.contract.fields import Addition, Interval, Level, NonNegative, Whole
from layer7.contract.shapes import Fraction, Identifier, Moment


class Period(Contract):
    """A stretch of time, from its start up to, but without, its end."""

    start: Moment = Field(description="First day or moment of the period, ISO 8601.")
    end: Moment = Field(description="First day or moment after the period, ISO 8601.")

    @model_validator(mode="after")
    def _runs_forward(self) -> Self:
        start, end = datetime.fromisoformat(self.start), datetime.fromisoformat(self.end)
        if (start.tzinfo is None) != (end.tzinfo is None):
            start, end = start.replace(tzinfo=None), end.replace(tzinfo=None)
        if start > end:
            message = f"the period ends ({self.end}) before it starts ({self.start})"
            raise ValueError(message)
        return self


class RateEvidence(Contract):
    """A rate with what it rests on; a rate that cannot be told is null and says how much more is needed."""

    value: Fraction | None = Field(description="The rate, 0 to 1; null when there is not enough data.")
    low: Fraction | None = Field(default=None, description="Lower end of the interval; null when unknown.")
    high: Fraction | None = Field(default=None, description="Upper end of the interval; null when unknown.")
    n: Whole = Field(description="How many units (such as applications) the rate is over.")
    effective_n: NonNegative | None = Field(
        default=None,
        description="How many independent, fully observed units these amount to; null when not computed.",
    )
    events: Whole = Field(description="How many of the units had the event.")
    level: Level = Field(default=0.95, description="Probability that the interval is made to cover with.")
    method: str = Field(description="How value and interval were computed.")
    needed: Whole | None = Field(
        default=None, description="How many more units would be enough; null when enough or unknown."
    )

    @model_validator(mode="after")
    def _is_coherent(self) -> Self:
        if (self.low is None) != (self.high is None):
            message = "low and high are given together or not at all"
            raise ValueError(message)
        if self.low is not None and self.high is not None and self.low > self.high:
            message = f"low ({self.low}) must not exceed high ({self.high})"
            raise ValueError(message)
        if self.events > self.n:
            message = f"events ({self.events}) must not exceed n ({self.n})"
            raise ValueError(message)
        return self


class TimeEvidence(Contract):
    """A mean time with what it rests on; one that cannot be told is null and says how much more is needed."""

    value: NonNegative | None = Field(
        description="Mean time of those to whom it happens within the horizon; null when unknown."
    )
    low: NonNegative | None = Field(default=None, description="Lower end of the interval; null when unknown.")
    high: NonNegative | None = Field(
        default=None, description="Upper end of the interval; null when unknown."
    )
    n: Whole = Field(description="How many waits the time is over, finished or not.")
    events: Whole = Field(description="How many of them ended in what is waited for within the horizon.")
    horizon: Whole = Field(description="How long a wait is followed, in the unit.")
    unit: Literal["days", "weeks"] = Field(description="Unit of value, ends and horizon.")
    level: Level = Field(default=0.95, description="Probability that the interval is made to cover with.")
    method: str = Field(description="How value and interval were computed.")
    needed: Whole | None = Field(
        default=None, description="How many more events would be enough; null when enough."
    )


class Explained(Contract):
    """What every finding can say of itself in words."""

    window: Addition[Period | None] = Field(default=None, description="Time that the data are from.")
    method: Addition[str | None] = Field(default=None, description="How the finding was made.")
    what_would_change_this: Addition[str | None] = Field(
        default=None, description="What would have to be seen for this to be said differently."
    )


class Evidenced(Explained):
    """What every number in a list can carry beside itself."""

    n: Addition[Whole | None] = Field(default=None, description="How many units the number is over.")
    interval: Addition[Interval | None] = Field(
        default=None, description="Interval of the number, in its own unit; null when unknown."
    )
    level: Addition[Level | None] = Field(
        default=None, description="Probability that the interval is made to cover with."
    )


class Lineage(Contract):
    """Where a finding came from: the range of the log and the run that read it."""

    run_id: Identifier = Field(description="The night (or command) that computed it.")
    log_from: Moment | None = Field(default=None, description="Earliest event read, ISO 8601.")
    log_to: Moment | None = Field(default=None, description="Latest event read, ISO 8601.")
    events: Whole | None = Field(default=None, description="How many events were read.")
