"""Which setting would be better: recommendations, with what speaks for them."""

from layer7.optimization.fit_score import FitAdvice, weigh
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
from layer7.optimization.timing import TimingAdvice, advise

__all__ = [
    "Calibration",
    "Finding",
    "FitAdvice",
    "Grounds",
    "Nature",
    "Origin",
    "Proposal",
    "TimingAdvice",
    "advise",
    "calibrate",
    "recommend",
    "recommendation_id",
    "risk_of",
    "route_of",
    "weigh",
]
