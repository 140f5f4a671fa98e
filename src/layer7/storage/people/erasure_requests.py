"""Requests for erasure, written down in the transaction that they came with, carried out afterwards."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection, select
from sqlalchemy.dialects import postgresql, sqlite

from layer7.storage.database.schema import erasures


def request_erasure(connection: Connection, people: Iterable[str], *, at: datetime, source: str) -> None:
    """Write down that people are to be erased; whoever is asked for twice is erased once.

    Args:
        connection: the caller's transaction.
        people: their pseudonyms.
        at: the moment.
        source: the door by which the request came.
    """
    rows = [
        {"person": person, "requested_at": at.isoformat(), "source": source} for person in sorted({*people})
    ]
    if rows:
        insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
        connection.execute(insert(erasures).on_conflict_do_nothing(index_elements=["person"]), rows)


def requested(connection: Connection) -> tuple[str, ...]:
    """Give those whose erasure was asked for and is not done, the longest waiting first."""
    query = select(erasures.c.person).where(erasures.c.erased_at.is_(None)).order_by(erasures.c.id)
    return tuple(connection.execute(query).scalars())


def hidden(connection: Connection) -> tuple[str, ...]:
    """Give those of whom some file may still hold rows, from when on their erasure is asked for."""
    query = select(erasures.c.person).where(erasures.c.rewritten_at.is_(None), erasures.c.person.is_not(None))
    return tuple(connection.execute(query).scalars())
