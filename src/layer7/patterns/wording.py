"""What was found, in the contract's words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import Field

from layer7.contract.analytics import (
    ApplicationTiming,
    CompanyPattern,
    LocationPattern,
    RolePattern,
    UserPatterns,
)
from layer7.contract.evidence import Explained, Lineage, Period
from layer7.contract.fields import Interval, NonNegative, Whole
from layer7.contract.shapes import Fraction, Identifier

LEVEL = 0.95
METHOD = (
    "hierarchical log odds with a learned share of effects; Bayesian FDR of all that is shown at most 10 %"
)

FIELDS: Mapping[str, tuple[str, ...]] = {
    "best_performing_roles": ("title",),
    "best_locations": ("location",),
    "best_companies": ("company_type", "industry", "company_size"),
    "best_seniority": ("seniority",),
    "optimal_application_timing": ("weekday", "hours"),
    "best_resume_version": ("resume_version_id",),
    "best_performing_sections": ("section", "gap"),
}
"""Which dimensions each field of the specification is filled from."""


class PersonPattern(Explained):
    """A level that answers a person differently than the rest of her applications do, good or bad."""

    user_id: Identifier | None = Field(description="Whose pattern this is; null once the person is erased.")
    dimension: str = Field(description="What applications were split by, such as location.")
    level: str = Field(description="The level of it, such as Berlin.")
    odds_ratio: NonNegative = Field(
        description="Odds of an interview here against what her average and everybody's odds here say; "
        "below 1 is worse."
    )
    interval: Interval = Field(description="95 % interval of the odds ratio, given that it is not 1.")
    n: Whole = Field(description="Applications to the level.")
    probability: Fraction = Field(
        description="Chance that the odds differ by at least a quarter, to this side, and here."
    )
    events: Whole = Field(description="Interviews that these applications reached.")
    interview_rate: Fraction = Field(description="Shrunk interview rate of the level.")


@dataclass(frozen=True, slots=True)
class Told:
    """What stands beside every pattern of a person.

    Args:
        user_id: the caller's own name of the person.
        window: the time that her applications are from.
        lineage: where the patterns came from.
    """

    user_id: str | None
    window: Period
    lineage: Lineage | None = None


def to_pattern(row: Mapping[str, Any], told: Told) -> PersonPattern:
    """Say one row of the derived table in words.

    Args:
        row: by the columns of :data:`layer7.patterns.detection.FOUND`.
        told: what stands beside it.
    """
    return PersonPattern(
        user_id=told.user_id,
        dimension=row["dimension"],
        level=row["level"],
        odds_ratio=round(row["odds_ratio"], 3),
        probability=round(row["probability"], 4),
        events=row["events"],
        interview_rate=round(row["rate"], 4),
        n=row["n"],
        interval=(round(row["low"], 3), round(row["high"], 3)),
        window=told.window,
        method=METHOD,
        what_would_change_this=_change(row),
    )


def _change(row: Mapping[str, Any]) -> str:
    kind = "without an interview" if row["odds_ratio"] > 1 else "with an interview"
    return f"About {row['change']} more applications here {kind}."


@dataclass(frozen=True, slots=True)
class Person:
    """What is kept of a person beside her patterns.

    Args:
        needed: about how many more applications, by dimension.
        timing: applications whose weekday is known.
        preferences: what she edits, rejects and accepts, by field of the contract.
    """

    needed: Mapping[str, int]
    timing: int = 0
    preferences: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def to_contract(rows: Sequence[Mapping[str, Any]], person: Person, told: Told) -> UserPatterns:
    """Say all that was found of one person: good levels, and what is needed where there is none.

    Args:
        rows: her patterns, good and bad.
        person: what is kept of her besides.
        told: what stands beside it.
    """
    good = sorted((row for row in rows if row["odds_ratio"] > 1), key=lambda row: -row["rate"])
    by_field = {
        name: [row for row in good if row["dimension"] in dimensions] for name, dimensions in FIELDS.items()
    }
    needed = {
        name: max(1, min(person.needed.get(dimension, 1) for dimension in dimensions))
        for name, dimensions in FIELDS.items()
        if not by_field[name]
    }
    seniority, versions = by_field["best_seniority"], by_field["best_resume_version"]
    return UserPatterns(
        user_id=told.user_id or "erased",
        best_performing_roles=tuple(
            RolePattern(title=row["level"], sample_size=row["n"], **_rate(row, told))
            for row in by_field["best_performing_roles"]
        ),
        best_locations=tuple(
            LocationPattern(location=row["level"], **_rate(row, told)) for row in by_field["best_locations"]
        ),
        best_companies=tuple(
            CompanyPattern(type=row["level"], **_rate(row, told)) for row in by_field["best_companies"]
        ),
        best_seniority=seniority[0]["level"] if seniority else None,
        optimal_application_timing=_timing(by_field["optimal_application_timing"], person, told),
        best_resume_version=versions[0]["level"] if versions else None,
        best_performing_sections=tuple(row["level"] for row in by_field["best_performing_sections"]),
        **{name: person.preferences.get(name, ()) for name in PREFERENCES},
        as_of=told.window.end,
        needed=needed,
        window=told.window,
        method=METHOD,
        what_would_change_this=MORE,
        lineage=told.lineage,
    )


MORE = "More applications; the numbers in needed are for a level with three times the odds."

PREFERENCES = ("typical_edit_patterns", "rejection_patterns", "acceptance_patterns")
"""Fields that are filled from what a person did with suggestions."""


def _rate(row: Mapping[str, Any], told: Told) -> dict[str, Any]:
    return {
        "interview_rate": round(row["rate"], 4),
        "n": row["n"],
        "interval": (round(row["rate_low"], 4), round(row["rate_high"], 4)),
        "level": LEVEL,
        "method": METHOD,
        "window": told.window,
        "what_would_change_this": _change(row),
    }


def _timing(rows: Sequence[Mapping[str, Any]], person: Person, told: Told) -> ApplicationTiming:
    best = {dimension: next((r for r in rows if r["dimension"] == dimension), None) for dimension in _TIMES}
    shown = [row["probability"] for row in best.values() if row]
    return ApplicationTiming(
        best_day_of_week=best["weekday"]["level"] if best["weekday"] else None,
        best_time_of_day=best["hours"]["level"] if best["hours"] else None,
        confidence=round(min(shown), 4) if shown else None,
        n=person.timing,
        window=told.window,
        method=METHOD,
        what_would_change_this=_change(rows[0]) if rows else NO_TIME,
    )


_TIMES = ("weekday", "hours")
NO_TIME = "No evidence that weekday or hour matters here; in 83,643 real applications neither did."
