"""Which variant a person was first served: recorded once, with an event in the log, and kept to."""

import hashlib
import json
from datetime import datetime

from sqlalchemy import Connection, Insert, select
from sqlalchemy.dialects import postgresql, sqlite

from layer7.contract.reading import read_event
from layer7.contract.vocabulary import EventType, Purpose
from layer7.experiments.assignment import Assignment
from layer7.storage.database import schema
from layer7.storage.database.state import State
from layer7.storage.intake.inbox import Inbox
from layer7.storage.people.consents import Consents
from layer7.storage.people.keys import Keys

_TABLE = schema.assignments
SOURCE = "assignment"


class Assignments:
    """The assignments of one installation.

    Args:
        state: the state database.
        keys: the installation's keys.
        inbox: where the events of first assignments go.
        consents: what people have said.
    """

    def __init__(self, state: State, keys: Keys, inbox: Inbox, consents: Consents) -> None:
        self._state = state
        self._keys = keys
        self._inbox = inbox
        self._consents = consents

    def may_take_part(self, user_id: str) -> bool:
        """Tell whether a person's data may be used for experiments."""
        return self._consents.may(self._keys.person(user_id), Purpose.EXPERIMENTS)

    def first(self, assigned: Assignment, user_id: str, *, at: datetime) -> str:
        """Give the variant that a person was first served, recording this one if it is the first.

        The event is durable before the assignment is remembered, so that nobody is served a variant of which
        the log knows nothing.

        Args:
            assigned: what the hash gives.
            user_id: the person, in the caller's own id.
            at: now, with offset.

        Returns:
            The name of the variant.
        """
        experiment_id, person = assigned.experiment.experiment_id, self._keys.person(user_id)
        query = select(_TABLE.c.variant_id).where(
            _TABLE.c.experiment_id == experiment_id, _TABLE.c.person == person
        )
        with self._state.read() as connection:
            known: str | None = connection.execute(query).scalar()
        if known is not None:
            return known
        variant_id = assigned.variant.variant_id
        self._tell(experiment_id, variant_id, user_id, person=person, at=at)
        row = {
            "experiment_id": experiment_id,
            "person": person,
            "variant_id": variant_id,
            "at": at.isoformat(),
        }
        with self._state.write() as connection:
            connection.execute(_insert(connection).values(**row))
            kept: str = connection.execute(query).scalar_one()
        return kept

    def _tell(self, experiment_id: str, variant_id: str, user_id: str, *, person: str, at: datetime) -> None:
        name = hashlib.sha256(f"{experiment_id}\0{person}".encode()).hexdigest()[:32]
        event = {
            "event_type": EventType.EXPERIMENT_EXPOSED.value,
            "event_id": f"assigned-{name}",
            "user_id": user_id,
            "experiment_id": experiment_id,
            "variant_id": variant_id,
            "timestamp": at.isoformat(),
        }
        text = json.dumps(event)
        self._inbox.accept([(text, read_event(text, now=at))], now=at, source=SOURCE)


def _insert(connection: Connection) -> Insert:
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    return insert(_TABLE).on_conflict_do_nothing(index_elements=["experiment_id", "person"])
