"""How databases of SQLite are opened, by several programs at once."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from threading import Barrier

import pytest

from layer7.storage.database import sqlite

PROGRAMS = 4


def test_many_may_open_a_new_file_at_once(tmp_path):
    """Without a second try, about one file of eight is refused to somebody."""

    def write(path, begun):
        with closing(sqlite3.connect(path)) as database:
            begun.wait(timeout=30)
            sqlite.prepare(database)
            database.execute("BEGIN IMMEDIATE")
            database.execute("CREATE TABLE IF NOT EXISTS seen (number INTEGER)")
            database.execute("INSERT INTO seen VALUES (1)")
            database.execute("COMMIT")

    with ThreadPoolExecutor(PROGRAMS) as pool:
        for number in range(60):
            begun = Barrier(PROGRAMS)
            path = tmp_path / f"{number}.db"
            list(pool.map(write, [path] * PROGRAMS, [begun] * PROGRAMS))
            with closing(sqlite3.connect(path)) as database:
                assert database.execute("SELECT COUNT(*) FROM seen").fetchone() == (PROGRAMS,)


def test_a_file_that_stays_taken_is_refused_in_the_end(tmp_path, monkeypatch):
    monkeypatch.setattr(sqlite, "PATIENCE", 0.05)
    with closing(sqlite3.connect(tmp_path / "a.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with closing(sqlite3.connect(tmp_path / "a.db")) as late, pytest.raises(sqlite3.OperationalError):
            sqlite.prepare(late)
        other.execute("ROLLBACK")
        with closing(sqlite3.connect(tmp_path / "a.db")) as later:
            sqlite.prepare(later)


def test_what_is_no_database_is_not_tried_again(tmp_path):
    (tmp_path / "a.db").write_bytes(b"a letter to a friend" * 400)
    with closing(sqlite3.connect(tmp_path / "a.db")) as opened, pytest.raises(sqlite3.DatabaseError):
        sqlite.prepare(opened)
