"""What the pages show of an installation, from its derived tables and its state."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from layer7.contract.analytics import UserSegment
from layer7.contract.evidence import RateEvidence
from layer7.contract.experiments import Experiment
from layer7.contract.lifecycle import State
from layer7.contract.market import MarketInsights
from layer7.contract.recommendation import OptimizationRecommendation
from layer7.errors import Layer7Error
from layer7.review import Action, Decision
from layer7.rollout.ramp import HOLDBACK, Ramp
from layer7.server.app import Wiring
from layer7.server.http.auth import require
from layer7.server.http.context import Clock
from layer7.server.pages import (
    ExperimentView,
    Fall,
    FunnelStep,
    Happened,
    Overview,
    QualityLine,
    Queue,
    QueueItem,
    RecommendationView,
    RolloutView,
    RunLine,
    SilencePoint,
    StageLine,
    WeekRate,
    foreseen,
    router,
)
from layer7.storage.database.runs import Run
from layer7.storage.database.state import Act
from layer7.storage.decisions.decisions import Recorded
from layer7.storage.home import Home
from layer7.storage.services.people import People
from layer7.storage.services.survey import Survey

_SOMEBODY = "reviewer"
_STEPS: Mapping[str, str] = {
    "submitted": "Submitted",
    "answered": "Answered",
    "interview": "Reached an interview",
    "offer": "Offered a job",
}


@dataclass(frozen=True, slots=True)
class InstallationPages:
    """Reads what pages show, and hands decisions on.

    Args:
        home: the installation.
        clock: now, in UTC.
    """

    home: Home
    clock: Clock

    def overview(self) -> Overview:
        """Give what the first page shows, from the last night that came to its end."""
        done, latest = self.home.runs.latest(status="done"), self.home.runs.latest()
        measured: Mapping[str, Any] = done[0].report.get("measure", {}) if done else {}
        return Overview(
            as_of=date.fromisoformat(done[0].as_of) if done else None,
            people=measured.get("people", 0),
            applications=measured.get("applications", 0),
            funnel=tuple(_step(step) for step in measured.get("funnel", ())),
            weeks=tuple(_week(week) for week in measured.get("weeks", ())),
            quality=tuple(_quality(line) for line in measured.get("quality", ())),
            silence=tuple(SilencePoint(int(day), chance) for day, chance in measured.get("silence", ())),
            last_run=_run(latest[0]) if latest else None,
            waiting=self.home.recommendations.counts().get(State.PROPOSED, 0),
            rate=_rate(measured.get("interview_rate")),
            ghosted_after=measured.get("ghosted_after"),
            fall=_fall(measured.get("decline")),
        )

    def queue(self, state: State) -> Queue:
        """Give the recommendations in a state, the newest first."""
        items = self.home.recommendations.list(state=state, limit=200)
        counts = {State(name): n for name, n in self.home.recommendations.counts().items()}
        return Queue(state, tuple(self._item(item) for item in items), counts)

    def _item(self, item: OptimizationRecommendation) -> QueueItem:
        history = self._history(item.recommendation_id or "")
        return QueueItem(item, history[-1] if history else None)

    def _history(self, recommendation_id: str) -> tuple[Decision, ...]:
        """Give what people and engine decided; that a newer proposal took its place is no decision."""
        recorded = self.home.recommendations.decisions(recommendation_id)
        return tuple(_decision(each) for each in recorded if each.action in set(Action))

    def recommendation(self, recommendation_id: str) -> RecommendationView:
        """Give one recommendation with its history and what each decision would do."""
        item = self.home.recommendations.get(recommendation_id)
        return RecommendationView(
            recommendation=item,
            history=self._history(recommendation_id),
            consequences=foreseen(item, actor=_SOMEBODY, at=self.clock()),
            etag=_etag(item),
        )

    def experiments(self) -> tuple[Experiment, ...]:
        """Give the experiments, the newest first."""
        return self.home.experiments.list()

    def experiment(self, experiment_id: str) -> ExperimentView:
        """Give one experiment with the rollout that it measures."""
        found = self.home.experiments.get(experiment_id)
        measured = {experiment_id, experiment_id.removesuffix(HOLDBACK)}
        ramps = self.home.rollouts.list()
        return ExperimentView(found, next((each for each in ramps if each.experiment_id in measured), None))

    def rollouts(self) -> tuple[Ramp, ...]:
        """Give the rollouts, the newest first."""
        return self.home.rollouts.list()

    def rollout(self, ramp_id: str) -> RolloutView:
        """Give one rollout with its history."""
        found = self.home.rollouts.get(ramp_id)
        history = tuple(Happened(**each) for each in self.home.rollouts.history(ramp_id))
        return RolloutView(found, history, str(found.revision))

    def move_rollout(self, ramp_id: str, move: str, *, why: str, actor: str, etag: str) -> None:
        """Move a rollout, if it is still what the reviewer saw."""
        store = self.home.rollouts
        if str(store.get(ramp_id).revision) != etag:
            raise Layer7Error(
                "version_changed", "The rollout has changed since you saw it.", "Read it again."
            )
        moves: Mapping[str, Callable[..., Ramp]] = {
            "approve": store.approve,
            "pause": store.pause,
            "resume": store.resume,
            "roll_back": store.roll_back,
        }
        moves[move](ramp_id, act=Act(actor, f"rollout.{move}", ramp_id, self.clock(), why))

    def segments(self) -> tuple[UserSegment, ...]:
        """Give the segments that others may see, everyone first."""
        return Survey(self.home).segments()

    def market(self) -> MarketInsights | None:
        """Give the market as others may see it; None before the first night."""
        try:
            return Survey(self.home).market()
        except Layer7Error as error:
            if error.code != "no_survey":
                raise
            return None

    def decide(self, recommendation_id: str, action: Action, *, why: str, actor: str, etag: str) -> Decision:
        """Decide, if the recommendation is still what the reviewer saw."""
        if _etag(self.home.recommendations.get(recommendation_id)) != etag:
            raise Layer7Error(
                "version_changed", "The recommendation has changed since you saw it.", "Read it again."
            )
        outcome = self.home.recommendations.decide(
            recommendation_id, action, actor=actor, why=why, at=self.clock()
        )
        return outcome.decisions[0]


def wiring(home: Home, clock: Clock) -> Wiring:
    """Bring pages and people's figures to the server of an installation."""
    pages = router(InstallationPages(home, clock), require)
    return Wiring(pages=pages, performance=People(home))


