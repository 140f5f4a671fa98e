"""The columns of an event, as the specification and its optional additions name them."""

import pyarrow as pa

TEXT = pa.dictionary(pa.int32(), pa.string())
"""A text that many events say: it is kept once, and each event points to it."""
TEXTS = pa.list_(pa.string())
SCORES = pa.map_(pa.string(), pa.float64())
JOB_TYPE = pa.struct(
    [
        ("title", TEXT),
        ("company", TEXT),
        ("seniority", TEXT),
        ("location", TEXT),
        ("industry", TEXT),
        ("technical_match", pa.float64()),
        ("seniority_match", pa.float64()),
        ("experience_match", pa.float64()),
        ("signal", pa.float64()),
        ("company_type", TEXT),
        ("company_size", TEXT),
        ("skills", pa.list_(TEXT)),
        ("salary", pa.float64()),
        ("posted_at", TEXT),
        ("channel", TEXT),
        ("applicants", pa.float64()),
    ]
)
CONTEXT_TYPE = pa.struct(
    [
        ("strategy_mode", TEXT),
        ("fit_score", pa.float64()),
        ("category", TEXT),
        ("job_characteristics", JOB_TYPE),
        ("resume_score", pa.float64()),
        ("tailoring_applied", pa.bool_()),
        ("resume_score_components", SCORES),
    ]
)
OUTCOME_TYPE = pa.struct([("status", TEXT), ("days_to_response", pa.float64()), ("response_type", TEXT)])
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
        ("seniority", TEXT),
        ("target_roles", TEXTS),
        ("years_experience", pa.int64()),
        ("industries", TEXTS),
        ("locations", TEXTS),
        ("timezone", TEXT),
    ]
)
EVENT_SCHEMA = pa.schema(
    [
        pa.field("event_id", pa.string(), nullable=False),
        pa.field("event_type", TEXT, nullable=False),
        pa.field("user_id", TEXT, nullable=False),
        pa.field("application_id", pa.string()),
        pa.field("job_id", pa.string()),
        pa.field("resume_version_id", TEXT),
        pa.field("context", CONTEXT_TYPE),
        pa.field("outcome", OUTCOME_TYPE),
        pa.field("timestamp", pa.string(), nullable=False),
        pa.field("from_mode", TEXT),
        pa.field("to_mode", TEXT),
        pa.field("reason", TEXT),
        pa.field("metrics", METRICS_TYPE),
        pa.field("rewrite_type", TEXT),
        pa.field("before_score", pa.float64()),
        pa.field("after_score", pa.float64()),
        pa.field("score_delta", pa.float64()),
        pa.field("gaps_addressed", TEXTS),
        pa.field("user_accepted", pa.bool_()),
        pa.field("suggestion_type", TEXT),
        pa.field("suggested_content", TEXT),
        pa.field("final_content", TEXT),
        pa.field("rejection_reason", TEXT),
        pa.field("profile", PROFILE_TYPE),
        pa.field("decision", TEXT),
        pa.field("propensity", pa.float64()),
        pa.field("explored", pa.bool_()),
        pa.field("experiment_id", TEXT),
        pa.field("variant_id", TEXT),
        pa.field("purpose", TEXT),
        pa.field("value", pa.bool_()),
    ]
)
