"""The overview page's numbers: how each week went, and how far applications get."""

import ibis
from ibis.expr import types as ir

from layer7.analytics.outcomes import SECONDS_PER_DAY, Outlook, count_if, outcomes

_WEEK = 7 * SECONDS_PER_DAY
# 1 January 1970 was a Thursday: weeks that start on Monday start three days earlier.
_MONDAY = 3 * SECONDS_PER_DAY


def weekly_moments(applications: ir.Table, night: Outlook) -> ir.Table:
    """Count submitted applications by the week of submission, Monday to Sunday in UTC.

    Args:
        applications: one row per application.
        night: what silence means.

    Returns:
        ``week`` (date of its Monday), ``n``, ``interviews``, ``rejected`` (without interview), ``silent`` and
        ``unseen``; n = interviews + rejected + silent. A rate is interviews / (n - unseen), with
        :func:`layer7.statistics.effective_rates`.
    """
    rows = outcomes(applications, night)
    rows = rows.filter(rows.is_submitted)
    rows = rows.mutate(monday=(rows.seconds + _MONDAY) // _WEEK * _WEEK - _MONDAY)
    weeks = rows.group_by("monday").aggregate(
        n=rows.count(),
        interviews=count_if(rows.is_interviewed),
        rejected=count_if(rows.is_rejected & ~rows.is_interviewed),
        silent=count_if(rows.is_silent),
        unseen=rows.unseen.sum(),
    )
    week = (ibis.literal(0) + weeks.monday).as_timestamp("s").date()
    return weeks.mutate(week=week).drop("monday").relocate("week").order_by("week")


def funnel(applications: ir.Table) -> ir.Table:
    """Count how far applications got, each stage within the one before it.

    Args:
        applications: one row per application.

    Returns:
        One row: ``created`` (all, drafts too), ``submitted``, ``answered`` (interview or rejection),
        ``interview`` and ``offer``.
    """
    rows = applications.mutate(sent=applications.submitted_at.notnull())
    interviewed = rows.sent & rows.max_stage.isin(["interview", "offer"])
    return rows.aggregate(
        created=rows.count(),
        submitted=rows.count(where=rows.sent),
        answered=rows.count(where=rows.sent & (interviewed | rows.rejected_at.notnull())),
        interview=rows.count(where=interviewed),
        offer=rows.count(where=rows.sent & (rows.max_stage == "offer")),
    )