def _etag(item: OptimizationRecommendation) -> str:
    return hashlib.sha256(item.model_dump_json().encode()).hexdigest()[:16]


def _step(step: Mapping[str, Any]) -> FunnelStep:
    return FunnelStep(_STEPS[step["name"]], step["n"], step["value"], step["low"], step["high"])


def _week(week: Mapping[str, Any]) -> WeekRate:
    return WeekRate(date.fromisoformat(week["week"]), week["value"], week["low"], week["high"], week["n"])


def _quality(line: Mapping[str, Any]) -> QualityLine:
    return QualityLine(line["name"].replace("_", " ").capitalize(), line["value"], line["target"], line["n"])


def _rate(rate: Mapping[str, Any] | None) -> RateEvidence | None:
    return None if rate is None else RateEvidence.model_validate(rate)


def _fall(found: Mapping[str, Any] | None) -> Fall | None:
    # A night before this was told in words left none.
    if not found or "answer" not in found:
        return None
    return Fall(found["answer"], alarm=found.get("alarm", False))


def _run(run: Run) -> RunLine:
    stages = tuple(
        StageLine(stage.stage, stage.seconds, f"{stage.rows:,} rows", stage.status == "done")
        for stage in run.stages
    )
    seconds = sum(stage.seconds for stage in run.stages)
    return RunLine(
        str(run.id), datetime.fromisoformat(run.started_at), seconds, run.status != "failed", stages
    )


def _decision(recorded: Recorded) -> Decision:
    return Decision(
        recommendation_id=recorded.recommendation_id,
        action=Action(recorded.action),
        actor=recorded.actor,
        at=datetime.fromisoformat(recorded.at).astimezone(UTC),
        why=recorded.why,
        from_state=State(recorded.from_state),
        to_state=State(recorded.to_state),
    )
