"""The command line as a stranger types it, without waiting for a process of its own each time."""

import io
import json
import os
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any
from unittest.mock import patch

from layer7.cli.app import main
from layer7.storage.home import Home


def layer7(*words: str, home: Home | Path | None = None, code: int = 0) -> str:
    """Run a command; gives what it printed, and after a failure also what it said of that.

    Args:
        words: as they are typed after ``layer7``.
        home: the home folder, if it needs one; an open one, to use its settings.
        code: the exit code that it has to end with.
    """
    path, settings = (home.path, _environment(home)) if isinstance(home, Home) else (home, {})
    typed = ["layer7", *words, *(["--home", str(path)] if path else [])]
    said, warned = io.StringIO(), io.StringIO()
    with (
        patch.object(sys, "argv", typed),
        patch.dict(os.environ, settings),
        redirect_stdout(said),
        redirect_stderr(warned),
    ):
        try:
            main()
            ended = 0
        except SystemExit as stop:
            ended = int(stop.code or 0)
    assert ended == code, warned.getvalue() + said.getvalue()
    return said.getvalue() + (warned.getvalue() if code else "")


def _environment(home: Home) -> dict[str, str]:
    names = ("master_key", "buckets", "database_url")
    kept = {name: str(getattr(home.settings, name)) for name in names}
    return {f"LAYER7_{name.upper()}": value for name, value in kept.items() if value}


def answer(*words: str, home: Home | Path | None = None, code: int = 0) -> Any:
    """Run a command; gives the one JSON value that it printed."""
    return json.loads(layer7(*words, "--json", home=home, code=code))
