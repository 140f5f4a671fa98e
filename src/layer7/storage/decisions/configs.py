"""Versions of the settings on disk: kept forever, named by their content; the present is a pointer."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from sqlalchemy import Connection, bindparam, delete, select

from layer7.configuration import (
    ConfigVersion,
    apply,
    baseline,
    canonical_json,
    diff,
    plan,
    plan_back,
    restore,
)
from layer7.contract.lifecycle import State as Standing
from layer7.contract.recommendation import SettingsChange
from layer7.contract.vocabulary import Component
from layer7.errors import Layer7Error
from layer7.review import ENGINE, Action
from layer7.storage.database import schema
from layer7.storage.database.state import Act, State
from layer7.storage.decisions.decisions import Recorded, read_recommendation, record

BASELINE = "baseline"
ROLLBACK = "rollback"
_MOVES, _ACTIVE, _VERSIONS = schema.config_moves, schema.config_active, schema.config_versions
# Made once, since every value that is served asks it.
_CURRENT = (
    select(_MOVES)
    .join(_ACTIVE, _ACTIVE.c.move_id == _MOVES.c.id)
    .where(_ACTIVE.c.component == bindparam("one"))
)


@dataclass(frozen=True, slots=True)
class Move:
    """One move of a component's pointer from one version to another.

    Args:
        id: its number; later moves have higher ones.
        component: whose settings moved.
        version: the version that came into force.
        previous: the version in force before; None at the first.
        kind: ``baseline``, ``apply``, ``set``, ``rollback``, or another word for how it came about.
        at: when, ISO 8601 in UTC.
        actor: who moved it.
        why: the reason in the actor's words.
        recommendation_id: the recommendation behind it; None without one.
    """

    id: int
    component: str
    version: str
    previous: str | None
    kind: str
    at: str
    actor: str
    why: str
    recommendation_id: str | None


class Configs:
    """The settings of one installation.

    Args:
        state: the state database.
    """

    def __init__(self, state: State) -> None:
        self._state = state
        # Versions never change, so what was read once is known for good; there are few of them.
        self._known: dict[tuple[Component, str], ConfigVersion] = {}

    def start(self, at: datetime) -> None:
        """Write the baseline of every component that has none, so that its history has a beginning."""
        with self._state.read() as connection:
            missing = [each for each in Component if _pointer(connection, each) is None]
        for component in missing:
            act = Act(ENGINE, "config.baseline", component.value, at, "The catalogue's defaults.")
            with self._state.change(act) as connection:
                self._begin(connection, component, at)

    def active(self, component: Component) -> ConfigVersion:
        """Give the version in force; before anything was written that is the catalogue's baseline."""
        with self._state.read() as connection:
            return self.active_in(connection, component)

    def current(self, component: Component) -> tuple[ConfigVersion, Move | None]:
        """Give the version in force and the move that brought it; None before anything was written."""
        return self._state.once(("config", component.value), lambda: self._current(component))

    def _current(self, component: Component) -> tuple[ConfigVersion, Move | None]:
        with self._state.read() as connection:
            row = connection.execute(_CURRENT, {"one": component.value}).mappings().first()
            if row is None:
                return baseline(component), None
            return self._version(connection, component, row["version"]), Move(**row)

    def active_in(self, connection: Connection, component: Component) -> ConfigVersion:
        """Give the version in force as the caller's unit of work sees it."""
        name = _pointer(connection, component)
        return baseline(component) if name is None else self._version(connection, component, name)

    def version(self, component: Component, name: str) -> ConfigVersion:
        """Give a version by its name.

        Raises:
            Layer7Error: ``unknown_version``; ``version_damaged`` when its content does not give its name.
        """
        with self._state.read() as connection:
            return self._version(connection, component, name)

    def history(
        self, component: Component, *, before: int | None = None, limit: int | None = None
    ) -> tuple[Move, ...]:
        """Give the moves of a component, the latest first.

        Args:
            component: whose moves.
            before: only moves with a lower number.
            limit: how many at most; None for all.
        """
        with self._state.read() as connection:
            return _history(connection, component, before=before, limit=limit)

    def origin(self, component: Component, key: str) -> Move | None:
        """Give the move that brought the value in force of a setting; None when nothing but defaults did.

        Going back brings no value of its own: after a rollback the origin is the move that first brought
        what is served again.
        """
        with self._state.read() as connection:
            held = self.active_in(connection, component).value(key)
            for move in _history(connection, component):
                if move.kind == ROLLBACK or move.previous is None:
                    continue
                after = self._version(connection, component, move.version).value(key)
                previous = self._version(connection, component, move.previous).value(key)
                if after == held != previous:
                    return move
        return None

    def apply(
        self,
        change: SettingsChange,
        *,
        actor: str,
        why: str,
        at: datetime,
        recommendation_id: str | None = None,
        kind: str = "apply",
    ) -> ConfigVersion:
        """Bring a planned change into force.

        Args:
            change: the plan.
            actor: who does it.
            why: the reason.
            at: when, with offset.
            recommendation_id: the recommendation behind it.
            kind: how it came about.

        Raises:
            Layer7Error: ``plan_stale`` when another version is in force than the plan starts from, or why
                the value is refused; nothing was changed then.
        """
        act = Act(actor, f"config.{kind}", change.component.value, at, why, change.model_dump(mode="json"))
        with self._state.change(act) as connection:
            return self.apply_in(connection, change, act, recommendation_id=recommendation_id, kind=kind)

    def apply_in(
        self,
        connection: Connection,
        change: SettingsChange,
        act: Act,
        *,
        recommendation_id: str | None = None,
        kind: str = "apply",
    ) -> ConfigVersion:
        """Bring a planned change into force inside the caller's unit of work; see :meth:`apply`."""
        version = apply(self.active_in(connection, change.component), change)
        self._point(connection, version, act, kind=kind, recommendation_id=recommendation_id)
        return version

    def take_back_in(
        self, connection: Connection, change: SettingsChange, act: Act, *, recommendation_id: str
    ) -> ConfigVersion:
        """Undo one applied change inside the caller's unit of work; later changes of other settings stay.

        Raises:
            Layer7Error: ``plan_stale`` when the setting no longer has the value of the change.
        """
        back = plan_back(self.active_in(connection, change.component), change)
        return self.apply_in(connection, back, act, recommendation_id=recommendation_id, kind=ROLLBACK)

    def set(
        self, component: Component, key: str, value: object, *, actor: str, why: str, at: datetime
    ) -> ConfigVersion:
        """Set one setting by hand, in one act.

        Args:
            component: whose setting.
            key: its name.
            value: its new value.
            actor: who sets it.
            why: the reason.
            at: when, with offset.

        Raises:
            Layer7Error: ``no_change``, or why the value is refused.
        """
        change = plan(self.active(component), key, value)
        return self.apply(change, actor=actor, why=why, at=at, kind="set")

    def rollback(
        self, component: Component, to: str | None = None, *, actor: str, why: str, at: datetime
    ) -> ConfigVersion:
        """Move the pointer back, and say so only after the pointer was read again.

        Recommendations whose values are no longer in force thereby become ``rolled_back``.

        Args:
            component: whose settings.
            to: the version to go back to; None for the one before the latest change that still holds.
            actor: who does it.
            why: the reason.
            at: when, with offset.

        Raises:
            Layer7Error: ``nothing_to_roll_back``, ``unknown_version``, ``no_change``; ``not_served`` when
                the version read back is another one.
        """
        act = Act(actor, "config.rollback", component.value, at, why, {"to": to} if to else None)
        with self._state.change(act) as connection:
            now = self.active_in(connection, component)
            target = self._target(connection, component, to)
            if target == now:
                raise Layer7Error(
                    "no_change", f"{target.version} is in force already.", "Name an earlier version."
                )
            self._point(connection, target, act, kind=ROLLBACK)
            _close_undone(connection, now, target, act)
        self._prove(target)
        return target

    def _prove(self, target: ConfigVersion) -> None:
        """Read the pointer back."""
        served = self.active(target.component)
        if served != target:
            raise Layer7Error(
                "not_served",
                f"{target.component} was moved to {target.version}, but {served.version} is served.",
                "Somebody changed it at the same moment; look at its history.",
            )

    def _target(self, connection: Connection, component: Component, to: str | None) -> ConfigVersion:
        if to is not None:
            return self._version(connection, component, to)
        stack = _undo_stack(reversed(_history(connection, component)))
        if len(stack) < 2:
            raise Layer7Error(
                "nothing_to_roll_back",
                f"Nothing has changed in {component} since its baseline.",
                "Name a version of its history to go to.",
            )
        return self._version(connection, component, stack[-2])

    def _version(self, connection: Connection, component: Component, name: str) -> ConfigVersion:
        known = self._known.get((component, name))
        if known is not None:
            return known
        content = connection.execute(
            select(_VERSIONS.c.content).where(_VERSIONS.c.component == component, _VERSIONS.c.version == name)
        ).scalar()
        if content is None:
            raise Layer7Error(
                "unknown_version", f"{component} has no version {name[:40]!r}.", "See its history."
            )
        version = restore(component, name, content)
        self._known[component, name] = version
        return version

    def _begin(self, connection: Connection, component: Component, at: datetime) -> None:
        if _pointer(connection, component) is None:
            act = Act(ENGINE, "config.baseline", component.value, at, "The catalogue's defaults.")
            _keep(connection, baseline(component), at)
            _move(connection, baseline(component), act, kind=BASELINE)

    def _point(
        self,
        connection: Connection,
        version: ConfigVersion,
        act: Act,
        *,
        kind: str,
        recommendation_id: str | None = None,
    ) -> None:
        self._begin(connection, version.component, act.at)
        _keep(connection, version, act.at)
        _move(connection, version, act, kind=kind, recommendation_id=recommendation_id)


