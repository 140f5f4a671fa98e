"""The sentences of a letter: each is made from one finding, and says no number that is not in it."""

from collections.abc import Iterator
from dataclasses import dataclass

from layer7.contract.fields import FrozenDict
from layer7.contract.insights import InsightFinding, InsightSentence, Part
from layer7.insights.facts import Change, Facts, Manner, Pattern, Rated, Targets, Week
from layer7.insights.words import (
    OPENINGS,
    QUESTIONS,
    counted,
    level_words,
    percent,
    plain,
    sentence,
    span,
    times,
)

LEVEL = 0.95
UNUSUAL = 0.10
"""Silence is called unusual when fewer people than this share would have no interview by now."""

TOLD_DAYS = (14, 30)
"""Days of silence whose chance is told."""

_WEEKS, _PATTERNS, _RETHINKING = "weeks", "patterns", "rethinking"
FOLLOWED_UP = 20
"""Nobody follows up on more applications than this in a week."""

HOPELESS = 1_000
"""Nobody should wait for what takes more applications than this to tell."""


@dataclass(frozen=True, slots=True)
class Gain:
    """What a pattern is worth in the unit of the interview rate.

    Args:
        usual: the rate that her average and everybody's experience would give there.
        value: the rate less ``usual``.
        low: lower end of its interval.
        high: upper end of it.
    """

    usual: float
    value: float
    low: float
    high: float


def gain_of(pattern: Pattern) -> Gain:
    """Turn a pattern's odds ratio into a difference of rates: usual odds = odds of the level / odds ratio.

    The ends come from the ends of the odds ratio at the same usual odds, so the interval leaves out 0 exactly
    where that of the odds ratio leaves out 1.

    Args:
        pattern: the pattern.

    Example:
        >>> found = Pattern(dimension="location", level="Oslo", odds_ratio=(4.0, 2.0, 8.0), probability=0.97,
        ...                 n=40, events=8, rate=(0.16, 0.1, 0.25), change=30)
        >>> gain = gain_of(found)
        >>> f"{gain.usual:.3f}, {gain.value:+.3f} ({gain.low:+.3f} to {gain.high:+.3f})"
        '0.045, +0.115 (+0.042 to +0.230)'
    """
    ratio, low, high = pattern.odds_ratio
    rate = min(max(pattern.rate[0], 1e-9), 1 - 1e-9)
    odds = rate / (1 - rate) / ratio

    def at(factor: float) -> float:
        return odds * factor / (1 + odds * factor) - usual

    usual = odds / (1 + odds)
    return Gain(usual, rate - usual, at(low), at(high))


def is_claimed(pattern: Pattern) -> bool:
    """Tell whether a pattern may be claimed: its interval leaves out "no difference"."""
    _, low, high = pattern.odds_ratio
    return low > 1 or high < 1


def opened(week: Week, manner: Manner) -> InsightSentence:
    """Begin with the best that the week had, in the person's tone.

    Args:
        week: what was counted.
        manner: how she likes to be told.
    """
    sent = week.sent[-1]
    if not (week.offered or week.invited or sent) and week.rejected:
        heard = counted(week.rejected, "rejection")
        each = "it" if week.rejected == 1 else "each of them"
        words = f"You sent nothing this week and heard {heard}; {each} also ends a wait."
        return _counted("opening", words, kind="rejected", metric="rejections", value=week.rejected)
    kind = "offer" if week.offered else "invited" if week.invited else "sent" if sent else "quiet"
    value = {"offer": week.offered, "invited": week.invited, "sent": sent, "quiet": 0}[kind]
    words = OPENINGS[kind][manner.tone].format(
        offers="an offer" if week.offered == 1 else counted(week.offered, "offer"),
        invited=_invitations(week.invited),
        sent=counted(sent, "application"),
        Sent=counted(sent, "application"),
    )
    return _counted("opening", sentence(words), kind=kind, metric=_METRIC[kind], value=value)


_METRIC = {"offer": "offers", "invited": "interviews", "sent": "applications", "quiet": "applications"}


def _invitations(n: int) -> str:
    return "1 invitation to an interview" if n == 1 else f"{n:,} invitations to interviews"


def _counted(part: Part, text: str, *, kind: str, metric: str, value: int, **facts: float) -> InsightSentence:
    found = InsightFinding(
        kind=kind,
        about="this week",
        metric=metric,
        value=float(value),
        basis="counted",
        source=_WEEKS,
        facts=FrozenDict(facts),
    )
    return InsightSentence(part=part, text=text, finding=found)


