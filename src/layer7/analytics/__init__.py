"""How much, and how sure: Ibis expressions in, Ibis expressions out."""

from layer7.analytics.delays import to_silence_folds, to_silence_moments
from layer7.analytics.fates import fate_counts, fated
from layer7.analytics.judging import performance_moments, range_moments
from layer7.analytics.outcomes import Outlook, judged, outcomes, outlook
from layer7.analytics.overview import funnel, weekly
from layer7.analytics.performance import month_facts, range_facts
from layer7.analytics.person import finish, to_contract
from layer7.analytics.quality import DataQuality, Share, quality_moments, to_quality
from layer7.analytics.scores import score_moments, scored_people, to_folds, to_people
from layer7.analytics.within_people import (
    Components,
    parts_known,
    sample_people,
    sent_rows,
    to_components,
    to_fit_parts,
    to_sent,
)

__all__ = [
    "Components",
    "DataQuality",
    "Outlook",
    "Share",
    "fate_counts",
    "fated",
    "finish",
    "funnel",
    "judged",
    "month_facts",
    "outcomes",
    "outlook",
    "parts_known",
    "performance_moments",
    "quality_moments",
    "range_facts",
    "range_moments",
    "sample_people",
    "score_moments",
    "scored_people",
    "sent_rows",
    "to_components",
    "to_contract",
    "to_fit_parts",
    "to_folds",
    "to_people",
    "to_quality",
    "to_sent",
    "to_silence_folds",
    "to_silence_moments",
    "weekly",
]
