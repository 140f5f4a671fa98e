"""The command ``layer7``; the module of a command is loaded when it is called."""

import gc
import os
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from types import MappingProxyType

import typer

from layer7 import __version__
from layer7.cli.terminal import failed, out
from layer7.errors import Layer7Error

MODULES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "demo": ("demo",),
        "experiments": ("experiments",),
        "fairness": ("fairness",),
        "insights": ("insights",),
        "integrity": ("check",),
        "events": ("ingest", "import-log", "quarantine", "schema"),
        "likelihood": ("likelihood",),
        "passport": ("experiments",),
        "nights": ("nightly", "runs"),
        "patterns": ("patterns",),
        "personal": ("personalize", "explain"),
        "people": ("users", "applications", "correct"),
        "privacy": ("privacy",),
        "rights": ("privacy",),
        "reviews": ("recommendations", "audit"),
        "rollouts": ("advance", "ledger", "rollouts"),
        "scoreboard": ("scoreboard",),
        "scores": ("timing", "calibration", "fit-score"),
        "serving": ("serve", "tokens"),
        "settings": ("config",),
        "simulating": ("simulate",),
        "thresholds": ("thresholds",),
        "surveys": ("segments", "market"),
        "trials": ("experiments",),
    }
)
"""The modules of this room, and the commands that each registers."""

ALONE: Mapping[str, str] = MappingProxyType({"experiments analyze": "experiments"})
"""Commands that need but one of their group's modules."""

SELDOM = (50_000, 20, 50)
"""After how many new objects unreachable circles are looked for, by generation."""


def build(arguments: Sequence[str]) -> typer.Typer:
    """Give the command line with the module of the called command; with all of them where none is called.

    Args:
        arguments: what was typed after ``layer7``.
    """
    app = typer.Typer(
        name="layer7",
        help="Layer 7 learns what works in people's job searches and says how sure that is.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    app.command("version")(version)
    app.callback()(_nothing)
    alone = ALONE.get(" ".join(arguments[:2]))
    called = [alone] if alone else [name for name, of in MODULES.items() if arguments and arguments[0] in of]
    for name in called or ([] if "version" in arguments[:1] else MODULES):
        import_module(f"layer7.cli.{name}").register(app)
    return app


def _nothing() -> None:
    """Layer 7 learns what works in people's job searches and says how sure that is."""


def version() -> None:
    """Print the version."""
    out.print(__version__, highlight=False)


def main() -> None:
    """Run the command line; every :class:`Layer7Error` becomes words and an exit code.

    With ``LAYER7_DEBUG=1`` the traceback is shown instead, with its cause.
    """
    as_json = "--json" in sys.argv
    # Queries are built of many small objects; looking for circles among them takes up to a tenth of a night.
    gc.set_threshold(*SELDOM)
    try:
        # For people, what was typed wrongly is told in its place among the words of the command.
        sys.exit(build(sys.argv[1:])(standalone_mode=not as_json) or 0)
    except typer.TyperException as wrong:
        sys.exit(
            failed(Layer7Error("usage", wrong.format_message(), "See the command's --help."), as_json=True)
        )
    except Layer7Error as error:
        if os.environ.get("LAYER7_DEBUG"):
            raise
        sys.exit(failed(error, as_json=as_json))
    except KeyboardInterrupt:
        sys.exit(130)
