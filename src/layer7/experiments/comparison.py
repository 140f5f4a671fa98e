"""From the moments of two arms to results that say how sure they are, and why not where they are not."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from layer7.contract.effects import Arm
from layer7.contract.experiments import ExperimentResults
from layer7.contract.fields import Interval as Pair
from layer7.errors import Layer7Error
from layer7.statistics import wilson
from layer7.statistics.rates.intervals import Interval
from layer7.statistics.trials import (
    LEAST_CARRIERS,
    ArmMoments,
    Block,
    Comparison,
    Contrast,
    FreeTime,
    Guarantee,
    Inference,
    Looking,
    MetricKind,
    Quantile,
    Spectrum,
    compare,
    compare_spectra,
    detectable,
    infer,
    is_early,
    p_exact,
    power_fixed,
    together,
)

Arms = ArmMoments | Spectrum
Stratum = tuple[Arms, Arms]
"""Control and treatment of a stratum."""

EARLY = (
    f"Fewer than {LEAST_CARRIERS:g} units of both arms have anything in the numerator of the ratio, too few "
    "to look at it more than once."
)
EXACT = "Boschloo's exact test; interval by Newcombe's hybrid score method"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A metric as the arms tell it.

    Args:
        name: its name.
        kind: what it is.
        higher_is_better: its direction.
        before: what the columns from before are; None for no adjustment.
        minimum_effect: smallest worthwhile absolute difference; None where none was named.
        is_share: whether its values are said in percent; those of zeros and ones are anyway.
    """

    name: str
    kind: MetricKind | Quantile | FreeTime
    higher_is_better: bool = True
    before: MetricKind | None = None
    minimum_effect: float | None = None
    is_share: bool = False


def compare_arms(metric: Measured, control: Arms, treatment: Arms, looking: Looking) -> ExperimentResults:
    """Give what two arms say of a metric, under a way of looking.

    Shares with fewer than 20 events (or as few units without) are tested exactly where one look is planned.
    Where nothing can be said, values are null and ``blocked_by`` says what is missing.

    Args:
        metric: what is compared.
        control: its moments, or how many of its units have each value.
        treatment: the same of the treatment.
        looking: how the experiment is looked at.

    Raises:
        Layer7Error: ``bad_plan``, ``bad_looks``, ``bad_moments``.

    Example:
        >>> import numpy as np
        >>> arms = [ArmMoments(n=n, sums=np.array([k]), products=np.array([[k]]))
        ...         for n, k in ((1000, 100.0), (1000, 140.0))]
        >>> found = compare_arms(Measured(name="offers", kind=MetricKind.SHARE), *arms, Looking())
        >>> found.sentence[54:]
        '+4.0 points (95% interval +1.2 to +6.8, p = 0.0059, n = 2,000): better.'
    """
    return compare_strata(metric, [(control, treatment)], looking)


def compare_strata(metric: Measured, strata: Sequence[Stratum], looking: Looking) -> ExperimentResults:
    """Give what two arms say of a metric when its units came in strata, such as the stages of a ramp.

    The difference is the mean of the strata's differences, weighted by their units; strata are never pooled.
    One with fewer than 2 units in an arm, or in which the metric does not vary, is left out if there is
    another.

    Args:
        metric: what is compared.
        strata: the moments of control and treatment in each, at least one.
        looking: how the experiment is looked at.

    Raises:
        Layer7Error: ``bad_plan``, ``bad_looks``, ``bad_moments``.
    """
    units = (sum(arms[0].n for arms in strata), sum(arms[1].n for arms in strata))
    looking = looking.at(sum(units))
    told, why = _told(metric, strata)
    if told and looking.guarantee is not Guarantee.FIXED and _is_early(metric, told):
        told, why = (), EARLY
    if not told:
        return unknown(int(units[0]), int(units[1]), why)
    plain = together([_compare(metric.kind, arms) for arms in told], _weights(told))
    exact = _exact(metric, told[0], looking) if len(told) == 1 else None
    found = answer(metric, plain, exact or infer(plain.difference, looking), units=units)
    if found.confidence_interval is None:
        return found
    certificate = looking.certificate if exact is None else f"{EXACT}, for one look"
    return found.model_copy(update={"certificate": certificate, **_adjusted(metric, told, looking)})


