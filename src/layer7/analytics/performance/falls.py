"""Whether people's own interview rates have lately fallen: each person against herself."""

from dataclasses import asdict
from typing import Any

import ibis
import numpy as np
import pyarrow as pa
from ibis.expr import types as ir

from layer7.analytics.applications.fates import INTERVIEW, SILENT, part_of
from layer7.analytics.applications.outcomes import SECONDS_PER_DAY, Outlook, count_if, seconds_of
from layer7.statistics import Decline, decline, decline_ratio
from layer7.statistics.arrays import FloatArray
from layer7.statistics.people.decline import LONGEST, REFERENCE

_WEEK = 7


def recent_weeks(fates: ir.Table, night: Outlook) -> ir.Table:
    """Count what everybody has sent in each of the latest 8 weeks, and what in all weeks before.

    Args:
        fates: one row per application, with ``person`` and ``fate``.
        night: what silence means; weeks are counted back from its end.

    Returns:
        ``person``, ``weeks`` (whole ones since her first application); ``k_0`` to ``k_8`` (reached an
        interview) and ``seen_0`` to ``seen_8`` (effective applications), the latest week first, the last of
        them before all others; without people who sent nothing in these weeks.
    """
    today = seconds_of(night.as_of) // SECONDS_PER_DAY
    day, kind = part_of(fates.fate, "day"), part_of(fates.fate, "kind")
    age = ibis.greatest(today - day - part_of(fates.fate, "began_later"), 0)
    back = ibis.least((today - 1 - day) // _WEEK, LONGEST)
    rows = fates.select(
        "person", day=day, kind=kind, back=back, silent_age=ibis.ifelse(kind == SILENT, age, None)
    )
    weights = night.curve.select(silent_age=night.curve.age, weight=night.curve.unseen)
    rows = rows.left_join(weights, "silent_age")
    by_week = rows.group_by("person", "back").aggregate(
        k=count_if(rows.kind == INTERVIEW),
        seen=(1.0 - rows.weight.fill_null(0.0)).sum(),
        first=rows.day.min(),
    )
    found = by_week.group_by("person").aggregate(
        weeks=(today - by_week.first.min()) // _WEEK,
        latest=by_week.back.min(),
        **{
            f"{name}_{at}": ibis.ifelse(by_week.back == at, by_week[name], 0).sum()
            for name in ("k", "seen")
            for at in range(LONGEST + 1)
        },
    )
    return found.filter(found.latest < LONGEST).drop("latest")


def fall(recent: pa.Table) -> Decline | None:
    """Look for a fall of people's own rates in the latest weeks.

    Args:
        recent: rows of :func:`recent_weeks`.

    Returns:
        The stretch of weeks that speaks most for a fall; None where nobody can be compared with herself.
    """
    weeks = int(recent["weeks"].to_numpy().max(initial=0))
    return decline(*_counts(recent), weeks=weeks)


def fall_report(recent: pa.Table) -> dict[str, Any]:
    """Say as plain JSON values whether people's own rates have fallen, and by how much.

    Args:
        recent: rows of :func:`recent_weeks`.
    """
    found = fall(recent)
    if found is None:
        return {
            "answer": "Whether rates have fallen cannot be told yet: nobody applied both lately and"
            f" {REFERENCE} weeks before."
        }
    ratio = decline_ratio(*_counts(recent), found)
    return {"answer": fall_words(found, ratio), **asdict(found), "ratio": list(ratio)}


def _counts(recent: pa.Table) -> tuple[FloatArray, FloatArray]:
    events, trials = (
        np.column_stack([recent[f"{name}_{at}"].to_numpy() for at in range(LONGEST + 1)]).astype(np.float64)
        for name in ("k", "seen")
    )
    return events, trials


def fall_words(found: Decline, ratio: tuple[float, float | None]) -> str:
    """Say whether people fare worse than before.

    Args:
        found: of :func:`fall`.
        ratio: lowest and highest factor by which rates changed, of
            :func:`layer7.statistics.decline_ratio`.
    """
    span = "the latest week" if found.weeks == 1 else f"the latest {found.weeks} weeks"
    people = f"{found.people:,} {'person' if found.people == 1 else 'people'}"
    now, then = (f"{100 * rate:.1f} %" for rate in (found.recent, found.before))
    low, high = ratio
    factor = f"at least {low:.2f} times" if high is None else f"{low:.2f} to {high:.2f} times"
    known = "" if high is None and not low else f", {factor} as often (95 %)"
    if found.alarm:
        return (
            f"Interview rates have fallen: {now} in {span}, {then} before, of the same {people} in both, so"
            f" it is no change of who applies. That is {factor} what it was (95 %; p = {found.p_value:.1g})."
        )
    return (
        f"No fall is seen of the {people} who applied both in {span} and before: {now} now, {then} then"
        f"{known}. (The rate of a week may fall all the same, when others apply.)"
    )
