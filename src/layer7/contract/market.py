"""What the market does (specification 4.3), from those who contribute, through the anonymising door."""

from typing import Literal

from pydantic import ConfigDict, Field

from layer7.contract.evidence import Evidenced, Explained, Lineage, Period, RateEvidence, TimeEvidence
from layer7.contract.fields import Addition, FrozenDict, FrozenMap, Interval, NonNegative, Whole
from layer7.contract.shapes import Days, Fraction, Moment, Percent
from layer7.contract.vocabulary import SeniorityLevel

Month = Literal[
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
]  # fmt: skip
"""A month of the year."""


class ActiveIndustry(Evidenced):
    """An industry that hires."""

    industry: str = Field(description="Name of the industry.")
    job_postings: Whole = Field(description="Postings that were applied to.")
    avg_response_rate: Fraction | None = Field(description="Applications that get any answer / submitted.")


class HotSkill(Evidenced):
    """A skill that is asked for."""

    skill: str = Field(description="Name of the skill.")
    demand_score: Percent = Field(description="Percent of the period's postings that name the skill.")
    avg_salary: NonNegative | None = Field(
        description="Mean yearly salary of the postings that name it, in the currency of the log."
    )
    salary_interval: Addition[Interval | None] = Field(
        default=None, description="Interval of avg_salary; null below two salaries."
    )
    salary_n: Addition[Whole | None] = Field(
        default=None, description="Postings that name the skill and state a salary."
    )


class HotLocation(Evidenced):
    """A location with openings."""

    location: str = Field(description="Name of the location, never finer than a city.")
    openings: Whole = Field(description="Postings that were applied to.")
    avg_response_rate: Fraction | None = Field(description="Applications that get any answer / submitted.")


class LevelDemand(Evidenced):
    """What the market asks of a level of seniority."""

    openings: Whole = Field(description="Postings that were applied to.")
    competition: NonNegative | None = Field(description="Applications in the log per posting.")
    avg_response_rate: Fraction | None = Field(description="Applications that get any answer / submitted.")


class MonthEffect(Evidenced):
    """How a month of the year goes, against the year's mean."""

    month: Month = Field(description="Month of submission.")
    ratio: NonNegative = Field(description="Interview rate of the month / of the year, shrunk towards 1.")
    probability: Fraction = Field(description="Probability that the month is on this side of the mean.")


class MarketMonth(Evidenced):
    """One month at a fixed mix of levels and channels; ``interval`` is that of ``interview_rate``."""

    month: str = Field(description="Month of submission, YYYY-MM.", pattern=r"^\d{4}-\d{2}$")
    interview_rate: Fraction | None = Field(
        description="As it would be with the whole period's mix of levels and channels."
    )
    raw_interview_rate: Fraction | None = Field(description="At the month's own mix.")


class MarketInsights(Explained):
    """How a job market moves, from anonymised aggregates of those who contribute."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "period": {"start": "2025-04-01", "end": "2025-07-01"},
                    "most_active_industries": [
                        {"industry": "Healthcare", "job_postings": 5200, "avg_response_rate": 0.36, "n": 7100}
                    ],
                    "hottest_skills": [{"skill": "Python", "demand_score": 31.5, "avg_salary": None}],
                    "hottest_locations": [{"location": "Austin", "openings": 880, "avg_response_rate": 0.33}],
                    "best_months_to_apply": [],
                    "worst_months_to_apply": [],
                    "avg_days_to_first_response": 13.2,
                    "ghosting_rate": 0.63,
                    "demand_by_level": {
                        "mid": {"openings": 3900, "competition": 1.6, "avg_response_rate": 0.35},
                        "lead": {"openings": 410, "competition": None, "avg_response_rate": None},
                    },
                    "contributors": 2400,
                    "suppressed": 37,
                    "epsilon": 1.0,
                    "as_of": "2025-07-01",
                }
            ]
        }
    )

    period: Period = Field(description="Time that the insights are about.")
    most_active_industries: tuple[ActiveIndustry, ...] = Field(description="The most postings first.")
    hottest_skills: tuple[HotSkill, ...] = Field(description="The most asked for first.")
    hottest_locations: tuple[HotLocation, ...] = Field(description="The most openings first.")
    best_months_to_apply: tuple[Month, ...] = Field(description="Empty without evidence over whole years.")
    worst_months_to_apply: tuple[Month, ...] = Field(description="Empty without evidence over whole years.")
    avg_days_to_first_response: Days | None = Field(description="Mean days from submission to any answer.")
    ghosting_rate: Fraction | None = Field(description="Applications never answered / submitted.")
    demand_by_level: FrozenMap[SeniorityLevel, LevelDemand] = Field(
        description="Demand by level; a level with too few people is left out."
    )
    contributors: Addition[Whole | None] = Field(
        default=None, description="People who contribute, as released."
    )
    suppressed: Addition[Whole | None] = Field(
        default=None, description="How many entries were left out since they had too few people."
    )
    epsilon: Addition[NonNegative | None] = Field(
        default=None, description="Privacy budget that this release spent, in nats."
    )
    months: Addition[tuple[MonthEffect, ...]] = Field(
        default=(), description="All months of the year, January first; empty before 24 months."
    )
    trend: Addition[tuple[MarketMonth, ...]] = Field(
        default=(), description="The last months at a fixed mix, the earliest first."
    )
    first_response: Addition[TimeEvidence | None] = Field(
        default=None, description="Evidence of avg_days_to_first_response."
    )
    missing: Addition[FrozenMap[str, str]] = Field(
        default_factory=FrozenDict, description="What a field that is empty or null waits for, by field."
    )
    evidence: Addition[FrozenMap[str, RateEvidence]] = Field(
        default_factory=FrozenDict, description="Evidence by name of the rate, such as ghosting_rate."
    )
    as_of: Addition[Moment | None] = Field(default=None, description="When the log was read to.")
    lineage: Addition[Lineage | None] = Field(default=None, description="Where the numbers came from.")
