"""The ledger of the engine's own proposals: false adoptions, forecasts against what came, and harm."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from layer7.contract.experiments import Experiment
from layer7.contract.fields import Interval
from layer7.contract.lifecycle import State
from layer7.contract.recommendation import OptimizationRecommendation
from layer7.experiments.metrics import metric
from layer7.rollout.ramp import HOLDBACK, Ramp
from layer7.statistics import wilson
from layer7.statistics.trials import Entry, next_alpha, spent

BUDGET = 0.05
"""Accepted share of false adoptions among all adoptions of the engine's own proposals."""
WIDEST_ALPHA = 0.05
"""No experiment of the engine's own claims more, however much of the budget is left."""

_Z = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a proposal promised, and what its experiment found, in the same unit.

    Args:
        experiment_id: the experiment.
        promised: the forecast gain.
        promised_interval: its 95 % interval.
        found: the difference that was found.
        found_interval: its interval.
    """

    experiment_id: str
    promised: float
    promised_interval: Interval
    found: float
    found_interval: Interval

    @property
    def is_kept(self) -> bool:
        """Whether what was found lies within the forecast, both with their uncertainty."""
        return abs(self.found - self.promised) <= _Z * math.hypot(self.promised_error, self.found_error)

    @property
    def promised_error(self) -> float:
        """Standard error of the forecast."""
        return _error(self.promised_interval)

    @property
    def found_error(self) -> float:
        """Standard error of what was found."""
        return _error(self.found_interval)


@dataclass(frozen=True, slots=True)
class Record:
    """How good forecasts were.

    Args:
        n: forecasts that can be scored.
        kept: how many of them were kept.
        coverage: share that was kept; None without any. 95 % is honest.
        coverage_interval: its 95 % interval.
        shrinkage: what came for each unit promised; 1 is honest, below 1 too much was promised.
        shrinkage_interval: its 95 % interval.
    """

    n: int
    kept: int
    coverage: float | None
    coverage_interval: Interval | None
    shrinkage: float | None
    shrinkage_interval: Interval | None


@dataclass(frozen=True, slots=True)
class Ledger:
    """What the engine's proposals have cost and brought so far.

    Args:
        budget: accepted share of false adoptions.
        tests: the engine's experiments in the order of their making.
        alphas: alpha and p-value of a benefit (one-sided), and whether it was proven, of each.
        spent: alpha given so far.
        next_alpha: what the next experiment would be given: the wealth that is left.
        forecasts: how good forecasts were.
        unscored: forecasts in another unit than the experiment measured, or not ended.
        harm: lost interviews proven so far, over all ramps.
        harm_budget: most lost interviews that the ramps so far may cost together.
    """

    budget: float
    tests: tuple[str, ...]
    alphas: tuple[Entry, ...]
    spent: float
    next_alpha: float
    forecasts: Record
    unscored: int
    harm: float
    harm_budget: float

    @property
    def discoveries(self) -> int:
        """How many were proven better."""
        return sum(entry.is_discovery for entry in self.alphas)


def granted(stream: Sequence[Entry], *, budget: float = BUDGET) -> float:
    """Give the two-sided alpha of the engine's next experiment: twice what the budget has left, 0.05 at most.

    Only a benefit is adopted, so the budget is spent on that side alone; the other half of a two-sided alpha
    guards against harm, whose false alarms adopt nothing.

    Args:
        stream: the tests so far, in order of their start.
        budget: accepted share of false adoptions.

    Example:
        >>> round(granted([]), 5)
        0.00274
    """
    return min(2 * next_alpha(stream, budget=budget), WIDEST_ALPHA)


def entries(experiments: Iterable[Experiment]) -> tuple[Entry, ...]:
    """Give the stream of tests of the engine's own proposals, as the budget takes it.

    A test that has not ended counts as one that proved nothing: that only lowers what the next is given.

    Args:
        experiments: in the order of their making; those of people, and of holdbacks, are left out.
    """
    return tuple(_entry(each) for each in experiments if _is_own(each))


def forecast_of(recommendation: OptimizationRecommendation, experiment: Experiment) -> Forecast | None:
    """Give a forecast beside what was found; None where the two cannot be compared.

    Args:
        recommendation: what was promised.
        experiment: what was found; every ended one counts, whatever it found, since a choice of the winners
            alone would flatter the forecasts.
    """
    evidence, results = recommendation.evidence, experiment.results
    if experiment.status is not State.COMPLETED or results is None or results.blocked_by:
        return None
    if evidence.metric_improved != experiment.success_metric:
        return None
    promised = (evidence.improvement_amount, evidence.confidence_interval)
    found = (results.absolute_difference, results.confidence_interval)
    if promised[0] is None or promised[1] is None or found[0] is None or found[1] is None:
        return None
    return Forecast(experiment.experiment_id, promised[0], promised[1], found[0], found[1])


def score(forecasts: Sequence[Forecast]) -> Record:
    """Score forecasts: how many were kept, and how much came for each unit promised.

    Shrinkage is the slope through the origin, sum(f r / v) / sum(f² / v), with f promised, r found and v the
    squared standard error of r; its standard error is 1 / sqrt(sum(f² / v)).

    Args:
        forecasts: each with what was found.

    Trust:
        The forecasts' own errors are taken as part of what is scored: random errors alone pull the slope
        below 1, which is what shrinkage is about.

    Source:
        Copas (1983), Journal of the Royal Statistical Society B 45:311-354: shrinkage of predictions.

    Example:
        >>> half = Forecast("exp_1", 0.04, (0.01, 0.07), 0.02, (0.01, 0.03))
        >>> score([half]).shrinkage, score([half]).kept
        (0.5, 1)
    """
    kept = sum(each.is_kept for each in forecasts)
    share = wilson(kept, len(forecasts))
    ends = None if share.interval is None else (share.interval.low, share.interval.high)
    weighed = [each for each in forecasts if each.found_error > 0]
    weight = math.fsum(each.promised**2 / each.found_error**2 for each in weighed)
    if weight <= 0:
        return Record(len(forecasts), kept, share.value, ends, None, None)
    slope = math.fsum(each.promised * each.found / each.found_error**2 for each in weighed) / weight
    reach = _Z / math.sqrt(weight)
    return Record(len(forecasts), kept, share.value, ends, slope, (slope - reach, slope + reach))


def ledger(
    experiments: Sequence[Experiment],
    recommendations: Iterable[OptimizationRecommendation],
    ramps: Sequence[Ramp],
    *,
    budget: float = BUDGET,
) -> Ledger:
    """Add up what the engine's proposals have cost and brought.

    Args:
        experiments: in the order of their making.
        recommendations: those behind them.
        ramps: all ramps.
        budget: accepted share of false adoptions.
    """
    own = [each for each in experiments if _is_own(each)]
    stream = entries(own)
    behind = {each.recommendation_id: each for each in recommendations}
    pairs = [(behind[each.recommendation_id], each) for each in own if each.recommendation_id in behind]
    scored = [found for pair in pairs if (found := forecast_of(*pair)) is not None]
    return Ledger(
        budget=budget,
        tests=tuple(each.experiment_id for each in own),
        alphas=stream,
        spent=spent(stream),
        next_alpha=next_alpha(stream, budget=budget),
        forecasts=score(scored),
        unscored=len(own) - len(scored),
        harm=math.fsum(ramp.harm for ramp in ramps),
        harm_budget=math.fsum(ramp.harm_budget for ramp in ramps),
    )


def _is_own(experiment: Experiment) -> bool:
    return experiment.recommendation_id is not None and not experiment.experiment_id.endswith(HOLDBACK)


def _entry(experiment: Experiment) -> Entry:
    results, ended = experiment.results, experiment.status is State.COMPLETED
    p = results.p_value if results is not None and ended and not results.blocked_by else None
    proven = p is not None and results is not None and results.winner == "treatment" and p <= experiment.alpha
    return Entry(experiment.alpha / 2, None if p is None else _benefit_p(experiment, p), proven)


def _benefit_p(experiment: Experiment, p: float) -> float:
    """The p-value of there being no benefit, from the two-sided one."""
    results = experiment.results
    gap = 0.0 if results is None else results.absolute_difference or 0.0
    better = gap > 0 if metric(experiment.success_metric).higher_is_better else gap < 0
    return p / 2 if better else 1 - p / 2


def _error(interval: Interval) -> float:
    return (interval[1] - interval[0]) / (2 * _Z)