def _pointer(connection: Connection, component: Component) -> str | None:
    return connection.execute(select(_ACTIVE.c.version).where(_ACTIVE.c.component == component)).scalar()


def _history(
    connection: Connection, component: Component, *, before: int | None = None, limit: int | None = None
) -> tuple[Move, ...]:
    query = select(_MOVES).where(_MOVES.c.component == component).order_by(_MOVES.c.id.desc()).limit(limit)
    if before is not None:
        query = query.where(_MOVES.c.id < before)
    return tuple(Move(**row) for row in connection.execute(query).mappings())


def _undo_stack(moves: Iterable[Move]) -> list[str]:
    """Give the versions that going back leads through, the one in force last."""
    stack: list[str] = []
    for move in moves:
        if move.kind == ROLLBACK and move.version in stack:
            while stack[-1] != move.version:
                stack.pop()
        else:
            stack.append(move.version)
    return stack


def _keep(connection: Connection, version: ConfigVersion, at: datetime) -> None:
    """Keep a version's content, once."""
    row: Mapping[str, str] = MappingProxyType(
        {"component": version.component.value, "version": version.version}
    )
    found = connection.execute(select(_VERSIONS.c.version).filter_by(**row)).first()
    if found is None:
        content = canonical_json(version.content)
        connection.execute(_VERSIONS.insert().values(**row, content=content, created_at=at.isoformat()))


