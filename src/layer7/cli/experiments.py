"""Experiments: ``experiments analyze`` reads any table of units."""

import re
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import pyarrow as pa
import typer
from ibis.expr.types import Table

from layer7.analytics.arms import (
    ARM,
    SEVERAL,
    TableMetric,
    arm_moments,
    arm_quantiles,
    rows_and_units,
    to_arms,
    units_by_arm,
    units_of,
)
from layer7.cli.terminal import JsonOption, out, print_json, print_table
from layer7.contract.vocabulary import MetricShape
from layer7.errors import Layer7Error
from layer7.experiments.table import Extra, Quantiles, TableAnalysis, analyze
from layer7.statistics.trials import Guarantee, Looking
from layer7.storage.tables import fetched, keep, open_table

experiments = typer.Typer(help="Did it really help?", no_args_is_help=True)

PLANNED = 5_000.0
"""Units at which an anytime-valid analysis is tightest when none are named; fixed, so that it stays valid."""

_METRIC = re.compile(r"(?P<name>[^=]+)=(?P<kind>[^:]+):(?P<columns>.+)")
_WORDS = {
    "binomial": MetricShape.BINOMIAL,
    "proportion": MetricShape.BINOMIAL,
    "mean": MetricShape.MEAN,
    "count": MetricShape.MEAN,
    "ratio": MetricShape.RATIO,
    "median": MetricShape.QUANTILE,
}
_PERCENTILE = re.compile(r"p(\d{1,2}(?:\.\d+)?)")


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.add_typer(experiments, name="experiments")


FileArgument = Annotated[
    Path, typer.Argument(help="CSV or Parquet: one row or more per unit.", show_default=False)
]
UnitOption = Annotated[str, typer.Option("--unit", help="Column of the unit of randomisation.")]
VariantOption = Annotated[str, typer.Option("--variant", help="Column of the variant.")]
ControlOption = Annotated[str, typer.Option("--control", help="Name of the control.")]
MetricOption = Annotated[
    list[str],
    typer.Option("--metric", help=r"NAME=KIND:COL\[/COL]; KIND is binomial, mean, ratio, median or p90."),
]
CovariateOption = Annotated[
    str | None, typer.Option("--covariate", help=r"COL\[/COL] from before the experiment (CUPED).")
]
SequentialOption = Annotated[Guarantee, typer.Option("--sequential", help="How the experiment is looked at.")]
PlannedOption = Annotated[
    float | None, typer.Option("--planned", min=1, help="Units of both arms at the planned end.")
]
LooksOption = Annotated[
    str, typer.Option("--looks", help="Units at each earlier look, like 200,400 (gst only).")
]
AllocationOption = Annotated[
    list[str] | None, typer.Option("--allocation", help="VARIANT=SHARE as planned; else equal.")
]
LessOption = Annotated[
    list[str] | None, typer.Option("--lower-is-better", help="A metric of which less is better.")
]
EffectOption = Annotated[
    float | None, typer.Option("--minimum-effect", min=0, help="Smallest worthwhile difference.")
]
AlphaOption = Annotated[float, typer.Option("--alpha", help="Accepted share of false alarms.")]


@experiments.command("analyze")
def analyze_table(
    file: FileArgument,
    *,
    unit: UnitOption,
    variant: VariantOption,
    control: ControlOption,
    metric: MetricOption,
    covariate: CovariateOption = None,
    sequential: SequentialOption = Guarantee.FIXED,
    planned: PlannedOption = None,
    looks: LooksOption = "",
    allocation: AllocationOption = None,
    lower_is_better: LessOption = None,
    minimum_effect: EffectOption = None,
    alpha: AlphaOption = 0.05,
    as_json: JsonOption = False,
) -> None:
    """Analyse the result of any experiment, from any table of units."""
    before = tuple(covariate.split("/")) if covariate else ()
    metrics = [_metric(text, before) for text in metric]
    extra = Extra(
        planned=dict(_share(text) for text in allocation or ()),
        minimum_effect=minimum_effect,
        lower_is_better=frozenset(lower_is_better or ()),
    )
    asked = _Question(unit, variant, control, tuple(metrics))
    found = _answer(file, asked, _looking(sequential, alpha, planned, looks), extra)
    if as_json:
        print_json({"file": str(file), **found.as_json()})
        return
    _print(found)


@dataclass(frozen=True, slots=True)
class _Question:
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


