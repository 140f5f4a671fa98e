"""The night and its record: ``nightly``, ``runs``."""

from datetime import date, datetime
from typing import Annotated

import typer

from layer7.cli.terminal import HomeOption, JsonOption, now, opened, out, print_json, print_table, progress
from layer7.errors import Layer7Error
from layer7.nightly import STAGES, run_night
from layer7.storage.database.runs import Run
from layer7.storage.home import Home
from layer7.storage.warehouse.reading import Horizon

runs = typer.Typer(help="The record of nights.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("nightly")(nightly)
    app.add_typer(runs, name="runs")


def nightly(
    *,
    as_of: Annotated[
        str | None, typer.Option("--as-of", help="Look back from the end of this day; else from today.")
    ] = None,
    known_at: Annotated[
        str | None,
        typer.Option("--known-at", help="Know only events received until then, to see a past night again."),
    ] = None,
    anew: Annotated[
        bool, typer.Option("--anew", help="Learn from everybody anew, also where the last look is recent.")
    ] = False,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Run the night, from taking in to settling; running it twice changes nothing."""
    run = night_with_progress(opened(home), as_of, known_at=known_at, quiet=as_json, anew=anew)
    if as_json:
        print_json(_as_json(run))
        return
    _print(run)


def night_with_progress(
    home: Home, as_of: date | str | None, *, known_at: str | None = None, quiet: bool, anew: bool = False
) -> Run:
    """Run the night with one progress bar over its stages."""
    at = now()
    horizon = Horizon(_day(as_of) if as_of else at.date(), _moment(known_at) if known_at else at)
    done: dict[str, float] = {}
    with progress("The night", float(len(STAGES)), quiet=quiet) as advance:

        def tell(stage: str, share: float) -> None:
            advance(max(share - done.get(stage, 0.0), 0.0))
            done[stage] = max(share, done.get(stage, 0.0))

        return run_night(home, horizon, clock=now, progress=tell, anew=anew)


def _as_json(run: Run) -> dict[str, object]:
    stages = [{name: getattr(stage, name) for name in type(stage).__slots__} for stage in run.stages]
    plain = {name: getattr(run, name) for name in type(run).__slots__ if name not in {"stages", "report"}}
    return {**plain, "stages": stages, "report": dict(run.report)}


def _print(run: Run) -> None:
    print_table(
        f"Night of {run.as_of}: {run.status}",
        ("stage", "status", "rows", "seconds"),
        [(stage.stage, stage.status, stage.rows, f"{stage.seconds:.1f}") for stage in run.stages],
    )
    print_fall(run)


def print_fall(run: Run) -> None:
    """Say whether people's own interview rates have fallen, if the night has looked."""
    found = run.report.get("measure", {}).get("decline") or {}
    if "answer" in found:
        out.print(found["answer"], style="bold" if found.get("alarm") else None, highlight=False)


@runs.command("list")
def list_runs(
    *,
    limit: Annotated[int, typer.Option("--limit", min=1, help="How many at most.")] = 20,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """List nights, the latest first."""
    found = opened(home).runs.latest(limit=limit)
    if as_json:
        print_json([_as_json(run) for run in found])
        return
    print_table(
        "Nights",
        ("id", "as of", "known at", "status", "seconds"),
        [
            (run.id, run.as_of, run.known_at, run.status, f"{sum(stage.seconds for stage in run.stages):.1f}")
            for run in found
        ],
    )


@runs.command("show")
def show_run(*, home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Show the latest night, stage by stage, and the command that gives it again."""
    found = opened(home).runs.latest()
    if not found:
        raise Layer7Error("no_night", "No night has run here yet.", "Run one with `layer7 nightly`.")
    if as_json:
        print_json(_as_json(found[0]))
        return
    _print(found[0])
    out.print(f"Again: layer7 nightly --as-of {found[0].as_of} --known-at {found[0].known_at}", style="dim")


def _day(text: date | str) -> date:
    if isinstance(text, date):
        return text
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise Layer7Error("invalid_date", f"{text!r} is not a day.", "Write it like 2026-03-02.") from error


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise Layer7Error(
            "invalid_date", f"{text!r} is not a moment.", "Write it like 2026-03-02T04:00:00+00:00."
        ) from error
    if moment.tzinfo is None:
        raise Layer7Error("invalid_date", f"{text!r} has no offset from UTC.", "Add one, e.g. +00:00.")
    return moment
