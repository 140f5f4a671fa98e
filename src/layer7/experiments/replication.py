"""A design, run many times on what the log holds: split at random, an effect put in, looked at as planned."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from layer7.analytics.trials.arms import KINDS
from layer7.contract.vocabulary import MetricShape
from layer7.errors import Layer7Error
from layer7.experiments.information import reaches
from layer7.experiments.traffic import Floats, Ints, Traffic
from layer7.statistics.trials import ArmMoments, Guarantee, compare, is_early

Pair = tuple[ArmMoments, ArmMoments]


@dataclass(frozen=True, slots=True, eq=False)
class Draw:
    """One run of the experiment.

    Args:
        arms: moments of control and treatment at each look.
        begun: attempts begun in control and treatment by each look, shape (looks, 2).
    """

    arms: tuple[Pair, ...]
    begun: Floats


class Replicas(Protocol):
    """Draws runs of an experiment, with an effect put in."""

    def draw(self, effect: float, rng: np.random.Generator) -> Draw:
        """Run the experiment once.

        Args:
            effect: true difference of the treatment, in the metric's unit.
            rng: the dice.
        """
        ...


class ByUnit:
    """Runs in which the units are split by chance: each draw takes units of the log at random.

    An effect makes attempts of the treatment succeed that had not (with the waiting times of the log), or
    takes successes away, at random; means of values are shifted.

    Args:
        traffic: what the log holds.
        units: how many units take part, both arms together.
        share: of the treatment among them.
    """

    def __init__(self, traffic: Traffic, *, units: int, share: float = 0.5) -> None:
        self._traffic, self._n, self._share = traffic, units, share
        size, looks = traffic.units, len(traffic.looks)
        unit, shape = traffic.attempts.unit, (size, looks)
        self._top, self._bottom = np.zeros(shape), np.zeros(shape)
        for look in range(looks):
            top, bottom = traffic.values(look)
            self._top[:, look] = np.bincount(unit, top, size)
            self._bottom[:, look] = np.bincount(unit, bottom, size)
        known = traffic.seen < looks
        self._gained = _counted(unit[known], traffic.seen[known], shape)
        self._open = _counted(unit[~known], traffic.begun[~known], shape)
        self._begun = _counted(unit, traffic.begun, shape).cumsum(axis=1)
        if traffic.metric.shape is MetricShape.BINOMIAL:
            self._bottom = (self._begun > 0).astype(np.float64)

    def draw(self, effect: float, rng: np.random.Generator) -> Draw:
        """Run the experiment once; see :meth:`Replicas.draw`."""
        chosen = rng.integers(0, self._traffic.units, self._n)
        treated = rng.random(self._n) < self._share
        sides = []
        for rows, put_in in ((chosen[~treated], 0.0), (chosen[treated], effect)):
            top = self._top[rows] + self._change(rows, put_in, rng) if put_in else self._top[rows]
            sides.append(_moments(top, self._bottom[rows], self._begun[rows] > 0))
        begun = np.stack([self._begun[chosen[treated == side]].sum(axis=0) for side in (False, True)], axis=1)
        return Draw(tuple(zip(*sides, strict=True)), begun.astype(np.float64))

    def everybody(self) -> list[ArmMoments]:
        """Give the moments of all units of the log at each look, none of them treated."""
        return _moments(self._top, self._bottom, self._begun > 0)

    def _change(self, rows: Ints, effect: float, rng: np.random.Generator) -> Floats:
        traffic = self._traffic
        if not traffic.counts_successes:
            grows = np.asarray(traffic.looks) / traffic.looks[-1]
            means = traffic.metric.shape is MetricShape.MEAN
            return effect * (grows * (self._begun[rows] > 0) if means else self._bottom[rows])
        if effect < 0:
            lost = -rng.binomial(self._gained[rows], min(1.0, -effect / traffic.rate))
            return lost.cumsum(axis=1).astype(np.float64)
        hits = rng.binomial(self._open[rows], min(1.0, effect / max(1 - traffic.rate, 1e-9)))
        row, at = np.nonzero(hits)
        times = hits[row, at]
        row, seen = np.repeat(row, times), arrivals(traffic, np.repeat(at, times), rng)
        shape = hits.shape
        return _counted(row[seen < shape[1]], seen[seen < shape[1]], shape).cumsum(axis=1).astype(np.float64)


class ByAttempt:
    """Runs in which a coin is thrown for every attempt; whole people are taken from the log at random.

    What is exchangeable under the coin is counted, not listed: attempts that began in the same interval
    between looks and became known by the same one.

    Args:
        traffic: what the log holds.
        units: how many people take part.
        share: of the treatment among their attempts.

    Raises:
        Layer7Error: ``bad_design`` for a metric that only a person has.
    """

    def __init__(self, traffic: Traffic, *, units: int, share: float = 0.5) -> None:
        if traffic.metric.shape is not MetricShape.RATIO:
            raise Layer7Error(
                "bad_design",
                f"{traffic.metric.name} is of people; single applications do not have it.",
                "Split people, or measure a rate.",
            )
        self._traffic, self._n, self._share = traffic, units, share
        looks = len(traffic.looks)
        cell = traffic.begun * (looks + 1) + traffic.seen
        self._cells = looks * (looks + 1)
        self._people = _counted(traffic.attempts.unit, cell, (traffic.units, self._cells))
        size = np.maximum(self._people.sum(axis=0), 1)
        self._means = np.zeros((looks, 5, self._cells))
        for look in range(looks):
            top, bottom = traffic.values(look)
            parts = (top, bottom, top * top, top * bottom, bottom * bottom)
            self._means[look] = [np.bincount(cell, part, self._cells) / size for part in parts]
        self._begun = (np.arange(self._cells) // (looks + 1))[None, :] <= np.arange(looks)[:, None]

    def draw(self, effect: float, rng: np.random.Generator) -> Draw:
        """Run the experiment once; see :meth:`Replicas.draw`."""
        taken = np.bincount(rng.integers(0, self._traffic.units, self._n), minlength=self._traffic.units)
        counts = taken @ self._people
        treated = rng.binomial(counts, self._share)
        sides = [counts - treated, self._moved(treated, effect, rng)]
        begun = np.stack([self._begun @ side for side in sides], axis=1).astype(np.float64)
        shift = 0.0 if self._traffic.counts_successes else effect
        arms = [
            (self._arm(look, sides[0], begun[look, 0], 0.0), self._arm(look, sides[1], begun[look, 1], shift))
            for look in range(len(begun))
        ]
        return Draw(tuple(arms), begun)

    def everybody(self) -> list[ArmMoments]:
        """Give the moments of all attempts of the log at each look, none of them treated."""
        counts = self._people.sum(axis=0)
        return [self._arm(look, counts, float(n), 0.0) for look, n in enumerate(self._begun @ counts)]

    def _arm(self, look: int, counts: Ints, n: float, shift: float) -> ArmMoments:
        a, b, aa, ab, bb = self._means[look] @ counts
        sums = np.array([a + shift * b, b])
        cross = ab + shift * bb
        top = aa + 2 * shift * ab + shift**2 * bb
        return ArmMoments(n=n, sums=sums, products=np.array([[top, cross], [cross, bb]]))

    def _moved(self, counts: Ints, effect: float, rng: np.random.Generator) -> Ints:
        """The treatment's attempts with the effect: successes taken away, or put where there was none."""
        looks, traffic = len(self._traffic.looks), self._traffic
        table = counts.reshape(looks, looks + 1).copy()
        if not traffic.counts_successes or effect == 0:
            return counts
        if effect < 0:
            lost: Ints = rng.binomial(table[:, :looks], min(1.0, -effect / traffic.rate))
            table[:, :looks] -= lost
            table[:, looks] += lost.sum(axis=1)
            return table.ravel()
        hits = rng.binomial(table[:, looks], min(1.0, effect / max(1 - traffic.rate, 1e-9)))
        at = np.repeat(np.arange(looks), hits)
        table[:, looks] -= hits
        np.add.at(table, (at, arrivals(traffic, at, rng)), 1)
        return table.ravel()


