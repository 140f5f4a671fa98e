"""What an experiment's results ask for: a decision that treats both arms alike."""

from dataclasses import dataclass
from datetime import UTC, datetime

from layer7.contract.experiments import Experiment, ExperimentResults, GuardrailResult, RolloutChecks, Verdict
from layer7.contract.fields import Interval
from layer7.experiments.metrics import METRICS, metric
from layer7.statistics.trials import ALARM

SUFFICIENT_UNITS = 200
SIGNIFICANT = 0.05
MEANINGFUL = 0.3


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do about an experiment.

    Args:
        verdict: the decision; None while quality checks block it.
        why: the reason, in words.
    """

    verdict: Verdict | None
    why: str

    @property
    def is_final(self) -> bool:
        """Whether the experiment has nothing more to say."""
        return self.verdict not in {None, "continue"}


def decide(experiment: Experiment, results: ExperimentResults, *, now: datetime) -> Decision:
    """Decide on an experiment, alike for both arms; the first rule that fits decides.

    1. A quality check blocks (``blocked_by``; a sample ratio p below 0.001): no verdict.
    2. An arm has fewer units than the plan's minimum: continue.
    3. The success metric, or a guardrail beyond its margin, is proven worse: keep control.
    4. The success metric is proven better and every guardrail of the plan is proven non-inferior: ship.
    5. The interval of the difference lies within the smallest worthwhile effect on both sides: no worthwhile
       difference.
    6. The planned end has come: ended without proof. Else: continue.

    Args:
        experiment: its plan.
        results: what was found, under the plan's way of looking.
        now: the present moment, with offset.

    Source:
        Schultzberg, Ankargren and Frånberg (2024), arXiv 2402.11609, the risk-aware decision rule.

    Trust:
        As far as the certificate of the results: each arm is called better for nothing in alpha / 2 of the
        experiments that change nothing.

    Example:
        >>> from datetime import UTC
        >>> from layer7.experiments.plan import specified
        >>> from layer7.experiments.comparison import unknown
        >>> decide(specified(0), unknown(0, 0, "No units yet."), now=datetime(2026, 3, 2, tzinfo=UTC))
        Decision(verdict=None, why='No verdict may be read: No units yet.')
    """
    blocked = blocking(results)
    if blocked:
        return Decision(None, f"No verdict may be read: {' '.join(blocked)}")
    found = _from_arms(experiment, results)
    if found is not None and found.verdict != "continue":
        return found
    if experiment.end_date is not None and now >= moment(experiment.end_date):
        return Decision("ended_without_proof", f"The planned end has come. {_open(experiment, results)}")
    return found or Decision("continue", _open(experiment, results))


def _from_arms(experiment: Experiment, results: ExperimentResults) -> Decision | None:
    """Give what the two arms say; None where they leave it open."""
    fewest = min(results.control_sample_size, results.treatment_sample_size)
    if fewest < experiment.minimum_sample_size:
        missing = experiment.minimum_sample_size - fewest
        return Decision("continue", f"About {missing} more units are needed in an arm.")
    worse = harmed(experiment, results)
    if worse:
        return Decision("keep_control", f"Proven worse: {', '.join(worse)}.")
    if results.winner == "treatment":
        unproven = _unproven(experiment, results)
        if unproven:
            waits = f"it is not yet excluded that {', '.join(unproven)} got worse than accepted."
            return Decision("continue", f"{experiment.success_metric} is proven better, but {waits}")
        return Decision("ship", f"{experiment.success_metric} is proven better, and no guardrail got worse.")
    if _is_negligible(results.confidence_interval, experiment.minimum_effect):
        least = f"{experiment.minimum_effect:g}"
        return Decision("no_worthwhile_difference", f"An effect of {least} or more is excluded either way.")
    return None


def blocking(results: ExperimentResults) -> tuple[str, ...]:
    """Give the quality checks that forbid any verdict, in words.

    Args:
        results: what was found.
    """
    ratio = results.sample_ratio_p_value
    if ratio is None or ratio >= ALARM or results.blocked_by:
        return results.blocked_by
    return (f"The units do not split as planned (p = {ratio:.2g}).",)


def harmed(experiment: Experiment, results: ExperimentResults) -> tuple[str, ...]:
    """Give the metrics that are proven worse in the treatment: the success metric, and guardrails.

    A guardrail's harm counts when its whole interval lies on the bad side and more harm than its margin is
    not excluded. No minimum sample is asked for: taking a change back can be undone, harm cannot.

    Args:
        experiment: the plan.
        results: what was found.
    """
    success = (experiment.success_metric,) if results.winner == "control" else ()
    return success + tuple(
        name
        for name in experiment.guardrail_metrics
        if name in results.guardrails and _is_worse(name, results.guardrails[name])
    )


def loss_bound(name: str, interval: Interval | None) -> float:
    """Give how much of a metric is lost at least, by the end of the interval that is kindest; 0 if nothing.

    Args:
        name: of the metric, which gives the direction.
        interval: of treatment minus control; None where it cannot be told.

    Example:
        >>> loss_bound("interview_rate", (-0.03, -0.01)), loss_bound("interview_rate", (-0.03, 0.02))
        (0.01, 0.0)
    """
    if interval is None:
        return 0.0
    low, high = interval
    return max(-high if metric(name).higher_is_better else low, 0.0)


def should_auto_rollout(results: ExperimentResults) -> bool:
    """Tell whether the specification's six checks are all met (6.3); reported beside the decision.

    Args:
        results: what was found.
    """
    return rollout_checks(results).passed


def rollout_checks(results: ExperimentResults) -> RolloutChecks:
    """Give the specification's six checks (6.3), null where one cannot be told.

    Args:
        results: what was found.

    Example:
        >>> from layer7.experiments.comparison import unknown
        >>> rollout_checks(unknown(10, 10, "Too few units.")).low_risk is None
        True
    """
    lift, interval = results.relative_improvement, results.confidence_interval
    return RolloutChecks(
        sufficient_sample=results.treatment_sample_size >= SUFFICIENT_UNITS,
        statistically_significant=None if results.p_value is None else results.p_value < SIGNIFICANT,
        meaningful_effect=None if results.effect_size is None else abs(results.effect_size) > MEANINGFUL,
        clear_winner=results.winner is not None,
        positive_direction=None if lift is None else lift > 0,
        low_risk=None if interval is None else interval[0] > 0,
    )


def decided(experiment: Experiment, results: ExperimentResults, *, now: datetime) -> ExperimentResults:
    """Give results with the verdict and the six checks written into them.

    Args:
        experiment: the plan.
        results: what was found.
        now: the present moment, with offset.
    """
    verdict = decide(experiment, results, now=now).verdict
    return results.model_copy(update={"verdict": verdict, "rollout_checks": rollout_checks(results)})


def _unproven(experiment: Experiment, results: ExperimentResults) -> tuple[str, ...]:
    kept = results.guardrails
    return tuple(
        name
        for name in experiment.guardrail_metrics
        if name not in kept or kept[name].non_inferior is not True
    )


def _is_worse(name: str, found: GuardrailResult) -> bool:
    known = name in METRICS
    return known and found.non_inferior is not True and loss_bound(name, found.interval) > 0


def _is_negligible(interval: Interval | None, least: float | None) -> bool:
    return interval is not None and least is not None and -least < interval[0] and interval[1] < least


def _open(experiment: Experiment, results: ExperimentResults) -> str:
    if results.confidence_interval is None:
        return f"Nothing can be said of {experiment.success_metric} yet."
    low, high = results.confidence_interval
    return (
        f"No difference of {experiment.success_metric} is proven; it lies between {low:+.3g} and {high:+.3g}."
    )


def moment(text: str) -> datetime:
    """Give a moment as it is kept; a day alone begins at midnight UTC.

    Args:
        text: ISO 8601.
    """
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)
