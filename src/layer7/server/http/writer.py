"""Group commit: events of many requests become durable together, written by one thread, each acknowledged."""

import asyncio
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime
from queue import Empty, SimpleQueue

from layer7.contract.reading import Reading
from layer7.errors import Layer7Error
from layer7.storage.intake.inbox import Inbox, Receipt, of_rights

Readings = Sequence[tuple[str, Reading]]
_AT_ONCE = 2000
SOURCE = "POST /v1/events"


@dataclass(frozen=True, slots=True)
class _Waiting:
    readings: Readings
    receipts: "Future[tuple[Receipt, ...]]" = field(default_factory=Future)


class EventWriter:
    """The one writer of a process.

    Args:
        inbox: where events become durable.
        clock: the receiver's clock.
        most: how many events may wait.
    """

    def __init__(self, inbox: Inbox, clock: Callable[[], datetime], *, most: int) -> None:
        self._inbox = inbox
        self._clock = clock
        self._most = most
        self._queue: SimpleQueue[_Waiting | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._waiting = 0
        self._closed = False

    async def write(self, readings: Readings) -> tuple[Receipt, ...]:
        """Make events durable; returns after the commit, with one receipt each, in order.

        Raises:
            Layer7Error: ``too_busy`` when too many wait, ``shutting_down``, or why the state refuses.
        """
        return await asyncio.wrap_future(self._submit(readings))

    def _submit(self, readings: Readings) -> "Future[tuple[Receipt, ...]]":
        waiting = _Waiting(readings)
        # A caller who hangs up cancels her own waiting, never the writing.
        waiting.receipts.set_running_or_notify_cancel()
        with self._lock:
            if self._closed:
                raise Layer7Error("shutting_down", "The server is shutting down.", "Try again in a moment.")
            if self._waiting + len(readings) > self._most:
                raise Layer7Error("too_busy", "Too many events wait to be written.", "Try again in a moment.")
            self._waiting += len(readings)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="layer7-events", daemon=True)
                self._thread.start()
            self._queue.put(waiting)
        return waiting.receipts

    def close(self) -> None:
        """Write what waits, then stop."""
        with self._lock:
            self._closed = True
            thread = self._thread
            self._queue.put(None)
        if thread is not None:
            thread.join()

    @property
    def alive(self) -> bool:
        """Whether events would be written."""
        return not self._closed and (self._thread is None or self._thread.is_alive())

    @property
    def waiting(self) -> int:
        """How many events wait."""
        return self._waiting

    def _run(self) -> None:
        while (first := self._queue.get()) is not None:
            group, more = self._group(first)
            self._commit(group)
            with self._lock:
                self._waiting -= sum(len(each.readings) for each in group)
            if not more:
                return

    def _group(self, first: _Waiting) -> tuple[list[_Waiting], bool]:
        group, size = [first], len(first.readings)
        while size < _AT_ONCE:
            try:
                each = self._queue.get_nowait()
            except Empty:
                break
            if each is None:
                return group, False
            group.append(each)
            size += len(each.readings)
        return group, True

    def _commit(self, group: list[_Waiting]) -> None:
        try:
            receipts = self._accept([reading for each in group for reading in each.readings])
        except Exception as error:  # noqa: BLE001  # whatever it was, every caller must hear of it
            self._apart(group, error)
            return
        start = 0
        for each in group:
            each.receipts.set_result(receipts[start : start + len(each.readings)])
            start += len(each.readings)

    def _apart(self, group: list[_Waiting], error: Exception) -> None:
        """Let a fault hit only the request that has it: several are tried alone.

        What the state refuses it refuses to all; words of people on the use of their data may go through.
        """
        for each in group:
            if len(group) > 1 and (not isinstance(error, Layer7Error) or of_rights(each.readings)):
                self._commit([each])
            else:
                each.receipts.set_exception(error)

    def _accept(self, readings: Readings) -> tuple[Receipt, ...]:
        return self._inbox.accept(readings, now=self._clock(), source=SOURCE)