def week_highlights(facts: Facts, week: Week) -> Iterator[InsightSentence]:
    """What went well in the week, beside what the letter begins with."""
    sent, aim = week.sent[-1], facts.aim
    if week.offered and week.invited:
        words = f"You also got {_invitations(week.invited)}."
        yield _counted("highlights", words, kind="invited", metric="interviews", value=week.invited)
    if aim is not None and facts.planned and sent >= aim:
        words = f"You planned {aim:.0f} a week, and sent {sent:,}."
        yield _counted("highlights", words, kind="aim", metric="applications", value=sent, aim=aim)
    elif sent and (week.offered or week.invited):
        words = f"Beside that, you sent {counted(sent, 'application')}."
        yield _counted("highlights", words, kind="sent", metric="applications", value=sent)
    change = facts.learned.change
    if change is not None and change.low > 1:
        yield _changed("highlights", change, "More of your applications lead to interviews lately")


def week_concerns(facts: Facts, week: Week) -> Iterator[InsightSentence]:
    """What did not go well."""
    change, targets = facts.learned.change, facts.learned.targets
    if change is not None and change.high is not None and change.high < 1:
        yield _changed("concerns", change, "Fewer of your applications lead to interviews lately")
    if targets is not None and targets.rethink:
        yield _below(targets, facts.rated)
    sent, aim = week.sent[-1], facts.aim
    # In the week of an offer, and once she has stopped, nobody has to hear that she sent little.
    searching = facts.planned or any(week.sent[-4:])
    if aim is not None and sent < aim / 2 and searching and not week.offered:
        usual = "You planned" if facts.planned else "You usually send about"
        words = f"{usual} {aim:.0f} a week; this week it was {sent or 'none'}."
        yield _counted("concerns", words, kind="aim", metric="applications", value=sent, aim=aim)


def _changed(part: Part, change: Change, words: str) -> InsightSentence:
    (k1, n1), (k0, n0) = change.recent, change.before
    ends = (
        f"{times(change.low)} to {times(change.high)} times as many"
        if change.high is not None
        else f"at least {times(change.low)} times as many"
    )
    text = (
        f"{words}: {counted(k1, 'interview')} from {counted(n1, 'application')} in the last 8 weeks, "
        f"{counted(k0, 'interview')} from {counted(n0, 'application')} before. Counting answers that are "
        f"still to come, that is {ends} per application (95 % interval)."
    )
    facts = {"interviews": k1, "applications": n1, "interviews_before": k0, "applications_before": n0}
    found = InsightFinding(
        kind="change",
        about="her interview rate, the last 8 weeks against before",
        metric="interview_rate_ratio",
        value=None,
        interval=(change.low, change.high) if change.high is not None else None,
        level=LEVEL,
        n=n1 + n0,
        basis="own",
        source=_WEEKS,
        facts=FrozenDict(
            {name: float(value) for name, value in facts.items()} | {"weeks": 8.0, "low": change.low}
        ),
    )
    return InsightSentence(part=part, text=text, finding=found)


def _below(targets: Targets, rated: Rated | None) -> InsightSentence:
    # Whose every application counts has never changed them, or not that anybody logged.
    all_of_them = rated is not None and rated.n == targets.n
    text = (
        f"{counted(targets.n, 'application')} and {counted(targets.interviews, 'interview')} "
        f"{'so far' if all_of_them else 'since you last changed your targets'}: with a chance of "
        f"{percent(targets.probability)} your true interview rate is below {percent(targets.threshold)}."
    )
    return InsightSentence(part="concerns", text=text, finding=_targets_found(targets))


def _targets_found(targets: Targets) -> InsightFinding:
    return InsightFinding(
        kind="rethink",
        about="her targets",
        metric="probability_below_threshold",
        value=targets.probability,
        n=targets.n,
        basis="own",
        source=_RETHINKING,
        facts=FrozenDict({"threshold": targets.threshold, "interviews": float(targets.interviews)}),
    )


def pattern_sentence(part: Part, pattern: Pattern, text: str) -> InsightSentence:
    """Say a text of a pattern, with what it rests on.

    Args:
        part: where it stands.
        pattern: the pattern.
        text: what is said.
    """
    gain = gain_of(pattern)
    found = InsightFinding(
        kind="pattern",
        about=f"{pattern.dimension}: {plain(pattern.level)}",
        metric="interview_rate",
        value=gain.value,
        interval=(gain.low, gain.high),
        level=LEVEL,
        n=pattern.n,
        basis="own",
        source=_PATTERNS,
        facts=FrozenDict(
            {
                "rate": pattern.rate[0],
                "rate_low": pattern.rate[1],
                "rate_high": pattern.rate[2],
                "usual": gain.usual,
                "events": float(pattern.events),
                "odds_ratio": pattern.odds_ratio[0],
                "odds_ratio_low": pattern.odds_ratio[1],
                "odds_ratio_high": pattern.odds_ratio[2],
                "probability": pattern.probability,
                "change": float(pattern.change),
            }
        ),
    )
    return InsightSentence(part=part, text=text, finding=found)


