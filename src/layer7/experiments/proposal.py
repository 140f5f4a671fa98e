"""From a recommendation to the experiment that tries it: arms, metrics, margins, and the smallest effect."""

from collections.abc import Mapping
from types import MappingProxyType

from layer7.contract.experiments import Experiment, Variant
from layer7.contract.recommendation import OptimizationRecommendation
from layer7.contract.vocabulary import Component
from layer7.errors import Layer7Error
from layer7.experiments.metrics import METRICS
from layer7.experiments.plan import CONTROL

TREATMENT = "treatment"
FIRST_COVERAGE = 0.2
MINIMUM_UNITS = 200
MAXIMUM_DAYS = 60
MARGIN = 0.2
"""Share of the control's value that a guardrail may lose."""

GUARDED = ("interviews_per_unit", "applications_per_unit")
WATCHED = ("response_rate",)

_MEASURED_AS: Mapping[str, str] = MappingProxyType({"expected_interviews_per_week": "interviews_per_unit"})
_MEASURED_BY: Mapping[Component, str] = MappingProxyType(
    {
        Component.STRATEGY_ENGINE: "interview_rate",
        Component.JOB_DISCOVERY: "jobs_applied_rate",
        Component.ORCHESTRATOR: "interviews_per_unit",
    }
)
_WORTHWHILE: Mapping[str, float] = MappingProxyType({"share": 0.01, "interviews": 0.05})
"""Smallest worthwhile effect by the unit of a metric, where no forecast is in the same metric."""


def experiment_of(recommendation: OptimizationRecommendation, *, alpha: float) -> Experiment:
    """Draft the experiment that tries a recommendation.

    Control is the value in force, treatment the recommended one; treatment comes first, so that it takes the
    places [0, c). It begins with 10 % in each arm. The metric is the one that the evidence names, where it is
    a metric of experiments; else the component's. Half of the forecast gain is the least that is worthwhile.

    Args:
        recommendation: what is tried.
        alpha: accepted probability of a false alarm, as the ledger gives it.

    Raises:
        Layer7Error: ``recommendation_unnamed``.

    Example:
        >>> import json
        >>> said = OptimizationRecommendation.model_config["json_schema_extra"]["examples"][0]
        >>> example = OptimizationRecommendation.model_validate_json(json.dumps(said))
        >>> found = experiment_of(example, alpha=0.05)
        >>> found.experiment_id, found.success_metric, found.guardrail_metrics, found.minimum_effect
        ('exp_88', 'interviews_per_unit', ('applications_per_unit',), 0.05)
    """
    name = recommendation.recommendation_id
    if not name:
        raise Layer7Error("recommendation_unnamed", "The recommendation has no name.", "Store it first.")
    success = success_metric(recommendation)
    guarded = tuple(each for each in GUARDED if each != success)
    return Experiment(
        experiment_id=f"exp_{name.removeprefix('rec_')}",
        name=f"{recommendation.parameter}: a recommended value",
        hypothesis=recommendation.reasoning,
        component=recommendation.component,
        parameter=recommendation.parameter,
        variants=(
            Variant(
                variant_id=TREATMENT,
                name="Recommended",
                value=recommendation.recommended_value,
                allocation=0.5,
            ),
            Variant(variant_id=CONTROL, name="In force", value=recommendation.current_value, allocation=0.5),
        ),
        success_metric=success,
        minimum_sample_size=MINIMUM_UNITS,
        maximum_duration_days=MAXIMUM_DAYS,
        guardrail_metrics=guarded,
        guardrail_margins=dict.fromkeys(guarded, MARGIN),
        signal_metrics=tuple(each for each in WATCHED if each != success),
        minimum_effect=_smallest(recommendation, success),
        alpha=alpha,
        coverage=FIRST_COVERAGE,
        recommendation_id=name,
    )


def success_metric(recommendation: OptimizationRecommendation) -> str:
    """Give the metric that decides on a recommendation.

    Args:
        recommendation: what is tried.
    """
    named = recommendation.evidence.metric_improved
    return named if named in METRICS else _MEASURED_AS.get(named, _MEASURED_BY[recommendation.component])


def _smallest(recommendation: OptimizationRecommendation, success: str) -> float:
    evidence = recommendation.evidence
    if evidence.metric_improved == success and evidence.improvement_amount:
        return abs(evidence.improvement_amount) / 2
    return _WORTHWHILE.get(METRICS[success].unit, 1.0)
