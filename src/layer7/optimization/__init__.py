"""Which setting would be better: recommendations, with what speaks for them."""

from layer7.optimization.recommendation import (
    Finding,
    Grounds,
    Nature,
    Origin,
    Proposal,
    recommend,
    recommendation_id,
    risk_of,
    route_of,
)
from layer7.optimization.resume_score import Calibration, calibrate

__all__ = [
    "Calibration",
    "Finding",
    "Grounds",
    "Nature",
    "Origin",
    "Proposal",
    "calibrate",
    "recommend",
    "recommendation_id",
    "risk_of",
    "route_of",
]
