"""The ledger of releases: drawn once, charged to those who took part, chained, in one transaction."""

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import JSON, Connection, RowMapping, case, cast, func, literal, select

from layer7.contract.vocabulary import Purpose
from layer7.errors import Layer7Error
from layer7.privacy.bounding import Contributions, bounded, exact
from layer7.privacy.budget import EPOCHS_A_YEAR, YEAR, YEAR_MICRO
from layer7.privacy.cells import Layout
from layer7.privacy.noise import noisy
from layer7.storage.database.schema import audit, participations, releases
from layer7.storage.database.state import Act, State
from layer7.storage.people.consents import allowing_within

ACTION = "release.draw"


@dataclass(frozen=True, slots=True, eq=False)
class Release:
    """What was released of one week.

    Args:
        epoch: the number of the week.
        at: when it was drawn, ISO 8601.
        spec: the layout that it has.
        rho_micro: what it cost each person who took part, in millionths of rho.
        noisy: one row per cell, in points of the scale.
    """

    epoch: int
    at: str
    spec: str
    rho_micro: int
    noisy: npt.NDArray[np.int64]


class Releases:
    """The releases of one installation.

    Args:
        state: the state database.
        key: of the choice of cells, 32 bytes.
    """

    def __init__(self, state: State, key: bytes) -> None:
        self._state = state
        self._key = key

    def get(self, epoch: int) -> Release | None:
        """Give what was released of a week; None before it was.

        Args:
            epoch: the number of the week.
        """
        with self._state.read() as connection:
            return _stored(connection, epoch)

    def of(self, spec: str, epochs: range) -> tuple[Release, ...]:
        """Give the releases of some weeks that have one layout, the earliest first.

        Args:
            spec: the layout.
            epochs: the weeks.
        """
        wanted = releases.c.epoch.between(epochs.start, epochs.stop - 1) & (releases.c.spec == spec)
        with self._state.read() as connection:
            rows = connection.execute(select(releases).where(wanted).order_by(releases.c.epoch)).mappings()
            return tuple(map(_release, rows))

    def draw(
        self, epoch: int, rows: Contributions, people: Sequence[str], *, layout: Layout, at: datetime
    ) -> Release:
        """Draw a week: once. Whoever asks again gets the same numbers, and nobody is charged again.

        Consent and the year's cap are looked at inside the transaction that charges, draws and publishes, so
        whoever has said no before it began is out.

        Args:
            epoch: the number of the week.
            rows: what people contribute.
            people: their pseudonyms, in the order of their numbers in ``rows``.
            layout: what is released.
            at: now.

        Raises:
            Layer7Error: ``ledger_broken`` if an earlier release was changed; ``insights_off``.
        """
        stored = self.get(epoch)
        if stored is not None:
            return stored
        self.verify()
        # What is kept of a person does not depend on anybody else: who may not take part is left out after.
        found = bounded(rows, layout, hmac.digest(self._key, str(epoch).encode(), hashlib.sha256))
        detail: dict[str, Any] = {}
        try:
            with self._state.change(Act("layer7", ACTION, str(epoch), at, "", detail)) as connection:
                _still_due(connection, epoch)
                turns = _turns(connection, epoch, people, layout.rho_micro)
                left = found.of(turns > 0)
                row = {
                    "epoch": epoch,
                    "at": at.isoformat(),
                    "spec": layout.spec,
                    "rho_micro": layout.rho_micro,
                    "noisy": json.dumps(noisy(exact(left, layout), layout).tolist()),
                }
                connection.execute(releases.insert().values(**row))
                _charge(connection, epoch, _by_turn(left.person, turns, keys=rows.keys, people=people))
                detail |= {"digest": _digest(row), "rho_micro": layout.rho_micro}
        except _DrawnMeanwhileError:
            pass
        drawn = self.get(epoch)
        if drawn is None:
            raise _broken(epoch, "is missing")
        return drawn

    def verify(self) -> int:
        """Check every release against the audit chain, and give how many there are.

        Raises:
            Layer7Error: ``audit_broken``; ``ledger_broken`` naming the first week that was changed.
        """
        self._state.verify_audit()
        drawn = select(audit.c.subject, audit.c.detail).where(audit.c.action == ACTION)
        with self._state.read() as connection:
            told = {int(row.subject): json.loads(row.detail) for row in connection.execute(drawn)}
            found = {row["epoch"]: row for row in connection.execute(select(releases)).mappings()}
        for epoch in sorted(told.keys() | found.keys()):
            if epoch not in found:
                raise _broken(epoch, "is gone")
            if epoch not in told or told[epoch]["digest"] != _digest(dict(found[epoch])):
                raise _broken(epoch, "was changed")
        return len(found)

    def spent(self, person: str) -> tuple[int, ...]:
        """Give the weeks that a person took part in, the earliest first.

        Args:
            person: her pseudonym.
        """
        own = select(participations.c.epoch).where(participations.c.person == person)
        with self._state.read() as connection:
            return tuple(connection.execute(own.order_by(participations.c.epoch)).scalars())


