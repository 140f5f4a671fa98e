"""How good the promised chances of single applications were, told by what came of them."""

from dataclasses import dataclass

import numpy as np
from scipy import special

from layer7.errors import Layer7Error
from layer7.statistics.arrays import FloatArray
from layer7.statistics.chances.background import IntArray
from layer7.statistics.fitting.logistic import fit_logistic
from layer7.statistics.rates.intervals import Interval, normal_quantile

LEAST_EVENTS = 20.0
"""Fewer interviews do not tell whether promises are kept."""

FLOOR = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class Promises:
    """Applications, what was promised of each, and what came.

    Args:
        log_odds: promised.
        events: 1 where an interview was reached, else 0.
        trials: how much of the application has been seen, at least ``events``.
        person: whose, as numbers from 0 on.
    """

    log_odds: FloatArray
    events: FloatArray
    trials: FloatArray
    person: IntArray

    @property
    def loss(self) -> FloatArray:
        """What each promise cost: t ln(1 + e^x) - k x, the negative log-likelihood on effective counts."""
        return self.trials * np.logaddexp(0.0, self.log_odds) - self.events * self.log_odds


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """Whether promises were kept.

    Args:
        slope: of outcomes on promised log odds; below 1, promises are too extreme.
        slope_interval: clustered by person.
        ratio: interviews that came / promised.
        ratio_interval: clustered by person.
        events: interviews.
        n_eff: effective trials.
    """

    slope: float | None
    slope_interval: Interval | None
    ratio: float
    ratio_interval: Interval
    events: float
    n_eff: float


def kept(promises: Promises, *, level: float = 0.95) -> Kept | None:
    """Tells whether promised chances came true, on average and from low to high.

    Slope: logistic regression of outcomes on promised log odds (Cox), with errors that allow for people who
    differ (sandwich, clustered by person). Ratio: Σ k / Σ t p, its logarithm with the same errors.

    Args:
        promises: of applications that the promises were not learned from.
        level: of the intervals.

    Returns:
        None below 20 interviews. The slope is None where all promises are the same.

    Source:
        Cox (1958), Biometrika 45:562-565; Liang and Zeger (1986), Biometrika 73:13-22, for the errors.

    Example:
        >>> rng = np.random.default_rng(1)
        >>> log_odds = rng.normal(-2, 1, 4000)
        >>> events = (rng.random(4000) < special.expit(log_odds)).astype(float)
        >>> found = kept(Promises(log_odds, events, np.ones(4000), np.arange(4000) // 10))
        >>> found.slope_interval.low < 1 < found.slope_interval.high
        True
    """
    events, trials = float(promises.events.sum()), float(promises.trials.sum())
    if events < LEAST_EVENTS:
        return None
    chance = special.expit(promises.log_odds)
    promised = float(promises.trials @ chance)
    left = np.bincount(promises.person, promises.events - promises.trials * chance)
    people = max(int(np.count_nonzero(np.bincount(promises.person))), 2)
    spread = float(np.sqrt((left**2).sum() * people / (people - 1)))
    reach = normal_quantile(level) * spread / max(events, 1.0)
    ratio = events / max(promised, FLOOR)
    slope = _slope(promises, level)
    return Kept(
        slope=None if slope is None else slope[0],
        slope_interval=None if slope is None else slope[1],
        ratio=ratio,
        ratio_interval=Interval(ratio * float(np.exp(-reach)), ratio * float(np.exp(reach)), level),
        events=events,
        n_eff=trials,
    )


def _slope(promises: Promises, level: float) -> tuple[float, Interval] | None:
    if float(np.ptp(promises.log_odds)) < 1e-6:
        return None
    design = np.column_stack([np.ones(promises.log_odds.size), promises.log_odds])
    try:
        fit = fit_logistic(design, promises.events, promises.trials)
    except Layer7Error:
        return None
    residual = promises.events - promises.trials * special.expit(design @ fit.coefficients)
    scores = np.column_stack(
        [np.bincount(promises.person, residual * design[:, at]) for at in range(design.shape[1])]
    )
    covariance = fit.covariance @ (scores.T @ scores) @ fit.covariance
    value, error = float(fit.coefficients[1]), float(np.sqrt(covariance[1, 1]))
    reach = normal_quantile(level) * error
    return value, Interval(value - reach, value + reach, level)


