"""How far one group's odds in one place lie from what its own average and everybody's say.

A person's odds of an interview at a level (a role, a location) are her own average, times what the level
does for everybody, times a deviation of her own. Nearly all deviations are nothing; the few that are not
are what is looked for. How many there are, how large, and to which side is learned from all people together.
"""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy import special

from layer7.errors import Layer7Error
from layer7.statistics.arrays import Column, FloatArray, column
from layer7.statistics.rates.intervals import normal_quantile

STEP = 0.1
REACH = 26
GRID: FloatArray = np.arange(-REACH, REACH + 1, dtype=np.float64) * STEP
"""Log odds ratios that are told apart: from 1/13 to 13."""

Rows = npt.NDArray[np.int64] | npt.NDArray[np.bool_] | slice

NEWTON_STEPS = 3
_FIRST_STEPS = 12
_ROUNDING = 1e-6
_SMALLEST_SPREAD = 0.05
_EARLY = 400


@dataclass(frozen=True, slots=True)
class PeopleLaw:
    """How people's own log odds differ: normal.

    Args:
        mean: mean log odds.
        sd: spread between people, positive.

    Example:
        >>> PeopleLaw(-3.0, 0.8).sd
        0.8
    """

    mean: float
    sd: float


DEFAULT_PEOPLE = PeopleLaw(float(special.logit(0.045)), 0.8)
"""What is believed of people before there are any: 3 to 5 % of cold applications reach an interview, and
published rates of people spread by 0.8 to 1.6 log odds."""

_MEAN_WEIGHT = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """Groups and the rest of the same person's applications, one element per group.

    Args:
        events: interviews in the group, may be fractional.
        trials: trials in the group, at least ``events``.
        offset: log odds of the group against the person's average, were she like everybody.
        rest_events: interviews of the same person outside of the group.
        rest_trials: trials outside of the group, at least ``rest_events``.
        rest_offset: as ``offset``, outside of the group.

    Raises:
        Layer7Error: ``bad_counts`` if counts are negative, exceed trials or differ in length;
            ``not_finite``.
    """

    events: FloatArray
    trials: FloatArray
    offset: FloatArray
    rest_events: FloatArray
    rest_trials: FloatArray
    rest_offset: FloatArray

    def __post_init__(self) -> None:
        for name in self.__slots__:
            object.__setattr__(self, name, column(name, getattr(self, name)))
        pairs = ((self.events, self.trials), (self.rest_events, self.rest_trials))
        sizes = {getattr(self, name).shape for name in self.__slots__}
        if len(sizes) > 1 or any((k < 0).any() or (k > t + _ROUNDING * (1 + t)).any() for k, t in pairs):
            raise Layer7Error(
                "bad_counts",
                "Events must be 0 or more and at most the trials, for each cell.",
                "Count events and trials over the same applications, one element per cell.",
            )

    def __len__(self) -> int:
        return self.events.size

    def take(self, rows: Rows) -> "Cells":
        """Give some of the cells.

        Args:
            rows: positions, a mask or a slice.
        """
        return Cells(*(getattr(self, name)[rows] for name in self.__slots__))

    def more(self, events: Column, trials: Column) -> "Cells":
        """Give the cells as they would be after more trials in the group.

        Args:
            events: more interviews.
            trials: more trials, at least as many.
        """
        return replace(
            self,
            events=self.events + column("events", events),
            trials=self.trials + column("trials", trials),
        )


