"""The whole loop on a simulated job market: ``demo``."""

import shutil
import tempfile
from collections.abc import Mapping
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from layer7.cli.nights import night_with_progress, print_fall
from layer7.cli.terminal import JsonOption, now, out, percent, print_json, print_table, progress
from layer7.errors import Layer7Error
from layer7.simulation import SCENARIOS, events, simulate, write_events
from layer7.storage.database.runs import Run
from layer7.storage.home import Home, open_home

_MARK = "this-is-a-demo"


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("demo")(demo)


def demo(
    *,
    home: Annotated[Path, typer.Option("--home", help="Where the demo lives; made anew.")] = Path(
        ".layer7-demo"
    ),
    people: Annotated[int, typer.Option("--people", min=20, help="People in the market.")] = 2_000,
    weeks: Annotated[int, typer.Option("--weeks", min=2, help="Weeks it runs.")] = 26,
    seed: Annotated[int, typer.Option("--seed", help="The dice.")] = 7,
    serve: Annotated[bool, typer.Option("--serve/--no-serve", help="Serve the pages at the end.")] = True,
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="Where to serve them.")] = 8700,
    as_json: JsonOption = False,
) -> None:
    """Simulate a job market, take its events in, run the night, and show what was learned."""
    opened = open_home(_fresh(home))
    today = now().date()
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder)
        with progress("Simulating a job market", None, quiet=as_json):
            market = simulate(
                SCENARIOS["default"],
                people=people,
                weeks=weeks,
                start=today - timedelta(weeks=weeks),
                rng=np.random.default_rng(seed),
            )
            write_events(events(market), log)
        size = sum(file.stat().st_size for file in log.iterdir())
        with progress("Taking its events in", size, quiet=as_json) as advance:
            taken = opened.ingest.files([log], now=now, progress=lambda _name, done: advance(done))
    run = night_with_progress(opened, today, quiet=as_json)
    if as_json:
        print_json({"home": str(home), "events": taken.as_json(), "learned": dict(run.report)})
    else:
        _tell(opened, run, events_taken=taken.accepted)
    if serve:
        # The server takes as long to load as a small night needs for a stage.
        import_module("layer7.cli.serving").serve_home(opened, port=port)
    elif not as_json:
        out.print(f"See it in the browser: [bold]layer7 serve --home {home}[/]")


def _fresh(home: Path) -> Path:
    """Give an empty folder; one that is not a demo's is never touched."""
    if home.exists() and any(home.iterdir()):
        if not (home / _MARK).exists():
            raise Layer7Error(
                "not_a_demo", f"{home} is not empty and not a demo.", "Name another folder with --home."
            )
        shutil.rmtree(home)
    home.mkdir(parents=True, exist_ok=True)
    (home / _MARK).touch()
    return home


def _tell(home: Home, run: Run, *, events_taken: int) -> None:
    """Print what the night learned, in a table that a person enjoys reading."""
    measured = run.report["measure"]
    rate = measured["interview_rate"]
    print_table(
        "What the night learned",
        ("question", "answer"),
        [
            ("Events, people, applications", _counts(events_taken, measured)),
            ("How many applications lead to an interview?", _interval(rate)),
            ("... counting silence as failure", f"{percent(measured['naive_rate'])}  (too low)"),
            ("... among the answered only", f"{percent(measured['resolved_rate'])}  (too high)"),
            ("How many are ever answered?", _interval(measured["answer_rate"])),
            ("How long until an interview?", f"half within {measured['interview_days_median']:.1f} days"),
            ("After two weeks of silence, does an interview still come?", _silence(measured["silence"], 14)),
            ("And after a month?", _silence(measured["silence"], 30)),
        ],
    )
    print_fall(run)
    _tell_of_scores(run.report["propose"]["resume_score"])
    for item in home.recommendations.list(limit=10):
        out.print(f"[bold]{item.component}.{item.parameter}[/]: {item.reasoning}", highlight=False)
        out.print(
            f"  layer7 recommendations approve {item.recommendation_id} --home {home.path}", style="dim"
        )


def _tell_of_scores(score: Mapping[str, Any]) -> None:
    print_table(
        "Does the resume score say what it promises?",
        ("score", "promised", "seen", "95 % interval", "n"),
        [
            (
                name,
                percent(score["expected_rates"][name]),
                percent(line["interview_rate"]),
                " to ".join(percent(end) for end in line["interval"] or ()),
                f"{line['n']:,}",
            )
            for name, line in score["calibration"].items()
        ],
    )
    out.print(score["answer"], highlight=False)


def _counts(events_taken: int, measured: Mapping[str, Any]) -> str:
    return (
        f"{events_taken:,} events, {measured['people']:,} people, {measured['applications']:,} applications"
    )


def _interval(rate: Mapping[str, Any]) -> str:
    return f"{percent(rate['value'])}  ({percent(rate['low'])} to {percent(rate['high'])}; n = {rate['n']:,})"


def _silence(curve: list[list[float]], day: int) -> str:
    chance = {int(at): value for at, value in curve}.get(day)
    return "cannot tell yet" if chance is None else f"for {percent(chance)} of the silent"
