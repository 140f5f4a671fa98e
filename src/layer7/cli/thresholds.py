"""The thresholds of the strategy mode: ``thresholds``."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import typer

from layer7.cli.terminal import HomeOption, JsonOption, opened, out, percent, print_json, print_table
from layer7.errors import Layer7Error
from layer7.storage.services.thresholds import Thresholds

State = Literal["rethink", "not_yet", "fine", "cannot_tell"]

thresholds = typer.Typer(help="Whether the strategy mode's thresholds are the best.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.add_typer(thresholds, name="thresholds")


@thresholds.command("show")
def show(*, home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Show what the last night found of both thresholds, with what it rests on."""
    run, found = Thresholds(opened(home)).found()
    if as_json:
        print_json({"run_id": run.id, "as_of": run.as_of, **found})
        return
    resume, rethink = found["resume_score"], found["rethink"]
    out.print(f"As of {run.as_of}, evidence: {resume['evidence']}", highlight=False)
    for part in (resume, rethink):
        out.print(part["answer"], highlight=False)
    for name, why in resume["why_not"].items():
        out.print(f"No {name}: {why}", style="dim", highlight=False)
    curve = [
        (f"{row['score']:g}", f"{row['effect']:+.3f}", f"{row['low']:+.3f} to {row['high']:+.3f}")
        for row in resume["effect_curve"]
    ]
    if curve:
        print_table("Interviews that going on brings, per decision", ("score", "effect", "95 %"), curve)
    rules = [(words, rethink[name]) for words, name in _RULES if rethink[name]]
    if rules:
        rows = [(words, percent(each["false_alarm"]), percent(each["detection"])) for words, each in rules]
        print_table("Rethink targets", ("rule", "false alarms", "found"), rows)
    changes = [(each["mode"], each["changes"], _ratio(each), each["claim"]) for each in found["mode_changes"]]
    print_table("After a change of mode", ("mode", "changes", "seen / expected", "claim"), changes)


_RULES = (
    ("count in force", "rule_in_force"),
    ("recommended count", "rule_recommended"),
    ("on the probability", "rule_on_probability"),
)


def _ratio(change: Mapping[str, Any]) -> str:
    found = change["observed_over_expected"]
    if found is None:
        return "cannot tell yet"
    return f"{found['value']:.2f} ({found['low']:.2f} to {found['high']:.2f})"


@thresholds.command("people")
def people(
    *,
    user: Annotated[str | None, typer.Option("--user", help="Only this person.")] = None,
    state: Annotated[State | None, typer.Option("--state", help="Only people in this state.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="How many to show.")] = 50,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say of people whether to rethink their targets now, or after how many more applications."""
    reader = Thresholds(opened(home))
    if user is None:
        found = reader.people(state=state, limit=limit)
    else:
        one = reader.person(user)
        if one is None:
            raise Layer7Error(
                "unknown_user", "No night has judged this person's targets.", "Check the id, or run a night."
            )
        found = [one]
    if as_json:
        print_json(found)
        return
    last = ("n", "interviews", "more_needed")
    rows = [
        (row["user_id"], row["state"], percent(row["probability"]), *(row[name] for name in last))
        for row in found
    ]
    columns = ("person", "state", "P(rate too low)", "n", "interviews", "about so many more")
    print_table("Targets", columns, rows)
