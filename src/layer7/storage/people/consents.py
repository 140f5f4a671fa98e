"""What people have said about the use of their data; read on every use, never from a cache."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection, Select, bindparam, case, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError

from layer7.contract.vocabulary import EventType, Purpose
from layer7.errors import Layer7Error
from layer7.privacy import DEFAULTS, Consent, may_use, spoken, strictness
from layer7.storage.database.schema import consents
from layer7.storage.database.state import Act, State
from layer7.storage.people.keys import Keys


@dataclass(frozen=True, slots=True)
class Word:
    """One thing that a person said, as it is kept.

    Args:
        purpose: what it is about.
        value: what she said.
        at: when, ISO 8601.
        source: the door it came by: ``event``, ``http``, ``command line``.
        actor: who recorded it; empty where an event says it.
        policy_version: name of the privacy notice that was in force.
    """

    purpose: str
    value: str
    at: str
    source: str
    actor: str
    policy_version: str


class Consents:
    """The consents of one installation: rows are only ever added, the latest counts.

    Args:
        state: the state database.
        keys: the installation's keys.
        policy_version: name of the privacy notice in force.
    """

    def __init__(self, state: State, keys: Keys, policy_version: str = "") -> None:
        self._state = state
        self._keys = keys
        self._policy_version = policy_version

    def of(self, person: str) -> Consent | None:
        """Give what one person has said; None where her record cannot be read, which counts as "no".

        Args:
            person: her pseudonym.
        """
        try:
            with self._state.read() as connection:
                return _latest(connection, person=person).get(person, Consent())
        except (SQLAlchemyError, Layer7Error):
            return None

    def may(self, person: str, purpose: Purpose) -> bool:
        """Tell whether a person's data may be used for a purpose, as of this moment.

        Args:
            person: her pseudonym.
            purpose: what it would be used for.
        """
        return may_use(self.of(person), purpose)

    def require(self, person: str) -> None:
        """Refuse to read what was learned of a person who does not want to be learned of.

        Args:
            person: her pseudonym.

        Raises:
            Layer7Error: ``personalisation_off``.
        """
        if not self.may(person, Purpose.PERSONALISATION):
            raise Layer7Error(
                "personalisation_off",
                "This person does not want to be learned of: nothing learned of her is read.",
                "She gets everybody's settings; she can allow it again with `layer7 privacy consent`.",
            )

    def refusing(self, purpose: Purpose, *, known_at: datetime | None = None) -> tuple[str, ...]:
        """Give those people whose data may not be used for a purpose; all others are at its default.

        Args:
            purpose: must be one that is allowed by default.
            known_at: a night's horizon. A refusal always counts; what was allowed later does not.
        """
        with self._state.read() as connection:
            return tuple(sorted(_judged(connection, purpose, known_at, allowed=False)))

    def allowing(self, purpose: Purpose, *, known_at: datetime | None = None) -> tuple[str, ...]:
        """Give those people who have said that their data may be used for a purpose.

        Args:
            purpose: must be one that is not allowed by default; all others are at its default.
            known_at: a night's horizon. What was allowed later does not count; a refusal always does.
        """
        with self._state.read() as connection:
            return tuple(sorted(_judged(connection, purpose, known_at, allowed=True)))

    def changed(self, *, after: int, since: datetime) -> tuple[str, ...]:
        """Give the people who have said something lately, of whatever purpose: one may decide on another.

        Args:
            after: only what was recorded after this number.
            since: or what holds only from this moment on.
        """
        query = select(consents.c.person, consents.c.id, consents.c.at)
        with self._state.read() as connection:
            rows = connection.execute(query).all()
        news = {row.person for row in rows if row.id > after or datetime.fromisoformat(row.at) > since}
        return tuple(sorted(news))

    def last(self) -> int:
        """Give the number of what was recorded last."""
        with self._state.read() as connection:
            found: int | None = connection.execute(select(func.max(consents.c.id))).scalar()
        return found or 0

    def history(self, user_id: str) -> tuple[Word, ...]:
        """Give all that a person has said, the earliest first.

        Args:
            user_id: the person, in the caller's own id.
        """
        columns = (getattr(consents.c, name) for name in Word.__dataclass_fields__)
        query = select(*columns).where(consents.c.person == self._keys.person(user_id))
        with self._state.read() as connection:
            rows = connection.execute(query.order_by(consents.c.at, consents.c.id)).all()
        return tuple(Word(*row) for row in rows)

    def say(self, user_id: str, said: Mapping[Purpose, str], *, act: Act, source: str) -> Consent:
        """Record what a person says, from now on; each is kept beside an audit record.

        It holds on a full disk too, as long as the room lasts that is held for it.

        Args:
            user_id: the person, in the caller's own id.
            said: the new value by purpose, in any of the words of :func:`layer7.privacy.spoken`.
            act: who records it, when and why; its action and subject are filled in.
            source: the door it came by.

        Returns:
            What holds now.

        Raises:
            Layer7Error: ``unknown_choice``.
        """
        values = {purpose: spoken(purpose, value) for purpose, value in said.items()}
        return self._state.disk.through(partial(self._record, user_id, values, act=act, source=source))

    def _record(self, user_id: str, values: Mapping[Purpose, str], *, act: Act, source: str) -> Consent:
        person = self._keys.admit([user_id])[user_id]
        detail = {purpose.value: value for purpose, value in values.items()}
        name = self._keys.audit_name.of(user_id)
        recorded = Act(act.actor, "consent.set", name, act.at, self._keys.shut(person, act.why), detail)
        with self._state.change(recorded) as connection:
            rows = [
                {
                    "person": person,
                    "purpose": purpose.value,
                    "value": value,
                    "at": _after(connection, person, purpose, act.at).isoformat(),
                    "source": source,
                    "actor": act.actor,
                    "policy_version": self._policy_version,
                }
                for purpose, value in values.items()
            ]
            if rows:
                connection.execute(consents.insert(), rows)
            return _latest(connection, person=person).get(person) or Consent()


def allowing_within(connection: Connection, purpose: Purpose) -> frozenset[str]:
    """Give those who allow a purpose, as the caller's own transaction sees it; quick with millions of people.

    Most have said yes and nothing else. Only the words of the others are held against each other; and names
    come in one text, since a million rows take longer than all the rest.

    Args:
        connection: of that transaction.
        purpose: must be one that is not allowed by default, and that no other purpose decides on.
    """
    own, yes, at = consents.c.purpose == purpose.value, consents.c.value == "yes", consents.c.at
    refusing = select(consents.c.person).where(own, ~yes)
    agreed, otherwise = func.max(case((yes, at))), func.max(case((~yes, at)))
    # Of words of one moment the stricter counts, so the last yes has to be later than all else.
    agreeing = (
        select(consents.c.person)
        .where(own, consents.c.person.in_(refusing))
        .group_by(consents.c.person)
        .having(agreed > func.coalesce(otherwise, ""))
    )
    unreadable = select(consents.c.person).where(consents.c.purpose.not_in([each.value for each in Purpose]))
    said_yes, said_else, came_back, no_sense = (
        _names(connection, rows)
        for rows in (select(consents.c.person).where(own, yes), refusing, agreeing, unreadable)
    )
    return (said_yes - said_else | came_back) - no_sense


def _names(connection: Connection, rows: Select[tuple[str]]) -> frozenset[str]:
    """Give names in one text, put together by the database."""
    found = rows.subquery()
    text = connection.execute(select(func.aggregate_strings(found.c.person, "\n"))).scalar()
    return frozenset((text or "").split("\n")) - {""}


def keep_said(connection: Connection, rows: Iterable[Mapping[str, Any]]) -> None:
    """Keep what events say; the same event again changes nothing.

    Args:
        connection: of the transaction that takes the events.
        rows: rows of the log; only ``CONSENT_CHANGED`` is read.
    """
    said = [
        {
            "person": row["person"],
            "purpose": row["purpose"],
            "value": _readable(Purpose(row["purpose"]), row["value"].strip('"')),
            "at": row["event_time"].isoformat(),
            "source": "event",
            "event_id": row["event_id"],
        }
        for row in rows
        if row["event_type"] == EventType.CONSENT_CHANGED.value
    ]
    if said:
        insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
        once = insert(consents).on_conflict_do_nothing(index_elements=["person", "event_id"])
        connection.execute(once, said)


def _readable(purpose: Purpose, text: str) -> str:
    """Give a value in the words that are kept; one that does not fit its purpose stays, and counts as no."""
    try:
        return spoken(purpose, text)
    except Layer7Error:
        return text


def _after(connection: Connection, person: str, purpose: Purpose, at: datetime) -> datetime:
    """Give a moment that makes a new word the latest, also if a clock ran ahead before."""
    own = (consents.c.person == person) & (consents.c.purpose == purpose.value)
    last = connection.execute(select(func.max(consents.c.at)).where(own)).scalar()
    now = at.astimezone(UTC)
    return now if last is None else max(now, datetime.fromisoformat(last) + timedelta(microseconds=1))


def _judged(
    connection: Connection, purpose: Purpose, known_at: datetime | None, *, allowed: bool
) -> set[str]:
    """Give those who allow or refuse; what was said after a horizon can only take away."""
    # What people say of other purposes decides nothing here, and is most of what is said.
    beside = [each.value for each in Purpose if each not in {purpose, Purpose.PERSONALISATION}]
    now = _latest(connection, beside=beside)
    then = now if known_at is None else _latest(connection, until=known_at, beside=beside)
    usual = may_use(Consent(), purpose)
    found = set()
    for person, consent in now.items():
        before = then.get(person, Consent()) if known_at is not None else consent
        may = may_use(consent, purpose) and may_use(before, purpose)
        if may is allowed and may is not usual:
            found.add(person)
    return found


def _ranked() -> Select[tuple[str, str, str, int]]:
    """Every word with its place among those of its person and purpose: 1 for the latest of them."""
    place = func.rank().over(
        partition_by=(consents.c.person, consents.c.purpose), order_by=consents.c.at.desc()
    )
    return select(consents.c.person, consents.c.purpose, consents.c.value, place.label("place"))


def _latest(
    connection: Connection,
    *,
    person: str | None = None,
    until: datetime | None = None,
    beside: Sequence[str] = (),
) -> Mapping[str, Consent | None]:
    """Give what people have said last of each purpose; of words of one moment the strictest counts.

    Purposes that are left out stand in ``beside``.
    """
    if person is not None and until is None:
        return _strictest(connection.execute(_ONES_LATEST, {"one": person}).all())
    wanted = _ranked()
    if person is not None:
        wanted = wanted.where(consents.c.person == person)
    if until is not None:
        wanted = wanted.where(consents.c.at <= until.isoformat())
    if beside:
        wanted = wanted.where(consents.c.purpose.not_in(beside))
    return _strictest(connection.execute(_first(wanted)).all())


def _first(wanted: Select[tuple[str, str, str, int]]) -> Select[tuple[str, str, str, int]]:
    ranked = wanted.subquery()
    return select(ranked).where(ranked.c.place == 1)


_ONES_LATEST = _first(_ranked().where(consents.c.person == bindparam("one")))
"""Made once, since every request that is for a person asks it."""


def _strictest(rows: Iterable[Any]) -> Mapping[str, Consent | None]:
    """Give by person what was said last; of words of one moment the strictest."""
    said: dict[str, dict[Purpose, str]] = {}
    unreadable: set[str] = set()
    for name, about, value, _ in rows:
        if about not in DEFAULTS:
            unreadable.add(name)
            continue
        purpose, own = Purpose(about), said.setdefault(name, {})
        known = own.get(purpose)
        if known is None or strictness(purpose, value) > strictness(purpose, known):
            own[purpose] = value
    found: dict[str, Consent | None] = {
        name: Consent(MappingProxyType(values)) for name, values in said.items()
    }
    return found | dict.fromkeys(unreadable)
