"""From everybody's value to her own, at most one step a day; every step is kept, so that it can be undone."""

import math
from collections.abc import Mapping
from datetime import date
from types import MappingProxyType
from typing import Any

from layer7.personalization.values import Learned, Usual, document

STEPS: Mapping[str, float] = MappingProxyType(
    {
        "min_fit_score_to_apply": 2.0,
        "optimal_applications_per_week": 1.0,
        "follow_up_timing_days": 1.0,
    }
)
"""How far a number moves in a day at most, in its own unit."""

GRAIN = 0.5
"""Numbers move in halves; a difference below that moves nothing."""

WORDS: Mapping[str, tuple[str, ...]] = MappingProxyType({"edit_frequency": ("low", "medium", "high")})
"""Words that have an order move one place a day."""

MOST_KEPT = 40
"""Changes of a field that are kept."""

Kept = Mapping[str, Any]
"""A person's settings as they are kept: ``as_of``, ``before`` and ``fields``; plain JSON values."""


def stepped(kept: Kept | None, learned: Mapping[str, Learned], usual: Usual, *, day: date) -> Kept:
    """Move a person's settings towards what her data say, by one step for each day since the last night.

    The same night again gives the same; a night of an earlier day changes nothing.

    Args:
        kept: her settings as of the last night; None before the first.
        learned: what her data say.
        usual: everybody's values, where every field begins.
        day: the night's day.

    Example:
        >>> usual = Usual(pace=10.0, fit=60.0, follow_up=7.0)
        >>> found = {"optimal_applications_per_week": Learned(value=14.2, n=12)}
        >>> first = stepped(None, found, usual, day=date(2026, 3, 2))
        >>> then = stepped(first, found, usual, day=date(2026, 3, 5))
        >>> [each["fields"]["optimal_applications_per_week"]["value"] for each in (first, then)]
        [11.0, 14.0]
    """
    today = day.isoformat()
    if kept is not None and kept["as_of"] > today:
        return kept
    # The day of the night before this one; this one may run again.
    before = None if kept is None else kept["as_of"] if kept["as_of"] != today else kept["before"]
    days = 1 if before is None else max((day - date.fromisoformat(before)).days, 1)
    old: Mapping[str, Any] = {} if kept is None else kept["fields"]
    fields = {
        field: _field(field, old.get(field), value, usual, today=today, days=days)
        for field, value in sorted(learned.items())
    }
    return {"as_of": today, "before": before, "fields": fields}


def _field(
    field: str, old: Mapping[str, Any] | None, learned: Learned, usual: Usual, *, today: str, days: int
) -> dict[str, Any]:
    told = document(learned)
    history = [entry for entry in ([] if old is None else old["history"]) if entry[0] < today]
    now = history[-1][1] if history else usual.of(field)
    value = _moved(field, now, told["target"], days)
    if not history or value != now:
        history.append([today, value])
    told["value"], told["history"] = value, history[-MOST_KEPT:]
    return told


def _moved(field: str, now: Any, target: Any, days: int) -> Any:
    if field in STEPS:
        return _number(float(now), float(target), STEPS[field] * days)
    if field in WORDS:
        order = WORDS[field]
        here, there = order.index(now), order.index(target)
        return order[here + max(-days, min(days, there - here))]
    return target


def _number(now: float, target: float, reach: float) -> float:
    """Move towards the target in whole grains, never beyond it and never further than the reach."""
    way = max(-reach, min(reach, target - now))
    return now + math.copysign(math.floor(abs(way) / GRAIN + 1e-9) * GRAIN, way)
