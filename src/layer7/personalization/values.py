"""The values of one person's settings: everybody's, what her data say, and what that is learned from."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NamedTuple

LEVEL = 0.95
METHODS: Mapping[str, str] = MappingProxyType(
    {
        "min_fit_score_to_apply": "the fit score below which a tenth of your applications went",
        "optimal_applications_per_week": "what you sent per week in the last 12 weeks that you searched",
        "follow_up_timing_days": "the middle of the waits for answers that you had",
        "edit_frequency": "how many of the suggestions that you took you changed first",
        "suggestion_acceptance_rate": "suggestions that you took / suggestions that you decided on",
        "preferred_company_sizes": "sizes of company that more than a quarter of your applications went to",
        "preferred_locations": "places that more than a quarter of your applications went to",
        "work_arrangement_preference": "the arrangement that most of your applications went to",
    }
)
"""What each value is learned from, in words to the person; all are drawn towards everybody's value."""

Value = float | str | tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Usual:
    """Everybody's values, as they are served.

    Args:
        pace: applications per week.
        fit: fit score below which nothing is planned.
        follow_up: days after which to follow up.
    """

    pace: float
    fit: float
    follow_up: float

    def of(self, field: str) -> Value | None:
        """Give everybody's value of a field; None where there is none."""
        known: Mapping[str, Value] = {
            "optimal_applications_per_week": self.pace,
            "min_fit_score_to_apply": self.fit,
            "follow_up_timing_days": self.follow_up,
            "edit_frequency": "medium",
        }
        return known.get(field)


class Learned(NamedTuple):
    """One value as her data have it today.

    Args:
        value: the value.
        n: observations of her own that it rests on.
        low: lower end of its 95 % interval; None for words.
        high: upper end of it.
    """

    value: Value
    n: int
    low: float | None = None
    high: float | None = None


def evidence_words(field: str) -> str:
    """Say what a field is learned from."""
    return METHODS.get(field, "what you do with suggestions, again and again")


def document(learned: Learned) -> dict[str, Any]:
    """Give a learned value as plain JSON values, numbers to 12 digits."""
    value, n, low, high = learned
    return {
        "target": list(value) if isinstance(value, tuple) else _rounded(value),
        "low": _rounded(low),
        "high": _rounded(high),
        "n": n,
    }


def _rounded(value: float | str | None) -> float | str | None:
    return float(f"{value:.12g}") if isinstance(value, float) else value
