"""One week of every person, as it stood at its end: what was sent, what was heard, what is still silent."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

import ibis
import numpy as np
import numpy.typing as npt
import pyarrow as pa
from ibis.expr import types as ir

from layer7.analytics.applications.outcomes import (
    SECONDS_PER_DAY,
    Outlook,
    count_if,
    epoch_seconds,
    outcomes,
    seconds_of,
)
from layer7.analytics.segments.membership import PUBLIC
from layer7.contract.vocabulary import Stage
from layer7.statistics.people.change import changes
from layer7.statistics.people.person_rates import Cohort, fit_cohort
from layer7.statistics.people.standing import chance_of_none, places, standings

WEEKS = 8
"""A letter looks back on so many weeks; they are also what counts as recently."""

LEVEL = 0.95
_WEEK = 7 * SECONDS_PER_DAY
Floats = npt.NDArray[np.float64]


def latest_week(end: datetime) -> date:
    """Give the Monday of the last week that was over by a moment.

    Args:
        end: the end of a night, in UTC.

    Example:
        >>> from datetime import UTC
        >>> latest_week(datetime(2026, 3, 9, tzinfo=UTC)), latest_week(datetime(2026, 3, 15, tzinfo=UTC))
        (datetime.date(2026, 3, 2), datetime.date(2026, 3, 2))
    """
    return end.date() - timedelta(days=end.weekday() + 7)


def week_moments(applications: ir.Table, night: Outlook, *, follow_up: float) -> ir.Table:
    """Count every person's week that ends with the night, and what came before it.

    What was heard after the end of the week is left out, so that a past week comes out as it was.

    Args:
        applications: one row per application.
        night: what silence means, as of the end of the week.
        follow_up: days of silence after which to follow up.

    Returns:
        ``person``, ``bucket``; ``sent_0`` to ``sent_7``, applications by week, the latest first; of the
        latest week ``invited``, ``offered`` and ``rejected``, heard in it; ``waiting`` (silent so far),
        ``longest`` (whole days of the longest silence), ``due`` (became as old as ``follow_up`` in the week,
        silent); ``n``, ``k`` and ``unseen`` of all applications, and the same with ``_recent`` of those sent
        in the last 8 weeks.
    """
    end = seconds_of(night.as_of)
    rows = outcomes(_as_of(applications, end), night)
    rows = rows.filter(rows.is_submitted)
    back = (ibis.literal(end - 1) - rows.seconds) // _WEEK
    recent = back < WEEKS
    due = rows.is_silent & (rows.age >= follow_up) & (rows.age < follow_up + 7)
    return rows.group_by("person", "bucket").aggregate(
        **{f"sent_{at}": count_if(back == at) for at in range(WEEKS)},
        invited=count_if(_heard(rows.interview_at, end)),
        offered=count_if(_heard(rows.offer_at, end)),
        rejected=count_if(_heard(rows.rejected_at, end)),
        waiting=count_if(rows.is_silent),
        longest=ibis.ifelse(rows.is_silent, rows.age, None).max(),
        due=count_if(due),
        n=rows.count(),
        k=count_if(rows.is_interviewed),
        unseen=rows.unseen.sum(),
        n_recent=count_if(recent),
        k_recent=count_if(recent & rows.is_interviewed),
        unseen_recent=ibis.ifelse(recent, rows.unseen, 0.0).sum(),
    )


def _as_of(applications: ir.Table, end: int) -> ir.Table:
    """Applications as they stood: what was sent or heard later is not there yet."""
    sent = applications.filter(epoch_seconds(applications.submitted_at) < end)
    known = sent.mutate(
        **{
            name: ibis.ifelse(epoch_seconds(sent[name]) < end, sent[name], None)
            for name in ("interview_at", "offer_at", "rejected_at")
        }
    )
    return known.mutate(
        max_stage=ibis.cases(
            (known.offer_at.notnull(), str(Stage.OFFER)),
            (known.interview_at.notnull(), str(Stage.INTERVIEW)),
            else_=str(Stage.SUBMITTED),
        )
    )


def _heard(at: ir.TimestampColumn, end: int) -> ir.BooleanValue:
    return epoch_seconds(at) >= end - _WEEK


def law_of(moments: pa.Table) -> Cohort:
    """Learn how people's rates differ.

    Args:
        moments: rows of :func:`week_moments`.
    """
    k, n, unseen = (_column(moments, name) for name in ("k", "n", "unseen"))
    return fit_cohort(k, np.maximum(n - unseen, k))


def week_table(moments: pa.Table, groups: pa.Table | None, *, mean: float, precision: float) -> pa.Table:
    """Add to everybody's week her shrunk rate, where she stands, and whether her rate has changed.

    Args:
        moments: rows of :func:`week_moments`.
        groups: rows of :func:`compared_with`; who has no row is compared with nobody. None: nobody is.
        mean: mean rate of all people.
        precision: how alike people's rates are; see :class:`layer7.statistics.people.person_rates.Cohort`.

    Returns:
        The moments with ``seen`` (effective applications), ``rate``, ``rate_low``, ``rate_high`` (shrunk
        towards everybody's mean), ``none`` (chance of so many applications without an interview),
        ``ratio_low``, ``ratio_high`` (null: without bound) and ``changed`` (the recent rate against the one
        before), and ``segment_id``, ``segment_mean``, ``percentile``, ``percentile_low``,
        ``percentile_high``, null where she is compared with nobody. Sorted by person.
    """
    moments = moments.sort_by("person")
    k, n, recent_k, recent_n = (_column(moments, name) for name in ("k", "n", "k_recent", "n_recent"))
    seen = np.maximum(n - _column(moments, "unseen"), k)
    recent = np.maximum(recent_n - _column(moments, "unseen_recent"), recent_k)
    segment, means = _groups(moments, groups)
    alone = np.isnan(means[0])
    own = standings(k, seen, mean=mean, precision=precision, level=LEVEL)
    usual, low, high = (np.where(alone, mean, each) for each in means)
    place = places(own, mean=usual, low=low, high=high, precision=precision)
    found = changes((recent_k, k - recent_k), (recent, np.maximum(seen - recent, k - recent_k)), level=LEVEL)
    columns = {
        "changed": pa.array(found.shown),
        "seen": pa.array(seen),
        "rate": pa.array(own.rate),
        "rate_low": pa.array(own.low),
        "rate_high": pa.array(own.high),
        "none": pa.array(chance_of_none(seen, mean=mean, precision=precision)),
        "ratio_low": pa.array(found.low),
        "ratio_high": pa.array(found.high, mask=np.isinf(found.high)),
        "segment_id": pa.array(segment, pa.string()),
        "segment_mean": pa.array(usual, mask=alone),
        "percentile": pa.array(place.percentile, mask=alone),
        "percentile_low": pa.array(place.low, mask=alone),
        "percentile_high": pa.array(place.high, mask=alone),
    }
    counted: dict[str, Any] = {name: moments[name] for name in moments.column_names}
    return pa.table(counted | columns)


def compared_with(members: pa.Table, means: Mapping[str, tuple[float, float, float]]) -> pa.Table:
    """Say with which segment each person is compared: the most alike one that others may see, else everyone.

    Args:
        members: rows of :func:`layer7.analytics.segments.membership.named`.
        means: mean interview rate by segment and the ends of its interval, of those that are released.

    Returns:
        ``person``, ``segment_id``, ``mean``, ``low`` and ``high``; people in no such segment are left out.
    """
    everyone = "everyone" if "everyone" in means else None
    columns = (members[name].to_pylist() for name in ("person", *PUBLIC))
    found = [
        (person, segment, *means[segment])
        for person, *segments in zip(*columns, strict=True)
        if (segment := next((each for each in segments if each in means), everyone)) is not None
    ]
    told = [pa.array([row[at] for row in found], kind) for at, kind in enumerate(_COLUMNS.values())]
    return pa.table(told, names=[*_COLUMNS])


_COLUMNS: Mapping[str, pa.DataType] = {
    "person": pa.string(),
    "segment_id": pa.string(),
    "mean": pa.float64(),
    "low": pa.float64(),
    "high": pa.float64(),
}
"""The columns of :func:`compared_with`."""


def _groups(moments: pa.Table, groups: pa.Table | None) -> tuple[list[str | None], Floats]:
    """Each person's group, and its mean with its ends, a row each; NaN where she is compared with nobody."""
    columns = [] if groups is None else [groups[name].to_pylist() for name in _COLUMNS]
    known = {person: told for person, *told in zip(*columns, strict=True)}
    told = [known.get(person, (None, np.nan, np.nan, np.nan)) for person in moments["person"].to_pylist()]
    means = np.array([row[1:] for row in told], dtype=np.float64).reshape(-1, 3).T
    return [row[0] for row in told], means


def _column(table: pa.Table, name: str) -> Floats:
    return np.asarray(table[name].to_numpy(), dtype=np.float64)
