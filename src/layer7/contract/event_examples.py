"""One example of every event of Layer 4's log, as it is sent: with nothing but what the contract names."""

from collections.abc import Mapping
from types import MappingProxyType

from pydantic.config import JsonDict

from layer7.contract.vocabulary import EventType

_CONTEXT: JsonDict = {
    "strategy_mode": "APPLY_MODE",
    "fit_score": 82,
    "category": "target",
    "job_characteristics": {
        "title": "Backend Engineer",
        "company": "Example Health",
        "seniority": "mid",
        "location": "Berlin",
        "industry": "Healthcare",
        "technical_match": 0.8,
        "seniority_match": 1.0,
        "experience_match": 0.7,
        "company_type": "Series A startup",
    },
    "resume_score": 78,
    "tailoring_applied": True,
    "resume_score_components": {"experience": 85, "format": 65, "keywords": 80},
}
_APPLICATION: JsonDict = {
    "user_id": "user_123",
    "application_id": "app_9",
    "job_id": "job_77",
    "resume_version_id": "resume_3",
    "context": _CONTEXT,
}
_METRICS: JsonDict = {
    "resume_score": 78,
    "total_applications": 31,
    "interview_rate": 0.03,
    "applications_last_7_days": 8,
}
_STRATEGY: JsonDict = {"user_id": "user_123", "to_mode": "APPLY_MODE", "metrics": _METRICS}
_RESUME: JsonDict = {
    "user_id": "user_123",
    "resume_version_id": "resume_3",
    "before_score": 71,
    "after_score": 78,
    "score_delta": 7,
    "user_accepted": True,
}
_SUGGESTION: JsonDict = {
    "user_id": "user_123",
    "suggestion_type": "rewrite",
    "suggested_content": "Cut the response time of the search by 40 %.",
}

_BODIES: Mapping[EventType, JsonDict] = {
    EventType.APPLICATION_CREATED: {**_APPLICATION, "timestamp": "2025-01-06T09:02:11+01:00"},
    EventType.APPLICATION_SUBMITTED: {
        **_APPLICATION,
        "event_id": "event_0002",
        "timestamp": "2025-01-06T09:14:05+01:00",
    },
    EventType.STATUS_CHANGED: {
        **_APPLICATION,
        "outcome": {"status": "interview", "days_to_response": 5, "response_type": "email"},
        "timestamp": "2025-01-11T16:40:00+01:00",
    },
    EventType.OUTCOME_CORRECTED: {
        "user_id": "user_123",
        "application_id": "app_9",
        "outcome": {"status": "rejected", "days_to_response": 12},
        "timestamp": "2025-01-20T18:00:00+01:00",
    },
    EventType.MODE_CHANGED: {
        **_STRATEGY,
        "from_mode": "IMPROVE_RESUME_FIRST",
        "reason": "The resume score passed 75.",
        "timestamp": "2025-01-05T18:00:00+01:00",
    },
    EventType.TARGET_ADJUSTED: {
        **_STRATEGY,
        "reason": "Ten applications a week are kept up easily.",
        "timestamp": "2025-01-12T18:00:00+01:00",
    },
    EventType.PLAN_GENERATED: {
        **_STRATEGY,
        "reason": "A new week.",
        "timestamp": "2025-01-13T07:00:00+01:00",
    },
    EventType.RESUME_REWRITTEN: {
        **_RESUME,
        "rewrite_type": "bullet",
        "gaps_addressed": ["quantified results"],
        "timestamp": "2025-01-04T20:15:00+01:00",
    },
    EventType.SCORE_CHANGED: {**_RESUME, "timestamp": "2025-01-04T20:15:02+01:00"},
    EventType.SUGGESTION_ACCEPTED: {**_SUGGESTION, "timestamp": "2025-01-04T20:15:00+01:00"},
    EventType.SUGGESTION_EDITED: {
        **_SUGGESTION,
        "final_content": "Made the search answer 40 % faster.",
        "timestamp": "2025-01-04T20:21:00+01:00",
    },
    EventType.SUGGESTION_REJECTED: {
        **_SUGGESTION,
        "rejection_reason": "That was a team's work.",
        "timestamp": "2025-01-04T20:24:00+01:00",
    },
    EventType.PROFILE_UPDATED: {
        "user_id": "user_123",
        "profile": {
            "seniority": "mid",
            "target_roles": ["Backend Engineer"],
            "years_experience": 4,
            "industries": ["Healthcare"],
            "locations": ["Berlin"],
            "timezone": "Europe/Berlin",
        },
        "timestamp": "2025-01-02T12:00:00+01:00",
    },
    EventType.CONSENT_CHANGED: {
        "user_id": "user_123",
        "purpose": "contribute_to_market_insights",
        "value": True,
        "timestamp": "2025-01-02T12:01:00+01:00",
    },
    EventType.ERASURE_REQUESTED: {"user_id": "user_456", "timestamp": "2025-02-01T08:00:00+01:00"},
    EventType.EXPERIMENT_EXPOSED: {
        "user_id": "user_123",
        "experiment_id": "exp_001",
        "variant_id": "treatment",
        "application_id": "app_9",
        "decision": "APPLY_MODE",
        "counterfactual_decisions": {"control": "IMPROVE_RESUME_FIRST"},
        "timestamp": "2025-01-06T09:01:58+01:00",
    },
    EventType.POLICY_DECISION: {
        "user_id": "user_123",
        "decision": "APPLY_MODE",
        "propensity": 0.9,
        "explored": False,
        "metrics": _METRICS,
        "timestamp": "2025-01-06T09:01:58+01:00",
    },
}

EVENT_EXAMPLES: Mapping[EventType, JsonDict] = MappingProxyType(
    {event_type: {"event_type": event_type.value, **body} for event_type, body in _BODIES.items()}
)
"""An example of every event type, as JSON."""
