"""What is served: a value with its variant, the reason it was chosen, its version and its evidence."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from layer7.configuration.catalogue import parameter
from layer7.configuration.parameter import Parameter, Value, check
from layer7.configuration.versions import ConfigVersion, short_hash
from layer7.contract.fields import FrozenDict
from layer7.contract.recommendation import OptimizationRecommendation
from layer7.errors import Layer7Error

Flat = str | int | float | bool
"""What metadata may hold: OpenFeature clients drop anything nested."""

BASELINE = "baseline"
"""Variant of a value that is the catalogue's default."""

PERSONAL = "user"
"""Variant of one person's own value."""


class Reason(StrEnum):
    """Why a value was chosen; clients of OpenFeature throw away a value with any other reason."""

    STATIC = "STATIC"
    DEFAULT = "DEFAULT"
    TARGETING_MATCH = "TARGETING_MATCH"
    SPLIT = "SPLIT"
    DISABLED = "DISABLED"


@dataclass(frozen=True, slots=True)
class Resolution:
    """A served value, which never travels alone.

    Args:
        key: the setting's name.
        value: its value; None exactly when the reason is DISABLED, then the caller's own default holds.
        variant: ``baseline`` for the default, ``user`` for a person's own value, else the value's version.
        reason: why this value.
        version: the version of the component's whole configuration, to walk back from.
        metadata: flat facts; ``flagSetId`` is the component, ``version`` the version of this value alone,
            so that a change of one setting never looks like a change of all.
    """

    key: str
    value: Value | None
    variant: str
    reason: Reason
    version: str
    metadata: Mapping[str, Flat]


def evidence_of(recommendation: OptimizationRecommendation) -> Mapping[str, Flat]:
    """Give what speaks for a learned value, as flat metadata; what is unknown is left out.

    Args:
        recommendation: the recommendation that the value in force came from.

    Returns:
        ``optimizedBy``, ``recommendationId``, ``sampleSize`` (units), ``ciLow`` and ``ciHigh`` (of the gain,
        in the metric's unit) and ``pValue``, those that are known.
    """
    evidence = recommendation.evidence
    low, high = evidence.confidence_interval or (None, None)
    facts = {
        "optimizedBy": "layer_7",
        "recommendationId": recommendation.recommendation_id,
        "sampleSize": evidence.sample_size,
        "ciLow": low,
        "ciHigh": high,
        "pValue": evidence.p_value,
    }
    return FrozenDict({name: fact for name, fact in facts.items() if fact is not None})


def resolve(
    version: ConfigVersion,
    key: str,
    *,
    evidence: Mapping[str, Flat] | None = None,
    override: object = None,
    disabled: bool = False,
) -> Resolution:
    """Decide what is served for a setting.

    A disabled setting has reason DISABLED and no value; a person's own value has reason TARGETING_MATCH;
    everything else is STATIC. DEFAULT and SPLIT are given where experiments and rollouts add their rules.

    Args:
        version: the version in force.
        key: the setting's name.
        evidence: flat facts about the very value that is served, for example :func:`evidence_of`.
        override: the person's own value; None when there is none.
        disabled: whether the setting is switched off.

    Raises:
        Layer7Error: ``unknown_parameter``, ``wrong_component``, ``not_personal`` for an override of a setting
            that holds for everybody, ``wrong_metadata``, or why the value is refused.

    Example:
        >>> from layer7.configuration.versions import baseline
        >>> from layer7.contract.vocabulary import Component
        >>> served = resolve(baseline(Component.STRATEGY_ENGINE), "improve_resume_threshold")
        >>> served.value, served.variant, served.reason.value, served.metadata["optimizedBy"]
        (75.0, 'baseline', 'STATIC', 'default')
    """
    known, held = parameter(key), version.value(key)
    if override is not None and not known.personal:
        raise Layer7Error(
            "not_personal",
            f"{key} holds for everybody.",
            "Settings of one person are marked in docs/settings.md.",
        )
    value = check(known, held if override is None else override)
    metadata = _metadata(known, value, evidence or {}, personal=override is not None)
    if disabled:
        return Resolution(key, None, "", Reason.DISABLED, version.version, metadata)
    if override is not None:
        return Resolution(key, value, PERSONAL, Reason.TARGETING_MATCH, version.version, metadata)
    variant = BASELINE if value == known.default else short_hash(value)
    return Resolution(key, value, variant, Reason.STATIC, version.version, metadata)


def _metadata(
    known: Parameter, value: Value, evidence: Mapping[str, Flat], *, personal: bool
) -> Mapping[str, Flat]:
    for name, fact in evidence.items():
        if not isinstance(fact, Flat) or (isinstance(fact, float) and not math.isfinite(fact)):
            raise Layer7Error(
                "wrong_metadata",
                f"The fact {name} about {known.key} is no text, finite number or truth value.",
                "Leave out what is unknown, and write nested facts as several flat ones.",
            )
    own: dict[str, Flat] = {"flagSetId": known.component.value, "version": short_hash(value)}
    if personal:
        own["personalized"] = True
    set_by = "default" if value == known.default and not personal else "manual"
    return FrozenDict({"optimizedBy": set_by} | dict(evidence) | own)
