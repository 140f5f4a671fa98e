"""Any table from anywhere, opened for expressions: CSV and Parquet files."""

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import duckdb
import ibis
import pyarrow as pa
from ibis.expr import types as ir

from layer7.errors import Layer7Error
from layer7.storage.database.engine import connect
from layer7.storage.intake.columnwise import quoted
from layer7.storage.settings import Settings

MOST_THREADS, MEMORY = 4, 64
"""Threads of an engine over one file, and megabytes each may hold before it spills: memory stays flat."""

_READERS = {".parquet": "read_parquet", ".csv": "read_csv", ".tsv": "read_csv"}


@contextmanager
def open_table(file: Path, scratch: Path) -> Iterator[ir.Table]:
    """Open a file as a table while the block runs; it is read as often as it is asked, never as a whole.

    Args:
        file: CSV (also .tsv, also .gz) or Parquet.
        scratch: folder that the engine may spill to.

    Raises:
        Layer7Error: ``no_such_file``; ``empty_file``; ``unknown_format``; ``unreadable_file`` with the
            engine's reason.
    """
    if not file.is_file():
        raise Layer7Error("no_such_file", f"There is no file {file}.", "Check the path.")
    if not file.stat().st_size:
        raise Layer7Error("empty_file", f"{file.name} is empty.", "Give it a line of column names, and rows.")
    suffix = next((name for name in (*file.suffixes[::-1],) if name in _READERS), None)
    if suffix is None:
        raise Layer7Error(
            "unknown_format", f"{file.name} is neither CSV nor Parquet.", "Name it .csv, .csv.gz or .parquet."
        )
    threads = min(Settings().threads or os.cpu_count() or 1, MOST_THREADS)
    held = {"threads": threads, "memory_limit": f"{MEMORY * max(threads, 2)}MB"}
    settings = Settings().model_copy(update=held)
    with closing(connect(settings, scratch)) as engine:
        try:
            engine.execute(f"CREATE VIEW given AS SELECT * FROM {_READERS[suffix]}({quoted(str(file))})")
            yield ibis.duckdb.from_connection(engine).table("given")
        except (duckdb.InvalidInputException, duckdb.ConversionException, duckdb.IOException) as error:
            raise Layer7Error(
                "unreadable_file",
                f"{file.name} cannot be read: {str(error).splitlines()[0]}",
                "Mend the file.",
            ) from error


def keep(table: ir.Table, name: str) -> ir.Table:
    """Compute an expression once, for several questions; it lives as long as the engine.

    Args:
        table: an expression over an opened table.
        name: of the kept table, within its engine.
    """
    kept: ir.Table = ibis.get_backend(table).create_table(name, table, temp=True)
    return kept


def fetched(table: ir.Table) -> pa.Table:
    """Compute an expression over an opened table, without what only pandas would need.

    Args:
        table: an expression.
    """
    backend = ibis.get_backend(table)
    found: pa.Table = backend.con.execute(backend.compile(table)).to_arrow_table()
    return found
