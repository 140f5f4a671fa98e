"""Reads letters as a suspicious person would: every number of a sentence must stand in its finding."""

import re
from collections.abc import Iterator

from layer7.contract.insights import InsightSentence, WeeklyInsights
from layer7.insights.words import percent, times

NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
FIXED = {"95", "8"}
"""The level of every interval, and the weeks that count as recently."""


def numbers_of(sentence: InsightSentence) -> set[str]:
    """Give every way in which the numbers of a finding may be written."""
    found = sentence.finding
    values = [found.value, found.n, *(found.interval or ()), *found.facts.values()]
    written: set[str] = set(FIXED) | set(NUMBER.findall(found.about))
    for value in values:
        if value is not None:
            written |= set(
                NUMBER.findall(f"{percent(value)} {times(value)} {value:,.0f} {value:.1f} {value:.0f}")
            )
    return written


def unsupported(sentence: InsightSentence, quoted: str = "") -> set[str]:
    """Give the numbers of a sentence that its finding does not hold.

    Args:
        sentence: what is said.
        quoted: other people's words that may stand in it.
    """
    return set(NUMBER.findall(sentence.text)) - numbers_of(sentence) - set(NUMBER.findall(quoted))


def claims(letter: WeeklyInsights) -> Iterator[InsightSentence]:
    """Give the sentences that claim a difference: something better or worse."""
    for each in letter.sentences:
        if each.finding.kind in {"pattern", "change"}:
            yield each


def proves(sentence: InsightSentence) -> bool:
    """Tell whether the interval behind a claim leaves out "no difference"."""
    found = sentence.finding
    none = 0.0 if found.metric == "interview_rate" else 1.0
    low, high = found.interval or (found.facts["low"], float("inf"))
    return not low <= none <= high
