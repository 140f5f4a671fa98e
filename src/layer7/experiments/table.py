"""Results over a table of units from anywhere: every metric and arm, the quality of the split, one family."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from layer7.analytics.trials.arms import TableMetric
from layer7.contract.experiments import ALLOCATION_TOLERANCE, ExperimentResults
from layer7.contract.vocabulary import MetricShape
from layer7.errors import Layer7Error
from layer7.experiments.comparison import Measured, answer, compare_arms, unknown
from layer7.statistics.trials import (
    ALARM,
    LEAST_UNITS,
    ArmMoments,
    FreeTime,
    Looking,
    Ordered,
    Spectrum,
    common_horizon,
    compare_ordered,
    holm,
    infer,
    sample_ratio_p,
)

SHOWN = 10
"""So many names of variants are shown in an error; a column of units has one for each."""
MANY_SHARE, MANY_UNITS = 0.01, 10
"""Above this share, and from so many units on, units in several arms block a verdict."""

ArmsOfMetric = Mapping[str, ArmMoments]
Quantiles = Mapping[str, Ordered]
"""By arm, without those that have no value."""
Waits = Mapping[str, Spectrum]
"""By arm, without those that have no value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableAnalysis:
    """What a table of units says.

    Args:
        control: name of the control.
        units: units by arm.
        in_several: units that were in several arms; they are left out.
        planned: planned share by arm.
        sample_ratio_p: p-value of the planned split; None when it cannot be told.
        metrics: results by metric and treatment.
        certificate: the guarantee under which they may be read.
        alpha: accepted share of false alarms.
        blocked_by: why no verdict may be read.
    """

    control: str
    units: Mapping[str, int]
    in_several: int
    planned: Mapping[str, float]
    sample_ratio_p: float | None
    metrics: Mapping[str, Mapping[str, ExperimentResults]]
    certificate: str
    alpha: float
    blocked_by: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Give the analysis as plain JSON values."""
        total = sum(self.units.values()) + self.in_several
        return {
            "control": self.control,
            "units": dict(self.units),
            "sample_ratio_mismatch": {
                "p_value": self.sample_ratio_p,
                "planned": dict(self.planned),
                "is_mismatch": self.sample_ratio_p is not None and self.sample_ratio_p < ALARM,
            },
            "multiple_exposure": {
                "units": self.in_several,
                "share": self.in_several / total if total else None,
            },
            "certificate": self.certificate,
            "blocked_by": list(self.blocked_by),
            "metrics": {
                name: {arm: found.model_dump(mode="json") for arm, found in arms.items()}
                for name, arms in self.metrics.items()
            },
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Extra:
    """What an analysis of a table may be told besides.

    Args:
        planned: planned share by arm; equal ones if empty.
        in_several: units that were in several arms.
        quantiles: by metric and arm.
        waits: of metrics of time, by metric and arm.
        caps: lowest and highest value of metrics whose values are capped.
        minimum_effect: smallest worthwhile absolute difference of every metric; None for none.
        lower_is_better: metrics of which less is better.
    """

    planned: Mapping[str, float] = field(default_factory=dict)
    in_several: int = 0
    quantiles: Mapping[str, Quantiles] = field(default_factory=dict)
    waits: Mapping[str, Waits] = field(default_factory=dict)
    caps: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    minimum_effect: float | None = None
    lower_is_better: frozenset[str] = frozenset()


NOTHING_BESIDES = Extra()


def analyze(
    metrics: Sequence[TableMetric],
    moments: Mapping[str, ArmsOfMetric],
    *,
    units: Mapping[str, int],
    control: str,
    looking: Looking,
    extra: Extra = NOTHING_BESIDES,
) -> TableAnalysis:
    """Analyse a table from the moments of its arms.

    Args:
        metrics: what is measured.
        moments: metric, arm, moments.
        units: units by arm, without those in several.
        control: name of the control.
        looking: how the experiment is looked at.
        extra: planned shares, units in several arms, quantiles, and the smallest worthwhile effect.

    Raises:
        Layer7Error: ``no_units`` in a single arm; ``unknown_variant`` without such a control; ``one_arm``;
            ``bad_split`` for planned shares that do not add up to 1, or leave out an arm.
    """
    arms = _treatments(units, control, extra.in_several)
    planned = _planned(extra.planned, units)
    found = {
        metric.name: {
            arm: _result(metric, moments[metric.name], (control, arm), looking=looking, extra=extra)
            for arm in arms
        }
        for metric in metrics
    }
    share = sample_ratio_p([units.get(arm, 0) for arm in planned], [planned[arm] for arm in planned])
    blocked = _blocked(units, extra.in_several, share)
    return TableAnalysis(
        control=control,
        units=units,
        in_several=extra.in_several,
        planned=planned,
        sample_ratio_p=share,
        metrics=_one_family(found),
        certificate=looking.at(sum(units.values())).certificate,
        alpha=looking.alpha,
        blocked_by=blocked,
    )


def _treatments(units: Mapping[str, int], control: str, in_several: int) -> tuple[str, ...]:
    if not units:
        if in_several:
            said = f"All {in_several:,} units were in several variants."
            raise Layer7Error("no_units", said, "Check how units are assigned, and the column of the unit.")
        raise Layer7Error("no_units", "The table has no units.", "Check unit and variant for values.")
    if control not in units:
        raise Layer7Error(
            "unknown_variant",
            f"There is no variant {control!r}.",
            f"The table has: {', '.join(sorted(units)[:SHOWN])}{', ...' if len(units) > SHOWN else ''}.",
        )
    arms = tuple(sorted(arm for arm in units if arm != control))
    if not arms:
        raise Layer7Error(
            "one_arm", f"{control!r} is the only variant.", "A comparison needs at least two variants."
        )
    return arms


def _planned(planned: Mapping[str, float], units: Mapping[str, int]) -> Mapping[str, float]:
    """The planned shares, of every arm and 1 in all; equal ones where none are named."""
    if not planned:
        return {arm: 1 / len(units) for arm in units}
    missing = sorted(set(units) - set(planned))
    total = sum(planned.values())
    if missing or not abs(total - 1) <= ALLOCATION_TOLERANCE or min(planned.values()) < 0:
        said = ", ".join(f"{arm} {share:g}" for arm, share in planned.items())
        raise Layer7Error(
            "bad_split",
            f"The planned shares ({said}) add up to {total:g}"
            + (f" and leave out {', '.join(missing[:SHOWN])}." if missing else "."),
            "Name the share of every variant of the table, 1 in all.",
        )
    return planned


def _result(
    metric: TableMetric, arms: ArmsOfMetric, pair_of: tuple[str, str], *, looking: Looking, extra: Extra
) -> ExperimentResults:
    control, treatment = (arms[arm] for arm in pair_of)
    measured = Measured(
        name=metric.name,
        kind=metric.kind,
        higher_is_better=metric.name not in extra.lower_is_better,
        before=metric.before_kind,
        minimum_effect=extra.minimum_effect,
    )
    n = (int(control.n), int(treatment.n))
    few = unknown(*n, f"An arm has {min(n)} units with a value; {LEAST_UNITS} are needed in each.")
    if metric.shape is MetricShape.TIME_TO_EVENT:
        return (
            few if min(n) < LEAST_UNITS else _timed(measured, metric, pair_of, looking=looking, extra=extra)
        )
    if metric.shape is not MetricShape.QUANTILE:
        found = compare_arms(measured, control, treatment, looking)
        return _capped(found, metric, extra.caps.get(metric.name))
    one, two = (extra.quantiles[metric.name].get(arm) for arm in pair_of)
    if one is None or two is None or min(n) < LEAST_UNITS:
        return few
    plain = compare_ordered(one, two, sum(n))
    return answer(measured, plain, infer(plain.difference, looking.at(sum(n))), units=n)


def _timed(
    measured: Measured, metric: TableMetric, pair_of: tuple[str, str], *, looking: Looking, extra: Extra
) -> ExperimentResults:
    """Compare how long units went without the event, as far ahead as the units of all arms can tell."""
    waits = extra.waits[metric.name]
    control, treatment = (waits[arm] for arm in pair_of)
    horizon = metric.horizon or common_horizon(tuple(waits.values()))
    if horizon is None:
        return unknown(
            int(control.n),
            int(treatment.n),
            "In no arm were 10 units seen for any time: wait until they have been in the experiment longer.",
        )
    return compare_arms(replace(measured, kind=FreeTime(horizon=horizon)), control, treatment, looking)


def _capped(
    found: ExperimentResults, metric: TableMetric, ends: tuple[float, float] | None
) -> ExperimentResults:
    """Say in the method at which values a metric was capped, and where these lie."""
    if ends is None or metric.winsorized is None:
        return found
    places = " and ".join(f"{share:g}" for share in metric.winsorized)
    said = f"values capped at {ends[0]:.6g} and {ends[1]:.6g}, the quantiles {places} of all units"
    return found.model_copy(update={"method": ", ".join(filter(None, (found.method, said)))})


def _one_family(
    found: Mapping[str, Mapping[str, ExperimentResults]],
) -> Mapping[str, Mapping[str, ExperimentResults]]:
    """Correct the p-values of all metrics and arms that can be told, as one family (Holm)."""
    places = [(name, arm) for name, arms in found.items() for arm in arms if arms[arm].p_value is not None]
    adjusted = holm([found[name][arm].p_value or 0.0 for name, arm in places])
    corrected = dict(zip(places, adjusted, strict=True))
    return {
        name: {
            arm: result.model_copy(update={"familywise_p_value": corrected.get((name, arm))})
            for arm, result in arms.items()
        }
        for name, arms in found.items()
    }


def _blocked(units: Mapping[str, int], in_several: int, share: float | None) -> tuple[str, ...]:
    reasons = []
    if share is not None and share < ALARM:
        reasons.append(f"sample ratio mismatch: the planned split has p = {share:.2g}, below {ALARM:g}")
    total = sum(units.values()) + in_several
    if in_several >= MANY_UNITS and in_several >= MANY_SHARE * total:
        reasons.append(f"{in_several:,} of {total:,} units were in several variants")
    return tuple(reasons)