def fit_people(events: Column, trials: Column, offset: Column) -> PeopleLaw:
    """Estimate how people's own log odds differ, by empirical Bayes on a grid.

    EM for k ~ Binomial(t, logit⁻¹(a + offset)), a ~ N(mean, sd²), with the weight of one made-up person at
    the mean of :data:`DEFAULT_PEOPLE` and the belief of :func:`people_spread`, so that one person, or people
    without interviews, give a sound law.

    Args:
        events: interviews, one per person.
        trials: trials, one per person, at least ``events``.
        offset: log odds that the person's jobs have above the average ones.

    Raises:
        Layer7Error: ``not_finite``.

    Source:
        Carlin and Louis (2000), Bayes and Empirical Bayes Methods for Data Analysis, chapter 3.

    Example:
        >>> law = fit_people([5] * 400, [100] * 400, [0.0] * 400)
        >>> round(float(special.expit(law.mean)), 2), law.sd < 0.2
        (0.05, True)
    """
    k, t, o = np.broadcast_arrays(*(column("counts", each) for each in (events, trials, offset)))
    grid = np.arange(-9.0, 5.0, 0.1)
    height = np.outer(k, grid)
    height -= t[:, None] * np.logaddexp(0.0, grid[None, :] + o[:, None])
    height -= height.max(axis=1, keepdims=True, initial=-np.inf) if k.size else 0.0
    likelihood = np.exp(height)
    mean, sd = DEFAULT_PEOPLE.mean, DEFAULT_PEOPLE.sd
    for _ in range(_EARLY):
        prior = np.exp(-0.5 * ((grid - mean) / sd) ** 2)
        share = likelihood * prior
        share /= share.sum(axis=1, keepdims=True)
        weight = share.sum(axis=0)
        new_mean = (weight @ grid + _MEAN_WEIGHT * DEFAULT_PEOPLE.mean) / (k.size + _MEAN_WEIGHT)
        new_sd = max(people_spread(weight @ (grid - new_mean) ** 2, k.size), _SMALLEST_SPREAD)
        settled = abs(new_mean - mean) + abs(new_sd - sd) < 1e-4
        mean, sd = float(new_mean), new_sd
        if settled:
            break
    return PeopleLaw(mean, sd)


def people_spread(squares: float, n: int) -> float:
    """Estimate the spread between people from their squared distances to the mean.

    The sd that maximises sd⁻ⁿ exp(-squares / (2 sd²)) x sd exp(-sd² / (2 A²)), A the spread of
    :data:`DEFAULT_PEOPLE`: sd² = A²/2 (√((n - 1)² + 4 squares / A²) - (n - 1)). This belief of the spread
    (Rayleigh's law, most likely at A) rises in proportion to it, so that an estimate is never 0 and people
    are never taken for alike because they are few; and it does not forbid small spreads, as made-up people
    who spread by A do: those say that the sum of squares is at least theirs.

    Args:
        squares: sum of the expected squared distances.
        n: people.

    Source:
        Chung, Rabe-Hesketh, Dorie, Gelman and Liu (2013), Psychometrika 78:685-709, for a belief that rises
        from 0 in proportion; Gelman (2006), Bayesian Analysis 1:515-534, section 4.3, against inverse-gamma
        ones, which made-up people are. What it brings is measured in docs/methods/likelihood.md.

    Example:
        >>> people_spread(0.0, 0), round(people_spread(40.0, 1_000), 3)
        (0.8, 0.2)
    """
    known, scale = n - 1, DEFAULT_PEOPLE.sd**2
    return float(np.sqrt(scale / 2 * (np.sqrt(known**2 + 4 * squares / scale) - known)))


def deviation_likelihood(cells: Cells, people: PeopleLaw) -> FloatArray:
    """How well each log odds ratio of :data:`GRID` explains each cell, the person's average integrated out.

    With a the person's average, δ the deviation:
    L(δ) = ∫ Bin(k; t, a + δ + o) Bin(k'; t', a + o') N(a; mean, sd²) da, by Laplace's approximation at the
    best a for each δ. The person's average is so as uncertain as it is: with few applications elsewhere
    it comes from the other people.

    Args:
        cells: the groups.
        people: how people differ.

    Returns:
        One row per cell, one column per element of :data:`GRID`; each row's largest value is 1.

    Source:
        Tierney and Kadane (1986), JASA 81:82-86.

    Example:
        >>> one = Cells(*(np.array([each]) for each in (6.0, 20.0, 0.0, 6.0, 100.0, 0.0)))
        >>> round(float(GRID[deviation_likelihood(one, DEFAULT_PEOPLE)[0].argmax()]), 1)
        2.0
    """
    height = np.empty((len(cells), GRID.size))
    total = cells.trials + cells.rest_trials
    rate = (cells.events + cells.rest_events + 1.0) / (total + 1.0 / special.expit(people.mean))
    start = special.logit(np.clip(rate, 1e-6, 1 - 1e-6))
    start, height[:, REACH] = _laplace(cells, people, start, delta=0.0, steps=_FIRST_STEPS)
    for way in (1, -1):
        best = start
        for place in range(1, REACH + 1):
            delta = way * place * STEP
            best, height[:, REACH + way * place] = _laplace(
                cells, people, best, delta=delta, steps=NEWTON_STEPS
            )
    height -= height.max(axis=1, keepdims=True)
    return np.exp(height, out=height)


