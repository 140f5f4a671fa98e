"""What every command shares: the home option, the JSON option, tables, progress, errors."""

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table

from layer7.errors import Layer7Error

if TYPE_CHECKING:
    from layer7.storage.home import Home

HomeOption = Annotated[
    Path | None,
    typer.Option("--home", help="Home folder; else LAYER7_HOME, else ./.layer7.", show_default=False),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON value instead of a table.")]
WhyOption = Annotated[str, typer.Option("--why", help="The reason, in your words; kept in the audit log.")]
ActorOption = Annotated[
    str, typer.Option("--actor", help="Who you are; else the user of this machine.", show_default=False)
]

out = Console()
err = Console(stderr=True)

_USAGE = {
    "home_unusable",
    "no_such_file",
    "unknown_format",
    "unknown_parameter",
    "unknown_component",
    "invalid_date",
    "usage",
}


def now() -> datetime:
    """Give the present moment in UTC; the one clock of the command line."""
    return datetime.now(UTC)


def home_path(option: Path | None) -> Path:
    """Give the home folder that a command works on."""
    return option or Path(os.environ.get("LAYER7_HOME") or ".layer7")


def opened(option: Path | None) -> "Home":
    """Open the home folder that a command works on."""
    # Commands that need no home do not wait for its modules.
    home: Home = import_module("layer7.storage.home").open_home(home_path(option))
    return home


def actor_name(option: str) -> str:
    """Give the name under which an act is recorded."""
    return option or os.environ.get("LAYER7_ACTOR") or os.environ.get("USER") or "command line"


def print_json(value: Any) -> None:
    """Print one JSON value."""
    out.print_json(json.dumps(value, default=str, ensure_ascii=False), highlight=out.is_terminal)


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table; numbers stand to the right."""
    table = Table(title=title, title_justify="left", title_style="bold", header_style="bold", box=None)
    kept = [[("" if cell is None else cell) for cell in row] for row in rows]
    for at, name in enumerate(columns):
        numeric = kept and all(isinstance(row[at], int | float) for row in kept)
        table.add_column(name, justify="right" if numeric else "left", overflow="fold")
    for row in kept:
        table.add_row(*(f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in row))
    out.print(table)


def percent(value: float | None) -> str:
    """Give a share as percent with sensible digits.

    Example:
        >>> percent(0.0431), percent(None)
        ('4.3 %', 'cannot tell yet')
    """
    return "cannot tell yet" if value is None else f"{100 * value:.1f} %"


@contextmanager
def progress(description: str, total: float | None, *, quiet: bool) -> Iterator[Callable[[float], None]]:
    """Show a progress bar on the error stream while the block runs; gives what advances it."""
    bar = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        console=err,
        disable=quiet or not err.is_terminal,
        transient=True,
    )
    with bar:
        task = bar.add_task(description, total=total)
        yield lambda amount: bar.advance(task, amount)


def failed(error: Layer7Error, *, as_json: bool) -> int:
    """Print an error and give its exit code: 2 for what was asked wrongly, 1 for the rest."""
    if as_json:
        print_json({"error": {"code": error.code, "message": error.message, "hint": error.hint}})
    else:
        err.print(f"[bold red]{error.code}[/]  ", end="")
        err.print(error.message, markup=False, highlight=False)
        if error.hint:
            err.print(error.hint, style="dim", markup=False, highlight=False)
    return 2 if error.code in _USAGE else 1


def flat(value: Mapping[str, Any]) -> list[tuple[str, object]]:
    """Give a mapping as rows of name and value."""
    return [(name, item) for name, item in value.items() if item not in (None, {}, [])]
