"""The pages that people read and decide on: overview, recommendations, experiments, rollouts."""

from layer7.server.pages.router import LINKS, Link, router
from layer7.server.pages.views import (
    ExperimentView,
    Fall,
    FunnelStep,
    Happened,
    Overview,
    PageData,
    QualityLine,
    Queue,
    QueueItem,
    RecommendationView,
    RolloutView,
    RunLine,
    SilencePoint,
    StageLine,
    WeekRate,
    foreseen,
)

__all__ = [
    "LINKS",
    "ExperimentView",
    "Fall",
    "FunnelStep",
    "Happened",
    "Link",
    "Overview",
    "PageData",
    "QualityLine",
    "Queue",
    "QueueItem",
    "RecommendationView",
    "RolloutView",
    "RunLine",
    "SilencePoint",
    "StageLine",
    "WeekRate",
    "foreseen",
    "router",
]
