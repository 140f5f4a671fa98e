"""The columns of an event, as the specification and its optional additions name them."""

import pyarrow as pa

TEXTS = pa.list_(pa.string())
SCORES = pa.map_(pa.string(), pa.float64())
JOB_TYPE = pa.struct(
    [
        ("title", pa.string()),
        ("company", pa.string()),
        ("seniority", pa.string()),
        ("location", pa.string()),
        ("industry", pa.string()),
        ("technical_match", pa.float64()),
        ("seniority_match", pa.float64()),
        ("experience_match", pa.float64()),
        ("signal", pa.float64()),
        ("company_type", pa.string()),
        ("company_size", pa.string()),
        ("skills", TEXTS),
        ("salary", pa.float64()),
        ("posted_at", pa.string()),
        ("channel", pa.string()),
        ("applicants", pa.float64()),
    ]
)
CONTEXT_TYPE = pa.struct(
    [
        ("strategy_mode", pa.string()),
        ("fit_score", pa.float64()),
        ("category", pa.string()),
        ("job_characteristics", JOB_TYPE),
        ("resume_score", pa.float64()),
        ("tailoring_applied", pa.bool_()),
        ("resume_score_components", SCORES),
    ]
)
OUTCOME_TYPE = pa.struct(
    [("status", pa.string()), ("days_to_response", pa.float64()), ("response_type", pa.string())]
)
METRICS_TYPE = pa.struct(
    [
        ("resume_score", pa.float64()),
        ("total_applications", pa.int64()),
        ("interview_rate", pa.float64()),
        ("applications_last_7_days", pa.int64()),
    ]
)
PROFILE_TYPE = pa.struct(
    [
        ("seniority", pa.string()),
        ("target_roles", TEXTS),
        ("years_experience", pa.int64()),
        ("industries", TEXTS),
        ("locations", TEXTS),
        ("timezone", pa.string()),
    ]
)
EVENT_SCHEMA = pa.schema(
    [
        pa.field("event_id", pa.string(), nullable=False),
        pa.field("event_type", pa.string(), nullable=False),
        pa.field("user_id", pa.string(), nullable=False),
        pa.field("application_id", pa.string()),
        pa.field("job_id", pa.string()),
        pa.field("resume_version_id", pa.string()),
        pa.field("context", CONTEXT_TYPE),
        pa.field("outcome", OUTCOME_TYPE),
        pa.field("timestamp", pa.string(), nullable=False),
        pa.field("from_mode", pa.string()),
        pa.field("to_mode", pa.string()),
        pa.field("reason", pa.string()),
        pa.field("metrics", METRICS_TYPE),
        pa.field("rewrite_type", pa.string()),
        pa.field("before_score", pa.float64()),
        pa.field("after_score", pa.float64()),
        pa.field("score_delta", pa.float64()),
        pa.field("gaps_addressed", TEXTS),
        pa.field("user_accepted", pa.bool_()),
        pa.field("suggestion_type", pa.string()),
        pa.field("suggested_content", pa.string()),
        pa.field("final_content", pa.string()),
        pa.field("rejection_reason", pa.string()),
        pa.field("profile", PROFILE_TYPE),
        pa.field("decision", pa.string()),
        pa.field("propensity", pa.float64()),
        pa.field("explored", pa.bool_()),
        pa.field("experiment_id", pa.string()),
        pa.field("variant_id", pa.string()),
        pa.field("purpose", pa.string()),
        pa.field("value", pa.bool_()),
    ]
)
