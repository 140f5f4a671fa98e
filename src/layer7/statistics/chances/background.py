"""What levels do for everybody: main effects beside people's own averages, neither passing for the other."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
from scipy import special

from layer7.errors import Layer7Error
from layer7.statistics.arrays import FloatArray
from layer7.statistics.chances.deviations import DEFAULT_PEOPLE, PeopleLaw, fit_people

IntArray = npt.NDArray[np.int64]

ROUNDS = 12
LEAST_PEOPLE = 20
"""Of fewer people it cannot be told what a level does for everybody and what for one of them."""

USUAL_SPREAD = 0.25
"""Published rates by occupation and kind of employer spread by 0.2 to 0.6 log odds."""

_USUAL_WEIGHT = 8.0
LARGEST_STEP = 0.5
EMPLOYER_CORRELATION = 0.14
"""Between answers of one employer, before a log says otherwise: Kline, Rose and Walters (2022) found rates of
5, 21 and 45 % at the 10th, 50th and 90th percentile of firms."""

_CORRELATION_WEIGHT = 5.0


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """Applications of some people, one element each.

    Args:
        person: 0 to the number of people less 1.
        employer: of the same person's applications to one employer the same number, 0 on.
        levels: per property, the level, 0 on.
        events: 1 where an interview was reached, else 0.
        trials: how much of the application has been seen, at least ``events``.
    """

    person: IntArray
    employer: IntArray
    levels: Mapping[str, IntArray]
    events: FloatArray
    trials: FloatArray

    def __post_init__(self) -> None:
        sizes = {self.person.size, self.employer.size, self.events.size, self.trials.size}
        if len(sizes | {codes.size for codes in self.levels.values()}) > 1:
            raise Layer7Error("bad_counts", "The columns differ in length.", "Give one element each.")


@dataclass(frozen=True, slots=True, eq=False)
class Background:
    """Log odds that a level gives to everybody, and how alike answers of one employer are.

    Args:
        effects: per property, one log odds ratio per level.
        people: how people's averages differ.
        correlation: between two answers of one employer to one person, 0 to 1.
    """

    effects: Mapping[str, FloatArray] = field(default_factory=dict)
    people: PeopleLaw = DEFAULT_PEOPLE
    correlation: float = EMPLOYER_CORRELATION


def fit_background(sample: Sample) -> Background:
    """Estimate main effects of all properties together, beside an average of each person's own.

    logit p = a_person + Σ_properties b_level, a ~ N(mean, sd²), b ~ N(0, spread²), by rounds of one Newton
    step for each block; the spread of each property is estimated, with the weight of eight levels of 0.25.
    Because people have averages of their own, a level that strong people choose is not taken for a good one.

    Trust it as what goes with a level on average; it is no claim that the level helps.

    Args:
        sample: applications; a few hundred thousand are enough.

    Source:
        Penalised quasi-likelihood, Breslow and Clayton (1993), JASA 88:9-25.

    Example:
        >>> empty = np.empty(0, dtype=np.int64)
        >>> fit_background(Sample(empty, empty, {}, np.empty(0), np.empty(0))).correlation
        0.14
    """
    if not sample.person.size:
        return Background()
    few = sample.person.max() + 1 < LEAST_PEOPLE
    levels = {} if few else sample.levels
    effects = {name: np.zeros(int(codes.max()) + 1) for name, codes in levels.items()}
    precision = dict.fromkeys(effects, USUAL_SPREAD**-2)
    people = np.full(int(sample.person.max()) + 1, DEFAULT_PEOPLE.mean)
    law = DEFAULT_PEOPLE
    score = people[sample.person]
    for _ in range(ROUNDS):
        for name, codes in levels.items():
            here = Touching.at(sample.events, sample.trials, score)
            step, told = newton_step(here, codes, effects[name], precision=precision[name])
            effects[name] = effects[name] + step
            score = score + step[codes]
            precision[name] = precision_of(effects[name], told)
        here = Touching.at(sample.events, sample.trials, score)
        step, told = newton_step(here, sample.person, people - law.mean, precision=law.sd**-2)
        people, score = people + step, score + step[sample.person]
        law = law_of(people, told)
    return Background(
        MappingProxyType(effects),
        people_law(sample, score - people[sample.person]),
        _correlation(sample, special.expit(score)),
    )


def people_law(sample: Sample, offset: FloatArray) -> PeopleLaw:
    """Estimate how people's averages differ, given what their applications' odds are besides.

    Args:
        sample: applications.
        offset: log odds of each application against the average one.
    """
    events, trials, odds = (
        np.bincount(sample.person, each)
        for each in (sample.events, sample.trials, sample.trials * np.exp(offset))
    )
    seen = trials > 0
    return fit_people(events[seen], trials[seen], np.log(odds[seen] / trials[seen]))


@dataclass(frozen=True, slots=True, eq=False)
class Touching:
    """The parabola that touches the log-likelihood where the log odds stand.

    Args:
        left: what is left of the event of each application, less what is expected.
        weight: how much each application bends it.
    """

    left: FloatArray
    weight: FloatArray

    @classmethod
    def at(cls, events: FloatArray, trials: FloatArray, score: FloatArray) -> "Touching":
        """Touch where the log odds stand.

        Args:
            events: of each application.
            trials: of each application.
            score: log odds of each application.
        """
        chance = special.expit(score)
        expected = np.minimum(trials * chance, 1.0)
        return cls(events - expected, expected * (1 - chance))


def newton_step(
    touching: Touching, codes: IntArray, effect: FloatArray, *, precision: float
) -> tuple[FloatArray, FloatArray]:
    """Give one Newton step for the effects of a block, and the information of each of its levels.

    Args:
        touching: the parabola.
        codes: the level of each application.
        effect: the block's effects as they stand.
        precision: of their prior, centred at 0.
    """
    slope = np.bincount(codes, touching.left, effect.size) - precision * effect
    bend = np.bincount(codes, touching.weight, effect.size) + precision
    step: FloatArray = np.clip(slope / bend, -LARGEST_STEP, LARGEST_STEP)
    return step, np.asarray(bend, dtype=np.float64)


def precision_of(effect: FloatArray, information: FloatArray, *, usual: float = USUAL_SPREAD) -> float:
    """Estimate the precision of a block's prior, with the weight of eight levels of the usual spread.

    Args:
        effect: the block's effects.
        information: of each.
        usual: spread of such effects, before these were seen.
    """
    spread = float((effect**2 + 1 / information).sum()) + _USUAL_WEIGHT * usual**2
    return (effect.size + _USUAL_WEIGHT) / spread


def law_of(averages: FloatArray, information: FloatArray) -> PeopleLaw:
    """Estimate how people's averages differ from the averages and their information, rather wide.

    Four made-up people with the usual spread count as well. What is served is estimated without them
    (:func:`layer7.statistics.chances.deviations.people_spread`); while effects of levels are estimated they
    stay: a spread believed too small leaves in a level more of what strong people bring.

    Args:
        averages: log odds, one per person.
        information: of each.
    """
    mean = (averages.sum() + DEFAULT_PEOPLE.mean) / (averages.size + 1)
    spread = ((averages - mean) ** 2 + 1 / information).sum() + 4 * DEFAULT_PEOPLE.sd**2
    return PeopleLaw(float(mean), float(np.sqrt(spread / (averages.size + 4))))


def _correlation(sample: Sample, chance: FloatArray) -> float:
    """Pairs of one person and employer: Σ (y - p)(y' - p') / Σ sqrt(p q p' q'), shrunk and from 0 to 1."""
    clusters = int(sample.employer.max()) + 1
    left = sample.events - np.minimum(sample.trials * chance, 1.0)
    spread = np.sqrt(np.minimum(sample.trials, 1.0) * chance * (1 - chance))
    product = np.bincount(sample.employer, left, clusters) ** 2 - np.bincount(
        sample.employer, left**2, clusters
    )
    scale = np.bincount(sample.employer, spread, clusters) ** 2 - np.bincount(
        sample.employer, spread**2, clusters
    )
    weight = _CORRELATION_WEIGHT
    pooled = (product.sum() + weight * EMPLOYER_CORRELATION) / (scale.sum() + weight)
    return float(np.clip(pooled, 0.0, 1.0))
