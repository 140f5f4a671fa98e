"""How far a ramp may go now: one pure function, and its gates in their order."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

from layer7.contract.experiments import Experiment, ExperimentResults
from layer7.contract.lifecycle import State
from layer7.errors import Layer7Error
from layer7.experiments.decision import Decision, blocking, decide, harmed, loss_bound, moment
from layer7.rollout.ramp import Ramp, stage_interval

STALE = timedelta(days=2)
"""An analysis older than this says nothing about today."""

AHEAD = timedelta(days=1)
"""An analysis of the day that is not over yet is named by its end."""

ROLLING_BACK = "rolling_back"
"""What holds a ramp while it is taken back: the roll back is carried out again until it is proven."""

PAUSE = "pause"
"""What holds a ramp that a person has paused: it goes no further, and harm still takes it back."""

LOSSES = ("interviews_per_unit", "interview_rate")
"""Metrics in which lost interviews are counted, the better one first."""


class Move(StrEnum):
    """What happens to a ramp at a check."""

    START = "start"
    HOLD = "hold"
    ADVANCE = "advance"
    COMPLETE = "complete"
    ROLL_BACK = "roll_back"
    EXPIRE = "expire"


@dataclass(frozen=True, slots=True)
class Step:
    """What a ramp does now.

    Args:
        move: what happens.
        why: the reason, in words.
        gate: the gate that holds it; None where none does.
        stage: the stage that it is at afterwards.
        harm: lost interviews proven so far.
    """

    move: Move
    why: str
    gate: str | None = None
    stage: int = 0
    harm: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What is known when a ramp is checked.

    Args:
        experiment: the one that measures the ramp (its holdback's, once it is completed), with its results.
        served: whether everybody is served the ramp's value by now; needed once it is completed.
        withdrawn: why it must not go on, in words: its recommendation was rejected; None where it may.
        breaches: groups that fare worse as of the last night, which no person has decided on yet.
    """

    experiment: Experiment
    served: bool = True
    withdrawn: str | None = None
    breaches: tuple[str, ...] = ()

    @property
    def results(self) -> ExperimentResults | None:
        """What the experiment says so far."""
        return self.experiment.results


Gate = Callable[[Ramp, Observation, datetime], str | None]
"""Gives why a ramp waits; None where it may go on."""


def next_step(ramp: Ramp, seen: Observation, now: datetime) -> Step:
    """Decide how far a ramp may go now.

    What was withdrawn, and harm that is proven, is taken back at once: at whatever gate the ramp waits,
    before any minimum sample. Then the first gate that is closed holds it; a person's pause is the first of
    them. Where all are open it goes one stage on; stages without gates whose time has passed as well are
    folded into the same move, never past a gate. A clock that was put back changes nothing.

    Args:
        ramp: where it stands.
        seen: what is known.
        now: the present moment, with offset.

    Returns:
        The step; the same input always gives the same.

    Raises:
        Layer7Error: ``naive_time``.

    Example:
        >>> from datetime import UTC
        >>> from layer7.experiments.plan import specified
        >>> from layer7.rollout.ramp import ramp_of
        >>> ramp = ramp_of(specified(0), anchor="v1")
        >>> next_step(ramp, Observation(experiment=specified(0)), datetime(2026, 3, 2, tzinfo=UTC))
        Step(move=<Move.HOLD: 'hold'>, why='Its experiment is draft.', gate='start', stage=0, harm=0.0)
    """
    if now.tzinfo is None:
        raise Layer7Error("naive_time", "The time of a check has no offset.", "Give it in UTC.")
    found = _decide(ramp, seen, now)
    return replace(found, harm=max(ramp.harm, lost_interviews(seen)))


def _decide(ramp: Ramp, seen: Observation, now: datetime) -> Step:
    if ramp.state is State.ROLLED_BACK:
        return Step(Move.HOLD, ramp.why, stage=ramp.stage)
    back = _reason_to_go_back(ramp, seen, now)
    if back is not None:
        return Step(Move.ROLL_BACK, back, stage=ramp.stage)
    if ramp.state is State.COMPLETED:
        return _after(ramp, now)
    if ramp.state is State.PENDING:
        return _begin(ramp, seen)
    for name, gate in GATES.items():
        why = gate(ramp, seen, now)
        if why is not None:
            return Step(Move.HOLD, why, name, ramp.stage)
    return _forward(ramp, now)


