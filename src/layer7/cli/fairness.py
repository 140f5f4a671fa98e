"""Is it as good for every group: ``fairness declare``, ``show``, ``report``, ``review`` and ``table``."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from layer7.analytics.groups.impact import impact_counts, scored_counts
from layer7.cli.terminal import (
    ActorOption,
    HomeOption,
    JsonOption,
    WhyOption,
    actor_name,
    home_path,
    now,
    opened,
    out,
    print_json,
    print_table,
)
from layer7.errors import Layer7Error
from layer7.fairness import ImpactRatio, impact_ratios
from layer7.storage.database.state import Act
from layer7.storage.warehouse.tables import open_table

fairness = typer.Typer(help="Is it as good for every group.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.add_typer(fairness, name="fairness")


@fairness.command("table")
def table(
    file: Annotated[Path, typer.Argument(help="CSV or Parquet, one row per person.", show_default=False)],
    *,
    group: Annotated[list[str], typer.Option("--group", help="Column of the groups; several are crossed.")],
    outcome: Annotated[
        str | None, typer.Option("--outcome", help="Column of 0 and 1: was she selected.")
    ] = None,
    score: Annotated[
        str | None, typer.Option("--score", help="Column of scores: is hers above the median of all.")
    ] = None,
    weight: Annotated[
        str | None, typer.Option("--weight", help="Column that says for how many a row stands.")
    ] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Give selection or scoring rates and impact ratios of any table, as Local Law 144 asks for them."""
    judged = outcome or score
    if judged is None or (outcome and score):
        raise Layer7Error(
            "wrong_options", "What is compared is not clear.", "Give either --outcome or --score."
        )
    with open_table(file, home_path(home) / "scratch") as given:
        missing = {*group, judged, *([weight] if weight else [])} - set(given.columns)
        if missing:
            raise Layer7Error(
                "unknown_column",
                f"{file.name} has no column {', '.join(sorted(missing))}.",
                f"It has {', '.join(given.columns)}.",
            )
        count = impact_counts if outcome else scored_counts
        counts = count(given, group, judged, weight).to_pyarrow().to_pylist()
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


@fairness.command("declare")
def declare(
    user_id: Annotated[str, typer.Argument(help="The person, in your own id.", show_default=False)],
    *,
    said: Annotated[list[str], typer.Option("--set", help="ATTRIBUTE=GROUP, e.g. gender=female.")],
    actor: ActorOption = "",
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Keep what a person says of herself, apart from everything else; she has to allow it first."""
    pairs = dict(text.partition("=")[::2] for text in said)
    act = Act(actor_name(actor), "", "", now())
    kept = opened(home).declared.declare(user_id, pairs, act=act)
    if as_json:
        print_json([asdict(each) for each in kept])
        return
    print_table("Declared", ("attribute", "group", "since"), [tuple(asdict(each).values()) for each in kept])


@fairness.command("show")
def show(*, home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Show how declared groups fare, with intervals that may be looked at every night."""
    found = opened(home).parities.rows()
    if as_json:
        print_json(found)
        return
    if not found:
        out.print("No night has compared groups yet, or nobody has declared any.")
        return
    rows = [
        (
            row["attribute"],
            row["group"],
            row["metric"],
            row["people"],
            "" if row["ratio"] is None else f"{row['ratio']:.2f}",
            "" if row["low"] is None else f"{row['low']:.2f} to {row['high']:.2f}",
            row["level"].replace("_", " "),
            row["why"],
        )
        for row in found
    ]
    names = ("attribute", "group", "metric", "people", "ratio", "at all times", "level", "why")
    print_table("Groups beside everybody else", names, rows)


@fairness.command("proxies")
def proxies(*, home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Show which features tell who somebody is: what a group is known by need not be its name."""
    found = opened(home).parities.proxies()
    if as_json:
        print_json(found)
        return
    if not found:
        out.print("No night could tell yet: it takes 400 people who have declared an attribute.")
        return
    rows = [
        (
            row["feature"],
            row["attribute"],
            row["group"],
            row["people"],
            f"{row['area']:.2f}",
            f"{row['low']:.2f}",
            "a person should look at it" if row["needs_review"] else "",
        )
        for row in found
    ]
    names = ("feature", "attribute", "group", "people", "area", "at least", "")
    print_table("What features tell of groups; 0.5 is nothing", names, rows)


@fairness.command("report")
def report(
    *,
    file: Annotated[Path | None, typer.Option("--out", help="Write it to this file as JSON.")] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Give the yearly report: comparisons, breaches with what people decided, and what can be done."""
    found = opened(home).parities.report(now())
    if file is not None:
        file.write_text(json.dumps(found, indent=1, default=dict), encoding="utf-8")
    if as_json:
        print_json({**found, "ladder": dict(found["ladder"])})
        return
    out.print(
        f"{len(found['comparisons'])} comparisons, {found['not_enough_data']} without enough data, "
        f"{len(found['breaches'])} breaches, {len(found['waiting_for_review'])} of them wait for a person."
    )
    print_table("What can be done", ("step", "what"), list(found["ladder"].items()))


@fairness.command("review")
def review(
    breach: Annotated[str, typer.Argument(help="ATTRIBUTE/GROUP/METRIC.", show_default=False)],
    *,
    decision: Annotated[str, typer.Option("--decision", help="A step of the ladder, or none.")],
    why: WhyOption = "",
    actor: ActorOption = "",
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Record what a person decided on a breach."""
    act = Act(actor_name(actor), "", "", now(), why)
    opened(home).parities.review(breach, decision=decision, act=act)
    if as_json:
        print_json({"breach": breach, "decision": decision})
        return
    out.print(f"Recorded for {breach}: {decision}.", highlight=False)
