"""Ramps as rows of the state database; a write is lost where another came first."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, tuple_, update

from layer7.configuration import canonical_json
from layer7.contract.lifecycle import Kind, State, move
from layer7.errors import Layer7Error
from layer7.rollout.ramp import Ramp
from layer7.storage.database import schema

_TABLE = schema.rollouts


def get(connection: Connection, ramp_id: str) -> Ramp:
    """Give one ramp.

    Raises:
        Layer7Error: ``unknown_rollout``.
    """
    body = connection.execute(select(_TABLE.c.body).where(_TABLE.c.id == ramp_id)).scalar()
    if body is None:
        raise Layer7Error("unknown_rollout", f"There is no rollout {ramp_id[:80]!r}.", "List them.")
    return Ramp.model_validate_json(body)


def page(
    connection: Connection,
    *,
    state: State | None = None,
    after: tuple[str, str] | None = None,
    limit: int | None = None,
) -> tuple[tuple[str, Ramp], ...]:
    """Give ramps with the time of their making, the newest first; see ``Rollouts.page``."""
    made = _TABLE.c.created_at
    query = select(made, _TABLE.c.body).order_by(made.desc(), _TABLE.c.id.desc()).limit(limit)
    if state is not None:
        query = query.where(_TABLE.c.state == state)
    if after is not None:
        query = query.where(tuple_(made, _TABLE.c.id) < after)
    rows = connection.execute(query)
    return tuple((row.created_at, Ramp.model_validate_json(row.body)) for row in rows)


def history(connection: Connection, ramp_id: str) -> tuple[dict[str, Any], ...]:
    """Give what happened to a ramp, the first first, from the audit log."""
    table = schema.audit
    query = select(table).where(table.c.subject == ramp_id).order_by(table.c.id)
    names = ("at", "actor", "action", "why")
    return tuple({n: row[n] for n in names} for row in connection.execute(query).mappings())


def add(connection: Connection, planned: Ramp, at: datetime) -> None:
    """Keep a new ramp.

    Raises:
        Layer7Error: ``rollout_exists``.
    """
    if connection.execute(select(_TABLE.c.id).where(_TABLE.c.id == planned.ramp_id)).first():
        raise Layer7Error("rollout_exists", f"There is a rollout {planned.ramp_id} already.", "Show it.")
    connection.execute(_TABLE.insert().values(**_values(planned, at), created_at=at.isoformat()))


def write(connection: Connection, old: Ramp, said: dict[str, Any], at: datetime) -> Ramp:
    """Write a ramp if it is still as it was read.

    Raises:
        Layer7Error: ``moved_meanwhile``.
    """
    if said.get("state", old.state) is not old.state:
        move(Kind.ROLLOUT, old.state, said["state"])
    new = Ramp.model_validate(old.model_dump() | said | {"revision": old.revision + 1})
    where = (_TABLE.c.id == old.ramp_id, _TABLE.c.revision == old.revision)
    done = connection.execute(update(_TABLE).where(*where).values(**_values(new, at)))
    if done.rowcount != 1:
        raise Layer7Error(
            "moved_meanwhile",
            f"{old.ramp_id} was moved by somebody else.",
            "Nothing was changed; look again.",
        )
    return new


def _values(ramp: Ramp, at: datetime) -> dict[str, Any]:
    return {
        "id": ramp.ramp_id,
        "experiment_id": ramp.experiment_id,
        "state": ramp.state.value,
        "anchor": ramp.anchor,
        "revision": ramp.revision,
        "updated_at": at.isoformat(),
        "body": canonical_json(ramp.model_dump(mode="json")),
    }
