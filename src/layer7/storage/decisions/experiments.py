"""Experiments on disk: made, started, covered further and ended, each move with who, when and why.

A move with ``within`` is part of the caller's unit of work, and stands or falls with it.
"""

from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection, select, tuple_, update

from layer7.configuration import canonical_json, check, parameter
from layer7.contract.experiments import Experiment, ExperimentResults
from layer7.contract.fields import Json
from layer7.contract.lifecycle import Kind, State, move
from layer7.contract.passport import DesignPassport
from layer7.contract.vocabulary import Component
from layer7.errors import Layer7Error
from layer7.experiments.assignment import claim, clashes
from layer7.experiments.plan import checked, covering, intact, passed, started
from layer7.storage.database import schema
from layer7.storage.database.state import Act
from layer7.storage.database.state import State as Database

_TABLE = schema.experiments
# Made once, since every value that is served asks it.
_RUNNING = select(_TABLE.c.body).where(_TABLE.c.state == State.RUNNING).order_by(_TABLE.c.id)
LIVE = (State.RUNNING, State.PAUSED)
"""States in which an experiment holds its parameter and its segments."""


def accept(component: Component, key: str, value: Json) -> Json:
    """Give a value as the catalogue keeps it.

    Raises:
        Layer7Error: ``unknown_parameter``; ``wrong_component``; and why a value is refused.
    """
    known = parameter(key)
    if known.component is not component:
        raise Layer7Error(
            "wrong_component", f"{key} belongs to {known.component}, not to {component}.", "Name its own."
        )
    kept: Json = check(known, value)
    return kept


