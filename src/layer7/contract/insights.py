"""What a person is told each week (specification 8)."""

from typing import Literal

from pydantic import ConfigDict, Field

from layer7.contract.base import Contract
from layer7.contract.evidence import Evidenced, Lineage, RateEvidence
from layer7.contract.fields import (
    Addition,
    Day,
    FrozenDict,
    FrozenMap,
    Interval,
    Level,
    NonNegative,
    Whole,
)
from layer7.contract.shapes import Fraction, Identifier, Moment, Percent


class WhatWorked(Evidenced):
    """A pattern that goes with better answers."""

    pattern: str = Field(description="What she did.")
    metric: str = Field(description="Name of the metric, such as interview_rate.")
    improvement: float = Field(ge=0, description="By how much the metric is higher, in its unit.")


class WhatDidntWork(Evidenced):
    """A pattern that goes with worse answers."""

    pattern: str = Field(description="What she did.")
    metric: str = Field(description="Name of the metric, such as response_rate.")
    decline: float = Field(le=0, description="By how much the metric is lower, in its unit: never above 0.")


class Benchmark(Contract):
    """How a person fares beside similar people; null where it cannot be told."""

    your_interview_rate: Fraction | None = Field(description="Her interview rate.")
    segment_avg: Fraction | None = Field(description="Mean interview rate of her segment, as released.")
    segment_avg_interval: Addition[Interval | None] = Field(
        default=None, description="Its 95 % interval, in which is the noise that it was released with."
    )
    percentile: Percent | None = Field(
        description="Percent of her segment whose true interview rate is below her shrunk one, 0 to 100."
    )
    percentile_band: Addition[Interval | None] = Field(
        default=None, description="Where that may lie, by what is known of her rate and of the mean."
    )
    segment_id: Addition[Identifier | None] = Field(default=None, description="Her segment.")
    user_count: Addition[Whole | None] = Field(default=None, description="People in it, as released.")


Part = Literal[
    "opening",
    "highlights",
    "concerns",
    "what_worked",
    "what_didnt_work",
    "try_this_week",
    "stop_doing",
    "vs_similar_users",
    "silence",
    "not_yet_known",
]
"""Where a sentence of a letter stands."""

Basis = Literal["counted", "own", "cross_user"]
"""Counted from her own log, estimated from her own log with the help of others', or others' alone."""


class InsightFinding(Contract):
    """What one sentence of a letter rests on."""

    kind: str = Field(description="What kind of finding it is, such as pattern.")
    about: str = Field(description="What it is about, such as location: Berlin.")
    metric: str = Field(description="Name of the number, such as interview_rate.")
    value: float | None = Field(description="The number, in its own unit; null when it cannot be told.")
    interval: Interval | None = Field(default=None, description="Its interval; null for what was counted.")
    level: Level | None = Field(
        default=None, description="Probability that the interval is made to cover with."
    )
    n: Whole | None = Field(default=None, description="How many applications it is over.")
    basis: Basis = Field(description="Whose data it is from.")
    source: str = Field(description="The derived table that it was read from.")
    facts: FrozenMap[str, float] = Field(
        default_factory=FrozenDict, description="Every other number that the sentence says, by name."
    )


class InsightSentence(Contract):
    """One sentence of a letter with the finding that it came from."""

    part: Part = Field(description="Where it stands.")
    text: str = Field(description="The sentence.")
    finding: InsightFinding = Field(description="What it rests on.")


class SilencePoint(Contract):
    """How likely an interview still is after some days of silence."""

    days: Whole = Field(description="Days of silence.")
    chance: Fraction = Field(description="Chance that an interview still comes.")


class SilenceAnswer(Contract):
    """Is this silence normal?"""

    answer: str = Field(description="The answer in words.")
    normal: bool | None = Field(description="Whether it is; null while that cannot be told.")
    waiting: Whole = Field(description="Applications that are silent so far.")
    longest_days: Whole | None = Field(description="Days of the longest silence; null without any.")
    still_expected: NonNegative | None = Field(
        description="Interviews still to be expected from them, on average; null when it cannot be told."
    )
    curve: tuple[SilencePoint, ...] = Field(description="Chance that an interview still comes, by day.")


class WeekCount(Contract):
    """How many applications were sent in a week."""

    week_start: Day = Field(description="Its Monday.")
    applications: Whole = Field(description="Applications sent.")


class WeeklyInsights(Contract):
    """What a person's week says, only as loudly as the data allow."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "user_id": "user_123",
                    "week_start": "2025-01-06",
                    "highlights": [
                        "Applied to 12 jobs this week (target was 10) ✅",
                        "Got 2 interview requests (16.7% rate!) 🎉",
                    ],
                    "concerns": [
                        "No responses from Big Tech companies yet",
                        "Backend roles getting better responses than Full Stack",
                    ],
                    "what_worked": [
                        {
                            "pattern": "Applying to Series A startups",
                            "metric": "interview_rate",
                            "improvement": 0.18,
                        },
                        {
                            "pattern": "Applications on Tuesday morning",
                            "metric": "response_rate",
                            "improvement": 0.25,
                        },
                    ],
                    "what_didnt_work": [
                        {
                            "pattern": "Full Stack roles at large companies",
                            "metric": "response_rate",
                            "decline": -0.10,
                        }
                    ],
                    "try_this_week": [
                        "Focus more on Backend Engineer roles (your 20% response rate)",
                        "Try applying to remote-first companies",
                        "Consider Series B startups (good middle ground)",
                    ],
                    "stop_doing": ["Applying to Full Stack roles at companies >500 employees"],
                    "vs_similar_users": {
                        "your_interview_rate": 0.167,
                        "segment_avg": 0.08,
                        "percentile": 85,
                    },
                }
            ]
        }
    )

    user_id: Identifier = Field(description="Who is told.")
    week_start: Day = Field(description="First day of the week, YYYY-MM-DD.")
    highlights: tuple[str, ...] = Field(description="What went well.")
    concerns: tuple[str, ...] = Field(description="What did not go well.")
    what_worked: tuple[WhatWorked, ...] = Field(description="Learned patterns that go with better answers.")
    what_didnt_work: tuple[WhatDidntWork, ...] = Field(
        description="Learned patterns that go with worse answers."
    )
    try_this_week: tuple[str, ...] = Field(description="What to try.")
    stop_doing: tuple[str, ...] = Field(description="What to leave.")
    vs_similar_users: Benchmark = Field(description="How she fares beside similar people.")
    not_yet_known: Addition[tuple[str, ...]] = Field(
        default=(), description="What cannot be told yet, and about how much more it takes."
    )
    evidence: Addition[FrozenMap[str, RateEvidence]] = Field(
        default_factory=FrozenDict, description="Evidence by name of the rate."
    )
    sentences: Addition[tuple[InsightSentence, ...]] = Field(
        default=(), description="Every sentence of the letter, in its order, with what it rests on."
    )
    silence: Addition[SilenceAnswer | None] = Field(
        default=None, description="Is this silence normal? Null when nothing is read of her."
    )
    weeks: Addition[tuple[WeekCount, ...]] = Field(
        default=(), description="Applications of the last 8 weeks, the oldest first."
    )
    as_of: Addition[Moment | None] = Field(default=None, description="When the log was read to.")
    lineage: Addition[Lineage | None] = Field(default=None, description="Where the insights came from.")
