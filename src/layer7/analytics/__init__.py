"""How much, and how sure: Ibis expressions in, Ibis expressions out."""

from layer7.analytics.delays import delay_moments, to_silence_moments
from layer7.analytics.outcomes import Outlook, judged, outcomes, outlook
from layer7.analytics.overview import funnel, weekly_moments
from layer7.analytics.performance import performance_moments, range_moments
from layer7.analytics.person import finish, to_contract
from layer7.analytics.quality import DataQuality, Share, quality_moments, to_quality
from layer7.analytics.scores import score_moments, scored_people, to_folds, to_people

__all__ = [
    "DataQuality",
    "Outlook",
    "Share",
    "delay_moments",
    "finish",
    "funnel",
    "judged",
    "outcomes",
    "outlook",
    "performance_moments",
    "quality_moments",
    "range_moments",
    "score_moments",
    "scored_people",
    "to_contract",
    "to_folds",
    "to_people",
    "to_quality",
    "to_silence_moments",
    "weekly_moments",
]
