"""Where the effect of an experiment differs: by stage, segment, time, decision, and beside other experiments.

All of it is read once beside the result that decides; none of it decides.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from layer7.analytics.trials.cells import Cells, Keyed
from layer7.contract.effects import Effect, SegmentEffect
from layer7.experiments.comparison import Arms, Measured, Stratum, compared, contrast_of, pair
from layer7.experiments.plan import CONTROL
from layer7.experiments.quality import strata_of
from layer7.statistics.trials import Contrast, Looking, heterogeneity, infer

LEAST = 20
"""Units per arm below which a part of the units is not looked at."""

ONCE = Looking()
ONCE_LEVEL = 1 - ONCE.alpha


def by_stage(metric: Measured, cells: Keyed, variant: str, facts: tuple[str, ...]) -> tuple[Effect, ...]:
    """Give the difference in each stage of the ramp."""
    single = cells.where(in_several=False)
    return tuple(
        _effect(f"stage {stage}", metric, single.where(stage=stage), variant, facts=facts)
        for stage in single.values("stage")
    )


def by_segment(
    metric: Measured, cells: Keyed, variant: str, facts: tuple[str, ...], *, scale: float
) -> Mapping[str, Any]:
    """Give the difference in each segment, drawn towards the others, with a warning of how many there are.

    Segments with fewer than 20 units in an arm, or without variance, are told together by their number.
    Empty where fewer than two can be compared.

    Args:
        metric: what is compared.
        cells: of the experiment.
        variant: the treatment.
        facts: the columns that are wanted.
        scale: how far segments seldom differ, in the metric's unit.
    """
    single = cells.where(in_several=False)
    told, small = [], []
    for name in single.values("segment"):
        part = single.where(segment=name)
        found = _contrast(metric, part, variant, facts)
        (small.append(part) if found is None else told.append((str(name), part, found)))
    if len(told) < 2 or scale <= 0:
        return {}
    alike = heterogeneity([found for _, _, found in told], scale=scale)
    rows = [
        SegmentEffect.model_validate(
            _said(name, found, _units(part, variant)).model_dump()
            | {"shrunken": effect, "shrunken_interval": pair(ends)}
        )
        for (name, part, found), effect, ends in zip(told, alike.effects, alike.intervals, strict=True)
    ]
    return {
        "segments": (*rows, *_small(small, variant)),
        "segments_p_value": alike.p_value,
        "segments_warning": _warning(len(told), alike.p_value),
    }


def _small(parts: Sequence[Keyed], variant: str) -> tuple[SegmentEffect, ...]:
    if not parts:
        return ()
    sizes = [_units(part, variant) for part in parts]
    return (
        SegmentEffect(
            name=f"{len(parts)} more, too small to tell",
            control_n=sum(a for a, _ in sizes),
            treatment_n=sum(b for _, b in sizes),
            difference=None,
        ),
    )


def _warning(segments: int, p_value: float) -> str:
    """Say how often chance alone would show a segment that stands out, and that none decides."""
    by_chance = 1 - ONCE_LEVEL**segments
    differs = "differ" if p_value < 1 - ONCE_LEVEL else "are not proven to differ"
    return (
        f"The {segments} segments {differs} (p = {p_value:.2g}). Where nothing is there, at least one plain "
        f"interval of {segments} leaves zero in {by_chance:.0%} of experiments; read the shrunken figures, "
        "and test a segment that stands out in an experiment of its own."
    )


def novelty(metric: Measured, cells: Keyed, variant: str, facts: tuple[str, ...]) -> tuple[Effect, ...]:
    """Give the difference among units exposed early, among those exposed late, and how it changed.

    The first half of the units, by day of exposure, is early. Empty while a half is too small.
    """
    single = cells.where(in_several=False)
    days = np.array([int(str(day)) for day in single.keys["day"]])
    if not days.size:
        return ()
    order = np.argsort(days, kind="stable")
    middle = days[order][np.searchsorted(np.cumsum(single.n[order]), single.n.sum() / 2)]
    halves = (single.at(days <= middle), single.at(days > middle))
    found = [
        _effect(name, metric, half, variant, facts=facts)
        for name, half in zip(("early", "late"), halves, strict=True)
    ]
    change = _change(metric, [strata_of(half, variant, facts) for half in halves], "change")
    return (*found, change) if change is not None else ()


def triggered(metric: Measured, cells: Keyed, variant: str, facts: tuple[str, ...]) -> Effect | None:
    """Give the difference among units for which the variants would have decided differently.

    The same units are chosen in both arms, since a decision is told together with what the other variants
    would have decided. None where no decision is told.

    Source:
        Deng and Hu (2015), WSDM, *Diluted treatment effect estimation for trigger analysis*.
    """
    single = cells.where(in_several=False)
    told = single.where(told=True)
    if not told.units:
        return None
    name = f"decided differently, of {told.units:,} of {single.units:,} units that told their decisions"
    return _effect(name, metric, told.where(triggered=True), variant, facts=facts)


def interactions(metric: Measured, pairs: Cells, variant: str, facts: tuple[str, ...]) -> tuple[Effect, ...]:
    """Give how much the difference depends on what units got in other running experiments.

    For each treatment of another experiment: the difference among its units less that among the other's
    control, (TT - CT) - (TC - CC). Empty where a cell has fewer than 20 units.

    Args:
        metric: what is compared.
        pairs: units in two experiments, of this one.
        variant: the treatment of this one.
        facts: the columns that are wanted.
    """
    found = []
    for other in pairs.values("other_id"):
        beside = pairs.where(other_id=other)
        for theirs in beside.values("other_variant"):
            if theirs == CONTROL:
                continue
            halves = [
                (_cell(beside, CONTROL, name, facts), _cell(beside, variant, name, facts))
                for name in (CONTROL, theirs)
            ]
            effect = _change(metric, [(half,) for half in halves], f"{other}: {theirs}")
            if effect is not None:
                found.append(effect)
    return tuple(found)


def _cell(pairs: Cells, ours: str, theirs: object, facts: tuple[str, ...]) -> Arms:
    return pairs.where(variant=ours, other_variant=theirs).arm(facts)


def _change(metric: Measured, halves: Sequence[Sequence[Stratum]], name: str) -> Effect | None:
    """How much the difference of the second half exceeds that of the first."""
    sizes = [(sum(arms[0].n for arms in half), sum(arms[1].n for arms in half)) for half in halves]
    if min(n for size in sizes for n in size) < LEAST:
        return None
    first, second = (compared(metric, half) for half in halves)
    if first is None or second is None:
        return None
    found = contrast_of(
        second.difference.estimate - first.difference.estimate,
        math.hypot(first.difference.standard_error, second.difference.standard_error),
        first.difference.n + second.difference.n,
    )
    return _said(name, found, (int(sizes[0][0] + sizes[1][0]), int(sizes[0][1] + sizes[1][1])))


def _units(cells: Keyed, variant: str) -> tuple[int, int]:
    return cells.where(variant=CONTROL).units, cells.where(variant=variant).units


def _contrast(metric: Measured, cells: Keyed, variant: str, facts: tuple[str, ...]) -> Contrast | None:
    if min(_units(cells, variant)) < LEAST:
        return None
    plain = compared(metric, strata_of(cells, variant, facts))
    return plain.difference if plain is not None and plain.difference.standard_error > 0 else None


def _effect(name: str, metric: Measured, cells: Keyed, variant: str, *, facts: tuple[str, ...]) -> Effect:
    units = _units(cells, variant)
    plain = compared(metric, strata_of(cells, variant, facts)) if min(units) >= LEAST else None
    if plain is None:
        return Effect(name=name, control_n=units[0], treatment_n=units[1], difference=None)
    return _said(name, plain.difference, units)


def _said(name: str, found: Contrast, units: tuple[int, int]) -> Effect:
    said = infer(found, ONCE)
    return Effect(
        name=name,
        control_n=units[0],
        treatment_n=units[1],
        difference=found.estimate,
        interval=pair(said.interval),
        p_value=said.p_value,
    )