def lost_interviews(seen: Observation) -> float:
    """Give the interviews that the treatment has cost, as far as they are proven.

    Units in the treatment x the loss per unit by the end of the interval that is kindest. Interviews per
    unit are taken where they were measured; else the interview rate, for one application of each unit.

    Args:
        seen: what is known.
    """
    results = seen.results
    if results is None:
        return 0.0
    measured = {name: found.interval for name, found in results.guardrails.items()}
    measured[seen.experiment.success_metric] = results.confidence_interval
    name = next((each for each in LOSSES if each in measured), None)
    return 0.0 if name is None else results.treatment_sample_size * loss_bound(name, measured[name])


def _reason_to_go_back(ramp: Ramp, seen: Observation, now: datetime) -> str | None:
    if ramp.held_by == ROLLING_BACK:
        return ramp.why
    if seen.withdrawn is not None:
        return seen.withdrawn
    if ramp.state is State.COMPLETED and not seen.served:
        return "Its value is no longer in force: somebody changed the setting."
    if ramp.state is State.PENDING:
        return None
    worse = _harm(ramp, seen)
    if worse is not None or ramp.state is State.COMPLETED:
        return worse
    decision = _verdict(seen, now)
    ends = decision.is_final or _is_over(seen.experiment, now)
    return decision.why if ends and decision.verdict != "ship" else None


def _harm(ramp: Ramp, seen: Observation) -> str | None:
    if seen.results is None:
        return None
    worse = harmed(seen.experiment, seen.results)
    if worse:
        return f"Proven worse: {', '.join(worse)}."
    judged = seen.results.fairness
    if judged is not None and judged.move == "roll_back":
        return judged.why
    harm = lost_interviews(seen)
    if harm > ramp.harm_budget:
        return f"At least {harm:.1f} interviews lost; the budget is {ramp.harm_budget:g}."
    return None


def _verdict(seen: Observation, now: datetime) -> Decision:
    """Decide on what was read; the planned end has come once the log was read to it (the last look)."""
    if seen.results is None:
        return Decision(None, "It was not analysed yet.")
    read_to = min(now, moment(seen.results.as_of)) if seen.results.as_of else now
    return decide(seen.experiment, seen.results, now=read_to)


def _is_over(experiment: Experiment, now: datetime) -> bool:
    return experiment.end_date is not None and now >= moment(experiment.end_date) + STALE


def _begin(ramp: Ramp, seen: Observation) -> Step:
    status = seen.experiment.status
    if status in {State.REJECTED, State.COMPLETED}:
        return Step(Move.ROLL_BACK, f"Its experiment is {status}.")
    if status is not State.RUNNING:
        return Step(Move.HOLD, f"Its experiment is {status}.", "start")
    if ramp.paused is not None:
        return Step(Move.HOLD, ramp.paused, PAUSE)
    return Step(Move.START, f"{ramp.stages[0].share:.0%} of the units in each arm.")


def _after(ramp: Ramp, now: datetime) -> Step:
    if not ramp.expired and ramp.fresh_until is not None and now >= moment(ramp.fresh_until):
        return Step(Move.EXPIRE, f"Its evidence is from before {ramp.fresh_until[:10]}.", stage=ramp.stage)
    return Step(Move.HOLD, ramp.why, stage=ramp.stage)


def _forward(ramp: Ramp, now: datetime) -> Step:
    stage, last, due = ramp.stage + 1, len(ramp.stages) - 1, _due(ramp)
    if ramp.stage == last:
        return Step(Move.COMPLETE, f"Everybody but a holdback of {ramp.holdback:.0%}.", stage=last)
    while stage < last and not ramp.stages[stage].gated and not ramp.stages[stage].approval:
        due += stage_interval(ramp.stages[stage])
        if now < due:
            break
        stage += 1
    return Step(Move.ADVANCE, f"{ramp.stages[stage].share:.0%} of the units in each arm.", stage=stage)


def _due(ramp: Ramp) -> datetime:
    return _entered(ramp) + stage_interval(ramp.stages[ramp.stage])