def _answer(file: Path, asked: _Question, looking: Looking, extra: Extra) -> TableAnalysis:
    with tempfile.TemporaryDirectory() as scratch, open_table(file, Path(scratch)) as table:
        named = {"unit": asked.unit, "arm": asked.variant}
        size = fetched(rows_and_units(table, **named)).to_pylist()[0]
        once = size["rows"] == size["units"]
        units = units_of(table, **named, metrics=asked.metrics, once=once)
        wanted = [
            (at, metric) for at, metric in enumerate(asked.metrics) if metric.shape is MetricShape.QUANTILE
        ]
        if wanted and not once:
            # Quantiles look at the units again; moments need them once, and hold none of them.
            units = keep(units, "units")
        counted = fetched(arm_moments(units, asked.metrics))
        quantiles = {metric.name: _quantiles(units, at, metric, counted) for at, metric in wanted}
    alone, twice = units_by_arm(counted)
    return analyze(
        asked.metrics,
        to_arms(counted, asked.metrics),
        units=alone,
        control=asked.control,
        looking=looking,
        extra=replace(extra, in_several=twice, quantiles=quantiles),
    )


def _quantiles(units: Table, at: int, metric: TableMetric, counted: pa.Table) -> Quantiles:
    known = {str(row[ARM]): int(row[f"n_{at}"]) for row in counted.to_pylist() if not row[SEVERAL]}
    if not known:
        return {}
    rows = fetched(arm_quantiles(units, at, metric, known)).to_pylist()
    told = (row for row in rows if row["value"] is not None)
    return {row[ARM]: (row["low"], row["value"], row["high"]) for row in told}


def _looking(guarantee: Guarantee, alpha: float, planned: float | None, looks: str) -> Looking:
    """How the table is looked at; the units of this very look are not known yet where they are a look's."""
    if guarantee is Guarantee.ANYTIME:
        return Looking(guarantee=guarantee, alpha=alpha, planned=planned or PLANNED)
    try:
        earlier = tuple(float(text) for text in looks.split(",") if text.strip())
    except ValueError as error:
        raise Layer7Error("bad_looks", f"{looks!r} are no numbers.", "Write them like 200,400.") from error
    return Looking(guarantee=guarantee, alpha=alpha, planned=planned, looks=earlier)


def _metric(text: str, before: tuple[str, ...]) -> TableMetric:
    parts = _METRIC.fullmatch(text)
    if parts is None:
        raise Layer7Error(
            "bad_metric", f"{text!r} is no metric.", "Write NAME=KIND:COL, or NAME=ratio:COL/COL."
        )
    word, columns = parts["kind"].lower(), tuple(parts["columns"].split("/"))
    percentile = _PERCENTILE.fullmatch(word)
    if percentile is None and word not in _WORDS:
        raise Layer7Error(
            "unknown_metric_kind",
            f"There is no metric of kind {word!r}.",
            f"Kinds are {', '.join(_WORDS)}, and percentiles like p90.",
        )
    shape = MetricShape.QUANTILE if percentile else _WORDS[word]
    quantile = float(percentile[1]) / 100 if percentile else 0.5
    kept = () if shape is MetricShape.QUANTILE else before
    return TableMetric(name=parts["name"], shape=shape, columns=columns, before=kept, quantile=quantile)


def _share(text: str) -> tuple[str, float]:
    name, _, share = text.rpartition("=")
    try:
        return name, float(share)
    except ValueError as error:
        raise Layer7Error("bad_split", f"{text!r} is no allocation.", "Write it like control=0.5.") from error


def _print(found: TableAnalysis) -> None:
    several = len(found.units) > 2
    rows = [
        (
            f"{name} ({arm})" if several else name,
            _short(result.control_metric),
            _short(result.treatment_metric),
            _short(result.absolute_difference, "+") + _ends(result.confidence_interval),
            _short(result.p_value),
            {"treatment": "better", "control": "worse"}.get(result.winner or "", "-"),
        )
        for name, arms in found.metrics.items()
        for arm, result in arms.items()
    ]
    units = ", ".join(f"{arm} {n:,}" for arm, n in found.units.items())
    level = 1 - found.alpha
    columns = ("metric", "control", "value", f"difference ({level:.0%} interval)", "p", "")
    print_table(f"Against {found.control}; n: {units}", columns, rows)
    ratio = "cannot be told" if found.sample_ratio_p is None else f"p = {found.sample_ratio_p:.3g}"
    out.print(f"Planned split: {ratio}. Units in several variants, left out: {found.in_several:,}.")
    out.print(f"Guarantee: {found.certificate}.", style="dim")
    for reason in found.blocked_by:
        out.print(f"[bold red]No verdict may be read[/]: {reason}")
    for name, arms in found.metrics.items():
        for arm, result in arms.items():
            for reason in result.blocked_by:
                out.print(f"[yellow]{name}, {arm}[/]: cannot tell yet: {reason}")


def _short(value: float | None, sign: str = "") -> str:
    return "-" if value is None else f"{value:{sign}.4g}"


def _ends(interval: tuple[float, float] | None) -> str:
    return "" if interval is None else f" ({interval[0]:+.3g} to {interval[1]:+.3g})"
