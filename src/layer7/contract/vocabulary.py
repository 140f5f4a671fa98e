"""The words of the contract: every enumeration, with the specification's spelling."""

from enum import StrEnum


class EventType(StrEnum):
    """What can happen in Layer 4's log (specification 3.1 and the additions of the contract)."""

    APPLICATION_CREATED = "APPLICATION_CREATED"
    APPLICATION_SUBMITTED = "APPLICATION_SUBMITTED"
    STATUS_CHANGED = "STATUS_CHANGED"
    OUTCOME_CORRECTED = "OUTCOME_CORRECTED"
    MODE_CHANGED = "MODE_CHANGED"
    TARGET_ADJUSTED = "TARGET_ADJUSTED"
    PLAN_GENERATED = "PLAN_GENERATED"
    RESUME_REWRITTEN = "RESUME_REWRITTEN"
    SCORE_CHANGED = "SCORE_CHANGED"
    SUGGESTION_ACCEPTED = "SUGGESTION_ACCEPTED"
    SUGGESTION_EDITED = "SUGGESTION_EDITED"
    SUGGESTION_REJECTED = "SUGGESTION_REJECTED"
    PROFILE_UPDATED = "PROFILE_UPDATED"
    CONSENT_CHANGED = "CONSENT_CHANGED"
    ERASURE_REQUESTED = "ERASURE_REQUESTED"
    EXPERIMENT_EXPOSED = "EXPERIMENT_EXPOSED"
    POLICY_DECISION = "POLICY_DECISION"


class StrategyMode(StrEnum):
    """The modes of Layer 2 (specification 5.1)."""

    IMPROVE_RESUME_FIRST = "IMPROVE_RESUME_FIRST"
    APPLY_MODE = "APPLY_MODE"
    RETHINK_TARGETS = "RETHINK_TARGETS"


class Category(StrEnum):
    """How far a job reaches beyond the person's profile (specification 3.1)."""

    REACH = "reach"
    TARGET = "target"
    SAFETY = "safety"


class SeniorityLevel(StrEnum):
    """Levels of seniority, from the first job upwards (specification 4.2 and 4.3)."""

    INTERN = "intern"
    ENTRY = "entry"
    MID = "mid"
    SENIOR = "senior"
    LEAD = "lead"
    EXECUTIVE = "executive"


class OutcomeStatus(StrEnum):
    """What an employer's answer was, or that a person gave up waiting (specification 3.1)."""

    INTERVIEW = "interview"
    OFFER = "offer"
    REJECTED = "rejected"
    GHOSTED = "ghosted"


class Stage(StrEnum):
    """How far an application got; cumulative, it never falls back."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    INTERVIEW = "interview"
    OFFER = "offer"


class Closed(StrEnum):
    """How an application ended so far; ``open`` until something is heard, reversible when ``ghosted``."""

    OPEN = "open"
    REJECTED = "rejected"
    GHOSTED = "ghosted"
    WITHDRAWN = "withdrawn"


class RewriteType(StrEnum):
    """What part of a resume was rewritten (specification 3.1)."""

    BULLET = "bullet"
    SUMMARY = "summary"
    SECTION = "section"


class SuggestionType(StrEnum):
    """What was suggested to the person (specification 3.1)."""

    REWRITE = "rewrite"
    JOB = "job"
    STRATEGY = "strategy"
    PLAN = "plan"


class Component(StrEnum):
    """The layers whose settings this engine proposes to change (specification 5.1)."""

    STRATEGY_ENGINE = "strategy_engine"
    ORCHESTRATOR = "orchestrator"
    JOB_DISCOVERY = "job_discovery"


class Purpose(StrEnum):
    """What a person's data may be used for."""

    PERSONALISATION = "personalisation"
    CONTRIBUTE_TO_MARKET_INSIGHTS = "contribute_to_market_insights"
    EXPERIMENTS = "experiments"
    FAIRNESS_MONITORING = "fairness_monitoring"


class RiskLevel(StrEnum):
    """How much harm a change could do before it is taken back (specification 5.1)."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class Route(StrEnum):
    """How a recommendation may come into force (specification 5.1)."""

    AUTO_APPLY = "auto_apply"
    A_B_TEST = "a_b_test"
    MANUAL_REVIEW = "manual_review"


class MetricShape(StrEnum):
    """What a metric of experiments is made of.

    BINOMIAL: whether it happened to the unit. MEAN: the sum of the unit's values, averaged over units.
    RATIO: the sum of one column over the sum of another. QUANTILE: of the units' values. TIME_TO_EVENT: days
    without the event, within a window, whether or not the log has seen its end.
    """

    BINOMIAL = "binomial"
    MEAN = "mean"
    RATIO = "ratio"
    QUANTILE = "quantile"
    TIME_TO_EVENT = "time_to_event"
