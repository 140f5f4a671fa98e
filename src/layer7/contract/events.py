"""Events from Layer 4 (specification 3.1), verbatim, with the optional additions of the contract.

Identifiers, time and what the event is about are required; observations may be unknown: a missing score
is counted as incomplete, not refused. Unknown fields are left out and counted, since a writer may be newer
than this reader.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Literal, get_args

from pydantic import ConfigDict, Field

from layer7.contract.base import Contract
from layer7.contract.shapes import (
    Content,
    Count,
    Days,
    Difference,
    Flag,
    Fraction,
    Identifier,
    Moment,
    Percent,
    PrivateContent,
    PrivateText,
    Scores,
    Shape,
    Word,
    Words,
)
from layer7.contract.vocabulary import (
    Category,
    EventType,
    OutcomeStatus,
    Purpose,
    RewriteType,
    StrategyMode,
    SuggestionType,
)

Mode = Annotated[StrategyMode, Shape("choice")]


class EventPart(Contract):
    """A part of an event: what it does not know it leaves out."""

    model_config = ConfigDict(extra="ignore")


class JobCharacteristics(EventPart):
    """The job that was applied to."""

    title: Word | None = None
    company: Word | None = None
    seniority: Word | None = None
    location: Word | None = None
    industry: Word | None = None
    technical_match: Fraction | None = None
    seniority_match: Fraction | None = None
    experience_match: Fraction | None = None
    signal: Fraction | None = None
    company_type: Word | None = None
    company_size: Word | None = None
    skills: Words | None = None
    salary: Count | None = Field(default=None, description="yearly, in the currency of the log")
    posted_at: Moment | None = None
    channel: Word | None = None
    applicants: Count | None = Field(
        default=None, description="people who had applied to the posting by then, as it says"
    )


class ApplicationContext(EventPart):
    """What was known when the application was made."""

    strategy_mode: Mode | None = None
    fit_score: Percent | None = None
    category: Annotated[Category, Shape("choice")] | None = None
    job_characteristics: JobCharacteristics | None = None
    resume_score: Percent | None = None
    tailoring_applied: Flag | None = None
    resume_score_components: Scores | None = Field(
        default=None, description="the parts that the resume score is made of, by name, each 0 to 100"
    )


class Outcome(EventPart):
    """What was heard."""

    status: Annotated[OutcomeStatus, Shape("choice")]
    days_to_response: Days | None = Field(default=None, description="days from submission to the answer")
    response_type: Word | None = None


class Event(EventPart):
    """What every event has."""

    event_id: Identifier | None = Field(
        default=None, description="identity for exactly-once; without it, a hash of the event"
    )
    user_id: Identifier
    timestamp: Moment = Field(description="ISO 8601; the offset is the person's local time")

    @property
    def kind(self) -> EventType:
        """The event's type."""
        return EventType(getattr(self, "event_type"))  # noqa: B009 - each model declares its own literal


class ApplicationEvent(Event):
    """An application was created, submitted, or heard of."""

    event_type: Literal[
        EventType.APPLICATION_CREATED, EventType.APPLICATION_SUBMITTED, EventType.STATUS_CHANGED
    ]
    application_id: Identifier
    job_id: Identifier
    resume_version_id: Identifier
    context: ApplicationContext | None = None
    outcome: Outcome | None = None


class CorrectionEvent(Event):
    """What was heard of an application was logged wrongly; from now on this counts (addition)."""

    event_type: Literal[EventType.OUTCOME_CORRECTED]
    application_id: Identifier
    outcome: Outcome | None = None


class StrategyMetrics(EventPart):
    """What Layer 2 saw when it decided."""

    resume_score: Percent | None = None
    total_applications: Count | None = None
    interview_rate: Fraction | None = None
    applications_last_7_days: Count | None = None


class StrategyEvent(Event):
    """Layer 2 changed its mode, its target or its plan."""

    event_type: Literal[EventType.MODE_CHANGED, EventType.TARGET_ADJUSTED, EventType.PLAN_GENERATED]
    from_mode: Mode | None = None
    to_mode: Mode
    reason: PrivateText | None = None
    metrics: StrategyMetrics | None = None


class ResumeEvent(Event):
    """A resume was rewritten or scored anew."""

    event_type: Literal[EventType.RESUME_REWRITTEN, EventType.SCORE_CHANGED]
    resume_version_id: Identifier
    rewrite_type: Annotated[RewriteType, Shape("choice")] | None = None
    before_score: Percent | None = None
    after_score: Percent | None = None
    score_delta: Difference | None = None
    gaps_addressed: Words | None = None
    user_accepted: Flag | None = None


class FeedbackEvent(Event):
    """A person accepted, edited or rejected a suggestion."""

    event_type: Literal[
        EventType.SUGGESTION_ACCEPTED, EventType.SUGGESTION_EDITED, EventType.SUGGESTION_REJECTED
    ]
    suggestion_type: Annotated[SuggestionType, Shape("choice")]
    suggested_content: PrivateContent = None
    final_content: PrivateContent = None
    rejection_reason: PrivateText | None = None


class Profile(EventPart):
    """What a person says of herself."""

    seniority: Word | None = None
    target_roles: Words | None = None
    years_experience: Count | None = None
    industries: Words | None = None
    locations: Words | None = None
    timezone: Word | None = None


class ProfileEvent(Event):
    """A person changed her profile (addition)."""

    event_type: Literal[EventType.PROFILE_UPDATED]
    profile: Profile


class ConsentEvent(Event):
    """A person allowed or refused a use of her data (addition)."""

    event_type: Literal[EventType.CONSENT_CHANGED]
    purpose: Annotated[Purpose, Shape("choice")]
    value: Annotated[bool | Literal["off", "explicit_only", "standard", "full"], Shape("json")]


class ErasureEvent(Event):
    """A person asked to be forgotten (addition)."""

    event_type: Literal[EventType.ERASURE_REQUESTED]


class ExposureEvent(Event):
    """A variant of an experiment decided something (addition)."""

    event_type: Literal[EventType.EXPERIMENT_EXPOSED]
    experiment_id: Identifier
    variant_id: Identifier
    application_id: Identifier | None = None
    decision: Word | None = None
    counterfactual_decisions: Content | None = None


class PolicyDecisionEvent(Event):
    """Layer 2 decided, with the propensity of that decision where exploration was on (addition)."""

    event_type: Literal[EventType.POLICY_DECISION]
    decision: Word
    propensity: Annotated[float, Field(gt=0, le=1), Shape("number")]
    explored: Flag | None = None
    application_id: Identifier | None = None
    metrics: StrategyMetrics | None = None


_MODELS: tuple[type[Event], ...] = (
    ApplicationEvent,
    CorrectionEvent,
    StrategyEvent,
    ResumeEvent,
    FeedbackEvent,
    ProfileEvent,
    ConsentEvent,
    ErasureEvent,
    ExposureEvent,
    PolicyDecisionEvent,
)

EVENT_MODELS: Mapping[EventType, type[Event]] = MappingProxyType(
    {
        event_type: model
        for model in _MODELS
        for event_type in get_args(model.model_fields["event_type"].annotation)
    }
)
"""The model of every event type."""
