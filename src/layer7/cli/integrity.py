"""Whether what an installation keeps is whole: ``check``."""

import typer

from layer7.cli.terminal import HomeOption, JsonOption, home_path, opened, out, print_json, print_table


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command("check")(check)


def check(*, home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Look whether databases and files are whole; a damaged state is only read until it is restored."""
    there = opened(home)
    found = there.check()
    damaged = any(found.values())
    if as_json:
        print_json({"whole": not damaged, "written": not there.state.damaged, "faults": found})
    elif damaged:
        faults = [(place, fault) for place, faults in found.items() for fault in faults]
        print_table(f"Damage in {home_path(home)}", ("place", "fault"), faults)
        out.print("How to restore it: docs/how-it-works.md, When the disk is damaged.", style="dim")
    else:
        out.print(f"{home_path(home)} is whole.", highlight=False)
    if damaged:
        raise typer.Exit(1)
