"""Which jobs first, and why: the specification's recommendation personalization (section 7.1)."""

from typing import Literal, Self

from pydantic import ConfigDict, Field, model_validator

from layer7.contract.base import Contract
from layer7.contract.fields import Addition, NonNegative, Positive, Whole
from layer7.contract.shapes import Count, Flag, Fraction, Identifier, Moment, Percent, Word

MOST_TEXT = 50_000
MOST_JOBS = 1_000
"""Jobs that one request may bring."""


class Job(Contract):
    """A job that could be applied to; what is not known of it is left out."""

    job_id: Identifier = Field(description="Its name, the same as in events.")
    company_type: Word | None = Field(default=None, description="Such as Series A startup.")
    location: Word | None = Field(default=None, description="Where it is.")
    description: str | None = Field(
        default=None,
        max_length=MOST_TEXT,
        description="Its text; only looked through for what the person rejects, never kept.",
    )
    fit_score: Percent | None = Field(default=None, description="How well it fits her, 0 to 100.")
    priority_score: float = Field(
        default=0.0, ge=-1e6, le=1e6, description="Points from Layer 6, on the specification's scale."
    )
    title: Addition[Word | None] = Field(default=None, description="Of the posting.")
    company: Addition[Word | None] = Field(default=None, description="Who hires.")
    seniority: Addition[Word | None] = Field(default=None, description="Level of the job.")
    industry: Addition[Word | None] = Field(default=None, description="Of the company.")
    company_size: Addition[Word | None] = Field(default=None, description="Of the company.")
    channel: Addition[Word | None] = Field(default=None, description="How she would apply.")
    category: Addition[Literal["reach", "target", "safety"] | None] = Field(
        default=None, description="Against her own level."
    )
    resume_score: Addition[Percent | None] = Field(
        default=None, description="Of the resume she would send, 0 to 100."
    )
    tailoring_applied: Addition[Flag | None] = Field(
        default=None, description="Whether the resume would be tailored."
    )
    applicants: Addition[Count | None] = Field(default=None, description="People who have applied so far.")
    posted_at: Addition[Moment | None] = Field(default=None, description="When it was posted, ISO 8601.")
    worth: Addition[float] = Field(
        default=1.0, gt=0, le=100, description="What an interview there is worth to her; 1 for a usual job."
    )


class RankRequest(Contract):
    """Jobs to put into an order for one person."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "jobs": [
                        {
                            "job_id": "job_77",
                            "title": "Backend Engineer",
                            "company_type": "Series A startup",
                            "location": "Berlin",
                            "fit_score": 82,
                            "channel": "referral",
                            "applicants": 40,
                        }
                    ],
                    "slots": 8,
                }
            ]
        }
    )

    jobs: tuple[Job, ...] = Field(max_length=MOST_JOBS, description=f"Up to {MOST_JOBS:,} jobs, each once.")
    slots: Positive = Field(
        default=10, le=MOST_JOBS, description="How many she is going to look at; exploration stays in these."
    )
    exploration_share: Fraction = Field(
        default=0.05, description="Share of these places that are given by lot to jobs a little behind."
    )

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        names = [job.job_id for job in self.jobs]
        if len(set(names)) < len(names):
            message = "a job_id stands there twice"
            raise ValueError(message)
        return self


class RankTerm(Contract):
    """One reason: what of the job or the person makes an interview there likelier, or worth more."""

    name: str = Field(description="Of what, such as channel; own_ before what holds for this person alone.")
    about: str = Field(description="Which level or value, in the job's words.")
    log_odds: float = Field(description="Added to the log odds; of a worth, to the logarithm of the worth.")
    points: float | None = Field(
        description="As many points of the fit score change as much; null when the fit score does not matter."
    )
    of: Literal["likelihood", "worth"] = Field(description="What it is a part of.")
    n: Whole | None = Field(description="Applications that it is learned from; null for a slope or a rule.")


class SketchedPoints(Contract):
    """What the specification's rule says: +10, +5, -15, and the minimum fit."""

    adjustment: float = Field(description="Points by the rule.")
    priority_score: float = Field(description="Layer 6's points and these.")
    should_apply: bool = Field(description="Whether the fit reaches the minimum.")


