"""What an experiment says so far: from its cells to results with every guarantee named."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from layer7.analytics.applications.outcomes import SECONDS_PER_DAY, seconds_of
from layer7.analytics.trials.arms import KINDS
from layer7.analytics.trials.cells import Cells, Keyed
from layer7.analytics.trials.tallies import Tallies
from layer7.contract.effects import Effect, Look, MetricResult
from layer7.contract.evidence import Lineage, Period
from layer7.contract.experiments import Experiment, ExperimentResults, GuardrailResult
from layer7.contract.facts import WINDOW_DAYS
from layer7.contract.fields import FrozenDict
from layer7.contract.vocabulary import MetricShape
from layer7.experiments import effects
from layer7.experiments.comparison import Measured, compare_strata, compared, pair
from layer7.experiments.information import information
from layer7.experiments.looks import Schedule, planned_end, planned_units, schedule, share_of_time
from layer7.experiments.metrics import Metric, metric
from layer7.experiments.plan import CONTROL
from layer7.experiments.quality import Quality, quality, strata_of
from layer7.statistics.rates.intervals import Interval
from layer7.statistics.trials import (
    FreeTime,
    Guarantee,
    Looking,
    MetricKind,
    Quantile,
    critical_anytime,
    power_anytime,
    power_fixed,
    power_sequential,
)

DEFAULT_MARGIN = 0.05
"""How much worse a guardrail may get where the plan names no margin, as a share of the control's value."""

SEGMENT_SCALE = 0.25
"""How far segments seldom differ where the plan names no smallest effect, as a share of the value."""

PACE_DAYS = 14
METHOD = "Difference by the delta method in each stage of the ramp, weighted by the stage's units; unit: "


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Evidence:
    """What the log says of one experiment.

    Args:
        cells: its units.
        tallies: how many units have each value, by the name of the value.
        pairs: its units that are in other running experiments too; None where no other runs.
        as_of: the end of the night.
        lineage: where it was read.
    """

    cells: Cells
    pairs: Cells | None
    as_of: datetime
    lineage: Lineage
    tallies: Mapping[str, Tallies] = field(default_factory=dict)

    def of(self, chosen: Metric) -> Keyed:
        """Give the units as a metric asks for them."""
        return self.tallies[chosen.columns[0]] if chosen.is_tallied else self.cells


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Compared:
    """One treatment beside the control."""

    variant: str
    results: ExperimentResults
    schedule: Schedule
    look: Look | None
    error: float


def results_of(
    experiment: Experiment, evidence: Evidence, earlier: ExperimentResults | None = None
) -> ExperimentResults:
    """Give what an experiment says by a night.

    The success metric is read under the plan's way of looking, alpha divided by the number of treatments;
    guardrails one-sided and signal metrics two-sided at any time. Of several treatments, the figures are
    those of one proven better, else of the one with the best estimate. The same log, plan and earlier looks
    give the same results, bit for bit.

    Args:
        experiment: its plan, running.
        evidence: what the log says.
        earlier: results of the night before, for its looks; of later nights they are left out.

    Raises:
        Layer7Error: ``unknown_metric``.
    """
    checked = quality(experiment, evidence.cells)
    success = metric(experiment.success_metric)
    arms = [
        _compare(experiment, evidence, each.variant_id, earlier)
        for each in experiment.variants
        if each.variant_id != CONTROL
    ]
    best = min(arms, key=lambda arm: _rank(arm, success))
    found = best.results.model_copy(update=_figures(experiment, checked, best))
    return found.model_copy(
        update={
            "arms": FrozenDict({arm.variant: _as_metric(arm.results, _looks(arm)) for arm in arms}),
            "guardrails": FrozenDict(_guardrails(experiment, evidence, best.variant)),
            "signals": FrozenDict(_signals(experiment, evidence, best.variant)),
            **_parts(experiment, evidence, best.variant),
            **_outlook(experiment, evidence, best),
            "as_of": evidence.as_of.isoformat(),
            "lineage": evidence.lineage,
        }
    )


def measured(chosen: Metric, minimum_effect: float | None = None) -> Measured:
    """Give a metric of the catalogue as the comparison takes it."""
    kinds = {1: MetricKind.MEAN, 2: MetricKind.RATIO}
    return Measured(
        name=chosen.name,
        kind=_kind(chosen),
        higher_is_better=chosen.higher_is_better,
        before=kinds.get(len(chosen.before)),
        minimum_effect=minimum_effect,
        is_share=chosen.unit == "share",
    )


def _kind(chosen: Metric) -> MetricKind | Quantile | FreeTime:
    """What the arms are compared as."""
    if chosen.shape is MetricShape.TIME_TO_EVENT:
        return FreeTime(horizon=WINDOW_DAYS, whole=True)
    return KINDS[chosen.shape] if chosen.quantile is None else Quantile(share=chosen.quantile)


def _facts(chosen: Metric) -> tuple[str, ...]:
    return (*chosen.columns, *chosen.before)


