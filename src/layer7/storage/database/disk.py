"""The disk under a home: its answers in words, no more writing once it fails, room held for rights."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from errno import EIO
from typing import TypeVar

from sqlalchemy.exc import DBAPIError

from layer7.errors import Layer7Error
from layer7.storage.database.reserve import FULL, Reserve

# The second: no room for the index of its write-ahead log, which it needs for reading, too.
_FULL_IN_SQLITE = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_SHMSIZE})
_FAILED_IN_SQLITE = frozenset({sqlite3.SQLITE_IOERR_FSYNC, sqlite3.SQLITE_IOERR_DIR_FSYNC})
_FULL_IN_POSTGRESQL = "53100"
T = TypeVar("T")


def disk_full() -> Layer7Error:
    """Give the error of a full disk."""
    return Layer7Error(
        "disk_full", "The disk is full; nothing was changed.", "Free some space and try again."
    )


def disk_failed() -> Layer7Error:
    """Give the error of a disk that did not keep what it was given."""
    return Layer7Error(
        "disk_failed",
        "The disk did not take what was written: that counts for nothing, and this program writes no more.",
        "Look at the disk before you start it again; what it has acknowledged before may be lost, too.",
    )


def trouble(error: BaseException | None) -> Layer7Error | None:
    """Say in words what a full or a failing disk answers; None for whatever else it is.

    Args:
        error: of the system, of SQLite, of SQLAlchemy or of PostgreSQL; or one that is in words already.

    Example:
        >>> trouble(OSError(28, "")).code, trouble(OSError(EIO, "")).code, trouble(KeyError())
        ('disk_full', 'disk_failed', None)
    """
    if isinstance(error, Layer7Error):
        return error if error.code in {"disk_full", "disk_failed"} else None
    if isinstance(error, DBAPIError):
        error = error.orig
    number = error.errno if isinstance(error, OSError) else None
    code = getattr(error, "sqlite_errorcode", None)
    if number in FULL or code in _FULL_IN_SQLITE or getattr(error, "sqlstate", None) == _FULL_IN_POSTGRESQL:
        return disk_full()
    return disk_failed() if number == EIO or code in _FAILED_IN_SQLITE else None


class Disk:
    """The disk under one home, as this process has met it.

    Once a flush has failed, this process writes no more: the system tells of it once, may have let go of
    what it could not write, and another flush would then say that all is well (Rebello et al., 2020, Can
    applications recover from fsync failures?, USENIX ATC). Whoever opens the home anew begins from what the
    disk then gives.

    Args:
        reserve: room that is kept for people's rights; None for none.

    Example:
        >>> disk = Disk()
        >>> disk.through(lambda: 3)
        3
    """

    def __init__(self, reserve: Reserve | None = None) -> None:
        self.reserve = reserve
        self._failed = False

    def writable(self) -> None:
        """Refuse where nothing may be written.

        Raises:
            Layer7Error: ``disk_failed``.
        """
        if self._failed:
            raise disk_failed()

    def met(self, error: BaseException) -> Layer7Error | None:
        """Say in words what the disk answered to a write, and write no more where it failed.

        Args:
            error: what came; gives None where the disk has nothing to do with it.
        """
        known = trouble(error)
        self._failed = self._failed or (known is not None and known.code == "disk_failed")
        return known

    @contextmanager
    def told(self) -> Iterator[None]:
        """Say in words what the disk answers to whoever writes.

        Raises:
            Layer7Error: ``disk_full``, ``disk_failed``.
        """
        try:
            yield
        except Exception as error:
            known = self.met(error)
            if known is None or known is error:
                raise
            raise known from error

    def through(self, act: Callable[[], T]) -> T:
        """Do what people have a right to; where the disk is full, once more with the reserve.

        Args:
            act: leaves nothing half when the disk is full.

        Raises:
            Layer7Error: ``disk_full`` when the reserve is not enough, or there is none.
        """
        try:
            return act()
        except Layer7Error as error:
            if error.code != "disk_full" or self.reserve is None:
                raise
        with self.reserve.lent():
            return act()
