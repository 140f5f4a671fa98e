"""People's own settings and wishes, each sealed under the person's key; callers speak in their own ids."""

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from pydantic_core import from_json, to_json
from sqlalchemy import Connection, bindparam, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from layer7.personalization.stepping import Kept
from layer7.personalization.wishes import checked, is_paused, known
from layer7.privacy import open_sealed, seal
from layer7.storage.database.schema import personal, wishes
from layer7.storage.database.state import Act, State
from layer7.storage.people.keys import Keys

# Made once, since every request that is for a person asks them.
_KEPT = select(personal.c.person, personal.c.words)
_KEPT_OF_ONE = _KEPT.where(personal.c.person == bindparam("one"))
_WISHES = select(wishes.c.person, wishes.c.field, wishes.c.words, wishes.c.at).order_by(wishes.c.id)
_WISHES_OF_ONE = _WISHES.where(wishes.c.person == bindparam("one"))


class Personal:
    """The settings and wishes of people of one installation.

    Args:
        state: the state database.
        keys: the installation's keys.
    """

    def __init__(self, state: State, keys: Keys) -> None:
        self.state = state
        self._keys = keys

    def kept(self, person: str | None = None) -> dict[str, Kept]:
        """Give what was learned, by pseudonym; of the erased, nothing is left to open.

        Args:
            person: only this pseudonym's; None for everybody's.
        """
        query = _KEPT if person is None else _KEPT_OF_ONE
        with self.state.read() as connection:
            rows = connection.execute(query, {"one": person}).all()
        own = self._keys.keys(row.person for row in rows)
        return {row.person: _opened(own[row.person], row.words) for row in rows if row.person in own}

    def renew(
        self, people: Iterable[str], step: Callable[[str, Kept | None], Kept | None], *, at: datetime
    ) -> int:
        """Take people's settings a step on; gives of how many something was written.

        One at a time: so many documents at once are more to look after than to make.

        Args:
            people: their pseudonyms; of the erased, nothing is kept.
            step: gives what is to be kept of a person in place of what is, None for nothing.
            at: now.
        """
        own = self._keys.keys(people)
        with self.state.read() as connection:
            sealed = {person: words for person, words in connection.execute(_KEPT) if person in own}
        rows = []
        for person, key in sorted(own.items()):
            before = _opened(key, sealed[person]) if person in sealed else None
            now = step(person, before)
            if now is not None and now != before:
                rows.append(_row(person, key, now, at))
        with self.state.write() as connection:
            _upsert(connection, rows)
        return len(rows)

    def keep(self, person: str, kept: Kept, *, at: datetime) -> None:
        """Keep a person's settings as they are, whatever was kept before.

        Args:
            person: her pseudonym; of the erased, nothing is kept.
            kept: her settings.
            at: now.
        """
        self.renew([person], lambda _person, _before: kept, at=at)

    def drop(self, people: Iterable[str]) -> None:
        """Let go of what was learned of some people.

        Args:
            people: their pseudonyms.
        """
        with self.state.write() as connection:
            for person in people:
                connection.execute(delete(personal).where(personal.c.person == person))

    def wishes(self, person: str) -> Mapping[str, Any]:
        """Give what a person says herself, by field; what she has taken back is left out.

        Args:
            person: her pseudonym.
        """
        return self._wishes(person).get(person, {})

    def everybodys_wishes(self) -> Mapping[str, Mapping[str, Any]]:
        """Give what people say themselves, by pseudonym and field."""
        return self._wishes()

    def paused(self) -> frozenset[str]:
        """Give the pseudonyms of those who have stopped learning for now."""
        return frozenset(person for person, said in self._wishes().items() if is_paused(said))

    def _wishes(
        self, person: str | None = None, *, until: datetime | None = None
    ) -> Mapping[str, Mapping[str, Any]]:
        query = _WISHES if person is None else _WISHES_OF_ONE
        with self.state.read() as connection:
            rows = connection.execute(query, {"one": person}).all()
        own = self._keys.keys({row.person for row in rows}) if rows else {}
        said: dict[str, dict[str, Any]] = {}
        for row in rows:
            if row.person in own and (until is None or datetime.fromisoformat(row.at) <= until):
                words = None if row.words is None else json.loads(open_sealed(own[row.person], row.words))
                said.setdefault(row.person, {})[open_sealed(own[row.person], row.field)] = words
        return {
            who: {field: value for field, value in each.items() if value is not None}
            for who, each in said.items()
        }

    def paused_at(self, person: str, moment: datetime) -> bool:
        """Tell whether a person had stopped learning at a moment.

        Args:
            person: her pseudonym.
            moment: with offset.
        """
        return is_paused(self._wishes(person, until=moment).get(person, {}))

    def wish(self, user_id: str, field: str, value: object, *, act: Act) -> Any:
        """Record what a person wishes, beside an audit record that does not say what it is.

        Args:
            user_id: the person, in the caller's own id.
            field: see :func:`layer7.personalization.wishes.checked`.
            value: what she wishes; None takes an earlier wish back.
            act: who records it, when and why; its action and subject are filled in.

        Returns:
            The value as it is kept.

        Raises:
            Layer7Error: ``unknown_field``, ``value_not_allowed``.
        """
        said = None if value is None else checked(field, value)
        field = known(field)
        person = self._keys.admit([user_id])[user_id]
        own = self._keys.keys([person])[person]
        row = {
            "person": person,
            "field": seal(own, field),
            "words": None if said is None else seal(own, json.dumps(said)),
            "at": act.at.isoformat(),
            "actor": act.actor,
        }
        action = "wish.take-back" if said is None else "wish.set"
        why = self._keys.shut(person, act.why)
        recorded = Act(act.actor, action, self._keys.audit_name.of(user_id), act.at, why)
        with self.state.change(recorded) as connection:
            connection.execute(wishes.insert().values(**row))
        return said


def _opened(key: bytes, words: bytes) -> Kept:
    kept: Kept = from_json(open_sealed(key, words))
    return kept


def _row(person: str, key: bytes, kept: Kept, at: datetime) -> dict[str, Any]:
    words = seal(key, to_json(kept).decode())
    return {"person": person, "words": words, "as_of": kept["as_of"], "updated_at": at.isoformat()}


def _upsert(connection: Connection, rows: list[dict[str, Any]]) -> None:
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    statement = insert(personal)
    changed = {name: statement.excluded[name] for name in ("words", "as_of", "updated_at")}
    if rows:
        connection.execute(statement.on_conflict_do_update(index_elements=["person"], set_=changed), rows)
