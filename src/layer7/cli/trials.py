"""The life of an experiment: made, paused, ended; and what it says, tonight or on a past night."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from layer7.cli.experiments import experiments
from layer7.cli.terminal import (
    ActorOption,
    HomeOption,
    JsonOption,
    WhyOption,
    actor_name,
    now,
    opened,
    out,
    print_json,
    print_table,
)
from layer7.contract.effects import Effect
from layer7.contract.experiments import Experiment, ExperimentResults
from layer7.contract.lifecycle import State
from layer7.errors import Layer7Error
from layer7.experiments.metrics import METRICS
from layer7.nightly.analysing import replayed
from layer7.storage.database.state import Act
from layer7.storage.decisions.experiments import Experiments

IdArgument = Annotated[str, typer.Argument(help="The experiment's id.", show_default=False)]


def register(_app: typer.Typer) -> None:
    """Add the commands of this module; they have joined ``experiments`` when it was loaded."""


@experiments.command("create")
def create(
    file: Annotated[Path, typer.Argument(help="JSON of the contract's Experiment.", show_default=False)],
    *,
    why: WhyOption = "",
    actor: ActorOption = "",
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Keep a new draft of an experiment."""
    if not file.is_file():
        raise Layer7Error("no_such_file", f"There is no file {file}.", "Check the path.")
    draft = _read(file.read_text(encoding="utf-8"))
    act = Act(actor_name(actor), "experiment.create", draft.experiment_id, now(), why)
    _tell(opened(home).experiments.create(draft, act=act), as_json=as_json)


