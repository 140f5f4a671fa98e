"""What a failing disk does to a database."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path


def _torn(page: bytes) -> bytes:
    return b"\xa5" * len(page)


def break_page(path: Path, name: str, change: Callable[[bytes], bytes] = _torn) -> bytes:
    """Overwrite the first page of a table or an index, as a failing disk does; gives the file as it was."""
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        root = database.execute("SELECT rootpage FROM sqlite_schema WHERE name = ?", [name]).fetchone()[0]
        size = database.execute("PRAGMA page_size").fetchone()[0]
    before = path.read_bytes()
    start, end = (root - 1) * size, root * size
    path.write_bytes(before[:start] + change(before[start:end]) + before[end:])
    return before
