"""What the pages of experiments and rollouts print: pure functions, one for each page."""

from collections.abc import Mapping

from layer7.contract.effects import Effect
from layer7.contract.experiments import Experiment, ExperimentResults
from layer7.contract.lifecycle import State
from layer7.experiments.metrics import METRICS
from layer7.experiments.plan import CONTROL
from layer7.rollout.ramp import Ramp
from layer7.server.pages import charts, figures
from layer7.server.pages.context import Context, Verdict
from layer7.server.pages.views import ExperimentView, Happened, RolloutView

STATES: Mapping[State, Verdict] = {
    State.DRAFT: Verdict("Draft", ""),
    State.RUNNING: Verdict("Running", "good"),
    State.PAUSED: Verdict("Paused", "open"),
    State.COMPLETED: Verdict("Ended", ""),
    State.REJECTED: Verdict("Rejected", ""),
}
"""What each state of an experiment is called on the pages."""

RAMP_STATES: Mapping[State, Verdict] = {
    State.PENDING: Verdict("Not begun", ""),
    State.RUNNING: Verdict("Running", "good"),
    State.HOLDING: Verdict("Held", "open"),
    State.COMPLETED: Verdict("With everybody", "good"),
    State.ROLLED_BACK: Verdict("Taken back", "bad"),
}
"""What each state of a rollout is called on the pages."""

VERDICTS: Mapping[str, Verdict] = {
    "ship": Verdict("Proven better", "good"),
    "keep_control": Verdict("Proven worse", "bad"),
    "continue": Verdict("Goes on", "open"),
    "no_worthwhile_difference": Verdict("No worthwhile difference", ""),
    "ended_without_proof": Verdict("Ended without proof", ""),
}
"""What each verdict is called on the pages."""

SAFE: Mapping[bool | None, Verdict] = {
    True: Verdict("no worse than accepted", "good"),
    False: Verdict("harm is not excluded", "open"),
    None: Verdict(figures.CANNOT_TELL, "open"),
}
"""What is said of a guardrail."""

MOVES: Mapping[str, tuple[str, str]] = {
    "approve": ("Approve", "At the next check it leaves its present stage, where the gates are open."),
    "pause": ("Pause", "It stays at its present stage until it is resumed; proven harm still takes it back."),
    "resume": ("Resume", "The next check, within the hour, asks its gates again."),
    "roll_back": ("Take back", "Nobody is served the new value any more; that is read again to prove it."),
}
"""What people can do with a rollout: the word on the button, and what will happen."""

_DONE = {"approve": "Approved", "pause": "Paused", "resume": "Resumed", "rolled_back": "Taken back"}


def experiments_context(experiments: tuple[Experiment, ...]) -> Context:
    """Prepare the list of experiments.

    Args:
        experiments: the newest first.

    Example:
        >>> experiments_context(())["items"]
        []
    """
    return {"items": [(each, *_shown(each)) for each in experiments], "states": STATES}


def experiment_context(view: ExperimentView) -> Context:
    """Prepare the page of one experiment.

    Args:
        view: the experiment with its rollout.
    """
    experiment, found = view.experiment, view.experiment.results
    verdict, whisker = _shown(experiment)
    it = experiment.success_metric
    return {
        "view": view,
        "it": experiment,
        "found": found,
        "verdict": verdict,
        "whisker": whisker,
        "gap": _gap(experiment, found),
        "guardrails": [
            (name, each, difference(name, each.difference, each.interval), SAFE[each.non_inferior])
            for name, each in (found.guardrails.items() if found else ())
        ],
        "parts": [(each, _part(experiment, each)) for each in (_parts(found) if found else ())],
        "segments": [
            (each, _part(experiment, each), difference(it, each.shrunken, each.shrunken_interval))
            for each in (found.segments if found else ())
        ],
        "states": STATES,
        "ramp_states": RAMP_STATES,
        "fresh": freshness(view.rollout) if view.rollout else None,
    }


def rollouts_context(rollouts: tuple[Ramp, ...]) -> Context:
    """Prepare the list of rollouts.

    Args:
        rollouts: the newest first.

    Example:
        >>> rollouts_context(())["items"]
        []
    """
    return {"items": [(each, stages(each), freshness(each)) for each in rollouts], "states": RAMP_STATES}


