"""Models of the chance of an interview: which is in use, which were, and why; models are named by content."""

import json
import zlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Any

from sqlalchemy import Connection, select

from layer7.contract.likelihood import LikelihoodMove
from layer7.errors import Layer7Error
from layer7.optimization.likelihood.model import LikelihoodModel, content, restored, version_of
from layer7.storage.database import schema
from layer7.storage.database.state import Act, State

_VERSIONS, _MOVES = schema.likelihood_versions, schema.likelihood_moves
_IN_USE = ("adopt", "rollback")
# A release stands only behind a rollback, so that of two the one in use is among them.
_LAST_TWO = select(_MOVES).where(_MOVES.c.kind != "refuse").order_by(_MOVES.c.id.desc()).limit(2)
NONE_YET = LikelihoodModel()
"""In use before any log: what is believed beforehand."""


@dataclass(frozen=True, slots=True, eq=False)
class InUse:
    """A model that is or was in use.

    Args:
        version: its name.
        served: the model.
        tested: the same model learned from what was sent before its test.
        move: the step that brought it; None for the one before any log.
        held: whether nights adopt nothing, since it was rolled back to.
    """

    version: str
    served: LikelihoodModel
    tested: LikelihoodModel
    move: LikelihoodMove | None = None
    held: bool = False


class Likelihoods:
    """The models of one installation.

    Args:
        state: the state database.
    """

    def __init__(self, state: State) -> None:
        self._state = state
        # Models never change; the last few that were asked for are kept.
        self._known: dict[str, tuple[LikelihoodModel, LikelihoodModel]] = {
            version_of(NONE_YET): (NONE_YET, NONE_YET)
        }

    def in_use(self) -> InUse:
        """Give the model in use; where it is not what its name says, the one before it."""
        with self._state.read() as connection:
            rows = connection.execute(_LAST_TWO).mappings().all()
            held = bool(rows) and rows[0]["kind"] == "rollback"
            latest = next((row for row in rows if row["kind"] in _IN_USE), None)
            for row in [] if latest is None else chain([latest], _before(connection, latest["id"])):
                with suppress(Layer7Error):
                    served, tested = self._models(connection, row["version"])
                    return InUse(row["version"], served, tested, _move(dict(row)), held=held)
            return InUse(version_of(NONE_YET), NONE_YET, NONE_YET)

    def history(self, *, limit: int = 100) -> tuple[LikelihoodMove, ...]:
        """Give the steps, the latest first.

        Args:
            limit: how many at most.
        """
        with self._state.read() as connection:
            rows = connection.execute(select(_MOVES).order_by(_MOVES.c.id.desc()).limit(limit)).mappings()
            return tuple(_move(dict(row)) for row in rows)

    def adopt(
        self, served: LikelihoodModel, tested: LikelihoodModel, *, why: str, at: datetime
    ) -> LikelihoodMove:
        """Bring a challenger into use; the night does.

        Args:
            served: the challenger.
            tested: the same learned from what was sent before its test.
            why: what its test said.
            at: when.
        """
        version = version_of(served)
        act = Act("layer7", "likelihood.adopt", version, at, why)
        with self._state.change(act) as connection:
            kept = select(_VERSIONS.c.version).where(_VERSIONS.c.version == version)
            if connection.execute(kept).first() is None:
                body = _packed({"served": content(served), "tested": content(tested)})
                row = {"version": version, "created_at": at.isoformat(), "content": body}
                connection.execute(_VERSIONS.insert().values(**row))
            return _step(connection, "adopt", version, act)

    def refuse(self, served: LikelihoodModel, *, why: str, at: datetime) -> LikelihoodMove:
        """Record that a challenger was not adopted; it is not kept.

        Args:
            served: the challenger.
            why: what its test said.
            at: when.
        """
        version = version_of(served)
        act = Act("layer7", "likelihood.refuse", version, at, why)
        with self._state.change(act) as connection:
            return _step(connection, "refuse", version, act)

    def rollback(self, to: str | None = None, *, actor: str, why: str, at: datetime) -> LikelihoodMove:
        """Go back to an earlier model and hold it: nights adopt nothing until :meth:`release`.

        Args:
            to: the model to go back to; None for the one in use before.
            actor: who does it.
            why: the reason.
            at: when.

        Raises:
            Layer7Error: ``nothing_to_roll_back``; ``unknown_version``; ``no_change``.
        """
        now = self.in_use()
        if now.move is None:
            raise Layer7Error(
                "nothing_to_roll_back", "No model was adopted yet.", "There is nothing to go back from."
            )
        target = to or now.move.previous
        if target == now.version:
            raise Layer7Error("no_change", f"{target} is in use already.", "Name an earlier one.")
        act = Act(actor, "likelihood.rollback", target, at, why)
        with self._state.change(act) as connection:
            self._models(connection, target)
            step = _step(connection, "rollback", target, act)
        if self.in_use().version != target:
            raise Layer7Error("not_served", f"{target} is not what is served.", "Look at the history.")
        return step

    def release(self, *, actor: str, why: str, at: datetime) -> LikelihoodMove:
        """Let nights adopt models again.

        Args:
            actor: who does it.
            why: the reason.
            at: when.

        Raises:
            Layer7Error: ``no_change`` when none is held.
        """
        now = self.in_use()
        if not now.held:
            raise Layer7Error("no_change", "No model is held.", "Nights adopt what passes its test.")
        act = Act(actor, "likelihood.release", now.version, at, why)
        with self._state.change(act) as connection:
            return _step(connection, "release", now.version, act)

    def model(self, version: str) -> LikelihoodModel:
        """Give a model by its name, also one that is in use no longer.

        Args:
            version: its name.

        Raises:
            Layer7Error: ``unknown_version``; ``version_damaged``.
        """
        with self._state.read() as connection:
            return self._models(connection, version)[0]

    def _models(self, connection: Connection, version: str) -> tuple[LikelihoodModel, LikelihoodModel]:
        known = self._known.get(version)
        if known is not None:
            return known
        kept = connection.execute(select(_VERSIONS.c.content).where(_VERSIONS.c.version == version)).scalar()
        if kept is None:
            raise Layer7Error(
                "unknown_version", f"There is no model {version[:40]!r}.", "See `layer7 likelihood versions`."
            )
        served, tested = _unpacked(kept, version)
        if len(self._known) > 8:
            self._known = {}
        self._known[version] = served, tested
        return served, tested