def arrivals(traffic: Traffic, begun: Ints, rng: np.random.Generator) -> Ints:
    """Give by which look new successes become known, after a wait that the log has seen.

    Args:
        traffic: its looks and waiting times.
        begun: the interval in which each attempt began.
        rng: the dice.
    """
    ends = np.asarray(traffic.looks)
    starts = np.concatenate([[0.0], ends[:-1]])
    day = starts[begun] + (ends - starts)[begun] * rng.random(begun.size)
    found: Ints = np.searchsorted(ends, day + rng.choice(traffic.waits, begun.size), side="right")
    return found


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Runs:
    """Many runs of a design under one true effect.

    Args:
        estimate: the differences, shape (runs, looks); 0 where nothing could be compared.
        error: their standard errors; infinite where nothing could be compared.
        events: sums of the numerator in control and treatment, shape (runs, looks, 2).
        begun: attempts begun, likewise.
        value: the metric, mean of both arms, shape (runs, looks).
        freedom: degrees of freedom of the standard errors, likewise.
        units: of both arms, likewise.
    """

    estimate: Floats
    error: Floats
    events: Floats
    begun: Floats
    value: Floats
    freedom: Floats
    units: Floats

    def information(self) -> Floats:
        """Give the information of each look, as it is on average."""
        told = np.isfinite(self.error) & (self.error > 0)
        known = np.where(told, self.value / np.where(told, self.error, 1.0), 0.0) ** 2
        average: Floats = known.mean(axis=0)
        return average

    def proven_at(self, reach: Floats) -> Ints:
        """Give the look at which each run first excluded zero; the number of looks where none did.

        Args:
            reach: standard errors that the interval of each look reaches.
        """
        beyond = np.abs(self.estimate) > reach * self.error
        first: Ints = np.where(beyond.any(axis=1), beyond.argmax(axis=1), beyond.shape[1])
        return first