def _move(
    connection: Connection,
    version: ConfigVersion,
    act: Act,
    *,
    kind: str,
    recommendation_id: str | None = None,
) -> None:
    component = version.component.value
    number = connection.execute(
        _MOVES.insert()
        .values(
            component=component,
            version=version.version,
            previous=_pointer(connection, version.component),
            kind=kind,
            at=act.at.isoformat(),
            actor=act.actor,
            why=act.why,
            recommendation_id=recommendation_id,
        )
        .returning(_MOVES.c.id)
    ).scalar_one()
    connection.execute(delete(_ACTIVE).where(_ACTIVE.c.component == component))
    connection.execute(_ACTIVE.insert().values(component=component, version=version.version, move_id=number))


def _close_undone(connection: Connection, before: ConfigVersion, after: ConfigVersion, act: Act) -> None:
    """Mark the recommendations whose values were in force before a rollback and no longer are."""
    undone = {change.parameter: change for change in diff(before, after)}
    table = schema.recommendations
    rows = connection.execute(
        select(table).where(
            table.c.component == before.component,
            table.c.state == Standing.APPLIED.value,
            table.c.parameter.in_(undone),
        )
    ).mappings()
    for row in rows.all():
        applied = read_recommendation(row).plan
        if applied is not None and applied.to_value == undone[row["parameter"]].from_value:
            record(
                connection,
                Recorded(
                    recommendation_id=row["id"],
                    action=Action.ROLL_BACK.value,
                    actor=act.actor,
                    at=act.at.isoformat(),
                    why=act.why,
                    from_state=Standing.APPLIED.value,
                    to_state=Standing.ROLLED_BACK.value,
                ),
            )