class RankedJob(Contract):
    """A job in its place."""

    job_id: Identifier = Field(description="The job.")
    place: Positive = Field(description="Its place, 1 first.")
    likelihood: Fraction = Field(description="Chance of an interview.")
    likelihood_low: Fraction = Field(description="Lower end of its 95 % interval.")
    likelihood_high: Fraction = Field(description="Upper end.")
    expected_surplus: float = Field(
        description="Likelihood x worth, less the effort of an application; in interviews of a usual job."
    )
    should_apply: bool = Field(description="Whether it is worth applying to.")
    reason: str = Field(description="Why, or why not.")
    why: str = Field(description="The largest terms in words.")
    explored: bool = Field(description="Whether it has its place by lot, so that something is learned.")
    propensity: Fraction = Field(description="Chance that it got its place, given the places before it.")
    terms: tuple[RankTerm, ...] = Field(description="All terms, the largest first.")
    specification: SketchedPoints = Field(description="The specification's points, for comparison.")


class Ranking(Contract):
    """Jobs in order, with the reasons."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "decision_id": "rank_3f9c1a",
                    "user_id": "user_123",
                    "at": "2026-03-31T09:00:00+00:00",
                    "model": "m18e10139128a",
                    "personalised": True,
                    "personalisation": "from 31 applications of hers",
                    "applications_seen": 31,
                    "min_fit_score": 60,
                    "effort": 0.01,
                    "jobs": [
                        {
                            "job_id": "job_77",
                            "place": 1,
                            "likelihood": 0.12,
                            "likelihood_low": 0.05,
                            "likelihood_high": 0.27,
                            "expected_surplus": 0.11,
                            "should_apply": True,
                            "reason": "expected to be worth the effort",
                            "why": "channel referral: x 3.40",
                            "explored": False,
                            "propensity": 0.955,
                            "terms": [
                                {
                                    "name": "channel",
                                    "about": "referral",
                                    "log_odds": 1.22,
                                    "points": 61.0,
                                    "of": "likelihood",
                                    "n": 1053,
                                }
                            ],
                            "specification": {
                                "adjustment": 10,
                                "priority_score": 92,
                                "should_apply": True,
                            },
                        }
                    ],
                }
            ]
        }
    )

    decision_id: Identifier = Field(
        description="Name of this ranking; GET /v1/decisions/{id} tells it again."
    )
    user_id: Identifier = Field(description="For whom.")
    at: Moment = Field(description="When.")
    model: Identifier = Field(description="Version of the likelihood model.")
    personalised: bool = Field(description="Whether what this person has shown was used.")
    personalisation: str = Field(description="Why, or why not.")
    applications_seen: Whole = Field(description="Of hers, in what was learned of her.")
    min_fit_score: Percent | None = Field(description="Fit below which she should not apply; null for none.")
    effort: NonNegative = Field(description="What an application costs, in interviews of a usual job.")
    jobs: tuple[RankedJob, ...] = Field(description="The best first.")


class RankDecision(Contract):
    """A ranking that was given, with what it was made from."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "decision_id": "rank_3f9c1a",
                    "kind": "ranking",
                    "at": "2026-03-31T09:00:00+00:00",
                    "inputs": {"jobs": [], "slots": 8, "exploration_share": 0.05},
                    "exposures": {"job_77": 3},
                    "versions": {"likelihood": "m18e10139128a", "own_terms": "m18e10139128a"},
                    "ranking": {
                        "decision_id": "rank_3f9c1a",
                        "user_id": "user_123",
                        "at": "2026-03-31T09:00:00+00:00",
                        "model": "m18e10139128a",
                        "personalised": True,
                        "personalisation": "from 31 applications of hers",
                        "applications_seen": 31,
                        "min_fit_score": 60,
                        "effort": 0.01,
                        "jobs": [],
                    },
                }
            ]
        }
    )

    decision_id: Identifier = Field(description="Its name.")
    kind: Literal["ranking"] = Field(default="ranking", description="What was decided.")
    at: Moment = Field(description="When.")
    inputs: RankRequest = Field(description="What was asked, without descriptions.")
    exposures: dict[str, Whole] = Field(
        description="People to whom each job was shown among the first places in the two weeks before."
    )
    versions: dict[str, str] = Field(description="Which model, and from which model her own terms are.")
    ranking: Ranking = Field(description="What was answered, with all terms.")