def _compare(
    experiment: Experiment, evidence: Evidence, variant: str, earlier: ExperimentResults | None
) -> _Compared:
    single = evidence.cells.where(in_several=False)
    units = single.where(variant=CONTROL).units + single.where(variant=variant).units
    plan = schedule(
        experiment,
        units,
        planned=planned_units(experiment, variant, CONTROL),
        past=_past(earlier, variant, evidence.as_of),
        share=share_of_time(experiment, evidence.as_of),
    )
    success = metric(experiment.success_metric)
    strata = strata_of(evidence.of(success), variant, _facts(success))
    plain = compared(measured(success), strata)
    error = plain.difference.standard_error if plain else 0.0
    known = information((plain.control + plain.treatment) / 2, error) if plain else 0.0
    found = compare_strata(measured(success, experiment.minimum_effect), strata, plan.knowing(known))
    look = None
    if plan.is_due and found.confidence_interval is not None and plan.number is not None:
        look = Look(
            at=evidence.as_of.isoformat(),
            units=units,
            information=known,
            share=plan.share,
            winner=found.winner,
            is_last=plan.is_last,
        )
    return _Compared(
        variant=variant, results=_under(found, plan, look), schedule=plan, look=look, error=error
    )


def _past(earlier: ExperimentResults | None, variant: str, as_of: datetime) -> tuple[Look, ...]:
    known = earlier.arms.get(variant) if earlier else None
    looks = known.looks if known else ()
    return tuple(look for look in looks if datetime.fromisoformat(look.at) < as_of)


def _under(found: ExperimentResults, plan: Schedule, look: Look | None) -> ExperimentResults:
    """Let a winner stand only where a look has proven it, and keep what an earlier look has proven."""
    if plan.number is None:
        return found
    winner = plan.standing or (look.winner if look else None)
    complete = plan.is_complete or (look is not None and look.is_last)
    open_word = "no_significant_difference" if complete else "continue_test"
    sentence = found.sentence
    if look is None and not complete and found.confidence_interval is not None:
        sentence = (
            f"{sentence} Between looks, nothing is decided; the next is at {plan.next_share:.0%} of the"
            " planned time."
        )
    return found.model_copy(
        update={
            "winner": winner,
            "recommendation": "roll_out_winner" if winner else open_word,
            "sentence": sentence,
            "look": len(plan.past) + (look is not None) or None,
        }
    )


def _looks(arm: _Compared) -> tuple[Look, ...]:
    return (*arm.schedule.past, *((arm.look,) if arm.look else ()))


def _rank(arm: _Compared, success: Metric) -> tuple[bool, bool, float]:
    gap = arm.results.absolute_difference
    good = 0.0 if gap is None else gap if success.higher_is_better else -gap
    return arm.results.winner != "treatment", gap is None, -good


def _as_metric(found: ExperimentResults, looks: tuple[Look, ...] = ()) -> MetricResult:
    return MetricResult(
        control_n=found.control_sample_size,
        treatment_n=found.treatment_sample_size,
        control=found.control_metric,
        treatment=found.treatment_metric,
        difference=found.absolute_difference,
        interval=found.confidence_interval,
        p_value=found.p_value,
        relative_improvement=found.relative_improvement,
        relative_interval=found.relative_interval,
        winner=found.winner,
        certificate=found.certificate,
        looks=looks,
        sentence=found.sentence,
    )


def _figures(experiment: Experiment, checked: Quality, best: _Compared) -> Mapping[str, Any]:
    found = best.results
    blocked = (*checked.blocked_by, *found.blocked_by)
    sentence = f"No verdict may be read: {checked.blocked_by[0]}" if checked.blocked_by else found.sentence
    return {
        "variant_id": best.variant,
        "blocked_by": blocked,
        "recommendation": "continue_test" if blocked else found.recommendation,
        "sentence": sentence,
        "units": checked.units,
        "in_several": checked.in_several,
        "sample_ratio_p_value": checked.ratio_p,
        "sample_ratio_exact_p_value": checked.ratio_exact_p,
        "balance": checked.balance,
        "planned_units": best.schedule.planned,
        "information_fraction": best.schedule.share,
        "method": f"{METHOD}{experiment.unit}",
    }


def _guardrails(experiment: Experiment, evidence: Evidence, variant: str) -> Mapping[str, GuardrailResult]:
    planned = planned_units(experiment, variant, CONTROL)
    return {
        name: _guardrail(
            metric(name),
            evidence.of(metric(name)),
            variant,
            share=experiment.guardrail_margins.get(name, DEFAULT_MARGIN),
            looking=Looking(guarantee=Guarantee.ANYTIME, alpha=experiment.alpha, planned=planned),
        )
        for name in experiment.guardrail_metrics
    }


