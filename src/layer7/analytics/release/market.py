"""The job market as others may see it (specification 4.3): from released weeks alone."""

import math
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import pyarrow as pa

from layer7.analytics.making import document
from layer7.analytics.market.insights import FIELDS, empty
from layer7.analytics.release.contributions import HORIZON_DAYS, MOST_SENT, MOST_WEIGHT
from layer7.analytics.release.public_keys import OTHER
from layer7.analytics.release.weeks import EVERYONE, PRIOR, SHARE, Sight, evidence_of, prior_of
from layer7.analytics.segments.habits import LEVEL
from layer7.contract.evidence import RateEvidence, TimeEvidence
from layer7.contract.market import (
    ActiveIndustry,
    HotLocation,
    HotSkill,
    LevelDemand,
    MarketInsights,
    MarketMonth,
)
from layer7.contract.vocabulary import SeniorityLevel
from layer7.privacy.budget import epsilon_of
from layer7.privacy.pooled import Told
from layer7.statistics.silence.moments import DelayPrior

_Entry = TypeVar("_Entry")


def _answered_within() -> float:
    laws, interviews, rejections = DelayPrior(), 0.043, 0.33
    early = (law.cdf([HORIZON_DAYS])[0] for law in (laws.interview, laws.rejection))
    return float(sum(share * part for share, part in zip((interviews, rejections), early, strict=True))) / (
        interviews + rejections
    )


ANSWERED_WITHIN = _answered_within()
"""Share of all answers that come within the horizon, by published delays and base rates."""


def market_of_release(sight: Sight) -> MarketInsights:
    """Say what the market does.

    Args:
        sight: the released weeks.
    """
    if not sight.told:
        return _nothing(sight)
    pooled, lists = sight.pooled, _Lists(sight)
    wait, rates = _first_response(sight), _rates(evidence_of(sight.rate(EVERYONE, "answered")))
    inside = "Compared inside the installation only: `layer7 market --inside`."
    return MarketInsights(
        period=sight.period,
        most_active_industries=lists.of("industry", lists.industry, by=lambda entry: entry.job_postings),
        hottest_skills=lists.of("skill", lists.skill, by=lambda entry: entry.demand_score),
        hottest_locations=lists.of("place", lists.location, by=lambda entry: entry.openings),
        best_months_to_apply=(),
        worst_months_to_apply=(),
        avg_days_to_first_response=wait.value,
        ghosting_rate=rates["ghosting_rate"].value,
        demand_by_level=lists.levels(),
        contributors=round(pooled.sums[EVERYONE, 0] / len(pooled.weeks)),
        suppressed=lists.suppressed,
        epsilon=round(epsilon_of(pooled.layout.rho * len(pooled.weeks)), 2),
        trend=_trend(sight),
        first_response=wait,
        missing={"best_months_to_apply": inside, "worst_months_to_apply": inside},
        evidence=rates,
        as_of=sight.as_of,
        lineage=sight.lineage,
        window=sight.period,
        method=(
            f"people who contribute, in {len(pooled.weeks)} released weeks; {SHARE}; cells below "
            f"{pooled.least:,.0f} noisy votes are left out; different postings and salaries are not released"
        ),
        what_would_change_this=sight.off or "More contributors, and other kinds of people among them.",
    )


def released_market_table(found: MarketInsights) -> pa.Table:
    """Give the market as the one row of a derived table: ``document``, the contract's JSON.

    Args:
        found: the market.
    """
    return pa.table({"document": pa.array([document(found)], pa.string())})


