"""Experiments: ``experiments analyze`` reads any table of units."""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import pyarrow as pa
import typer
from ibis.expr.types import Table

from layer7.analytics.trials.arms import (
    ARM,
    SEVERAL,
    TableMetric,
    arm_moments,
    arm_quantiles,
    arm_waits,
    capped,
    capping_ends,
    rows_and_units,
    to_arms,
    to_waits,
    units_by_arm,
    units_of,
)
from layer7.cli.questions import Question, looking_of, metrics_of, share_of
from layer7.cli.terminal import JsonOption, out, print_json, print_table
from layer7.contract.vocabulary import MetricShape
from layer7.experiments.table import Extra, Quantiles, TableAnalysis, analyze
from layer7.statistics.trials import Guarantee, Looking
from layer7.storage.warehouse.tables import fetched, keep, open_table

experiments = typer.Typer(help="Did it really help?", no_args_is_help=True)


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
    typer.Option(
        "--metric", help=r"NAME=KIND:COL\[/COL]; KIND is binomial, mean, ratio, median, p90, time or time30."
    ),
]
WinsorizeOption = Annotated[
    list[str] | None,
    typer.Option("--winsorize", help=r"NAME=0.99 or NAME=0.01/0.99: cap a mean's values at quantiles."),
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
    winsorize: WinsorizeOption = None,
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
    less = lower_is_better or ()
    metrics = metrics_of(metric, before=before, winsorize=winsorize or (), lower_is_better=less)
    extra = Extra(
        planned=dict(share_of(text) for text in allocation or ()),
        minimum_effect=minimum_effect,
        lower_is_better=frozenset(less),
    )
    asked = Question(unit, variant, control, metrics)
    found = _answer(file, asked, looking_of(sequential, alpha, planned=planned, looks=looks), extra)
    if as_json:
        print_json({"file": str(file), **found.as_json()})
        return
    _print(found)


def _answer(file: Path, asked: Question, looking: Looking, extra: Extra) -> TableAnalysis:
    metrics = asked.metrics
    with tempfile.TemporaryDirectory() as scratch, open_table(file, Path(scratch)) as table:
        units = _units(table, asked)
        ends = _ends(units, metrics)
        units = capped(units, ends)
        counted = fetched(arm_moments(units, metrics))
        quantiles = {
            metric.name: _quantiles(units, at, metric, counted)
            for at, metric in _of_shape(metrics, MetricShape.QUANTILE)
        }
        waits = {
            metric.name: to_waits(metric.name, fetched(arm_waits(units, at)))
            for at, metric in _of_shape(metrics, MetricShape.TIME_TO_EVENT)
        }
    alone, twice = units_by_arm(counted)
    return analyze(
        metrics,
        to_arms(counted, metrics),
        units=alone,
        control=asked.control,
        looking=looking,
        extra=replace(
            extra,
            in_several=twice,
            quantiles=quantiles,
            waits=waits,
            caps={metrics[at].name: pair for at, pair in ends.items()},
        ),
    )


def _of_shape(metrics: Sequence[TableMetric], shape: MetricShape) -> Sequence[tuple[int, TableMetric]]:
    return [(at, metric) for at, metric in enumerate(metrics) if metric.shape is shape]


def _units(table: Table, asked: Question) -> Table:
    """One row per unit; kept only where rows must be brought together and are asked for more than once."""
    named = {"unit": asked.unit, "arm": asked.variant}
    size = fetched(rows_and_units(table, **named)).to_pylist()[0]
    once = size["rows"] == size["units"]
    units = units_of(table, **named, metrics=asked.metrics, once=once)
    again = {MetricShape.QUANTILE, MetricShape.TIME_TO_EVENT}
    asked_again = any(metric.shape in again or metric.winsorized for metric in asked.metrics)
    return keep(units, "units") if asked_again and not once else units


def _ends(units: Table, metrics: Sequence[TableMetric]) -> Mapping[int, tuple[float, float]]:
    """The values at which each metric with caps is capped, by its place."""
    wanted = capping_ends(units, metrics)
    if wanted is None:
        return {}
    row = fetched(wanted).to_pylist()[0]
    pairs = {
        at: (row[f"low_{at}"], row[f"high_{at}"]) for at, metric in enumerate(metrics) if metric.winsorized
    }
    return {at: pair for at, pair in pairs.items() if None not in pair}


def _quantiles(units: Table, at: int, metric: TableMetric, counted: pa.Table) -> Quantiles:
    known = {str(row[ARM]): int(row[f"n_{at}"]) for row in counted.to_pylist() if not row[SEVERAL]}
    if not known:
        return {}
    rows = fetched(arm_quantiles(units, at, metric, known)).to_pylist()
    told = (row for row in rows if row["value"] is not None)
    return {row[ARM]: (row["low"], row["value"], row["high"]) for row in told}


def _print(found: TableAnalysis) -> None:
    several = len(found.units) > 2
    rows = [
        (
            f"{name} ({arm})" if several else name,
            _short(result.control_metric),
            _short(result.treatment_metric),
            _short(result.absolute_difference, "+") + _between(result.confidence_interval),
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


def _between(interval: tuple[float, float] | None) -> str:
    return "" if interval is None else f" ({interval[0]:+.3g} to {interval[1]:+.3g})"