def _guardrail(
    chosen: Metric, cells: Keyed, variant: str, *, share: float, looking: Looking
) -> GuardrailResult:
    """Non-inferiority at any time, one-sided on either side: each end of the interval holds with alpha."""
    plain = compared(measured(chosen), strata_of(cells, variant, chosen.columns))
    if plain is None or plain.difference.standard_error <= 0:
        return GuardrailResult(difference=None, interval=None, margin=0.0, non_inferior=None)
    gap, n = plain.difference, plain.difference.n
    reach = critical_anytime(n, looking.planned or n, looking.alpha, one_sided=True) * gap.standard_error
    interval = Interval(gap.estimate - reach, gap.estimate + reach, 1 - 2 * looking.alpha)
    margin = share * abs(plain.control)
    worst = interval.low if chosen.higher_is_better else -interval.high
    return GuardrailResult(
        difference=gap.estimate, interval=pair(interval), margin=margin, non_inferior=worst > -margin
    )


def _signals(experiment: Experiment, evidence: Evidence, variant: str) -> Mapping[str, MetricResult]:
    planned = planned_units(experiment, variant, CONTROL)
    looking = Looking(guarantee=Guarantee.ANYTIME, alpha=experiment.alpha, planned=planned)
    return {
        chosen.name: _as_metric(
            compare_strata(measured(chosen), strata_of(evidence.of(chosen), variant, _facts(chosen)), looking)
        )
        for chosen in map(metric, experiment.signal_metrics)
    }


def _parts(experiment: Experiment, evidence: Evidence, variant: str) -> Mapping[str, Any]:
    chosen = metric(experiment.success_metric)
    asked = measured(chosen)
    cells = evidence.of(chosen)
    plain = compared(asked, strata_of(cells, variant, chosen.columns))
    scale = experiment.minimum_effect or (SEGMENT_SCALE * abs(plain.control) if plain else 0.0)
    return {
        **effects.by_segment(asked, cells, variant, chosen.columns, scale=scale),
        "stages": effects.by_stage(asked, cells, variant, chosen.columns),
        "novelty": effects.novelty(asked, cells, variant, chosen.columns),
        "triggered": effects.triggered(asked, cells, variant, chosen.columns),
        "interactions": () if evidence.pairs is None else _interactions(chosen, evidence.pairs, variant),
    }


def _interactions(chosen: Metric, pairs: Cells, variant: str) -> tuple[Effect, ...]:
    """How much the difference depends on other experiments; of what is no sum, by what stands for it."""
    told = metric(chosen.instead) if chosen.instead else chosen
    found = effects.interactions(measured(told), pairs, variant, told.columns)
    if told is chosen:
        return found
    return tuple(each.model_copy(update={"name": f"{each.name}, in {told.name}"}) for each in found)


def _outlook(experiment: Experiment, evidence: Evidence, best: _Compared) -> Mapping[str, Any]:
    """Say when the planned units will be there and what they can prove, from traffic and variance alone."""
    end = planned_end(experiment)
    missing = max(best.schedule.planned - best.schedule.units, 0.0)
    pace = _pace(experiment, evidence, best.variant)
    said: dict[str, Any] = {
        "planned_end": end.isoformat() if end else None,
        "days_left": missing / pace if pace else (0.0 if not missing else None),
        "power_at_end": _power(experiment, best),
        "what_would_change_this": _missing(missing, pace),
    }
    if experiment.start_date is not None:
        began = datetime.fromisoformat(experiment.start_date)
        if began <= evidence.as_of:
            said["window"] = Period(start=began.isoformat(), end=evidence.as_of.isoformat())
    return said


def _pace(experiment: Experiment, evidence: Evidence, variant: str) -> float:
    """Units of both arms a day, over the last two weeks or since the start."""
    single = evidence.cells.where(in_several=False)
    today = seconds_of(evidence.as_of) // SECONDS_PER_DAY
    days = float(PACE_DAYS)
    if experiment.start_date is not None:
        began = seconds_of(datetime.fromisoformat(experiment.start_date)) / SECONDS_PER_DAY
        days = min(days, max(today - began, 1.0))
    recent = sum(
        float(n)
        for n, day, arm in zip(single.n, single.keys["day"], single.keys["variant"], strict=True)
        if day >= today - days and arm in {CONTROL, variant}
    )
    return recent / days


def _power(experiment: Experiment, best: _Compared) -> float | None:
    effect, units, planned = experiment.minimum_effect, best.schedule.units, best.schedule.planned
    if not effect or best.error <= 0:
        return None
    alpha = best.schedule.looking.alpha
    error = best.error * (units / max(planned, units)) ** 0.5
    if experiment.looking == "gst":
        steps = [(at + 1) / experiment.looks for at in range(experiment.looks)]
        return power_sequential(effect, error, steps, alpha)
    if experiment.looking == "anytime":
        return power_anytime(effect, error, alpha)
    return power_fixed(effect, error, alpha)


def _missing(missing: float, pace: float) -> str:
    if not missing:
        return "The planned units are there: only a longer experiment would say more."
    left = (
        f"about {missing / pace:,.0f} days at the present pace" if pace else "no unit has come for two weeks"
    )
    return f"About {missing:,.0f} more units: {left}."