class Experiments:
    """The experiments of one installation.

    Args:
        state: the state database.
        metrics: names of the metrics that there are.
    """

    def __init__(self, state: Database, metrics: Collection[str]) -> None:
        self._state = state
        self._metrics = frozenset(metrics)

    def create(self, experiment: Experiment, *, act: Act, within: Connection | None = None) -> Experiment:
        """Keep a new draft.

        Args:
            experiment: what is tried; an experiment of a namespace without segments claims free ones when it
                starts.
            act: who, when, why; the subject is the experiment.
            within: the caller's unit of work; None for one of its own.

        Raises:
            Layer7Error: ``experiment_exists``; ``not_a_draft``; and what
                :func:`layer7.experiments.plan.checked` refuses.
        """
        if experiment.status is not State.DRAFT:
            raise Layer7Error("not_a_draft", "A new experiment is a draft.", "Leave its status out.")
        draft = checked(experiment, accept=accept, metrics=self._metrics)
        draft = draft.model_copy(update={"created_at": act.at.isoformat()})
        with self._state.join(act, within) as connection:
            if _row(connection, draft.experiment_id) is not None:
                raise Layer7Error(
                    "experiment_exists",
                    f"There is an experiment {draft.experiment_id} already.",
                    "Names are used once.",
                )
            connection.execute(
                _TABLE.insert().values(**_values(draft, act.at), created_at=act.at.isoformat())
            )
        return draft

    def get(self, experiment_id: str) -> Experiment:
        """Give one experiment.

        Raises:
            Layer7Error: ``unknown_experiment``.
        """
        with self._state.read() as connection:
            return _get(connection, experiment_id)

    @staticmethod
    def get_in(connection: Connection, experiment_id: str) -> Experiment:
        """Give one experiment as the caller's unit of work sees it; see :meth:`get`."""
        return _get(connection, experiment_id)

    @staticmethod
    def of_recommendations_in(connection: Connection) -> tuple[Experiment, ...]:
        """Give the experiments that the engine's recommendations led to, in the order of their making."""
        rows = connection.execute(select(_TABLE.c.body).order_by(_TABLE.c.created_at, _TABLE.c.id))
        found = (_read(row.body) for row in rows)
        return tuple(each for each in found if each.recommendation_id is not None)

    def list(
        self, *, state: State | None = None, after: tuple[str, str] | None = None, limit: int = 200
    ) -> tuple[Experiment, ...]:
        """Give experiments, the newest first.

        Args:
            state: only those that stand there.
            after: time of creation and name of the last one of the page before.
            limit: how many at most.
        """
        query = select(_TABLE.c.body).order_by(_TABLE.c.created_at.desc(), _TABLE.c.id.desc()).limit(limit)
        if state is not None:
            query = query.where(_TABLE.c.state == state)
        if after is not None:
            query = query.where(tuple_(_TABLE.c.created_at, _TABLE.c.id) < after)
        with self._state.read() as connection:
            return tuple(_read(row.body) for row in connection.execute(query))

    def running(self) -> tuple[Experiment, ...]:
        """Give the experiments that run, in order of their names."""
        return self._state.once(("experiments", "running"), self._running)

    def _running(self) -> tuple[Experiment, ...]:
        with self._state.read() as connection:
            return tuple(_read(row.body) for row in connection.execute(_RUNNING))

    def start(
        self,
        experiment_id: str,
        *,
        act: Act,
        passport: DesignPassport | None = None,
        accept_underpowered: bool = False,
        within: Connection | None = None,
    ) -> Experiment:
        """Freeze the plan and let an experiment run.

        Args:
            experiment_id: a draft.
            act: who, when, why; the audit record also keeps what the passport said.
            passport: what the design would do on this log; kept with the experiment. Without one nothing is
                checked, for callers that have checked themselves.
            accept_underpowered: whether a design that cannot answer its question is started knowingly.
            within: the caller's unit of work; None for one of its own.

        Raises:
            Layer7Error: ``unknown_experiment``; ``move_not_allowed``; ``overlapping_experiments`` naming
                those on the same parameter that could share a unit; ``namespace_full``; ``underpowered``,
                ``power_unknown`` and ``other_passport`` of the passport.
        """

        def run(connection: Connection, found: Experiment) -> Experiment:
            if passport is not None:
                found = passed(found, passport, accepted=accept_underpowered)
            live = _live(connection)
            if found.namespace is not None and not found.segments:
                wanted = found.coverage if found.coverage < 1 else 1 - _used(live, found.namespace)
                segments = claim(
                    live, namespace=found.namespace, wanted=wanted, seed=found.seed or found.experiment_id
                )
                found = found.model_copy(update={"segments": segments})
            rivals = clashes(found, live)
            if rivals:
                raise Layer7Error(
                    "overlapping_experiments",
                    f"{', '.join(rivals)} tries {found.parameter} already.",
                    "Wait until it ends, or put both into one namespace with segments of their own.",
                )
            return started(found, act.at)

        if passport is not None:
            said = {"passport": passport.judgement, "accepted_underpowered": accept_underpowered}
            act = replace(act, detail={**(act.detail or {}), **said})
        return self._move(experiment_id, State.RUNNING, act, run, within=within)

    def pause(self, experiment_id: str, *, act: Act) -> Experiment:
        """Serve everybody's value to everybody until the experiment is resumed."""
        return self._move(experiment_id, State.PAUSED, act)

    def resume(self, experiment_id: str, *, act: Act) -> Experiment:
        """Go on after a pause: everybody is in the same arm as before."""
        return self._move(experiment_id, State.RUNNING, act)

    def complete(self, experiment_id: str, *, act: Act, within: Connection | None = None) -> Experiment:
        """End an experiment; its results stay."""
        ended = {"end_date": act.at.isoformat()}
        return self._move(
            experiment_id,
            State.COMPLETED,
            act,
            lambda _, found: found.model_copy(update=ended),
            within=within,
        )

    def reject(self, experiment_id: str, *, act: Act, within: Connection | None = None) -> Experiment:
        """Refuse a draft for good."""
        return self._move(experiment_id, State.REJECTED, act, within=within)

    def cover(
        self, experiment_id: str, share: float, *, act: Act, within: Connection | None = None
    ) -> Experiment:
        """Let a larger share of the units take part; nobody changes arm.

        Raises:
            Layer7Error: ``bad_coverage``; ``not_running``; ``unknown_experiment``.
        """

        def more(_: Connection, found: Experiment) -> Experiment:
            if found.status is not State.RUNNING:
                raise Layer7Error(
                    "not_running", f"{experiment_id} is {found.status}.", "Only running ones are covered."
                )
            return covering(found, share, act.at)

        return self._change(experiment_id, act, more, within=within)

    def keep_results(self, experiment_id: str, results: ExperimentResults, *, act: Act) -> Experiment:
        """Keep what an experiment says so far.

        Raises:
            Layer7Error: ``plan_changed`` if its plan is not the one it started with.
        """

        def kept(_: Connection, found: Experiment) -> Experiment:
            intact(found)
            return found.model_copy(update={"results": results})

        return self._change(experiment_id, act, kept)

    def _move(
        self,
        experiment_id: str,
        to: State,
        act: Act,
        change: Callable[[Connection, Experiment], Experiment] = lambda _, found: found,
        *,
        within: Connection | None = None,
    ) -> Experiment:
        def moved(connection: Connection, found: Experiment) -> Experiment:
            state = move(Kind.EXPERIMENT, found.status, to)
            return change(connection, found).model_copy(update={"status": state})

        return self._change(experiment_id, act, moved, within=within)

    def _change(
        self,
        experiment_id: str,
        act: Act,
        change: Callable[[Connection, Experiment], Experiment],
        *,
        within: Connection | None = None,
    ) -> Experiment:
        with self._state.join(act, within) as connection:
            found = _get(connection, experiment_id)
            new = change(connection, found)
            where = (_TABLE.c.id == experiment_id, _TABLE.c.state == found.status)
            connection.execute(update(_TABLE).where(*where).values(**_values(new, act.at)))
        return new


def _values(experiment: Experiment, at: datetime) -> dict[str, str]:
    return {
        "id": experiment.experiment_id,
        "component": experiment.component.value,
        "parameter": experiment.parameter,
        "state": experiment.status.value,
        "updated_at": at.isoformat(),
        "body": canonical_json(experiment.model_dump(mode="json")),
    }


def _read(body: str) -> Experiment:
    return Experiment.model_validate_json(body)


def _row(connection: Connection, experiment_id: str) -> Experiment | None:
    found = connection.execute(select(_TABLE.c.body).where(_TABLE.c.id == experiment_id)).scalar()
    return None if found is None else _read(found)


def _get(connection: Connection, experiment_id: str) -> Experiment:
    found = _row(connection, experiment_id)
    if found is None:
        raise Layer7Error(
            "unknown_experiment",
            f"There is no experiment {experiment_id[:80]!r}.",
            "List them to see their names.",
        )
    return found


def _live(connection: Connection) -> tuple[Experiment, ...]:
    rows = connection.execute(select(_TABLE.c.body).where(_TABLE.c.state.in_(LIVE)))
    return tuple(_read(row.body) for row in rows)


def _used(live: Collection[Experiment], namespace: str) -> float:
    return sum(len(each.segments) for each in live if each.namespace == namespace) / 100
