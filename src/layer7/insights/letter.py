"""One person's weekly letter (specification 8.1): findings in, sentences out; nothing is said without one."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from itertools import islice
from types import MappingProxyType

from layer7.contract.evidence import RateEvidence
from layer7.contract.fields import FrozenDict
from layer7.contract.insights import (
    Benchmark,
    InsightFinding,
    InsightSentence,
    Part,
    WeekCount,
    WeeklyInsights,
    WhatDidntWork,
    WhatWorked,
)
from layer7.insights.facts import Detail, Facts, Manner, Pattern, Rated, Standing, Week
from layer7.insights.sentences import (
    LEVEL,
    gain_of,
    is_claimed,
    learned_pattern,
    opened,
    suggestions,
    to_leave,
    unknowns,
    week_concerns,
    week_highlights,
)
from layer7.insights.silence import silence_answer, to_answer
from layer7.insights.standing import standing_sentence
from layer7.insights.words import OFF, level_words, sentence

RATE = "beta-binomial: shrunk towards similar people's mean on effective applications"
PATTERN = "hierarchical log odds against her average and everybody's experience; it predicts"
MOST: Mapping[Detail, int] = MappingProxyType({"brief": 1, "standard": 3, "detailed": 8})
"""How many sentences each part has at most."""

_NOBODY = Benchmark(your_interview_rate=None, segment_avg=None, percentile=None)


def weekly_insights(facts: Facts, manner: Manner) -> WeeklyInsights:
    """Write a person's letter of one week.

    Args:
        facts: what was counted and learned.
        manner: how she likes to be told.
    """
    if facts.week is None:
        return _closed(facts)
    told = tuple(_sentences(facts, facts.week, manner))
    claimed = _claimed(facts, manner)
    silence = next(each for each in told if each.part == "silence")
    return WeeklyInsights(
        user_id=facts.user_id,
        week_start=facts.start.isoformat(),
        highlights=_texts(told, "highlights"),
        concerns=_texts(told, "concerns"),
        what_worked=tuple(_worked(each) for each in claimed if each.odds_ratio[0] > 1),
        what_didnt_work=tuple(_failed(each) for each in claimed if each.odds_ratio[0] < 1),
        try_this_week=_texts(told, "try_this_week"),
        stop_doing=_texts(told, "stop_doing"),
        vs_similar_users=_benchmark(facts.rated, facts.standing),
        not_yet_known=_texts(told, "not_yet_known"),
        evidence=_evidence(facts.rated),
        sentences=told,
        silence=to_answer(silence, facts.week, facts.rated, facts.silence),
        weeks=_weeks(facts.week),
        as_of=facts.as_of.isoformat(),
        lineage=facts.lineage,
    )


def _sentences(facts: Facts, week: Week, manner: Manner) -> Iterator[InsightSentence]:
    most = MOST[manner.detail]
    yield opened(week, manner)
    yield from islice(week_highlights(facts, week), most)
    yield from islice(week_concerns(facts, week), most)
    yield from (learned_pattern(pattern, manner) for pattern in _claimed(facts, manner))
    yield from islice(suggestions(facts, week), most)
    yield from islice(to_leave(facts), most)
    if facts.rated is not None:
        yield standing_sentence(facts.rated, facts.standing)
    yield silence_answer(week, facts.rated, facts.silence)
    yield from islice(unknowns(facts, facts.rated), most)


def _claimed(facts: Facts, manner: Manner) -> tuple[Pattern, ...]:
    return tuple(filter(is_claimed, facts.learned.patterns))[: MOST[manner.detail]]


def _texts(told: Iterable[InsightSentence], part: Part) -> tuple[str, ...]:
    return tuple(each.text for each in told if each.part == part)


def _worked(pattern: Pattern) -> WhatWorked:
    gain = gain_of(pattern)
    return WhatWorked(
        pattern=sentence(level_words(pattern.dimension, pattern.level)),
        metric="interview_rate",
        improvement=gain.value,
        n=pattern.n,
        interval=(gain.low, gain.high),
        level=LEVEL,
        method=PATTERN,
        what_would_change_this=f"About {pattern.change:,} more applications there without an interview.",
    )


def _failed(pattern: Pattern) -> WhatDidntWork:
    gain = gain_of(pattern)
    return WhatDidntWork(
        pattern=sentence(level_words(pattern.dimension, pattern.level)),
        metric="interview_rate",
        decline=gain.value,
        n=pattern.n,
        interval=(gain.low, gain.high),
        level=LEVEL,
        method=PATTERN,
        what_would_change_this=f"About {pattern.change:,} more applications there with an interview.",
    )


def _benchmark(rated: Rated | None, standing: Standing | None) -> Benchmark:
    if rated is None:
        return _NOBODY
    if standing is None:
        return Benchmark(your_interview_rate=rated.value, segment_avg=None, percentile=None)
    place, low, high = standing.percentile
    return Benchmark(
        your_interview_rate=rated.value,
        segment_avg=standing.mean[0],
        segment_avg_interval=standing.mean[1:],
        percentile=place,
        percentile_band=(low, high),
        segment_id=standing.segment_id,
        user_count=standing.people,
    )


def _evidence(rated: Rated | None) -> Mapping[str, RateEvidence]:
    if rated is None:
        return FrozenDict()
    told = RateEvidence(
        value=rated.value,
        low=rated.low,
        high=rated.high,
        n=rated.n,
        effective_n=rated.seen,
        events=rated.events,
        level=LEVEL,
        method=RATE,
    )
    return FrozenDict({"your_interview_rate": told})


def _weeks(week: Week) -> tuple[WeekCount, ...]:
    back = range(len(week.sent) - 1, -1, -1)
    return tuple(
        WeekCount(week_start=(week.start - timedelta(weeks=at)).isoformat(), applications=sent)
        for at, sent in zip(back, week.sent, strict=True)
    )


def _closed(facts: Facts) -> WeeklyInsights:
    """The letter of somebody of whom nothing is read."""
    why = facts.off or "unknown"
    found = InsightFinding(
        kind=why, about="her consent", metric="applications", value=None, basis="counted", source="consents"
    )
    return WeeklyInsights(
        user_id=facts.user_id,
        week_start=facts.start.isoformat(),
        highlights=(),
        concerns=(),
        what_worked=(),
        what_didnt_work=(),
        try_this_week=(),
        stop_doing=(),
        vs_similar_users=_NOBODY,
        not_yet_known=(),
        sentences=(InsightSentence(part="opening", text=OFF[why], finding=found),),
        as_of=facts.as_of.isoformat(),
        lineage=facts.lineage,
    )