def answer(
    metric: Measured, plain: Comparison, difference: Inference, *, units: tuple[float, float]
) -> ExperimentResults:
    """Give the results of a comparison, or why it says nothing.

    Args:
        metric: what is compared.
        plain: the comparison.
        difference: what may be claimed of it.
        units: of control and treatment.
    """
    found = _results(metric, plain, difference, units=units)
    if difference.interval is None:
        said = (
            "The metric does not vary between units, beyond rounding: no difference can be told from chance."
        )
        return found.model_copy(update={"blocked_by": (said,), "sentence": f"Cannot tell yet: {said}"})
    return found.model_copy(
        update={
            "certificate": difference.looking.certificate,
            "sentence": _sentence(metric, plain, difference),
            **_relative(plain, difference.looking),
        }
    )


def unknown(control: int, treatment: int, why: str) -> ExperimentResults:
    """Give results that say nothing, and why.

    Args:
        control: its units.
        treatment: its units.
        why: what is missing.
    """
    return ExperimentResults(
        control_sample_size=control,
        treatment_sample_size=treatment,
        control_metric=None,
        treatment_metric=None,
        absolute_difference=None,
        relative_improvement=None,
        p_value=None,
        confidence_interval=None,
        effect_size=None,
        winner=None,
        recommendation="continue_test",
        statistical_power=None,
        blocked_by=(why,),
        sentence=f"Cannot tell yet: {why}",
    )


def compared(metric: Measured, strata: Sequence[Stratum]) -> Comparison | None:
    """Give the comparison of two arms over strata, without any claim; None where it cannot be made.

    Neither is a ratio compared that has anything in its numerators for fewer than 10 units.

    Args:
        metric: what is compared.
        strata: the moments of control and treatment in each.
    """
    told, _ = _told(metric, strata)
    if not told or _is_early(metric, told):
        return None
    return together([_compare(metric.kind, arms) for arms in told], _weights(told))


def _compare(
    kind: MetricKind | Quantile | FreeTime, arms: Stratum, before: MetricKind | None = None
) -> Comparison:
    control, treatment = arms
    if isinstance(control, ArmMoments) and isinstance(treatment, ArmMoments) and isinstance(kind, MetricKind):
        return compare(control, treatment, kind=kind, before=before)
    if isinstance(control, Spectrum) and isinstance(treatment, Spectrum) and not isinstance(kind, MetricKind):
        return compare_spectra(control, treatment, kind)
    raise Layer7Error("bad_moments", f"{kind} cannot be told from these arms.", "Count what it needs.")


def _weights(strata: Sequence[Stratum]) -> list[float]:
    return [arms[0].n + arms[1].n for arms in strata]


def _told(metric: Measured, strata: Sequence[Stratum]) -> tuple[tuple[Stratum, ...], str]:
    """The strata that can be compared, and why the last of the others cannot."""
    told: list[Stratum] = []
    flat: list[Stratum] = []
    why = "No unit has come to either arm."
    for arms in strata:
        try:
            found = _compare(metric.kind, arms)
        except Layer7Error as error:
            if error.code not in {"too_few_units", "no_denominator"}:
                raise
            why = str(error)
            continue
        (told if found.difference.standard_error > 0 else flat).append(arms)
    return tuple(told or flat[:1]), why


def _is_early(metric: Measured, strata: Sequence[Stratum]) -> bool:
    """Whether a rate rests on so few successes that a look at it may prove anything."""
    arms = [arm for pair_of in strata for arm in pair_of if isinstance(arm, ArmMoments)]
    return isinstance(metric.kind, MetricKind) and is_early(arms, metric.kind)


def pair(interval: Interval | None) -> Pair | None:
    """Give an interval as the contract has it."""
    return None if interval is None else (interval.low, interval.high)


def _results(
    metric: Measured, plain: Comparison, difference: Inference, *, units: tuple[float, float]
) -> ExperimentResults:
    winner = _winner(metric, difference)
    error = plain.difference.standard_error
    fixed = difference.looking.guarantee is Guarantee.FIXED
    return ExperimentResults(
        control_sample_size=int(units[0]),
        treatment_sample_size=int(units[1]),
        control_metric=plain.control,
        treatment_metric=plain.treatment,
        absolute_difference=plain.difference.estimate,
        relative_improvement=None if plain.lift is None else plain.lift.estimate,
        p_value=difference.p_value,
        confidence_interval=pair(difference.interval),
        effect_size=plain.effect_size,
        winner=winner,
        recommendation=(
            "roll_out_winner" if winner else "no_significant_difference" if fixed else "continue_test"
        ),
        statistical_power=(
            None
            if metric.minimum_effect is None or error <= 0
            else power_fixed(metric.minimum_effect, error, difference.looking.alpha)
        ),
        detectable_effect=detectable(error, alpha=difference.looking.alpha) if error > 0 else None,
        method=_method(metric.kind),
    )


