"""Room that is really taken on the disk, and given back when an erasure finds it full."""

import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from errno import EDQUOT, EFBIG, ENOSPC
from pathlib import Path

FULL = frozenset({ENOSPC, EDQUOT, EFBIG})
"""What the system answers when there is no room."""

_BLOCK = 512
_PIECE = 1 << 20
_LEAST = 64 << 10


class Reserve:
    """A file that holds room on a disk and nothing else.

    Args:
        path: the file, on the disk that the home is on.
        size: bytes to hold; 0 for none.

    Example:
        >>> Reserve(Path("nowhere") / "reserve", 1 << 20).held
        0
    """

    def __init__(self, path: Path, size: int) -> None:
        self._path = path
        self._size = size
        self._alone = threading.RLock()
        self._lending = False

    @property
    def held(self) -> int:
        """Bytes that are really held; a copy with holes in it, as some backups make, holds none."""
        try:
            found = self._path.stat()
        except FileNotFoundError:
            return 0
        return min(found.st_size, found.st_blocks * _BLOCK)

    def keep(self) -> None:
        """Take the room, or what is missing of it, if as much is free after it; else leave all as it is."""
        held = self.held
        if held == self._size or self._free() < 2 * self._size - held:
            return
        # What another process has lent is not for taking now.
        with suppress(OSError), self._locked(fcntl.LOCK_EX | fcntl.LOCK_NB):
            self._take(self._size)

    @contextmanager
    def lent(self) -> Iterator[None]:
        """Give the room back while the block runs, and take again what is left of it."""
        with self._alone:
            if self._lending:
                yield
                return
            with self._locked(fcntl.LOCK_EX):
                held = self.held
                self._path.unlink(missing_ok=True)
                self._lending = True
                try:
                    yield
                finally:
                    self._lending = False
                    self._take_again(held)

    def _take_again(self, held: int) -> None:
        """Take as much as before, or as much as there is: nobody else has had it."""
        wanted = min(held, self._free())
        while wanted >= _LEAST:
            with suppress(OSError):
                self._take(wanted)
                return
            wanted -= wanted // 8

    def _take(self, size: int) -> None:
        if not size:
            self._path.unlink(missing_ok=True)
            return
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        before = min(self.held, size)
        try:
            os.ftruncate(descriptor, before)
            _fill(descriptor, size)
        except OSError:
            os.ftruncate(descriptor, before)
            raise
        finally:
            os.close(descriptor)

    def _free(self) -> int:
        found = os.statvfs(self._path.parent)
        return found.f_bavail * found.f_frsize

    @contextmanager
    def _locked(self, how: int) -> Iterator[None]:
        """Hold the folder, so that of two processes one gives and takes at a time; it needs no file."""
        descriptor = os.open(self._path.parent, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, how)
            yield
        finally:
            os.close(descriptor)


def _fill(descriptor: int, size: int) -> None:
    """Let a file take all its bytes on the disk."""
    try:
        os.posix_fallocate(descriptor, 0, size)
    except OSError as error:
        if error.errno in FULL:
            raise
    if os.fstat(descriptor).st_blocks * _BLOCK >= size:
        return
    # The file system cannot promise room, or packs zeros: it is given bytes that nothing can pack.
    with open(descriptor, "r+b", closefd=False) as file:
        file.writelines(os.urandom(min(_PIECE, size - start)) for start in range(0, size, _PIECE))
    os.fsync(descriptor)
