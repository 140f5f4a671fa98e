"""The words of letters: numbers for people, what a level is called, and how each tone begins."""

import re
import unicodedata
from collections.abc import Mapping
from datetime import date
from types import MappingProxyType

from layer7.contract.analytics import SegmentCriteria
from layer7.insights.facts import Tone

LONGEST = 80
"""Characters of somebody else's words that a sentence quotes at most."""

LEVELS: Mapping[str, str] = MappingProxyType(
    {
        "title": "{} roles",
        "location": "jobs in {}",
        "company_type": "companies of the type {}",
        "industry": "jobs in the industry {}",
        "company_size": "companies of the size {}",
        "seniority": "jobs of the level {}",
        "channel": "applications through {}",
        "resume_version_id": "resume version {}",
        "section": "resumes with a rewritten {}",
        "gap": "resumes that close the gap {}",
        "weekday": "applications sent on a {}",
        "hours": "applications sent between {}",
    }
)
"""What a level of each dimension is called."""

QUESTIONS: Mapping[str, str] = MappingProxyType(
    {
        "title": "which roles answer you best",
        "location": "which places answer you best",
        "company_type": "which kinds of company answer you best",
        "industry": "which industries answer you best",
        "company_size": "which sizes of company answer you best",
        "seniority": "which level answers you best",
        "channel": "which way of applying works best for you",
        "resume_version_id": "which of your resumes works best",
        "weekday": "whether the weekday matters for you",
        "hours": "whether the hour matters for you",
    }
)
"""What more applications would tell, by dimension."""

OPENINGS: Mapping[str, Mapping[Tone, str]] = MappingProxyType(
    {
        "offer": {
            "professional": "You received {offers} this week.",
            "friendly": "What a week: you got {offers}. Congratulations!",
            "motivational": "You did it: {offers} this week. Enjoy it!",
        },
        "invited": {
            "professional": "You received {invited} this week.",
            "friendly": "Good news: {invited} this week.",
            "motivational": "Your work shows: {invited} this week. Go and show them!",
        },
        "sent": {
            "professional": "You sent {sent} this week.",
            "friendly": "You kept at it: {sent} this week.",
            "motivational": "{Sent} this week: every one of them is a chance. Keep going!",
        },
        "quiet": {
            "professional": "You sent no applications this week, and no answers arrived.",
            "friendly": "A quiet week: nothing sent, nothing heard. That is fine, searches have such weeks.",
            "motivational": "A quiet week: nothing sent, nothing heard. Rest is part of it; start fresh.",
        },
    }
)
"""How a letter begins, by what the week was like."""

OFF: Mapping[str, str] = MappingProxyType(
    {
        "switched_off": "As you wish, nothing is learned from your applications, so there is nothing to "
        "tell of them. You can change that at any time.",
        "paused": "Learning is paused, so there is no letter this week. Your settings stay as they are "
        "until you go on.",
        "unknown": "Nothing is known of your applications yet. Once the first are logged, this letter tells "
        "what they say.",
    }
)
"""What is said when nothing is read of a person."""

EVERY_KIND = "of all kinds"
"""Who similar people are where nothing else is asked of them."""

MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_MARKS = re.compile(r"\s+")


def plain(text: str) -> str:
    r"""Give somebody else's words as one short line without control or direction marks.

    Example:
        >>> plain("Data\n Engineer \u202e(m/f)")
        'Data Engineer (m/f)'
    """
    kept = "".join(" " if mark.isspace() else mark for mark in text if not _hidden(mark))
    line = _MARKS.sub(" ", kept).strip()
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1].rstrip()}…"


def _hidden(mark: str) -> bool:
    return not mark.isspace() and unicodedata.category(mark) in {"Cc", "Cf", "Co", "Cs", "Cn"}


def percent(share: float) -> str:
    """Give a share as percent, as exact as it is worth.

    Example:
        >>> percent(0.0431), percent(0.314), percent(0.0004), percent(0.9991), percent(1.0)
        ('4.3 %', '31 %', 'below 0.1 %', 'more than 99 %', '100 %')
    """
    if 0 < share < 0.001:
        return "below 0.1 %"
    if 0.995 <= share < 1:
        return "more than 99 %"
    return f"{100 * share:.1f} %" if share < 0.0995 else f"{100 * share:.0f} %"


def about(share: float) -> str:
    """Give a share at the start of a sentence.

    Example:
        >>> about(0.0431), about(0.0004)
        ('About 4.3 %', 'Below 0.1 %')
    """
    told = percent(share)
    return told.capitalize() if told.startswith("below") else f"About {told}"


def span(low: float, high: float) -> str:
    """Give the ends of an interval of a share.

    Example:
        >>> span(0.021, 0.13), span(0.0001, 0.0004)
        ('2.1 to 13 %', 'below 0.1 %')
    """
    if percent(low) == percent(high):
        return percent(high)
    return f"{percent(low).removesuffix(' %')} to {percent(high)}"


def times(ratio: float) -> str:
    """Give a ratio.

    Example:
        >>> times(2.0957), times(0.381)
        ('2.1', '0.38')
    """
    return f"{ratio:.1f}" if ratio >= 1 else f"{ratio:.2f}"


def counted(n: int, one: str, many: str = "") -> str:
    """Give a number with its noun.

    Example:
        >>> counted(1, "offer"), counted(12, "application"), counted(2, "day of silence", "days of silence")
        ('1 offer', '12 applications', '2 days of silence')
    """
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def level_words(dimension: str, level: str) -> str:
    """Say what a level is, in small letters.

    Example:
        >>> level_words("location", "Berlin, DE")
        'jobs in Berlin, DE'
    """
    return LEVELS.get(dimension, dimension.replace("_", " ") + " {}").replace("{}", plain(level))


def people_words(criteria: SegmentCriteria) -> str:
    """Say who similar people are.

    Example:
        >>> people_words(SegmentCriteria(target_roles=("data engineer",), years_experience_range=(2, 5)))
        'data engineer, 2 to 5 years'
        >>> people_words(SegmentCriteria(locations=("Austin, US",)))
        'who apply in Austin, US'
        >>> people_words(SegmentCriteria.model_validate_json('{"seniority": "mid"}'))
        'mid level'
        >>> people_words(SegmentCriteria())
        'of all kinds'
    """
    if criteria.locations:
        return f"who apply in {plain(criteria.locations[0])}"
    if criteria.industries:
        return f"who apply in the industry {plain(criteria.industries[0])}"
    named = " ".join(filter(None, (criteria.seniority, *map(plain, criteria.target_roles or ()))))
    span_of_years = criteria.years_experience_range
    years = [] if span_of_years is None else [f"{span_of_years[0]:g} to {span_of_years[1]:g} years"]
    if criteria.seniority and not criteria.target_roles:
        named += " level"
    return ", ".join([named, *years] if named else years) or EVERY_KIND


def day_words(day: date, *, short: bool = False) -> str:
    """Give a day as people write it.

    Example:
        >>> day_words(date(2026, 3, 2)), day_words(date(2026, 3, 2), short=True)
        ('2 March 2026', '2 Mar')
    """
    month = MONTHS[day.month - 1]
    return f"{day.day} {month[:3]}" if short else f"{day.day} {month} {day.year}"


def sentence(text: str) -> str:
    """Give a text with its first letter large.

    Example:
        >>> sentence("jobs in Berlin answer.")
        'Jobs in Berlin answer.'
    """
    return text[:1].upper() + text[1:]
