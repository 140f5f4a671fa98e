"""What a job market does, over those who contribute: sums by industry, place, level, skill and month."""

import ibis
import numpy as np
import pyarrow as pa
from ibis import _
from ibis.expr import types as ir

from layer7.analytics.applications.outcomes import SECONDS_PER_DAY, Outlook, grained, outcomes, seconds_of
from layer7.analytics.segments.membership import level_of, place_of, read_once

WINDOW_DAYS = 91
DIMENSIONS = ("all", "industry", "location", "level")
"""By what postings are told apart."""


def first_and_last(applications: ir.Table, night: Outlook) -> tuple[int | None, int | None]:
    """Give the seconds of the first and the latest submission before the end of a night; None without any.

    Args:
        applications: one row per application.
        night: when the night ends.
    """
    rows = _sent(applications, night)
    (found,) = rows.aggregate(first=rows.seconds.min(), last=rows.seconds.max()).to_pyarrow().to_pylist()
    return found["first"], found["last"]


def window(applications: ir.Table, night: Outlook, *, start: int, end: int) -> ir.Table:
    """Keep what was submitted in a stretch of time, judged, with what the sums need.

    Args:
        applications: one row per application.
        night: what silence means for any answer: ``unseen`` of its curve is that of
            :meth:`layer7.statistics.SilenceModel.unanswered_by_day`.
        start: first second.
        end: first second after it.
    """
    rows = _sent(applications, night)
    rows = rows.filter(rows.seconds >= start, rows.seconds < end)
    places = read_once(applications, "location", place_of).rename(place="value")
    levels = read_once(applications, "seniority", level_of).rename(level="value")
    rows = rows.left_join(places, rows.location == places.text).drop("text")
    rows = rows.left_join(levels, rows.seniority == levels.text)
    answered = rows.is_interviewed | rows.is_rejected
    employer = ibis.coalesce(rows.company, rows.job_id, rows.application_id)
    return rows.select(
        "person",
        "application_id",
        "job_id",
        "skills",
        "salary",
        employer=employer,
        k=ibis.ifelse(answered, 1.0, 0.0),
        trials=1.0 - rows.unseen,
        all=ibis.literal("all"),
        industry=rows.industry.strip().nullif(""),
        location=rows.place,
        level=rows.level,
    )


def _sent(applications: ir.Table, night: Outlook) -> ir.Table:
    """Submitted applications up to the end of the night; what is dated later has not happened yet."""
    rows = outcomes(applications, night)
    return rows.filter(rows.is_submitted, rows.seconds < seconds_of(night.as_of))


def answer_moments(rows: ir.Table) -> ir.Table:
    """Sum postings, people and answers of each level of each dimension, and how alike an employer's are.

    Args:
        rows: what :func:`window` gives.

    Returns:
        ``dimension``, ``name``, ``postings``, ``people``, ``n``, ``k`` (answered), ``trials`` (n less what
        silence hides), and over employers ``kk``, ``km`` and ``mm``: sums of k², k x trials and trials².
    """
    return ibis.union(*(_by(rows, dimension) for dimension in DIMENSIONS))


def _by(rows: ir.Table, dimension: str) -> ir.Table:
    known = rows.filter(rows[dimension].notnull())
    whole = known.group_by(name=known[dimension]).aggregate(
        postings=known.job_id.nunique(),
        people=known.person.nunique(),
        n=known.count(),
        k=known.k.sum(),
        trials=known.trials.sum(),
    )
    each = known.group_by("employer", name=known[dimension]).aggregate(m=known.trials.sum(), k=known.k.sum())
    alike = each.group_by("name").aggregate(
        kk=(each.k * each.k).sum(), km=grained(each.k * each.m).sum(), mm=grained(each.m * each.m).sum()
    )
    return whole.join(alike, "name").mutate(dimension=ibis.literal(dimension))


def skill_moments(rows: ir.Table) -> ir.Table:
    """Count postings and people by skill, and add up salaries; each posting counts once.

    Args:
        rows: what :func:`window` gives.

    Returns:
        ``skill``, ``postings``, ``people``, ``paid`` (postings with a salary), ``pay`` and ``pay_squared``
        (sums over these); and ``of``, the postings that name any skill.
    """
    order = [rows.person, rows.application_id]
    turn = ibis.row_number().over(group_by="job_id", order_by=order)
    listed = rows.filter(rows.skills.notnull(), rows.job_id.notnull())
    jobs = listed.mutate(turn=turn).filter(_.turn == 0).select("job_id", "skills", "salary")
    named = jobs.select("job_id", "salary", skill=jobs.skills.unnest())
    named = named.mutate(skill=named.skill.strip()).filter(_.skill != "").distinct()
    seekers = rows.select("job_id", "person").distinct()
    people = named.join(seekers, "job_id").group_by("skill").aggregate(people=_.person.nunique())
    pay = named.salary.round()
    counted = named.group_by("skill").aggregate(
        postings=named.job_id.nunique(),
        paid=pay.count(),
        pay=pay.sum().fill_null(0.0),
        pay_squared=(pay * pay).sum().fill_null(0.0),
    )
    of = jobs.aggregate(of=jobs.count())
    return counted.join(people, "skill").cross_join(of)


def month_moments(applications: ir.Table, night: Outlook) -> ir.Table:
    """Count interviews by month of submission (UTC), level and channel, and how alike an employer's are.

    Args:
        applications: one row per application.
        night: what silence means for an interview.

    Returns:
        ``month`` (counted from January 1970), ``kind`` (level and channel), ``n``, ``k`` and ``trials``; and
        rows of ``kind`` ``*`` with ``kk``, ``km`` and ``mm`` over the employers of the month.
    """
    rows = _with_month(_sent(applications, night), night)
    levels = read_once(applications, "seniority", level_of)
    rows = rows.left_join(levels, rows.seniority == levels.text)
    level = ibis.coalesce(rows["value"], "?")
    employer = ibis.coalesce(rows.company, rows.job_id, rows.application_id)
    told = rows.select(
        "month",
        kind=level + " " + ibis.coalesce(rows.channel, "?"),
        employer=employer,
        hit=ibis.ifelse(rows.is_interviewed, 1.0, 0.0),
        seen=1.0 - rows.unseen,
    )
    cells = told.group_by("month", "kind").aggregate(
        n=told.count(), k=told.hit.sum(), trials=told.seen.sum(), kk=0.0, km=0.0, mm=0.0
    )
    each = told.group_by("month", "employer").aggregate(n=told.count(), k=told.hit.sum(), m=told.seen.sum())
    alike = each.group_by("month").aggregate(
        kind=ibis.literal("*"),
        n=each.n.sum(),
        k=each.k.sum(),
        trials=each.m.sum(),
        kk=(each.k * each.k).sum(),
        km=grained(each.k * each.m).sum(),
        mm=grained(each.m * each.m).sum(),
    )
    return cells.union(alike.select(cells.columns))


def _with_month(rows: ir.Table, night: Outlook) -> ir.Table:
    days = np.arange(seconds_of(night.as_of) // SECONDS_PER_DAY + 2)
    months = days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    calendar = ibis.memtable(pa.table({"day": pa.array(days), "month": pa.array(months)}))
    return rows.mutate(day=rows.seconds // SECONDS_PER_DAY).join(calendar, "day")
