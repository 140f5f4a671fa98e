"""The list of live files: a file counts from the moment its row is committed, and not a moment earlier."""

import secrets
import time
import zlib
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection, select, update

from layer7.storage.database.durable import flush
from layer7.storage.database.engine import told
from layer7.storage.database.schema import files
from layer7.storage.database.state import State

ALL_BUCKETS = -1
_PIECE = 1 << 20
GRACE = 3600.0
"""Seconds for which a replaced file is kept for the readers of an old list."""


@dataclass(frozen=True, slots=True)
class File:
    """One immutable file of a dataset.

    Args:
        id: its number in the manifest; 0 before it is listed.
        dataset: what it is a part of, e.g. ``events``.
        bucket: its storage bucket, or -1 when it holds rows of all.
        path: relative to the home folder.
        rows: how many.
        bytes: how large.
        max_time: latest event time in it, ISO 8601 in UTC.
        max_received: latest time of receipt in it.
        folded_as_of: the day up to which its events are in the applications table; None for not at all.
        checksum: CRC-32 over its bytes, taken when it is listed; None of files of earlier versions.
    """

    id: int
    dataset: str
    bucket: int
    path: str
    rows: int
    bytes: int
    max_time: str | None = None
    max_received: str | None = None
    folded_as_of: str | None = None
    checksum: str | None = None


class Manifest:
    """The live files of one installation.

    Args:
        root: the home folder.
        state: the state database.
    """

    def __init__(self, root: Path, state: State) -> None:
        self._root = root
        self._state = state
        self._sums: dict[str, str] = {}

    def live(self, dataset: str | None = None, *, connection: Connection | None = None) -> tuple[File, ...]:
        """Give the live files of a dataset, or of all, in the order in which they were listed."""
        query = select(files).where(files.c.removed_at.is_(None)).order_by(files.c.id)
        if dataset is not None:
            query = query.where(files.c.dataset == dataset)
        if connection is not None:
            return tuple(_file(row) for row in connection.execute(query).mappings())
        with self._state.read() as own:
            return tuple(_file(row) for row in own.execute(query).mappings())

    def paths(self, listed: Iterable[File]) -> list[str]:
        """Give absolute paths."""
        return [str(self._root / file.path) for file in listed]

    def write(self, dataset: str, bucket: int, fill: Callable[[Path], None]) -> str:
        """Write a file so that it is whole on the disk, though not yet listed.

        Args:
            dataset: what it belongs to.
            bucket: its bucket, or -1.
            fill: writes the file at the path it is given.

        Returns:
            The path relative to the home folder.

        Raises:
            Layer7Error: ``disk_full``, ``disk_failed``; nothing of the file is left then. Why nothing may be
                written.
        """
        self._state.writable()
        folder = Path("data") / dataset / ("all" if bucket == ALL_BUCKETS else f"bucket={bucket}")
        new = not (self._root / folder).is_dir()
        (self._root / folder).mkdir(parents=True, exist_ok=True)
        name = f"{time.time_ns():x}-{secrets.token_hex(4)}.parquet"
        temporary = self._root / folder / f"{name}.tmp"
        try:
            with self._state.disk.told(), told():
                fill(temporary)
                flush(temporary)
                temporary.rename(self._root / folder / name)
                # A new folder is a name in the one that it is in.
                for each in (folder, *folder.parents) if new else (folder,):
                    flush(self._root / each)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        # Taken here, so that nobody waits for it while files are listed.
        self._sums[str(folder / name)] = _checksum(self._root / folder / name)
        return str(folder / name)

    def size(self, path: str) -> int:
        """Give the size in bytes of a file by its relative path."""
        return (self._root / path).stat().st_size

    def check(self) -> tuple[str, ...]:
        """Look whether every listed file is there, byte for byte as it was written; this reads them all.

        A changed byte of a page of numbers is read as another number, by whatever reads such files.
        """
        return tuple(f"{file.path} {fault}" for file in self.live() if (fault := self._fault(file)))

    def _fault(self, file: File) -> str:
        path = self._root / file.path
        if not path.exists():
            return "is gone"
        same = path.stat().st_size == file.bytes and file.checksum in {None, _checksum(path)}
        return "" if same else "is not as it was written"

    def publish(
        self, connection: Connection, *, new: Iterable[File] = (), gone: Iterable[File] = (), at: datetime
    ) -> None:
        """List new files and strike out replaced ones, inside the caller's transaction."""
        for file in new:
            connection.execute(
                files.insert().values(
                    dataset=file.dataset,
                    bucket=file.bucket,
                    path=file.path,
                    rows=file.rows,
                    bytes=file.bytes,
                    max_time=file.max_time,
                    max_received=file.max_received,
                    folded_as_of=file.folded_as_of,
                    checksum=self._sums.pop(file.path, None) or _checksum(self._root / file.path),
                    created_at=at.isoformat(),
                )
            )
        struck = [file.id for file in gone]
        if struck:
            connection.execute(update(files).where(files.c.id.in_(struck)).values(removed_at=at.isoformat()))

    def discard(self, file: File) -> None:
        """Delete a file that was written but will not be listed."""
        self._sums.pop(file.path, None)
        (self._root / file.path).unlink(missing_ok=True)

    def drop_replaced(self) -> None:
        """Delete replaced files without waiting for the readers of an old list."""
        with self._state.read() as connection:
            paths = connection.execute(select(files.c.path).where(files.c.removed_at.is_not(None)))
            for path in paths.scalars():
                (self._root / path).unlink(missing_ok=True)

    def sweep(self, *, now: float) -> int:
        """Delete files that were struck out or never listed an hour ago, and what a killed engine spilled.

        After an hour the readers of an old list are done.

        Args:
            now: seconds since 1970.

        Returns:
            How many were deleted.
        """
        since = datetime.fromtimestamp(now - GRACE, UTC).isoformat()
        wanted = select(files.c.path).where(files.c.removed_at.is_(None) | (files.c.removed_at > since))
        with self._state.read() as connection:
            live = set(connection.execute(wanted).scalars())
        swept = 0
        for path in (*(self._root / "data").rglob("*.parquet*"), *(self._root / "scratch").rglob("*.tmp")):
            if str(path.relative_to(self._root)) in live:
                continue
            with suppress(FileNotFoundError):
                if now - path.stat().st_mtime > GRACE:
                    path.unlink()
                    swept += 1
        return swept


def _checksum(path: Path) -> str:
    found = 0
    with path.open("rb") as handle:
        while piece := handle.read(_PIECE):
            found = zlib.crc32(piece, found)
    return f"{found:08x}"


def _file(row: object) -> File:
    values = dict(row)  # type: ignore[call-overload]
    return File(**{name: values[name] for name in File.__slots__})
