"""Recommendations on disk: proposed by the engine, decided by people, applied in the same unit of work."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select, tuple_

from layer7.configuration import ConfigVersion, parameter, plan, short_hash
from layer7.contract.experiments import Experiment
from layer7.contract.lifecycle import Kind, move
from layer7.contract.lifecycle import State as Standing
from layer7.contract.recommendation import OptimizationRecommendation
from layer7.errors import Layer7Error
from layer7.experiments.proposal import experiment_of
from layer7.review import ENGINE, Action, Decision, NextStep, decide, next_step
from layer7.rollout.ledger import entries, granted
from layer7.storage.database import schema
from layer7.storage.database.state import Act, State
from layer7.storage.decisions.configs import Configs
from layer7.storage.decisions.decisions import Recorded, decisions_of, read_recommendation, record
from layer7.storage.decisions.experiments import Experiments

_OPEN = (Standing.PROPOSED, Standing.SENT_BACK)
_TABLE = schema.recommendations


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a decision.

    Args:
        recommendation: the recommendation in its new state.
        decisions: what was recorded; two when an approval was carried out at once.
        follows: what follows.
        version: the version that came into force; None when the settings did not move.
        experiment: the experiment that was drafted; None where none was.
    """

    recommendation: OptimizationRecommendation
    decisions: tuple[Decision, ...]
    follows: NextStep
    version: ConfigVersion | None
    experiment: Experiment | None = None


class Recommendations:
    """The recommendations of one installation.

    Args:
        state: the state database.
        configs: the settings that they change.
        experiments: what tries them.
    """

    def __init__(self, state: State, configs: Configs, experiments: Experiments) -> None:
        self._state = state
        self._configs = configs
        self._experiments = experiments

    def propose(
        self, proposals: Iterable[OptimizationRecommendation], at: datetime
    ) -> tuple[OptimizationRecommendation, ...]:
        """Put recommendations before the reviewers; doing it again changes nothing.

        An open one for the same setting is left alone when it proposes the same value from the version in
        force; otherwise the new one takes its place.

        Args:
            proposals: they get their plan from the version in force, and a name from it if they have none;
                those that would change nothing are left out.
            at: when, with offset.

        Returns:
            Those that are new.

        Raises:
            Layer7Error: ``plan_stale`` when a setting no longer has the value that a proposal starts from.
        """
        return tuple(new for each in proposals if (new := self._propose(each, at)) is not None)

    def _propose(
        self, proposal: OptimizationRecommendation, at: datetime
    ) -> OptimizationRecommendation | None:
        new = self._complete(proposal, at)
        if new is None or new.recommendation_id is None or new.plan is None:
            return None
        with self._state.read() as connection:
            known = _row(connection, new.recommendation_id) is not None
            rivals = self._rivals(connection, new)
        in_force = new.plan.from_version
        if known or any(_same(rival, new, in_force) for rival in rivals):
            return None
        act = Act(ENGINE, "recommendation.propose", new.recommendation_id, at, new.reasoning)
        with self._state.change(act) as connection:
            for rival in self._rivals(connection, new):
                record(connection, _superseded(rival, act))
            connection.execute(_TABLE.insert().values(**_values(new, at)))
        return new

    def _complete(
        self, proposal: OptimizationRecommendation, at: datetime
    ) -> OptimizationRecommendation | None:
        """Give a proposal its plan from the version in force, and its name and time where it has none."""
        in_force = self._configs.active(proposal.component)
        held = in_force.value(proposal.parameter)
        if held == proposal.recommended_value:
            return None
        if held != proposal.current_value:
            raise Layer7Error(
                "plan_stale",
                f"{proposal.parameter} is no longer what the proposal starts from.",
                "Compute it again from the settings in force.",
            )
        change = plan(in_force, proposal.parameter, proposal.recommended_value)
        name = proposal.recommendation_id or "rec_" + short_hash(change.model_dump(mode="json"))[1:]
        said = {
            "current_value": change.from_value,
            "recommended_value": change.to_value,
            "plan": change,
            "recommendation_id": name,
            "created_at": proposal.created_at or at.isoformat(),
        }
        return OptimizationRecommendation.model_validate(proposal.model_dump() | said)

    @staticmethod
    def _rivals(
        connection: Connection, new: OptimizationRecommendation
    ) -> Sequence[OptimizationRecommendation]:
        """Give the open recommendations for the same setting."""
        query = select(_TABLE).where(
            _TABLE.c.component == new.component,
            _TABLE.c.parameter == new.parameter,
            _TABLE.c.state.in_(_OPEN),
        )
        return [read_recommendation(row) for row in connection.execute(query).mappings()]

    def list(
        self,
        *,
        state: Standing | None = None,
        after: tuple[str, str] | None = None,
        limit: int = 50,
    ) -> tuple[OptimizationRecommendation, ...]:
        """Give recommendations, the newest first.

        Args:
            state: only those that stand there.
            after: time of creation and name of the last one of the page before.
            limit: how many at most.
        """
        order = (_TABLE.c.created_at.desc(), _TABLE.c.id.desc())
        query = select(_TABLE).order_by(*order).limit(limit)
        if state is not None:
            query = query.where(_TABLE.c.state == state)
        if after is not None:
            query = query.where(tuple_(_TABLE.c.created_at, _TABLE.c.id) < after)
        with self._state.read() as connection:
            return tuple(read_recommendation(row) for row in connection.execute(query).mappings())

    def counts(self) -> dict[Standing, int]:
        """Give how many stand in each state."""
        query = select(_TABLE.c.state, func.count()).group_by(_TABLE.c.state)
        with self._state.read() as connection:
            found = {row[0]: row[1] for row in connection.execute(query)}
        return {Standing(name): count for name, count in found.items()}

    def get(self, recommendation_id: str) -> OptimizationRecommendation:
        """Give one recommendation.

        Raises:
            Layer7Error: ``unknown_recommendation``.
        """
        with self._state.read() as connection:
            return _get(connection, recommendation_id)

    def decisions(self, recommendation_id: str) -> tuple[Recorded, ...]:
        """Give what was decided about a recommendation, the first first."""
        with self._state.read() as connection:
            return decisions_of(connection, recommendation_id)

    def decide(
        self,
        recommendation_id: str,
        action: Action,
        *,
        actor: str,
        why: str,
        at: datetime,
        proven_by: str | None = None,
    ) -> Outcome:
        """Decide about a recommendation; what follows at once is done in the same unit of work.

        Approving what needs no experiment applies the very plan that was shown; approving what needs one
        drafts it.

        Args:
            recommendation_id: what it is about.
            action: what is decided.
            actor: who decides.
            why: the reason; needed to reject and to send back.
            at: when, with offset.
            proven_by: the experiment whose verdict was to ship; needed to apply what goes through a test.

        Raises:
            Layer7Error: what :func:`layer7.review.decide` refuses; ``unknown_recommendation``;
                ``plan_stale`` when the settings have changed since; nothing was changed then.
        """
        detail = {"proven_by": proven_by} if proven_by else None
        act = Act(actor, f"recommendation.{action}", recommendation_id, at, why, detail)
        with self._state.change(act) as connection:
            return self.decide_in(connection, recommendation_id, action, act=act, proven_by=proven_by)

    def decide_in(
        self,
        connection: Connection,
        recommendation_id: str,
        action: Action,
        *,
        act: Act,
        proven_by: str | None = None,
    ) -> Outcome:
        """Decide about a recommendation inside the caller's unit of work; see :meth:`decide`."""
        shown = _get(connection, recommendation_id)
        first = decide(shown, action, actor=act.actor, at=act.at, why=act.why, proven_by=proven_by)
        record(connection, Recorded.of(first))
        follows = next_step(action, shown.recommendation)
        taken, drafted = [first], None
        if follows is NextStep.APPLY:
            approved = _get(connection, recommendation_id)
            taken.append(decide(approved, Action.APPLY, actor=act.actor, at=act.at, why=act.why))
            record(connection, Recorded.of(taken[-1]))
            follows = NextStep.NONE
        elif follows is NextStep.EXPERIMENT:
            drafted = self._draft(connection, shown, act)
        version = self._carry_out(connection, shown, taken[-1], act)
        done = _get(connection, recommendation_id)
        return Outcome(done, tuple(taken), follows, version, drafted)

    @staticmethod
    def get_in(connection: Connection, recommendation_id: str) -> OptimizationRecommendation:
        """Give one recommendation as the caller's unit of work sees it; see :meth:`get`."""
        return _get(connection, recommendation_id)

    def _draft(self, connection: Connection, shown: OptimizationRecommendation, act: Act) -> Experiment:
        """Draft the experiment that tries a recommendation, with the alpha that the ledger has left."""
        stream = entries(self._experiments.of_recommendations_in(connection))
        draft = experiment_of(shown, alpha=granted(stream))
        return self._experiments.create(draft, act=act, within=connection)

    def _carry_out(
        self, connection: Connection, shown: OptimizationRecommendation, decision: Decision, act: Act
    ) -> ConfigVersion | None:
        if decision.action not in {Action.APPLY, Action.ROLL_BACK}:
            return None
        if shown.plan is None:
            raise Layer7Error(
                "plan_missing", "The recommendation has no plan.", "Plan the change before it is decided on."
            )
        name, change = decision.recommendation_id, shown.plan
        if decision.action is Action.ROLL_BACK:
            return self._configs.take_back_in(connection, change, act, recommendation_id=name)
        if decision.proven_by:
            # An experiment takes weeks, in which other settings may change: this one still must not have.
            in_force = self._configs.active_in(connection, change.component)
            change = change.model_copy(update={"from_version": in_force.version})
        return self._configs.apply_in(connection, change, act, recommendation_id=name)


