"""The names of erased people: a file beside the keys, which a restored backup is held to before it serves."""

import fcntl
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from types import MappingProxyType

from layer7.storage.database.disk import Disk
from layer7.storage.database.durable import flush, write_whole

_LINE = re.compile(r"([0-9a-f]{32}) (\S+)")
_NONE: Mapping[str, datetime] = MappingProxyType({})


class Tombstones:
    """One line per erased person: her old pseudonym and when she was erased.

    The file is small, plain and outside the backup set, so that it can be copied wherever backups are kept;
    two copies are brought together by putting one behind the other.

    Args:
        path: the file; made when the first person is erased.
        disk: the disk under the home; None for one of its own.

    Example:
        >>> Tombstones(Path("nowhere")).all()
        mappingproxy({})
    """

    def __init__(self, path: Path, disk: Disk | None = None) -> None:
        self._path = path
        self._disk = disk or Disk()
        self._read = _NONE
        self._stamp: tuple[int, int, int] | None = None

    def all(self) -> Mapping[str, datetime]:
        """Give when each erased name was erased; the same object as long as nobody else was.

        A line that a killed process left unfinished is no tombstone yet: its erasure is resumed from the
        state database.
        """
        try:
            found = self._path.stat()
        except FileNotFoundError:
            return _NONE
        stamp = (found.st_ino, found.st_size, found.st_mtime_ns)
        if stamp != self._stamp:
            lines = self._path.read_text(encoding="ascii", errors="replace").splitlines()
            parts = [match.groups() for line in lines if (match := _LINE.fullmatch(line))]
            self._read = MappingProxyType({name: datetime.fromisoformat(at) for name, at in parts})
            self._stamp = stamp
        return self._read

    def add(self, name: str, at: datetime) -> None:
        """Remember a name as erased, durable when this returns; a name that is there keeps its time.

        Args:
            name: the pseudonym.
            at: the moment, with offset.

        Raises:
            Layer7Error: ``disk_full``, ``disk_failed``; the name is not there then.
        """
        with self._disk.told(), self._alone():
            if name in self.all():
                return
            descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                # The line break in front ends a line that a killed process left open.
                self._append(descriptor, f"\n{name} {at.isoformat()}\n".encode("ascii"))
            finally:
                os.close(descriptor)

    def _append(self, descriptor: int, line: bytes) -> None:
        before = os.fstat(descriptor).st_size
        try:
            with open(descriptor, "ab", closefd=False) as file:
                file.write(line)
            os.fsync(descriptor)
            if not before:
                flush(self._path.parent)
        except OSError:
            # Else whoever tries again would find it there, and take it for durable.
            os.ftruncate(descriptor, before)
            raise

    def drop(self, names: Iterable[str]) -> None:
        """Let go of names that no backup can hold any more."""
        gone = set(names)
        with self._disk.told(), self._alone():
            kept = {name: at for name, at in self.all().items() if name not in gone}
            write_whole(self._path, "".join(f"{name} {at.isoformat()}\n" for name, at in kept.items()))

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Hold the folder of the keys, so that nobody adds a name to a file that is being replaced."""
        descriptor = os.open(self._path.parent, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)
