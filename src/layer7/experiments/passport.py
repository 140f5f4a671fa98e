"""The design passport: an experiment, simulated on this log before it starts."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from scipy import special

from layer7.contract.evidence import Period
from layer7.contract.experiments import Experiment
from layer7.contract.passport import DesignPassport, Simulated
from layer7.contract.vocabulary import MetricShape
from layer7.errors import Layer7Error
from layer7.experiments.design import Design, Plan, design, looks_of, plan_of
from layer7.experiments.information import planned_information
from layer7.experiments.metrics import Metric, metric
from layer7.experiments.plan import plan_hash
from layer7.experiments.replication import Runs, limits, run_often
from layer7.experiments.traffic import DAY, Attempts, Floats, Ints, Traffic, replayed
from layer7.statistics import wilson_bounds
from layer7.statistics.trials import Guarantee

RUNS = 500
LEVEL = 0.95
USUAL_ALPHA = 0.05

CHEAPER = 1.2
"""From this design effect on, splitting applications is worth a word."""

Progress = Callable[[float], None]
"""Is told which share of the work was done since it was told last."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Evidence:
    """What the log gives a passport.

    Args:
        attempts: those of the success metric, over the whole log.
        unseen: what silence takes off a trial, by age in days; empty where the metric waits for nothing.
        end: the end of the log, with its time zone.
        stages: of the ramp, as soon as it may go on: days from the start, and share of the units that takes
            part from then on; empty where it stays that of the plan.
    """

    attempts: Attempts
    unseen: Floats
    end: datetime
    stages: tuple[tuple[float, float], ...] = ()


def passport(
    experiment: Experiment,
    evidence: Evidence,
    *,
    rng: np.random.Generator,
    runs: int = RUNS,
    progress: Progress = lambda _share: None,
) -> DesignPassport:
    """Simulate a design on the log, and say what it can and cannot find.

    The last days of the log, as many as the experiment is to last, are played again: units are taken from
    them at random with their real applications, outcomes and waiting times, split by chance, and compared
    at the planned looks as the engine compares. Three worlds: nothing changed, the smallest worthwhile
    effect, and as much harm. A design is underpowered when the whole Monte-Carlo interval of its power
    lies below the planned power.

    Args:
        experiment: the plan.
        evidence: the log.
        rng: the dice.
        runs: simulated experiments in each world, at least 20.
        progress: is told how far it is.

    Returns:
        The passport; ``cannot_tell`` where the log is too short or empty, or where the metric does not fit
        the unit.

    Raises:
        Layer7Error: ``unknown_metric``; ``bad_design`` for fewer than 20 runs.

    Source:
        Morris, White and Crowther (2019), Statistics in Medicine 38:2074-2102, for Monte-Carlo errors.

    Trust:
        As far as the coming weeks resemble the last ones.
    """
    if runs < 20:
        raise Layer7Error("bad_design", f"{runs} simulated experiments.", "20 is the least, 500 is usual.")
    kind = metric(experiment.success_metric)
    covered = _at_its_widest(experiment, evidence)
    try:
        traffic = _traffic(covered, kind, evidence)
        plan = plan_of(covered, kind, traffic.rate)
        worlds = _Worlds.of(traffic, plan, runs=runs, rng=rng, progress=progress)
        found = design(traffic, plan, reach=worlds.last_reach(plan))
    except Layer7Error as error:
        if error.code not in {"short_log", "no_traffic", "bad_design"}:
            raise
        return _untold(experiment, evidence, error)
    return _stamped(experiment, evidence, (traffic, plan, found), worlds)


def _at_its_widest(experiment: Experiment, evidence: Evidence) -> Experiment:
    """The experiment with the share of the units that takes part in the end."""
    if not evidence.stages:
        return experiment
    return experiment.model_copy(update={"coverage": evidence.stages[-1][1]})