def _same(rival: OptimizationRecommendation, new: OptimizationRecommendation, in_force: str) -> bool:
    fits = rival.plan is not None and rival.plan.from_version == in_force
    return fits and rival.recommended_value == new.recommended_value


def _superseded(rival: OptimizationRecommendation, act: Act) -> Recorded:
    to_state = move(Kind.RECOMMENDATION, rival.state, Standing.SUPERSEDED)
    return Recorded(
        recommendation_id=str(rival.recommendation_id),
        action="supersede",
        actor=act.actor,
        at=act.at.isoformat(),
        why=f"{act.subject} takes its place.",
        from_state=rival.state.value,
        to_state=to_state.value,
    )


def _values(new: OptimizationRecommendation, at: datetime) -> dict[str, str | None]:
    return {
        "id": new.recommendation_id,
        "component": parameter(new.parameter).component.value,
        "parameter": new.parameter,
        "state": new.state.value,
        "created_at": at.isoformat(),
        "updated_at": at.isoformat(),
        "as_of": new.as_of or at.isoformat(),
        "body": new.model_dump_json(),
    }


def _row(connection: Connection, recommendation_id: str) -> OptimizationRecommendation | None:
    row = connection.execute(select(_TABLE).where(_TABLE.c.id == recommendation_id)).mappings().first()
    return None if row is None else read_recommendation(row)


def _get(connection: Connection, recommendation_id: str) -> OptimizationRecommendation:
    found = _row(connection, recommendation_id)
    if found is None:
        raise Layer7Error(
            "unknown_recommendation",
            f"There is no recommendation {recommendation_id[:80]!r}.",
            "List them to see their names.",
        )
    return found
