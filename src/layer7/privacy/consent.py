"""One function decides whether a person's data may be used for a purpose."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from layer7.contract.vocabulary import Purpose

DEFAULTS: Mapping[Purpose, str] = MappingProxyType(
    {
        Purpose.PERSONALISATION: "standard",
        Purpose.CONTRIBUTE_TO_MARKET_INSIGHTS: "no",
        Purpose.EXPERIMENTS: "yes",
        Purpose.FAIRNESS_MONITORING: "no",
    }
)
"""What holds until a person says otherwise: help for herself yes, figures for others no."""

_VALUES: Mapping[Purpose, frozenset[str]] = MappingProxyType(
    {
        purpose: frozenset({"off", "explicit_only", "standard", "full"})
        if purpose is Purpose.PERSONALISATION
        else frozenset({"yes", "no"})
        for purpose in Purpose
    }
)


@dataclass(frozen=True, slots=True)
class Consent:
    """What one person has said, by purpose; what she has not said is at its default.

    Args:
        said: the latest value per purpose, e.g. ``{Purpose.EXPERIMENTS: "no"}``.
    """

    said: Mapping[Purpose, str] = field(default_factory=lambda: MappingProxyType({}))

    def value(self, purpose: Purpose) -> str:
        """Give what holds for a purpose; an unreadable value counts as "no".

        Example:
            >>> Consent().value(Purpose.PERSONALISATION)
            'standard'
            >>> Consent({Purpose.PERSONALISATION: "banana"}).value(Purpose.PERSONALISATION)
            'off'
        """
        value = self.said.get(purpose, DEFAULTS[purpose])
        if value in _VALUES[purpose]:
            return value
        return "off" if purpose is Purpose.PERSONALISATION else "no"


def may_use(consent: Consent | None, purpose: Purpose) -> bool:
    """Decide whether a person's data may be used for a purpose.

    Args:
        consent: what the person has said; None when her record cannot be read, which counts as "no".
        purpose: what the data would be used for. Experiments also need personalisation by outcomes.

    Returns:
        True only when the person's word, or the default where she has said nothing, allows it.

    Example:
        >>> may_use(Consent(), Purpose.CONTRIBUTE_TO_MARKET_INSIGHTS)
        False
        >>> may_use(Consent({Purpose.PERSONALISATION: "off"}), Purpose.EXPERIMENTS)
        False
    """
    if consent is None:
        return False
    level = consent.value(Purpose.PERSONALISATION)
    if purpose is Purpose.PERSONALISATION:
        return level in {"standard", "full"}
    if purpose is Purpose.EXPERIMENTS and level not in {"standard", "full"}:
        return False
    return consent.value(purpose) == "yes"
