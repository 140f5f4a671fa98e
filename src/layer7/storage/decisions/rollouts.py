"""Ramps on disk: moved one step at a time by whoever comes first, and taken back with a proof."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from layer7.configuration import canonical_json, plan, plan_back
from layer7.contract.experiments import Experiment
from layer7.contract.lifecycle import Kind, State, move
from layer7.contract.recommendation import SettingsChange
from layer7.errors import Layer7Error
from layer7.experiments.assignment import assign
from layer7.review import ENGINE, Action
from layer7.rollout.gates import PAUSE, ROLLING_BACK, Move, Observation, Step, next_step
from layer7.rollout.ledger import Ledger, ledger
from layer7.rollout.ramp import FRESH_DAYS, Ramp, holdback_of, ramp_of
from layer7.storage.database.state import Act
from layer7.storage.database.state import State as Database
from layer7.storage.decisions import ramp_rows
from layer7.storage.decisions.configs import Configs
from layer7.storage.decisions.experiments import LIVE, Experiments
from layer7.storage.decisions.recommendations import Recommendations
from layer7.storage.decisions.serving import Serving

_PROBES = 2_000
_MOVING = (State.PENDING, State.RUNNING, State.HOLDING, State.COMPLETED)


@dataclass(frozen=True, slots=True)
class Checked:
    """What came of a check.

    Args:
        ramp: where the ramp stands now.
        step: what the gates said.
        moved: whether anything was written.
    """

    ramp: Ramp
    step: Step
    moved: bool


class Rollouts:
    """The ramps of one installation.

    Args:
        state: the state database.
        configs: the settings.
        experiments: what measures the ramps.
        recommendations: what they came from.
        serving: reads a value as it is served, without recording it.
        breaches: names breaches of parity that no person has decided on yet.
    """

    def __init__(
        self,
        state: Database,
        *,
        configs: Configs,
        experiments: Experiments,
        recommendations: Recommendations,
        serving: Serving,
        breaches: Callable[[], tuple[str, ...]] = tuple,
    ) -> None:
        self._state = state
        self._configs = configs
        self._experiments = experiments
        self._recommendations = recommendations
        self._serving = serving
        self._breaches = breaches

    def get(self, ramp_id: str) -> Ramp:
        """Give one ramp.

        Raises:
            Layer7Error: ``unknown_rollout``.
        """
        with self._state.read() as connection:
            return ramp_rows.get(connection, ramp_id)

    def list(self, *, state: State | None = None) -> tuple[Ramp, ...]:
        """Give ramps, the newest first.

        Args:
            state: only those that stand there.
        """
        return tuple(ramp for _, ramp in self.page(state=state))

    def page(
        self, *, state: State | None = None, after: tuple[str, str] | None = None, limit: int | None = None
    ) -> tuple[tuple[str, Ramp], ...]:
        """Give ramps with the time of their making, the newest first.

        Args:
            state: only those that stand there.
            after: time of making and name of the last one of the page before.
            limit: how many at most.
        """
        with self._state.read() as connection:
            return ramp_rows.page(connection, state=state, after=after, limit=limit)

    def moving(self) -> tuple[Ramp, ...]:
        """Give the ramps that a check may still move, the oldest first."""
        return tuple(each for each in reversed(self.list()) if each.state in _MOVING)

    def ledger(self) -> Ledger:
        """Add up what the engine's own proposals have cost and brought."""
        with self._state.read() as connection:
            own = self._experiments.of_recommendations_in(connection)
            names = {each.recommendation_id for each in own if each.recommendation_id is not None}
            behind = [self._recommendations.get_in(connection, name) for name in sorted(names)]
        return ledger(own, behind, self.list())

    def history(self, ramp_id: str) -> tuple[dict[str, Any], ...]:
        """Give what happened to a ramp, the first first, from the audit log."""
        with self._state.read() as connection:
            return ramp_rows.history(connection, ramp_id)

    def open_missing(self, at: datetime) -> tuple[Ramp, ...]:
        """Plan a ramp for every experiment that needs one: running ones, and drafts of recommendations.

        Experiments with other arms than a control and one treatment of equal shares get none, and neither
        do those that measure the holdback of a ramp.
        """
        with self._state.read() as connection:
            have = [ramp for _, ramp in ramp_rows.page(connection)]
        known = {each.experiment_id for each in have} | {each.holdback_id for each in have}
        opened = []
        for experiment in (*self._experiments.running(), *self._experiments.list(state=State.DRAFT)):
            waits = experiment.status is State.DRAFT and experiment.recommendation_id is not None
            if experiment.experiment_id in known or not (waits or experiment.status is State.RUNNING):
                continue
            try:
                opened.append(self.open(experiment, at))
            except Layer7Error as error:
                if error.code not in {"not_rampable", "rollout_exists"}:
                    raise
        return tuple(opened)

    def open(self, experiment: Experiment, at: datetime) -> Ramp:
        """Plan the ramp of an experiment, with the version in force as its anchor.

        Raises:
            Layer7Error: ``not_rampable``; ``rollout_exists``.
        """
        planned = ramp_of(experiment, anchor=self._configs.active(experiment.component).version)
        act = Act(ENGINE, "rollout.open", planned.ramp_id, at, f"Goes back to {planned.anchor}.")
        with self._state.change(act) as connection:
            ramp_rows.add(connection, planned, at)
        return planned

    def approve(self, ramp_id: str, *, act: Act) -> Ramp:
        """Let a ramp leave its present stage, where nothing but a person's approval is missing.

        Raises:
            Layer7Error: ``unknown_rollout``; ``approval_too_early`` naming the gate that holds it.
        """
        ramp, seen = self._seen(ramp_id)
        step = next_step(ramp, seen, act.at)
        asked = ramp.stages[ramp.stage].approval and ramp.stage not in ramp.approved
        if step.gate != "approval" or not asked:
            raise Layer7Error(
                "approval_too_early",
                f"{ramp_id} does not wait for approval: {step.why}",
                "Approve it when the gates before are open; an approval is for what was seen.",
            )
        said = {"approved": (*ramp.approved, ramp.stage), "why": f"Approved by {act.actor}."}
        if not _would_open(ramp.model_copy(update=said), seen, act.at):
            raise Layer7Error("approval_too_early", f"{ramp_id} waits: {step.why}", "Wait for the verdict.")
        with self._state.change(act) as connection:
            return ramp_rows.write(connection, ramp, said, act.at)

    def pause(self, ramp_id: str, *, act: Act) -> Ramp:
        """Hold a ramp at its present stage until it is resumed; harm still takes it back meanwhile.

        Raises:
            Layer7Error: ``unknown_rollout``; ``not_running`` where nothing is left to hold.
        """
        ramp = self.get(ramp_id)
        if not ramp.is_open:
            raise Layer7Error("not_running", f"{ramp_id} is {ramp.state}.", "Only open rollouts are paused.")
        why = f"Paused by {act.actor}{': ' + act.why if act.why else ''}."
        said: dict[str, Any] = {"paused": why, "held_by": PAUSE, "why": why}
        if ramp.state is State.RUNNING:
            said["state"] = State.HOLDING
        with self._state.change(act) as connection:
            return ramp_rows.write(connection, ramp, said, act.at)

    def resume(self, ramp_id: str, *, act: Act) -> Ramp:
        """Let a paused ramp go on: the next check asks its gates again.

        Raises:
            Layer7Error: ``unknown_rollout``; ``not_paused``.
        """
        ramp = self.get(ramp_id)
        if ramp.paused is None:
            raise Layer7Error(
                "not_paused", f"{ramp_id} is not paused.", "It goes on where its gates are open."
            )
        said = {"paused": None, "why": f"Resumed by {act.actor}."}
        with self._state.change(act) as connection:
            return ramp_rows.write(connection, ramp, said, act.at)

    def advance(self, ramp_id: str, at: datetime) -> Checked:
        """Check a ramp, and carry out what its gates say; checking again at once changes nothing.

        Raises:
            Layer7Error: ``unknown_rollout``; ``moved_meanwhile`` when somebody else was first, nothing was
                changed then; ``rollback_not_proven`` when the old value is not what is served: the ramp then
                stays where it was; and why settings or experiments refuse the move.
        """
        ramp, seen = self._seen(ramp_id)
        step = next_step(ramp, seen, at)
        if not _changes(ramp, step):
            return Checked(ramp, step, moved=False)
        act = Act(ENGINE, f"rollout.{step.move}", ramp_id, at, step.why, {"stage": step.stage})
        if step.move is Move.ROLL_BACK:
            return Checked(self._take_back(ramp, seen, act), step, moved=True)
        with self._state.change(act) as connection:
            # The loser of a race must change nothing, so its revision is asked for first.
            new = ramp_rows.write(connection, ramp, self._after(ramp, seen, step, at), at)
            self._carry_out(connection, new, seen=seen, act=act, step=step.move)
        return Checked(new, step, moved=True)

    def roll_back(self, ramp_id: str, *, act: Act) -> Ramp:
        """Take a change back by hand, and say so only once the old value is what is served.

        Raises:
            Layer7Error: ``unknown_rollout``; ``reason_missing``; ``move_not_allowed``;
                ``rollback_not_proven``.
        """
        if not act.why.strip():
            raise Layer7Error("reason_missing", "To roll back needs a reason.", "Say why.")
        ramp, seen = self._seen(ramp_id)
        move(Kind.ROLLOUT, ramp.state, State.ROLLED_BACK)
        return self._take_back(ramp, seen, act)

    def _seen(self, ramp_id: str) -> tuple[Ramp, Observation]:
        with self._state.read() as connection:
            ramp = ramp_rows.get(connection, ramp_id)
        measured_by = ramp.holdback_id or ramp.experiment_id
        experiment = self._experiments.get(measured_by)
        held = self._configs.active(ramp.component).value(ramp.parameter)
        return ramp, Observation(
            experiment=experiment,
            served=held == ramp.treatment_value,
            withdrawn=self._withdrawn(ramp, experiment, changed=held != ramp.control_value),
            breaches=self._breaches(),
        )

    def _withdrawn(self, ramp: Ramp, experiment: Experiment, *, changed: bool) -> str | None:
        if not ramp.is_open:
            return None
        if ramp.recommendation_id is not None:
            state = self._recommendations.get(ramp.recommendation_id).state
            if state is not State.APPROVED:
                return f"Its recommendation is {state}."
        if ramp.state is not State.PENDING and experiment.status is State.COMPLETED:
            return "Its experiment was ended."
        return "The setting was changed by hand meanwhile." if changed else None

    def _after(self, ramp: Ramp, seen: Observation, step: Step, at: datetime) -> dict[str, Any]:
        """Give what changes of a ramp at a step."""
        said: dict[str, Any] = {"why": step.why, "harm": step.harm, "held_by": step.gate}
        if step.move is Move.HOLD:
            waits = step.gate in {None, "interval", "start"}
            return said | {"state": State.RUNNING if waits else State.HOLDING}
        if step.move is Move.EXPIRE:
            return said | {"expired": True}
        said |= {"stage": step.stage}
        if step.move is Move.COMPLETE:
            holdback = holdback_of(seen.experiment, ramp).experiment_id if ramp.holdback > 0 else None
            fresh = (at + timedelta(days=FRESH_DAYS)).isoformat()
            return said | {"state": State.COMPLETED, "holdback_id": holdback, "fresh_until": fresh}
        return said | {"state": State.RUNNING, "entered_at": at.isoformat(), "held_by": "interval"}

    def _carry_out(
        self, connection: Connection, ramp: Ramp, *, seen: Observation, act: Act, step: Move
    ) -> None:
        if step is Move.ADVANCE:
            share = max(ramp.coverage, seen.experiment.coverages[-1].share)
            self._experiments.cover(ramp.experiment_id, share, act=act, within=connection)
        elif step is Move.EXPIRE and seen.experiment.status in LIVE:
            self._experiments.complete(seen.experiment.experiment_id, act=act, within=connection)
        elif step is Move.COMPLETE:
            self._experiments.complete(ramp.experiment_id, act=act, within=connection)
            self._bring_to_everybody(connection, ramp, act)
            if ramp.holdback_id is not None:
                rest = holdback_of(seen.experiment, ramp)
                self._experiments.create(rest, act=act, within=connection)
                self._experiments.start(rest.experiment_id, act=act, within=connection)

    def _bring_to_everybody(self, connection: Connection, ramp: Ramp, act: Act) -> None:
        if ramp.recommendation_id is not None:
            self._recommendations.decide_in(
                connection, ramp.recommendation_id, Action.APPLY, act=act, proven_by=ramp.experiment_id
            )
            return
        in_force = self._configs.active_in(connection, ramp.component)
        change = plan(in_force, ramp.parameter, ramp.treatment_value)
        self._configs.apply_in(connection, change, act, kind="rollout")

    def _take_back(self, ramp: Ramp, seen: Observation, act: Act) -> Ramp:
        """End what serves the treatment, and call it rolled back once it is proven to be served no more."""
        with self._state.change(act) as connection:
            why = act.why or f"Taken back by {act.actor}."
            begun = ramp_rows.write(connection, ramp, {"held_by": ROLLING_BACK, "why": why}, act.at)
            for name in filter(None, (ramp.experiment_id, ramp.holdback_id)):
                self._end(connection, name, act)
            self._restore(connection, ramp, act)
        self._prove(begun, seen)
        done = Act(act.actor, "rollout.rolled_back", ramp.ramp_id, act.at, "The old value is what is served.")
        with self._state.change(done) as connection:
            state = move(Kind.ROLLOUT, begun.state, State.ROLLED_BACK)
            return ramp_rows.write(connection, begun, {"state": state, "held_by": None}, act.at)

    def _end(self, connection: Connection, experiment_id: str, act: Act) -> None:
        status = self._experiments.get_in(connection, experiment_id).status
        if status in LIVE:
            self._experiments.complete(experiment_id, act=act, within=connection)
        elif status is State.DRAFT:
            self._experiments.reject(experiment_id, act=act, within=connection)

    def _restore(self, connection: Connection, ramp: Ramp, act: Act) -> None:
        """Move the pointer back where the ramp had moved it, and close its recommendation."""
        name = ramp.recommendation_id
        if ramp.is_open:
            if name is not None and self._recommendations.get_in(connection, name).state is State.APPROVED:
                reason = Act(act.actor, act.action, act.subject, act.at, act.why or "Taken back.")
                self._recommendations.decide_in(connection, name, Action.REJECT, act=reason)
            return
        in_force = self._configs.active_in(connection, ramp.component)
        if in_force.value(ramp.parameter) != ramp.treatment_value:
            return
        if name is not None and self._recommendations.get_in(connection, name).state is State.APPLIED:
            self._recommendations.decide_in(connection, name, Action.ROLL_BACK, act=act)
            return
        change = plan_back(in_force, _change(ramp))
        self._configs.apply_in(connection, change, act, kind="rollback")

    def _prove(self, ramp: Ramp, seen: Observation) -> None:
        """Read the served value again, as everybody and as a unit of each arm."""
        in_force = self._configs.active(ramp.component).value(ramp.parameter)
        expected = ramp.control_value if seen.served and not ramp.is_open else in_force
        for unit in (None, *_probes(seen.experiment)):
            served = self._serving.evaluate(ramp.parameter, component=ramp.component, targeting_key=unit)
            if served.value != expected:
                raise Layer7Error(
                    "rollback_not_proven",
                    f"{ramp.ramp_id} was taken back, but {canonical_json(served.value)} is still served.",
                    f"It stays {ramp.state}; look at the history of {ramp.component} and check again.",
                )


def _change(ramp: Ramp) -> SettingsChange:
    return SettingsChange(
        component=ramp.component,
        parameter=ramp.parameter,
        from_value=ramp.control_value,
        to_value=ramp.treatment_value,
        from_version=ramp.anchor,
    )


def _probes(experiment: Experiment) -> Iterator[str]:
    """Give a made-up unit of each arm."""
    wanted = {variant.variant_id for variant in experiment.variants}
    for number in range(_PROBES):
        assigned = assign(experiment, f"probe-{number}")
        if assigned is not None and assigned.variant.variant_id in wanted:
            wanted.discard(assigned.variant.variant_id)
            yield f"probe-{number}"


def _changes(ramp: Ramp, step: Step) -> bool:
    if step.move is not Move.HOLD:
        return True
    return ramp.is_open and ramp.state is not State.PENDING and step.gate != ramp.held_by


def _would_open(ramp: Ramp, seen: Observation, at: datetime) -> bool:
    return next_step(ramp, seen, at).move in {Move.ADVANCE, Move.COMPLETE}
