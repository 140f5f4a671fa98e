"""From a proposed value to a recommendation: which way it may come into force, and under which name."""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from layer7.contract.evidence import Lineage, Period
from layer7.contract.fields import Json
from layer7.contract.recommendation import (
    Evidence,
    ImpactEstimate,
    OptimizationRecommendation,
    SettingsChange,
)
from layer7.contract.vocabulary import Component, RiskLevel, Route
from layer7.errors import Layer7Error

SMALL = 0.1
LARGE = 0.3
"""Share of a setting's range: up to SMALL a change is small, beyond LARGE it is large."""


class Grounds(StrEnum):
    """What kind of data speak for a change."""

    EXPERIMENT = "experiment"
    OBSERVATION = "observation"


class Nature(StrEnum):
    """What a setting changes: what people are led to do, what is said of them, or when lots are drawn."""

    BEHAVIOURAL = "behavioural"
    PREDICTIVE = "predictive"
    EXPLORING = "exploring"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A better value for a setting.

    Args:
        component: whose setting.
        parameter: its name.
        current_value: the value in force.
        recommended_value: the better one, in the form in which it is kept.
        nature: what the setting does.
        size: how far the value moves, as a share of its range, 0 to 1.
        grounds: what kind of data speak for it.
        reversible: whether taking it back undoes it.

    Raises:
        Layer7Error: ``bad_size`` outside 0 to 1.
    """

    component: Component
    parameter: str
    current_value: Json
    recommended_value: Json
    nature: Nature
    size: float
    grounds: Grounds
    reversible: bool = True

    def __post_init__(self) -> None:
        if not 0 <= self.size <= 1:
            raise Layer7Error("bad_size", f"The size {self.size} is no share.", "Divide by the range.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What speaks for a proposal.

    Args:
        reasoning: why, in words.
        evidence: the numbers.
        users_affected: people whose settings would change.
        expected_benefit: the gain in words, with its interval.
        method: how it was found.
        what_would_change_this: what would have to be seen for this to be said differently.
    """

    reasoning: str
    evidence: Evidence
    users_affected: int
    expected_benefit: str
    method: str
    what_would_change_this: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """When a recommendation is made, and from what.

    Args:
        as_of: the end of the night, with its time zone.
        from_version: version of the component's configuration in force; None leaves the plan out.
        window: time that the data are from.
        lineage: the part of the log that was read, and by which run.
    """

    as_of: datetime
    from_version: str | None = None
    window: Period | None = None
    lineage: Lineage | None = None


def route_of(proposal: Proposal) -> Route:
    """Decide how a proposal may come into force.

    A small change that can be taken back and that an experiment speaks for applies by itself; any other
    proven change is for people to decide. What was only observed is tried in an experiment first where it
    changes what people do, and is reviewed by people where it changes only what is said, or where lots are
    drawn to learn.

    Args:
        proposal: the change.

    Example:
        >>> route_of(_example(Grounds.OBSERVATION)).value, route_of(_example(Grounds.EXPERIMENT)).value
        ('a_b_test', 'auto_apply')
    """
    if proposal.grounds is Grounds.EXPERIMENT:
        small = proposal.reversible and proposal.size <= SMALL
        return Route.AUTO_APPLY if small else Route.MANUAL_REVIEW
    return Route.A_B_TEST if proposal.nature is Nature.BEHAVIOURAL else Route.MANUAL_REVIEW


def risk_of(proposal: Proposal) -> RiskLevel:
    """Say how much harm a change could do before it is taken back.

    High where it cannot be taken back, or where people's behaviour moves by more than 30 % of the range; low
    for small changes that an experiment speaks for, or that only change what is said; else medium.

    Args:
        proposal: the change.

    Example:
        >>> risk_of(_example(Grounds.OBSERVATION)).value
        'medium'
    """
    behavioural = proposal.nature is Nature.BEHAVIOURAL
    if not proposal.reversible or (behavioural and proposal.size > LARGE):
        return RiskLevel.HIGH
    proven = proposal.grounds is Grounds.EXPERIMENT or not behavioural
    return RiskLevel.LOW if proven and proposal.size <= SMALL else RiskLevel.MEDIUM


def recommendation_id(component: Component, parameter: str, recommended_value: Json, as_of: datetime) -> str:
    """Name a recommendation by what it says and the month it is said in.

    Two nights of a month that recommend the same value make the same recommendation, so that nobody reviews
    it twice; next month it may be asked again.

    Args:
        component: whose setting.
        parameter: its name.
        recommended_value: the value, in the form in which it is kept.
        as_of: the end of the night.

    Example:
        >>> first, second = datetime(2026, 3, 2), datetime(2026, 3, 30)
        >>> of = lambda value, at: recommendation_id(Component.STRATEGY_ENGINE, "min_days_in_mode", value, at)
        >>> of(5, first) == of(5, second) != of(6, second)
        True
    """
    said = (str(component), parameter, recommended_value, f"{as_of:%Y-%m}")
    text = json.dumps(said, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return "rec_" + hashlib.sha256(text.encode()).hexdigest()[:12]


def recommend(proposal: Proposal, finding: Finding, origin: Origin) -> OptimizationRecommendation:
    """Make the recommendation that people see and the night keeps.

    Args:
        proposal: the change.
        finding: what speaks for it.
        origin: when, and from what.

    Raises:
        Layer7Error: ``no_change`` when the recommended value is in force already.
    """
    if proposal.recommended_value == proposal.current_value:
        raise Layer7Error(
            "no_change", f"{proposal.parameter} has the recommended value already.", "Recommend nothing."
        )
    return OptimizationRecommendation(
        component=proposal.component,
        parameter=proposal.parameter,
        current_value=proposal.current_value,
        recommended_value=proposal.recommended_value,
        reasoning=finding.reasoning,
        evidence=finding.evidence,
        impact_estimate=ImpactEstimate(
            users_affected=finding.users_affected,
            expected_benefit=finding.expected_benefit,
            risk_level=risk_of(proposal),
        ),
        recommendation=route_of(proposal),
        recommendation_id=recommendation_id(
            proposal.component, proposal.parameter, proposal.recommended_value, origin.as_of
        ),
        created_at=origin.as_of.isoformat(),
        as_of=origin.as_of.isoformat(),
        plan=_plan(proposal, origin.from_version),
        method=finding.method,
        window=origin.window,
        what_would_change_this=finding.what_would_change_this,
        lineage=origin.lineage,
    )


def _plan(proposal: Proposal, from_version: str | None) -> SettingsChange | None:
    if from_version is None:
        return None
    return SettingsChange(
        component=proposal.component,
        parameter=proposal.parameter,
        from_value=proposal.current_value,
        to_value=proposal.recommended_value,
        from_version=from_version,
    )


def _example(grounds: Grounds) -> Proposal:
    """For the examples above."""
    return Proposal(
        component=Component.STRATEGY_ENGINE,
        parameter="improve_resume_threshold",
        current_value=75.0,
        recommended_value=70.0,
        nature=Nature.BEHAVIOURAL,
        size=0.05,
        grounds=grounds,
    )
