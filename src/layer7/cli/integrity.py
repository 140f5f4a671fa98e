"""Whether what an installation keeps is whole: ``check``."""

import typer

from layer7.cli.terminal import HomeOption, JsonOption, home_path, opened, out, print_json, print_table

_SHORT = "Only {} of {} MiB are held for erasing people on a full disk: free some space, and open it again."


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command("check")(check)


def check(*, home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Look whether databases and files are whole; a damaged state is only read until it is restored."""
    there = opened(home)
    found, held = there.check(), there.reserve.held
    damaged = any(found.values())
    if as_json:
        written = not there.state.damaged
        print_json({"whole": not damaged, "written": written, "faults": found, "reserve_bytes": held})
    elif damaged:
        faults = [(place, fault) for place, faults in found.items() for fault in faults]
        print_table(f"Damage in {home_path(home)}", ("place", "fault"), faults)
        out.print("How to restore it: docs/how-it-works.md, When the disk is damaged.", style="dim")
    else:
        out.print(f"{home_path(home)} is whole.", highlight=False)
    if held < there.settings.reserve_mb << 20:
        out.print(_SHORT.format(held >> 20, there.settings.reserve_mb), style="yellow")
    if damaged:
        raise typer.Exit(1)
