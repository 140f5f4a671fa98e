"""What people's applications are like, person by person: features that the engine learns from."""

import ibis
from ibis.expr import types as ir

from layer7.analytics.cells.chances import OWN
from layer7.privacy.budget import LEAST_SHOWN

NUMBERS = ("fit_score", "resume_score", "applicants")
MOST_LEVELS = 10
"""Levels of a property that are looked at: those that most people apply to."""


def person_features(applications: ir.Table, people: ir.Table) -> ir.Table:
    """Give features of people: means of numbers, and shares of their applications by level of a property.

    Args:
        applications: one row per application.
        people: ``person`` of those that are looked at.

    Returns:
        ``person``, ``feature``, ``value``. Of a property, only levels that at least 50 of them apply to; who
        has no row of a level applies nowhere there.
    """
    sent = applications.filter(applications.submitted_at.notnull()).semi_join(people, "person")
    parts = [_mean(sent, name) for name in NUMBERS]
    parts += [_shares(sent, name) for name in OWN]
    return ibis.union(*parts).order_by("person", "feature")


def _mean(sent: ir.Table, name: str) -> ir.Table:
    known = sent.filter(sent[name].notnull())
    means = known.group_by("person").aggregate(value=known[name].cast("float64").mean())
    return means.select("person", feature=ibis.literal(name), value=means.value)


def _shares(sent: ir.Table, name: str) -> ir.Table:
    known = sent.filter(sent[name].notnull()).select("person", level=sent[name].lower())
    totals = known.group_by("person").aggregate(total=known.count())
    counted = known.group_by("person", "level").aggregate(n=known.count())
    levels = counted.group_by("level").aggregate(people=counted.count())
    common = levels.filter(levels.people >= LEAST_SHOWN).order_by(levels.people.desc(), "level")
    kept = counted.semi_join(common.limit(MOST_LEVELS), "level").join(totals, "person")
    return kept.select(
        "person", feature=ibis.literal(f"{name}: ").concat(kept.level), value=kept.n / kept.total
    )
