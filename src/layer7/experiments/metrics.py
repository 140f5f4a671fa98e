"""The catalogue of metrics: what is measured of a unit, in which unit, and which direction is better."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from layer7.contract.vocabulary import MetricShape
from layer7.errors import Layer7Error


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A metric of experiments.

    Args:
        name: its name, the specification's where it has one.
        title: what it measures, in a few words.
        shape: what it is made of.
        columns: the facts of a unit that it reads, numerator first.
        unit: the unit of its values.
        higher_is_better: its direction.
        before: facts from before the experiment that take noise away; empty for none.
    """

    name: str
    title: str
    shape: MetricShape
    columns: tuple[str, ...]
    unit: str
    higher_is_better: bool = True
    before: tuple[str, ...] = ()


def _ratio(name: str, title: str, columns: tuple[str, str], *, higher_is_better: bool = True) -> Metric:
    return Metric(
        name=name,
        title=title,
        shape=MetricShape.RATIO,
        columns=columns,
        unit="share",
        higher_is_better=higher_is_better,
    )


METRICS: Mapping[str, Metric] = MappingProxyType(
    {
        metric.name: metric
        for metric in (
            _ratio("interview_rate", "Interviews of the applications sent", ("interviews", "trials")),
            _ratio("offer_rate", "Offers of the interviews", ("offers", "interviews")),
            _ratio("response_rate", "Answers of any kind of the applications sent", ("answers", "submitted")),
            _ratio(
                "rejection_rate", "Rejections of the applications sent", ("rejections", "submitted"),
                higher_is_better=False,
            ),
            _ratio("jobs_applied_rate", "Applications sent of those begun", ("submitted", "created")),
            _ratio("suggestion_acceptance", "Suggestions accepted of all", ("accepted", "suggestions")),
            Metric(
                name="days_to_response", title="Days until an answer", shape=MetricShape.RATIO,
                columns=("answer_days", "answers"), unit="days", higher_is_better=False,
            ),
            Metric(
                name="applications_per_unit", title="Applications sent", shape=MetricShape.MEAN,
                columns=("submitted",), unit="applications",
            ),
            Metric(
                name="interviews_per_unit", title="Interviews", shape=MetricShape.MEAN,
                columns=("interviews",), unit="interviews",
            ),
            Metric(
                name="reached_interview", title="Units with an interview", shape=MetricShape.BINOMIAL,
                columns=("has_interview",), unit="share",
            ),
        )
    }
)  # fmt: skip
"""Every metric by name."""

FACTS = (
    "created",
    "submitted",
    "trials",
    "interviews",
    "offers",
    "answers",
    "rejections",
    "answer_days",
    "suggestions",
    "accepted",
    "has_interview",
)
"""What is counted of every unit after it was exposed; ``trials`` are applications less what is unseen."""


def metric(name: str) -> Metric:
    """Give a metric by its name.

    Raises:
        Layer7Error: ``unknown_metric``.

    Example:
        >>> metric("days_to_response").unit
        'days'
    """
    found = METRICS.get(name)
    if found is None:
        raise Layer7Error(
            "unknown_metric", f"There is no metric {name!r}.", f"Metrics are {', '.join(METRICS)}."
        )
    return found
