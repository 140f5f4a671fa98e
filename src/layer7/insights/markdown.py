"""A letter as Markdown."""

import re
from collections.abc import Iterator, Mapping
from datetime import date
from types import MappingProxyType

from layer7.contract.insights import Part, SilencePoint, WeeklyInsights
from layer7.insights.words import day_words, percent

HEADINGS: Mapping[Part, str] = MappingProxyType(
    {
        "highlights": "What went well",
        "concerns": "What to look at",
        "what_worked": "What works for you",
        "what_didnt_work": "What does not",
        "try_this_week": "Try this week",
        "stop_doing": "Do less of",
        "vs_similar_users": "Where you stand",
        "silence": "Is this silence normal?",
        "not_yet_known": "What cannot be told yet",
    }
)
"""The heading of each part, in the order of the letter."""

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~&])")


def to_markdown(letter: WeeklyInsights) -> str:
    """Give a letter as Markdown; what others wrote is escaped.

    Args:
        letter: the letter.
    """
    return "\n".join(_lines(letter)) + "\n"


def escaped(text: str) -> str:
    r"""Give a text so that Markdown shows it as it is.

    Example:
        >>> escaped("C++ <b>*dev*</b>")
        'C++ \\<b\\>\\*dev\\*\\</b\\>'
    """
    return _SPECIAL.sub(r"\\\1", text)


def told_curve(letter: WeeklyInsights) -> tuple[SilencePoint, ...]:
    """Give the chances by days of silence, to those of whom something is silent.

    Args:
        letter: the letter.
    """
    return letter.silence.curve if letter.silence is not None and letter.silence.waiting else ()


def _lines(letter: WeeklyInsights) -> Iterator[str]:
    yield f"# Your week from {day_words(date.fromisoformat(letter.week_start))}"
    told = {part: [each.text for each in letter.sentences if each.part == part] for part in HEADINGS}
    for each in letter.sentences:
        if each.part == "opening":
            yield from ("", escaped(each.text))
    if any(week.applications for week in letter.weeks):
        yield from ("", "| week from | applications |", "| --- | ---: |")
        yield from (
            f"| {day_words(date.fromisoformat(week.week_start))} | {week.applications} |"
            for week in letter.weeks
        )
    for part, heading in HEADINGS.items():
        if told[part]:
            yield from ("", f"## {heading}", "")
            yield from (f"- {escaped(text)}" for text in told[part])
        if part == "silence" and told_curve(letter):
            yield from ("", "| days of silence | an interview still comes |", "| ---: | ---: |")
            yield from (f"| {point.days} | {percent(point.chance)} |" for point in told_curve(letter))
