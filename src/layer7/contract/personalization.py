"""What fits one person (specification 7)."""

from typing import Literal

from pydantic import ConfigDict, Field

from layer7.contract.base import Contract
from layer7.contract.evidence import Explained, Lineage, RateEvidence
from layer7.contract.fields import (
    Addition,
    Day,
    FrozenDict,
    FrozenMap,
    Interval,
    Json,
    Level,
    NonNegative,
    Whole,
)
from layer7.contract.shapes import Days, Fraction, Identifier, Moment, Percent

Origin = Literal["default", "learned", "chosen"]
"""Where a person's value comes from: everybody's, learned from her data, or chosen by herself."""

EditFrequency = Literal["low", "medium", "high"]
"""How often a person edits what is suggested."""


ConsentLevel = Literal["off", "explicit_only", "standard", "full"]
"""How far a person lets herself be learned of."""


class LearnedValue(Contract):
    """One value of a person with what it rests on and how it came about."""

    value: Json = Field(description="What is served to her; null where everybody's value holds.")
    origin: Origin = Field(description="Where it comes from.")
    target: Json = Field(default=None, description="What her data say; the value moves there step by step.")
    everybody: Json = Field(default=None, description="Everybody's value; null where there is none.")
    interval: Interval | None = Field(default=None, description="Interval of the target; null for words.")
    level: Level | None = Field(
        default=None, description="Probability that the interval is made to cover with."
    )
    n: Whole = Field(default=0, description="How many observations of her own it rests on.")
    method: str = Field(default="", description="What it is learned from.")
    changed: Day | None = Field(default=None, description="Day of its last change; null without any.")
    before: Json = Field(default=None, description="The value before that change; null without any.")


class PersonalizedConfig(Explained):
    """Settings that fit one person; null where everybody's value holds for want of data."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "user_id": "user_123",
                    "preferred_company_sizes": ["11-50", "51-200"],
                    "preferred_locations": ["Berlin"],
                    "work_arrangement_preference": "remote",
                    "min_fit_score_to_apply": 68.5,
                    "optimal_applications_per_week": 10.0,
                    "follow_up_timing_days": None,
                    "edit_frequency": "medium",
                    "suggestion_acceptance_rate": 0.62,
                    "rejection_patterns": ["on-call"],
                    "preferred_detail_level": "standard",
                    "coach_tone_preference": None,
                    "last_updated": "2025-07-02T03:10:00Z",
                    "origins": {"min_fit_score_to_apply": "learned", "preferred_detail_level": "chosen"},
                }
            ]
        }
    )

    user_id: Identifier = Field(description="Whom it fits.")
    preferred_company_sizes: tuple[str, ...] = Field(description="Company sizes she turns to.")
    preferred_locations: tuple[str, ...] = Field(description="Locations she turns to.")
    work_arrangement_preference: str | None = Field(description="Such as remote, hybrid or onsite.")
    min_fit_score_to_apply: Percent | None = Field(
        description="Fit score below which a job is not worth applying to, 0 to 100."
    )
    optimal_applications_per_week: NonNegative | None = Field(
        description="Applications she keeps up per week."
    )
    follow_up_timing_days: Days | None = Field(description="Days after submission at which to follow up.")
    edit_frequency: EditFrequency | None = Field(description="How often she edits suggestions.")
    suggestion_acceptance_rate: Fraction | None = Field(
        description="Suggestions accepted / suggestions answered."
    )
    rejection_patterns: tuple[str, ...] = Field(description="What she rejects again and again.")
    preferred_detail_level: Literal["brief", "standard", "detailed"] | None = Field(
        description="How much detail she likes."
    )
    coach_tone_preference: Literal["professional", "friendly", "motivational"] | None = Field(
        description="How she likes to be spoken to."
    )
    last_updated: Moment = Field(description="When it was last computed or chosen, ISO 8601.")
    origins: Addition[FrozenMap[str, Origin]] = Field(
        default_factory=FrozenDict, description="Where each value comes from, by field."
    )
    evidence: Addition[FrozenMap[str, RateEvidence]] = Field(
        default_factory=FrozenDict, description="Evidence by name of the rate."
    )
    learned: Addition[FrozenMap[str, LearnedValue]] = Field(
        default_factory=FrozenDict, description="Every value with what it rests on, by field."
    )
    consent: Addition[ConsentLevel] = Field(
        default="standard", description="How far she lets herself be learned of."
    )
    paused: Addition[bool] = Field(default=False, description="Whether she has stopped learning for now.")
    lineage: Addition[Lineage | None] = Field(default=None, description="Where it came from.")
