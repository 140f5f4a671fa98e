"""The embedded engine: DuckDB, bounded in memory, in UTC; the same files can be read by Spark."""

import os
from pathlib import Path

import duckdb

from layer7.storage.settings import Settings


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
    return engine
