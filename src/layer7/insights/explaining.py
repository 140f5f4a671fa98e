"""Everything that was learned of a person in plain words: value, evidence, whose data, and how to undo it."""

import shlex
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from layer7.contract.insights import InsightSentence, WeeklyInsights
from layer7.contract.learned import LearnedFrom, LearnedItem
from layer7.contract.personalization import LearnedValue, PersonalizedConfig
from layer7.insights.words import counted, plain
from layer7.personalization.config import moves

_SAID: Mapping[str, str] = MappingProxyType(
    {
        "preferred_company_sizes": "You turn to companies of the size {}.",
        "preferred_locations": "You turn to jobs in {}.",
        "work_arrangement_preference": "You prefer to work {}.",
        "min_fit_score_to_apply": "No job with a fit score below {} is planned for you.",
        "optimal_applications_per_week": "{} applications a week are planned for you.",
        "follow_up_timing_days": "You are reminded to follow up after {} days.",
        "edit_frequency": "How often you change suggestions before you take them: {}.",
        "suggestion_acceptance_rate": "You take {} of the suggestions that you decide on.",
        "rejection_patterns": "You reject again and again: {}.",
        "preferred_detail_level": "Your letter is {}.",
        "coach_tone_preference": "You are spoken to in a {} tone.",
    }
)
_KINDS = frozenset({"pattern", "change", "rethink", "standing"})
_FROM: Mapping[str, LearnedFrom] = MappingProxyType({"own": "own_with_others", "cross_user": "others"})


def learned_items(config: PersonalizedConfig, letter: WeeklyInsights | None) -> Iterator[LearnedItem]:
    """Give what was learned of a person: her settings, and the learned findings of her letter.

    Args:
        config: her settings.
        letter: her latest letter, at full length; None when there is none.
    """
    values = ((name, each) for name, each in config.learned.items() if each.value is not None)
    told = sorted(values, key=lambda item: item[1].origin != "chosen")
    user = shlex.quote(config.user_id)
    yield from (_setting(name, each, user) for name, each in told)
    seen = set()
    for sentence in () if letter is None else letter.sentences:
        about = f"{sentence.finding.kind} {sentence.finding.about}"
        if sentence.finding.kind in _KINDS and about not in seen:
            seen.add(about)
            yield _finding(sentence, user)


def _setting(name: str, each: LearnedValue, user: str) -> LearnedItem:
    chosen = each.origin == "chosen"
    evidence = (
        "You said so yourself."
        if chosen
        else f"Learned from {each.method} ({counted(each.n, 'observation')})."
        if each.n
        else f"Learned from {each.method}."
    )
    if not chosen and moves(each):
        # Numbers are drawn to everybody's value while little is known: the plain quantile would differ.
        drawn = "" if each.everybody is None else ", weighed with everybody's value by how much is known,"
        evidence += f" Your data{drawn} say {spoken_value(name, each.target)}; it moves there a step a day."
    if each.everybody is not None:
        evidence += f" Everybody's value is {spoken_value(name, each.everybody)}."
    undo = (
        f"layer7 personalize reset {user} {name}"
        if chosen
        else (
            f"layer7 personalize forget {user} {name}; "
            f"or choose it: layer7 personalize set {user} {name} VALUE"
        )
    )
    return LearnedItem(
        key=name,
        words=_SAID[name].format(spoken_value(name, each.value)),
        value=each.value,
        evidence=evidence,
        n=None if chosen else each.n,
        interval=None if chosen else each.interval,
        level=None if chosen else each.level,
        learned_from="chosen" if chosen else "own",
        changed=None if chosen else each.changed,
        undo=undo,
    )


def spoken_value(name: str, value: Any) -> str:
    """Give a value as people say it.

    Example:
        >>> spoken_value("suggestion_acceptance_rate", 0.725), spoken_value("x", ("Ulm", "Bonn"))
        ('72 %', 'Ulm; Bonn')
    """
    if isinstance(value, float) and name == "suggestion_acceptance_rate":
        return f"{100 * value:.0f} %"
    if isinstance(value, int | float):
        return f"{value:.1f}".removesuffix(".0")
    if isinstance(value, tuple | list):
        return "; ".join(plain(str(each)) for each in value)
    return plain(str(value))


def _finding(sentence: InsightSentence, user: str) -> LearnedItem:
    found = sentence.finding
    key = found.about if found.kind == "pattern" else found.kind
    undo = (
        f"layer7 personalize forget {user} {shlex.quote(key)}"
        if found.kind == "pattern"
        else (
            f"layer7 personalize forget {user} --since DAY; "
            f"or layer7 privacy consent {user} --set personalisation=off"
        )
    )
    return LearnedItem(
        key=key,
        words=sentence.text,
        value=found.value,
        evidence=f"Found by the night from {counted(found.n or 0, 'application')} (table {found.source}).",
        n=found.n,
        interval=found.interval,
        level=found.level,
        learned_from=_FROM[found.basis],
        undo=undo,
    )
