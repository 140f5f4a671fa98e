"""Experiments as the log tells them: who was exposed to what, and what came of every unit afterwards.

One pass over events and applications gives the facts of every unit in every experiment; every metric is made
of facts. The pass costs the same for one metric and for thirty.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import ibis
import pyarrow as pa
from ibis.expr import types as ir

from layer7.analytics.applications.outcomes import Outlook, count_if, epoch_seconds, outcomes, seconds_of
from layer7.contract.facts import CAPPED, FEEDBACK, HISTORY, OUTCOMES, WINDOW_DAYS
from layer7.contract.vocabulary import EventType, Stage

GRAIN = 2.0**10
"""Facts are kept to 1/GRAIN: sums of their products are exact, whatever the engine's order."""

UNKNOWN = "unknown"
_TRIAL, _PERSON = ("experiment_id",), ("experiment_id", "person")
_UNIT = (*_PERSON, "own")


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What the log is asked about an experiment.

    Args:
        experiment_id: its name.
        by_application: whether applications were drawn by lot, and not people.
        stages: from when on each stage of its ramp ran, with offset; the first is its start.
    """

    experiment_id: str
    by_application: bool
    stages: tuple[datetime, ...]


def first_exposures(events: ir.Table, trials: Sequence[Trial]) -> ir.Table:
    """Give every unit of the experiments as it was first exposed.

    Exposures before the start do not count, nor do those of no application where applications are the units.

    Args:
        events: the event log.
        trials: the experiments, at least one.

    Returns:
        ``experiment_id``, ``person``, ``own`` (the application where it is the unit, else empty),
        ``by_application``, ``seconds`` and ``variant`` of the first exposure, ``stage`` of the ramp at that
        time, from 0 on, ``in_several`` (whether it met several variants), ``told`` (whether its decisions
        came with what the other variants would have decided) and ``triggered`` (whether any differed).
    """
    rows = events.filter(
        events.event_type == str(EventType.EXPERIMENT_EXPOSED),
        events.experiment_id.isin([trial.experiment_id for trial in trials]),
    )
    rows = rows.join(_plans(trials), "experiment_id").mutate(seconds=epoch_seconds(rows.event_time))
    rows = rows.filter(rows.seconds >= rows.start, ~rows.by_application | rows.application_id.notnull())
    others = rows.counterfactual_decisions
    alike = ibis.literal('":"').concat(rows.decision, ibis.literal('"'))
    grouped = rows.mutate(
        own=ibis.ifelse(rows.by_application, rows.application_id, ""),
        # Decisions are short texts without quotes: what is left of a key once its decision is cut out tells.
        differs=others.replace(alike, "").contains('":'),
        said=rows.decision.notnull() & others.notnull(),
        order=ibis.struct({"at": rows.seconds, "event": rows.event_id}),
    ).group_by(_UNIT)
    found = grouped.aggregate(
        by_application=ibis._.by_application.any(),
        seconds=ibis._.seconds.min(),
        variant=ibis._.variant_id.argmin(ibis._.order),
        in_several=ibis._.variant_id.min() != ibis._.variant_id.max(),
        told=ibis._.said.any(),
        triggered=(ibis._.said & ibis._.differs).any().fill_null(ibis.literal(value=False)),
    )
    return _with_stage(found, trials)


def units(exposed: ir.Table, events: ir.Table, applications: ir.Table, night: Outlook) -> ir.Table:
    """Give the facts of every exposed unit.

    Args:
        exposed: as :func:`first_exposures` gives it, best computed once.
        events: the event log.
        applications: one row per application.
        night: what silence means.

    Returns:
        The columns of ``exposed``, ``segment`` (seniority before the exposure), ``heard`` (seconds of the
        first interview that came of it, NULL without one), and the facts without the capped ones.
    """
    people = exposed.group_by(_PERSON).aggregate(first=exposed.seconds.min())
    known = _known(applications, night)
    rows = _beside(exposed, _history(people.join(known, "person")), _PERSON)
    rows = _beside(rows, _own(exposed, known), _UNIT, "own_")
    rows = _beside(rows, _feedback(people, events), _PERSON)
    rows = _beside(rows, _profiles(people, events), _PERSON)
    facts = {name: ibis.ifelse(rows.by_application, rows[f"own_{name}"], rows[name]) for name in OUTCOMES}
    # The log does not say to which application a suggestion belongs.
    facts |= {name: ibis.ifelse(rows.by_application, None, rows[name]) for name in FEEDBACK}
    facts |= {name: rows[name] for name in HISTORY}
    whole = {
        name: (fact.fill_null(0).cast("float64") * GRAIN).round() / GRAIN for name, fact in facts.items()
    }
    return rows.select(
        *exposed.columns,
        **whole,
        heard=ibis.ifelse(rows.by_application, rows.own_heard, rows.heard),
        has_interview=(whole["interviews"] > 0).cast("float64"),
        segment=ibis.coalesce(rows.named, rows.seniority, UNKNOWN),
    )


def person_facts(applications: ir.Table, events: ir.Table, night: Outlook) -> ir.Table:
    """Give the facts of every person over her whole search, whatever experiment she is in.

    Args:
        applications: one row per application.
        events: the event log.
        night: what silence means.

    Returns:
        ``person``, the facts of applications and of feedback, and ``has_interview``.
    """
    known = _known(applications, night)
    whole = {"first": ibis.literal(0, "int64"), "experiment_id": ibis.literal("")}
    people = known.select("person").distinct().mutate(**whole)
    rows = _beside(people, _history(people.join(known, "person")), _PERSON)
    rows = _beside(rows, _feedback(people, events), _PERSON)
    facts = {
        name: (rows[name].fill_null(0).cast("float64") * GRAIN).round() / GRAIN
        for name in (*OUTCOMES, *FEEDBACK)
    }
    return rows.select("person", **facts, has_interview=(facts["interviews"] > 0).cast("float64"))


def caps(facts: ir.Table, share: float) -> ir.Table:
    """Give where the extreme values of each experiment are cut off.

    Args:
        facts: as :func:`units` gives them.
        share: of the units that lie below the cap, such as 0.999.

    Returns:
        ``experiment_id`` and the cap of each of :data:`layer7.contract.facts.CAPPED`, over all arms together.
    """
    return facts.group_by(_TRIAL).aggregate(
        **{name: facts[fact].quantile(share).ceil() for name, fact in CAPPED.items()}
    )


def capped(facts: ir.Table, limits: ir.Table) -> ir.Table:
    """Add the capped facts.

    Args:
        facts: as :func:`units` gives them.
        limits: as :func:`caps` gives them.
    """
    beside = limits.rename({f"cap_{name}": name for name in CAPPED})
    rows = facts.join(beside, "experiment_id")
    return rows.mutate(
        **{name: ibis.least(rows[fact], rows[f"cap_{name}"]) for name, fact in CAPPED.items()}
    ).drop(*(f"cap_{name}" for name in CAPPED))


def _plans(trials: Sequence[Trial]) -> ir.Table:
    return ibis.memtable(
        pa.table(
            {
                "experiment_id": [trial.experiment_id for trial in trials],
                "by_application": [trial.by_application for trial in trials],
                "start": [seconds_of(trial.stages[0]) for trial in trials],
            }
        )
    )


def _with_stage(found: ir.Table, trials: Sequence[Trial]) -> ir.Table:
    """Add the stage that ran at the first exposure: how many later stages had begun by then."""
    rows = [
        {"experiment_id": trial.experiment_id, "since": seconds_of(since)}
        for trial in trials
        for since in trial.stages
    ]
    stages = ibis.memtable(pa.Table.from_pylist(rows))
    reached = found.join(
        stages, [found.experiment_id == stages.experiment_id, found.seconds >= stages.since]
    ).select(*(found[name] for name in found.columns), stages.since)
    return reached.group_by(found.columns).aggregate(stage=reached.count() - 1)


def _known(applications: ir.Table, night: Outlook) -> ir.Table:
    """What experiments ask of an application."""
    rows = outcomes(applications, night)
    mature = rows.is_submitted & (rows.age >= WINDOW_DAYS)
    in_time = mature & (rows.answer_days <= WINDOW_DAYS) & (rows.is_interviewed | rows.is_rejected)
    interview = epoch_seconds(rows.interview_at)
    return rows.select(
        "person",
        "application_id",
        "seniority",
        "is_submitted",
        "is_interviewed",
        "seconds",
        began=epoch_seconds(ibis.coalesce(rows.created_at, rows.submitted_at)),
        heard=ibis.ifelse(rows.is_interviewed, interview, None),
        seen=ibis.ifelse(rows.is_submitted, 1.0 - rows.unseen, 0.0),
        is_offer=rows.is_submitted & (rows.max_stage == str(Stage.OFFER)),
        is_mature=mature,
        is_answered=in_time,
        is_rejection=in_time & ~rows.is_interviewed,
        days=ibis.ifelse(in_time, rows.answer_days, None),
    )


def _outcomes(rows: ir.Table, since: ir.IntegerValue) -> dict[str, ir.Value]:
    """Sums over applications begun, or sent, since a moment."""
    sent = rows.is_submitted & (rows.seconds >= since)
    began = rows.began >= since
    return {
        "created": count_if(began),
        "applied": count_if(began & rows.is_submitted),
        "submitted": count_if(sent),
        "trials": ibis.ifelse(sent, rows.seen, None).sum(),
        "interviews": count_if(sent & rows.is_interviewed),
        "offers": count_if(sent & rows.is_offer),
        "mature": count_if(sent & rows.is_mature),
        "answers": count_if(sent & rows.is_answered),
        "rejections": count_if(sent & rows.is_rejection),
        "answer_days": ibis.ifelse(sent, (rows.days * GRAIN).round() / GRAIN, None).sum(),
        "heard": ibis.ifelse(sent & rows.is_interviewed, rows.heard, None).min(),
    }


def _history(rows: ir.Table) -> ir.Table:
    """What came after a person's first exposure, and what was there before it."""
    sent, before = rows.is_submitted, rows.seconds < rows.first
    return rows.group_by(_PERSON).aggregate(
        **_outcomes(rows, rows.first),
        before_submitted=count_if(sent & before),
        before_interviews=count_if(sent & (rows.heard < rows.first)),
        seniority=rows.seniority.argmax(ibis.ifelse(before, rows.seconds, None)),
    )


