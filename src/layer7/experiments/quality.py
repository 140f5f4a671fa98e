"""Whether an experiment's figures may be read at all: its split, its exposures, its arms before the start."""

import math
from dataclasses import dataclass

from layer7.analytics.trials.cells import Cells, Keyed
from layer7.contract.experiments import Experiment
from layer7.contract.facts import HISTORY
from layer7.contract.fields import FrozenDict
from layer7.experiments.comparison import Measured, Stratum, compared
from layer7.experiments.plan import CONTROL, control_of
from layer7.experiments.table import MANY_SHARE, MANY_UNITS
from layer7.statistics.trials import (
    ALARM,
    MetricKind,
    p_fixed,
    sample_ratio_p,
    sample_ratio_p_anytime,
)

NOBODY = (
    "No unit has been exposed yet: check that the layer asks for the setting with a targeting key, or that "
    "it sends EXPERIMENT_EXPOSED."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """What the checks of quality found.

    Args:
        units: units by variant, without those that met several.
        in_several: units that met several variants; they are left out.
        ratio_p: p-value of the planned split under the experiment's way of looking.
        ratio_exact_p: the same for one look.
        balance: p-values of differences between the arms from before the experiment, by fact (and variant).
        blocked_by: why no verdict may be read, each with what to do.
    """

    units: FrozenDict[str, int]
    in_several: int
    ratio_p: float | None
    ratio_exact_p: float | None
    balance: FrozenDict[str, float]
    blocked_by: tuple[str, ...]


def quality(experiment: Experiment, cells: Cells) -> Quality:
    """Check an experiment's split, exposures and arms.

    The planned split is tested at every look where results are read at every look, else exactly. Differences
    from before the exposure cannot come from the treatment: below 0.001 / number of tests they block.

    Args:
        experiment: its plan.
        cells: its units.

    Source:
        Fabijan and others (2019), KDD; Lindon and Malek (2022), NeurIPS.
    """
    single = cells.where(in_several=False)
    names = [variant.variant_id for variant in experiment.variants]
    units = {name: single.where(variant=name).units for name in names}
    twice = cells.where(in_several=True).units
    shares = [variant.allocation for variant in experiment.variants]
    exact = sample_ratio_p(list(units.values()), shares)
    ratio = exact
    if experiment.looking != "fixed":
        ratio = sample_ratio_p_anytime(list(units.values()), shares)
    before = _balance(experiment, single)
    blocked = (
        *_exposed(units, twice),
        *_split(units, ratio),
        *_strangers(cells, set(names)),
        *_unbalanced(before),
    )
    return Quality(
        units=FrozenDict(units),
        in_several=twice,
        ratio_p=ratio,
        ratio_exact_p=exact,
        balance=before,
        blocked_by=blocked,
    )


def strata_of(cells: Keyed, variant: str, facts: tuple[str, ...]) -> tuple[Stratum, ...]:
    """Give the moments of control and treatment in each stage of the ramp.

    Args:
        cells: of one experiment.
        variant: the treatment.
        facts: the columns that are wanted.
    """
    single = cells.where(in_several=False)
    return tuple(
        (
            single.where(stage=stage, variant=CONTROL).arm(facts),
            single.where(stage=stage, variant=variant).arm(facts),
        )
        for stage in single.values("stage")
    )


def _exposed(units: dict[str, int], twice: int) -> tuple[str, ...]:
    total = sum(units.values()) + twice
    if total == 0:
        return (NOBODY,)
    found = []
    if twice >= MANY_UNITS and twice >= MANY_SHARE * total:
        found.append(
            f"{twice:,} of {total:,} units met several variants: check that the seed and the unit's id stay "
            "the same, and start anew."
        )
    elif twice == total:
        found.append(f"All {total:,} units met several variants; none can be counted in either arm.")
    empty = [name for name, n in units.items() if n == 0]
    if empty and twice < total:
        found.append(
            f"Nobody has been exposed to {', '.join(empty)}: check that every variant is served and told."
        )
    return tuple(found)


def _split(units: dict[str, int], ratio: float | None) -> tuple[str, ...]:
    if ratio is None or ratio >= ALARM:
        return ()
    counts = ", ".join(f"{name} {n:,}" for name, n in units.items())
    said = f"The units do not split as planned ({counts}; p = {ratio:.2g})"
    return (f"{said}: find out who is lost, mend it, and start anew.",)


def _strangers(cells: Keyed, names: set[str]) -> tuple[str, ...]:
    others = sorted(str(name) for name in cells.values("variant") if name not in names)
    if not others:
        return ()
    n = sum(cells.where(variant=name).units for name in others)
    said = f"{n:,} units were exposed to {', '.join(others)}, which the plan does not have"
    return (f"{said}: send the plan's variant_id.",)


def _balance(experiment: Experiment, single: Keyed) -> FrozenDict[str, float]:
    control = control_of(experiment).variant_id
    treatments = [each.variant_id for each in experiment.variants if each.variant_id != control]
    found = {}
    for variant in treatments:
        for fact in HISTORY:
            plain = compared(Measured(name=fact, kind=MetricKind.MEAN), strata_of(single, variant, (fact,)))
            p = None if plain is None else p_fixed(plain.difference)
            if p is not None and not math.isnan(p):
                found[fact if len(treatments) == 1 else f"{fact} ({variant})"] = p
    return FrozenDict(found)


def _unbalanced(before: FrozenDict[str, float]) -> tuple[str, ...]:
    return tuple(
        f"The arms differed before the start in {fact.removeprefix('before_')} (p = {p:.2g}), which chance "
        "hardly does: check how units are assigned."
        for fact, p in before.items()
        if p < ALARM / len(before)
    )
