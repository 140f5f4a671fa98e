"""Whether a database is whole: damage is found by looking, remembered, and nothing is written over it."""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from layer7.errors import Layer7Error
from layer7.storage.database.durable import write_whole

LOOKED_AT = 32 << 20
"""Largest state database, in bytes, that is looked at whenever a home is opened: it takes 0.05 s."""

_MOST = 10
_PRIMARY = 0xFF
_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_DAMAGED_STATES = frozenset({"XX001", "XX002"})
_HINT = (
    "Stop what writes, put the home folder of the last good backup in its place beside today's keys, and run"
    " `layer7 check`; docs/how-it-works.md says how."
)


def is_damage(error: BaseException | None) -> bool:
    """Say whether a database reports that its own file is damaged.

    Args:
        error: of SQLAlchemy, of SQLite, or of PostgreSQL.
    """
    if isinstance(error, DBAPIError):
        error = error.orig
    code = getattr(error, "sqlite_errorcode", None)
    return (code is not None and code & _PRIMARY in _DAMAGED) or (
        getattr(error, "sqlstate", None) in _DAMAGED_STATES
    )


def faults_of(path: Path, *, thorough: bool = True) -> tuple[str, ...]:
    """Look at every page of an SQLite file; nothing where it is whole, or is not there.

    Args:
        path: the file.
        thorough: hold every index against its table too, which takes about twenty times as long.

    Returns:
        What is wrong, in SQLite's words; they hold numbers of pages and rows, and nothing of their content.
    """
    if not path.exists():
        return ()
    look = "integrity_check" if thorough else "quick_check"
    try:
        with closing(sqlite3.connect(path, timeout=30)) as database:
            rows = [str(row[0]) for row in database.execute(f"PRAGMA {look}({_MOST})")]
    except sqlite3.DatabaseError as error:
        if not is_damage(error):
            raise
        rows = [str(error)]
    return tuple(line for row in rows if row != "ok" for line in row.splitlines())


@contextmanager
def legible(path: Path) -> Iterator[None]:
    """Say in words what a damaged database of SQLite answers.

    Args:
        path: its file.

    Raises:
        Layer7Error: ``database_damaged``.
    """
    try:
        yield
    except sqlite3.DatabaseError as error:
        if not is_damage(error):
            raise
        raise Layer7Error(
            "database_damaged",
            f"The database {path.name} is damaged.",
            "Restore its last good copy: keys/ has copies of its own, the rest is in the backup of the home.",
        ) from error


class Mark:
    """The note that a state database is damaged; while it is there nothing is written.

    Args:
        path: beside the keys, so that putting a backup of the home in place does not take it away unseen.

    Example:
        >>> Mark(Path("nowhere")).set
        False
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def set(self) -> bool:
        """Whether damage was found and not mended since."""
        return self._path.exists()

    def note(self, faults: Iterable[str]) -> None:
        """Remember what is wrong, whole or not at all."""
        write_whole(self._path, "".join(f"{fault}\n" for fault in faults))

    def take_away(self) -> None:
        """Let the database be written again; it was looked at and is whole."""
        self._path.unlink(missing_ok=True)

    def refusal(self) -> Layer7Error:
        """Give the error that a write gets."""
        return Layer7Error(
            "state_damaged",
            "The state database is damaged: it is read as far as it can be, and nothing is written.",
            _HINT,
        )
