"""Tokens: shown once, kept as a hash, each with its scopes; without one no door opens."""

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import RowMapping, bindparam, select, update

from layer7.contract.vocabulary import Component
from layer7.errors import Layer7Error
from layer7.storage.database import schema
from layer7.storage.database.state import Act, State

_FORM = re.compile(r"l7_([0-9a-f]{12})_[A-Za-z0-9_-]{43}")
_TABLE = schema.tokens
# Made once, since every request asks it.
_ONE = select(_TABLE).where(_TABLE.c.id == bindparam("number"))


class Scope(StrEnum):
    """What a token may do."""

    EVENTS_WRITE = "events:write"
    FLAGS_EVALUATE = "flags:evaluate"
    REVIEW = "review"
    READ = "read"
    PRIVACY = "privacy"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Token:
    """A token as it is kept; its secret is not.

    Args:
        id: its public name, by which it is revoked.
        name: who or what holds it; the actor of whatever is done with it.
        scopes: what it may do.
        component: the one component whose flags it may evaluate; None for all.
        created_at: when it was made, ISO 8601.
        expires_at: from when on it is void; None for never.
        revoked_at: when it was revoked; None as long as it holds.
    """

    id: str
    name: str
    scopes: frozenset[Scope]
    component: Component | None
    created_at: str
    expires_at: str | None
    revoked_at: str | None

    def allows(self, *scopes: Scope) -> bool:
        """Say whether any of the scopes is this token's; admin may all."""
        return bool(self.scopes & {*scopes, Scope.ADMIN})


class Tokens:
    """The tokens of one installation.

    Args:
        state: the state database.
    """

    def __init__(self, state: State) -> None:
        self._state = state

    def create(
        self,
        name: str,
        scopes: Iterable[Scope],
        *,
        act: Act,
        component: Component | None = None,
        expires_at: datetime | None = None,
    ) -> tuple[str, Token]:
        """Make a token of 256 random bits.

        Args:
            name: who or what will hold it, 1 to 100 visible characters.
            scopes: what it may do, at least one.
            act: who makes it, when and why; its action and subject are filled in.
            component: whose flags it may evaluate; needed for ``flags:evaluate`` without ``admin``.
            expires_at: from when on it is void.

        Returns:
            The secret, which can never be shown again, and the token.

        Raises:
            Layer7Error: ``wrong_token`` when name, scopes or component do not fit.
        """
        wanted = frozenset(scopes)
        _require_form(name, wanted, component)
        number = secrets.token_hex(6)
        secret = f"l7_{number}_{secrets.token_urlsafe(32)}"
        row = {
            "id": number,
            "name": name.strip(),
            "digest": _digest(secret),
            "scopes": " ".join(sorted(wanted)),
            "component": component.value if component else None,
            "created_at": act.at.isoformat(),
            "expires_at": expires_at.isoformat() if expires_at else None,
            "revoked_at": None,
        }
        done = Act(act.actor, "token.create", number, act.at, act.why, {"scopes": row["scopes"]})
        with self._state.change(done) as connection:
            connection.execute(_TABLE.insert().values(**row))
            kept = connection.execute(select(_TABLE).where(_TABLE.c.id == number)).mappings().one()
        return secret, _token(kept)

    def verify(self, secret: str, *, at: datetime) -> Token | None:
        """Give the token of a secret; None when it is unknown, void or revoked, without saying which.

        Args:
            secret: what the caller brought.
            at: now, with offset.
        """
        form = _FORM.fullmatch(secret)
        number = form.group(1) if form else ""
        with self._state.read() as connection:
            row = connection.execute(_ONE, {"number": number}).mappings().first()
        expected = row["digest"] if row else "0" * 64
        if not hmac.compare_digest(expected, _digest(secret)) or row is None:
            return None
        expired = row["expires_at"] is not None and datetime.fromisoformat(row["expires_at"]) <= at
        return None if expired or row["revoked_at"] is not None else _token(row)

    def list(self) -> tuple[Token, ...]:
        """Give all tokens, the oldest first."""
        query = select(_TABLE).order_by(_TABLE.c.created_at, _TABLE.c.id)
        with self._state.read() as connection:
            return tuple(_token(row) for row in connection.execute(query).mappings())

    def revoke(self, token_id: str, *, actor: str, why: str, at: datetime) -> None:
        """Revoke a token, from this moment on.

        Raises:
            Layer7Error: ``unknown_token`` when no such token holds.
        """
        with self._state.change(Act(actor, "token.revoke", token_id, at, why)) as connection:
            done = connection.execute(
                update(_TABLE)
                .where(_TABLE.c.id == token_id, _TABLE.c.revoked_at.is_(None))
                .values(revoked_at=at.isoformat())
            )
            if done.rowcount != 1:
                raise Layer7Error(
                    "unknown_token", f"No token {token_id[:40]!r} is in use.", "List them to see their names."
                )


def _require_form(name: str, scopes: frozenset[Scope], component: Component | None) -> None:
    if not 0 < len(name.strip()) <= 100 or not name.isprintable():
        raise _wrong("A token needs a name of 1 to 100 visible characters.")
    if not scopes:
        raise _wrong(f"A token needs at least one scope of: {', '.join(Scope)}.")
    if Scope.FLAGS_EVALUATE in scopes and Scope.ADMIN not in scopes and component is None:
        raise _wrong("A token that evaluates flags is bound to one component.")


def _wrong(message: str) -> Layer7Error:
    return Layer7Error("wrong_token", message, f"Components are: {', '.join(Component)}.")


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode(errors="replace")).hexdigest()


def _token(row: RowMapping) -> Token:
    return Token(
        id=row["id"],
        name=row["name"],
        scopes=frozenset(Scope(word) for word in row["scopes"].split()),
        component=Component(row["component"]) if row["component"] else None,
        created_at=row["created_at"],
        expires_at=row["expires_at"],
        revoked_at=row["revoked_at"],
    )