def _method(kind: MetricKind | Quantile | FreeTime) -> str | None:
    match kind:
        case MetricKind.SHARE:
            return None
        case Quantile(share=share):
            return f"quantile {share:g} with order statistics"
        case FreeTime(horizon=horizon, whole=whole):
            time = f"{horizon:g} days" if whole else f"{horizon:.6g} units of time"
            return f"restricted mean of {time}, by Kaplan and Meier's estimate"
        case _:
            return "difference of means by the delta method"


def _winner(metric: Measured, difference: Inference) -> Arm | None:
    if not difference.is_proven:
        return None
    return "treatment" if (difference.estimate > 0) == metric.higher_is_better else "control"


def _exact(metric: Measured, arms: Stratum, looking: Looking) -> Inference | None:
    """The exact test of few events at one look; None where the usual one is to be used."""
    control, treatment = arms
    if isinstance(control, Spectrum) or isinstance(treatment, Spectrum):
        return None
    if metric.kind is not MetricKind.SHARE or looking.guarantee is not Guarantee.FIXED:
        return None
    counted = Block(int(control.n), int(control.sums[0]), int(treatment.n), int(treatment.sums[0]))
    # Where nothing happened, or everything, there is nothing to tell from chance: a p of 1 would say "alike".
    happened = counted.control_events + counted.treatment_events
    if happened in {0, counted.control + counted.treatment}:
        return None
    if not counted.is_small or control.n + treatment.n > 4000:
        return None
    level = 1 - looking.alpha
    a = wilson(counted.control_events, counted.control, level)
    b = wilson(counted.treatment_events, counted.treatment, level)
    if a.value is None or b.value is None or a.interval is None or b.interval is None:
        return None
    gap = b.value - a.value
    low = gap - math.hypot(b.value - b.interval.low, a.interval.high - a.value)
    high = gap + math.hypot(b.interval.high - b.value, a.value - a.interval.low)
    return Inference(
        estimate=gap, interval=Interval(low, high, level), p_value=p_exact(counted), looking=looking
    )


def _relative(plain: Comparison, looking: Looking) -> Mapping[str, object]:
    if plain.lift is None:
        return {}
    return {"relative_interval": pair(infer(plain.lift, looking).interval)}


def _adjusted(metric: Measured, strata: Sequence[Stratum], looking: Looking) -> Mapping[str, object]:
    if metric.before is None:
        return {}
    parts = [_compare(metric.kind, arms, _before(metric, arms)) for arms in strata]
    found = infer(together(parts, _weights(strata)).difference, looking)
    return {
        "adjusted_difference": found.estimate,
        "adjusted_interval": pair(found.interval),
        "adjusted_p_value": found.p_value,
    }


def _before(metric: Measured, arms: Stratum) -> MetricKind | None:
    """What the columns from before are, where they say anything: a rate of nothing is none."""
    if metric.before is not MetricKind.RATIO or not isinstance(metric.kind, MetricKind):
        return metric.before
    first = metric.kind.columns
    nothing = any(isinstance(arm, ArmMoments) and arm.sums[first + 1] == 0 for arm in arms)
    return None if nothing else metric.before


def _sentence(metric: Measured, plain: Comparison, difference: Inference) -> str:
    interval = difference.interval
    ends = (0.0, 0.0) if interval is None else (interval.low, interval.high)
    share = metric.is_share or metric.kind is MetricKind.SHARE
    values = [f"{value:.1%}" if share else f"{value:.4g}" for value in (plain.treatment, plain.control)]
    gaps = [f"{100 * gap:+.1f}" if share else f"{gap:+.4g}" for gap in (plain.difference.estimate, *ends)]
    winner = _winner(metric, difference)
    verdict = {"treatment": "better", "control": "worse"}.get(winner or "", "no difference proven")
    p = "unknown" if difference.p_value is None else f"{difference.p_value:.2g}"
    return (
        f"{metric.name}: {values[0]} in the treatment, {values[1]} in the control: {gaps[0]}"
        f"{' points' if share else ''} ({1 - difference.looking.alpha:.0%} interval {gaps[1]} to {gaps[2]}, "
        f"p = {p}, n = {int(plain.difference.n):,}): {verdict}."
    )


def contrast_of(estimate: float, standard_error: float, n: float) -> Contrast:
    """Give a contrast whose standard error is known well.

    Args:
        estimate: treatment minus control.
        standard_error: of the estimate.
        n: units of both arms.
    """
    return Contrast(estimate=estimate, standard_error=standard_error, freedom=math.inf, n=n)
