"""What goes with a level for one person alone, shrunk to nothing unless her applications say otherwise."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from layer7.statistics.arrays import FloatArray
from layer7.statistics.chances.additive import Attempts
from layer7.statistics.chances.background import IntArray
from layer7.statistics.chances.deviations import Cells, PeopleLaw, deviation_likelihood
from layer7.statistics.chances.sparse_effects import (
    DEFAULT_LAW,
    EffectLaw,
    competing,
    effects,
    fit_effects,
    room,
)

LEAST = 5
"""Fewer applications of a person to a level are no cell of their own."""

PROPERTY_WEIGHT = 2_000.0
"""How many cells the law of all properties counts in that of one."""

WORTH_LOOKING = 1.0
"""A cell without an interview says something only if about so many were to be expected."""

MOST_LEARNED = 60_000
AT_ONCE = 20_000


@dataclass(frozen=True, slots=True, eq=False)
class PersonCells:
    """People's applications by level, each set against the rest of the same person's.

    Args:
        person: of each cell.
        place: of its property.
        level: of each cell.
        n: applications in it.
        cells: what came of them, and of the rest.
    """

    person: IntArray
    place: IntArray
    level: IntArray
    n: IntArray
    cells: Cells

    def take(self, rows: IntArray) -> "PersonCells":
        """Give some of the cells.

        Args:
            rows: their places.
        """
        return PersonCells(
            self.person[rows], self.place[rows], self.level[rows], self.n[rows], self.cells.take(rows)
        )


def person_cells(rows: Attempts, offset: FloatArray, levels: Sequence[IntArray]) -> PersonCells:
    """Count each person's applications by level, in every property.

    Args:
        rows: the applications.
        offset: log odds of each against an average application of the same person.
        levels: per property that is looked at, the level of each application; -1 where it is not known.

    Returns:
        Cells of at least 5 applications that are not all of the person's with a known level.
    """
    tilt = rows.trials * np.exp(offset)
    parts = [_cells(rows, tilt, place, codes) for place, codes in enumerate(levels)]
    return PersonCells(
        person=np.concatenate([part[0] for part in parts]),
        place=np.concatenate([part[1] for part in parts]),
        level=np.concatenate([part[2] for part in parts]),
        n=np.concatenate([part[3] for part in parts]),
        cells=Cells(*(np.concatenate([part[4][at] for part in parts]) for at in range(_CELL_COLUMNS))),
    )


_CELL_COLUMNS = len(Cells.__slots__)
_Part = tuple[IntArray, IntArray, IntArray, IntArray, tuple[FloatArray, ...]]


def _cells(rows: Attempts, tilt: FloatArray, place: int, codes: IntArray) -> _Part:
    known = np.flatnonzero(codes >= 0)
    size = int(codes.max(initial=-1)) + 1
    keys, cell = np.unique(rows.person[known] * size + codes[known], return_inverse=True)
    person, level = np.divmod(keys, max(size, 1))
    weights = (np.ones(known.size), rows.events[known], rows.trials[known], tilt[known])
    sums = [_summed(cell, each, keys.size) for each in weights]
    people = int(rows.person.max(initial=-1)) + 1
    total = [_summed(person, each, people)[person] for each in sums]
    n, events, trials, tilted = sums
    kept = np.flatnonzero((n >= LEAST) & (total[0] > n))
    rest = [all_of_them - own for all_of_them, own in zip(total, sums, strict=True)]
    rest_events = np.maximum(rest[1], 0.0)
    columns = (
        *(events, np.maximum(trials, events), _log_ratio(tilted, trials)),
        *(rest_events, np.maximum(rest[2], rest_events), _log_ratio(rest[3], rest[2])),
    )
    return (
        person[kept],
        np.full(kept.size, place, dtype=np.int64),
        level[kept],
        n[kept].astype(np.int64),
        tuple(each[kept] for each in columns),
    )


def _summed(codes: IntArray, values: FloatArray, size: int) -> FloatArray:
    return np.bincount(codes, values, size).astype(np.float64)


def _log_ratio(tilted: FloatArray, trials: FloatArray) -> FloatArray:
    """The log of the mean odds; 0 where nothing has been seen."""
    seen = (trials > 1e-6) & (tilted > 0)
    ratio = np.divide(tilted, trials, out=np.ones_like(trials), where=seen)
    return np.asarray(np.log(ratio), dtype=np.float64)


def learn_laws(found: PersonCells, people: PeopleLaw, properties: int) -> tuple[EffectLaw, ...]:
    """Learn how large leanings are: from all properties together, then in each of them.

    Args:
        found: cells of some people, all of theirs; of more than 60,000 the first are enough.
        people: how people's averages differ.
        properties: how many there are.
    """
    some = found.take(np.flatnonzero(found.person <= _last_person(found.person)))
    if not some.person.size:
        return (DEFAULT_LAW,) * properties
    likelihood = np.concatenate(
        [
            deviation_likelihood(some.cells.take(slice(at, at + AT_ONCE)), people)
            for at in range(0, some.person.size, AT_ONCE)
        ]
    )
    _, groups = np.unique(some.person, return_inverse=True)
    everywhere = fit_effects(likelihood, groups)
    laws = []
    for place in range(properties):
        here = np.flatnonzero(some.place == place)
        if not here.size:
            laws.append(everywhere)
            continue
        _, own = np.unique(some.person[here], return_inverse=True)
        laws.append(fit_effects(likelihood[here], own, prior=everywhere, weight=PROPERTY_WEIGHT))
    return tuple(laws)


def _last_person(person: IntArray) -> int:
    return (
        int(np.sort(person)[MOST_LEARNED - 1]) if person.size > MOST_LEARNED else int(person.max(initial=-1))
    )


@dataclass(frozen=True, slots=True, eq=False)
class Leanings:
    """What is believed of each cell.

    Args:
        cells: the cells.
        value: posterior mean of the log odds ratio, no effect included.
        chance: that there is an effect, among all cells of the person.
    """

    cells: PersonCells
    value: FloatArray
    chance: FloatArray


def leanings(
    found: PersonCells, people: PeopleLaw, laws: Mapping[int, EffectLaw] | Sequence[EffectLaw]
) -> Leanings:
    """Judge cells by what was learned from all people.

    The cells of a person compete, since the applications of one are also those of others: the chance of an
    effect is s_j / (1 + Σ s_i) with s the odds of each cell (:func:`competing`), and the leaning is that
    chance times the posterior mean of the effect.

    Args:
        found: the cells.
        people: how people's averages differ.
        laws: by place of the property.

    Source:
        Stephens (2017), Biostatistics 18:275-294; Wang and others (2020), JRSS B 82:1273-1300.
    """
    expected = found.cells.trials * special.expit(people.mean + found.cells.offset)
    some = found.take(np.flatnonzero((found.cells.events > 0) | (expected > WORTH_LOOKING)))
    strength, size = np.zeros(some.person.size), np.zeros(some.person.size)
    for start in range(0, some.person.size, AT_ONCE):
        part = slice(start, start + AT_ONCE)
        likelihood = deviation_likelihood(some.cells.take(part), people)
        for place in np.unique(some.place[part]).tolist():
            here = np.flatnonzero(some.place[part] == place)
            judged = effects(likelihood[here], laws[place])
            strength[part][here] = judged.strength
            size[part][here] = judged.log_odds_ratio
    if not some.person.size:
        return Leanings(some, size, strength)
    _, groups = np.unique(some.person, return_inverse=True)
    share = np.array([law.effects for law in (laws[at] for at in some.place.tolist())])
    strength = strength * (1 - share) / room(share, groups)
    chance = competing(strength, groups)
    return Leanings(some, chance * size, chance)


_GRID = np.arange(-9.0, 5.0, 0.1)


def own_averages(
    events: FloatArray, trials: FloatArray, offset: FloatArray, people: PeopleLaw
) -> tuple[FloatArray, FloatArray]:
    """Give each person's log odds of an interview for an average job, and how uncertain they are.

    With a ~ N(mean, sd²) and k ~ Bin(t, logit⁻¹(a + offset)), on a grid: logit E[logit⁻¹(a)] and sd(a). The
    mean chance, not the chance at the mean: of a person of whom little is known, 1 in 20 may be in truth
    1 in 50 or 1 in 8, and a promise is kept on average.

    Args:
        events: interviews, one per person.
        trials: trials, at least ``events``.
        offset: log of the mean odds of her jobs, against the average one.
        people: how people differ.

    Example:
        >>> few, many = np.array([0.0]), np.array([200.0])
        >>> law = PeopleLaw(-3.0, 0.8)
        >>> value, error = own_averages(few, many, few, law)
        >>> bool(value[0] < -3.5), bool(error[0] < 0.8)
        (True, True)
    """
    value, error = np.zeros(events.size), np.zeros(events.size)
    prior = -0.5 * ((_GRID - people.mean) / people.sd) ** 2
    chance = special.expit(_GRID)
    for start in range(0, events.size, AT_ONCE):
        part = slice(start, start + AT_ONCE)
        height = np.outer(events[part], _GRID) + prior
        height -= trials[part, None] * np.logaddexp(0.0, _GRID + offset[part, None])
        weight = np.exp(height - height.max(axis=1, keepdims=True))
        weight /= weight.sum(axis=1, keepdims=True)
        mean = weight @ _GRID
        value[part] = special.logit(weight @ chance)
        error[part] = np.sqrt(np.maximum(weight @ _GRID**2 - mean**2, 0.0))
    return value, error
