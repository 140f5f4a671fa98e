"""What one person is served in place of everybody's value: the variant of a running experiment."""

from collections.abc import Callable
from datetime import datetime

from layer7.configuration import ConfigVersion, Flat, Reason, Resolution, Value, check, parameter, short_hash
from layer7.contract.experiments import Experiment
from layer7.contract.fields import FrozenDict
from layer7.errors import Layer7Error
from layer7.experiments.assignment import Assignment, assign
from layer7.storage.decisions.assignments import Assignments
from layer7.storage.decisions.experiments import Experiments


class Lookup:
    """Tells what a person would be served of running experiments, and records nothing.

    Args:
        experiments: the experiments.
        assignments: who may take part.
    """

    def __init__(self, experiments: Experiments, assignments: Assignments) -> None:
        self._experiments = experiments
        self._assignments = assignments

    def __call__(self, version: ConfigVersion, key: str, targeting_key: str | None) -> Resolution | None:
        """Give a person's variant of a setting; None where no experiment concerns her."""
        found = self.find(version, key, targeting_key)
        return None if found is None else split(version, found.experiment, found.variant.variant_id)

    def find(self, version: ConfigVersion, key: str, targeting_key: str | None) -> Assignment | None:
        """Give a person's place in the experiment on a setting; None where none concerns her.

        Nobody in particular is in no experiment; neither is anybody who has said no to experiments.
        """
        if targeting_key is None:
            return None
        for experiment in self._experiments.running():
            if (experiment.component, experiment.parameter) != (version.component, key):
                continue
            assigned = assign(experiment, targeting_key)
            if assigned is not None and self._assignments.may_take_part(targeting_key):
                return assigned
        return None


class ExperimentRules:
    """Serves the variants of running experiments, with reason SPLIT, and records each assignment once.

    Args:
        experiments: the experiments.
        assignments: who was first served what.
        clock: now, in UTC.
    """

    def __init__(
        self, experiments: Experiments, assignments: Assignments, clock: Callable[[], datetime]
    ) -> None:
        self._lookup = Lookup(experiments, assignments)
        self._assignments = assignments
        self._clock = clock

    def __call__(self, version: ConfigVersion, key: str, targeting_key: str | None) -> Resolution | None:
        """Give a person's variant of a setting; None where no experiment concerns her."""
        assigned = self._lookup.find(version, key, targeting_key)
        if assigned is None or targeting_key is None:
            return None
        variant_id = self._assignments.first(assigned, targeting_key, at=self._clock())
        return split(version, assigned.experiment, variant_id)


def split(version: ConfigVersion, experiment: Experiment, variant_id: str) -> Resolution:
    """Give the resolution of a variant.

    Args:
        version: the version in force.
        experiment: whose variant.
        variant_id: its name.

    Raises:
        Layer7Error: ``unknown_variant``.
    """
    found = next((each for each in experiment.variants if each.variant_id == variant_id), None)
    if found is None:
        raise Layer7Error(
            "unknown_variant",
            f"{experiment.experiment_id} has no variant {variant_id!r}.",
            "Read the experiment again.",
        )
    value: Value = check(parameter(experiment.parameter), found.value)
    metadata: dict[str, Flat] = {
        "flagSetId": version.component.value,
        "version": short_hash(value),
        "optimizedBy": "experiment",
        "experimentId": experiment.experiment_id,
    }
    return Resolution(
        experiment.parameter, value, variant_id, Reason.SPLIT, version.version, FrozenDict(metadata)
    )
