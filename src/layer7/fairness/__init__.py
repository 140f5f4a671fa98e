"""Is it as good for every group: parity of service and outcome, and a gate for changes."""

from layer7.fairness.gate import Arms, Move, Verdict, judge
from layer7.fairness.groups import (
    ATTRIBUTES,
    LEAST_EVENTS,
    LEAST_PEOPLE,
    OTHER_SMALL,
    UNDISCLOSED,
    checked_groups,
    crossed,
)
from layer7.fairness.ladder import LADDER
from layer7.fairness.log_ratio import without
from layer7.fairness.parity import ALPHA, Level, Parity, Question, parity
from layer7.fairness.proxies import Proxy, proxy
from layer7.fairness.ratios import ImpactRatio, impact_ratios

__all__ = [
    "ALPHA",
    "ATTRIBUTES",
    "LADDER",
    "LEAST_EVENTS",
    "LEAST_PEOPLE",
    "OTHER_SMALL",
    "UNDISCLOSED",
    "Arms",
    "ImpactRatio",
    "Level",
    "Move",
    "Parity",
    "Proxy",
    "Question",
    "Verdict",
    "checked_groups",
    "crossed",
    "impact_ratios",
    "judge",
    "parity",
    "proxy",
    "without",
]