class _DrawnMeanwhileError(Exception):
    """Somebody else drew the week between two looks at it."""


def _still_due(connection: Connection, epoch: int) -> None:
    if _stored(connection, epoch) is not None:
        raise _DrawnMeanwhileError


def _turns(
    connection: Connection, epoch: int, people: Sequence[str], rho_micro: int
) -> npt.NDArray[np.int64]:
    """Give for each person the how manieth week of her year this is; 0 for who may not take part."""
    found = np.ones(len(people), np.int64)
    may = allowing_within(connection, Purpose.CONTRIBUTE_TO_MARKET_INSIGHTS)
    near = range(epoch - YEAR + 1, epoch + YEAR)
    drawn = select(releases.c.epoch, releases.c.rho_micro).where(
        releases.c.epoch.between(near.start, near.stop - 1)
    )
    cost = {each.epoch: each.rho_micro for each in connection.execute(drawn)}
    if cost:
        turn_of = _turns_before(connection, cost, rho_micro)
        found[:] = [turn_of.get(person, 1) for person in people]
    found[[person not in may for person in people]] = 0
    return found


def _turns_before(connection: Connection, cost: Mapping[int, int], rho_micro: int) -> Mapping[str, int]:
    """Give the next turn of those who took part in some weeks, from what each week cost; 0 for no more."""
    counted = (
        select(
            participations.c.person,
            func.count().label("n"),
            func.sum(case(cost, value=participations.c.epoch)).label("spent"),
        )
        .where(participations.c.epoch.in_(cost))
        .group_by(participations.c.person)
        .subquery()
    )
    # Those who stand alike come in one row: a million rows take longer than all the rest.
    alike = select(counted.c.n, counted.c.spent, func.aggregate_strings(counted.c.person, "\n"))
    found: dict[str, int] = {}
    for n, spent, names in connection.execute(alike.group_by(counted.c.n, counted.c.spent)):
        turn = n + 1 if n < EPOCHS_A_YEAR and spent + rho_micro <= YEAR_MICRO else 0
        found |= dict.fromkeys(names.split("\n"), turn)
    return found


def _by_turn(
    person: npt.NDArray[np.int64],
    turns: npt.NDArray[np.int64],
    *,
    keys: npt.NDArray[np.uint64],
    people: Sequence[str],
) -> Mapping[int, list[str]]:
    """Give the names of those who took part by the turn that it is for them, in about the order of names."""
    took_part = np.flatnonzero(np.bincount(person, minlength=len(people)))
    # A key is the beginning of a name; rows that come in the order of the table's own tree are taken quicker.
    took_part = took_part[np.argsort(keys[took_part])]
    return {
        int(turn): [people[at] for at in took_part[turns[took_part] == turn]]
        for turn in np.unique(turns[took_part])
    }


def _charge(connection: Connection, epoch: int, by_turn: Mapping[int, list[str]]) -> None:
    """Charge people, in one statement for a turn: row by row, a million take longer than all the rest."""
    for turn, people in by_turn.items():
        told = literal(json.dumps(people))
        if connection.dialect.name == "postgresql":
            names = func.json_array_elements_text(cast(told, JSON)).table_valued("value")
        else:
            names = func.json_each(told).table_valued("value")
        rows = select(names.c.value, literal(epoch), literal(turn))
        connection.execute(participations.insert().from_select(["person", "epoch", "turn"], rows))


def _stored(connection: Connection, epoch: int) -> Release | None:
    found = connection.execute(select(releases).where(releases.c.epoch == epoch)).mappings().first()
    return None if found is None else _release(found)


def _release(row: RowMapping) -> Release:
    return Release(**{**row, "noisy": np.array(json.loads(row["noisy"]), np.int64)})


def _digest(row: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(dict(row), sort_keys=True).encode()).hexdigest()


def _broken(epoch: int, what: str) -> Layer7Error:
    return Layer7Error(
        "ledger_broken",
        f"The release of week {epoch} {what}.",
        "Nothing is released until the state is restored from a backup; find out who could write to it.",
    )
