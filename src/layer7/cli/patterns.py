"""What works for whom: ``patterns``."""

from typing import Annotated

import typer

from layer7.cli.terminal import HomeOption, JsonOption, opened, out, percent, print_json, print_table
from layer7.contract.analytics import UserPatterns
from layer7.errors import Layer7Error
from layer7.storage.services.patterns import Patterns

patterns = typer.Typer(help="What works for whom, as far as it can be told.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.add_typer(patterns, name="patterns")


@patterns.command("list")
def list_patterns(
    *,
    user: Annotated[str | None, typer.Option("--user", help="Only this person's, in your own id.")] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the patterns that are shown: good levels above an odds ratio of 1, bad ones below."""
    found = [pattern for _, pattern in Patterns(opened(home)).shown(user_id=user)]
    if as_json:
        print_json([pattern.model_dump(mode="json") for pattern in found])
        return
    if not found:
        out.print("No evidence of a pattern yet. `layer7 patterns show USER` says what is needed.")
        return
    rows = [
        (
            each.user_id,
            each.dimension,
            each.level,
            f"{each.odds_ratio:.1f}",
            "" if each.interval is None else f"{each.interval[0]:.1f} to {each.interval[1]:.1f}",
            f"{each.probability:.2f}",
            each.n,
            each.events,
        )
        for each in found
    ]
    names = ("user", "dimension", "level", "odds ratio", "95 % interval", "probability", "n", "interviews")
    print_table("Patterns", names, rows)


@patterns.command("show")
def show(
    user_id: Annotated[str, typer.Argument(help="The person, in your own id.", show_default=False)],
    *,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what works for one person, and about how much more is needed where that cannot be told."""
    found = Patterns(opened(home)).of(user_id)
    if found is None:
        raise Layer7Error(
            "unknown_user",
            "The last night knew of no applications of this person.",
            "Check the id, or run `layer7 nightly` if her events came after the last night.",
        )
    if as_json:
        print_json(found.model_dump(mode="json"))
        return
    out.print(f"[bold]{user_id}[/]", highlight=False)
    print_table("What works", ("what", "level", "interview rate", "n"), _rows(found))
    for name in ("typical_edit_patterns", "rejection_patterns", "acceptance_patterns"):
        said = getattr(found, name)
        if said:
            out.print(f"{name.replace('_', ' ')}: {', '.join(said)}", highlight=False)


def _rows(found: UserPatterns) -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = [
        *(("role", r.title, percent(r.interview_rate), r.n) for r in found.best_performing_roles),
        *(("location", r.location, percent(r.interview_rate), r.n) for r in found.best_locations),
        *(("company", r.type, percent(r.interview_rate), r.n) for r in found.best_companies),
        ("seniority", found.best_seniority, "", ""),
        ("weekday", found.optimal_application_timing.best_day_of_week, "", ""),
        ("hours", found.optimal_application_timing.best_time_of_day, "", ""),
        ("resume version", found.best_resume_version, "", ""),
        *(("resume section", section, "", "") for section in found.best_performing_sections),
    ]
    told = [row for row in rows if row[1] is not None]
    return told + [
        (name.replace("_", " "), f"no evidence yet, about {more:,} more applications", "", "")
        for name, more in found.needed.items()
    ]