class _Lists:
    """Entries of the released tables, and how many cells stay inside.

    Args:
        sight: the released weeks.
    """

    def __init__(self, sight: Sight) -> None:
        self._sight = sight
        self.suppressed = 0

    def of(
        self, table: str, make: Callable[[str, int], _Entry], *, by: Callable[[_Entry], float]
    ) -> tuple[_Entry, ...]:
        """Give the shown entries of a table, the largest first."""
        return tuple(
            sorted((make(name, place) for name, place in self._shown(table)), key=lambda it: -by(it))
        )

    def levels(self) -> dict[SeniorityLevel, LevelDemand]:
        """Give the shown levels, the lowest first."""
        found = {}
        for name, place in self._shown("level"):
            rate, more = self._rate(place)
            found[SeniorityLevel(name)] = LevelDemand(
                openings=self._sent(place), competition=None, avg_response_rate=rate, **more
            )
        return found

    def _shown(self, table: str) -> Sequence[tuple[str, int]]:
        pooled = self._sight.pooled
        every = zip(pooled.layout.table(table).keys, pooled.places(table), strict=True)
        own = [(name, place) for name, place in every if name != OTHER]
        shown = [(name, place) for name, place in own if pooled.shown(place)]
        self.suppressed += len(own) - len(shown)
        return shown

    def _rate(self, place: int) -> tuple[float, dict[str, Any]]:
        value, low, high = self._sight.rate(place, "answered").within(LEVEL)
        votes = round(self._sight.pooled.sums[place, 0])
        return value, {
            "n": votes,
            "interval": (low, high),
            "level": LEVEL,
            "window": self._sight.period,
            "method": SHARE,
            "what_would_change_this": f"About {3 * votes:,} more applications would halve the interval.",
        }

    def _sent(self, place: int) -> int:
        return round(max(self._sight.pooled.total(place, "sent").middle * MOST_SENT, 0.0))

    def industry(self, name: str, place: int) -> ActiveIndustry:
        """Give an industry."""
        rate, more = self._rate(place)
        return ActiveIndustry(industry=name, job_postings=self._sent(place), avg_response_rate=rate, **more)

    def location(self, name: str, place: int) -> HotLocation:
        """Give a place."""
        rate, more = self._rate(place)
        return HotLocation(location=name, openings=self._sent(place), avg_response_rate=rate, **more)

    def skill(self, name: str, place: int) -> HotSkill:
        """Give a skill: each that was kept of a person speaks for its share of her others."""
        pooled = self._sight.pooled
        asked = max(pooled.total(EVERYONE, "listing").middle, 1.0)
        named = pooled.total(place, "named")
        whole = MOST_WEIGHT * max(named.middle, 0.0)
        error = math.hypot(MOST_WEIGHT * named.error, math.sqrt(MOST_WEIGHT * pooled.design * whole))
        told = Told(100 * whole / asked, 100 * error / asked, named.votes)
        value, low, high = told.within(LEVEL, most=100.0)
        return HotSkill(
            skill=name,
            demand_score=value,
            avg_salary=None,
            n=round(asked),
            interval=(low, high),
            level=LEVEL,
            window=self._sight.period,
            method="percent of people's postings that name it, of those that name any skill; noise included",
            what_would_change_this=f"About {3 * asked:,.0f} more applications would halve the interval.",
        )


def _first_response(sight: Sight) -> TimeEvidence:
    """Mean days to an answer over people who got one in a week: two noisy sums, one over the other."""
    pooled = sight.pooled
    heard = max(pooled.total(EVERYONE, "heard").middle, 1.0)
    waited = pooled.total(EVERYONE, "wait")
    mean = min(max(waited.middle / heard, 0.0), 1.0)
    error = math.hypot(
        waited.error * math.hypot(1.0, mean), math.sqrt(pooled.design * heard * mean * (1 - mean))
    )
    value, low, high = Told(HORIZON_DAYS * mean, HORIZON_DAYS * error / heard, heard).within(
        LEVEL, most=float(HORIZON_DAYS)
    )
    return TimeEvidence(
        value=value,
        low=low,
        high=high,
        n=max(round(pooled.sums[EVERYONE, 0]), round(heard)),
        events=round(heard),
        horizon=HORIZON_DAYS,
        unit="days",
        level=LEVEL,
        method=f"mean over people and weeks, of answers within {HORIZON_DAYS} days; noise included",
    )


def _rates(answered: RateEvidence) -> dict[str, RateEvidence]:
    """Answered within the horizon; and never answered, by published delays of the later answers."""
    value, low, high = (
        1 - min((end or 0.0) / ANSWERED_WITHIN, 1.0) for end in (answered.value, answered.high, answered.low)
    )
    method = f"{SHARE}; {100 * ANSWERED_WITHIN:.0f} % of answers come that early by published delays"
    never = {
        "value": value,
        "low": low,
        "high": high,
        "events": answered.n - answered.events,
        "method": method,
    }
    return {"response_rate": answered, "ghosting_rate": answered.model_copy(update=never)}


def _trend(sight: Sight) -> tuple[MarketMonth, ...]:
    """Interview rates by month, at the months' own mix; months with too few votes are null."""
    found = []
    for month, pooled in sight.months.items():
        told = pooled.share(EVERYONE, "interviewed") if pooled.shown(EVERYONE) else None
        value, low, high = (None, None, None) if told is None else told.within(LEVEL)
        found.append(
            MarketMonth(
                month=month,
                interview_rate=None,
                raw_interview_rate=value,
                n=None if told is None else round(told.votes),
                interval=None if low is None or high is None else (low, high),
                level=LEVEL,
                method=SHARE,
            )
        )
    return tuple(found)


def _nothing(sight: Sight) -> MarketInsights:
    """What a small installation is told: published rates, and that they are not its own."""
    answered, words = prior_of("answered"), sight.missing()
    value, low, high = (1 - (end or 0.0) for end in (answered.value, answered.high, answered.low))
    never = answered.model_copy(update={"value": value, "low": low, "high": high})
    return empty(
        words,
        period=sight.period,
        ghosting_rate=value,
        missing=dict.fromkeys(FIELDS, words),
        evidence={"response_rate": answered, "ghosting_rate": never},
        as_of=sight.as_of,
        lineage=sight.lineage,
        method=PRIOR,
    )
