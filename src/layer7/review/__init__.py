"""What people decided about recommendations, and what each decision will do."""

from layer7.review.asking import worth_asking
from layer7.review.consequences import consequences
from layer7.review.decision import (
    ENGINE,
    LEADS_TO,
    NEEDS_REASON,
    Action,
    Decision,
    NextStep,
    decide,
    next_step,
    possible_actions,
)

__all__ = [
    "ENGINE",
    "LEADS_TO",
    "NEEDS_REASON",
    "Action",
    "Decision",
    "NextStep",
    "consequences",
    "decide",
    "next_step",
    "possible_actions",
    "worth_asking",
]
