"""How much may come, and how fast."""

import threading
from collections.abc import Callable
from dataclasses import dataclass

_REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class Limits:
    """What one installation takes.

    Args:
        single_bytes: longest body of a single event or any other request, unpacked.
        batch_bytes: longest body of a batch of events, unpacked.
        batch_items: most events of a batch.
        events_per_minute: most events of one token.
        requests_per_minute: most requests of one token.
        wrong_tokens_per_minute: most wrong tokens from one address.
        waiting_events: most events that wait for the writer.
    """

    single_bytes: int = 1 << 20
    batch_bytes: int = 16 << 20
    batch_items: int = 10_000
    events_per_minute: int = 600_000
    requests_per_minute: int = 120_000
    wrong_tokens_per_minute: int = 60
    waiting_events: int = 100_000


class Allowance:
    """A bucket of tokens for each key: it refills steadily and never holds more than a minute's worth.

    Args:
        per_minute: how much flows in a minute.
        monotonic: seconds of a clock that never jumps, so that setting the wall clock changes nothing.
    """

    def __init__(self, per_minute: int, monotonic: Callable[[], float]) -> None:
        self._rate = per_minute / 60
        self._most = float(per_minute)
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._left: dict[str, tuple[float, float]] = {}

    def take(self, key: str, amount: float = 1) -> float:
        """Take from a key's bucket, unless it holds too little.

        Args:
            key: whose bucket.
            amount: how much.

        Returns:
            0 when it was taken; otherwise the seconds after which it could be.
        """
        with self._lock:
            now = self._monotonic()
            left, since = self._left.get(key, (self._most, now))
            left = min(self._most, left + (now - since) * self._rate)
            missing = min(amount, self._most) - left
            if missing <= 0:
                left -= amount
            self._left[key] = (left, now)
            if len(self._left) > _REMEMBERED:
                self._left.pop(next(iter(self._left)))
        return max(0.0, missing / self._rate)
