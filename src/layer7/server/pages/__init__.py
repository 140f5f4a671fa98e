"""The pages that people read and decide on: the overview, and the recommendations with their plans."""

from layer7.server.pages.router import LINKS, Link, router
from layer7.server.pages.views import (
    FunnelStep,
    Overview,
    PageData,
    QualityLine,
    Queue,
    QueueItem,
    RecommendationView,
    RunLine,
    SilencePoint,
    StageLine,
    WeekRate,
    foreseen,
)

__all__ = [
    "LINKS",
    "FunnelStep",
    "Link",
    "Overview",
    "PageData",
    "QualityLine",
    "Queue",
    "QueueItem",
    "RecommendationView",
    "RunLine",
    "SilencePoint",
    "StageLine",
    "WeekRate",
    "foreseen",
    "router",
]
