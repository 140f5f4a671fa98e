"""The catalogue of metrics: what is measured of a unit, in which unit, and which direction is better."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations_with_replacement
from types import MappingProxyType

from layer7.contract.facts import FACTS, HISTORY, WINDOW_DAYS
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
        quantile: which one, of a quantile metric.
        instead: a metric about the same that adds up, of one that does not.
    """

    name: str
    title: str
    shape: MetricShape
    columns: tuple[str, ...]
    unit: str
    higher_is_better: bool = True
    before: tuple[str, ...] = ()
    quantile: float | None = None
    instead: str | None = None

    @property
    def is_tallied(self) -> bool:
        """Whether it needs to know how many units have each value, where others need moments alone."""
        return self.shape in {MetricShape.QUANTILE, MetricShape.TIME_TO_EVENT}


def _ratio(
    name: str,
    title: str,
    columns: tuple[str, str],
    *,
    higher_is_better: bool = True,
    before: tuple[str, ...] = (),
) -> Metric:
    return Metric(
        name=name,
        title=title,
        shape=MetricShape.RATIO,
        columns=columns,
        unit="share",
        higher_is_better=higher_is_better,
        before=before,
    )


METRICS: Mapping[str, Metric] = MappingProxyType(
    {
        metric.name: metric
        for metric in (
            _ratio(
                "interview_rate", "Interviews of the applications sent", ("interviews", "trials"),
                before=("before_interviews", "before_submitted"),
            ),
            _ratio("offer_rate", "Offers of the interviews", ("offers", "interviews")),
            _ratio(
                "response_rate", f"Answers within {WINDOW_DAYS} days of the applications as old as that",
                ("answers", "mature"),
            ),
            _ratio(
                "rejection_rate", f"Rejections within {WINDOW_DAYS} days of the applications as old as that",
                ("rejections", "mature"), higher_is_better=False,
            ),
            _ratio("jobs_applied_rate", "Applications sent of those begun", ("applied", "created")),
            _ratio("suggestion_acceptance", "Suggestions accepted of all", ("accepted", "suggestions")),
            Metric(
                name="days_to_response", title=f"Days until an answer, of answers within {WINDOW_DAYS} days",
                shape=MetricShape.RATIO, columns=("answer_days", "answers"), unit="days",
                higher_is_better=False,
            ),
            Metric(
                name="applications_per_unit", title="Applications sent, extreme numbers capped",
                shape=MetricShape.MEAN, columns=("submitted_capped",), unit="applications",
                before=("before_submitted",),
            ),
            Metric(
                name="interviews_per_unit", title="Interviews, extreme numbers capped",
                shape=MetricShape.MEAN, columns=("interviews_capped",), unit="interviews",
                before=("before_interviews",),
            ),
            Metric(
                name="reached_interview", title="Units with an interview", shape=MetricShape.BINOMIAL,
                columns=("has_interview",), unit="share", before=("before_interviews",),
            ),
            Metric(
                name="time_to_first_interview",
                title=f"Days without an interview, of the first {WINDOW_DAYS}",
                shape=MetricShape.TIME_TO_EVENT, columns=("wait",), unit="days", higher_is_better=False,
                instead="reached_interview",
            ),
            Metric(
                name="median_days_to_response", title="Median of units' mean days until an answer",
                shape=MetricShape.QUANTILE, columns=("days_each",), unit="days", higher_is_better=False,
                quantile=0.5, instead="days_to_response",
            ),
            Metric(
                name="p90_applications", title="Applications sent, 90th percentile of units",
                shape=MetricShape.QUANTILE, columns=("submitted",), unit="applications", quantile=0.9,
                instead="applications_per_unit",
            ),
        )
    }
)  # fmt: skip
"""Every metric by name."""


def _together() -> tuple[tuple[str, str], ...]:
    """Pairs of facts that a metric, or the check of what was before, reads together."""
    found = {(name, name) for name in HISTORY}
    for each in (known for known in METRICS.values() if not known.is_tallied):
        facts = sorted((*each.columns, *each.before), key=FACTS.index)
        found.update(combinations_with_replacement(facts, 2))
    return tuple(sorted(found))


TOGETHER = _together()
"""The products of facts that the metrics need."""


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
