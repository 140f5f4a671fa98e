"""The overview page's numbers: how each week went, and how far applications get."""

from typing import Any

import numpy as np
import pyarrow as pa
from ibis.expr import types as ir

from layer7.analytics.applications.fates import INTERVIEW, REJECTION, SILENT, part, unseen_of
from layer7.analytics.applications.outcomes import Outlook

_WEEK = 7
# 1 January 1970 was a Thursday: weeks that start on Monday start three days earlier.
_MONDAY = 3


def weekly(counted: pa.Table, night: Outlook) -> pa.Table:
    """Count submitted applications by the week of submission, Monday to Sunday in UTC.

    Args:
        counted: of :func:`layer7.analytics.applications.fates.fate_counts`.
        night: what silence means.

    Returns:
        ``week`` (date of its Monday), ``n``, ``interviews``, ``rejected`` (without interview), ``silent`` and
        ``unseen``, in order; n = interviews + rejected + silent. A rate is interviews / (n - unseen), with
        :func:`layer7.statistics.effective_rates`.
    """
    fates = counted["fate"].to_numpy().astype(np.int64)
    n = counted["n"].to_numpy().astype(np.float64)
    mondays, week = np.unique((part(fates, "day") + _MONDAY) // _WEEK * _WEEK - _MONDAY, return_inverse=True)
    kind = part(fates, "kind")
    weights = {
        "n": n,
        "interviews": n * (kind == INTERVIEW),
        "rejected": n * (kind == REJECTION),
        "silent": n * (kind == SILENT),
    }
    sums = {name: np.bincount(week, each, minlength=mondays.size) for name, each in weights.items()}
    columns: dict[str, Any] = {"week": pa.array(mondays.astype("datetime64[D]"))}
    columns |= {name: pa.array(each.astype(np.int64)) for name, each in sums.items()}
    columns["unseen"] = pa.array(np.bincount(week, n * unseen_of(fates, night), minlength=mondays.size))
    return pa.table(columns)


def funnel(months: ir.Table) -> ir.Table:
    """Count how far applications got, each stage within the one before it.

    Args:
        months: of :func:`layer7.analytics.performance.months.month_facts`.

    Returns:
        One row: ``created`` (all, drafts too), ``submitted``, ``answered`` (interview or rejection),
        ``interview`` and ``offer``.
    """
    sums = {
        "created": months.total_applications + months.drafts,
        "submitted": months.total_applications,
        "answered": months.answered,
        "interview": months.interview_requests,
        "offer": months.offers,
    }
    return months.aggregate(**{name: each.sum().fill_null(0).cast("int64") for name, each in sums.items()})
