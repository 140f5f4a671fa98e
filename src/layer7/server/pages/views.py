"""What the pages show, as frozen data, and the one interface through which they get it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from layer7.contract.analytics import UserSegment
from layer7.contract.evidence import RateEvidence
from layer7.contract.experiments import Experiment
from layer7.contract.lifecycle import State
from layer7.contract.market import MarketInsights
from layer7.contract.recommendation import OptimizationRecommendation
from layer7.errors import Layer7Error
from layer7.review import Action, Decision, consequences, decide, possible_actions
from layer7.rollout.ramp import Ramp


@dataclass(frozen=True, slots=True)
class FunnelStep:
    """One step of the way from an application to an offer.

    Args:
        name: such as "Reached an interview".
        n: applications that got this far.
        share: of all submitted applications, 0 to 1; None when it cannot be told.
        low: lower end of the share's interval, or None.
        high: upper end of the share's interval, or None.
    """

    name: str
    n: int
    share: float | None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class WeekRate:
    """The interview rate of the applications of one week.

    Args:
        week: its first day.
        value: 0 to 1; None when it cannot be told yet.
        low: lower end of the interval, or None.
        high: upper end of the interval, or None.
        n: applications submitted in the week.
    """

    week: date
    value: float | None
    low: float | None
    high: float | None
    n: int


@dataclass(frozen=True, slots=True)
class Fall:
    """Whether people's own interview rates have fallen.

    Args:
        answer: in words, with the rates and how many people they are of.
        alarm: whether they have.
    """

    answer: str
    alarm: bool


@dataclass(frozen=True, slots=True)
class QualityLine:
    """One measure of how good the data are; higher is better.

    Args:
        name: what is measured.
        value: 0 to 1; None when it cannot be told.
        target: least share that is good enough; None when there is none.
        n: what it was measured on.
        note: one sentence: what it means or what to do; may be empty.
        low: lower end of the interval, or None.
        high: upper end of the interval, or None.
    """

    name: str
    value: float | None
    target: float | None
    n: int
    note: str = ""
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class SilencePoint:
    """The chance that an interview still comes after some days of silence.

    Args:
        day: days since submission without any answer.
        chance: 0 to 1.
        low: lower end of the interval, or None.
        high: upper end of the interval, or None.
    """

    day: int
    chance: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class StageLine:
    """One stage of a night: what it did and how long it took."""

    name: str
    seconds: float | None
    note: str = ""
    ok: bool = True


@dataclass(frozen=True, slots=True)
class RunLine:
    """The latest night: when it ran, whether it ended well, and its stages in order."""

    run_id: str
    started_at: datetime
    seconds: float | None
    ok: bool
    stages: tuple[StageLine, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """What the first page shows.

    Args:
        as_of: day that the log was read to; None before the first night.
        people: how many people the applications are from.
        applications: how many were submitted.
        funnel: steps from submission on.
        weeks: interview rate by week of submission, oldest first.
        quality: how good the data are.
        silence: chance that an interview still comes, by days of silence, from day 0 on.
        last_run: the latest night, or None.
        waiting: recommendations that wait for a decision.
        rate: interview rate over all applications; None before the first night.
        ghosted_after: days of silence after which an application is shown as ghosted, or None.
        fall: whether rates have fallen; None before a night has looked.
    """

    as_of: date | None
    people: int
    applications: int
    funnel: tuple[FunnelStep, ...]
    weeks: tuple[WeekRate, ...]
    quality: tuple[QualityLine, ...]
    silence: tuple[SilencePoint, ...]
    last_run: RunLine | None
    waiting: int
    rate: RateEvidence | None = None
    ghosted_after: int | None = None
    fall: Fall | None = None


@dataclass(frozen=True, slots=True)
class QueueItem:
    """One recommendation in the list, with the latest decision about it, if there is one."""

    recommendation: OptimizationRecommendation
    last: Decision | None = None


@dataclass(frozen=True, slots=True)
class Queue:
    """The recommendations in one state.

    Args:
        state: which state.
        items: in the order in which they are shown.
        counts: how many recommendations stand in each state; a state without any may be left out.
    """

    state: State
    items: tuple[QueueItem, ...]
    counts: Mapping[State, int]


@dataclass(frozen=True, slots=True)
class RecommendationView:
    """One recommendation, what was decided about it, and what each possible decision would do.

    Args:
        recommendation: as it stands now.
        history: decisions, oldest first.
        consequences: sentences by action, for the actions that are possible now; see :func:`foreseen`.
        etag: name of this very content; a decision is taken only while it still holds.
    """

    recommendation: OptimizationRecommendation
    history: tuple[Decision, ...]
    consequences: Mapping[Action, tuple[str, ...]]
    etag: str


@dataclass(frozen=True, slots=True)
class ExperimentView:
    """One experiment, and the rollout that it measures, if there is one."""

    experiment: Experiment
    rollout: Ramp | None


@dataclass(frozen=True, slots=True)
class Happened:
    """One thing that happened to a rollout: what, who, when, why."""

    action: str
    actor: str
    at: str
    why: str


@dataclass(frozen=True, slots=True)
class RolloutView:
    """One rollout, what happened to it, and the name of this very content.

    Args:
        rollout: as it stands now.
        history: the oldest first.
        etag: a move is made only while it still holds.
    """

    rollout: Ramp
    history: tuple[Happened, ...]
    etag: str


class PageData(Protocol):
    """Where the pages get what they show, and the one thing that they do."""

    def overview(self) -> Overview:
        """Give what the first page shows, from derived tables."""

    def queue(self, state: State) -> Queue:
        """Give the recommendations in a state."""

    def recommendation(self, recommendation_id: str) -> RecommendationView:
        """Give one recommendation.

        Raises:
            Layer7Error: ``unknown_recommendation``.
        """

    def experiments(self) -> tuple[Experiment, ...]:
        """Give the experiments, the newest first."""

    def experiment(self, experiment_id: str) -> ExperimentView:
        """Give one experiment.

        Raises:
            Layer7Error: ``unknown_experiment``.
        """

    def rollouts(self) -> tuple[Ramp, ...]:
        """Give the rollouts, the newest first."""

    def rollout(self, ramp_id: str) -> RolloutView:
        """Give one rollout.

        Raises:
            Layer7Error: ``unknown_rollout``.
        """

    def move_rollout(self, ramp_id: str, move: str, *, why: str, actor: str, etag: str) -> None:
        """Pause, resume, approve or take back a rollout.

        Args:
            ramp_id: the rollout.
            move: one of :data:`layer7.server.pages.trials.MOVES`.
            why: the reason, may be empty where none is needed.
            actor: who decides.
            etag: of what the actor saw.

        Raises:
            Layer7Error: ``version_changed`` when the etag no longer holds; whatever
                :class:`layer7.storage.decisions.rollouts.Rollouts` refuses with.
        """

    def segments(self) -> tuple[UserSegment, ...]:
        """Give the segments as they are released, everyone first; none before the first night."""

    def market(self) -> MarketInsights | None:
        """Give the market as it is released; None before the first night."""

    def decide(self, recommendation_id: str, action: Action, *, why: str, actor: str, etag: str) -> Decision:
        """Decide about a recommendation, in one unit of work with its audit record.

        Args:
            recommendation_id: what it is about.
            action: what is decided.
            why: the reason, may be empty where none is needed.
            actor: who decides.
            etag: of the content that the actor saw.

        Raises:
            Layer7Error: ``version_changed`` when the etag no longer holds; whatever
                :func:`layer7.review.decide` refuses with.
        """


def foreseen(
    recommendation: OptimizationRecommendation, *, actor: str, at: datetime
) -> dict[Action, tuple[str, ...]]:
    """Tell what each decision that is possible now would do, by making it without keeping it.

    Args:
        recommendation: what would be decided about.
        actor: who would decide.
        at: when, with offset.

    Returns:
        Sentences by action; an action that would be refused now (a test that has not ended, a change
        without a plan) is left out.

    Example:
        >>> import json
        >>> example = OptimizationRecommendation.model_config["json_schema_extra"]["examples"][0]
        >>> recommendation = OptimizationRecommendation.model_validate_json(json.dumps(example))
        >>> told = foreseen(recommendation, actor="ada", at=datetime.fromisoformat("2025-07-02T09:00Z"))
        >>> told[Action.REJECT][0]
        'Nothing changes: improve_resume_threshold of strategy_engine stays at 75 points.'
    """
    told = {}
    for action in possible_actions(recommendation.state):
        try:
            decision = decide(recommendation, action, actor=actor, at=at, why=_REASON_TO_COME)
            told[action] = consequences(decision, recommendation)
        except Layer7Error as error:
            if error.code not in _NOT_NOW:
                raise
    return told


_REASON_TO_COME = "what you write below."
_NOT_NOW = frozenset({"experiment_needed", "person_needed", "plan_missing"})