def run_often(
    replicas: Replicas,
    metric: MetricShape,
    *,
    effect: float,
    runs: int,
    rng: np.random.Generator,
    progress: Callable[[float], None] = lambda _share: None,
) -> Runs:
    """Run a design many times under one true effect, each look compared as the engine compares.

    Args:
        replicas: draws the runs.
        metric: what is compared.
        effect: true difference.
        runs: how many.
        rng: the dice.
        progress: is told the share of one run after each.
    """
    found = []
    for _ in range(runs):
        drawn = replicas.draw(effect, rng)
        found.append(([_compared(pair, metric) for pair in drawn.arms], drawn))
        progress(1 / runs)
    table = np.array([looks for looks, _ in found])
    events = [[(a.sums[0], b.sums[0]) for a, b in drawn.arms] for _, drawn in found]
    return Runs(
        estimate=table[..., 0],
        error=table[..., 1],
        value=table[..., 2],
        freedom=table[..., 3],
        events=np.array(events),
        begun=np.array([drawn.begun for _, drawn in found]),
        units=np.array([[a.n + b.n for a, b in drawn.arms] for _, drawn in found]),
    )


_NOTHING = (0.0, math.inf, 0.0, math.inf)


def _compared(pair: Pair, metric: MetricShape) -> tuple[float, float, float, float]:
    """Difference, standard error, value of the metric, degrees of freedom."""
    if is_early(pair, KINDS[metric]):
        return _NOTHING
    try:
        found = compare(*pair, kind=KINDS[metric])
    except Layer7Error as error:
        if error.code not in {"too_few_units", "no_denominator"}:
            raise
        return _NOTHING
    gap = found.difference
    if gap.standard_error <= 0:
        return _NOTHING
    return gap.estimate, gap.standard_error, (found.control + found.treatment) / 2, gap.freedom


def limits(runs: Runs, *, guarantee: Guarantee, alpha: float, planned: float, from_look: int = 0) -> Floats:
    """Give the reach of each look's interval; looks before the first that counts reach infinitely far.

    Args:
        runs: of the design, for the information that its looks have on average.
        guarantee: how it is looked at.
        alpha: accepted probability of a false alarm over all looks.
        planned: planned information.
        from_look: number of the first look at which a verdict may be read.
    """
    known = runs.information()
    reach = np.full(known.size, np.inf)
    if from_look < known.size:
        freedom = float(np.median(runs.freedom[:, -1]))
        reach[from_look:] = reaches(
            known[from_look:].tolist(), guarantee=guarantee, alpha=alpha, planned=planned, freedom=freedom
        )
    return reach


def _counted(rows: Ints, columns: Ints, shape: tuple[int, int]) -> Ints:
    counted: Ints = np.bincount(rows * shape[1] + columns, minlength=shape[0] * shape[1]).reshape(shape)
    return counted


def _moments(top: Floats, bottom: Floats, entered: npt.NDArray[np.bool_]) -> list[ArmMoments]:
    """The moments of an arm's units at each look; who has not come in has zeros, and is not counted."""
    n, a, b = entered.sum(axis=0), top.sum(axis=0), bottom.sum(axis=0)
    aa, ab, bb = (np.einsum("ij,ij->j", *pair) for pair in ((top, top), (top, bottom), (bottom, bottom)))
    return [
        ArmMoments(
            n=float(n[k]),
            sums=np.array([a[k], b[k]]),
            products=np.array([[aa[k], ab[k]], [ab[k], bb[k]]]),
        )
        for k in range(n.size)
    ]
