"""How much, and how sure: Ibis expressions in, Ibis expressions out."""

from layer7.analytics.applications.delays import to_silence_folds, to_silence_moments
from layer7.analytics.applications.fates import fate_counts, fated
from layer7.analytics.applications.outcomes import Outlook, judged, outcomes, outlook
from layer7.analytics.applications.quality import DataQuality, Share, quality_moments, to_quality
from layer7.analytics.optimizing.scores import score_moments, scored_people, to_folds, to_people
from layer7.analytics.optimizing.within_people import (
    Components,
    parts_known,
    sample_people,
    sent_rows,
    to_components,
    to_fit_parts,
    to_sent,
)
from layer7.analytics.performance.judging import performance_moments, range_moments
from layer7.analytics.performance.months import month_facts, range_facts
from layer7.analytics.performance.overview import funnel, weekly
from layer7.analytics.performance.person import finish, to_contract

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
