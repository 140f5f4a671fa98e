"""What people have said about the use of their data; read on every use."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType

from sqlalchemy import select

from layer7.contract.vocabulary import Purpose
from layer7.privacy import Consent, may_use
from layer7.storage.schema import consents
from layer7.storage.state import State


class Consents:
    """The consents of one installation: rows are only ever added, the latest counts.

    Args:
        state: the state database.
    """

    def __init__(self, state: State) -> None:
        self._state = state

    def of(self, person: str) -> Consent:
        """Give what one person has said."""
        return self._all(person=person).get(person, Consent())

    def refusing(self, purpose: Purpose, *, known_at: datetime | None = None) -> tuple[str, ...]:
        """Give those people whose data may not be used for a purpose; all others are at its default.

        Args:
            purpose: must be one that is allowed by default.
            known_at: what was said later does not count; None for everything.
        """
        said = self._all(known_at=known_at)
        return tuple(sorted(person for person, consent in said.items() if not may_use(consent, purpose)))

    def allowing(self, purpose: Purpose, *, known_at: datetime | None = None) -> tuple[str, ...]:
        """Give those people who have said that their data may be used for a purpose.

        Args:
            purpose: must be one that is not allowed by default; all others are at its default.
            known_at: what was said later does not count; None for everything.
        """
        said = self._all(known_at=known_at)
        return tuple(sorted(person for person, consent in said.items() if may_use(consent, purpose)))

    def _all(self, *, person: str | None = None, known_at: datetime | None = None) -> Mapping[str, Consent]:
        query = select(consents).order_by(consents.c.at, consents.c.id)
        if person is not None:
            query = query.where(consents.c.person == person)
        said: dict[str, dict[Purpose, str]] = {}
        with self._state.read() as connection:
            for row in connection.execute(query).mappings():
                if known_at is None or datetime.fromisoformat(row["at"]) <= known_at:
                    said.setdefault(row["person"], {})[Purpose(row["purpose"])] = row["value"]
        return {name: Consent(MappingProxyType(values)) for name, values in said.items()}
