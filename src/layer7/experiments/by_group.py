"""What an experiment does in each group that people declare themselves: the gate of fairness."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict

import numpy as np

from layer7.analytics.trial_cells import Cells
from layer7.contract.effects import FairnessVerdict, GroupEffect
from layer7.contract.experiments import Experiment
from layer7.experiments.looks import planned_units
from layer7.experiments.metrics import Metric, metric
from layer7.experiments.plan import CONTROL
from layer7.fairness import ALPHA, OTHER_SMALL, UNDISCLOSED, Arms, Move, Verdict, judge, without
from layer7.statistics.trials import ArmMoments

_ORDER = (Move.ROLL_BACK, Move.HOLD, Move.GO_ON)


def fairness_of(experiment: Experiment, cells: Cells, grouped: Cells) -> FairnessVerdict | None:
    """Judge an experiment by what it does in declared groups; the worst of all attributes counts.

    The groups are those that people had declared when they were drawn by lot; who had declared none is
    undisclosed, a group like any other. Alpha is divided by the attributes.

    Args:
        experiment: its plan.
        cells: of all its units.
        grouped: of those units whose person had declared a group, with ``attribute`` and ``group``.

    Returns:
        None as long as no declared group is large enough to be told: then nothing is claimed.
    """
    treatments = [each.variant_id for each in experiment.variants if each.variant_id != CONTROL]
    found = [
        (attribute, verdict)
        for variant in treatments
        for attribute, verdict in _verdicts(experiment, variant, cells, grouped)
    ]
    if not any(_tells(verdict) for _, verdict in found):
        return None
    attribute, worst = min(found, key=lambda each: _ORDER.index(each[1].move))
    return FairnessVerdict(
        move=worst.move.value,
        why=f"By {attribute}: {worst.why}",
        groups=tuple(
            GroupEffect(attribute=name, **asdict(row)) for name, verdict in found for row in verdict.groups
        ),
    )


def _tells(verdict: Verdict) -> bool:
    """Say whether any group that people declared is large enough."""
    return any(
        row.ratio is not None and row.group not in {"everybody", UNDISCLOSED, OTHER_SMALL}
        for row in verdict.groups
    )


def _verdicts(
    experiment: Experiment, variant: str, cells: Cells, grouped: Cells
) -> Iterator[tuple[str, Verdict]]:
    success = metric(experiment.success_metric)
    if success.is_tallied:
        # Of medians and waiting times there are no sums; who had an interview is what they are about.
        success = metric("reached_interview")
    everybody = _arms(cells.where(in_several=False), variant, success)
    attributes = [str(name) for name in grouped.values("attribute")]
    for attribute in attributes:
        own = grouped.where(attribute=attribute)
        groups = {str(name): _arms(own.where(group=name), variant, success) for name in own.values("group")}
        yield (
            attribute,
            judge(
                groups | {UNDISCLOSED: _rest(everybody, groups)},
                planned=planned_units(experiment, variant, CONTROL),
                higher_is_better=success.higher_is_better,
                alpha=ALPHA / len(attributes),
            ),
        )


def _arms(cells: Cells, variant: str, success: Metric) -> Arms:
    return Arms(*(_people(cells.where(variant=name), success) for name in (CONTROL, variant)))


def _people(cells: Cells, success: Metric) -> ArmMoments:
    """Give units with their events and chances; a mean has one chance for each unit."""
    found = cells.arm(success.columns)
    if len(success.columns) > 1:
        return found
    total, square = float(found.sums[0]), float(found.products[0, 0])
    return ArmMoments(
        n=found.n,
        sums=np.array([total, found.n]),
        products=np.array([[square, total], [total, found.n]]),
    )


def _rest(everybody: Arms, groups: Mapping[str, Arms]) -> Arms:
    control, treatment = everybody.control, everybody.treatment
    for arms in groups.values():
        control, treatment = without(control, arms.control), without(treatment, arms.treatment)
    return Arms(control, treatment)
