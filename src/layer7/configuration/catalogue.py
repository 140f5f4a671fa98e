"""Every setting that this engine may learn or people may set: the one list of them."""

import difflib
from collections.abc import Mapping
from types import MappingProxyType

from layer7.configuration.parameter import Constraint, Parameter, ValueKind
from layer7.contract.fields import FrozenDict
from layer7.contract.vocabulary import Component
from layer7.errors import Layer7Error

_STRATEGY = (
    Parameter(
        key="improve_resume_threshold",
        component=Component.STRATEGY_ENGINE,
        kind=ValueKind.FLOAT,
        default=75.0,
        low=0,
        high=100,
        unit="points",
        description="Resume score below which the resume comes first (IMPROVE_RESUME_FIRST).",
        section="5.1, 9.1",
        personal=True,
    ),
    Parameter(
        key="rethink_targets_threshold",
        component=Component.STRATEGY_ENGINE,
        kind=ValueKind.INTEGER,
        default=30,
        low=1,
        high=1000,
        unit="applications",
        description="Applications after which a low interview rate leads to RETHINK_TARGETS.",
        section="5.1, 9.1",
        personal=True,
    ),
    Parameter(
        key="rethink_targets_rate",
        component=Component.STRATEGY_ENGINE,
        kind=ValueKind.FLOAT,
        default=0.02,
        low=0,
        high=0.5,
        unit="interviews per application",
        description="Interview rate below which targets are rethought, once there are enough applications.",
        section="5.1",
    ),
    Parameter(
        key="min_days_in_mode",
        component=Component.STRATEGY_ENGINE,
        kind=ValueKind.INTEGER,
        default=7,
        low=0,
        high=90,
        unit="days",
        description="Days for which a strategy mode is kept at least; the default is ours.",
        section="9.1",
        personal=True,
    ),
    Parameter(
        key="gap_weights",
        component=Component.STRATEGY_ENGINE,
        kind=ValueKind.OBJECT,
        default=FrozenDict(
            {"skills": 0.2, "tools": 0.2, "experience": 0.2, "seniority": 0.2, "industry": 0.2}
        ),
        members=FrozenDict(
            dict.fromkeys(("skills", "tools", "experience", "seniority", "industry"), (0.0, 1.0))
        ),
        constraint=Constraint.SUMS_TO_ONE,
        unit="weights",
        description="How much each kind of gap between a person and a job counts; the equal default is ours.",
        section="9.1",
    ),
    Parameter(
        key="resume_score_calibration",
        component=Component.STRATEGY_ENGINE,
        kind=ValueKind.OBJECT,
        default=FrozenDict(
            {"0-49": 0.01, "50-59": 0.02, "60-69": 0.05, "70-79": 0.08, "80-89": 0.12, "90-100": 0.18}
        ),
        members=FrozenDict(dict.fromkeys(("0-49", "50-59", "60-69", "70-79", "80-89", "90-100"), (0.0, 1.0))),
        constraint=Constraint.NON_DECREASING,
        unit="interviews per application",
        description="Interview rate that a resume score promises, by range of scores; 0-49 is ours.",
        section="5.2",
    ),
    Parameter(
        key="exploration_share",
        component=Component.STRATEGY_ENGINE,
        kind=ValueKind.FLOAT,
        default=0.0,
        low=0,
        high=0.5,
        unit="of the cases",
        description="Share of the cases within 5 points of improve_resume_threshold for which Layer 2 draws"
        " the mode by lot and logs its propensity; 0 explores nothing.",
        section="an addition to 5.1",
    ),
)

_ORCHESTRATOR = (
    Parameter(
        key="optimal_weekly_target",
        component=Component.ORCHESTRATOR,
        kind=ValueKind.FLOAT,
        default=10.0,
        low=0,
        high=200,
        unit="applications per week",
        description="Applications to aim for per week; the default is the example of section 8.1.",
        section="7.1, 9.3",
        personal=True,
    ),
    Parameter(
        key="min_fit_score_threshold",
        component=Component.ORCHESTRATOR,
        kind=ValueKind.FLOAT,
        default=60.0,
        low=0,
        high=100,
        unit="points",
        description="Fit score below which no application is planned; the default is ours.",
        section="7.1, 9.3",
        personal=True,
    ),
    Parameter(
        key="follow_up_timing",
        component=Component.ORCHESTRATOR,
        kind=ValueKind.FLOAT,
        default=7.0,
        low=1,
        high=90,
        unit="days",
        description="Days after submission at which to follow up; the default is ours.",
        section="7.1, 9.3",
        personal=True,
    ),
    Parameter(
        key="task_complexity_preference",
        component=Component.ORCHESTRATOR,
        kind=ValueKind.STRING,
        default="medium",
        choices=("low", "medium", "high"),
        description="How demanding planned tasks may be; the default is ours.",
        section="7.1, 9.3",
        personal=True,
    ),
)

_JOB_DISCOVERY = (
    Parameter(
        key="fit_score_weights",
        component=Component.JOB_DISCOVERY,
        kind=ValueKind.OBJECT,
        default=FrozenDict({"technical": 0.4, "seniority": 0.2, "experience": 0.2, "signal": 0.2}),
        members=FrozenDict(dict.fromkeys(("technical", "seniority", "experience", "signal"), (0.0, 1.0))),
        constraint=Constraint.SUMS_TO_ONE,
        unit="weights",
        description="How much each part of the fit score counts.",
        section="5.3, 6.1, 9.2",
    ),
    Parameter(
        key="reach_bonus",
        component=Component.JOB_DISCOVERY,
        kind=ValueKind.FLOAT,
        default=0.0,
        low=-20,
        high=20,
        unit="points",
        description="Points added to the fit score of a reach job; the range is ours.",
        section="5.3",
    ),
    Parameter(
        key="safety_penalty",
        component=Component.JOB_DISCOVERY,
        kind=ValueKind.FLOAT,
        default=0.0,
        low=-20,
        high=20,
        unit="points",
        description="Points taken from the fit score of a safety job; the range is ours.",
        section="5.3",
    ),
)

CATALOGUE: Mapping[str, Parameter] = MappingProxyType(
    {entry.key: entry for entry in (*_STRATEGY, *_ORCHESTRATOR, *_JOB_DISCOVERY)}
)
"""Every setting by its key, in the order of the documentation."""


def parameter(key: str) -> Parameter:
    """Look a setting up by its key.

    Args:
        key: the setting's name, such as ``fit_score_weights``.

    Raises:
        Layer7Error: ``unknown_parameter``, with the names that come near.

    Example:
        >>> parameter("fit_score_weights").component.value
        'job_discovery'
        >>> parameter("fit_score_weight")
        Traceback (most recent call last):
        layer7.errors.Layer7Error: ... fit_score_weights.
    """
    if key in CATALOGUE:
        return CATALOGUE[key]
    near = difflib.get_close_matches(key, CATALOGUE, n=3)
    raise Layer7Error(
        "unknown_parameter",
        f"There is no parameter {key[:80]!r}.",
        f"Near it: {', '.join(near)}." if near else f"There are: {', '.join(CATALOGUE)}.",
    )


def parameters_of(component: Component) -> tuple[Parameter, ...]:
    """Give the settings of one component, in the order of the catalogue.

    Args:
        component: the layer that reads them.

    Example:
        >>> [entry.key for entry in parameters_of(Component.JOB_DISCOVERY)]
        ['fit_score_weights', 'reach_bonus', 'safety_penalty']
    """
    return tuple(entry for entry in CATALOGUE.values() if entry.component is component)
