"""Is this silence normal? The answer that people wait for most."""

from collections.abc import Iterator

from layer7.contract.fields import FrozenDict
from layer7.contract.insights import InsightFinding, InsightSentence, SilenceAnswer, SilencePoint
from layer7.insights.facts import Rated, SilenceLaw, Week
from layer7.insights.sentences import TOLD_DAYS, UNUSUAL
from layer7.insights.words import counted, percent

LONG = 0.25
"""Silence is called much when fewer people than this share would have no interview by now."""

SHOWN_DAYS = (0, 7, 14, 21, 30, 45, 60, 90)
"""Days of silence that the curve shows."""


def silence_answer(week: Week, rated: Rated | None, law: SilenceLaw | None) -> InsightSentence:
    """Answer in one or two sentences, from the log's own law of delays.

    Silence is called normal unless she has no interview in so many applications that fewer than a tenth of
    people would have none (beta-binomial law of people's rates).

    Args:
        week: what was counted.
        rated: her interview rate.
        law: what silence means.
    """
    facts: dict[str, float] = {"waiting": float(week.waiting)}
    words = list(_words(week, rated, law, facts))
    found = InsightFinding(
        kind="silence",
        about="her silent applications",
        metric="chance_of_no_interview_yet",
        value=None if rated is None else rated.none,
        n=None if rated is None else rated.n,
        basis="own" if law is None else "cross_user",
        source="outlook",
        facts=FrozenDict(facts),
    )
    return InsightSentence(part="silence", text=" ".join(words), finding=found)


def _words(week: Week, rated: Rated | None, law: SilenceLaw | None, facts: dict[str, float]) -> Iterator[str]:
    if not week.waiting:
        yield "Nothing of yours is waiting for an answer."
        return
    normal = is_normal(week, rated)
    if normal is None:
        yield f"You wait for {counted(week.waiting, 'answer')}; whether that is long cannot be told yet."
    else:
        wait = f"{counted(week.waiting, 'application')} of yours {'waits' if week.waiting == 1 else 'wait'}"
        long = rated is not None and rated.events == 0 and rated.none < LONG
        usual = "This is much silence, but not unusual yet" if long else "Yes, this silence is normal"
        yield f"{usual if normal else 'This is more silence than usual'}: {wait}."
    if rated is not None and rated.events == 0 and normal is not None:
        facts |= {"none": rated.none, "applications": float(rated.n)}
        yield (
            f"Of people who have sent as many and waited as long ({counted(rated.n, 'application')}), "
            f"{percent(rated.none)} have no interview yet."
        )
    if law is not None:
        yield from _law(week, rated, law, facts)


def _law(week: Week, rated: Rated | None, law: SilenceLaw, facts: dict[str, float]) -> Iterator[str]:
    chances = dict(law.curve)
    told = [(day, chances[day]) for day in TOLD_DAYS if day in chances]
    if law.answered is not None:
        facts["never"] = 1 - law.answered
        yield f"{percent(1 - law.answered)} of all applications are never answered."
    if told:
        facts |= {f"day_{day}": float(day) for day, _ in told} | {f"chance_{day}": at for day, at in told}
        parts = " and ".join(f"{percent(chance)} after {day} days" for day, chance in told)
        yield f"Of those that are silent, an interview still comes to {parts}."
    ahead = still_expected(rated)
    if ahead is not None and week.waiting:
        facts["still_expected"] = ahead
        amount = f"about {ahead:.1f}" if ahead < 10 else f"about {ahead:.0f}"
        yield f"From yours, {amount if ahead >= 0.05 else 'next to no'} interviews are still to be expected."


def is_normal(week: Week, rated: Rated | None) -> bool | None:
    """Tell whether a silence is normal; None before anything has been seen or when nothing waits.

    Args:
        week: what was counted.
        rated: her interview rate.
    """
    if rated is None or not week.waiting:
        return None
    return rated.events > 0 or rated.none >= UNUSUAL


def still_expected(rated: Rated | None) -> float | None:
    """Give how many interviews are still to come: her rate times what has not been seen yet.

    A silent application of age t is still p(1 - F) / (1 - pF - rG) = p u(t) likely to reach one, u(t) being
    what it takes off the trials (docs/methods/rates-under-silence.md), and n - seen is the sum of u.

    Args:
        rated: her interview rate.
    """
    return None if rated is None else rated.value * max(rated.n - rated.seen, 0.0)


def to_answer(
    told: InsightSentence, week: Week, rated: Rated | None, law: SilenceLaw | None
) -> SilenceAnswer:
    """Give the answer with the curve behind it.

    Args:
        told: the sentence.
        week: what was counted.
        rated: her interview rate.
        law: what silence means.
    """
    chances = {} if law is None else dict(law.curve)
    return SilenceAnswer(
        answer=told.text,
        normal=is_normal(week, rated),
        waiting=week.waiting,
        longest_days=week.longest,
        still_expected=still_expected(rated),
        curve=tuple(SilencePoint(days=day, chance=chances[day]) for day in SHOWN_DAYS if day in chances),
    )
