"""What a person's patterns are looked for in: her applications by the levels of what they were sent to."""

from collections.abc import Mapping
from functools import reduce
from operator import add

import ibis
import pyarrow as pa
from ibis.expr import types as ir

from layer7.analytics.applications.outcomes import Outlook, grained, outcomes
from layer7.contract.vocabulary import Category, EventType

PERSON = ("person", "bucket")

DIMENSIONS = (
    "title",
    "location",
    "company_type",
    "industry",
    "company_size",
    "seniority",
    "channel",
    "resume_version_id",
    "section",
    "gap",
    "weekday",
    "hours",
)
"""What applications are split by: properties of the job and of the resume, and the time on the clock."""

SHARED = ("title", "location", "company_type", "industry", "company_size", "seniority", "channel")
"""Dimensions whose levels do something for everybody, which is taken off before a person is looked at."""

FIXED: Mapping[str, tuple[str, ...]] = {
    "fit_band": tuple(str(band) for band in range(21)),
    "resume_band": tuple(str(band) for band in range(21)),
    "category": tuple(str(word) for word in Category),
    "tailored": ("true", "false"),
}
"""Levels of what else interviews are adjusted for: scores in bands of 5 points, and two words."""

COVARIATES = (*SHARED, *FIXED)
"""All that expected interviews are adjusted for."""

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_HOURS_IN_BAND = 4
HOURS = tuple(f"{at:02}:00-{at + _HOURS_IN_BAND:02}:00" for at in range(0, 24, _HOURS_IN_BAND))
_POINTS_IN_BAND = 5
LEAST = 5
"""Fewer applications of a person to a level are no group of their own: they stay among the rest."""


