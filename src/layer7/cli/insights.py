"""What people are told: ``insights``."""

import sys
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from layer7.cli.terminal import HomeOption, JsonOption, opened, out, print_json, progress
from layer7.errors import Layer7Error
from layer7.insights import to_html, to_markdown
from layer7.storage.services.letters import Letters

WeekOption = Annotated[
    str | None, typer.Option("--week", help="Any day of the week, e.g. 2026-03-02; else the last whole one.")
]
insights = typer.Typer(help="The weekly letters that people get.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.add_typer(insights, name="insights")


@insights.command("show")
def show(
    user_id: Annotated[str, typer.Argument(help="The person, in your own id.", show_default=False)],
    *,
    week: Annotated[
        str | None,
        typer.Option("--week", help="Any day of the week, e.g. 2026-03-02; else the last whole one."),
    ] = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print it as Markdown; the default.")] = False,
    html: Annotated[bool, typer.Option("--html", help="Print it as the HTML of an e-mail.")] = False,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show a person's weekly letter."""
    if as_json + markdown + html > 1:
        raise Layer7Error(
            "two_forms", "A letter is printed in one form.", "Give one of --json, --markdown, --html."
        )
    letter = Letters(opened(home)).of(user_id, _day(week))
    if letter is None:
        raise Layer7Error(
            "unknown_user", "Nothing is known of this person.", "Check the id; ids are the callers' own."
        )
    if as_json:
        print_json(letter.model_dump(mode="json"))
    else:
        sys.stdout.write(to_html(letter) if html else to_markdown(letter))


@insights.command("write")
def write(
    *,
    folder: Annotated[Path, typer.Option("--out", help="Folder for letters.jsonl, one letter a line.")],
    week: WeekOption = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write the letters of everybody who sent or heard something in the last 8 weeks."""
    letters = Letters(opened(home))
    folder.mkdir(parents=True, exist_ok=True)
    path, n = folder / "letters.jsonl", 0
    with progress("Writing letters", None, quiet=as_json), path.open("w", encoding="utf-8") as file:
        for letter in letters.every(_day(week)):
            file.write(letter.model_dump_json() + "\n")
            n += 1
    if as_json:
        print_json({"letters": n, "file": str(path)})
    else:
        out.print(f"{n:,} letters written to {path}")


def _day(text: str | None) -> date | None:
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError as error:
        raise Layer7Error("invalid_date", f"{text!r} is not a day.", "Write it like 2026-03-02.") from error
