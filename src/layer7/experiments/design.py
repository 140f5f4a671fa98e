"""What an experiment needs, as this log's traffic and the differences between its people tell."""

import math
from dataclasses import dataclass, replace

import numpy as np
from scipy import special

from layer7.analytics.trials.arms import KINDS
from layer7.contract.experiments import Experiment
from layer7.contract.vocabulary import MetricShape
from layer7.experiments.information import information, planned_information
from layer7.experiments.metrics import Metric
from layer7.experiments.plan import control_of
from layer7.experiments.replication import ByAttempt, ByUnit
from layer7.experiments.traffic import Floats, Traffic
from layer7.statistics.trials import ArmMoments, Guarantee, compare, detectable, units_needed

DEFAULT_LIFT = 0.25
"""The effect looked for where a plan names none, as a share of the value (or of what is missing to 1)."""

LONGEST_DAYS = 4 * 365.0
WEEK = 7
_STEPS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What of an experiment's plan the design depends on.

    Args:
        effect: smallest worthwhile difference, above 0.
        alpha: accepted probability of a false alarm, all looks together.
        power: wanted probability of proving the effect.
        guarantee: how it is looked at.
        share: of the treatment among the units of both arms.
        coverage: share of all units that are in one of the two arms.
        least: units per arm before any verdict.
        by_attempt: whether single attempts are split by chance, not units.
    """

    effect: float
    alpha: float = 0.05
    power: float = 0.8
    guarantee: Guarantee = Guarantee.GROUP_SEQUENTIAL
    share: float = 0.5
    coverage: float = 1.0
    least: int = 2
    by_attempt: bool = False

    def replicas(self, traffic: Traffic) -> ByUnit | ByAttempt:
        """Give what draws runs of the plan on a stretch of the log."""
        kind = ByAttempt if self.by_attempt else ByUnit
        return kind(traffic, units=self.units(traffic), share=self.share)

    def units(self, traffic: Traffic) -> int:
        """Give how many of the stretch's units take part."""
        return max(1, round(traffic.units * self.coverage))


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """What a plan needs and can find on a log, for one look at the end.

    Args:
        units: of the stretch that take part, both arms.
        per_week: of these, new ones per week.
        attempts_per_unit: what the metric counts, per unit.
        rate: the metric, nothing changed.
        between_sd: standard deviation of the true rates between units; None where it cannot be told.
        design_effect: variance when units are split / when attempts are; None for metrics of units.
        median_wait: days to a success.
        unseen: share of the trials that the end does not answer for.
        needed: units of both arms that prove the effect at one look.
        days_needed: days until as much is known, at this traffic; None beyond four years.
        detectable: smallest effect that is proven with the planned power.
        detectable_at_least: the same with the plan's minimum of units in each arm.
        detectable_by_attempt: the same if attempts were split; None for metrics of units.
    """

    units: int
    per_week: float
    attempts_per_unit: float
    rate: float
    between_sd: float | None
    design_effect: float | None
    median_wait: float
    unseen: float
    needed: int
    days_needed: float | None
    detectable: float
    detectable_at_least: float
    detectable_by_attempt: float | None


def plan_of(experiment: Experiment, metric: Metric, rate: float) -> Plan:
    """Give what an experiment's design depends on; of several treatments, the smallest counts.

    Args:
        experiment: its plan.
        metric: its success metric.
        rate: the metric's present value, for the effect where none was named.
    """
    control = control_of(experiment)
    treatment = min(v.allocation for v in experiment.variants if v is not control)
    both = control.allocation + treatment
    effect = experiment.minimum_effect or DEFAULT_LIFT * _room(metric, rate)
    return Plan(
        effect=effect,
        alpha=experiment.alpha,
        power=experiment.power,
        guarantee=Guarantee(experiment.looking),
        share=treatment / both,
        coverage=both * experiment.coverage,
        least=experiment.minimum_sample_size,
        by_attempt=experiment.unit == "application",
    )


def _room(metric: Metric, rate: float) -> float:
    """What a lift is a share of: the value; of a share above one half, what is missing to 1."""
    return min(rate, 1 - rate) if metric.unit == "share" else abs(rate)


