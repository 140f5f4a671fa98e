"""One function decides whether a person's data may be used for a purpose."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from layer7.contract.vocabulary import Purpose
from layer7.errors import Layer7Error

DEFAULTS: Mapping[Purpose, str] = MappingProxyType(
    {
        Purpose.PERSONALISATION: "standard",
        Purpose.CONTRIBUTE_TO_MARKET_INSIGHTS: "no",
        Purpose.EXPERIMENTS: "yes",
        Purpose.FAIRNESS_MONITORING: "no",
    }
)
"""What holds until a person says otherwise: help for herself yes, figures for others no."""

VALUES: Mapping[Purpose, tuple[str, ...]] = MappingProxyType(
    {
        purpose: ("off", "explicit_only", "standard", "full")
        if purpose is Purpose.PERSONALISATION
        else ("no", "yes")
        for purpose in Purpose
    }
)
"""What can be said of each purpose, the strictest first."""

_PLAIN: Mapping[str, tuple[str, str]] = MappingProxyType(
    {"true": ("yes", "standard"), "false": ("no", "off"), "yes": ("yes", "standard"), "no": ("no", "off")}
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
        return value if value in VALUES[purpose] else VALUES[purpose][0]


def spoken(purpose: Purpose, text: str) -> str:
    """Give what a person says of a purpose in the words that are kept: ``true`` is ``yes``, or ``standard``.

    Args:
        purpose: what it is about.
        text: what she said, e.g. ``yes``, ``false``, ``explicit_only``.

    Raises:
        Layer7Error: ``unknown_choice`` with what is allowed.

    Example:
        >>> spoken(Purpose.EXPERIMENTS, "true"), spoken(Purpose.PERSONALISATION, "no")
        ('yes', 'off')
    """
    plain = _PLAIN.get(text)
    value = text if plain is None else plain[purpose is Purpose.PERSONALISATION]
    if value not in VALUES[purpose]:
        raise Layer7Error(
            "unknown_choice",
            f"{purpose.value} cannot be set to this.",
            f"It is one of: {', '.join(VALUES[purpose])}.",
        )
    return value


def strictness(purpose: Purpose, value: str) -> int:
    """Give how strict a value is, to choose between two that were said at the same moment.

    Example:
        >>> strictness(Purpose.EXPERIMENTS, "no") > strictness(Purpose.EXPERIMENTS, "yes")
        True
    """
    words = VALUES[purpose]
    return len(words) - words.index(value) if value in words else len(words) + 1


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
