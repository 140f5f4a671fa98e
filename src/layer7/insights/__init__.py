"""What people see, and why: structured findings in, sentences out."""

from layer7.insights.facts import (
    Change,
    Facts,
    Learned,
    Manner,
    Pattern,
    Rated,
    SilenceLaw,
    Standing,
    Targets,
    Week,
)
from layer7.insights.letter import weekly_insights
from layer7.insights.markdown import to_markdown
from layer7.insights.webmail import to_html

__all__ = [
    "Change",
    "Facts",
    "Learned",
    "Manner",
    "Pattern",
    "Rated",
    "SilenceLaw",
    "Standing",
    "Targets",
    "Week",
    "to_html",
    "to_markdown",
    "weekly_insights",
]
