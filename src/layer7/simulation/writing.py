"""Files of a history: its log in a form that Layer 7 reads, and its truth, to be kept apart."""

import gzip
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pyarrow.parquet as pq

from layer7.errors import Layer7Error
from layer7.simulation.json_lines import json_lines
from layer7.simulation.run import Simulation
from layer7.simulation.taking import spelled

Format = Literal["parquet", "jsonl", "jsonl.gz"]
_CONTINUOUS = {
    *("crowding", "posting_log_odds", "probability_alive", "probability"),
    *("interview_days", "onsite_days", "decision_days", "ghosted_days"),
}
"""Columns of the truth that do not repeat; to search them for repetition takes longer than all the rest."""


def write_events(
    table: pa.Table | Iterable[pa.RecordBatch],
    folder: Path,
    *,
    format: Format = "parquet",  # noqa: A002 - the word that every reader and writer of tables uses
    rows_per_file: int = 250_000,
) -> tuple[Path, ...]:
    """Write a log into files ``events-00000.parquet``, ``events-00001.parquet``, ...

    Args:
        table: a table of events, or batches as `layer7.simulation.events.events` gives them.
        folder: where to; made if missing, files of the same name are replaced.
        format: ``"parquet"``, ``"jsonl"`` (one JSON object a line, null fields left out) or ``"jsonl.gz"``.
        rows_per_file: at most so many events in a file, at least 1.

    Returns:
        The files, in the order of the log. The same events give the same bytes.

    Raises:
        Layer7Error: ``event_format`` if the format is unknown, ``batch_size`` if a file would hold no rows.

    Example:
        >>> import tempfile
        >>> from layer7.simulation.schema import EVENT_SCHEMA
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     write_events(EVENT_SCHEMA.empty_table(), Path(folder))
        ()
    """
    if format not in {"parquet", "jsonl", "jsonl.gz"}:
        raise Layer7Error(
            "event_format",
            f"Format {format!r}; the formats are parquet, jsonl, jsonl.gz.",
            "Choose one of these.",
        )
    if rows_per_file < 1:
        raise Layer7Error("batch_size", f"Files of {rows_per_file} rows; a file has at least 1.")
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for number, part in enumerate(_parts(table, rows_per_file)):
        file = folder / f"events-{number:05d}.{format}"
        _write_part(part, file, format)
        files.append(file)
    return tuple(files)


def write_truth(simulation: Simulation, path: Path) -> tuple[Path, ...]:
    """Write what is true of a history into a folder: ``applications``, ``people``, ``modes``, ``rewrites``.

    Args:
        simulation: the history.
        path: folder, made if missing. Keep it away from the folder of events: no estimator may see it.

    Returns:
        The Parquet files.

    Example:
        >>> import tempfile
        >>> from datetime import date
        >>> import numpy as np
        >>> from layer7.simulation.market import Market
        >>> from layer7.simulation.run import simulate
        >>> history = simulate(
        ...     Market(), people=3, weeks=1, start=date(2026, 3, 2), rng=np.random.default_rng(7)
        ... )
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     [file.name for file in write_truth(history, Path(folder))]
        ['applications.parquet', 'people.parquet', 'modes.parquet', 'rewrites.parquet']
    """
    path.mkdir(parents=True, exist_ok=True)
    tables = {
        "applications": simulation.applications,
        "people": simulation.people,
        "modes": simulation.modes,
        "rewrites": simulation.rewrites,
    }
    for name, table in tables.items():
        _write_parquet(table, path / f"{name}.parquet")
    return tuple(path / f"{name}.parquet" for name in tables)


def _parts(table: pa.Table | Iterable[pa.RecordBatch], rows: int) -> Iterator[pa.Table]:
    """Cut batches of any size into tables of `rows` rows, the last one shorter."""
    waiting: list[pa.RecordBatch] = []
    size = 0
    for batch in table.to_batches() if isinstance(table, pa.Table) else table:
        waiting.append(batch)
        size += batch.num_rows
        while size >= rows:
            whole = pa.Table.from_batches(waiting)
            yield whole.slice(0, rows)
            waiting = whole.slice(rows).to_batches()
            size -= rows
    if size:
        yield pa.Table.from_batches(waiting)


def _write_part(part: pa.Table, file: Path, format_: Format) -> None:
    if format_ == "parquet":
        _write_parquet(spelled(part, longer_than=part.num_rows // 2), file)
        return
    with file.open("wb") as raw:
        if format_ == "jsonl":
            raw.writelines(json_lines(part))
            return
        # No name and no time in the header: the same events give the same bytes.
        with gzip.GzipFile(filename="", mode="wb", fileobj=raw, compresslevel=5, mtime=0) as packed:
            packed.writelines(json_lines(part))


def _write_parquet(table: pa.Table, file: Path) -> None:
    """What repeats stands in dictionaries, and is short so; other texts are packed. Types are plain ones."""
    leaves = [leaf for field in table.schema for leaf in _leaves(field)]
    rare = {path for path, kind in leaves if kind == pa.string() or pa.types.is_timestamp(kind)}
    options: dict[str, Any] = {
        "compression": {path: "lz4" if kind == pa.string() else "none" for path, kind in leaves},
        "use_dictionary": [path for path, _ in leaves if path not in rare | _CONTINUOUS],
        "write_statistics": False,
        "store_schema": False,
    }
    pq.write_table(table, file, **options)


def _leaves(field: "pa.Field[Any]", above: str = "") -> list[tuple[str, pa.DataType]]:
    """Give the columns of a field, as Parquet names them, with their types."""
    path = above + field.name
    if isinstance(field.type, pa.StructType):
        return [leaf for inner in field.type for leaf in _leaves(inner, f"{path}.")]
    if isinstance(field.type, pa.MapType):
        parts = (("key", field.type.key_type), ("value", field.type.item_type))
        return [(f"{path}.key_value.{name}", kind) for name, kind in parts]
    if isinstance(field.type, pa.ListType):
        return [(f"{path}.list.element", field.type.value_type)]
    return [(path, field.type)]