def rollout_context(
    view: RolloutView, *, may_decide: bool = True, done: str = "", why: str = "", attempted: str = ""
) -> Context:
    """Prepare the page of one rollout.

    Args:
        view: the rollout with its history.
        may_decide: whether the reader may; else nothing is offered.
        done: the move that was just made, by the address; told only when the history agrees.
        why: the reason as it was typed, to be kept when the move was refused.
        attempted: the move that was refused.
    """
    last = view.history[-1] if view.history else None
    return {
        "view": view,
        "it": view.rollout,
        "offered": {name: MOVES[name] for name in offered(view.rollout)} if may_decide else {},
        "stages": stages(view.rollout),
        "fresh": freshness(view.rollout),
        "confirmation": _confirmation(last, done) if last and done else "",
        "states": RAMP_STATES,
        "why": why,
        "attempted": attempted,
    }


def difference(name: str, value: float | None, interval: tuple[float, float] | None) -> str:
    """Write the difference of a metric in its unit.

    Args:
        name: of the metric.
        value: treatment minus control; None when it cannot be told.
        interval: its interval.

    Example:
        >>> difference("interview_rate", 0.02, (0.01, 0.03)).replace(figures.SPACE, " ")
        '+2.0 points (1.0 to 3.0)'
    """
    known = METRICS.get(name)
    return figures.difference(value, interval, is_share=known is not None and known.unit == "share")


def stages(ramp: Ramp) -> list[tuple[str, bool]]:
    """Name the stages of a rollout in their order, and say which one it is at.

    Args:
        ramp: the rollout.
    """
    begun = ramp.state in {State.RUNNING, State.HOLDING}
    named = [(figures.target(each.share), begun and at == ramp.stage) for at, each in enumerate(ramp.stages)]
    rest = f"all but {figures.target(ramp.holdback)}" if ramp.holdback else "everybody"
    return [*named, (rest, ramp.state is State.COMPLETED)]


def freshness(ramp: Ramp) -> Verdict | None:
    """Say until when the evidence of a rollout counts as fresh; None before everybody has the change.

    Args:
        ramp: the rollout.
    """
    if ramp.fresh_until is None or ramp.state is not State.COMPLETED:
        return None
    until = figures.moment(ramp.fresh_until[:10])
    if ramp.expired:
        return Verdict(f"Evidence expired on {until}", "bad")
    return Verdict(f"Evidence fresh until {until}", "")


def offered(ramp: Ramp) -> tuple[str, ...]:
    """Give what can be done with a rollout now.

    Args:
        ramp: the rollout.
    """
    if ramp.state is State.ROLLED_BACK:
        return ()
    if not ramp.is_open:
        return ("roll_back",)
    waits = (
        ramp.held_by == "approval" and ramp.stages[ramp.stage].approval and ramp.stage not in ramp.approved
    )
    return (*(("approve",) if waits else ()), "pause" if ramp.paused is None else "resume", "roll_back")


def _shown(experiment: Experiment) -> tuple[Verdict | None, charts.Whisker | None]:
    found = experiment.results
    if found is None:
        return None, None
    verdict = Verdict("No verdict may be read", "bad") if found.blocked_by else None
    known = VERDICTS[found.verdict] if found.verdict else None
    return verdict or known, charts.whisker(found.absolute_difference, found.confidence_interval)


def _gap(experiment: Experiment, found: ExperimentResults | None) -> str:
    if found is None:
        return figures.CANNOT_TELL
    return difference(experiment.success_metric, found.absolute_difference, found.confidence_interval)


def _part(experiment: Experiment, part: Effect) -> str:
    return difference(experiment.success_metric, part.difference, part.interval)


def _parts(found: ExperimentResults) -> tuple[Effect, ...]:
    return (
        *found.stages,
        *found.novelty,
        *((found.triggered,) if found.triggered else ()),
        *found.interactions,
    )


def _confirmation(last: Happened, done: str) -> str:
    word = last.action.removeprefix("rollout.")
    if word != done and (word, done) != ("rolled_back", "roll_back"):
        return ""
    return f"{_DONE[word]} by {last.actor}, {figures.moment(last.at)}."


def arms(experiment: Experiment) -> str:
    """Say which values are compared, the control first.

    Args:
        experiment: its variants.

    Example:
        >>> from layer7.experiments.plan import specified
        >>> arms(specified(0))
        '75 points against 70 points'
    """
    ordered = sorted(experiment.variants, key=lambda each: each.variant_id != CONTROL)
    return " against ".join(figures.setting(experiment.parameter, each.value) for each in ordered)
