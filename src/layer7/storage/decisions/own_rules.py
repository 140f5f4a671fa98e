"""What one person is served in place of everybody's value: her wish, a variant, what was learned."""

from typing import Literal

from layer7.configuration import ConfigVersion, Flat, Resolution, check, parameter, resolve
from layer7.contract.personalization import LearnedValue
from layer7.contract.vocabulary import Purpose
from layer7.errors import Layer7Error
from layer7.personalization.config import Person, value_of
from layer7.personalization.values import Usual
from layer7.personalization.wishes import FIELDS
from layer7.storage.decisions.serving import Rules
from layer7.storage.people.consents import Consents
from layer7.storage.people.keys import Keys
from layer7.storage.people.personal import Personal

Level = Literal["off", "explicit_only", "standard", "full"]


def person_of(personal: Personal, consents: Consents, person: str) -> Person:
    """Read what is known of a person's settings, and what she allows at this moment.

    Args:
        personal: where settings and wishes are kept.
        consents: what people have said.
        person: her pseudonym.
    """

    def read() -> Person:
        level = level_of(consents, person)
        if level == "off":
            return Person(level=level)
        kept = personal.kept(person).get(person) if level in {"standard", "full"} else None
        return Person(level=level, kept=kept, wishes=personal.wishes(person))

    return personal.state.once(("person", person), read)


def level_of(consents: Consents, person: str) -> Level:
    """Give how far a person lets herself be learned of; an unreadable record counts as not at all.

    Args:
        consents: what people have said.
        person: her pseudonym.
    """
    said = consents.of(person)
    words: dict[str, Level] = {
        "off": "off", "explicit_only": "explicit_only", "standard": "standard", "full": "full"
    }  # fmt: skip
    return "off" if said is None else words.get(said.value(Purpose.PERSONALISATION), "off")


class OwnRules:
    """Serves single people their own values, with reason TARGETING_MATCH; consent is read on each use.

    Her own wish comes first; then a running experiment; then what was learned of her. Who has chosen a value
    herself is in no experiment on it, whatever the arm, so the comparison stays fair.

    Args:
        personal: where settings and wishes are kept.
        consents: what people have said.
        keys: the installation's keys.
        others: the rules beside, such as those of experiments.
    """

    def __init__(self, personal: Personal, consents: Consents, keys: Keys, others: Rules) -> None:
        self._personal = personal
        self._consents = consents
        self._keys = keys
        self._others = others

    def __call__(self, version: ConfigVersion, key: str, targeting_key: str | None) -> Resolution | None:
        """Give the resolution that takes the place of everybody's, or None."""
        field = FIELDS.get(key)
        if field is None or targeting_key is None:
            return self._others(version, key, targeting_key)
        person = person_of(self._personal, self._consents, self._keys.person(targeting_key))
        own = value_of(field, person, _NOBODY)
        if own.origin == "chosen":
            return self._resolved(version, key, own)
        return self._others(version, key, targeting_key) or self._resolved(version, key, own)

    def _resolved(self, version: ConfigVersion, key: str, own: LearnedValue) -> Resolution | None:
        """Give her value; one that the setting no longer allows is not served."""
        if own.value is None:
            return None
        try:
            value = check(parameter(key), own.value)
        except Layer7Error:
            return None
        return resolve(version, key, override=value, evidence=_facts(own))


_NOBODY = Usual(pace=1.0, fit=0.0, follow_up=1.0)
"""Everybody's values are served by others; here they only stand beside."""


def _facts(own: LearnedValue) -> dict[str, Flat]:
    facts: dict[str, Flat] = {
        "optimizedBy": "user" if own.origin == "chosen" else "layer_7",
        "origin": own.origin,
    }
    if own.origin == "learned":
        facts["sampleSize"] = own.n
        if own.interval is not None:
            facts |= {"ciLow": own.interval[0], "ciHigh": own.interval[1]}
        if own.changed is not None:
            facts["changed"] = own.changed
    return facts
