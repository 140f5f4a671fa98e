"""The job market in the contract's words (specification 4.3)."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa

from layer7.analytics.clusters import design_effect
from layer7.analytics.making import Making, document, time_evidence
from layer7.analytics.market.months import Seasons
from layer7.analytics.segments.habits import LEVEL
from layer7.contract.evidence import Period, RateEvidence, TimeEvidence
from layer7.contract.market import ActiveIndustry, HotLocation, HotSkill, LevelDemand, MarketInsights
from layer7.contract.vocabulary import SeniorityLevel
from layer7.privacy.least import LEAST_PEOPLE, about_enough
from layer7.statistics import SilenceModel, SilenceMoments
from layer7.statistics.arrays import padded_sum
from layer7.statistics.rates.intervals import normal_quantile, wilson
from layer7.statistics.rates.time_to_event import time_to_event

FIRST_RESPONSE_DAYS = 60
"""Days within which a first answer is waited for."""

LONGEST_LIST = 25
ANSWERS = "answers on effective trials, clustered by employer (Wilson)"

Row = Mapping[str, Any]
_Entry = TypeVar("_Entry")


@dataclass(frozen=True, slots=True)
class MarketMoments:
    """What the insights of a market are made of.

    Args:
        answers: rows of :func:`layer7.analytics.market.moments.answer_moments`.
        skills: rows of :func:`layer7.analytics.market.moments.skill_moments`.
        days: after how many days answers came, and how old silence is, in the window.
        model: the silence model of the window.
        seasons: what the months tell.
    """

    answers: Sequence[Row]
    skills: Sequence[Row]
    days: SilenceMoments
    model: SilenceModel
    seasons: Seasons


FIELDS = (
    *("most_active_industries", "hottest_skills", "hottest_locations", "best_months_to_apply"),
    *("worst_months_to_apply", "avg_days_to_first_response", "demand_by_level"),
)
"""What a market is told in, beside how many never answer."""


def rate_of(row: Row) -> RateEvidence:
    """Give an answer rate with its evidence.

    Args:
        row: ``n`` and what :func:`design_effect` takes.
    """
    design = design_effect(row)
    trials = max(row["trials"], row["k"])
    if trials < 1:
        return RateEvidence(
            value=None, n=int(row["n"]), effective_n=trials, events=int(row["k"]), method=ANSWERS, needed=1
        )
    found = wilson(row["k"] / design, trials / design, LEVEL)
    return RateEvidence(
        value=found.value,
        low=found.low,
        high=found.high,
        n=int(row["n"]),
        effective_n=trials / design,
        events=int(row["k"]),
        level=LEVEL,
        method=ANSWERS,
    )


def insights(moments: MarketMoments, *, making: Making) -> MarketInsights:
    """Say what the market does, through the anonymising door.

    Args:
        moments: what was counted.
        making: when, from what, with which dice.
    """
    whole = next(row for row in moments.answers if row["dimension"] == "all")
    if whole["people"] < LEAST_PEOPLE:
        return nothing(making, contributors=int(whole["people"]))
    lists = _Lists(making.window)
    wait = _first_response(moments.days, making)
    rates = _overall(moments.model, whole)
    return MarketInsights(
        period=making.window,
        most_active_industries=lists.of(moments.answers, "industry", _industry),
        hottest_skills=lists.skills(moments.skills),
        hottest_locations=lists.of(moments.answers, "location", _location),
        best_months_to_apply=moments.seasons.best,
        worst_months_to_apply=moments.seasons.worst,
        avg_days_to_first_response=wait.value,
        ghosting_rate=rates["ghosting_rate"].value,
        demand_by_level=lists.levels(moments.answers),
        contributors=int(whole["people"]),
        suppressed=lists.suppressed,
        months=moments.seasons.months,
        trend=moments.seasons.trend,
        first_response=wait,
        missing=_missing(moments.seasons, wait),
        evidence=rates,
        as_of=making.as_of,
        lineage=making.lineage,
        window=making.window,
        method=(
            "people who contribute; silence as in the cure model; intervals clustered by employer; entries "
            f"about fewer than {LEAST_PEOPLE} people left out"
        ),
        what_would_change_this="More contributors, and other kinds of people among them.",
    )


def nothing(making: Making, *, contributors: int) -> MarketInsights:
    """Say that too few people contribute to say anything.

    Args:
        making: when, and from what.
        contributors: how many contribute.
    """
    words = (
        f"At least {LEAST_PEOPLE} people who agreed to contribute to market insights and applied in the "
        f"period; there are {'none' if contributors == 0 else 'fewer'}."
    )
    return empty(
        words,
        period=making.window,
        ghosting_rate=None,
        missing=dict.fromkeys((*FIELDS, "ghosting_rate"), words),
        as_of=making.as_of,
        lineage=making.lineage,
    )


def empty(words: str, **known: Any) -> MarketInsights:
    """Give figures of a market of which nothing is known.

    Args:
        words: what would have to come.
        known: what is known all the same.
    """
    return MarketInsights(
        most_active_industries=(),
        hottest_skills=(),
        hottest_locations=(),
        best_months_to_apply=(),
        worst_months_to_apply=(),
        avg_days_to_first_response=None,
        demand_by_level={},
        what_would_change_this=words,
        **known,
    )


class _Lists:
    """Lists that pass the door, and how much stayed inside.

    Args:
        period: the time that they are about.
    """

    def __init__(self, period: Period) -> None:
        self._period = period
        self.suppressed = 0

    def of(
        self, rows: Iterable[Row], dimension: str, make: Callable[[Row, dict[str, Any]], _Entry]
    ) -> tuple[_Entry, ...]:
        """Give the entries of a dimension, the most postings first."""
        own = [row for row in rows if row["dimension"] == dimension]
        largest = sorted(own, key=lambda row: (-row["postings"], row["name"]))
        return tuple(make(row, self._evidence(row)) for row in self._released(largest)[:LONGEST_LIST])

    def levels(self, rows: Iterable[Row]) -> dict[SeniorityLevel, LevelDemand]:
        """Give the demand by level, the lowest level first."""
        own = {row["name"]: row for row in rows if row["dimension"] == "level"}
        ordered = [own[str(level)] for level in SeniorityLevel if str(level) in own]
        return {
            SeniorityLevel(row["name"]): LevelDemand(
                openings=row["postings"],
                competition=row["n"] / row["postings"] if row["postings"] else None,
                avg_response_rate=rate_of(row).value,
                **self._evidence(row),
            )
            for row in self._released(ordered)
        }

    def skills(self, rows: Iterable[Row]) -> tuple[HotSkill, ...]:
        """Give the skills, the most asked for first."""
        largest = sorted(rows, key=lambda row: (-row["postings"], row["skill"]))
        return tuple(_skill(row, self._period) for row in self._released(largest)[:LONGEST_LIST])

    def _released(self, rows: Iterable[Row]) -> tuple[Row, ...]:
        found = about_enough(rows, lambda row: row["people"])
        self.suppressed += found.suppressed
        return found.shown

    def _evidence(self, row: Row) -> dict[str, Any]:
        rate = rate_of(row)
        return {
            "n": rate.n,
            "interval": None if rate.low is None else (rate.low, rate.high),
            "level": LEVEL,
            "window": self._period,
            "method": ANSWERS,
            "what_would_change_this": f"About {3 * rate.n:,} more applications would halve the interval.",
        }


def _industry(row: Row, evidence: dict[str, Any]) -> ActiveIndustry:
    rate = rate_of(row).value
    return ActiveIndustry(
        industry=row["name"], job_postings=row["postings"], avg_response_rate=rate, **evidence
    )


def _location(row: Row, evidence: dict[str, Any]) -> HotLocation:
    rate = rate_of(row).value
    return HotLocation(location=row["name"], openings=row["postings"], avg_response_rate=rate, **evidence)


def _skill(row: Row, period: Period) -> HotSkill:
    share = wilson(row["postings"], row["of"], LEVEL)
    paid = row["paid"]
    mean = row["pay"] / paid if paid else None
    spread = None
    if mean is not None and paid > 1:
        variance = max(row["pay_squared"] - paid * mean**2, 0.0) / (paid - 1)
        reach = normal_quantile(LEVEL) * np.sqrt(variance / paid)
        spread = (max(float(mean - reach), 0.0), float(mean + reach))
    return HotSkill(
        skill=row["skill"],
        demand_score=100 * row["postings"] / row["of"],
        avg_salary=mean,
        salary_interval=spread,
        salary_n=paid,
        n=row["of"],
        interval=None if share.low is None or share.high is None else (100 * share.low, 100 * share.high),
        level=LEVEL,
        window=period,
        method="percent of the postings that name any skill (Wilson); salary: mean of those that state one",
        what_would_change_this=f"About {3 * row['of']:,} more postings would halve the interval.",
    )


def _overall(model: SilenceModel, whole: Row) -> dict[str, RateEvidence]:
    found = model.answered
    told = found.value is not None and found.low is not None and found.high is not None
    design = design_effect(whole)
    rate = RateEvidence(
        value=found.value if told else None,
        low=found.low if told else None,
        high=found.high if told else None,
        n=int(whole["n"]),
        effective_n=found.n / design,
        events=int(whole["k"]),
        level=found.level,
        method=f"{found.method}, clustered by employer",
        needed=None if told else 1,
    )
    never = rate.model_copy(
        update={
            "value": None if rate.value is None else 1 - rate.value,
            "low": None if rate.high is None else 1 - rate.high,
            "high": None if rate.low is None else 1 - rate.low,
            "events": rate.n - rate.events,
            "method": f"{rate.method}; never answered, not merely silent so far",
        }
    )
    return {"response_rate": rate, "ghosting_rate": never}


def _first_response(days: SilenceMoments, making: Making) -> TimeEvidence:
    answers = padded_sum(days.interviews, days.rejections)
    found = time_to_event(answers, [0.0], days.silent, horizon=FIRST_RESPONSE_DAYS, rng=making.rng)
    return time_evidence(found, "days")


def _missing(seasons: Seasons, wait: TimeEvidence) -> dict[str, str]:
    missing = {}
    if not seasons.best:
        missing["best_months_to_apply"] = seasons.missing
    if not seasons.worst:
        missing["worst_months_to_apply"] = seasons.missing
    if wait.value is None:
        missing["avg_days_to_first_response"] = f"About {wait.needed} more answers."
    return missing


def market_table(found: MarketInsights) -> pa.Table:
    """Give insights as the one row of a derived table: ``document``, the contract's JSON."""
    return pa.table({"document": pa.array([document(found)], pa.string())})
