"""Is it as good for every group: ``fairness table``."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from layer7.analytics.impact import impact_counts
from layer7.cli.terminal import HomeOption, JsonOption, home_path, out, print_json, print_table
from layer7.errors import Layer7Error
from layer7.fairness import ImpactRatio, impact_ratios
from layer7.storage.tables import open_table

fairness = typer.Typer(help="Is it as good for every group.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.add_typer(fairness, name="fairness")


@fairness.command("table")
def table(
    file: Annotated[Path, typer.Argument(help="CSV or Parquet, one row per person.", show_default=False)],
    *,
    group: Annotated[list[str], typer.Option("--group", help="Column of the groups; several are crossed.")],
    outcome: Annotated[str, typer.Option("--outcome", help="Column of 0 and 1: was she selected.")],
    weight: Annotated[
        str | None, typer.Option("--weight", help="Column that says for how many a row stands.")
    ] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Give selection rates and impact ratios of any table, as Local Law 144 asks for them."""
    with open_table(file, home_path(home) / "scratch") as given:
        missing = {*group, outcome, *([weight] if weight else [])} - set(given.columns)
        if missing:
            raise Layer7Error(
                "unknown_column",
                f"{file.name} has no column {', '.join(sorted(missing))}.",
                f"It has {', '.join(given.columns)}.",
            )
        counts = impact_counts(given, group, outcome, weight).to_pyarrow().to_pylist()
    found = impact_ratios((row["category"], row["people"], row["selected"]) for row in counts)
    if as_json:
        print_json([asdict(each) for each in found])
        return
    print_ratios(", ".join(group), found)


def print_ratios(title: str, found: tuple[ImpactRatio, ...]) -> None:
    """Print impact ratios as a table."""
    rows = [
        (
            each.category,
            each.people,
            each.selected,
            f"{each.rate:.3f}",
            f"{each.low:.3f} to {each.high:.3f}",
            "" if each.ratio is None else f"{each.ratio:.2f}",
            "" if each.ratio_low is None else f"{each.ratio_low:.2f} to {each.ratio_high:.2f}",
            "below 2 %" if each.is_small else "",
        )
        for each in found
    ]
    names = ("category", "people", "selected", "rate", "95 % interval", "impact ratio", "95 % interval", "")
    print_table(title, names, rows)
    out.print("One look, e.g. once a year; to look every night take `layer7 fairness show`.", style="dim")
