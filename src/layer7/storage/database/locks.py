"""Locks between processes; whoever dies lets go."""

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import func, select

from layer7.errors import Layer7Error
from layer7.storage.database.state import State

_NUMBERS = {"nightly": 7_000_002, "log": 7_000_003, "advance": 7_000_004}
_PAUSE = 0.05


class Locks:
    """Named locks of one installation: file locks beside SQLite, advisory locks in PostgreSQL.

    Args:
        folder: where the lock files are.
        state: the state database.
    """

    def __init__(self, folder: Path, state: State) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._state = state

    @contextmanager
    def hold(self, name: str, *, wait: float) -> Iterator[None]:
        """Hold a lock while the block runs.

        Args:
            name: ``nightly``, ``advance`` or ``log``.
            wait: seconds to wait for it.

        Raises:
            Layer7Error: ``locked`` when another process has it all that time.
        """
        hold = self._file(name, wait) if self._state.is_sqlite else self._advisory(name, wait)
        with hold:
            yield

    @contextmanager
    def _file(self, name: str, wait: float) -> Iterator[None]:
        with (self._folder / f"{name}.lock").open("w") as file:
            deadline = time.monotonic() + wait
            while True:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    _wait(deadline, name)
            yield

    @contextmanager
    def _advisory(self, name: str, wait: float) -> Iterator[None]:
        with self._state.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            deadline = time.monotonic() + wait
            while not connection.execute(select(func.pg_try_advisory_lock(_NUMBERS[name]))).scalar():
                _wait(deadline, name)
            try:
                yield
            finally:
                connection.execute(select(func.pg_advisory_unlock(_NUMBERS[name])))


def _wait(deadline: float, name: str) -> None:
    if time.monotonic() >= deadline:
        raise Layer7Error(
            "locked",
            f"Another process holds the '{name}' lock of this home folder.",
            "Wait until it is done; a process that died has already let go.",
        )
    time.sleep(_PAUSE)
