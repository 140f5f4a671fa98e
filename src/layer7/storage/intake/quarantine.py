"""Events that could not be taken: kept with code, reason and the raw line, listed, tried again."""

import hashlib
import hmac
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Insert, Select, delete, func, select
from sqlalchemy.dialects import postgresql, sqlite

from layer7.privacy import open_sealed, seal
from layer7.storage.database.schema import quarantine
from layer7.storage.database.state import State
from layer7.storage.intake.bulk import Refused
from layer7.storage.people.keys import Keys

_NAMED = re.compile(r'"user_id"\s*:\s*"([^"\\]{1,200})"')
"""Whose a line is that is no JSON, e.g. since it was cut off."""

_ONE_WRITER = 7_000_004
"""Number of the advisory lock that writers to the quarantine hold in PostgreSQL; others are in `locks`."""


@dataclass(frozen=True, slots=True)
class Quarantined:
    """An event that waits in quarantine.

    Args:
        id: its number.
        at: when it came, ISO 8601 in UTC.
        source: file or door it came by.
        position: 1-based line or row there.
        code: stable name of the fault.
        reason: what is wrong, in words.
        raw: the line as it came.
    """

    id: int
    at: str
    source: str
    position: int
    code: str
    reason: str
    raw: str


class Quarantine:
    """The quarantine of one installation; raw lines are sealed, with the person's key where it names one.

    Args:
        state: the state database.
        keys: the installation's keys.
    """

    def __init__(self, state: State, keys: Keys) -> None:
        self._state = state
        self._keys = keys

    def put(self, connection: Connection, refused: Iterable[Refused], *, source: str, at: datetime) -> int:
        """Keep refused lines, each once however often it comes; gives how many were refused."""
        rows = [_storable(item) for item in refused]
        named = {user_id for item in rows if (user_id := _user_id(item.raw))}
        erased = self._keys.erased(named)
        people = self._keys.admit(named - erased.keys())
        own = self._keys.keys(people.values())
        kept = [
            self._row(item, people, own) | {"source": source, "at": at.isoformat()}
            for item in rows
            # A line that nobody can read may be from before its person was erased: it is counted, not kept.
            if (user_id := _user_id(item.raw)) is None or people.get(user_id) in own
        ]
        if kept:
            connection.execute(self._insert(connection), kept)
        return len(rows)

    @staticmethod
    def _insert(connection: Connection) -> Insert:
        if connection.dialect.name != "postgresql":
            return sqlite.insert(quarantine).on_conflict_do_nothing(index_elements=["digest"])
        # Numbers follow the lines of a file; two writers of the same lines in another order would wait for
        # each other for ever, so they go one after the other.
        connection.execute(select(func.pg_advisory_xact_lock(_ONE_WRITER)))
        return postgresql.insert(quarantine).on_conflict_do_nothing(index_elements=["digest"])

    def _row(self, item: Refused, people: Mapping[str, str], own: Mapping[str, bytes]) -> dict[str, Any]:
        user_id = _user_id(item.raw)
        person = people[user_id] if user_id else None
        key = own[person] if person else self._keys.quarantine
        reasons = (f"{problem.pointer or 'event'}: {problem.reason}" for problem in item.problems)
        return {
            "digest": hmac.digest(self._keys.quarantine, item.raw.encode(), hashlib.sha256).hex(),
            "position": item.position,
            "code": item.problems[0].code,
            "reason": "; ".join(reasons),
            "person": person,
            "raw": seal(key, item.raw),
        }

    def counts(self) -> Mapping[str, int]:
        """Give how many wait, by code."""
        query = (
            select(quarantine.c.code, func.count()).group_by(quarantine.c.code).order_by(quarantine.c.code)
        )
        with self._state.read() as connection:
            return {row[0]: row[1] for row in connection.execute(query)}

    def waiting(
        self, *, code: str | None = None, after: int = 0, limit: int = 100
    ) -> tuple[Quarantined, ...]:
        """Give waiting events in order of their numbers.

        Args:
            code: only those with this fault.
            after: id after which to begin.
            limit: how many at most.
        """
        query = select(quarantine).where(quarantine.c.id > after).order_by(quarantine.c.id).limit(limit)
        if code is not None:
            query = query.where(quarantine.c.code == code)
        return self._found(query)

    def of(self, person: str) -> tuple[Quarantined, ...]:
        """Give the waiting events of one person."""
        return self._found(select(quarantine).where(quarantine.c.person == person).order_by(quarantine.c.id))

    def _found(self, query: Select[Any]) -> tuple[Quarantined, ...]:
        with self._state.read() as connection:
            rows = connection.execute(query).mappings().all()
        return tuple(
            Quarantined(
                raw=self._open(row["person"], row["raw"]),
                **{name: row[name] for name in Quarantined.__slots__ if name != "raw"},
            )
            for row in rows
        )

    def _open(self, person: str | None, raw: bytes) -> str:
        key = self._keys.quarantine if person is None else self._keys.keys([person]).get(person)
        return "" if key is None else open_sealed(key, raw)

    def naming(self, connection: Connection, user_id: str) -> list[int]:
        """Give those lines that could not be told to be anybody's, but in which a person's id stands."""
        query = select(quarantine.c.id, quarantine.c.raw).where(quarantine.c.person.is_(None))
        opened = ((row.id, self._open(None, row.raw)) for row in connection.execute(query))
        forms = {user_id, json.dumps(user_id)[1:-1]}
        return [name for name, raw in opened if any(form in raw for form in forms)]

    def release(self, connection: Connection, ids: Iterable[int]) -> None:
        """Strike out events that were taken on another try."""
        connection.execute(delete(quarantine).where(quarantine.c.id.in_(list(ids))))


def _storable(item: Refused) -> Refused:
    return replace(item, raw=item.raw.encode(errors="backslashreplace").decode())


def _user_id(raw: str) -> str | None:
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError):
        found = _NAMED.search(raw)
        value = {"user_id": found[1]} if found else None
    if isinstance(value, dict) and isinstance(value.get("data"), dict):
        value = value["data"]
    user_id = value.get("user_id") if isinstance(value, dict) else None
    storable = isinstance(user_id, str) and 0 < len(user_id) <= 200 and user_id.isprintable()
    return user_id if storable else None
