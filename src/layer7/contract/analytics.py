"""What was measured (specification 4): a person, what works for her, her segment, the market."""

from typing import Literal, Self

from pydantic import ConfigDict, Field, model_validator

from layer7.contract.base import Contract
from layer7.contract.evidence import Evidenced, Explained, Lineage, Period, RateEvidence, TimeEvidence
from layer7.contract.fields import Addition, FrozenDict, FrozenMap, Interval, NonNegative, Whole
from layer7.contract.shapes import Days, Fraction, Identifier, Moment, Percent
from layer7.contract.vocabulary import Category, SeniorityLevel, StrategyMode

Weekday = Literal["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
"""A day of the week, as the specification spells it."""


class CategoryCounts(Contract):
    """Applications by how far the job reaches."""

    reach: Whole = Field(description="Submitted applications to jobs beyond the profile.")
    target: Whole = Field(description="Submitted applications to jobs that match the profile.")
    safety: Whole = Field(description="Submitted applications to jobs well within the profile.")


class UserPerformance(Contract):
    """How one person's applications of a period went, and how sure the rates are."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "user_id": "user_123",
                    "period": {"start": "2025-01-01", "end": "2025-04-01"},
                    "total_applications": 48,
                    "applications_by_category": {"reach": 12, "target": 28, "safety": 8},
                    "interview_requests": 3,
                    "interview_rate": 0.052,
                    "offers": 0,
                    "offer_rate": None,
                    "rejections": 14,
                    "ghosted": 22,
                    "avg_days_to_response": 9.5,
                    "fastest_response_days": 2.0,
                    "strategy_distribution": {"IMPROVE_RESUME_FIRST": 6, "APPLY_MODE": 42},
                    "interview_rate_by_mode": {"IMPROVE_RESUME_FIRST": None, "APPLY_MODE": 0.055},
                    "resume_score_start": 68.0,
                    "resume_score_current": 79.0,
                    "score_improvement": 11.0,
                    "rewrites_accepted": 9,
                    "rewrites_rejected": 4,
                    "evidence": {
                        "interview_rate": {
                            "value": 0.052, "low": 0.021, "high": 0.104, "n": 48, "effective_n": 41.5,
                            "events": 3, "level": 0.95, "method": "delay-adjusted posterior", "needed": None,
                        },
                        "offer_rate": {
                            "value": None, "low": None, "high": None, "n": 3, "effective_n": None,
                            "events": 0, "level": 0.95, "method": "beta-binomial", "needed": 7,
                        },
                    },
                    "interview_rate_by_category": {"reach": None, "target": 0.058, "safety": None},
                    "drafts": 5,
                    "pending": 9,
                    "as_of": "2025-04-02",
                }
            ]
        }
    )  # fmt: skip

    user_id: Identifier = Field(description="Whose applications these are.")
    period: Period = Field(description="Time in which the applications were submitted.")
    total_applications: Whole = Field(description="Applications submitted in the period.")
    applications_by_category: CategoryCounts = Field(
        description="Submitted applications by category; those without a category are in none."
    )
    interview_requests: Whole = Field(
        description="Applications that reached an interview so far; an offer counts as an interview."
    )
    interview_rate: Fraction | None = Field(
        description="Applications that reach an interview / applications submitted, with silence censored."
    )
    offers: Whole = Field(description="Applications that reached an offer so far.")
    offer_rate: Fraction | None = Field(description="Offers / applications that reached an interview.")
    rejections: Whole = Field(description="Applications that were rejected, at whatever stage.")
    ghosted: Whole = Field(description="Applications from which hardly anything can still come; reversible.")
    avg_days_to_response: Days | None = Field(description="Mean days from submission to the first answer.")
    fastest_response_days: Days | None = Field(description="Fewest days from submission to an answer.")
    strategy_distribution: FrozenMap[StrategyMode, Whole] = Field(
        description="Applications submitted in each strategy mode; a mode without any may be left out."
    )
    interview_rate_by_mode: FrozenMap[StrategyMode, Fraction | None] = Field(
        description="Interview rate of the applications submitted by mode; it predicts, it proves nothing."
    )
    resume_score_start: Percent | None = Field(description="First resume score of the period, 0 to 100.")
    resume_score_current: Percent | None = Field(description="Latest resume score of the period, 0 to 100.")
    score_improvement: float | None = Field(
        ge=-100, le=100, description="Latest minus first resume score, in points."
    )
    rewrites_accepted: Whole = Field(description="Rewrites that the person accepted.")
    rewrites_rejected: Whole = Field(description="Rewrites that the person rejected.")
    evidence: Addition[FrozenMap[str, RateEvidence]] = Field(
        default_factory=FrozenDict,
        description="Evidence by name of the rate, such as interview_rate_by_mode.APPLY_MODE.",
    )
    interview_rate_by_category: Addition[FrozenMap[Category, Fraction | None]] = Field(
        default_factory=FrozenDict, description="Interview rate by category; null when it cannot be told."
    )
    drafts: Addition[Whole] = Field(default=0, description="Applications created and never submitted.")
    pending: Addition[Whole] = Field(
        default=0, description="Submitted applications that are still open: no answer yet, not ghosted."
    )
    as_of: Addition[Moment | None] = Field(default=None, description="When the log was read to.")
    lineage: Addition[Lineage | None] = Field(default=None, description="Where these numbers came from.")

    @model_validator(mode="after")
    def _stages_are_cumulative(self) -> Self:
        if not self.offers <= self.interview_requests <= self.total_applications:
            message = (
                "stages are cumulative: offers <= interview_requests <= total_applications, "
                f"not {self.offers}, {self.interview_requests}, {self.total_applications}"
            )
            raise ValueError(message)
        return self


class RolePattern(Evidenced):
    """A role that answers this person differently than the rest."""

    title: str = Field(description="Title of the role.")
    interview_rate: Fraction | None = Field(description="Shrunk interview rate of the role.")
    sample_size: Whole = Field(description="Applications to the role.")


class LocationPattern(Evidenced):
    """A location that answers this person differently than the rest."""

    location: str = Field(description="Name of the location.")
    interview_rate: Fraction | None = Field(description="Shrunk interview rate of the location.")


class CompanyPattern(Evidenced):
    """A kind of company that answers this person differently than the rest."""

    type: str = Field(description="Kind of company, such as 'Series A startup'.")
    interview_rate: Fraction | None = Field(description="Shrunk interview rate of the kind.")


class ApplicationTiming(Evidenced):
    """When this person's applications are answered best; usually there is no evidence of a best time."""

    best_day_of_week: Weekday | None = Field(description="Weekday on the person's calendar.")
    best_time_of_day: str | None = Field(description="Hours on the person's clock, such as '10:00-12:00'.")
    confidence: Fraction | None = Field(description="Probability that this time is better than the rest.")


class UserPatterns(Explained):
    """What works for one person, as far as it can be told; empty lists are the usual answer at first."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "user_id": "user_123",
                    "best_performing_roles": [
                        {
                            "title": "Backend Engineer", "interview_rate": 0.11, "sample_size": 64, "n": 64,
                            "interval": [0.05, 0.19], "level": 0.95, "method": "hierarchical log odds",
                            "window": {"start": "2025-01-01", "end": "2025-07-01"},
                            "what_would_change_this": "About 40 more applications without an interview.",
                        }
                    ],
                    "best_locations": [],
                    "best_companies": [{"type": "Series A startup", "interview_rate": 0.12}],
                    "best_seniority": None,
                    "optimal_application_timing": {
                        "best_day_of_week": None, "best_time_of_day": None, "confidence": None, "n": 118,
                    },
                    "best_resume_version": None,
                    "best_performing_sections": [],
                    "typical_edit_patterns": ["shortens summaries"],
                    "rejection_patterns": ["on-call"],
                    "acceptance_patterns": ["quantified bullets"],
                    "as_of": "2025-07-01",
                    "needed": {"best_locations": 120},
                }
            ]
        }
    )  # fmt: skip

    user_id: Identifier = Field(description="Whose patterns these are.")
    best_performing_roles: tuple[RolePattern, ...] = Field(description="Roles, the best first.")
    best_locations: tuple[LocationPattern, ...] = Field(description="Locations, the best first.")
    best_companies: tuple[CompanyPattern, ...] = Field(description="Kinds of company, the best first.")
    best_seniority: str | None = Field(description="Level that is answered best.")
    optimal_application_timing: ApplicationTiming = Field(description="When to apply, if it matters.")
    best_resume_version: Identifier | None = Field(description="Resume version that is answered best.")
    best_performing_sections: tuple[str, ...] = Field(description="Resume sections that go with interviews.")
    typical_edit_patterns: tuple[str, ...] = Field(description="How the person edits suggestions.")
    rejection_patterns: tuple[str, ...] = Field(description="What the person rejects again and again.")
    acceptance_patterns: tuple[str, ...] = Field(description="What the person accepts again and again.")
    as_of: Addition[Moment | None] = Field(default=None, description="When the log was read to.")
    needed: Addition[FrozenMap[str, Whole]] = Field(
        default_factory=FrozenDict,
        description="About how many more applications a field that is empty or null needs, by field.",
    )
    lineage: Addition[Lineage | None] = Field(default=None, description="Where the patterns came from.")


class SegmentCriteria(Contract):
    """Who belongs to a segment; what is left out does not matter."""

    seniority: SeniorityLevel | None = Field(default=None, description="Level of seniority.")
    target_roles: tuple[str, ...] | None = Field(default=None, description="Any of these roles.")
    years_experience_range: tuple[NonNegative, NonNegative] | None = Field(
        default=None, description="Years of experience, from and up to."
    )
    industries: tuple[str, ...] | None = Field(default=None, description="Any of these industries.")
    locations: tuple[str, ...] | None = Field(default=None, description="Any of these locations.")


Basis = Literal["randomised", "within_person", "between_people"]
"""What a comparison rests on: a logged throw of dice, the same person's other applications, other people."""


class Comparison(Evidenced):
    """Doing something against not doing it; only a randomised comparison says what it would change."""

    odds_ratio: Addition[NonNegative | None] = Field(
        default=None, description="Odds of an interview with it / without it; shrunk towards other segments."
    )
    odds_ratio_interval: Addition[Interval | None] = Field(
        default=None, description="Interval of the odds ratio; null when unknown."
    )
    raw_odds_ratio: Addition[NonNegative | None] = Field(
        default=None, description="The same between all applications, whoever sends them; it only predicts."
    )
    basis: Addition[Basis | None] = Field(default=None, description="What the comparison rests on.")
    probability: Addition[Fraction | None] = Field(
        default=None, description="Probability that the odds ratio has this sign and at least the least size."
    )
    difference: Addition[float | None] = Field(
        default=None,
        description="Interview rate with it less that without, where chance decided who does it.",
    )
    difference_interval: Addition[Interval | None] = Field(
        default=None, description="Interval of the difference."
    )
    experiment_id: Addition[Identifier | None] = Field(
        default=None, description="The experiment that says so; null where none does."
    )


class SuccessfulStrategy(Comparison):
    """What goes with success in a segment; unless randomised, it predicts, it proves nothing."""

    strategy: str = Field(description="What these people do.")
    success_rate: Fraction | None = Field(description="Interview rate of those who do it.")
    sample_size: Whole = Field(description="Applications behind the rate.")


class CommonPitfall(Comparison):
    """What goes with failure in a segment; unless randomised, it predicts, it proves nothing."""

    pattern: str = Field(description="What these people do.")
    negative_impact: str = Field(description="What goes with it, in words.")
    frequency: Fraction = Field(description="Share of the segment's people who do it.")


class UserSegment(Evidenced):
    """How people of a kind fare, released only through the anonymising door."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "segment_id": "mid_swe_3-5yrs",
                    "criteria": {
                        "seniority": "mid",
                        "target_roles": ["Software Engineer"],
                        "years_experience_range": [3, 5],
                    },
                    "user_count": 420,
                    "avg_interview_rate": 0.044,
                    "avg_applications_to_interview": 22.7,
                    "avg_time_to_offer_weeks": None,
                    "successful_strategies": [
                        {"strategy": "tailored resume", "success_rate": 0.051, "sample_size": 3100}
                    ],
                    "common_pitfalls": [
                        {
                            "pattern": "more than half of the applications are reach",
                            "negative_impact": "interview rate lower by about a third",
                            "frequency": 0.18,
                        }
                    ],
                    "n": 9800,
                    "interval": [0.039, 0.049],
                    "level": 0.95,
                    "as_of": "2025-07-01",
                }
            ]
        }
    )

    segment_id: Identifier = Field(description="Name of the segment.")
    criteria: SegmentCriteria = Field(description="Who belongs to it.")
    user_count: Whole = Field(description="People in the segment, as released.")
    avg_interview_rate: Fraction | None = Field(description="Mean of the people's interview rates.")
    avg_applications_to_interview: float | None = Field(
        ge=1, description="Applications submitted per interview reached."
    )
    avg_time_to_offer_weeks: NonNegative | None = Field(
        description="Mean weeks from the first application to the first offer."
    )
    successful_strategies: tuple[SuccessfulStrategy, ...] = Field(description="The best first.")
    common_pitfalls: tuple[CommonPitfall, ...] = Field(description="The most frequent first.")
    as_of: Addition[Moment | None] = Field(default=None, description="When the log was read to.")
    evidence: Addition[FrozenMap[str, RateEvidence]] = Field(
        default_factory=FrozenDict, description="Evidence by name of the rate, such as avg_interview_rate."
    )
    time_to_offer: Addition[TimeEvidence | None] = Field(
        default=None, description="Evidence of avg_time_to_offer_weeks."
    )
    lineage: Addition[Lineage | None] = Field(default=None, description="Where the numbers came from.")
