"""Before an experiment starts: ``experiments passport``, and ``experiments start``, which asks for one."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

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
    percent,
    print_json,
    print_table,
    progress,
)
from layer7.contract.experiments import Experiment
from layer7.contract.passport import DesignPassport, Simulated
from layer7.errors import Layer7Error
from layer7.experiments.metrics import METRICS, metric
from layer7.experiments.passport import CHEAPER, RUNS, written
from layer7.experiments.plan import checked
from layer7.nightly.designing import issue_passport, start_experiment
from layer7.storage.database.state import Act
from layer7.storage.decisions.experiments import accept
from layer7.storage.home import Home

_STYLES = {"sound": "bold green", "underpowered": "bold red", "cannot_tell": "bold yellow"}
_WIDTH = 20


def register(_app: typer.Typer) -> None:
    """Add the commands of this module; they have joined ``experiments`` when it was loaded."""


@experiments.command("passport")
def passport(
    plan: Annotated[str, typer.Argument(metavar="FILE_OR_ID", help="A plan as JSON, or an experiment's id.")],
    *,
    runs: Annotated[int, typer.Option("--runs", min=20, help="Simulated experiments in each world.")] = RUNS,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Simulate a design on this log before it starts: false alarms, power, duration, harm."""
    place = opened(home)
    found = _issued(place, _experiment(place, plan), runs=runs, quiet=as_json)
    if as_json:
        print_json(found.model_dump(mode="json"))
        return
    _print(found)


@experiments.command("start")
def start(
    experiment_id: Annotated[str, typer.Argument(help="The experiment, a draft.")],
    *,
    accept_underpowered: Annotated[
        bool,
        typer.Option("--accept-underpowered", help="Start it although it can hardly answer its question."),
    ] = False,
    why: WhyOption = "",
    actor: ActorOption = "",
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Simulate the design, freeze the plan and start an experiment; an underpowered one is refused."""
    act = Act(actor_name(actor), "experiment.start", experiment_id, now(), why)
    with progress(f"{3 * RUNS:,} simulated experiments", 1.0, quiet=as_json) as advance:
        running = start_experiment(
            opened(home), experiment_id, act=act, accept_underpowered=accept_underpowered, progress=advance
        )
    if as_json:
        print_json(running.model_dump(mode="json"))
        return
    if running.passport is not None:
        _print(running.passport)
    out.print(f"{experiment_id} runs, plan {running.plan_hash}, until {running.end_date}.", highlight=False)


def _experiment(home: Home, plan: str) -> Experiment:
    """Read a plan from a file, or an experiment of the installation."""
    file = Path(plan)
    if not file.is_file():
        return home.experiments.get(plan)
    try:
        draft = Experiment.model_validate_json(file.read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise Layer7Error(
            "bad_plan", f"{file.name} is no plan of an experiment: {place}: {first['msg']}.", "Mend it."
        ) from error
    return checked(draft, accept=accept, metrics=METRICS)


def _issued(home: Home, experiment: Experiment, *, runs: int, quiet: bool) -> DesignPassport:
    with progress(f"{3 * runs:,} simulated experiments", 1.0, quiet=quiet) as advance:
        return issue_passport(home, experiment, now=now(), runs=runs, progress=advance)


def _print(found: DesignPassport) -> None:
    style = _STYLES[found.judgement]
    out.print(f"[{style}]{found.judgement.replace('_', ' ')}[/]  {found.sentence}", highlight=False)
    if found.power is None:
        _print_ways(found)
        return
    print_table(f"{found.experiment_id} on this log", ("what", "value"), _design_rows(found))
    n = found.power.n
    print_table(f"{n:,} simulated experiments in each of three worlds", ("", "", "", ""), _world_rows(found))
    out.print(f"{found.certificate}; the interval is the simulation's.", style="dim", highlight=False)
    _print_ways(found)


def _print_ways(found: DesignPassport) -> None:
    if found.feasible:
        out.print("What would work:")
    for way in found.feasible:
        out.print(f"  • {way}", highlight=False)


def _design_rows(found: DesignPassport) -> list[tuple[str, str]]:
    kind = metric(found.metric)
    effect = written(found.minimum_effect or 0.0, kind)
    rows = [
        (
            "effect to be found",
            effect + (" (assumed: the plan names none)" if found.effect_is_assumed else ""),
        ),
        ("people who take part", f"{found.units or 0:,} in {found.days} days"),
        (f"{kind.title.lower()}, now", percent(found.rate) if kind.unit == "share" else f"{found.rate:.3g}"),
        ("needed for the effect", f"{found.units_needed or 0:,} people, {_weeks(found.days_needed)}"),
        ("smallest effect provable", written(found.detectable_effect or 0.0, kind)),
        ("... with the minimum sample", written(found.detectable_at_minimum or 0.0, kind)),
    ]
    if found.detectable_by_application and found.unit == "user" and (found.design_effect or 0) >= CHEAPER:
        said = f"{written(found.detectable_by_application, kind)}, {found.design_effect:.1f} times fewer"
        rows.append(("... splitting applications", said))
    return rows


def _weeks(days: float | None) -> str:
    return "more than four years" if days is None else f"{days / 7:.1f} weeks at this traffic"


def _world_rows(found: DesignPassport) -> list[tuple[str, ...]]:
    shares = (
        ("nothing changed: called different", found.false_positive_rate),
        ("the effect is there: proven", found.power),
        ("as much harm: proven", found.harm_found),
    )
    rows = [_row(name, each, percent, bar=True) for name, each in shares if each is not None]
    times = (
        ("days until the effect is proven, or the end", found.days_to_adopt),
        ("days until the harm is stopped, or the end", found.days_to_stop_harm),
        (f"lost to the harm until then ({found.metric})", found.expected_loss),
    )
    return rows + [_row(name, each, _number, bar=False) for name, each in times if each is not None]


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:,.1f}"


def _row(name: str, found: Simulated, write: Callable[[float | None], str], *, bar: bool) -> tuple[str, ...]:
    low, high = (write(end) for end in found.interval)
    full = round(_WIDTH * found.value)
    return name, write(found.value), f"{low} to {high}", ("█" * full + "░" * (_WIDTH - full)) if bar else ""
