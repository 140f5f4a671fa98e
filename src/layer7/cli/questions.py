"""What ``experiments analyze`` asks of a table: metrics, caps, shares and looks, from what was typed."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from layer7.analytics.trials.arms import TableMetric
from layer7.contract.vocabulary import MetricShape
from layer7.errors import Layer7Error
from layer7.statistics.trials import Guarantee, Looking

PLANNED = 5_000.0
"""Units at which an anytime-valid analysis is tightest when none are named; fixed, so that it stays valid."""

_METRIC = re.compile(r"(?P<name>[^=]+)=(?P<kind>[^:]+):(?P<columns>.+)")
_CAPS_HINT = "Write NAME=0.99, or NAME=0.01/0.99 for both ends."
_WORDS = {
    "binomial": MetricShape.BINOMIAL,
    "proportion": MetricShape.BINOMIAL,
    "mean": MetricShape.MEAN,
    "count": MetricShape.MEAN,
    "ratio": MetricShape.RATIO,
    "median": MetricShape.QUANTILE,
    "time": MetricShape.TIME_TO_EVENT,
}
_PERCENTILE = re.compile(r"p(\d{1,2}(?:\.\d+)?)")
_TIME = re.compile(r"time(\d+(?:\.\d+)?)")


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of a table.

    Args:
        unit: column of the unit.
        variant: column of the variant.
        control: name of the control.
        metrics: what is measured.
    """

    unit: str
    variant: str
    control: str
    metrics: tuple[TableMetric, ...]


def metrics_of(
    texts: Sequence[str], *, before: tuple[str, ...], winsorize: Sequence[str], lower_is_better: Sequence[str]
) -> tuple[TableMetric, ...]:
    """Give the metrics that are asked for; each name once, and nothing said of one that is not asked for.

    Args:
        texts: as ``--metric`` takes them.
        before: columns from before the experiment.
        winsorize: as ``--winsorize`` takes them.
        lower_is_better: names of metrics.

    Raises:
        Layer7Error: ``bad_metric``, ``unknown_metric_kind``, ``bad_caps``, ``unknown_metric``.
    """
    caps = _caps(winsorize)
    metrics = tuple(_metric(text, before, caps) for text in texts)
    names = [metric.name for metric in metrics]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise Layer7Error("bad_metric", f"{twice!r} is the name of two metrics.", "Name each differently.")
    unknown = sorted({*caps, *lower_is_better} - set(names))
    if unknown:
        said = f"There is no metric {unknown[0]!r}."
        raise Layer7Error("unknown_metric", said, f"Metrics are {', '.join(names)}.")
    return metrics


def _metric(text: str, before: tuple[str, ...], caps: Mapping[str, tuple[float, float]]) -> TableMetric:
    parts = _METRIC.fullmatch(text)
    if parts is None:
        raise Layer7Error(
            "bad_metric", f"{text!r} is no metric.", "Write NAME=KIND:COL, or NAME=ratio:COL/COL."
        )
    word, columns = parts["kind"].lower(), tuple(parts["columns"].split("/"))
    percentile, time = _PERCENTILE.fullmatch(word), _TIME.fullmatch(word)
    shape = _WORDS.get("median" if percentile else "time" if time else word)
    if shape is None:
        raise Layer7Error(
            "unknown_metric_kind",
            f"There is no metric of kind {word!r}.",
            f"Kinds are {', '.join(_WORDS)}, percentiles like p90, and times like time30.",
        )
    return TableMetric(
        name=parts["name"],
        shape=shape,
        columns=columns,
        before=() if shape in {MetricShape.QUANTILE, MetricShape.TIME_TO_EVENT} else before,
        quantile=float(percentile[1]) / 100 if percentile else 0.5,
        horizon=float(time[1]) if time else None,
        winsorized=caps.get(parts["name"]),
    )


def _caps(texts: Sequence[str]) -> Mapping[str, tuple[float, float]]:
    """What ``--winsorize`` says: by metric, the quantiles at which its values are capped."""
    found = {}
    for text in texts:
        name, _, shares = text.rpartition("=")
        try:
            parts = [float(share) for share in shares.split("/")]
        except ValueError as error:
            raise Layer7Error("bad_caps", f"{text!r} names no quantile.", _CAPS_HINT) from error
        if not name or len(parts) > 2:
            raise Layer7Error("bad_caps", f"{text!r} caps nothing.", _CAPS_HINT)
        found[name] = (0.0, parts[0]) if len(parts) == 1 else (parts[0], parts[1])
    return found


def share_of(text: str) -> tuple[str, float]:
    """Give a variant and its planned share.

    Args:
        text: as ``--allocation`` takes it.

    Raises:
        Layer7Error: ``bad_split``.
    """
    name, _, share = text.rpartition("=")
    try:
        return name, float(share)
    except ValueError as error:
        raise Layer7Error("bad_split", f"{text!r} is no allocation.", "Write it like control=0.5.") from error


def looking_of(guarantee: Guarantee, alpha: float, *, planned: float | None, looks: str) -> Looking:
    """Give how the table is looked at; how many units it has, when this is a look, is not known yet.

    Args:
        guarantee: as ``--sequential`` takes it.
        alpha: accepted share of false alarms.
        planned: units of both arms at the planned end.
        looks: units at each earlier look, with commas between.

    Raises:
        Layer7Error: ``bad_looks``.
    """
    if guarantee is Guarantee.ANYTIME:
        return Looking(guarantee=guarantee, alpha=alpha, planned=planned or PLANNED)
    try:
        earlier = tuple(float(text) for text in looks.split(",") if text.strip())
    except ValueError as error:
        raise Layer7Error("bad_looks", f"{looks!r} are no numbers.", "Write them like 200,400.") from error
    return Looking(guarantee=guarantee, alpha=alpha, planned=planned, looks=earlier)
