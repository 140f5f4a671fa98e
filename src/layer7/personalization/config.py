"""A person's settings (specification 7.1): her wishes, else what was learned as she allows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from layer7.contract.evidence import Lineage, RateEvidence
from layer7.contract.fields import FrozenDict
from layer7.contract.personalization import ConsentLevel, LearnedValue, PersonalizedConfig
from layer7.personalization.stepping import GRAIN, Kept
from layer7.personalization.values import LEVEL, Usual, evidence_words
from layer7.personalization.wishes import forgotten, is_paused

LEARNING: frozenset[str] = frozenset({"standard", "full"})
"""Levels at which what a person does is learned from; at ``full``, her own words are, too."""

_LISTS = ("preferred_company_sizes", "preferred_locations", "rejection_patterns")
FIELDS = (
    "preferred_company_sizes",
    "preferred_locations",
    "work_arrangement_preference",
    "min_fit_score_to_apply",
    "optimal_applications_per_week",
    "follow_up_timing_days",
    "edit_frequency",
    "suggestion_acceptance_rate",
    "rejection_patterns",
    "preferred_detail_level",
    "coach_tone_preference",
)
"""The fields of a person's settings, in the order of the specification."""

_LENGTHS = {"shortens": "brief", "lengthens": "detailed"}
_RATE = "suggestion_acceptance_rate"
RATE_METHOD = "beta-binomial: (accepted or edited) / decided on, drawn towards one half, worth 8 decisions"


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """What is known of a person's settings.

    Args:
        level: how far she lets herself be learned of.
        kept: what was learned; None before the first night.
        wishes: what she said herself, by field.
        said: what she does with suggestions again and again, by field of her patterns.
    """

    level: ConsentLevel
    kept: Kept | None = None
    wishes: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    said: Mapping[str, Sequence[str]] = field(default_factory=lambda: MappingProxyType({}))


def value_of(name: str, person: Person, usual: Usual) -> LearnedValue:
    """Give one value of a person with what it rests on.

    Args:
        name: one of :data:`FIELDS`.
        person: what is known of her settings.
        usual: everybody's values.
    """
    everybody = usual.of(name)
    learned = _learned(name, person)
    if name in person.wishes:
        base = learned or LearnedValue(value=None, origin="default", everybody=everybody)
        wish = person.wishes[name]
        return base.model_copy(
            update={
                "value": tuple(wish) if isinstance(wish, list) else wish,
                "origin": "chosen",
                "everybody": everybody,
            }
        )
    if learned is None or person.level not in LEARNING or name in forgotten(person.wishes):
        return LearnedValue(value=None, origin="default", everybody=everybody)
    return learned.model_copy(update={"everybody": everybody})


def moves(each: LearnedValue) -> bool:
    """Tell whether there are steps to go to what her data say; a difference too small for one is none.

    Args:
        each: one of her values.
    """
    if isinstance(each.value, int | float) and isinstance(each.target, int | float):
        return abs(each.target - each.value) >= GRAIN
    return each.target != each.value


def _learned(name: str, person: Person) -> LearnedValue | None:
    own = (person.kept or {"fields": {}})["fields"].get(name)
    if own is not None:
        return _of_deeds(name, own)
    return _of_words(name, person.said) if person.level == "full" else None


def _of_deeds(name: str, own: Mapping[str, Any]) -> LearnedValue:
    history = own["history"]
    return LearnedValue(
        value=_frozen(own["value"]),
        origin="learned",
        target=_frozen(own["target"]),
        interval=None if own["low"] is None else (own["low"], own["high"]),
        level=None if own["low"] is None else LEVEL,
        n=own["n"],
        method=evidence_words(name),
        changed=history[-1][0] if history else None,
        before=_frozen(history[-2][1]) if len(history) > 1 else None,
    )


def _of_words(name: str, said: Mapping[str, Sequence[str]]) -> LearnedValue | None:
    """What her own words and edits say; only at level ``full``."""
    if name == "rejection_patterns" and said.get(name):
        value: Any = tuple(said[name])
    elif name == "preferred_detail_level":
        edits = (words.split(" ", 1)[0] for words in said.get("typical_edit_patterns", ()))
        value = next((_LENGTHS[edit] for edit in edits if edit in _LENGTHS), None)
    else:
        return None
    if value is None:
        return None
    return LearnedValue(value=value, origin="learned", target=value, method=evidence_words(name))


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def personalized_config(
    user_id: str, person: Person, usual: Usual, *, as_of: str, lineage: Lineage | None = None
) -> PersonalizedConfig:
    """Put a person's settings together.

    Args:
        user_id: whose they are.
        person: what is known of them.
        usual: everybody's values.
        as_of: when they were last computed, ISO 8601.
        lineage: the night that computed them.
    """
    values = {name: value_of(name, person, usual) for name in FIELDS}
    plain: dict[str, Any] = {
        name: (each.value or ()) if name in _LISTS else each.value for name, each in values.items()
    }
    return PersonalizedConfig(
        user_id=user_id,
        last_updated=as_of,
        origins=FrozenDict({name: each.origin for name, each in values.items()}),
        evidence=_evidence(values[_RATE]),
        learned=FrozenDict(values),
        consent=person.level,
        paused=is_paused(person.wishes),
        lineage=lineage,
        method="her wishes, else what she does, drawn from everybody's value, one step a day at most",
        **plain,
    )


def _evidence(rate: LearnedValue) -> Mapping[str, RateEvidence]:
    if rate.origin != "learned" or rate.interval is None or not isinstance(rate.value, float):
        return FrozenDict()
    low, high = rate.interval
    told = RateEvidence(
        value=rate.value, low=low, high=high, n=rate.n, events=round(rate.value * rate.n), method=RATE_METHOD
    )
    return FrozenDict({_RATE: told})
