"""What people do, and whether the same person fares better when she does it: sums for every segment."""

from collections.abc import Mapping
from types import MappingProxyType

import ibis
from ibis.expr import types as ir

from layer7.analytics.applications.outcomes import (
    SECONDS_PER_DAY,
    Outlook,
    count_if,
    epoch_seconds,
    grained,
    outcomes,
)
from layer7.analytics.segments.membership import SCHEMES

EARLY_DAYS = 2
FIT_BANDS = (50, 65, 80)
"""Edges of the bands of the fit score: below 50, 50 to 64, 65 to 79, 80 and more."""

POINTS = 5

FAMILIES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "tailored": ("channel", "points"),
        "early": ("channel", "points"),
        "channel": ("points", "tailored"),
        "category": ("channel", "tailored"),
        "company_type": ("channel", "points"),
        "fit": ("channel", "tailored"),
    }
)
"""What is compared, and what is held fixed beside the person while it is. Fit is held to 5 points: within
wider bands people still do more for what fits better, and its better rate would pass for the habit's."""

NOT_DONE = "no"
"""The level of a habit that one does or does not, when one does not: it is told of by its opposite."""


def habit_moments(applications: ir.Table, members: ir.Table, night: Outlook) -> ir.Table:
    """Sum, for every segment and habit, what a contrast within persons needs.

    Args:
        applications: one row per application.
        members: ``person`` and the schemes of :data:`layer7.analytics.segments.membership.SCHEMES` as places.
        night: what silence means.

    Returns:
        ``scheme``, ``segment``, ``family``, ``habit`` and the sums: ``people`` (with any such application),
        ``usual`` (people most of whose applications of known kind are so), ``n`` applications, ``k``
        interviews, ``trials`` (n less what silence hides), and R, S and their products for
        :func:`layer7.statistics.mantel_haenszel`, over strata of one person, and of one level of what
        :data:`FAMILIES` holds fixed. Sums of shards of people add.
    """
    rows = _coded(applications, night)
    people = ibis.union(*(_of_person(rows, family, fixed) for family, fixed in FAMILIES.items()))
    placed = people.join(members, "person")
    return ibis.union(*(_of_segments(placed, scheme) for scheme in SCHEMES))


def _coded(applications: ir.Table, night: Outlook) -> ir.Table:
    rows = outcomes(applications, night)
    rows = rows.filter(rows.is_submitted)
    age = rows.seconds - epoch_seconds(rows.posted_at)
    early = ibis.cases((age < 0, None), (age <= EARLY_DAYS * SECONDS_PER_DAY, "yes"), (age > 0, NOT_DONE))
    bands = ((rows.fit_score < edge, str(place)) for place, edge in enumerate(FIT_BANDS))
    return rows.select(
        "person",
        "channel",
        "category",
        "company_type",
        k=ibis.ifelse(rows.is_interviewed, 1.0, 0.0),
        trials=1.0 - rows.unseen,
        early=early,
        tailored=ibis.cases((rows.tailoring_applied, "yes"), (~rows.tailoring_applied, NOT_DONE), else_=None),
        points=(rows.fit_score // POINTS).cast("int64"),
        fit=ibis.cases(*bands, (rows.fit_score >= FIT_BANDS[-1], str(len(FIT_BANDS))), else_=None),
    )


def _of_person(rows: ir.Table, family: str, fixed: tuple[str, ...]) -> ir.Table:
    """One row for each person and level of a family, with her own R and S of that level against the rest."""
    known = rows.filter(rows[family].notnull())
    cells = known.group_by("person", *fixed, habit=known[family]).aggregate(
        n=known.count(), k=known.k.sum(), trials=known.trials.sum()
    )
    stratum = ibis.window(group_by=["person", *fixed])
    cells = cells.mutate(whole=cells.trials.sum().over(stratum), all_k=cells.k.sum().over(stratum))
    rest_k, whole = cells.all_k - cells.k, cells.whole.nullif(0.0)
    missed = (cells.whole - cells.trials) - rest_k
    cells = cells.mutate(
        up=(cells.k * missed / whole).fill_null(0.0),
        down=(rest_k * (cells.trials - cells.k) / whole).fill_null(0.0),
    )
    own = cells.group_by("person", "habit").aggregate(
        n=cells.n.sum(),
        k=cells.k.sum(),
        trials=cells.trials.sum(),
        r=grained(cells.up).sum(),
        s=grained(cells.down).sum(),
    )
    return own.mutate(family=ibis.literal(family), of=own.n.sum().over(group_by="person"))


def _of_segments(people: ir.Table, scheme: str) -> ir.Table:
    rows = people.filter(people[scheme].notnull())
    return rows.group_by("family", "habit", segment=rows[scheme]).aggregate(
        scheme=ibis.literal(scheme),
        people=rows.count(),
        usual=count_if(rows.n * 2 > rows.of),
        n=rows.n.sum(),
        k=rows.k.sum(),
        trials=rows.trials.sum(),
        r=rows.r.sum(),
        s=rows.s.sum(),
        rr=grained(rows.r * rows.r).sum(),
        ss=grained(rows.s * rows.s).sum(),
        rs=grained(rows.r * rows.s).sum(),
    )


def person_moments(applications: ir.Table, members: ir.Table, night: Outlook) -> ir.Table:
    """Count every person's applications, and say when her first offer came or her search ended.

    Args:
        applications: one row per application.
        members: ``person`` and her places in the schemes.
        night: what silence means.

    Returns:
        The schemes, ``n``, ``k``, ``trials`` and ``week``: whole weeks from the first application to the
        first offer if ``offer`` is true, else to the end of the night or, with ``ended``, to eight weeks
        after the last application. One row per person, without her name.
    """
    rows = outcomes(applications, night)
    rows = rows.filter(rows.is_submitted)
    offer = ibis.ifelse(rows.max_stage == "offer", epoch_seconds(rows.offer_at), None)
    own = rows.group_by("person").aggregate(
        n=rows.count(),
        k=count_if(rows.is_interviewed),
        trials=rows.count() - rows.unseen.sum(),
        first=rows.seconds.min(),
        last=rows.seconds.max(),
        offer_at=offer.min(),
    )
    now = int(night.as_of.timestamp())
    ended = own.offer_at.isnull() & (own.last + IDLE_WEEKS * _WEEK <= now)
    until = ibis.coalesce(own.offer_at, ibis.ifelse(ended, own.last + IDLE_WEEKS * _WEEK, now))
    own = own.mutate(
        week=(ibis.greatest(until - own.first, 0) // _WEEK).cast("int32"),
        offer=own.offer_at.notnull(),
        ended=ended,
    )
    return own.join(members, "person").select(*SCHEMES, "n", "k", "trials", "week", "offer", "ended")


IDLE_WEEKS = 8
"""Weeks without an application after which a search counts as ended."""

_WEEK = 7 * SECONDS_PER_DAY
