"""What is believed of every cell of every person, and which one leads each person."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from layer7.analytics.cells.columns import CellTable
from layer7.analytics.cells.moments import DIMENSIONS
from layer7.statistics.chances.background import Background
from layer7.statistics.chances.deviations import Cells, deviation_likelihood
from layer7.statistics.chances.sparse_effects import DEFAULT_LAW, EffectLaw, effects, fit_effects

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

DIMENSION_WEIGHT = 200.0
"""How many cells the law of all dimensions counts in that of one: those of about 40 people."""

AT_ONCE = 20_000


@dataclass(frozen=True, slots=True, eq=False)
class Laws:
    """What was learned from all people, to judge each one by.

    Args:
        background: what levels do for everybody, and how people's averages differ.
        effects: how large deviations are, by place of the dimension.
    """

    background: Background = field(default_factory=Background)
    effects: Mapping[int, EffectLaw] = field(default_factory=dict)

    def of(self, dimension: int) -> EffectLaw:
        """Give the law of a dimension.

        Args:
            dimension: its place.
        """
        return self.effects.get(dimension, DEFAULT_LAW)


def learn(table: CellTable, background: Background) -> Laws:
    """Learn how large deviations are: from all dimensions together, then in each of them.

    Args:
        table: cells of some people, all of theirs.
        background: what levels do for everybody.
    """
    likelihood = np.concatenate([found for _, found in likelihoods(table.cells, background)] or [_NONE])
    everywhere = fit_effects(likelihood, table.person)
    laws = {}
    for dimension in range(len(DIMENSIONS)):
        here = table.dimension == dimension
        laws[dimension] = fit_effects(
            likelihood[here], table.person[here], prior=everywhere, weight=DIMENSION_WEIGHT
        )
    return Laws(background, MappingProxyType(laws))


_NONE = np.ones((0, DEFAULT_LAW.null_density.size))


def likelihoods(cells: Cells, background: Background) -> Iterator[tuple[slice, Floats]]:
    """Give likelihoods of cells, some thousands at a time, so that memory stays bounded.

    Args:
        cells: the cells.
        background: how people's averages differ.
    """
    for start in range(0, len(cells), AT_ONCE):
        part = slice(start, start + AT_ONCE)
        yield part, deviation_likelihood(cells.take(part), background.people)


@dataclass(frozen=True, slots=True, eq=False)
class Believed:
    """What is believed of each cell of a table, were it the only one in question.

    Args:
        strength: odds that there is an effect.
        size: given one, the chance that it is worth saying and on its likelier side.
        log_odds_ratio: of the effect.
        low: lower end of its interval.
        high: upper end of its interval.
    """

    strength: Floats
    size: Floats
    log_odds_ratio: Floats
    low: Floats
    high: Floats

    @property
    def chance(self) -> Floats:
        """Probability that there is such an effect, no other cell being in question."""
        return self.size * self.strength / (1 + self.strength)


def believe(cells: Cells, dimension: Ints, laws: Laws) -> Believed:
    """Judge cells by what was learned from all people.

    Args:
        cells: the cells.
        dimension: place of the dimension of each.
        laws: what was learned.
    """
    held = {name: np.zeros(len(cells)) for name in Believed.__slots__}
    for part, likelihood in likelihoods(cells, laws.background):
        places = dimension[part]
        for place in np.unique(places):
            here = places == place
            found = effects(likelihood[here], laws.of(int(place)))
            for name, column in held.items():
                column[part][here] = getattr(found, name)
    return Believed(**held)


def leaders(person: Ints, strength: Floats) -> Ints:
    """Give the place of each person's strongest cell; of equals, the first.

    Args:
        person: of each cell, in order.
        strength: of each cell.

    Example:
        >>> leaders(np.array([0, 0, 2]), np.array([1.0, 3.0, 2.0])).tolist()
        [1, 2]
    """
    order = np.lexsort((np.arange(person.size), -strength, person))
    first = np.ones(person.size, dtype=np.bool_)
    first[1:] = person[order][1:] != person[order][:-1]
    return np.asarray(order[first], dtype=np.int64)
