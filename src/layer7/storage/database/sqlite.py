"""How every database of SQLite is opened: a commit stays, what is deleted is gone, waiting is patient."""

import sqlite3
import time

PATIENCE = 30.0
"""Seconds that a program waits for another one that writes."""

_PAUSE = 0.01
_PRAGMAS = ("synchronous=FULL", "foreign_keys=ON", "secure_delete=ON")


def prepare(connection: sqlite3.Connection) -> None:
    """Set what a new connection needs; transactions are begun in words.

    Args:
        connection: just opened.
    """
    connection.isolation_level = None
    connection.execute(f"PRAGMA busy_timeout={PATIENCE * 1000:.0f}")
    _write_ahead(connection)
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Keep a log ahead of the file, which stays set in the file.

    Of two programs that set it at once in a new file, SQLite refuses one at once however patient it is: both
    read the file first, and neither may wait for the other with that lock in hand.
    """
    for _ in range(round(PATIENCE / _PAUSE)):
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                raise
        else:
            return
        time.sleep(_PAUSE)
    connection.execute("PRAGMA journal_mode=WAL")
