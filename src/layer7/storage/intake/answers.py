"""Answers to writes that carried an Idempotency-Key: the same request gets the same answer again."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.exc import IntegrityError

from layer7.errors import Layer7Error
from layer7.storage.database import schema
from layer7.storage.database.state import State
from layer7.storage.people.keys import Keys

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


@dataclass(frozen=True, slots=True)
class Claim:
    """A request that may come again.

    Args:
        key: who asks, and the key that came; not as it came, since a caller may write anything into it.
        route: what is asked for, without a person's own id.
        person: the pseudonym of the person whom it is about; None for nobody.
    """

    key: str
    route: str
    person: str | None = None


class Answers:
    """The answers of one installation.

    Args:
        state: the state database.
        keys: seal what is about a person.
    """

    def __init__(self, state: State, keys: Keys) -> None:
        self._state = state
        self._keys = keys

    def begin(self, claim: Claim, *, digest: str, at: datetime) -> Answer | None:
        """Claim a key before acting on it.

        Args:
            claim: the request.
            digest: keyed hash of the request's content.
            at: now, with offset.

        Returns:
            The answer that was given before; None when this request is the first and may act.

        Raises:
            Layer7Error: ``idempotency_key_reused`` with another content; ``request_in_flight`` while the
                first request still runs.
        """
        row = {"key": claim.key, "route": claim.route, "person": claim.person, "digest": digest}
        try:
            with self._state.write() as connection:
                connection.execute(delete(_TABLE).where(_TABLE.c.at < (at - KEPT).isoformat()))
                abandoned = _TABLE.c.at < (at - ABANDONED).isoformat()
                connection.execute(delete(_TABLE).where(_TABLE.c.status == _PENDING, abandoned))
                connection.execute(_TABLE.insert().values(**row, status=_PENDING, body="", at=at.isoformat()))
        except IntegrityError:
            return self._earlier(claim, digest)
        return None

    def _earlier(self, claim: Claim, digest: str) -> Answer:
        with self._state.read() as connection:
            row = connection.execute(select(_TABLE).where(_own(claim))).mappings().first()
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
        body = row["body"] if claim.person is None else self._keys.opened(claim.person, row["body"])
        return Answer(row["status"], body)

    def finish(self, claim: Claim, answer: Answer) -> None:
        """Keep the answer to a claimed key; of one about a person of whom nothing is kept, as it is."""
        body = answer.body
        if claim.person is not None:
            body = self._keys.shut(claim.person, body) or body
        with self._state.write() as connection:
            kept = update(_TABLE).where(_own(claim)).values(status=answer.status, body=body)
            connection.execute(kept)

    def forget(self, claim: Claim) -> None:
        """Let go of a claimed key whose request failed and may be tried again."""
        with self._state.write() as connection:
            connection.execute(delete(_TABLE).where(_own(claim)))


def _own(claim: Claim) -> ColumnElement[bool]:
    return (_TABLE.c.key == claim.key) & (_TABLE.c.route == claim.route)
