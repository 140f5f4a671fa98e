"""Forgetting a person (GDPR 17): at once for whoever reads, in every backup by her key, on disk by the night.

The steps may be killed anywhere and are done again from the start: the request is durable, the tombstone
hides her, her key is destroyed, the rows of the state go in one transaction with the receipt. None of it
reads the event log, so it takes as long with ten events as with a hundred million. A step that finds the disk
full is done with the room that is held for it.
"""

import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import Column, Connection, delete, select, update

from layer7.contract.rights import ErasureProgress, ErasureReceipt
from layer7.errors import Layer7Error
from layer7.review import ENGINE
from layer7.storage.database import schema
from layer7.storage.database.state import Act, State
from layer7.storage.intake.quarantine import Quarantine
from layer7.storage.people.declared import Declared
from layer7.storage.people.erasure_requests import hidden, request_erasure, requested
from layer7.storage.people.keys import Keys
from layer7.storage.rights.register import DATASETS, FILES, STATE

_TABLE = schema.erasures
_HIDDEN = tuple(place.name for place in DATASETS if place.person)
_KEPT = {place.name: place.stays for place in (*STATE, *FILES) if place.stays} | {
    "figures over many people": "they name nobody, and are made without her within a week"
}


@dataclass(frozen=True, slots=True)
class Erasures:
    """The erasures of one installation.

    Args:
        state: the state database.
        keys: the installation's keys.
        quarantine: holds lines that nobody could read.
        declared: groups that people declared of themselves.
    """

    state: State
    keys: Keys
    quarantine: Quarantine
    declared: Declared

    def erase(self, user_id: str, *, act: Act) -> ErasureReceipt:
        """Erase a person; asking again gives the same receipt, until she comes back.

        Args:
            user_id: the person, in the caller's own id; one of whom nothing is known gets a receipt too.
            act: who acts and when; its action and subject are set here. Why is not kept: it would outlive her
                in the audit log.

        Raises:
            Layer7Error: why the state refuses. The request stands then, and is carried out later.
        """
        person, before = self.keys.person(user_id), self.keys.former(user_id)
        if before is not None and not self._has_come_back(person):
            known = self._progress(before)
            if known is not None:
                return known.receipt
            person = before
        self._request(person, at=act.at, source=act.action)
        return self._carry_out(person, user_id, replace(act, why=""))

    def _request(self, person: str, *, at: datetime, source: str) -> None:
        def write() -> None:
            with self.state.write() as connection:
                request_erasure(connection, [person], at=at, source=source)

        self.state.disk.through(write)

    def _has_come_back(self, person: str) -> bool:
        if self.keys.keys([person]):
            return True
        with self.state.read() as connection:
            return any(
                connection.execute(select(column).where(column == person).limit(1)).first()
                for column in _columns()
            )

    def resume(self, at: datetime) -> int:
        """Carry out what events have asked for.

        Args:
            at: the moment.

        Returns:
            How many people were erased.
        """
        with self.state.read() as connection:
            asked = requested(connection)
        known = self.keys.user_ids(asked)
        for person in asked:
            act = Act(ENGINE, "event", "", at, "Asked for by an event.")
            self._carry_out(person, known.get(person), act)
        self.state.disk.through(self._delete_hidden)
        return len(asked)

    def _delete_hidden(self) -> None:
        """Delete what a process wrote under an old name that it still remembered."""
        with self.state.write() as connection:
            for person in hidden(connection):
                _delete(connection, person)

    def replay(self) -> int:
        """Hold every tombstone against what is here, before anything is served: it may be a restored backup.

        Returns:
            How many people were erased again.
        """
        erased = self.keys.tombstones.all()
        done = select(_TABLE.c.person, _TABLE.c.erased_at).where(
            _TABLE.c.erased_at.is_not(None), _TABLE.c.person.is_not(None)
        )
        with self.state.read() as connection:
            finished = {row.person: row.erased_at for row in connection.execute(done)}
        for name in finished.keys() - erased.keys():
            self.keys.tombstones.add(name, datetime.fromisoformat(finished[name]))
            self.keys.destroy(name)
        lost = [(name, at) for name, at in erased.items() if name not in finished]
        for name, at in lost:
            self._request(name, at=at, source="tombstone")
            why = "A restored backup, or a run that was killed, still held an erased person."
            self._carry_out(name, None, Act(ENGINE, "tombstone", "", at, why))
        return len(lost)

    def _carry_out(self, person: str, user_id: str | None, act: Act) -> ErasureReceipt:
        through = self.state.disk.through
        if user_id is not None:
            through(partial(self._drop_unreadable, user_id))
        through(partial(self.keys.tombstones.add, person, act.at))
        declared = through(partial(self.declared.forget, person))
        had_key = through(partial(self.keys.destroy, person))
        receipt = through(partial(self._close, person, act, declared=declared, had_key=had_key))
        through(self.state.truncate)
        return receipt

    def _close(self, person: str, act: Act, *, declared: int, had_key: bool) -> ErasureReceipt:
        """Delete her rows from the state, and give the receipt with them."""
        receipt_id = f"erasure-{self._sign(person)[:16]}"
        erased_at = self.keys.tombstones.all()[person].isoformat()
        done = Act(act.actor, "person.erase", receipt_id, act.at, act.why, {"asked_by": act.action})
        with self.state.change(done) as connection:
            removed = _delete(connection, person) | {"declared": declared}
            asked = connection.execute(select(_TABLE.c.requested_at).where(_TABLE.c.person == person))
            receipt = self._signed(
                {
                    "receipt_id": receipt_id,
                    "requested_at": asked.scalar_one(),
                    "erased_at": erased_at,
                    "key_destroyed": had_key,
                    "removed": removed,
                    "waiting": _HIDDEN,
                    "kept": _KEPT,
                }
            )
            said = {"erased_at": erased_at, "receipt": receipt.model_dump_json()}
            connection.execute(update(_TABLE).where(_TABLE.c.person == person).values(**said))
        return receipt

    def _drop_unreadable(self, user_id: str) -> None:
        """Delete lines that nobody could read but in which her id stands; only while her id is known."""
        with self.state.write() as connection:
            self.quarantine.release(connection, self.quarantine.naming(connection, user_id))

    def list(self) -> tuple[ErasureProgress, ...]:
        """Give the erasures that are done, the latest first."""
        query = select(_TABLE).where(_TABLE.c.erased_at.is_not(None)).order_by(_TABLE.c.id.desc())
        with self.state.read() as connection:
            return tuple(_as_progress({**row}) for row in connection.execute(query).mappings())

    def _progress(self, person: str) -> ErasureProgress | None:
        query = select(_TABLE).where(_TABLE.c.person == person, _TABLE.c.erased_at.is_not(None))
        with self.state.read() as connection:
            row = connection.execute(query).mappings().first()
        return None if row is None else _as_progress({**row})

    def check(self, receipt: ErasureReceipt) -> None:
        """Check that a receipt is this installation's own and unchanged.

        Raises:
            Layer7Error: ``receipt_forged``.
        """
        body = receipt.model_dump(mode="json", exclude={"signature"})
        if not hmac.compare_digest(self._sign(_canonical(body)), receipt.signature):
            raise Layer7Error(
                "receipt_forged",
                f"The receipt {receipt.receipt_id} was not given by this installation, or was changed.",
                "Look at `layer7 privacy erasures` for the receipts that were given.",
            )

    def _signed(self, body: Mapping[str, Any]) -> ErasureReceipt:
        receipt = ErasureReceipt.model_validate({**body, "signature": ""})
        plain = receipt.model_dump(mode="json", exclude={"signature"})
        return receipt.model_copy(update={"signature": self._sign(_canonical(plain))})

    def _sign(self, text: str) -> str:
        return hmac.digest(self.keys.audit, f"erasure\0{text}".encode(), hashlib.sha256).hex()


def _canonical(body: Mapping[str, Any]) -> str:
    return json.dumps(body, sort_keys=True, separators=(",", ":"))


def _delete(connection: Connection, person: str) -> dict[str, int]:
    """Delete her rows from every table that the register says holds any."""
    return {
        column.table.name: connection.execute(delete(column.table).where(column == person)).rowcount
        for column in _columns()
    }


def _columns() -> Iterator[Column[str]]:
    """Give the columns of the state in which an erased person must not be found."""
    for place in STATE:
        if place.person is not None and not place.stays:
            yield schema.metadata.tables[place.name].c[place.person]


def _as_progress(row: Mapping[str, Any]) -> ErasureProgress:
    return ErasureProgress(
        receipt=ErasureReceipt.model_validate_json(row["receipt"]),
        rewritten_at=row["rewritten_at"],
        gone_at=row["gone_at"],
    )
