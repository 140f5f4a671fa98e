"""Log odds as a sum that can be read: slopes of numbers, effects of levels, and people's own averages."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

import numpy as np

from layer7.errors import Layer7Error
from layer7.statistics.arrays import FloatArray
from layer7.statistics.chances.background import (
    LARGEST_STEP,
    USUAL_SPREAD,
    IntArray,
    Sample,
    Touching,
    law_of,
    newton_step,
    people_law,
    precision_of,
)
from layer7.statistics.chances.deviations import DEFAULT_PEOPLE, PeopleLaw

ROUNDS = 60
SETTLED = 1e-3
LEAST_LEVEL = 20
"""Applications to a level until it has an effect of its own."""


@dataclass(frozen=True, slots=True)
class Belief:
    """What is believed of a slope before the log is seen: normal.

    Args:
        mean: log odds per unit of the number.
        sd: how far it may lie from there, above 0.

    Example:
        >>> Belief().mean
        0.0
    """

    mean: float = 0.0
    sd: float = 0.3


@dataclass(frozen=True, slots=True, eq=False)
class Attempts:
    """Applications with all that is known of each, one element each.

    Args:
        person: 0 to the number of people less 1.
        events: 1 where an interview was reached, else 0.
        trials: how much of the application has been seen, at least ``events``.
        levels: per property the level, 0 on; -1 where it is not known.
        numbers: per property a number, in the unit of its slope and from its usual value on; 0 where it is
            not known.

    Raises:
        Layer7Error: ``bad_counts`` if the columns differ in length.
    """

    person: IntArray
    events: FloatArray
    trials: FloatArray
    levels: Mapping[str, IntArray] = field(default_factory=dict)
    numbers: Mapping[str, FloatArray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        columns = (self.person, self.events, self.trials, *self.levels.values(), *self.numbers.values())
        if len({each.size for each in columns}) > 1:
            raise Layer7Error("bad_counts", "The columns differ in length.", "Give one element each.")

    def __len__(self) -> int:
        return self.events.size

    def take(self, rows: IntArray) -> "Attempts":
        """Give some of the applications, in a given order; people keep their numbers.

        Args:
            rows: their places.
        """
        return Attempts(
            self.person[rows],
            self.events[rows],
            self.trials[rows],
            {name: codes[rows] for name, codes in self.levels.items()},
            {name: values[rows] for name, values in self.numbers.items()},
        )


@dataclass(frozen=True, slots=True, eq=False)
class Effects:
    """Effects of the levels of one property.

    Args:
        value: log odds of each level, against the average one.
        error: its posterior standard deviation.
        n: applications to each level.
        spread: how far effects of this property scatter.
    """

    value: FloatArray
    error: FloatArray
    n: FloatArray
    spread: float

    def of(self, codes: IntArray) -> FloatArray:
        """Give the effect of each application's level; 0 where it is not known.

        Args:
            codes: the levels.
        """
        inside = (codes >= 0) & (codes < self.value.size)
        return np.where(inside, np.append(self.value, 0.0)[np.where(inside, codes, -1)], 0.0)


@dataclass(frozen=True, slots=True, eq=False)
class AdditiveFit:
    """What the log says of every term.

    Args:
        people: how people's own averages differ; its mean is the log odds of an average application.
        slopes: per number, the slope and its posterior standard deviation.
        effects: per property, those of its levels.
        averages: of each person, log odds of an average application.
        rounds: how many it took.
    """

    people: PeopleLaw
    slopes: Mapping[str, tuple[float, float]]
    effects: Mapping[str, Effects]
    averages: FloatArray
    rounds: int

    def offset(self, rows: Attempts) -> FloatArray:
        """Give the log odds of applications against an average application of the same person.

        Args:
            rows: the applications.
        """
        total = np.zeros(len(rows))
        for name, (slope, _) in self.slopes.items():
            total += slope * rows.numbers[name]
        for name, effects in self.effects.items():
            total += effects.of(rows.levels[name])
        return total


def fit_additive(
    rows: Attempts,
    *,
    slopes: Mapping[str, Belief],
    spreads: Mapping[str, float] = MappingProxyType({}),
    start: AdditiveFit | None = None,
) -> AdditiveFit:
    """Estimate the terms of logit p = a_person + Σ slope x number + Σ effect of level.

    Averages a_person ~ N(mean, sd²); effects ~ N(0, spread²), the spread of each property estimated with the
    weight of eight levels of the usual one; slopes have the belief given. Penalised quasi-likelihood: in each
    round the log-likelihood is replaced by the parabola that touches it, on which every block moves once to
    its summit, until no term moves by more than 0.001.

    Averages of people's own take off much, not all, of what a property shows only because strong people
    choose it. It says what goes with a property; that the property helps is another question.

    Args:
        rows: applications; a few hundred thousand are enough.
        slopes: what is believed of the slope of each number.
        spreads: usual spread of effects, by property; 0.25 where it is not named.
        start: an earlier fit of some of these people's applications; where it is near, it saves rounds.

    Source:
        Breslow and Clayton (1993), JASA 88:9-25; Hastie and Tibshirani (1990), Generalized Additive Models,
        section 4.4, for the rounds over blocks.

    Example:
        >>> rows = Attempts(np.arange(40) % 20, np.tile([1.0, 0, 0, 0], 10), np.ones(40),
        ...                 {"channel": np.tile([0, 1], 20)})
        >>> fit = fit_additive(rows, slopes={})
        >>> bool(fit.effects["channel"].value[0] > fit.effects["channel"].value[1])
        True
    """
    work = _Work.begin(rows, slopes, spreads)
    if start is not None:
        work.start_at(start)
    done = next((at for at in range(1, ROUNDS + 1) if work.round() < SETTLED), ROUNDS)
    return work.result(done)


@dataclass(slots=True)
class _Work:
    """The terms as they stand, and the score of each application that they add up to."""

    rows: Attempts
    sample: Sample
    beliefs: Mapping[str, Belief]
    usual: Mapping[str, float]
    codes: Mapping[str, IntArray]
    counts: Mapping[str, IntArray]
    design: FloatArray
    slopes: FloatArray
    effects: dict[str, FloatArray]
    precision: dict[str, float]
    people: FloatArray
    law: PeopleLaw
    score: FloatArray
    here: Touching

    @classmethod
    def begin(cls, rows: Attempts, beliefs: Mapping[str, Belief], usual: Mapping[str, float]) -> "_Work":
        people = np.full(int(rows.person.max(initial=-1)) + 1, DEFAULT_PEOPLE.mean)
        design = np.column_stack([np.zeros((len(rows), 0)), *(rows.numbers[name] for name in beliefs)])
        slopes = np.array([belief.mean for belief in beliefs.values()])
        # The unknown share a level behind the last, whose effect is held at 0.
        sizes = {name: int(codes.max(initial=-1)) + 2 for name, codes in rows.levels.items()}
        codes = {name: np.where(each >= 0, each, sizes[name] - 1) for name, each in rows.levels.items()}
        return cls(
            rows=rows,
            sample=Sample(rows.person, np.zeros_like(rows.person), {}, rows.events, rows.trials),
            beliefs=beliefs,
            usual=usual,
            codes=codes,
            counts={name: np.bincount(each, minlength=sizes[name])[:-1] for name, each in codes.items()},
            design=design,
            slopes=slopes,
            effects={name: np.zeros(size) for name, size in sizes.items()},
            precision={name: usual.get(name, USUAL_SPREAD) ** -2 for name in sizes},
            people=people,
            law=DEFAULT_PEOPLE,
            score=people[rows.person] + design @ slopes,
            here=Touching(np.zeros(0), np.zeros(0)),
        )

    def start_at(self, fit: AdditiveFit) -> None:
        """Begin where another fit ended, as far as that knows the same people, numbers and properties."""
        self.slopes = np.array(
            [fit.slopes.get(name, (belief.mean, 0.0))[0] for name, belief in self.beliefs.items()]
        )
        for name, effects in fit.effects.items():
            if name in self.effects:
                known = min(effects.value.size, self.effects[name].size - 1)
                self.effects[name][:known] = effects.value[:known]
                self.precision[name] = effects.spread**-2
        known = min(fit.averages.size, self.people.size)
        self.people[:known], self.people[known:] = fit.averages[:known], fit.people.mean
        self.law = fit.people
        self.score = self.people[self.rows.person] + self.design @ self.slopes
        for name, effect in self.effects.items():
            self.score += effect[self.codes[name]]

    def round(self) -> float:
        """Move every block once; gives how far the farthest term moved."""
        self.here = Touching.at(self.rows.events, self.rows.trials, self.score)
        moved = [self._numbers(), *(self._levels(name) for name in self.codes), self._averages()]
        return max(moved)

    def _move(self, change: FloatArray | float) -> None:
        """Add to the log odds of every application; what is left of its event falls in proportion."""
        self.score += change
        self.here = replace(self.here, left=self.here.left - self.here.weight * change)

    def _numbers(self) -> float:
        if not self.slopes.size:
            return 0.0
        prior = np.array([belief.sd**-2 for belief in self.beliefs.values()])
        middle = np.array([belief.mean for belief in self.beliefs.values()])
        slope = self.design.T @ self.here.left - prior * (self.slopes - middle)
        bend = (self.design.T * self.here.weight) @ self.design + np.diag(prior)
        step = np.clip(np.linalg.solve(bend, slope), -LARGEST_STEP, LARGEST_STEP)
        self.slopes = self.slopes + step
        self._move(self.design @ step)
        return float(np.abs(step).max())

    def _levels(self, name: str) -> float:
        codes, before = self.codes[name], self.effects[name]
        step, told = newton_step(self.here, codes, before, precision=self.precision[name])
        step[-1] = 0.0
        after = before + step
        known = self.counts[name]
        if known.sum():
            # Effects are against the average application; the averages of people take what is common.
            step[:-1] -= known @ after[:-1] / known.sum()
        self.effects[name] = before + step
        self._move(step[codes])
        if after.size > 1:
            self.precision[name] = precision_of(
                self.effects[name][:-1], told[:-1], usual=self.usual.get(name, USUAL_SPREAD)
            )
        return float(np.abs(step).max())

    def _averages(self) -> float:
        shift = float(np.clip(self.here.left.sum() / (self.here.weight.sum() + 1e-3), -0.5, 0.5))
        mean = self.law.mean + shift
        self.people = self.people + shift
        self._move(shift)
        step, told = newton_step(self.here, self.rows.person, self.people - mean, precision=self.law.sd**-2)
        self.people = self.people + step
        self._move(step[self.rows.person])
        self.law = law_of(self.people, told)
        # What is common moves at once and in part back, towards what is usual: what counts is where it ends.
        moved = np.append(shift + step, 0.0)
        return max(abs(float(moved.mean())), float(np.abs(moved).max()) / 5)

    def _weights(self) -> tuple[FloatArray, FloatArray]:
        """How much each application tells, and how much each person's average takes of that."""
        weight = Touching.at(self.rows.events, self.rows.trials, self.score).weight
        return weight, 1 / (np.bincount(self.rows.person, weight, self.people.size) + self.law.sd**-2)

    def _slope_errors(self) -> FloatArray:
        """Posterior deviations of the slopes, people's averages as uncertain as they are."""
        weight, taken = self._weights()
        sums = np.column_stack(
            [
                np.zeros((self.people.size, 0)),
                *(np.bincount(self.rows.person, weight * each, self.people.size) for each in self.design.T),
            ]
        )
        bend = (self.design.T * weight) @ self.design - (sums.T * taken) @ sums
        prior = np.diag([belief.sd**-2 for belief in self.beliefs.values()])
        errors: FloatArray = np.sqrt(np.diag(np.linalg.inv(bend + prior)))
        return errors

    def _level_errors(self, name: str) -> FloatArray:
        """The same for the levels of a property, other levels held."""
        weight, taken = self._weights()
        codes, size = self.codes[name], self.effects[name].size
        keys, cell = np.unique(self.rows.person * size + codes, return_inverse=True)
        sums = np.bincount(cell, weight, keys.size)
        lost = np.bincount(keys % size, sums**2 * taken[keys // size], size)
        own = np.bincount(codes, weight, size) - lost + self.precision[name]
        return np.asarray(own**-0.5, dtype=np.float64)

    def result(self, rounds: int) -> AdditiveFit:
        own = self.score - self.people[self.rows.person]
        return AdditiveFit(
            people=people_law(self.sample, own) if len(self.rows) else self.law,
            slopes=MappingProxyType(
                {
                    name: (float(value), float(error))
                    for name, value, error in zip(
                        self.beliefs, self.slopes, self._slope_errors(), strict=True
                    )
                }
            ),
            effects=MappingProxyType({name: self._told(name) for name in self.codes}),
            averages=self.people,
            rounds=rounds,
        )

    def _told(self, name: str) -> Effects:
        return Effects(
            value=self.effects[name][:-1],
            error=self._level_errors(name)[:-1],
            n=self.counts[name].astype(np.float64),
            spread=self.precision[name] ** -0.5,
        )
