"""Design passports: a planned experiment, simulated on the log as the last night left it."""

from dataclasses import replace
from datetime import date, datetime
from itertools import accumulate

import numpy as np

from layer7.analytics.trials.attempts import STEPS, attempts
from layer7.contract.experiments import Experiment
from layer7.contract.lifecycle import Kind, State, move
from layer7.contract.passport import DesignPassport
from layer7.contract.vocabulary import Purpose
from layer7.errors import Layer7Error
from layer7.experiments.metrics import metric
from layer7.experiments.passport import RUNS, Evidence, Progress, passport
from layer7.experiments.plan import plan_hash
from layer7.experiments.traffic import Attempts
from layer7.nightly.night import Night
from layer7.rollout.ramp import ramp_of
from layer7.storage.database.state import Act
from layer7.storage.home import Home
from layer7.storage.warehouse.reading import Horizon


def issue_passport(
    home: Home,
    experiment: Experiment,
    *,
    now: datetime,
    runs: int = RUNS,
    progress: Progress = lambda _share: None,
) -> DesignPassport:
    """Simulate a design on the log up to the last night; people who refuse experiments are left out.

    The dice depend on the plan alone, so that a passport can be issued again.

    Args:
        home: the installation.
        experiment: the plan.
        now: the present moment, for an installation without any night.
        runs: simulated experiments in each world.
        progress: is told how far it is.

    Raises:
        Layer7Error: ``unknown_metric``; ``bad_design``.
    """
    metric(experiment.success_metric)
    evidence = replace(_evidence(home, experiment.success_metric, now), stages=_stages(experiment))
    rng = np.random.default_rng(int(plan_hash(experiment).removeprefix("plan_"), 16))
    return passport(experiment, evidence, rng=rng, runs=runs, progress=progress)


def start_experiment(
    home: Home,
    experiment_id: str,
    *,
    act: Act,
    accept_underpowered: bool = False,
    progress: Progress = lambda _share: None,
) -> Experiment:
    """Issue a draft's design passport, freeze the plan and let it run; the passport stays with it.

    Args:
        home: the installation.
        experiment_id: the draft.
        act: who, when, why.
        accept_underpowered: whether a design that cannot answer its question is started knowingly.
        progress: is told how far the simulation is.

    Raises:
        Layer7Error: ``reason_missing`` where a design is accepted without a reason; ``underpowered`` and
            ``power_unknown`` with what would be feasible; and what
            :meth:`layer7.storage.decisions.experiments.Experiments.start` refuses.
    """
    if accept_underpowered and not act.why.strip():
        raise Layer7Error(
            "reason_missing", "An underpowered design is accepted with a reason.", "Say why it is started."
        )
    draft = home.experiments.get(experiment_id)
    move(Kind.EXPERIMENT, draft.status, State.RUNNING)
    found = issue_passport(home, draft, now=act.at, progress=progress)
    return home.experiments.start(
        experiment_id, act=act, passport=found, accept_underpowered=accept_underpowered
    )


def _stages(experiment: Experiment) -> tuple[tuple[float, float], ...]:
    """Give the stages of its ramp, each as early as it may come; empty for an experiment without one."""
    try:
        ramp = ramp_of(experiment, anchor="planned")
    except Layer7Error as error:
        if error.code != "not_rampable":
            raise
        return ()
    starts = accumulate((stage.days for stage in ramp.stages), initial=0.0)
    return tuple((day, 2 * stage.share) for day, stage in zip(starts, ramp.stages, strict=False))


def _evidence(home: Home, name: str, now: datetime) -> Evidence:
    nobody = Evidence(attempts=Attempts.none(), unseen=np.zeros(0), end=now)
    if metric(name).is_tallied:
        return nobody
    last = next(iter(home.runs.latest(status="done")), None)
    if last is None:
        return nobody
    horizon = Horizon(date.fromisoformat(last.as_of), datetime.fromisoformat(last.known_at))
    night = Night(home, horizon, last.id, lambda: now, lambda _share: None)
    with home.warehouse.open() as tables:
        log, curve = night.log(tables, Purpose.EXPERIMENTS), tables.read("outlook")
        if log is None or curve is None:
            return nobody
        rows = attempts(log.applications, log.events, name).to_pyarrow()
        unseen = curve.order_by("age").unseen.to_pyarrow().to_numpy(zero_copy_only=False)
    waits = bool(STEPS[name].settled)
    return Evidence(attempts=Attempts.of(rows), unseen=unseen if waits else np.zeros(0), end=horizon.end)
