"""A simulated job market in files: ``simulate``."""

from datetime import date
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import typer

from layer7.cli.terminal import JsonOption, err, print_json
from layer7.errors import Layer7Error
from layer7.simulation import SCENARIOS, Market, events, simulate, write_events, write_truth


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("simulate")(simulate_market)


def simulate_market(
    *,
    scenario: Annotated[str, typer.Option("--scenario", help="What is planted, e.g. S0.")] = "default",
    people: Annotated[int, typer.Option("--people", min=1, help="People in the market.")] = 2_000,
    weeks: Annotated[int, typer.Option("--weeks", min=1, help="Weeks it runs.")] = 26,
    seed: Annotated[int, typer.Option("--seed", help="The dice.")] = 0,
    start: Annotated[str, typer.Option("--start", help="Its first day, ISO 8601.")] = "2026-01-05",
    folder: Annotated[Path, typer.Option("--out", help="Where to write events and truth.")] = Path("market"),
    kind: Annotated[
        Literal["parquet", "jsonl", "jsonl.gz"], typer.Option("--format", help="How to write the events.")
    ] = "parquet",
    as_json: JsonOption = False,
) -> None:
    """Write the events of a simulated job market, and beside them what was planted."""
    market = _scenario(scenario)
    simulation = simulate(
        market, people=people, weeks=weeks, start=_day(start), rng=np.random.default_rng(seed)
    )
    files = write_events(events(simulation), folder / "events", format=kind)
    truth = write_truth(simulation, folder / "truth")
    if as_json:
        print_json({"events": [str(path) for path in files], "truth": [str(path) for path in truth]})
    else:
        err.print(f"{len(files)} files of events in {folder / 'events'}, the truth in {folder / 'truth'}")


def _scenario(name: str) -> Market:
    if name not in SCENARIOS:
        known = ", ".join(SCENARIOS)
        raise Layer7Error("unknown_scenario", f"No scenario is called {name!r}.", f"There are: {known}.")
    return SCENARIOS[name]


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise Layer7Error("invalid_date", f"{text!r} is not a day.", "Write it like 2026-03-02.") from error
