"""Learning the terms of a chance from a log, and what each person's own applications add."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from layer7.analytics.cells.chances import Chances
from layer7.optimization.likelihood.model import (
    BELIEFS,
    MOST_PERIODS,
    PERIOD_DAYS,
    PROPERTIES,
    Effect,
    LikelihoodModel,
)
from layer7.statistics.chances.additive import AdditiveFit, fit_additive
from layer7.statistics.chances.background import LEAST_PEOPLE
from layer7.statistics.chances.deviations import PeopleLaw
from layer7.statistics.chances.leanings import Leanings, leanings, learn_laws, own_averages, person_cells

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

PERIOD = "period"
SPREADS: Mapping[str, float] = MappingProxyType(
    {
        "company": 0.5,
        "category": 0.1,
        "tailored": 0.2,
        "cohort": 0.2,
        PERIOD: 0.15,
        "fit_score_band": 0.1,
        "resume_score_band": 0.1,
        "posting_days_band": 0.1,
    }
)
"""How far effects usually scatter; other properties by 0.25 (Oreopoulos 2011: 0.6 between 22 occupations)."""

WORTH_KEEPING = 0.02
"""A smaller leaning of a person is not kept."""


def train(chances: Chances, *, trained_to: int) -> LikelihoodModel:
    """Learn the terms from applications of some people, all of theirs, as :func:`trained` does.

    Args:
        chances: the applications; those sent after ``trained_to`` must be left out.
        trained_to: the moment up to which they were sent, seconds since 1970.
    """
    return trained(chances, trained_to=trained_to)[0]


def trained(
    chances: Chances, *, trained_to: int, start: AdditiveFit | None = None
) -> tuple[LikelihoodModel, AdditiveFit]:
    """Learn the terms from applications of some people, all of theirs; gives the model and what it rests on.

    Below 20 people only slopes and averages are learned: it cannot be told what a level does for everybody
    and what for one of them. The average of people is that of the latest period of 28 days; periods are
    shrunk towards each other, so a market that turns is followed as far as interviews prove it.

    Args:
        chances: the applications; those sent after ``trained_to`` must be left out.
        trained_to: the moment up to which they were sent, seconds since 1970.
        start: what a model of the same people's earlier applications rests on; saves time.
    """
    rows = chances.attempts
    periods = np.minimum((trained_to - chances.sent) // (PERIOD_DAYS * 86_400), MOST_PERIODS - 1)
    few = np.unique(rows.person).size < LEAST_PEOPLE
    levels = {} if few else {**rows.levels, PERIOD: np.maximum(periods, 0)}
    fit = fit_additive(
        replace(rows, levels=levels), slopes=BELIEFS, spreads=SPREADS, start=start and _without_periods(start)
    )
    now = fit.effects[PERIOD].value if PERIOD in fit.effects else np.zeros(1)
    latest = float(now[0]) if now.size else 0.0
    model = LikelihoodModel(
        people=PeopleLaw(fit.people.mean + latest, fit.people.sd),
        slopes=fit.slopes,
        effects=MappingProxyType({name: _named(fit, name, keys) for name, keys in chances.keys.items()}),
        periods=tuple((now - latest).tolist()),
        trained_to=trained_to,
        n=len(rows),
        events=round(float(rows.events.sum())),
        persons=int(np.unique(rows.person).size),
    )
    cells = person_cells(rows, model.offset(chances), _codes(chances))
    laws = learn_laws(cells, model.people, len(PROPERTIES))
    return replace(model, laws=MappingProxyType(dict(zip(PROPERTIES, laws, strict=True)))), fit


def _without_periods(fit: AdditiveFit) -> AdditiveFit:
    """Periods are counted back from the moment of learning, so those of an earlier one are others."""
    return replace(fit, effects={name: each for name, each in fit.effects.items() if name != PERIOD})


def _named(fit: AdditiveFit, name: str, keys: tuple[str, ...]) -> Mapping[str, Effect]:
    found = fit.effects.get(name)
    if found is None:
        return MappingProxyType({})
    told = zip(keys, found.value.tolist(), found.error.tolist(), found.n.tolist(), strict=False)
    return MappingProxyType({key: Effect(value, error, int(n)) for key, value, error, n in told})


def _codes(chances: Chances) -> tuple[Ints, ...]:
    return tuple(chances.attempts.levels[name] for name in PROPERTIES)


@dataclass(frozen=True, slots=True, eq=False)
class OwnTerms:
    """What people's own applications add to everybody's terms.

    Args:
        value: of each person, log odds against somebody unknown, the cohort's effect included.
        error: of each person's average.
        n: applications of each.
        events: interviews of each.
        cohort: effect of each person's cohort, a part of ``value``.
        leanings: of the persons to and against levels.
    """

    value: Floats
    error: Floats
    n: Ints
    events: Ints
    cohort: Floats
    leanings: Leanings


def own_terms(model: LikelihoodModel, chances: Chances) -> OwnTerms:
    """Give what people's own applications add.

    Args:
        model: everybody's terms.
        chances: all applications of some people that count.
    """
    rows, offset = chances.attempts, model.offset(chances)
    people = chances.people.size
    cohort = _cohorts(model, chances)
    sums: list[Floats] = [
        np.bincount(rows.person, each, people).astype(np.float64)
        for each in (np.ones(len(rows)), rows.events, rows.trials, rows.trials * np.exp(offset))
    ]
    seen = (sums[2] > 1e-6) & (sums[3] > 0)
    ratio = np.log(np.divide(sums[3], sums[2], out=np.ones(people), where=seen))
    average, error = own_averages(sums[1], np.maximum(sums[2], sums[1]), ratio, model.people)
    cells = person_cells(rows, offset, _codes(chances))
    laws = tuple(model.law(name) for name in PROPERTIES)
    return OwnTerms(
        value=average - model.intercept + cohort,
        error=error,
        n=sums[0].astype(np.int64),
        events=np.rint(sums[1]).astype(np.int64),
        cohort=cohort,
        leanings=leanings(cells, model.people, laws),
    )


def _cohorts(model: LikelihoodModel, chances: Chances) -> Floats:
    levels = model.effects.get("cohort", {})
    known = [levels.get(key) for key in chances.keys.get("cohort", ())]
    values = np.array([*(0.0 if each is None else each.value for each in known), 0.0])
    own = np.full(chances.people.size, -1, dtype=np.int64)
    codes = chances.attempts.levels.get("cohort")
    if codes is not None:
        own[chances.attempts.person] = codes
    return values[own]


_COLUMNS: Mapping[str, pa.DataType] = MappingProxyType(
    {
        "person": pa.string(),
        "bucket": pa.int64(),
        "value": pa.float64(),
        "error": pa.float64(),
        "cohort": pa.float64(),
        "n": pa.int64(),
        "events": pa.int64(),
        "properties": pa.list_(pa.string()),
        "levels": pa.list_(pa.string()),
        "leanings": pa.list_(pa.float64()),
        "chances": pa.list_(pa.float64()),
        "counts": pa.list_(pa.int64()),
    }
)
OWN_TABLE = pa.schema(dict(_COLUMNS))
"""The columns of the derived table: one row per person, her leanings in lists."""


def own_table(own: OwnTerms, chances: Chances) -> pa.Table:
    """Give own terms as rows of the derived table; leanings of less than 0.02 are left out.

    Args:
        own: what people's applications add.
        chances: the applications they were learned from.
    """
    found = own.leanings
    cells = found.cells
    some = np.flatnonzero(np.abs(found.value) >= WORTH_KEEPING)
    lists: dict[str, list[list[Any]]] = {
        name: [[] for _ in range(chances.people.size)]
        for name in ("properties", "levels", "leanings", "chances", "counts")
    }
    for at in some.tolist():
        person, name = int(cells.person[at]), PROPERTIES[int(cells.place[at])]
        lists["properties"][person].append(name)
        lists["levels"][person].append(chances.keys[name][int(cells.level[at])])
        lists["leanings"][person].append(round(float(found.value[at]), 4))
        lists["chances"][person].append(round(float(found.chance[at]), 4))
        lists["counts"][person].append(int(cells.n[at]))
    columns: dict[str, Any] = {
        "person": chances.people,
        "bucket": chances.buckets,
        "value": np.round(own.value, 6),
        "error": np.round(own.error, 6),
        "cohort": np.round(own.cohort, 6),
        "n": own.n,
        "events": own.events,
        **lists,
    }
    return pa.table({name: pa.array(columns[name], OWN_TABLE.field(name).type) for name in OWN_TABLE.names})
