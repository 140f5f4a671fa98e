"""What is known of a person: ``users``; and the applications behind it: ``applications``."""

from pathlib import Path
from typing import Annotated

import typer

from layer7.cli.terminal import (
    HomeOption,
    JsonOption,
    now,
    opened,
    out,
    percent,
    print_json,
    print_table,
)
from layer7.errors import Layer7Error
from layer7.storage.services.corrections import correct
from layer7.storage.services.people import People

users = typer.Typer(help="What is known of a person.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.add_typer(users, name="users")
    app.command("applications")(applications)
    app.command("correct")(correct_outcome)


@users.command("show")
def show(
    user_id: Annotated[str, typer.Argument(help="The person, in your own id.", show_default=False)],
    *,
    period: Annotated[
        str, typer.Option("--period", help="all, a month like 2026-03, or days like 2026-03-01..2026-03-15.")
    ] = "all",
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show how a person's applications went, with intervals."""
    found = People(opened(home)).performance(user_id, period)
    if found is None:
        raise Layer7Error(
            "unknown_user",
            f"Nothing is known of this person in the period {period!r}.",
            "Check the id, or run `layer7 nightly` if her events came after the last night.",
        )
    if as_json:
        print_json(found.model_dump(mode="json"))
        return
    out.print(f"[bold]{user_id}[/], {found.period.start} to {found.period.end}", highlight=False)
    print_table(
        "Applications",
        ("what", "n"),
        [
            ("submitted", found.total_applications),
            ("reached an interview", found.interview_requests),
            ("offers", found.offers),
            ("rejected", found.rejections),
            ("silent for so long that little is to be expected", found.ghosted),
            ("still open", found.pending),
        ],
    )
    rows = [
        (
            name.replace("interview_rate_by_", "").replace(".", " "),
            percent(item.value),
            "" if item.low is None else f"{percent(item.low)} to {percent(item.high)}",
            item.n,
        )
        for name, item in found.evidence.items()
    ]
    print_table("Rates", ("rate", "value", "95 % interval", "n"), rows)


def applications(
    *,
    user: Annotated[str | None, typer.Option("--user", help="Only this person's.")] = None,
    file: Annotated[
        Path | None, typer.Option("--out", help="Write them to this Parquet file instead.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="How many to show.")] = 50,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """List applications as the last night folded them, or write the whole table to a file."""
    people = People(opened(home))
    if file is not None:
        rows = people.export_applications(file, user_id=user)
        if as_json:
            print_json({"file": str(file), "rows": rows})
        else:
            out.print(f"{rows:,} applications written to {file}")
        return
    found = people.applications(user_id=user, limit=limit)
    if as_json:
        print_json(found)
        return
    names = ("application_id", "max_stage", "closed", "submitted_at", "answer_days", "title", "company")
    print_table("Applications", names, [[item[name] for name in names] for item in found])


def correct_outcome(
    user_id: Annotated[str, typer.Argument(help="The person, in your own id.", show_default=False)],
    application_id: Annotated[str, typer.Argument(help="Her application.", show_default=False)],
    outcome: Annotated[str, typer.Argument(help="interview, offer, rejected, ghosted, or none.")],
    *,
    days: Annotated[
        float | None, typer.Option("--days", help="Days from submission to the answer.", min=0)
    ] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Correct what was heard of an application: an event, which the next night counts."""
    told = correct(opened(home), user_id, application_id, outcome=outcome, days=days, at=now())
    if as_json:
        print_json({"status": told.status, "event_id": told.event_id})
        return
    out.print(f"{told.status}: the next night counts it.")
