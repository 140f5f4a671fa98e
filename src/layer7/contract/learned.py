"""Everything that was learned of one person, in plain words, and where a served setting came from."""

from typing import Literal

from pydantic import ConfigDict, Field

from layer7.contract.base import Contract
from layer7.contract.evidence import Lineage
from layer7.contract.fields import Day, Interval, Json, Level, Whole
from layer7.contract.personalization import ConsentLevel
from layer7.contract.shapes import Identifier, Moment

LearnedFrom = Literal["chosen", "own", "own_with_others", "others"]
"""Said by herself, from her data alone, from hers drawn towards everybody's, or from others' alone."""


class LearnedItem(Contract):
    """One thing that was learned of a person."""

    key: str = Field(description="Its name, by which it can be explained and forgotten.")
    words: str = Field(description="What was learned, in plain words.")
    value: Json = Field(description="The value itself.")
    evidence: str = Field(description="What it rests on, in plain words.")
    n: Whole | None = Field(default=None, description="How many observations; null for her own word.")
    interval: Interval | None = Field(default=None, description="Its interval; null for words.")
    level: Level | None = Field(
        default=None, description="Probability that the interval is made to cover with."
    )
    learned_from: LearnedFrom = Field(description="Whose data it is from.")
    changed: Day | None = Field(default=None, description="Day of its last change; null when unknown.")
    undo: str = Field(description="How to undo it.")


class LearnedOfPerson(Contract):
    """Everything that was learned of a person, as she allows now."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "user_id": "user_123",
                    "consent": "standard",
                    "paused": False,
                    "items": [
                        {
                            "key": "optimal_applications_per_week",
                            "words": "13.5 applications a week are planned for you.",
                            "value": 13.5,
                            "evidence": "Learned from what you sent per week (12 observations).",
                            "n": 12,
                            "interval": [12.1, 15.8],
                            "level": 0.95,
                            "learned_from": "own",
                            "changed": "2026-03-02",
                            "undo": "layer7 personalize forget user_123 optimal_applications_per_week",
                        }
                    ],
                    "forgotten": ["location: Berlin"],
                    "as_of": "2026-03-03T00:00:00+00:00",
                }
            ]
        }
    )

    user_id: Identifier = Field(description="Who she is.")
    consent: ConsentLevel = Field(description="How far she lets herself be learned of.")
    paused: bool = Field(description="Whether she has stopped learning for now.")
    items: tuple[LearnedItem, ...] = Field(description="What was learned, her own words first.")
    forgotten: tuple[str, ...] = Field(description="What she does not want to be learned.")
    as_of: Moment = Field(description="When the log was read to.")
    lineage: Lineage | None = Field(default=None, description="The night that computed it.")


class Origin(Contract):
    """One step of the way back from a served value."""

    step: Literal[
        "served", "own", "experiment", "version", "move", "decision", "recommendation", "run", "log"
    ] = Field(description="What kind of step it is.")
    name: str = Field(description="Its name.")
    at: str | None = Field(default=None, description="When; null when that is unknown.")
    words: str = Field(description="What it says.")


class SettingExplained(Contract):
    """Where a served setting came from, step by step back to the range of the log."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "key": "follow_up_timing",
                    "value": 7.0,
                    "steps": [
                        {
                            "step": "served",
                            "name": "follow_up_timing",
                            "words": "7.0 with variant baseline, reason STATIC.",
                        },
                        {
                            "step": "move",
                            "name": "baseline",
                            "words": "The catalogue's default: nobody has changed it.",
                        },
                    ],
                }
            ]
        }
    )

    key: Identifier = Field(description="The setting.")
    value: Json = Field(description="What is served.")
    steps: tuple[Origin, ...] = Field(description="From the served value back to the log.")
