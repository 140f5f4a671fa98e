"""What released weeks say together. Whatever is done to released numbers costs nobody any more privacy."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from layer7.privacy.budget import EPOCHS_A_YEAR, LEAST_SHOWN, SIGMAS
from layer7.privacy.cells import SCALE, CellTable, Layout
from layer7.statistics.rates.intervals import normal_quantile

Floats = npt.NDArray[np.float64]

ALIKE = 0.1
"""How alike one person's weeks are: published searches differ by about 0.8 log odds between people. It is a
prior, since a release does not tell which of its votes are of one person."""


@dataclass(frozen=True, slots=True)
class Told:
    """A number from a release; its error holds the noise as well as chance.

    Args:
        middle: the number as it comes out, which noise may push outside of what is possible.
        error: its standard error.
        votes: how many votes of a person in a week it rests on, with noise.
    """

    middle: float
    error: float
    votes: float

    def within(self, level: float, most: float = 1.0) -> tuple[float, float, float]:
        """Give the number and the ends of its interval, inside what is possible.

        Args:
            level: of the interval.
            most: the largest value that is possible; the least is 0.

        Example:
            >>> Told(-0.01, 0.02, 500).within(0.95)[:2]
            (0.0, 0.0)
        """
        reach = normal_quantile(level) * self.error
        ends = (self.middle, self.middle - reach, self.middle + reach)
        value, low, high = (min(max(end, 0.0), most) for end in ends)
        return value, low, high

    def towards(self, other: "Told", spread: float) -> "Told":
        """Draw a number towards another, as much as its error asks for.

        With spread t of such numbers around the other: weight w = t^2 / (t^2 + error^2) for the own one, and
        variance w error^2 + (1 - w)^2 other's error^2.

        Args:
            other: what it is like, by and large.
            spread: standard deviation of such numbers around it, known from elsewhere.

        Example:
            >>> round(Told(0.5, 0.3, 60).towards(Told(0.04, 0.0, 9000), 0.02).middle, 4)
            0.042
        """
        own = spread**2 / (spread**2 + self.error**2)
        middle = own * self.middle + (1 - own) * other.middle
        variance = own * self.error**2 + ((1 - own) * other.error) ** 2
        return Told(middle, math.sqrt(variance), self.votes)


@dataclass(frozen=True, eq=False)
class Pooled:
    """Several released weeks of one layout, added up.

    Args:
        layout: what was released.
        weeks: the noisy weeks, each one row per cell: its people, then its metrics, in points of the scale.
    """

    layout: Layout
    weeks: Sequence[npt.NDArray[np.int64]]

    @cached_property
    def sums(self) -> Floats:
        """Votes and centred metrics by cell; below 0 where noise outweighs people, and kept so."""
        whole = np.zeros((self.layout.cells, 1 + self.layout.metrics))
        for week in self.weeks:
            whole += week / SCALE
        return whole

    @property
    def sigma(self) -> float:
        """Standard deviation of the noise in each of the sums, in people."""
        return self.layout.sigma * math.sqrt(len(self.weeks))

    @property
    def least(self) -> float:
        """Noisy votes below which a cell is not shown."""
        return max(LEAST_SHOWN, SIGMAS * self.sigma)

    def places(self, table: str) -> range:
        """Give the places of a table's cells.

        Args:
            table: its name.
        """
        begin = self.layout.begin(table)
        return range(begin, begin + len(self.layout.table(table).keys))

    def shown(self, place: int) -> bool:
        """Say whether a cell may be shown: judged by its noisy count, never by the true one.

        Args:
            place: of the cell.
        """
        return bool(self.weeks) and bool(self.sums[place, 0] >= self.least)

    def share(self, place: int, metric: str) -> Told:
        """Give the mean over votes of a metric of a shown cell.

        With n noisy votes, s their centred sum, r = 1/2 + s / n and noise sigma in each:
        Var r = (sigma^2 (1 + (r - 1/2)^2) + d n r (1 - r)) / n^2, where d allows for one person's weeks.

        Args:
            place: of the cell.
            metric: its name.
        """
        votes = max(float(self.sums[place, 0]), 4.0)
        middle = 0.5 + float(self.sums[place, self._column(place, metric)]) / votes
        inside = min(max(middle, 1 / votes), 1 - 1 / votes)
        noise = self.sigma**2 * (1 + (inside - 0.5) ** 2)
        chance = self.design * votes * inside * (1 - inside)
        return Told(middle, math.sqrt(noise + chance) / votes, votes)

    def total(self, place: int, metric: str) -> Told:
        """Give the sum over votes of a metric, in units of its full scale; the error is of the noise alone.

        Args:
            place: of the cell.
            metric: its name.
        """
        votes = float(self.sums[place, 0])
        middle = float(self.sums[place, self._column(place, metric)]) + votes / 2
        return Told(middle, self.sigma * math.sqrt(1.25), votes)

    @property
    def design(self) -> float:
        """How much more chance there is than if all votes were of different people."""
        return 1 + (min(len(self.weeks), EPOCHS_A_YEAR) - 1) * ALIKE

    def _column(self, place: int, metric: str) -> int:
        table: CellTable = self.layout.tables[self.layout.table_of[place]]
        return 1 + table.metrics.index(metric)
