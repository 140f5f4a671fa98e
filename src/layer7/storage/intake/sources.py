"""Files of events: JSON Lines, gzip too, Parquet, CloudEvents JSON; batch by batch, memory flat."""

import gzip
import json
import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import BinaryIO, cast

import pyarrow as pa
import pyarrow.parquet as pq

from layer7.contract.reading import MAX_BYTES
from layer7.errors import Layer7Error

_CHUNK = 32 << 20
_PIECE = 1 << 20
_HEAD = 1 << 16
_MAX_DOCUMENT = 256 << 20
_ROWS = 131_072
_REPEATS = 5
"""A column whose values take fewer bytes each, its dictionary included, repeats them."""
_SUFFIXES = (".jsonl", ".ndjson", ".json", ".jsonl.gz", ".ndjson.gz", ".json.gz", ".parquet")
_BOM = b"\xef\xbb\xbf"
_GZIP = b"\x1f\x8b"
_UTF16 = (b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")
_SPACE = re.compile(r"[ \t\n\r]*")


class Batch:
    """A piece of a file; its table is made by whoever asks first, so that reading ahead stays cheap.

    Args:
        source: the file's name.
        kind: ``lines`` (columns ``position``, ``line``) or ``rows`` (``position`` and one per field).
        make: makes the table.
        size: how many bytes of the file were read for it.
    """

    def __init__(self, source: str, kind: str, make: Callable[[], pa.Table], *, size: int = 0) -> None:
        self.source = source
        self.kind = kind
        self.size = size
        self._make = make

    @cached_property
    def table(self) -> pa.Table:
        """The piece as a table."""
        return self._make()


def find_files(paths: Iterable[Path]) -> tuple[Path, ...]:
    """Give the files of events at the given paths, folders searched through; hidden files only when named.

    Raises:
        Layer7Error: ``no_such_file`` or ``unknown_format`` with the names that are allowed.
    """
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            found += sorted(item for item in path.rglob("*") if item.is_file() and _offered(item, path))
        elif not path.exists():
            raise Layer7Error("no_such_file", f"There is no file or folder {path}.", "Check the path.")
        elif not _known(path):
            raise Layer7Error(
                "unknown_format",
                f"{path.name} is none of the kinds that can be read: {', '.join(_SUFFIXES)}.",
                "A spreadsheet of applications goes in with `layer7 import-log`.",
            )
        else:
            found.append(path)
    return tuple(dict.fromkeys(found))


def _offered(path: Path, folder: Path) -> bool:
    """Whether a folder offers a file: editors and copying programs leave half of one under a hidden name."""
    return _known(path) and not any(part.startswith(".") for part in path.relative_to(folder).parts)


def _known(path: Path) -> bool:
    return path.name.lower().endswith(_SUFFIXES)


def read_batches(path: Path) -> Iterator[Batch]:
    """Read a file batch by batch.

    Raises:
        Layer7Error: ``unreadable_file`` when it breaks off or is no such file; what came before was given.
    """
    name = path.name.lower()
    try:
        if name.endswith(".parquet"):
            yield from _parquet(path)
        elif name.endswith((".json", ".json.gz")) and _is_document(path):
            yield from _document(path)
        else:
            yield from _lines(path)
    except (OSError, EOFError, zlib.error, pa.ArrowException) as error:
        raise unreadable(path.name, error) from error


def unreadable(name: str, error: Exception) -> Layer7Error:
    """Give the error for a file that breaks off or holds what no event can."""
    return Layer7Error(
        "unreadable_file",
        f"{name} cannot be read to its end: {type(error).__name__}.",
        "What came before the break was taken; mend the file and ingest it again, nothing counts twice.",
    )


def _unpacked(path: Path) -> BinaryIO:
    """Open a file; what its first bytes say counts for more than its name."""
    with path.open("rb") as file:
        packed = file.read(len(_GZIP)) == _GZIP
    return cast("BinaryIO", gzip.open(path) if packed else path.open("rb"))


def _open(path: Path) -> BinaryIO:
    with _unpacked(path) as file:
        start = file.read(4)
    # JSON begins with two ASCII characters: a zero byte among the first ones tells how wide they are.
    if start.startswith(_UTF16) or b"\x00" in start:
        raise Layer7Error(
            "unreadable_file",
            f"{path.name} is UTF-16 or UTF-32, and events are UTF-8.",
            "Convert it, e.g. with: iconv -f UTF-16 -t UTF-8",
        )
    return _unpacked(path)


def _is_document(path: Path) -> bool:
    """Whether a .json file is one JSON text over several lines, or an array, rather than JSON Lines."""
    with _open(path) as file:
        head = file.read(_HEAD).removeprefix(_BOM).strip()
    if head.startswith(b"["):
        return True
    first, *more = head.split(b"\n")
    return bool(more) and not any(_is_json(line) for line in (first, *more))


def _is_json(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def _document(path: Path) -> Iterator[Batch]:
    with _open(path) as file:
        content = file.read(_MAX_DOCUMENT + 1)
    if len(content) > _MAX_DOCUMENT:
        raise Layer7Error(
            "too_large",
            f"{path.name} is one JSON document of more than {_MAX_DOCUMENT >> 20} MiB.",
            "Write it as JSON Lines, one event a line: then there is no limit.",
        )
    lines = list(_elements(content.removeprefix(_BOM).decode(errors="backslashreplace").strip()))
    for start in range(0, len(lines), _ROWS):
        part = lines[start : start + _ROWS]
        yield Batch(path.name, "lines", partial(_table, part, start + 1), size=sum(map(len, part)))


def _elements(text: str) -> Iterator[str]:
    """Give the elements of an array, or the one JSON text, as they were written; what is no JSON as it is."""
    if not text.startswith("["):
        yield text[:MAX_BYTES]
        return
    decoder, at, more = json.JSONDecoder(), _skip(text, 1), False
    while more or not (at == len(text) - 1 and text[at] == "]"):
        try:
            end = decoder.raw_decode(text, at)[1]
        except (ValueError, RecursionError):
            yield text[at : at + MAX_BYTES] or "["
            return
        yield text[at:end]
        at = _skip(text, end)
        more = text.startswith(",", at)
        at = _skip(text, at + 1) if more else at


def _skip(text: str, at: int) -> int:
    space = _SPACE.match(text, at)
    return space.end() if space else at


def _lines(path: Path) -> Iterator[Batch]:
    position, rest, skips = 1, b"", False
    with _open(path) as file:
        for chunk in _chunks(file):
            text = chunk
            if skips:
                _, newline, text = chunk.partition(b"\n")
                skips = not newline
            whole, newline, rest = (rest + text).rpartition(b"\n")
            if len(rest) > MAX_BYTES:
                # One byte too many is kept, for which it will be refused.
                whole, newline, rest, skips = whole + newline + rest[: MAX_BYTES + 1], b"\n", b"", True
            if newline:
                yield _batch(path, whole, position, size=len(chunk))
                position += whole.count(b"\n") + 1
    if rest:
        yield _batch(path, rest, position)


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    """Read a file in large chunks; what can be read before a break is given before the break is told."""
    while True:
        pieces: list[bytes] = []
        try:
            while sum(map(len, pieces)) < _CHUNK and (piece := file.read1(_PIECE)):  # type: ignore[attr-defined]  # both kinds of file have it
                pieces.append(piece)
        except (OSError, EOFError, zlib.error):
            yield b"".join(pieces)
            raise
        if not pieces:
            return
        yield b"".join(pieces)


def _batch(path: Path, text: bytes, position: int, *, size: int = 0) -> Batch:
    text = text.removeprefix(_BOM) if position == 1 else text
    return Batch(path.name, "lines", lambda: _table(text.split(b"\n"), position), size=size)


def _table(lines: Sequence[bytes | str], position: int) -> pa.Table:
    positions: Sequence[int] = range(position, position + len(lines))
    if not all(lines) or any(line.isspace() for line in lines):
        kept = [(at, line) for at, line in zip(positions, lines, strict=True) if line.strip()]
        positions, lines = [at for at, _ in kept], [line for _, line in kept]
    try:
        array = pa.array(lines, pa.string())
        array.validate(full=True)
    except (pa.ArrowInvalid, UnicodeError):
        texts = [line if isinstance(line, str) else line.decode(errors="backslashreplace") for line in lines]
        array = pa.array(texts, pa.string())
    return pa.table({"position": pa.array(positions, pa.int64()), "line": array})


def _parquet(path: Path) -> Iterator[Batch]:
    position = 1
    # Column chunks are read piece by piece: a row group may be as large as its file.
    with pq.ParquetFile(path) as file:
        metadata = file.metadata
    with pq.ParquetFile(
        path, metadata=metadata, buffer_size=_PIECE, read_dictionary=_repeating(metadata)
    ) as file:
        size = path.stat().st_size / max(metadata.num_rows, 1)
        for batch in file.iter_batches(batch_size=_rows_at_once(metadata)):
            table = pa.Table.from_batches([batch])
            yield Batch(
                path.name, "rows", partial(_numbered, table, position), size=int(size * table.num_rows)
            )
            position += table.num_rows


def _repeating(metadata: pq.FileMetaData) -> list[str]:
    """Give the columns of texts that say the same again and again: in a dictionary each is kept but once."""
    chunks = [
        metadata.row_group(group).column(at)
        for at in range(metadata.num_columns)
        for group in range(metadata.num_row_groups)
    ]
    rare = {chunk.path_in_schema for chunk in chunks if not _repeats(chunk)}
    return sorted({chunk.path_in_schema for chunk in chunks} - rare)


def _repeats(chunk: pq.ColumnChunkMetaData) -> bool:
    is_text = chunk.physical_type == "BYTE_ARRAY" and ".list." not in chunk.path_in_schema
    return (
        is_text and chunk.has_dictionary_page and chunk.total_uncompressed_size < _REPEATS * chunk.num_values
    )


def _rows_at_once(metadata: pq.FileMetaData) -> int:
    """Give how many rows make a batch: fewer where rows are long, so that no batch outgrows the memory."""
    groups = [metadata.row_group(at) for at in range(metadata.num_row_groups)]
    longest = max((group.total_byte_size / max(group.num_rows, 1) for group in groups), default=0.0)
    return max(1, min(_ROWS, int(_CHUNK / max(longest, 1.0))))


def _numbered(table: pa.Table, position: int) -> pa.Table:
    """Number the rows, as plain columns; of names that differ in case only, the engine can have but one."""
    names = table.column_names
    taken, kept = {"position", "line"}, []
    for at in sorted(range(len(names)), key=lambda at: (names[at] != names[at].lower(), names[at])):
        if names[at].lower() not in taken:
            taken.add(names[at].lower())
            kept.append(at)
    positions = pa.array(range(position, position + table.num_rows), pa.int64())
    plain = pa.schema([pa.field(names[at], _plain(table.schema.field(at).type)) for at in kept])
    return table.select(kept).cast(plain).append_column("position", positions)


def _plain(kind: pa.DataType) -> pa.DataType:
    """Give the type that the engine reads a type as: it knows no numbers of two bytes or of 77 digits."""
    if pa.types.is_struct(kind):
        return pa.struct([pa.field(inner.name, _plain(inner.type)) for inner in kind])
    if pa.types.is_list(kind):
        return pa.list_(_plain(kind.value_type))
    if pa.types.is_dictionary(kind) and not pa.types.is_string(kind.value_type):
        return _plain(kind.value_type)
    if pa.types.is_float16(kind):
        return pa.float32()
    return pa.float64() if pa.types.is_decimal256(kind) else kind