@dataclass(frozen=True, slots=True)
class LossGain:
    """How much better one set of promises was than another, on the same applications.

    Args:
        value: share of the other's loss that is saved; negative when it is worse.
        interval: clustered by person.
    """

    value: float
    interval: Interval


def loss_gain(old: Promises, new: Promises, *, level: float = 0.95) -> LossGain:
    """Compares two sets of promises: 1 - loss of the new / loss of the old.

    Args:
        old: promises in use.
        new: promises for the same applications, in the same order.
        level: of the interval.

    Raises:
        Layer7Error: ``bad_counts`` if these are not the same applications.

    Example:
        >>> rows = [np.array([1.0, 0.0]), np.ones(2), np.array([0, 1])]
        >>> flat, good = Promises(np.zeros(2), *rows), Promises(np.array([2.0, -2.0]), *rows)
        >>> round(loss_gain(flat, good).value, 2)
        0.82
    """
    if old.events is not new.events and not np.array_equal(old.events, new.events):
        raise Layer7Error("bad_counts", "The promises are for different applications.", "Compare like.")
    before, after = (np.bincount(each.person, each.loss) for each in (old, new))
    total = max(float(before.sum()), FLOOR)
    value = 1 - float(after.sum()) / total
    own = (before - after) - value * before
    people = max(int(np.count_nonzero(before)), 2)
    error = float(np.sqrt((own**2).sum() * people / (people - 1))) / total
    reach = float(special.stdtrit(people - 1, (1 + level) / 2)) * error
    return LossGain(value, Interval(value - reach, value + reach, level))


@dataclass(frozen=True, slots=True)
class Tenth:
    """A tenth of the applications by what was promised.

    Args:
        promised: mean promised chance.
        came: interviews / effective trials; None without trials.
        events: interviews.
        n_eff: effective trials.
    """

    promised: float
    came: float | None
    events: float
    n_eff: float


def tenths(promises: Promises, *, parts: int = 10) -> tuple[Tenth, ...]:
    """Sets what came beside what was promised, in groups of about equal effective trials.

    Args:
        promises: the applications.
        parts: how many groups.

    Example:
        >>> rows = Promises(np.array([-3.0, -2.0]), np.array([0.0, 1.0]), np.ones(2), np.arange(2))
        >>> [(round(part.promised, 2), part.came) for part in tenths(rows, parts=2)]
        [(0.05, 0.0), (0.12, 1.0)]
    """
    order = np.argsort(promises.log_odds, kind="stable")
    trials, events = promises.trials[order], promises.events[order]
    chance = special.expit(promises.log_odds[order])
    total = float(trials.sum())
    if total <= 0:
        return ()
    group = np.minimum((np.cumsum(trials) - trials / 2) / total * parts, parts - 1).astype(np.int64)
    n, k, p = (np.bincount(group, each, parts) for each in (trials, events, trials * chance))
    return tuple(
        Tenth(float(p[at] / n[at]), float(k[at] / n[at]), float(k[at]), float(n[at]))
        for at in np.flatnonzero(n > 0).tolist()
    )


def calibration_error(promises: Promises) -> float:
    """The equal-mass expected calibration error over tenths: Σ |came - promised| n / Σ n.

    Args:
        promises: the applications.

    Source:
        Naeini, Cooper and Hauskrecht (2015), AAAI, eq. 3, on quantile bins.

    Example:
        >>> rows = Promises(np.array([0.0, 0.0]), np.array([0.0, 1.0]), np.ones(2), np.arange(2))
        >>> calibration_error(rows)
        0.5
    """
    parts = tenths(promises)
    total = sum(part.n_eff for part in parts)
    gaps = (abs(part.events - part.promised * part.n_eff) for part in parts)
    return sum(gaps) / total if total else 0.0
