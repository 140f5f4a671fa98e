"""The stage ``release``: what others may see of weeks whose applications have had time for an answer."""

from collections.abc import Iterable
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from layer7.analytics.release.contributions import (
    LAYOUT,
    contribution_rows,
    last_mature,
    segment_of,
    sent_in,
    start_of,
    to_contributions,
)
from layer7.analytics.release.market import market_of_release, released_market_table
from layer7.analytics.release.segments import released_segment_table, segments_of_release
from layer7.analytics.release.weeks import WEEKS, Sight
from layer7.analytics.segments.membership import memberships
from layer7.contract.evidence import Lineage
from layer7.contract.vocabulary import Purpose
from layer7.nightly.night import Log, Night, Outcome
from layer7.privacy.bounding import Contributions
from layer7.privacy.noise import off
from layer7.privacy.pooled import Pooled
from layer7.storage.decisions.releases import Release
from layer7.storage.warehouse.tables import keep

_NOBODY = Contributions(
    np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros((0, LAYOUT.metrics)), np.zeros(0, np.uint64)
)


def release(night: Night) -> Outcome:
    """Draw the weeks that are due, each once, and tell what all drawn weeks together say.

    A week without anybody is drawn as well: that there is none would tell that nobody took part.
    """
    last = last_mature(int(min(night.horizon.end, night.clock()).timestamp()))
    weeks = range(last - WEEKS + 1, last + 1)
    drawn = {found.epoch for found in night.home.releases.of(LAYOUT.spec, weeks)}
    due = [week for week in weeks if week not in drawn and night.home.releases.get(week) is None]
    reason = off() if due else None
    if due and reason is None:
        _draw(night, due)
    sight = _sight(night, weeks, reason)
    at, warehouse = night.clock(), night.home.warehouse
    warehouse.replace("released_market", released_market_table(market_of_release(sight)), at=at)
    rows = warehouse.replace("released_segments", released_segment_table(segments_of_release(sight)), at=at)
    report = {"weeks_drawn": len(due) if reason is None else 0, "weeks": len(sight.pooled.weeks)}
    return Outcome(rows, report | ({"answer": reason} if reason else {}))


def _draw(night: Night, due: Iterable[int]) -> None:
    weeks = list(due)
    found = _contributions(night, range(min(weeks), max(weeks) + 1))
    for done, week in enumerate(weeks, start=1):
        rows, people = of_week(found, week)
        night.home.releases.draw(week, rows, people, layout=LAYOUT, at=night.clock())
        night.progress(done / len(weeks))


def _contributions(night: Night, weeks: range) -> pa.Table | None:
    """What those who agree contribute; None before there is anything."""
    with night.home.warehouse.open() as tables:
        agreed = night.log(tables, Purpose.CONTRIBUTE_TO_MARKET_INSIGHTS)
        return None if agreed is None else contributed(agreed, weeks)


def contributed(agreed: Log, weeks: range) -> pa.Table:
    """Give what people contribute to some weeks.

    Args:
        agreed: the log of those who agree.
        weeks: which.
    """
    who = segment_of(memberships(agreed.applications, agreed.events))
    sent = keep(sent_in(agreed.applications, who, weeks), "sent_in_weeks")
    rows: pa.Table = contribution_rows(sent).to_pyarrow()
    return rows


def of_week(found: pa.Table | None, week: int) -> tuple[Contributions, tuple[str, ...]]:
    """Give the contributions to one week as numbers alone, and the people that they are of.

    Args:
        found: what :func:`contributed` gives; None before there is anything.
        week: which.
    """
    own = None if found is None else found.filter(pc.field("week") == week)
    return to_contributions(own, LAYOUT.metrics) if own is not None and own.num_rows else (_NOBODY, ())


def _sight(night: Night, weeks: range, reason: str | None) -> Sight:
    found = night.home.releases.of(LAYOUT.spec, weeks)
    months: dict[str, list[Release]] = {}
    for each in found:
        monday = datetime.fromtimestamp(start_of(each.epoch), UTC)
        months.setdefault(monday.strftime("%Y-%m"), []).append(each)
    end = night.horizon.end.isoformat()
    return Sight(
        pooled=_pooled(found),
        first=found[0].epoch if found else weeks.start,
        months={month: _pooled(own) for month, own in months.items()},
        as_of=end,
        lineage=Lineage(run_id=str(night.run_id), log_to=end),
        off=reason,
    )


def _pooled(found: Iterable[Release]) -> Pooled:
    return Pooled(LAYOUT, [each.noisy for each in found])
