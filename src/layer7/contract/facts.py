"""What is counted of a unit of an experiment: the facts that metrics are made of."""

from collections.abc import Mapping
from types import MappingProxyType

WINDOW_DAYS = 28
"""Answers count within so many days, on applications that are at least as old: silence is no bias then."""

OUTCOMES = (
    "created",
    "applied",
    "submitted",
    "trials",
    "interviews",
    "offers",
    "mature",
    "answers",
    "rejections",
    "answer_days",
)
"""Facts of applications after the unit was exposed."""

HISTORY = ("before_submitted", "before_interviews")
"""Facts of the person from before her first exposure."""

FEEDBACK = ("suggestions", "accepted")

CAPPED: Mapping[str, str] = MappingProxyType(
    {"submitted_capped": "submitted", "interviews_capped": "interviews"}
)
"""Facts of which extreme values count as the cap, by the fact that is capped."""

FACTS = (*OUTCOMES, *FEEDBACK, "has_interview", *CAPPED, *HISTORY)
"""Everything that is counted of a unit; see the page *Results of experiments* for what each of them is."""
