"""What is served of the settings, right now, with its evidence: the one place that every door asks."""

from collections.abc import Mapping
from typing import Protocol

from layer7.configuration import (
    CATALOGUE,
    ConfigVersion,
    Flat,
    Resolution,
    evidence_of,
    parameter,
    parameters_of,
    resolve,
)
from layer7.contract.vocabulary import Component
from layer7.errors import Layer7Error
from layer7.storage.decisions.configs import Configs, Move
from layer7.storage.decisions.recommendations import Recommendations


class Rules(Protocol):
    """What is served to one person in place of everybody's value: her own, an experiment's, a rollout's."""

    def __call__(self, version: ConfigVersion, key: str, targeting_key: str | None) -> Resolution | None:
        """Give the resolution that takes the place of everybody's, or None.

        Args:
            version: the version in force.
            key: the setting.
            targeting_key: the person, in the caller's own id; None when none is named.

        Raises:
            Layer7Error: ``targeting_key_missing`` when the setting cannot be resolved for nobody.
        """


def no_rules(version: ConfigVersion, key: str, targeting_key: str | None) -> Resolution | None:
    """Serve everybody's value to everybody."""
    del version, key, targeting_key
    return None


class Serving:
    """Everything that is served of one installation.

    Args:
        configs: the settings.
        recommendations: what learned values came from.
        rules: what single people get instead.
    """

    def __init__(self, configs: Configs, recommendations: Recommendations, rules: Rules = no_rules) -> None:
        self._configs = configs
        self._recommendations = recommendations
        self._rules = rules
        self._evidence: dict[Component, tuple[int, Mapping[str, Mapping[str, Flat]]]] = {}

    def evaluate(self, key: str, *, component: Component | None, targeting_key: str | None) -> Resolution:
        """Resolve a setting for a person.

        Args:
            key: the setting.
            component: the only component the caller may see; None for all.
            targeting_key: the person; None for nobody in particular.

        Raises:
            Layer7Error: ``unknown_parameter``, also for another component's; ``targeting_key_missing``.
        """
        known = parameter(key)
        if component not in {None, known.component}:
            raise Layer7Error("unknown_parameter", f"{component} has no parameter {key!r}.")
        version, move = self._configs.current(known.component)
        own = self._rules(version, key, targeting_key)
        return own or self._everybodys(version, move, key)

    def for_everybody(self, key: str) -> Resolution:
        """Resolve a setting for nobody in particular, without any rules.

        Raises:
            Layer7Error: ``unknown_parameter``.
        """
        version, move = self._configs.current(parameter(key).component)
        return self._everybodys(version, move, key)

    def keys(self, component: Component | None) -> tuple[str, ...]:
        """Give the settings that a caller may see, in the order of the alphabet."""
        return tuple(sorted(CATALOGUE if component is None else (p.key for p in parameters_of(component))))

    def versions(self, component: Component | None) -> str:
        """Give the versions in force, by which a caller can tell whether anything changed."""
        shown = Component if component is None else (component,)
        return "+".join(self._configs.active(each).version for each in shown)

    def _everybodys(self, version: ConfigVersion, move: Move | None, key: str) -> Resolution:
        return resolve(version, key, evidence=self._facts(version.component, move).get(key))

    def _facts(self, component: Component, move: Move | None) -> Mapping[str, Mapping[str, Flat]]:
        """Give the evidence of a component's learned values; it can change only when the pointer moves."""
        if move is None:
            return {}
        known = self._evidence.get(component)
        if known is None or known[0] != move.id:
            origins = {
                each.key: self._configs.origin(component, each.key) for each in parameters_of(component)
            }
            learned = {
                key: evidence_of(self._recommendations.get(origin.recommendation_id))
                for key, origin in origins.items()
                if origin is not None and origin.recommendation_id is not None
            }
            known = self._evidence[component] = (move.id, learned)
        return known[1]
