"""Who gets which variant: a pure function of the experiment and the unit's id."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from layer7.contract.experiments import Experiment, Variant
from layer7.errors import Layer7Error
from layer7.experiments.bucketing import arm_ranges, bucket, buckets, choose, choose_all
from layer7.experiments.plan import SEGMENTS

HOLDOUT_SEED = "holdout"


@dataclass(frozen=True, slots=True)
class Assignment:
    """A unit's place in an experiment.

    Args:
        experiment: the experiment.
        variant: what the unit gets.
        place: the unit's place on the line from 0 to 1.
    """

    experiment: Experiment
    variant: Variant
    place: float


def seed_of(experiment: Experiment) -> str:
    """Give the seed of an experiment's hash: its own, else its name for machines."""
    return experiment.seed or experiment.experiment_id


def coverage_of(experiment: Experiment) -> float:
    """Give the share of the units that take part now."""
    return experiment.coverages[-1].share if experiment.coverages else experiment.coverage


def assign(
    experiment: Experiment, unit: str, attributes: Mapping[str, str] | None = None
) -> Assignment | None:
    """Give what a unit gets in an experiment; None where it takes no part.

    A unit takes part if the attributes fit the targeting, its segment of the namespace belongs to the
    experiment, and its place lies in the stretch of an arm. All of it depends on the id and the experiment
    alone: the same unit always gets the same, also when the coverage grows.

    Args:
        experiment: the experiment.
        unit: id of the person or application, as the caller spells it.
        attributes: what is known of the unit.

    Example:
        >>> from layer7.experiments.plan import specified
        >>> example = specified(0)
        >>> assign(example, "user_1").variant.variant_id, assign(example, "user_2").variant.variant_id
        ('treatment', 'control')
    """
    if not _targeted(experiment, attributes or {}) or not _in_segments(experiment, unit):
        return None
    place = bucket(seed_of(experiment), unit)
    arm = choose(place, _ranges(experiment))
    return None if arm is None else Assignment(experiment, experiment.variants[arm], place)


def assign_all(experiment: Experiment, units: Sequence[str] | npt.NDArray[np.str_]) -> npt.NDArray[np.int64]:
    """Give the number of each unit's variant, -1 where it takes no part: `assign` without attributes.

    Args:
        experiment: the experiment.
        units: their ids.
    """
    ids = np.asarray(units, dtype=np.str_)
    arms = choose_all(buckets(seed_of(experiment), ids), _ranges(experiment))
    if experiment.namespace is not None:
        segments = np.floor(buckets(_namespace_seed(experiment.namespace), ids) * SEGMENTS).astype(np.int64)
        arms[~np.isin(segments, experiment.segments)] = -1
    if experiment.targeting:
        arms[:] = -1
    return arms


def held_out(unit: str, share: float) -> bool:
    """Tell whether a unit is in the global holdout, which no experiment may touch.

    Args:
        unit: its id.
        share: of all units, 0 to 1.
    """
    return bucket(HOLDOUT_SEED, unit) < share


def claim(taken: Iterable[Experiment], *, namespace: str, wanted: float, seed: str) -> tuple[int, ...]:
    """Give free segments of a namespace, a random sample of them that depends on the seed alone.

    Args:
        taken: experiments that hold segments of the namespace.
        namespace: its name.
        wanted: share of the units.
        seed: of the sample.

    Raises:
        Layer7Error: ``namespace_full`` when fewer are free.
    """
    used: set[int] = set()
    for experiment in taken:
        if experiment.namespace == namespace:
            used.update(experiment.segments)
    free = [segment for segment in range(SEGMENTS) if segment not in used]
    count = max(1, round(wanted * SEGMENTS))
    if count > len(free):
        raise Layer7Error(
            "namespace_full",
            f"{count} of {SEGMENTS} segments of {namespace} are wanted, {len(free)} are free.",
            "Ask for less, or wait until an experiment of the namespace has ended.",
        )
    # Sorting by hash draws at random without a generator: the same seed gives the same sample.
    return tuple(sorted(sorted(free, key=lambda segment: bucket(seed, str(segment)))[:count]))


def clashes(experiment: Experiment, running: Collection[Experiment]) -> tuple[str, ...]:
    """Give the running experiments on the same parameter that could share a unit with this one.

    Args:
        experiment: the one that is to start.
        running: those that run or pause.
    """
    return tuple(
        other.experiment_id
        for other in running
        if (other.component, other.parameter) == (experiment.component, experiment.parameter)
        and other.experiment_id != experiment.experiment_id
        and not _exclusive(experiment, other)
    )


def _exclusive(one: Experiment, other: Experiment) -> bool:
    same = one.namespace is not None and one.namespace == other.namespace
    return same and not set(one.segments) & set(other.segments)


def _ranges(experiment: Experiment) -> tuple[tuple[float, float], ...]:
    weights = [variant.allocation for variant in experiment.variants]
    return arm_ranges(len(weights), coverage_of(experiment), weights)


def _namespace_seed(namespace: str) -> str:
    return f"namespace:{namespace}"


def _in_segments(experiment: Experiment, unit: str) -> bool:
    if experiment.namespace is None:
        return True
    return int(bucket(_namespace_seed(experiment.namespace), unit) * SEGMENTS) in experiment.segments


def _targeted(experiment: Experiment, attributes: Mapping[str, str]) -> bool:
    return all(attributes.get(name) in allowed for name, allowed in experiment.targeting.items())