def _entered(ramp: Ramp) -> datetime:
    if ramp.entered_at is None:
        raise Layer7Error(
            "not_entered", f"{ramp.ramp_id} is {ramp.state} without a beginning.", "Restore it."
        )
    return moment(ramp.entered_at)


def _paused(ramp: Ramp, _: Observation, __: datetime) -> str | None:
    return ramp.paused


def _interval(ramp: Ramp, seen: Observation, now: datetime) -> str | None:
    if seen.experiment.status is not State.RUNNING:
        return f"Its experiment is {seen.experiment.status}."
    due = _due(ramp)
    return f"The stage lasts until {due:%Y-%m-%d %H:%M}." if now < due else None


def _fresh(ramp: Ramp, seen: Observation, now: datetime) -> str | None:
    if seen.results is None or seen.results.as_of is None:
        return "It was not analysed yet."
    as_of = moment(seen.results.as_of)
    if as_of < _due(ramp):
        return f"The analysis is of {as_of:%Y-%m-%d}, before the end of the stage."
    return None if now - STALE <= as_of <= now + AHEAD else f"The analysis is of {as_of:%Y-%m-%d %H:%M}."


def _traffic(_: Ramp, seen: Observation, __: datetime) -> str | None:
    return None if _fewest(seen) else "An arm has no units."


def _guardrails(_: Ramp, seen: Observation, __: datetime) -> str | None:
    measured = seen.results.guardrails if seen.results else {}
    missing = [name for name in seen.experiment.guardrail_metrics if name not in measured]
    return f"Not analysed: {', '.join(missing)}." if missing else None


def _quality(_: Ramp, seen: Observation, __: datetime) -> str | None:
    blocked = blocking(seen.results) if seen.results else ()
    return " ".join(blocked) or None


def _fairness(_: Ramp, seen: Observation, __: datetime) -> str | None:
    """Closed unless harm to declared groups is excluded; open while none is large enough to be told.

    Closed also while a proven breach of parity waits for a person: no change goes on beside a known harm.
    """
    if seen.breaches:
        return f"A breach of parity waits for a person's review: {', '.join(seen.breaches)}."
    judged = seen.results.fairness if seen.results else None
    return judged.why if judged is not None and judged.move != "pass" else None


def _sample(ramp: Ramp, seen: Observation, _: datetime) -> str | None:
    least = round(seen.experiment.minimum_sample_size * min(ramp.coverage, 1.0))
    have = _fewest(seen)
    return f"{have} units in the smaller arm; {least} are needed at this stage." if have < least else None


def _signals(_: Ramp, seen: Observation, __: datetime) -> str | None:
    measured = seen.results.signals if seen.results else {}
    worse = [name for name, found in measured.items() if found.winner == "control"]
    return f"Signals got worse: {', '.join(worse)}." if worse else None


def _approval(ramp: Ramp, seen: Observation, now: datetime) -> str | None:
    """The last stage is left by a verdict to ship; every stage that asks for a person, by a person."""
    if ramp.stage == len(ramp.stages) - 1:
        decision = _verdict(seen, now)
        if decision.verdict != "ship":
            return decision.why
    if ramp.stages[ramp.stage].approval and ramp.stage not in ramp.approved:
        return "It waits for a person's approval."
    return None


def _fewest(seen: Observation) -> int:
    found = seen.results
    return 0 if found is None else min(found.control_sample_size, found.treatment_sample_size)


def _only_gated(gate: Gate) -> Gate:
    def checked(ramp: Ramp, seen: Observation, now: datetime) -> str | None:
        return gate(ramp, seen, now) if ramp.stages[ramp.stage].gated else None

    return checked


GATES: Mapping[str, Gate] = MappingProxyType(
    {
        PAUSE: _paused,
        "interval": _interval,
        "analysis": _only_gated(_fresh),
        "traffic": _only_gated(_traffic),
        "guardrails": _only_gated(_guardrails),
        "sample_ratio": _only_gated(_quality),
        "fairness": _only_gated(_fairness),
        "minimum_sample": _only_gated(_sample),
        "signals": _only_gated(_signals),
        "approval": _approval,
    }
)
"""The gates in the order in which they are asked; a closed one hides those behind it."""