def looks_of(experiment: Experiment) -> tuple[float, ...]:
    """Give the planned looks as shares of the duration: evenly, weekly where anybody may look at any time.

    Args:
        experiment: its plan.

    Example:
        >>> from layer7.experiments.plan import specified
        >>> looks_of(specified(0))
        (0.25, 0.5, 0.75, 1.0)
    """
    match experiment.looking:
        case "fixed":
            count = 1
        case "gst":
            count = experiment.looks
        case "anytime":
            count = max(1, experiment.maximum_duration_days // WEEK)
    return tuple((at + 1) / count for at in range(count))


def design(traffic: Traffic, plan: Plan, *, reach: float) -> Design:
    """Tell what a plan needs and can find.

    With the variance v of one unit's part in the metric (delta method) and shares s and 1 - s of the arms,
    se² = v / n (1 / s + 1 / (1 - s)). Splitting attempts in place of units takes the differences between
    units out of it: the design effect is the ratio of both variances. Between units the true rates have
    the variance icc p (1 - p), icc = (design effect - 1) / (m - 1), m = Σ attempts² / Σ attempts.

    Args:
        traffic: a stretch of the log as long as the experiment.
        plan: what is planned.
        reach: standard errors that the interval of the last look reaches: looking often costs units.

    Source:
        Deng, Knoblich and Lu (2018), KDD, eq. 4; Kish (1965), *Survey Sampling*, section 5.4.

    Trust:
        As far as the coming weeks resemble those of the log. What early looks prove is left out: the passport
        counts it.
    """
    units, apart = plan.units(traffic), _by_attempt(traffic)
    spread = _unit_variance(ByUnit(traffic, units=units).everybody()[-1], traffic)
    one = apart if plan.by_attempt and apart is not None else spread
    arms, alpha = 1 / plan.share + 1 / (1 - plan.share), float(2 * special.ndtr(-reach))
    sizes = np.bincount(traffic.attempts.unit).astype(np.float64)
    counts = traffic.values(len(traffic.looks) - 1)[1]
    # A minimum of attempts is as many units as make them.
    fewest = 2 * plan.least / (float(sizes.mean()) if plan.by_attempt else 1.0)

    def found(variance: float, n: float) -> float:
        return detectable(math.sqrt(variance * arms / n), alpha=alpha, power=plan.power)

    return Design(
        units=units,
        per_week=units / (traffic.looks[-1] / WEEK),
        attempts_per_unit=float(sizes.mean()),
        rate=traffic.rate,
        between_sd=_between(spread, apart, sizes, traffic),
        design_effect=None if apart is None or apart == 0 else spread / apart,
        median_wait=float(np.median(traffic.waits)),
        unseen=float(1 - counts.sum() / counts.size),
        needed=units_needed(plan.effect, (one, one), alpha=alpha, power=plan.power, share=plan.share),
        days_needed=_days_needed(traffic, plan, alpha),
        detectable=found(one, units),
        detectable_at_least=found(one, fewest),
        detectable_by_attempt=None if apart is None else found(apart, units),
    )


def _unit_variance(everybody: ArmMoments, traffic: Traffic) -> float:
    """Variance of one unit's part in the metric: comparing everybody with themselves gives twice that / n."""
    error = compare(everybody, everybody, kind=KINDS[traffic.metric.shape]).difference.standard_error
    return error**2 * everybody.n / 2


def _by_attempt(traffic: Traffic) -> float | None:
    """The same if single attempts were split by chance, per unit; None for metrics of units."""
    if traffic.metric.shape is not MetricShape.RATIO:
        return None
    everybody = ByAttempt(traffic, units=1).everybody()[-1]
    return _unit_variance(everybody, traffic) * traffic.units / everybody.n


def _between(spread: float, apart: float | None, sizes: Floats, traffic: Traffic) -> float | None:
    """Standard deviation between units of the true rates, from the design effect."""
    if apart is None or not traffic.counts_successes or apart <= 0:
        return None
    mean = float((sizes**2).sum() / sizes.sum())
    if mean <= 1:
        return None
    alike = max(0.0, (spread / apart - 1) / (mean - 1))
    return math.sqrt(alike * traffic.rate * (1 - traffic.rate))


def _days_needed(traffic: Traffic, plan: Plan, alpha: float) -> float | None:
    """When the information that proves the effect has come, going on as in the second half of the stretch."""
    days = traffic.looks[-1] * np.arange(1, _STEPS + 1) / _STEPS
    grid = replace(traffic, looks=tuple(days.tolist()))
    known = np.array([_information(everybody, grid, plan) for everybody in plan.replicas(grid).everybody()])
    known = np.maximum.accumulate(known)
    wanted = planned_information(plan.effect / traffic.rate, alpha=alpha, power=plan.power)
    if wanted <= known[-1]:
        return float(np.interp(wanted, [0.0, *known], [0.0, *days]))
    pace = (known[-1] - known[_STEPS // 2 - 1]) / (days[-1] / 2)
    if pace <= 0:
        return None
    needed = float(days[-1] + (wanted - known[-1]) / pace)
    return needed if needed <= LONGEST_DAYS else None


def _information(everybody: ArmMoments, traffic: Traffic, plan: Plan) -> float:
    ratio = traffic.metric.shape is MetricShape.RATIO
    if everybody.n < 2 or (ratio and everybody.sums[1] == 0):
        return 0.0
    value = everybody.sums[0] / (everybody.sums[1] if ratio else everybody.n)
    arms = 1 / plan.share + 1 / (1 - plan.share)
    variance = _unit_variance(everybody, traffic) * arms / (everybody.n * plan.coverage)
    return information(float(value), math.sqrt(variance))