@experiments.command("list")
def list_experiments(
    *,
    state: Annotated[State | None, typer.Option("--state", help="Only those that stand there.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="How many at most.")] = 50,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """List experiments, the newest first."""
    found = opened(home).experiments.list(state=state, limit=limit)
    if as_json:
        print_json([each.model_dump(mode="json") for each in found])
        return
    if not found:
        out.print("No experiment. Make one: layer7 experiments create FILE.json")
        return
    rows = [
        (
            each.experiment_id,
            each.status,
            f"{each.component}.{each.parameter}",
            each.success_metric,
            sum(each.results.units.values()) if each.results else 0,
            (each.results.sentence if each.results else None) or each.hypothesis,
        )
        for each in found
    ]
    print_table("Experiments", ("id", "state", "setting", "success metric", "units", "what it says"), rows)


@experiments.command("show")
def show(experiment_id: IdArgument, *, home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Show the plan of an experiment."""
    found = opened(home).experiments.get(experiment_id)
    if as_json:
        print_json(found.model_dump(mode="json"))
        return
    out.print(f"[bold]{found.experiment_id}[/]  {found.name}  ({found.status})", highlight=False)
    out.print(found.hypothesis, markup=False)
    arms = [(each.variant_id, each.name, each.value, f"{each.allocation:.0%}") for each in found.variants]
    print_table("Variants", ("variant", "name", "value", "share"), arms)
    plan = [
        ("setting", f"{found.component}.{found.parameter}"),
        ("unit", found.unit),
        ("success metric", found.success_metric),
        ("guardrails", ", ".join(found.guardrail_metrics) or "none"),
        ("smallest worthwhile effect", found.minimum_effect),
        ("units per variant", found.minimum_sample_size),
        ("days at most", found.maximum_duration_days),
        ("looking", f"{found.looking}, {found.looks} looks" if found.looking == "gst" else found.looking),
        ("coverage", f"{found.coverages[-1].share if found.coverages else found.coverage:.0%}"),
        ("plan", found.plan_hash or "not frozen yet"),
    ]
    print_table("Plan", ("what", "value"), plan)


@experiments.command("results")
def results(experiment_id: IdArgument, *, home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Show what an experiment said in its last night."""
    found = opened(home).experiments.get(experiment_id)
    if found.results is None:
        raise Layer7Error(
            "no_results",
            f"{experiment_id} is {found.status} and has no results yet.",
            "Results come with the night: layer7 nightly",
        )
    _print_results(found.results, as_json=as_json)


@experiments.command("replay")
def replay(
    experiment_id: IdArgument,
    *,
    as_of: Annotated[str, typer.Option("--as-of", help="The day of a past night, like 2026-03-02.")],
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compute a past night's results again from the log, and compare them with what was kept then."""
    where = opened(home)
    run = next(
        (
            each
            for each in where.runs.latest(limit=10_000, status="done")
            if each.as_of == as_of and experiment_id in each.report.get("analyse", {})
        ),
        None,
    )
    if run is None:
        where.experiments.get(experiment_id)
        raise Layer7Error(
            "not_analysed", f"No night of {as_of} looked at {experiment_id}.", "See `layer7 runs list`."
        )
    found = replayed(where, experiment_id, run)
    same = found.model_dump(mode="json") == run.report["analyse"][experiment_id]
    if as_json:
        print_json({"as_of": as_of, "run": run.id, "same": same, "results": found.model_dump(mode="json")})
        return
    _print_results(found, as_json=False)
    out.print("The same as was kept then." if same else "[bold red]Not what was kept then.[/]")


@experiments.command("metrics")
def metrics(*, as_json: JsonOption = False) -> None:
    """List the metrics that an experiment may name."""
    if as_json:
        names = ("name", "title", "unit", "higher_is_better", "columns", "before")
        print_json([{name: getattr(m, name) for name in names} | {"kind": m.shape} for m in METRICS.values()])
        return
    rows = [
        (m.name, m.title, m.shape, m.unit, "up" if m.higher_is_better else "down") for m in METRICS.values()
    ]
    print_table("Metrics", ("name", "what", "kind", "unit", "better"), rows)


def _add_move(name: str, help_text: str, method: Callable[..., Experiment]) -> None:
    @experiments.command(name, help=help_text)
    def move(
        experiment_id: IdArgument,
        *,
        why: WhyOption = "",
        actor: ActorOption = "",
        home: HomeOption = None,
        as_json: JsonOption = False,
    ) -> None:
        act = Act(actor_name(actor), f"experiment.{name}", experiment_id, now(), why)
        _tell(method(opened(home).experiments, experiment_id, act=act), as_json=as_json)


def _read(text: str) -> Experiment:
    try:
        return Experiment.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the file"
        raise Layer7Error(
            "bad_experiment", f"{place}: {first['msg']}", "See Experiment in the contract's page."
        ) from error


def _tell(found: Experiment, *, as_json: bool) -> None:
    if as_json:
        print_json(found.model_dump(mode="json"))
    else:
        out.print(f"{found.experiment_id} is now [bold]{found.status}[/].")


def _print_results(found: ExperimentResults, *, as_json: bool) -> None:
    if as_json:
        print_json(found.model_dump(mode="json"))
        return
    out.print(found.sentence or "Nothing can be said yet.", markup=False, highlight=False)
    for reason in found.blocked_by:
        out.print(f"  No verdict may be read: {reason}", style="bold red", highlight=False)
    ratio = found.sample_ratio_p_value
    rows: list[tuple[str, Any]] = [
        ("units", ", ".join(f"{name} {n:,}" for name, n in found.units.items())),
        ("verdict", found.verdict or "none"),
        ("adjusted for what was before", _gap(found.adjusted_difference, found.adjusted_interval)),
        ("planned split", "cannot be told" if ratio is None else f"p = {ratio:.3g}"),
        ("met several variants, left out", found.in_several),
        ("information", "" if found.information_fraction is None else f"{found.information_fraction:.0%}"),
        ("guarantee", found.certificate),
        ("what would change this", found.what_would_change_this),
    ]
    print_table(f"Results as of {(found.as_of or '')[:10]}", ("what", "value"), rows)
    safe = {True: "no worse than accepted", False: "harm is not excluded", None: "cannot tell yet"}
    kept = [
        (name, _gap(each.difference, each.interval), f"{each.margin:.4g}", safe[each.non_inferior])
        for name, each in found.guardrails.items()
    ]
    if kept:
        print_table("Guardrails", ("metric", "difference", "margin", ""), kept)
    _print_segments(found)
    parts = (*found.stages, *found.novelty, *found.interactions)
    _print_effects((*parts, *((found.triggered,) if found.triggered else ())))


def _print_segments(found: ExperimentResults) -> None:
    if not found.segments:
        return
    rows = [
        (
            each.name,
            each.control_n + each.treatment_n,
            _gap(each.difference, each.interval),
            _gap(each.shrunken, each.shrunken_interval),
        )
        for each in found.segments
    ]
    print_table("Segments", ("segment", "units", "difference", "drawn towards the others"), rows)
    out.print(found.segments_warning or "", style="dim", highlight=False)


def _print_effects(parts: tuple[Effect, ...]) -> None:
    if len(parts) > 1:
        rows = [(e.name, e.control_n, e.treatment_n, _gap(e.difference, e.interval)) for e in parts]
        print_table("In parts", ("part", "control", "treatment", "difference"), rows)


def _gap(value: float | None, interval: tuple[float, float] | None) -> str:
    if value is None or interval is None:
        return "cannot tell yet"
    return f"{value:+.4g} ({interval[0]:+.3g} to {interval[1]:+.3g})"


_add_move("pause", "Serve everybody's value to everybody until it is resumed.", Experiments.pause)
_add_move("resume", "Go on after a pause; everybody is in the same arm as before.", Experiments.resume)
_add_move("stop", "End the experiment; its results stay.", Experiments.complete)
