"""The embedded engine: DuckDB, bounded in memory, in UTC; the same files can be read by Spark."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from errno import EDQUOT, EFBIG, EIO, ENOSPC
from pathlib import Path

import duckdb

from layer7.errors import Layer7Error
from layer7.storage.settings import Settings

_FULL = frozenset({ENOSPC, EDQUOT, EFBIG})
_FULL_WORDS = ("No space left", "File too large", "Disk quota", "max_temp_directory_size")
_FAILED_WORDS = ("Input/output error", "fsync")
_DAMAGED_WORDS = (
    *("Failed to read file", "No files found", "No magic bytes", "too small to be a Parquet file"),
    *("Invalid string encoding found in Parquet", "Out of buffer", "TProtocolException", "Prefetch"),
)

_DISK = {
    "full": ("disk_full", "The disk is full; nothing was changed.", "Free some space and try again."),
    "failed": (
        "disk_failed",
        "The disk did not take what was written; nothing was changed.",
        "Look at the disk before you try again; what it has acknowledged before may be lost, too.",
    ),
    "damaged": (
        "data_damaged",
        "A file of the log or of a derived table is gone or damaged.",
        "`layer7 check` names it; docs/how-it-works.md says how to restore it.",
    ),
}


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
        known = "full" if error.errno in _FULL else "failed" if error.errno == EIO else None
        if known is None:
            raise
        raise Layer7Error(*_DISK[known]) from error
    except duckdb.Error as error:
        reason = str(error)
        words = {"full": _FULL_WORDS, "failed": _FAILED_WORDS, "damaged": _DAMAGED_WORDS}
        for known, any_of in words.items():
            if any(word in reason for word in any_of):
                raise Layer7Error(*_DISK[known]) from error
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
