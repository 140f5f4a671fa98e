"""The embedded engine: DuckDB, bounded in memory, in UTC; the same files can be read by Spark."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from layer7.errors import Layer7Error
from layer7.storage.database.disk import disk_failed, disk_full, trouble
from layer7.storage.settings import Settings

_FULL_WORDS = ("No space left", "File too large", "Disk quota", "max_temp_directory_size")
_FAILED_WORDS = ("Input/output error", "fsync")
_DAMAGED_WORDS = (
    *("Failed to read file", "No files found", "No magic bytes", "too small to be a Parquet file"),
    *("Invalid string encoding found in Parquet", "Out of buffer", "TProtocolException", "Prefetch"),
)


def _damaged() -> Layer7Error:
    return Layer7Error(
        "data_damaged",
        "A file of the log or of a derived table is gone or damaged.",
        "`layer7 check` names it; docs/how-it-works.md says how to restore it.",
    )


_BY_WORDS = ((_FULL_WORDS, disk_full), (_FAILED_WORDS, disk_failed), (_DAMAGED_WORDS, _damaged))


@contextmanager
def told() -> Iterator[None]:
    """Say in words what a full disk, a failing disk or a damaged file does to whoever writes or reads.

    Raises:
        Layer7Error: ``disk_full``; ``disk_failed``, after which what was written counts for nothing and is
            not tried again; ``data_damaged``.
    """
    try:
        yield
    except OSError as error:
        known = trouble(error)
        if known is None:
            raise
        raise known from error
    except duckdb.Error as error:
        reason = str(error)
        for words, given in _BY_WORDS:
            if any(word in reason for word in words):
                raise given() from error
        raise


def connect(settings: Settings, scratch: Path) -> duckdb.DuckDBPyConnection:
    """Open an engine of its own.

    Args:
        settings: threads and memory limit.
        scratch: folder that it may spill to.
    """
    engine = duckdb.connect(
        config={
            "threads": settings.threads or os.cpu_count() or 1,
            "memory_limit": settings.memory_limit,
            "temp_directory": str(scratch),
            "preserve_insertion_order": True,
            # Fresh pages cost more than the work on them: keep freed memory until the limit is near.
            "allocator_flush_threshold": "16GB",
            "allocator_bulk_deallocation_flush_threshold": "16GB",
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        }
    )
    engine.execute("SET TimeZone = 'UTC'")
    # Else every question about a table asks its files anew what they hold, and files never change.
    engine.execute("SET parquet_metadata_cache = true")
    return engine
