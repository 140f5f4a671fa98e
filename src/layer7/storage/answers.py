"""Answers to writes that carried an Idempotency-Key: the same request gets the same answer again."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError

from layer7.errors import Layer7Error
from layer7.storage import schema
from layer7.storage.state import State

_TABLE = schema.answers
_PENDING = 0
KEPT = timedelta(days=7)
"""How long an answer is kept."""

ABANDONED = timedelta(minutes=1)
"""After which time a request that never got its answer may be tried again."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as it was given.

    Args:
        status: HTTP status.
        body: its JSON.
    """

    status: int
    body: str


class Answers:
    """The answers of one installation.

    Args:
        state: the state database.
    """

    def __init__(self, state: State) -> None:
        self._state = state

    def begin(self, key: str, route: str, *, digest: str, at: datetime) -> Answer | None:
        """Claim a key before acting on it.

        Args:
            key: who asks, and the key that came.
            route: what is asked for.
            digest: hash of the request's content.
            at: now, with offset.

        Returns:
            The answer that was given before; None when this request is the first and may act.

        Raises:
            Layer7Error: ``idempotency_key_reused`` with another content; ``request_in_flight`` while the
                first request still runs.
        """
        row = {"key": key, "route": route, "digest": digest, "status": _PENDING, "body": ""}
        try:
            with self._state.write() as connection:
                connection.execute(delete(_TABLE).where(_TABLE.c.at < (at - KEPT).isoformat()))
                abandoned = _TABLE.c.at < (at - ABANDONED).isoformat()
                connection.execute(delete(_TABLE).where(_TABLE.c.status == _PENDING, abandoned))
                connection.execute(_TABLE.insert().values(**row, at=at.isoformat()))
        except IntegrityError:
            return self._earlier(key, route, digest)
        return None

    def _earlier(self, key: str, route: str, digest: str) -> Answer:
        mine = select(_TABLE).where(_TABLE.c.key == key, _TABLE.c.route == route)
        with self._state.read() as connection:
            row = connection.execute(mine).mappings().first()
        if row is not None and row["digest"] != digest:
            raise Layer7Error(
                "idempotency_key_reused",
                "This Idempotency-Key came before with another content; the first one was kept.",
                "Use a new key for a new request.",
            )
        if row is None or row["status"] == _PENDING:
            raise Layer7Error(
                "request_in_flight",
                "A request with this Idempotency-Key is still running.",
                "Try again in a moment.",
            )
        return Answer(row["status"], row["body"])

    def finish(self, key: str, route: str, answer: Answer) -> None:
        """Keep the answer to a claimed key."""
        with self._state.write() as connection:
            connection.execute(
                update(_TABLE)
                .where(_TABLE.c.key == key, _TABLE.c.route == route)
                .values(status=answer.status, body=answer.body)
            )

    def forget(self, key: str, route: str) -> None:
        """Let go of a claimed key whose request failed and may be tried again."""
        with self._state.write() as connection:
            connection.execute(delete(_TABLE).where(_TABLE.c.key == key, _TABLE.c.route == route))
