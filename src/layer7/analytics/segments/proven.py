"""What experiments have proven for people of a level: where chance decided, no comparison is needed."""

from collections.abc import Iterable, Mapping
from typing import Any

from layer7.contract.analytics import CommonPitfall, SuccessfulStrategy
from layer7.contract.effects import SegmentEffect
from layer7.contract.evidence import Period
from layer7.contract.experiments import Experiment
from layer7.contract.fields import Interval

METRIC = "interview_rate"
FINAL = ("ship", "keep_control")
LEVEL = 0.95
METHOD = (
    "experiment {experiment}, people or applications split by chance; its difference at the level {level}, "
    "drawn towards the other levels; verdict of the whole: {verdict}"
)
_CHANGE = "Further results of the experiment, or another one of people of this level, whose interval holds 0."


def proven(
    experiments: Iterable[Experiment], level: str | None, *, people: int, window: Period
) -> tuple[tuple[SuccessfulStrategy, ...], tuple[CommonPitfall, ...]]:
    """Give what experiments on the interview rate have proven at a level of seniority.

    An experiment is told if it has a verdict (ship, or keep the control), which rests on all its people, and
    if the difference at this level, drawn towards those at the other levels, leaves out "none" with its
    whole 95 % interval. No segment decides an experiment; here it only says where it holds.

    Args:
        experiments: with their latest results.
        level: of the people in question; None where people of all levels are together.
        people: how many they are.
        window: the time of the segment, for experiments that do not say theirs.

    Returns:
        What is better than the control, the largest difference first; and what is worse.
    """
    good, bad = [], []
    for experiment in experiments:
        effect = _effect(experiment, level)
        if effect is None or effect.shrunken is None:
            continue
        common = _common(experiment, effect, window)
        words = f"{_treatment(experiment)} ({experiment.name})"
        if effect.shrunken > 0:
            good.append(
                SuccessfulStrategy(
                    strategy=words, success_rate=None, sample_size=effect.treatment_n, **common
                )
            )
        else:
            share = min(effect.treatment_n / max(people, 1), 1.0)
            bad.append(
                CommonPitfall(
                    pattern=words, negative_impact=_harm(effect.shrunken), frequency=share, **common
                )
            )
    return (
        tuple(sorted(good, key=lambda each: -(each.difference or 0.0))),
        tuple(sorted(bad, key=lambda each: each.difference or 0.0)),
    )


def _effect(experiment: Experiment, level: str | None) -> SegmentEffect | None:
    """What was found at the level, if the experiment is decided and the level's interval leaves out 0."""
    results = experiment.results
    if results is None or results.verdict not in FINAL or experiment.success_metric != METRIC:
        return None
    found = next((each for each in results.segments if each.name.lower() == level), None)
    ends = found.shrunken_interval if found is not None else None
    return found if ends is not None and not ends[0] <= 0 <= ends[1] else None


def _treatment(experiment: Experiment) -> str:
    """The name of the treatment that the figures of the results are of."""
    told = experiment.results.variant_id if experiment.results is not None else None
    return next((each.name for each in experiment.variants if each.variant_id == told), str(told))


def _common(experiment: Experiment, effect: SegmentEffect, window: Period) -> Mapping[str, Any]:
    verdict = experiment.results.verdict if experiment.results is not None else None
    ends: Interval | None = effect.shrunken_interval
    return {
        "n": effect.control_n + effect.treatment_n,
        "level": LEVEL,
        "window": window,
        "method": METHOD.format(
            experiment=experiment.experiment_id, level=effect.name, verdict=(verdict or "").replace("_", " ")
        ),
        "basis": "randomised",
        "difference": effect.shrunken,
        "difference_interval": ends,
        "experiment_id": experiment.experiment_id,
        "what_would_change_this": _CHANGE,
    }


def _harm(difference: float) -> str:
    return f"lowers the interview rate by {-100 * difference:.1f} points, as an experiment has shown"