def _unpacked(kept: bytes, version: str) -> tuple[LikelihoodModel, LikelihoodModel]:
    """Read a model and its tested form; nothing that does not give the model's name is ever used."""
    damaged = Layer7Error(
        "version_damaged", f"The content of {version} gives another name.", "Restore a backup."
    )
    try:
        body = json.loads(zlib.decompress(kept))
        served, tested = restored(body["served"]), restored(body["tested"])
    except (zlib.error, ValueError, KeyError, TypeError) as error:
        raise damaged from error
    if version_of(served) != version:
        raise damaged
    return served, tested


def _before(connection: Connection, number: int) -> Iterator[Any]:
    """Give the steps before one that brought models, the latest first."""
    earlier = select(_MOVES).where(_MOVES.c.kind.in_(_IN_USE), _MOVES.c.id < number)
    yield from connection.execute(earlier.order_by(_MOVES.c.id.desc())).mappings()


def _packed(value: Mapping[str, Any]) -> bytes:
    return zlib.compress(json.dumps(value, sort_keys=True).encode())


def _latest(connection: Connection, kinds: tuple[str, ...]) -> LikelihoodMove | None:
    query = select(_MOVES).where(_MOVES.c.kind.in_(kinds)).order_by(_MOVES.c.id.desc()).limit(1)
    row = connection.execute(query).mappings().first()
    return None if row is None else _move(dict(row))


def _step(connection: Connection, kind: str, version: str, act: Act) -> LikelihoodMove:
    before = _latest(connection, _IN_USE)
    row = {
        "kind": kind,
        "version": version,
        "previous": version_of(NONE_YET) if before is None else before.version,
        "at": act.at.isoformat(),
        "actor": act.actor,
        "why": act.why,
    }
    number = connection.execute(_MOVES.insert().values(**row).returning(_MOVES.c.id)).scalar_one()
    return _move({"id": number, **row})


def _move(row: Mapping[str, Any]) -> LikelihoodMove:
    return LikelihoodMove.model_validate({name: row[name] for name in LikelihoodMove.model_fields})
