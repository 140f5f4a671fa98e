"""Does it matter when one applies: effects of weekday, hour and age of the posting, within people."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
from scipy import special

from layer7.errors import Layer7Error
from layer7.statistics.arrays import FloatArray
from layer7.statistics.many.spread import shrink
from layer7.statistics.rates.intervals import normal_quantile
from layer7.statistics.within.effects import WithinTest, fit_within, score_test
from layer7.statistics.within.panels import Codes, Panel, conditional, panel, still_missing

LEAST_EXPECTED = 5.0
LEAST_EVENTS = 50.0
# A level without an event stays finite: log rate ratios are N(0, 2²) before looking.
PENALTY = 0.25
POWER = 0.8
WORTH_FINDING = 1.25


@dataclass(frozen=True, slots=True, eq=False)
class Sent:
    """Applications, and when they were sent.

    Args:
        events: 1 for those with the event (an interview, or any answer), else 0.
        trials: effective trials, 0 to 1.
        person: whose, as numbers.
        cluster: of which employer, as numbers.
        factors: by name, the level of each application, 0 to ``levels`` - 1, or -1 where it is not known.
        levels: by name, how many levels there are.
    """

    events: FloatArray
    trials: FloatArray
    person: Codes
    cluster: Codes
    factors: Mapping[str, Codes]
    levels: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelEffect:
    """How one level does against the average level, within people.

    Args:
        n: applications sent then.
        ratio: shrunk rate ratio; None where too few were sent then.
        low: lower end of its interval; None with ``ratio``.
        high: upper end of its interval; None with ``ratio``.
        above: probability that the ratio is above 1; None with ``ratio``.
        rate: rate of everybody, had all been sent then; None with ``ratio``.
        rate_low: lower end of its interval; None with ``ratio``.
        rate_high: upper end of its interval; None with ``ratio``.
    """

    n: int
    ratio: float | None = None
    low: float | None = None
    high: float | None = None
    above: float | None = None
    rate: float | None = None
    rate_low: float | None = None
    rate_high: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FactorEffect:
    """What can be said of one factor.

    Args:
        levels: one effect per level.
        test: the joint test of all levels; None while it cannot be made.
        best: the level that is proven better than the average; None where none is.
        needed: about how many more applications would show a ratio of 1.25 in a level; None when enough.
    """

    levels: tuple[LevelEffect, ...]
    test: WithinTest | None = None
    best: int | None = None
    needed: int | None = None


def timing_effects(sent: Sent, *, alpha: float, level: float = 0.95) -> Mapping[str, FactorEffect]:
    """Estimates all factors together within people, and tests each jointly over its levels.

    The model is rate = exp(a_person + Σ_factors b_level) on effective trials
    (:func:`layer7.statistics.within.effects.fit_within`), with standard errors that let applications of one
    person, and of one employer, hang together. Each factor is tested with the others free (score test). Its
    effects are those against the factor's average level, shrunk towards none
    (:func:`layer7.statistics.many.spread.shrink`). A level where fewer than 5 events are expected, and what
    is unknown, is kept in the model but is neither tested nor shown.

    A level is called best only if the joint test rejects at ``alpha`` and its whole interval lies above 1.

    Trust it for what is pooled over people; one person alone never has enough applications. It compares a
    person's own applications with each other, which may differ in more than their time.

    Args:
        sent: the applications.
        alpha: of the joint tests.
        level: confidence of the intervals.

    Returns:
        One entry per factor.

    Source:
        The factors are those of the specification, section 5.4; the method is that of the modules named.

    Example:
        >>> dice = np.random.default_rng(2)
        >>> day = dice.integers(0, 7, 6000)
        >>> sent = Sent((dice.random(6000) < np.where(day == 1, 0.3, 0.1)).astype(float), np.ones(6000),
        ...             np.arange(6000) // 40, np.arange(6000) // 3, {"weekday": day}, {"weekday": 7})
        >>> found = timing_effects(sent, alpha=0.01)["weekday"]
        >>> found.best, round(found.levels[1].ratio, 1)
        (1, 2.2)
    """
    counted = _Counted.of(sent)
    rows = counted.rows
    if counted.missing or not counted.columns:
        return MappingProxyType({name: counted.unknown(name) for name in sent.factors})
    try:
        fit = fit_within(rows, penalty=PENALTY)
    except Layer7Error:
        return MappingProxyType({name: counted.unknown(name) for name in sent.factors})
    found = {}
    for name in sent.factors:
        own = counted.own(name)
        if not own.any():
            found[name] = counted.unknown(name)
            continue
        test = _tested(rows, own, fit.coefficients)
        ratios = _Ratios.of(counted, name, (fit.coefficients[own], fit.covariance[np.ix_(own, own)]), level)
        found[name] = ratios.effect(counted, name, test, alpha)
    return MappingProxyType(found)


def _tested(rows: Panel, own: npt.NDArray[np.bool_], start: FloatArray) -> WithinTest | None:
    try:
        return score_test(rows, own, penalty=PENALTY, start=start)
    except Layer7Error:
        return None


@dataclass(frozen=True, slots=True, eq=False)
class _Counted:
    """Applications with their design: for each factor all shown levels but the commonest, and the rest."""

    sent: Sent
    rows: Panel
    columns: tuple[tuple[str, int], ...]  # (factor, level); -1 is the rest
    shown: Mapping[str, tuple[int, ...]]  # the commonest first
    missing: int

    @classmethod
    def of(cls, sent: Sent) -> "_Counted":
        bare = panel(
            np.zeros((sent.events.size, 0)),
            sent.events,
            sent.trials,
            person=sent.person,
            cluster=sent.cluster,
        )
        _, expected = conditional(bare, np.zeros(0))
        shown, columns, parts = {}, [], []
        for name, codes in sent.factors.items():
            own = codes[bare.kept]
            mass = np.bincount(own + 1, expected, sent.levels[name] + 1)[1:]
            kept = [int(at) for at in np.argsort(-mass, kind="stable") if mass[at] >= LEAST_EXPECTED]
            shown[name] = tuple(kept) if len(kept) > 1 else ()
            for at in shown[name][1:]:
                columns.append((name, at))
                parts.append(own == at)
            rest = ~np.isin(own, kept)
            if shown[name] and expected[rest].sum() > 0:
                columns.append((name, -1))
                parts.append(rest)
        design = np.column_stack(parts).astype(np.float64) if parts else np.zeros((bare.events.size, 0))
        rows = replace(bare, design=np.asfortranarray(design))
        return cls(sent, rows, tuple(columns), MappingProxyType(shown), _missing(sent, rows))

    def own(self, name: str) -> npt.NDArray[np.bool_]:
        """Which columns hold shown levels of a factor."""
        return np.array([factor == name and at >= 0 for factor, at in self.columns], dtype=np.bool_)

    def n(self, name: str) -> Codes:
        """Applications at each level."""
        return np.bincount(self.sent.factors[name] + 1, minlength=self.sent.levels[name] + 1)[1:]

    def unknown(self, name: str) -> FactorEffect:
        """Say that nothing can be said of a factor."""
        n = self.n(name)
        # A factor that never varies, or is never known, asks for others like those that are there.
        needed = self.missing or max(int(n.sum()), 1)
        return FactorEffect(levels=tuple(LevelEffect(n=int(count)) for count in n), needed=needed)


def _missing(sent: Sent, rows: Panel) -> int:
    """About how many more applications bring enough events, people and employers; 0 when there are."""
    rate = (float(sent.events.sum()) + 1) / (float(sent.trials.sum()) + 20)
    return still_missing(rows, n=sent.events.size, rate=rate, least=LEAST_EVENTS)


@dataclass(frozen=True, slots=True, eq=False)
class _Ratios:
    """Shrunk log rate ratios of the shown levels of a factor, and their errors before shrinking."""

    mean: FloatArray
    low: FloatArray
    high: FloatArray
    above: FloatArray
    raw: FloatArray
    level: float

    @classmethod
    def of(
        cls, counted: _Counted, name: str, fitted: tuple[FloatArray, FloatArray], level: float
    ) -> "_Ratios":
        coefficients, covariance = fitted
        shown = counted.shown[name]
        weight = counted.n(name)[list(shown)].astype(np.float64)
        weight /= weight.sum()
        contrast = np.eye(len(shown))[:, 1:] - weight[1:]
        errors = np.sqrt(np.einsum("ij,jk,ik->i", contrast, covariance, contrast))
        told = shrink(contrast @ coefficients, errors)
        # Of the average over applications the ratios are 1.
        centre = float(np.log(weight @ np.exp(told.mean)))
        low, high = told.interval(level)
        return cls(told.mean - centre, low - centre, high - centre, told.above, errors, level)

    def effect(self, counted: _Counted, name: str, test: WithinTest | None, alpha: float) -> FactorEffect:
        n, shown = counted.n(name), counted.shown[name]
        events, trials = float(counted.sent.events.sum()), float(counted.sent.trials.sum())
        base, reach = np.log(events / trials), normal_quantile(self.level)
        error = np.sqrt(((self.high - self.low) / 2 / reach) ** 2 + 1 / events)
        levels = [LevelEffect(n=int(count)) for count in n]
        for i, at in enumerate(shown):
            rate = np.minimum(np.exp(base + self.mean[i] + np.array([0, -1, 1]) * reach * error[i]), 1.0)
            levels[at] = LevelEffect(
                n=int(n[at]),
                ratio=float(np.exp(self.mean[i])),
                low=float(np.exp(self.low[i])),
                high=float(np.exp(self.high[i])),
                above=float(self.above[i]),
                rate=float(rate[0]),
                rate_low=float(rate[1]),
                rate_high=float(rate[2]),
            )
        top = int(np.argmax(self.mean))
        proven = test is not None and test.p_value < alpha and self.low[top] > 0
        return FactorEffect(
            levels=tuple(levels),
            test=test,
            best=shown[top] if proven else None,
            needed=self._needed(int(n[list(shown)].sum()), alpha),
        )

    def _needed(self, n: int, alpha: float) -> int | None:
        """Standard errors shrink with the root of n: how much more until 1.25 is found with 80 % power."""
        asked = np.log(WORTH_FINDING) / (normal_quantile(1 - alpha) + float(special.ndtri(POWER)))
        more = n * ((float(np.median(self.raw)) / asked) ** 2 - 1)
        return int(np.ceil(more)) if more > 0 else None
