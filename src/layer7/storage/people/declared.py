"""Groups that people declare of themselves, in a database of their own, under names that join to nothing.

Each row is named by a keyed hash of the person's pseudonym and sealed under her own key: without the fairness
key no row can be joined to anything, and an erasure reaches every copy. One job reads all, to count.
"""

import json
import sqlite3
from collections.abc import Collection, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import MappingProxyType

from layer7.contract.vocabulary import Purpose
from layer7.errors import Layer7Error
from layer7.fairness import UNDISCLOSED, checked_groups
from layer7.privacy import open_sealed, seal
from layer7.storage.database.integrity import faults_of, legible
from layer7.storage.database.state import Act, State
from layer7.storage.people.consents import Consents
from layer7.storage.people.keys import Keys, open_keys

_SCHEMA = "CREATE TABLE IF NOT EXISTS declared (name TEXT PRIMARY KEY, sealed BLOB NOT NULL) WITHOUT ROWID"


@dataclass(frozen=True, slots=True)
class Declaration:
    """What a person declared.

    Args:
        attribute: of what.
        group: which group.
        since: from when on, ISO 8601.
    """

    attribute: str
    group: str
    since: str


@dataclass(frozen=True, slots=True)
class Declared:
    """The declared groups of one installation.

    Args:
        path: their database; made when somebody declares a group.
        state: keeps the audit record of each declaration, without the group.
        keys: the installation's keys.
        consents: what people have said.
        lists: groups that an attribute may have; any short word where there is none.
    """

    path: Path
    state: State
    keys: Keys
    consents: Consents
    lists: Mapping[str, Collection[str]] = field(default_factory=lambda: MappingProxyType({}))

    def declare(self, user_id: str, said: Mapping[str, str], *, act: Act) -> tuple[Declaration, ...]:
        """Keep what a person says of herself; ``undisclosed`` takes an attribute back.

        Earlier groups are kept with their time: an experiment counts her in the group that she had declared
        when she was drawn by lot.

        Args:
            user_id: the person, in the caller's own id.
            said: group by attribute.
            act: who records it, when and why; its action and subject are set here.

        Raises:
            Layer7Error: ``consent_needed`` unless she allows fairness monitoring; ``unknown_attribute``;
                ``unknown_choice``.
        """
        groups = checked_groups(said, self.lists)
        person = self.keys.admit([user_id])[user_id]
        if not self.consents.may(person, Purpose.FAIRNESS_MONITORING):
            raise Layer7Error(
                "consent_needed",
                "She has not allowed fairness monitoring, so nothing about her groups is kept.",
                "Record her consent first: purpose fairness_monitoring, value yes.",
            )
        new = [Declaration(attribute, group, act.at.isoformat()) for attribute, group in groups.items()]
        kept = (*self._read(person), *new)
        name = self.keys.audit_name.of(user_id)
        why = self.keys.shut(person, act.why)
        with self.state.change(Act(act.actor, "groups.declare", name, act.at, why)):
            self._write(person, kept)
        return self.of(user_id)

    def of(self, user_id: str) -> tuple[Declaration, ...]:
        """Give all that a person has declared, the earliest first."""
        return self._read(self.keys.person(user_id))

    def everybody(self) -> Iterator[tuple[str, Declaration]]:
        """Give what everybody who allows it has declared, by pseudonym; for the one job that counts."""
        for person in self.consents.allowing(Purpose.FAIRNESS_MONITORING) if self.path.exists() else ():
            for each in self._read(person):
                yield person, each

    def forget(self, person: str) -> int:
        """Delete what a person has declared; gives how many rows."""
        if not self.path.exists():
            return 0
        with self._open() as database:
            name = self.keys.fairness.of(person)
            gone = database.execute("DELETE FROM declared WHERE name = ?", [name]).rowcount
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return gone

    def check(self) -> tuple[str, ...]:
        """Look at every page of the declared groups; gives what is wrong."""
        return faults_of(self.path)

    def sweep(self) -> int:
        """Delete what was declared by people who do not allow it any more; gives how many rows."""
        if not self.path.exists():
            return 0
        return self.state.disk.through(self._swept)

    def _swept(self) -> int:
        allowing = self.consents.allowing(Purpose.FAIRNESS_MONITORING)
        kept = {self.keys.fairness.of(person) for person in allowing}
        with self._open() as database:
            names = [name for (name,) in database.execute("SELECT name FROM declared") if name not in kept]
            database.executemany("DELETE FROM declared WHERE name = ?", [(name,) for name in names])
            if names:
                database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return len(names)

    def _read(self, person: str) -> tuple[Declaration, ...]:
        key = self.keys.keys([person]).get(person)
        if key is None or not self.path.exists():
            return ()
        with self._open() as database:
            query = "SELECT sealed FROM declared WHERE name = ?"
            row = database.execute(query, [self.keys.fairness.of(person)]).fetchone()
        return tuple(Declaration(*each) for each in json.loads(open_sealed(key, row[0]))) if row else ()

    def _write(self, person: str, kept: tuple[Declaration, ...]) -> None:
        key = self.keys.keys([person])[person]
        text = json.dumps([(each.attribute, each.group, each.since) for each in kept])
        self.path.touch(mode=0o600)
        with self._open() as database:
            row = (self.keys.fairness.of(person), seal(key, text))
            database.execute("INSERT OR REPLACE INTO declared VALUES (?, ?)", row)

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with self.state.disk.told(), legible(self.path), closing(open_keys(self.path)) as database:
            database.execute(_SCHEMA)
            yield database


def in_force(declared: tuple[Declaration, ...], at: datetime | None = None) -> Mapping[str, str]:
    """Give the group of each attribute that was in force at a moment; None for the latest.

    Example:
        >>> said = Declaration("gender", "female", "2026-03-01T00:00:00+00:00")
        >>> in_force((said,)), in_force((said,), datetime.fromisoformat("2026-02-01T00:00:00+00:00"))
        ({'gender': 'female'}, {})
    """
    known = {
        each.attribute: each.group
        for each in declared
        if at is None or datetime.fromisoformat(each.since) <= at
    }
    return {attribute: group for attribute, group in known.items() if group != UNDISCLOSED}