def learned_pattern(pattern: Pattern, manner: Manner) -> InsightSentence:
    """Say what a pattern says: what works, or what does not.

    Args:
        pattern: one that may be claimed.
        manner: how she likes to be told.
    """
    gain, (rate, low, high) = gain_of(pattern), pattern.rate
    words = level_words(pattern.dimension, pattern.level)
    side = "more" if gain.value > 0 else "less"
    text = (
        f"{sentence(words)} answer you {side} often: about {percent(rate)} lead to an interview "
        f"({span(low, high)}; n = {pattern.n:,}), where your average and everybody's experience would give "
        f"{percent(gain.usual)}."
    )
    if manner.detail == "detailed":
        text += (
            f" The odds are {times(pattern.odds_ratio[0])} times as high ({times(pattern.odds_ratio[1])} to "
            f"{times(pattern.odds_ratio[2])}), with a probability of {percent(pattern.probability)}; about "
            f"{pattern.change:,} more applications could take that back."
        )
    return pattern_sentence("what_worked" if gain.value > 0 else "what_didnt_work", pattern, text)


def suggestions(facts: Facts, week: Week) -> Iterator[InsightSentence]:
    """What to try, the most personal first."""
    for pattern in facts.learned.patterns:
        if is_claimed(pattern) and pattern.odds_ratio[1] > 1:
            words = level_words(pattern.dimension, pattern.level)
            text = (
                f"Give {words} a larger share, as far as you like them: so far they answered you more often."
            )
            yield pattern_sentence("try_this_week", pattern, text)
    if facts.learned.targets is not None and facts.learned.targets.rethink:
        text = "Look at your targets again: other roles, another level or other places may answer better."
        yield InsightSentence(part="try_this_week", text=text, finding=_targets_found(facts.learned.targets))
    if week.due:
        many = "those you want most of the " if week.due > FOLLOWED_UP else ""
        text = (
            f"Follow up on {many}{counted(week.due, 'application')} that turned {facts.follow_up:.0f} days "
            "old this week without an answer. Whether following up brings interviews is not proven; it costs "
            "little."
        )
        yield _counted(
            "try_this_week",
            text,
            kind="follow_up",
            metric="applications",
            value=week.due,
            days=facts.follow_up,
        )
    if week.waiting and not (week.sent[-1] or week.invited or week.offered or week.rejected):
        text = (
            f"{counted(week.waiting, 'application')} of yours {'waits' if week.waiting == 1 else 'wait'}: if "
            "an answer came that is not logged, log it. Nothing helps this letter more."
        )
        yield _counted("try_this_week", text, kind="log", metric="applications", value=week.waiting)


def to_leave(facts: Facts) -> Iterator[InsightSentence]:
    """What to do less of; never nothing at all of it, since then nobody could see it change."""
    for pattern in facts.learned.patterns:
        if is_claimed(pattern) and pattern.odds_ratio[2] < 1:
            words = level_words(pattern.dimension, pattern.level)
            text = f"Give {words} a smaller share; keep a few, so that a change for the better would show."
            yield pattern_sentence("stop_doing", pattern, text)


def unknowns(facts: Facts, rated: Rated | None) -> Iterator[InsightSentence]:
    """What cannot be told yet, and about how much more it takes."""
    n = 0 if rated is None else rated.n
    wanted = sorted(
        (more, name) for name, more in facts.learned.needed.items() if more > 0 and name in QUESTIONS
    )
    if rated is None:
        text = "Your interview rate: 1 application is enough to begin."
        yield _open(text, n, about="interview rate", value=1.0)
    elif facts.learned.needed and not any(map(is_claimed, facts.learned.patterns)):
        text = (
            "No role, place, kind of company, channel or time is proven to stand out for you by itself so "
            "far."
        )
        yield _open(text, n, kind="no_pattern", about="all dimensions")
    for more, name in wanted:
        enough = counted(more, "more application")
        text = (
            f"{sentence(QUESTIONS[name])}: odds three times as good would show after about {enough}."
            if more <= HOPELESS
            else f"{sentence(QUESTIONS[name])}: that takes more than one search usually has, about {enough}."
        )
        yield _open(text, n, about=name, value=float(more))


def _open(
    text: str, n: int, *, about: str, kind: str = "needed", value: float | None = None
) -> InsightSentence:
    found = InsightFinding(
        kind=kind,
        about=about,
        metric="applications_needed",
        value=value,
        n=n,
        basis="own",
        source="pattern_plans",
    )
    return InsightSentence(part="not_yet_known", text=text, finding=found)
