"""What the pages of segments and of the market print, from what was released: pure functions."""

from collections.abc import Iterable

from layer7.contract.analytics import UserSegment
from layer7.contract.evidence import TimeEvidence
from layer7.contract.fields import Interval
from layer7.contract.market import MarketInsights
from layer7.insights.words import people_words
from layer7.server.pages import charts, figures
from layer7.server.pages.context import Context

EVERYONE = "everyone"


def segments_context(segments: tuple[UserSegment, ...]) -> Context:
    """Prepare the list of segments.

    Args:
        segments: as they are released, everyone first.

    Example:
        >>> segments_context(())["items"]
        []
    """
    everyone = next((each for each in segments if each.segment_id == EVERYONE), None)
    told = [each.interval for each in segments if each.interval is not None]
    top = max((high for _, high in told), default=0.0)
    items = [
        (each, _who(each), charts.beside(each.avg_interview_rate, each.interval, top)) for each in segments
    ]
    return {"items": items, "everyone": everyone, "headline": _headline(everyone), "released": bool(told)}


def _who(segment: UserSegment) -> str:
    return "everyone" if segment.segment_id == EVERYONE else people_words(segment.criteria)


def _headline(everyone: UserSegment | None) -> tuple[str, str] | None:
    """Say everyone's rate within the days that are released; None before there is one."""
    rate = None if everyone is None else everyone.evidence.get("avg_interview_rate")
    return None if rate is None else figures.in_words(rate, "lead to an interview")


def market_context(market: MarketInsights | None) -> Context:
    """Prepare the page of the market.

    Args:
        market: as it is released; None before the first night.

    Example:
        >>> market_context(None)["lists"]
        []
    """
    if market is None:
        return {"market": None, "headline": None, "waits": None, "lists": [], "missing": []}
    ghosted = market.evidence.get("ghosting_rate")
    missing = [(name.replace("_", " "), words) for name, words in market.missing.items()]
    return {
        "market": market,
        "headline": None if ghosted is None else figures.in_words(ghosted, "are never answered"),
        "waits": waits_words(market.first_response),
        "lists": [each for each in _lists(market) if each[2]],
        "missing": missing,
    }


def waits_words(found: TimeEvidence | None) -> str:
    """Say how long the first answer takes.

    Args:
        found: the time with its interval; None when it was not computed.

    Example:
        >>> waits_words(None)
        'How long the first answer takes cannot be told yet.'
    """
    if found is None or found.value is None or found.low is None or found.high is None:
        return "How long the first answer takes cannot be told yet."
    return (
        f"The first answer takes {found.value:.1f} {found.unit} on average ({found.low:.1f} to "
        f"{found.high:.1f}; {figures.counted(found.events, 'answer')}), of answers within "
        f"{figures.counted(found.horizon, 'day')}."
    )


Row = tuple[str, int | None, float | None, Interval | None, int | None]
"""Name, postings, share that gets any answer, its interval, n."""


def _lists(market: MarketInsights) -> Iterable[tuple[str, str, list[Row]]]:
    """Give each list of rates with its name, and what its first column is called."""
    yield (
        "Industries",
        "Industry",
        [
            (it.industry, it.job_postings, it.avg_response_rate, it.interval, it.n)
            for it in market.most_active_industries
        ],
    )
    yield (
        "Places",
        "Place",
        [
            (it.location, it.openings, it.avg_response_rate, it.interval, it.n)
            for it in market.hottest_locations
        ],
    )
    yield (
        "Levels",
        "Level",
        [
            (str(level), it.openings, it.avg_response_rate, it.interval, it.n)
            for level, it in market.demand_by_level.items()
        ],
    )