def placed(applications: ir.Table, events: ir.Table, night: Outlook) -> ir.Table:
    """Give every submitted application with its levels, what came of it, and how much of it was seen.

    Args:
        applications: one row per application.
        events: the event log; of it, rewritten resumes are read.
        night: what silence means.

    Returns:
        ``person``, ``bucket``, ``application_id``, ``employer`` (the company, else the job), ``event`` (1 for
        an interview), ``seen`` (1 less what is unseen), and a text for each of :data:`DIMENSIONS` and
        :data:`COVARIATES`; NULL where it is not known.
    """
    rows = outcomes(applications, night)
    sent = rows.filter(rows.is_submitted).left_join(_rewritten(events), ["person", "resume_version_id"])
    known = {
        "employer": ibis.coalesce(sent.company, sent.job_id, sent.application_id),
        "event": ibis.ifelse(sent.is_interviewed, 1.0, 0.0),
        "seen": ibis.ifelse(sent.is_interviewed, 1.0, 1.0 - sent.unseen),
        "weekday": _named(sent.local_weekday, WEEKDAYS),
        "hours": _named(sent.local_hour // _HOURS_IN_BAND, HOURS),
        "fit_band": (sent.fit_score // _POINTS_IN_BAND).cast("int64").cast("string"),
        "resume_band": (sent.resume_score // _POINTS_IN_BAND).cast("int64").cast("string"),
        "tailored": sent.tailoring_applied.cast("string"),
    }
    plain = {name: sent[name] for name in (*DIMENSIONS, *COVARIATES) if name not in known}
    return sent.select(*PERSON, "application_id", **known, **plain)


def _rewritten(events: ir.Table) -> ir.Table:
    """The latest accepted rewrite of each resume version: which part of it, and the gaps it addressed."""
    said = events.filter(events.event_type == str(EventType.RESUME_REWRITTEN), events.user_accepted)
    named = said.select(
        "person",
        "resume_version_id",
        order=said.event_time,
        tie=said.event_id,
        section=said.rewrite_type,
        gap=ibis.ifelse(
            said.gaps_addressed.length() > 0, ibis.literal(" + ").join(said.gaps_addressed.sort()), None
        ),
    )
    place = ibis.row_number().over(
        group_by=[named.person, named.resume_version_id], order_by=[named.order.desc(), named.tie.desc()]
    )
    latest = named.mutate(place=place).filter(ibis._.place == 0)
    return latest.select("person", "resume_version_id", "section", "gap")


def _named(place: ir.IntegerValue, names: tuple[str, ...]) -> ir.StringValue:
    return ibis.cases(*((place == at, name) for at, name in enumerate(names)), else_=None)


def spellings(applications: ir.Table) -> ir.Table:
    """Count how each level is spelled, over all people.

    Args:
        applications: one row per application.

    Returns:
        ``dimension``, ``spelling`` and ``n``, for :data:`SHARED`.
    """
    sent = applications.filter(applications.submitted_at.notnull())
    return ibis.union(*(_spelled(sent, name) for name in SHARED))


def _spelled(sent: ir.Table, name: str) -> ir.Table:
    known = sent.filter(sent[name].notnull())
    counted = known.group_by(spelling=known[name]).aggregate(n=known.count())
    return counted.select("n", "spelling", dimension=ibis.literal(name))


def adjusted(rows: ir.Table, effects: Mapping[str, pa.Table], *, correlation: float) -> ir.Table:
    """Bring levels to one spelling, and say what each application is worth and how good its odds are.

    An application counts 1 / (1 + (m - 1) correlation), m the person's applications to the same employer:
    m equally correlated answers tell as much as m / (1 + (m - 1) correlation) independent ones (Kish, 1965).

    Args:
        rows: :func:`placed` applications.
        effects: per covariate ``spelling``, ``level`` and ``effect``, the log odds ratio of the level.
        correlation: of two answers of one employer, 0 to 1.

    Returns:
        The same rows with one spelling per level, ``worth`` and ``odds`` (odds against the average job).
    """
    joined, terms, names = rows, [], {name: rows[name] for name in DIMENSIONS}
    for name, table in effects.items():
        found = ibis.memtable(table.rename_columns([f"{name}_spelling", f"{name}_level", f"{name}_effect"]))
        joined = joined.left_join(found, rows[name] == found[f"{name}_spelling"])
        terms.append(found[f"{name}_effect"].fill_null(0.0))
        if name in names:
            names[name] = found[f"{name}_level"]
    same = rows.event.count().over(group_by=[rows.person, rows.employer])
    return joined.select(
        *(rows[name] for name in (*PERSON, "application_id", "event", "seen")),
        worth=grained(1.0 / (1.0 + (same - 1) * correlation)),
        odds=grained(reduce(add, terms, ibis.literal(0.0)).exp()),
        **names,
    )


def without(rows: ir.Table, taken: pa.Table) -> ir.Table:
    """Keep the applications that no pattern found so far covers, of the people who have one.

    Args:
        rows: :func:`adjusted` applications.
        taken: ``person``, ``dimension`` and ``level`` of the patterns.
    """
    found = ibis.memtable(taken)
    own = rows.semi_join(found, "person")
    for name in (each for each in DIMENSIONS if each in taken["dimension"].to_pylist()):
        here = found.filter(found.dimension == name).select("person", found.level.name(name))
        own = own.anti_join(here, ["person", name])
    return own


def cell_moments(rows: ir.Table) -> ir.Table:
    """Count each person's applications by level, in every dimension.

    Args:
        rows: :func:`adjusted` applications.

    Returns:
        ``person``, ``bucket``, ``dimension`` (place in :data:`DIMENSIONS`), ``level``, ``n``,
        ``interviews``, ``events`` (interviews by worth), ``trials`` (what was seen, by worth) and ``tilted``
        (trials by odds).
    """
    weight = grained(rows.worth * rows.seen)
    rows = rows.mutate(trial=weight, tilt=grained(weight * rows.odds), hit=grained(rows.worth * rows.event))
    return ibis.union(*(_dimension(rows, place, name) for place, name in enumerate(DIMENSIONS)))


def _dimension(rows: ir.Table, place: int, name: str) -> ir.Table:
    known = rows.filter(rows[name].notnull())
    counted = known.group_by(*PERSON, level=known[name]).aggregate(
        n=known.count(),
        interviews=known.event.sum(),
        events=known.hit.sum(),
        trials=known.trial.sum(),
        tilted=known.tilt.sum(),
    )
    return counted.mutate(dimension=ibis.literal(place, "int8")).select(
        *PERSON, "dimension", "level", "n", "interviews", "events", "trials", "tilted"
    )
