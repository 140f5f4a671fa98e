"""The stage ``survey``: how segments of people fare, and what the market does."""

from datetime import UTC, datetime, timedelta

import ibis
import numpy as np
import pyarrow as pa

from layer7.analytics.applications.delays import to_silence_moments
from layer7.analytics.applications.employers import employer_moments, with_shared
from layer7.analytics.applications.fates import fate_counts, fated
from layer7.analytics.applications.outcomes import GRAIN, LONGEST, SECONDS_PER_DAY, Outlook
from layer7.analytics.clusters import design_effect
from layer7.analytics.making import Making
from layer7.analytics.market.insights import MarketMoments, insights, market_table, nothing
from layer7.analytics.market.moments import (
    WINDOW_DAYS,
    answer_moments,
    first_and_last,
    month_moments,
    skill_moments,
    window,
)
from layer7.analytics.market.months import seasons
from layer7.analytics.release.contributions import segment_of
from layer7.analytics.segments.cohorts import segment_table, segments
from layer7.analytics.segments.delays import segment_fates, unseen_ratios
from layer7.analytics.segments.membership import kinds, memberships, named
from layer7.analytics.segments.strategies import habit_moments, person_moments
from layer7.contract.analytics import UserSegment
from layer7.contract.evidence import Lineage, Period
from layer7.contract.market import MarketInsights
from layer7.contract.vocabulary import Purpose
from layer7.nightly.looking import seldom
from layer7.nightly.night import NOTHING_YET, Hold, Log, Night, Outcome
from layer7.privacy import Enough
from layer7.statistics import SilenceModel, fit_silence


@seldom("memberships")
def survey(night: Night) -> Outcome:
    """Say how segments of people fare, and what the market does for those who contribute to that."""
    with night.home.warehouse.open() as tables:
        log, agreed = night.log(tables), night.log(tables, Purpose.CONTRIBUTE_TO_MARKET_INSIGHTS)
        outlook = night.outlook(tables, log) if log else None
        if log is None or agreed is None or outlook is None:
            return NOTHING_YET
        members, found = cohorts(log, outlook, night)
        night.progress(0.6)
        market = market_of(agreed, outlook, night, hold=tables.held)
    at = night.clock()
    night.home.warehouse.replace("memberships", members, at=at)
    night.home.warehouse.replace("market", market_table(market), at=at)
    rows = night.home.warehouse.replace("segments", segment_table(found), at=at)
    return Outcome(
        rows,
        {
            "segments": len(found.shown),
            "segments_suppressed": found.suppressed,
            "contributors": market.contributors or 0,
            "market_entries_suppressed": market.suppressed or 0,
        },
    )


def cohorts(log: Log, outlook: Outlook, night: Night) -> tuple[pa.Table, Enough[UserSegment]]:
    """Give who belongs to which segment, and the segments that may be shown.

    Args:
        log: what may be read.
        outlook: what silence means.
        night: the night.
    """
    people = memberships(log.applications, log.events).to_pyarrow()
    members, known = kinds(people)
    placed = ibis.memtable(members)
    fates = segment_fates(log.applications, placed).to_pyarrow()
    moments = habit_moments(log.applications, placed, outlook).to_pyarrow()
    found = segments(
        known,
        person_moments(log.applications, placed, outlook).to_pyarrow(),
        with_shared(moments, employer_moments(log.applications, outlook).to_pyarrow()),
        making=_making(night, *first_and_last(log.applications, outlook)),
        experiments=[each for each in night.home.experiments.list() if each.results is not None],
        unseen=unseen_ratios(fates, outlook, groups=len(known)),
    )
    return named(members, known, segment_of(ibis.memtable(people)).to_pyarrow()), found


def market_of(log: Log, outlook: Outlook, night: Night, *, hold: Hold) -> MarketInsights:
    """Give what the market of those who contribute does.

    The window is the last 13 weeks before the latest submission; months are counted over the whole log.

    Args:
        log: what contributors did.
        outlook: what silence means for an interview.
        night: the night.
        hold: computes a table once.
    """
    first, last = first_and_last(log.applications, outlook)
    if first is None or last is None:
        return nothing(_making(night, first, last), contributors=0)
    end = (last // SECONDS_PER_DAY + 1) * SECONDS_PER_DAY
    start = max(end - WINDOW_DAYS * SECONDS_PER_DAY, first // SECONDS_PER_DAY * SECONDS_PER_DAY)
    sent = log.applications.submitted_at
    recent = log.applications.filter(sent >= _moment(start), sent < _moment(end))
    days = to_silence_moments(fate_counts(fated(recent)).to_pyarrow(), outlook.as_of)
    judged = window(recent, _for_any_answer(fit_silence(days, profile=False), outlook), start=start, end=end)
    with hold(judged) as rows:
        answers = answer_moments(rows).to_pyarrow().to_pylist()
        skills = skill_moments(rows).to_pyarrow().to_pylist()
    whole = next(row for row in answers if row["dimension"] == "all")
    moments = MarketMoments(
        answers=answers,
        skills=skills,
        days=days,
        model=fit_silence(days, design_effect=design_effect(whole)),
        seasons=seasons(month_moments(log.applications, outlook).to_pyarrow()),
    )
    return insights(moments, making=_making(night, start, end - 1))


def _for_any_answer(model: SilenceModel, outlook: Outlook) -> Outlook:
    """What silence means where any answer counts, not only an interview."""
    unseen = np.round(model.unanswered_by_day(LONGEST + 1) * GRAIN) / GRAIN
    curve = pa.table({"age": pa.array(np.arange(LONGEST + 1, dtype=np.int64)), "unseen": pa.array(unseen)})
    return Outlook(outlook.as_of, ibis.memtable(curve), None)


def _making(night: Night, first: int | None, last: int | None) -> Making:
    end = night.horizon.end
    start = _moment(first).date() if first is not None else night.horizon.as_of
    after = _moment(last).date() + timedelta(days=1) if last is not None else end.date()
    return Making(
        window=Period(start=start.isoformat(), end=max(start, after).isoformat()),
        as_of=end.isoformat(),
        lineage=Lineage(run_id=str(night.run_id), log_to=end.isoformat()),
        rng=night.rng,
    )


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
