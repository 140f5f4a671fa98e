"""What an experiment does in each group that people declare themselves: the gate of fairness."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace

import numpy as np

from layer7.analytics.trials.cells import Cells
from layer7.contract.effects import FairnessVerdict, GroupEffect
from layer7.contract.experiments import Experiment
from layer7.experiments.looks import planned_units
from layer7.experiments.metrics import Metric, metric
from layer7.experiments.plan import CONTROL
from layer7.experiments.results import DEFAULT_MARGIN
from layer7.fairness import ALPHA, OTHER_SMALL, UNDISCLOSED, Arms, Move, Verdict, judge, without
from layer7.statistics.trials import ArmMoments


@dataclass(frozen=True, slots=True)
class _Counted:
    """An experiment with what was counted of it: of all its units, and of those with a declared group."""

    experiment: Experiment
    cells: Cells
    grouped: Cells


_ORDER = (Move.ROLL_BACK, Move.HOLD, Move.GO_ON)


def fairness_of(experiment: Experiment, cells: Cells, grouped: Cells) -> FairnessVerdict | None:
    """Judge an experiment by what it does in declared groups; the worst of all attributes counts.

    The groups are those that people had declared when they were drawn by lot; who had declared none is
    undisclosed, a group like any other. Alpha is divided by the attributes. Guardrail metrics that have
    sums count as well: proven harm to a group beyond the margin takes the change back, anything less holds
    nothing.

    Args:
        experiment: its plan.
        cells: of all its units.
        grouped: of those units whose person had declared a group, with ``attribute`` and ``group``.

    Returns:
        None as long as no declared group is large enough to be told: then nothing is claimed.
    """
    counted = _Counted(experiment, cells, grouped)
    found = [
        (attribute, verdict)
        for variant in _treatments(experiment)
        for attribute, verdict in _verdicts(counted, variant)
    ]
    if not any(_tells(verdict) for _, verdict in found):
        return None
    attribute, worst = min(found, key=lambda each: _ORDER.index(each[1].move))
    harmed = _guarded(counted)
    if harmed is not None and worst.move is not Move.ROLL_BACK:
        attribute, worst = harmed
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


def _guarded(counted: _Counted) -> tuple[str, Verdict] | None:
    """Give the first guardrail by which a group is harmed beyond its margin, proven; None without any."""
    experiment = counted.experiment
    guards = [found for name in experiment.guardrail_metrics if not (found := metric(name)).is_tallied]
    for guard in guards:
        margin = experiment.guardrail_margins.get(guard.name, DEFAULT_MARGIN)
        for variant in _treatments(experiment):
            for attribute, verdict in _judged(counted, variant, guard, alpha=ALPHA / len(guards)):
                worst = [row for row in verdict.groups if row.high is not None and row.high < 1 - margin]
                if worst:
                    group, most = worst[0].group, worst[0].high
                    why = f"{guard.name} is proven worse for {group}: at most {most:.2f} times the control's."
                    return attribute, replace(verdict, move=Move.ROLL_BACK, why=why)
    return None


def _treatments(experiment: Experiment) -> list[str]:
    return [each.variant_id for each in experiment.variants if each.variant_id != CONTROL]


def _verdicts(counted: _Counted, variant: str) -> Iterator[tuple[str, Verdict]]:
    success = metric(counted.experiment.success_metric)
    if success.is_tallied:
        # Of medians and waiting times there are no sums; who had an interview is what they are about.
        success = metric("reached_interview")
    return _judged(counted, variant, success)


def _judged(
    counted: _Counted, variant: str, asked: Metric, *, alpha: float = ALPHA
) -> Iterator[tuple[str, Verdict]]:
    everybody = _arms(counted.cells.where(in_several=False), variant, asked)
    attributes = [str(name) for name in counted.grouped.values("attribute")]
    for attribute in attributes:
        own = counted.grouped.where(attribute=attribute)
        groups = {str(name): _arms(own.where(group=name), variant, asked) for name in own.values("group")}
        yield (
            attribute,
            judge(
                groups | {UNDISCLOSED: _rest(everybody, groups)},
                planned=planned_units(counted.experiment, variant, CONTROL),
                higher_is_better=asked.higher_is_better,
                alpha=alpha / len(attributes),
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