def _laplace(
    cells: Cells, people: PeopleLaw, start: FloatArray, *, delta: float, steps: int
) -> tuple[FloatArray, FloatArray]:
    """The best a, and the log of the integral over it."""
    shift, precision = cells.offset + delta, people.sd**-2
    a = start
    for _ in range(steps):
        here, there = special.expit(a + shift), special.expit(a + cells.rest_offset)
        slope = cells.events - cells.trials * here + cells.rest_events - cells.rest_trials * there
        slope -= precision * (a - people.mean)
        bend = precision + cells.trials * here * (1 - here) + cells.rest_trials * there * (1 - there)
        a = a + np.clip(slope / bend, -1.0, 1.0)
    here, there = a + shift, a + cells.rest_offset
    height = cells.events * here - cells.trials * np.logaddexp(0.0, here)
    height += cells.rest_events * there - cells.rest_trials * np.logaddexp(0.0, there)
    height -= 0.5 * precision * (a - people.mean) ** 2 + 0.5 * np.log(bend)
    return a, height


@dataclass(frozen=True, slots=True, eq=False)
class GroupRates:
    """Rates of groups, shrunk to what the rest of the person and the other people say.

    Args:
        value: posterior mean on the log odds scale, as a rate.
        low: lower end.
        high: upper end.
    """

    value: FloatArray
    low: FloatArray
    high: FloatArray


def group_rates(cells: Cells, people: PeopleLaw, density: FloatArray, *, level: float = 0.95) -> GroupRates:
    """Shrunken rate of each group: logit⁻¹(a + δ + offset), with the uncertainty of both a and δ.

    Args:
        cells: the groups.
        people: how people differ.
        density: posterior of δ on :data:`GRID`, one row per cell, rows adding up to 1.
        level: of the interval, between 0 and 1; normal on the log odds scale.

    Example:
        >>> one = Cells(*(np.array([each]) for each in (6.0, 20.0, 0.0, 6.0, 100.0, 0.0)))
        >>> sure = np.zeros((1, GRID.size))
        >>> sure[0, REACH + 19] = 1.0
        >>> round(float(group_rates(one, DEFAULT_PEOPLE, sure).value[0]), 2)
        0.29
    """
    first = np.zeros(len(cells))
    second = np.zeros(len(cells))
    a = np.full(len(cells), people.mean)
    for place, delta in enumerate(GRID):
        a, _ = _laplace(cells, people, a, delta=float(delta), steps=_FIRST_STEPS)
        own = a + delta + cells.offset
        here, there = special.expit(own), special.expit(a + cells.rest_offset)
        bend = people.sd**-2 + cells.trials * here * (1 - here) + cells.rest_trials * there * (1 - there)
        first += density[:, place] * own
        second += density[:, place] * (own**2 + 1 / bend)
    reach = normal_quantile(level) * np.sqrt(np.maximum(second - first**2, 0.0))
    return GroupRates(special.expit(first), special.expit(first - reach), special.expit(first + reach))


def trials_to_tell(rate: Column, odds: float, *, odds_ratio: float = 3.0, wanted: float = 9.0) -> FloatArray:
    """How many trials in a group until an effect of a size would be as good as proven.

    Each trial adds, on average, KL = p₁ ln(p₁/p₀) + (1 - p₁) ln((1 - p₁)/(1 - p₀)) to the log odds that there
    is an effect, p₀ the usual rate, p₁ that with the odds ratio. From ``odds`` to ``wanted`` it takes
    ln(wanted/odds) / KL. About half of such effects are found by then.

    Args:
        rate: p₀, strictly between 0 and 1.
        odds: that there is an effect, before; positive.
        odds_ratio: of the effect, positive and not 1.
        wanted: odds at which it counts as found; 9 is a probability of 0.9.

    Source:
        Wald (1947), Sequential Analysis, section 3.5 (expected number of trials).

    Example:
        >>> trials_to_tell([0.05], 0.01).round().tolist()
        [125.0]
    """
    p0 = column("rate", rate)
    p1 = special.expit(special.logit(p0) + np.log(odds_ratio))
    told = special.rel_entr(p1, p0) + special.rel_entr(1 - p1, 1 - p0)
    return np.asarray(np.maximum(np.log(wanted / odds), 0.0) / told, dtype=np.float64)