def _traffic(experiment: Experiment, kind: Metric, evidence: Evidence) -> Traffic:
    if kind.is_tallied:
        said = f"No design that {kind.name} decides is simulated: a replay adds attempts up; it is no sum."
        hint = f"Let {kind.instead} decide, which is about the same, and watch {kind.name} as a signal."
        raise Layer7Error("bad_design", said, hint)
    end, attempts = evidence.end.timestamp() / DAY, evidence.attempts
    if evidence.stages:
        shares = [(day, share / experiment.coverage) for day, share in evidence.stages]
        attempts = attempts.joining(shares, end - experiment.maximum_duration_days)
    return replayed(
        attempts,
        kind,
        end=end,
        days=experiment.maximum_duration_days,
        looks=looks_of(experiment),
        unseen=evidence.unseen,
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Worlds:
    """The runs in the three worlds, and when each was stopped."""

    nothing: Runs
    better: Runs
    worse: Runs
    reach: Floats

    @classmethod
    def of(
        cls, traffic: Traffic, plan: Plan, *, runs: int, rng: np.random.Generator, progress: Progress
    ) -> "_Worlds":
        replicas = plan.replicas(traffic)
        sign = 1.0 if traffic.metric.higher_is_better else -1.0
        found = [
            run_often(
                replicas, traffic.metric.shape, effect=sign * way * plan.effect, runs=runs, rng=rng,
                progress=lambda share: progress(share / 3),
            )
            for way in (0.0, 1.0, -1.0)
        ]  # fmt: skip
        reach = limits(
            found[0],
            guarantee=plan.guarantee,
            alpha=plan.alpha,
            planned=planned_information(plan.effect / traffic.rate, alpha=plan.alpha, power=plan.power),
            from_look=first_look(found[0], plan),
        )
        return cls(nothing=found[0], better=found[1], worse=found[2], reach=reach)

    def last_reach(self, plan: Plan) -> float:
        """Give the reach of the last look; that of a single one where no look may prove anything."""
        alone = float(-special.ndtri(plan.alpha / 2))
        return float(self.reach[-1]) if np.isfinite(self.reach[-1]) else alone


def first_look(runs: Runs, plan: Plan) -> int:
    """Give the first look at which both arms are expected to have their minimum of units.

    Args:
        runs: of the design.
        plan: its minimum and shares.
    """
    smaller = runs.units.mean(axis=0) * min(plan.share, 1 - plan.share)
    enough = smaller >= plan.least
    return int(enough.argmax()) if enough.any() else enough.size


def _stamped(
    experiment: Experiment,
    evidence: Evidence,
    told: tuple[Traffic, Plan, Design],
    worlds: _Worlds,
) -> DesignPassport:
    traffic, plan, found = told
    power = _share(worlds.better, worlds.reach)
    sound = power.interval[1] >= plan.power
    begin = evidence.end - timedelta(days=experiment.maximum_duration_days)
    return DesignPassport.model_validate(
        {
            **_asked(experiment, evidence),
            **_told(found),
            **_figures(traffic, plan, worlds),
            "judgement": "sound" if sound else "underpowered",
            "sentence": _sentence(experiment, told, power) + _conditions(plan, evidence),
            "feasible": () if sound else _feasible(_at_its_widest(experiment, evidence), told),
            "minimum_effect": plan.effect,
            "effect_is_assumed": not experiment.minimum_effect,
            "looks": traffic.looks,
            "certificate": _certificate(plan, len(traffic.looks)),
            "window": Period(start=begin.isoformat(), end=evidence.end.isoformat()),
            "power": power,
        }
    )


def _told(found: Design) -> dict[str, object]:
    return {
        "units": found.units,
        "units_per_week": found.per_week,
        "attempts_per_unit": found.attempts_per_unit,
        "rate": found.rate,
        "between_unit_sd": found.between_sd,
        "design_effect": found.design_effect,
        "median_wait_days": found.median_wait,
        "unseen_share": min(max(found.unseen, 0.0), 1.0),
        "units_needed": found.needed,
        "days_needed": found.days_needed,
        "detectable_effect": found.detectable,
        "detectable_at_minimum": found.detectable_at_least,
        "detectable_by_application": found.detectable_by_attempt,
    }


def _asked(experiment: Experiment, evidence: Evidence) -> dict[str, object]:
    return {
        "experiment_id": experiment.experiment_id,
        "plan_hash": plan_hash(experiment),
        "metric": experiment.success_metric,
        "unit": experiment.unit,
        "alpha": experiment.alpha,
        "planned_power": experiment.power,
        "days": experiment.maximum_duration_days,
        "as_of": (evidence.end - timedelta(days=1)).astimezone(UTC).date().isoformat(),
    }


def _untold(experiment: Experiment, evidence: Evidence, error: Layer7Error) -> DesignPassport:
    return DesignPassport.model_validate(
        {
            **_asked(experiment, evidence),
            "judgement": "cannot_tell",
            "sentence": f"Cannot tell yet: {error.message}",
            "feasible": (error.hint,) if error.hint else (),
            "minimum_effect": experiment.minimum_effect,
        }
    )


def _figures(traffic: Traffic, plan: Plan, worlds: _Worlds) -> dict[str, Simulated]:
    stopped = {name: getattr(worlds, name).proven_at(worlds.reach) for name in ("better", "worse")}
    days = np.append(np.asarray(traffic.looks), traffic.looks[-1])
    loss = _loss(traffic, plan, worlds.worse, np.minimum(stopped["worse"], len(traffic.looks) - 1))
    return {
        "false_positive_rate": _share(worlds.nothing, worlds.reach),
        "harm_found": _share(worlds.worse, worlds.reach),
        "days_to_adopt": _mean(days[stopped["better"]]),
        "days_to_stop_harm": _mean(days[stopped["worse"]]),
    } | ({} if loss is None else {"expected_loss": _mean(loss)})


def _loss(traffic: Traffic, plan: Plan, runs: Runs, last: Ints) -> Floats | None:
    """What each run lost until the look at which it was stopped; None for means of values."""
    rows = np.arange(last.size)
    if traffic.counts_successes:
        lost: Floats = runs.begun[rows, last, 1] * plan.effect
        return lost
    if traffic.metric.shape is not MetricShape.MEAN:
        return None
    grown = np.asarray(traffic.looks)[last] / traffic.looks[-1]
    return runs.units[rows, last] * plan.share * plan.effect * grown


def _share(runs: Runs, reach: Floats) -> Simulated:
    proven = runs.proven_at(reach) < reach.size
    low, high = wilson_bounds(float(proven.sum()), float(proven.size), LEVEL)
    return Simulated(value=float(proven.mean()), interval=(float(low), float(high)), n=proven.size)


def _mean(values: Floats) -> Simulated:
    half = float(special.stdtrit(values.size - 1, (1 + LEVEL) / 2) * values.std(ddof=1)) / math.sqrt(
        values.size
    )
    middle = float(values.mean())
    return Simulated(value=middle, interval=(middle - half, middle + half), n=values.size)


def _certificate(plan: Plan, looks: int) -> str:
    match plan.guarantee:
        case Guarantee.FIXED:
            return f"one look at the end, alpha {plan.alpha:g}"
        case Guarantee.GROUP_SEQUENTIAL:
            return f"group sequential, alpha {plan.alpha:g} spent by information over {looks} looks"
        case Guarantee.ANYTIME:
            return f"anytime-valid at alpha {plan.alpha:g}, looked at weekly here ({looks} looks)"


def written(value: float, kind: Metric) -> str:
    """Give a difference of a metric in words: points of a share, else the metric's own unit.

    Args:
        value: the difference.
        kind: the metric.

    Example:
        >>> written(0.0108, metric("interview_rate")), written(2.5, metric("days_to_response"))
        ('1.1 points', '2.5 days')
    """
    return f"{100 * value:.1f} points" if kind.unit == "share" else f"{value:.2g} {kind.unit}"


def _sentence(experiment: Experiment, told: tuple[Traffic, Plan, Design], power: Simulated) -> str:
    traffic, plan, found = told
    per_arm = found.units * min(plan.share, 1 - plan.share)
    if not plan.by_attempt and per_arm < plan.least:
        return (
            f"In {experiment.maximum_duration_days} days about {per_arm:.0f} people come into an arm; the "
            f"plan asks for {plan.least} before any verdict."
        )
    wanted = written(plan.effect, traffic.metric)
    assumed = "" if experiment.minimum_effect else " (assumed, since the plan names none)"
    return (
        f"An effect of {wanted}{assumed} is proven in {power.value:.0%} of such experiments "
        f"({power.interval[0]:.0%} to {power.interval[1]:.0%}); {plan.power:.0%} are planned."
    )


def _conditions(plan: Plan, evidence: Evidence) -> str:
    """Say what else the figure rests on: a budget's alpha, and a ramp that goes on as soon as it may."""
    said = ""
    if plan.alpha < USUAL_ALPHA:
        wanted, usual = (
            planned_information(1.0, alpha=a, power=plan.power) for a in (plan.alpha, USUAL_ALPHA)
        )
        said = (
            f" Its alpha is {plan.alpha:.2g}, as the budget of false adoptions allows: that takes "
            f"{wanted / usual:.1f} times the people of {USUAL_ALPHA:g}."
        )
    if len(evidence.stages) > 1:
        steps = ", ".join(f"{share:.0%} from day {day:g}" for day, share in evidence.stages)
        said += f" People take part as its ramp lets them ({steps}), if no gate holds it."
    return said


def _feasible(experiment: Experiment, told: tuple[Traffic, Plan, Design]) -> tuple[str, ...]:
    traffic, plan, found = told
    days, kind = found.days_needed, traffic.metric
    ways = []
    per_arm = found.units * min(plan.share, 1 - plan.share)
    if not plan.by_attempt and per_arm < plan.least:
        ways.append(f"Ask for at most {per_arm:.0f} people in each arm (minimum_sample_size).")
    if days is not None and days > experiment.maximum_duration_days:
        ways.append(f"Let it run for {math.ceil(days / 7)} weeks (maximum_duration_days {math.ceil(days)}).")
    ways.append(f"Look for an effect of {written(found.detectable, kind)} or more (minimum_effect).")
    if experiment.coverage < 1:
        ways.append("Let everybody take part (coverage 1).")
    if not plan.by_attempt and (found.design_effect or 0.0) >= CHEAPER and found.detectable_by_attempt:
        ways.append(
            "Split applications in place of people (unit application), if the change acts on one "
            f"application: that takes {found.design_effect:.1f} times fewer, and finds "
            f"{written(found.detectable_by_attempt, kind)}."
        )
    return tuple(ways)