def _own(exposed: ir.Table, known: ir.Table) -> ir.Table:
    """What came of applications that are units themselves."""
    units = exposed.filter(exposed.by_application).select(*_UNIT)
    rows = units.join(known, [units.person == known.person, units.own == known.application_id])
    return rows.group_by(_UNIT).aggregate(**_outcomes(rows, ibis.literal(0)))


def _feedback(people: ir.Table, events: ir.Table) -> ir.Table:
    """Suggestions that a person answered since her first exposure."""
    kinds = (EventType.SUGGESTION_ACCEPTED, EventType.SUGGESTION_EDITED, EventType.SUGGESTION_REJECTED)
    told = events.filter(events.event_type.isin([str(kind) for kind in kinds]))
    told = told.select("person", "event_type", at=epoch_seconds(told.event_time))
    rows = people.join(told, "person")
    after = rows.at >= rows.first
    return rows.group_by(_PERSON).aggregate(
        suggestions=count_if(after),
        accepted=count_if(after & (rows.event_type == str(EventType.SUGGESTION_ACCEPTED))),
    )


def _profiles(people: ir.Table, events: ir.Table) -> ir.Table:
    """The seniority that a person's profile named before her first exposure."""
    told = events.filter(
        events.event_type == str(EventType.PROFILE_UPDATED), events.profile_seniority.notnull()
    )
    told = told.select("person", "profile_seniority", at=epoch_seconds(told.event_time))
    rows = people.join(told, "person")
    rows = rows.filter(rows.at <= rows.first)
    return rows.group_by(_PERSON).aggregate(named=rows.profile_seniority.argmax(rows.at))


def _beside(rows: ir.Table, part: ir.Table, keys: tuple[str, ...], prefix: str = "") -> ir.Table:
    """Put the columns of a part beside the rows that it knows."""
    named = part.rename({f"{prefix}{name}": name for name in part.columns if name not in keys})
    joined = rows.left_join(named, list(keys))
    return joined.select(rows, *(joined[name] for name in named.columns if name not in keys))
