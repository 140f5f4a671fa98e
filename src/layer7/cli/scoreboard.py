"""Is the engine telling the truth: ``scoreboard``."""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from layer7.cli.terminal import JsonOption, out, print_json, print_table, progress
from layer7.errors import Layer7Error
from layer7.simulation.scoreboard import MEASURES, Measure, Verdict, run
from layer7.simulation.scoreboard.table import COLUMNS, Row, cells, merged, replaced, to_row

ROWS = Path("docs") / "scoreboard.json"
PAGES = (Path("README.md"), Path("docs") / "index.md", Path("docs") / "scoreboard.md")


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("scoreboard")(scoreboard)


def scoreboard(
    *,
    scenario: Annotated[
        list[str] | None,
        typer.Option("--scenario", help="Only this one, e.g. S2; may be given again.", show_default=False),
    ] = None,
    replications: Annotated[
        int | None,
        typer.Option("--replications", min=1, help="Markets for each line; else each line's own number."),
    ] = None,
    jobs: Annotated[
        int, typer.Option("--jobs", min=1, help="Processes at work.", show_default="one per processor")
    ] = os.cpu_count() or 1,
    short: Annotated[
        bool, typer.Option("--short", help="Few replications: what every test run does.")
    ] = False,
    write: Annotated[
        Path | None,
        typer.Option("--write", help="Write the table into README.md and docs/ of this folder, too."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Measure the engine on markets whose truth is known, beside the naive rules, against stated marks.

    Ends with 1 if a line falls short of its mark that is not known to.
    """
    chosen = _chosen(scenario or ())
    with progress("Simulating and judging", 1.0, quiet=as_json) as advance:
        lines = run(
            chosen, short=short, replications=replications, jobs=jobs,
            progress=lambda _done, total: advance(1 / total),
        )  # fmt: skip
    rows = [to_row(line) for line in lines]
    if write is not None:
        write_rows(write, rows)
    if as_json:
        print_json(rows)
    else:
        print_table("Scoreboard", COLUMNS, [cells(row) for row in rows])
        out.print("± is the Monte-Carlo standard error. A line passes only if its 95 % interval does.")
    if any(row["verdict"] == Verdict.SHORT and not row["known"] for row in rows):
        raise typer.Exit(1)


def _chosen(scenarios: Sequence[str]) -> Sequence[Measure]:
    known = tuple(dict.fromkeys(measure.scenario for measure in MEASURES))
    for name in scenarios:
        if name not in known:
            raise Layer7Error(
                "unknown_scenario",
                f"The scoreboard has no scenario {name!r}.",
                f"There are: {', '.join(known)}.",
            )
    return [measure for measure in MEASURES if not scenarios or measure.scenario in scenarios]


def write_rows(folder: Path, rows: Sequence[Row]) -> None:
    """Write rows beside those of earlier runs, and the table into the pages that show it.

    Args:
        folder: has README.md and docs/.
        rows: of this run; lines that it did not measure keep their rows.
    """
    kept = folder / ROWS
    before = json.loads(kept.read_text("utf-8")) if kept.exists() else []
    everything = merged(before, rows, MEASURES)
    kept.write_text(json.dumps(everything, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    for page in (folder / name for name in PAGES):
        page.write_text(replaced(page.read_text("utf-8"), everything), encoding="utf-8")
