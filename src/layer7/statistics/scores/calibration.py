"""Does a score promise what comes: the curve from score to interview rate, and tests of a promised curve."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import scipy
from scipy import special

from layer7.statistics.arrays import Column, FloatArray
from layer7.statistics.fitting.logistic import fit_logistic, log_likelihood
from layer7.statistics.rates.intervals import Interval, normal_quantile
from layer7.statistics.scores.moments import POINTS, ScoreMoments, rates_by_point

Method = Literal["isotonic", "logistic"]

# Below about this many events isotonic regression overfits and a two-parameter curve wins.
ISOTONIC_EVENTS = 1000.0
# Curves may hold exact zeros; log odds need a floor, one interview in a million.
FLOOR = 1e-6
DRAWS = 1000


@dataclass(frozen=True, slots=True, eq=False)
class CalibrationCurve:
    """The interview rate at each score, never falling as the score rises.

    Args:
        rates: 101 rates, for scores 0 to 100.
        method: ``"isotonic"`` or ``"logistic"``.
        events: interviews the curve rests on.
        n_eff: effective trials it rests on.
    """

    rates: FloatArray
    method: Method
    events: float
    n_eff: float


def fit_curve(moments: ScoreMoments, *, method: Method | None = None) -> CalibrationCurve:
    """Fits a monotone curve from score to interview rate on delay-adjusted counts.

    From 1,000 events on: isotonic regression, the never-falling step curve with the least
    Σ n_eff (rate - q)² (pool adjacent violators), straight between the points that have data. Below:
    Platt's logistic curve logit q = a + b score with his softened targets, (E + 1)/(E + 2) for events and
    1/(M + 2) for the M others; where the slope would be negative the curve is flat.

    Args:
        moments: the log, counted.
        method: which of the two; None for the rule above.

    Raises:
        Layer7Error: ``too_few_events`` below 10 events or non-events; ``no_fit``.

    Source:
        Niculescu-Mizil and Caruana (2005), ICML, section 4, for the rule; Platt (1999), Advances in Large
        Margin Classifiers, eq. 1 and 2; Barlow et al. (1972) for isotonic regression.

    Example:
        >>> log = ScoreMoments.from_rows([60] * 50 + [80] * 50, [1] * 5 + [0] * 45 + [1] * 15 + [0] * 35)
        >>> curve = fit_curve(log)
        >>> curve.method, curve.rates[[60, 80]].round(2).tolist()
        ('logistic', [0.11, 0.29])
    """
    moments.require()
    chosen: Method = method or ("isotonic" if moments.total_events >= ISOTONIC_EVENTS else "logistic")
    rates = _isotonic(moments) if chosen == "isotonic" else _platt(moments)
    rates.flags.writeable = False
    return CalibrationCurve(rates, chosen, moments.total_events, moments.total_n_eff)


def _isotonic(moments: ScoreMoments) -> FloatArray:
    some = np.flatnonzero(moments.n_eff)
    trials = moments.n_eff[some]
    steps = scipy.optimize.isotonic_regression(moments.events[some] / trials, weights=trials).x
    return np.interp(np.arange(POINTS), some, np.asarray(steps, dtype=np.float64))


def _platt(moments: ScoreMoments) -> FloatArray:
    hits, rest = moments.total_events, moments.total_n_eff - moments.total_events
    soft = moments.events * (hits + 1) / (hits + 2) + (moments.n_eff - moments.events) / (rest + 2)
    some = np.flatnonzero(moments.n_eff)
    centred = (np.arange(POINTS) - some.mean()) / 10
    design = np.column_stack([np.ones(POINTS), centred])
    fit = fit_logistic(design[some], soft[some], moments.n_eff[some])
    if fit.coefficients[1] < 0:
        return np.full(POINTS, hits / moments.total_n_eff)
    return np.asarray(special.expit(design @ fit.coefficients), dtype=np.float64)


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationTest:
    """Cox's test of a promised curve: outcome on logit(promise), perfect at slope 1 and intercept 0.

    Args:
        slope: below 1, promises are too extreme; above, too timid; None if the promise is the same at
            every score in the log.
        slope_interval: its Wald interval; None with ``slope``.
        slope_error: its standard error; None with ``slope``.
        intercept: log odds at a promise of one half; with ``slope`` None, the shift of all log odds.
        intercept_interval: its Wald interval.
        intercept_error: its standard error.
        p_value: joint likelihood-ratio test against slope 1 and intercept 0.
        events: interviews it rests on.
        n_eff: effective trials it rests on.
    """

    slope: float | None
    slope_interval: Interval | None
    slope_error: float | None
    intercept: float
    intercept_interval: Interval
    intercept_error: float
    p_value: float
    events: float
    n_eff: float


def calibration_test(moments: ScoreMoments, predicted: Column, *, level: float = 0.95) -> CalibrationTest:
    """Tests whether the promised interview rates are the true ones.

    Fits logit π = a + b logit(promise) to the counts and compares twice the gain in log-likelihood over
    a = 0, b = 1 with χ² on 2 degrees of freedom.

    Applications count as independent. Where people send many and differ, the test is too eager;
    `layer7.statistics.scores.diagnosis.diagnose` allows for that.

    Args:
        moments: the log, counted; not the one the curve was fitted on.
        predicted: 101 promised rates; below one in a million they count as that.
        level: confidence of the intervals.

    Raises:
        Layer7Error: ``too_few_events``; ``no_fit``; ``bad_rates``.

    Source:
        Cox (1958), Biometrika 45:562-565; Van Calster et al. (2016), Journal of Clinical Epidemiology
        74:167-176.

    Example:
        >>> log = ScoreMoments.from_rows([60] * 500 + [80] * 500, [1] * 25 + [0] * 475 + [1] * 60 + [0] * 440)
        >>> honest = np.where(np.arange(101) < 70, 0.05, 0.12)
        >>> round(calibration_test(log, honest).slope, 3), calibration_test(log, honest / 2).p_value < 0.001
        (1.0, True)
    """
    moments.require()
    some, promise = _promised(moments, predicted)
    events, trials = moments.events[some], moments.n_eff[some]
    varies = bool(np.ptp(promise) > 1e-9)
    design = np.column_stack([np.ones(some.size), promise]) if varies else np.ones((some.size, 1))
    fit = fit_logistic(design, events, trials, offset=promise)
    gain = 2 * (fit.log_likelihood - log_likelihood(promise, events, trials))
    errors = fit.standard_errors.tolist()
    reach = [normal_quantile(level) * error for error in errors]
    intercept = float(fit.coefficients[0])
    slope = 1 + float(fit.coefficients[1]) if varies else None
    return CalibrationTest(
        slope=slope,
        slope_interval=None if slope is None else Interval(slope - reach[1], slope + reach[1], level),
        slope_error=errors[1] if varies else None,
        intercept=intercept,
        intercept_interval=Interval(intercept - reach[0], intercept + reach[0], level),
        intercept_error=errors[0],
        p_value=float(special.chdtrc(design.shape[1], max(gain, 0.0))),
        events=moments.total_events,
        n_eff=moments.total_n_eff,
    )


def _promised(moments: ScoreMoments, predicted: Column) -> tuple[npt.NDArray[np.intp], FloatArray]:
    """The scores with data, and the log odds promised there."""
    rates = rates_by_point("predicted", predicted)
    some = np.flatnonzero(moments.n_eff)
    return some, np.asarray(special.logit(np.clip(rates[some], FLOOR, 1 - FLOOR)), dtype=np.float64)


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationError:
    """How far promises and outcomes lie apart, on average over applications.

    Args:
        value: the expected calibration error, in rate points.
        interval: its bootstrap interval; near zero read ``by_chance`` instead.
        by_chance: what a perfectly calibrated curve would show on average at these counts.
        p_value: share of perfectly calibrated samples that show as much.
        bins: how many groups held data.
    """

    value: float
    interval: Interval
    by_chance: float
    p_value: float
    bins: int


def binned(
    moments: ScoreMoments, predicted: FloatArray, bins: int
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Effective trials, events and promised events in groups of equal mass along the score.

    A score point is never split: it goes to the group its middle falls in, so there are fewer groups where
    few scores occur.

    Args:
        moments: the log, counted.
        predicted: 101 promised rates.
        bins: how many groups, at least 1.

    Example:
        >>> log = ScoreMoments.from_rows([40, 60, 80, 90], [0, 0, 1, 1])
        >>> binned(log, np.full(101, 0.5), 2)[1].tolist()
        [0.0, 2.0]
    """
    trials = moments.n_eff
    middle = np.cumsum(trials) - trials / 2
    group = np.minimum(middle / max(trials.sum(), FLOOR) * bins, bins - 1).astype(np.int64)
    columns = (trials, moments.events, trials * predicted)
    sums = [np.bincount(group, x, bins).astype(np.float64) for x in columns]
    filled = sums[0] > 0
    return sums[0][filled], sums[1][filled], sums[2][filled]


def plain_ece(moments: ScoreMoments, predicted: Column, *, bins: int = 10) -> float:
    """The equal-mass expected calibration error alone: Σ_b |events_b - promised_b| / Σ_b n_b.

    Args:
        moments: the log, counted.
        predicted: 101 promised rates.
        bins: how many groups, at least 1.

    Raises:
        Layer7Error: ``too_few_events``; ``bad_rates``.

    Example:
        >>> log = ScoreMoments.from_rows([60, 80] * 50, [1, 1] * 10 + [0, 0] * 40)
        >>> round(plain_ece(log, 0.15), 3)
        0.05
    """
    moments.require()
    trials, events, promised = binned(moments, rates_by_point("predicted", predicted), bins)
    return float(np.abs(events - promised).sum() / trials.sum())


def equal_mass_ece(
    moments: ScoreMoments,
    predicted: Column,
    *,
    rng: np.random.Generator,
    bins: int = 10,
    level: float = 0.95,
) -> CalibrationError:
    """The expected calibration error in groups of equal mass, with interval and what chance alone gives.

    ECE = Σ_b |events_b - promised_b| / Σ_b n_b. It is never negative, so it is positive by chance:
    ``by_chance`` is its mean when events are drawn from the promise itself. The interval is the basic
    parametric bootstrap, 2 ECE - quantiles, cut at 0; trust it where ECE is well above ``by_chance``.

    Args:
        moments: the log, counted.
        predicted: 101 promised rates.
        rng: the dice.
        bins: how many groups, at least 1.
        level: confidence of the interval.

    Raises:
        Layer7Error: ``too_few_events``; ``bad_rates``.

    Source:
        Naeini, Cooper and Hauskrecht (2015), AAAI, eq. 3, on quantile bins (Nixon et al. 2019, CVPR
        workshops); Broecker (2012), Climate Dynamics 39:655-667, for the bias.

    Example:
        >>> log = ScoreMoments.from_rows([60] * 500 + [80] * 500, [1] * 25 + [0] * 475 + [1] * 60 + [0] * 440)
        >>> found = equal_mass_ece(log, 0.02, rng=np.random.default_rng(1))
        >>> round(found.value, 3), found.interval.low > found.by_chance
        (0.065, True)
    """
    value = plain_ece(moments, predicted, bins=bins)
    trials, events, promised = binned(moments, rates_by_point("predicted", predicted), bins)
    null = _drawn(trials, promised / trials, promised, rng)
    tails = np.quantile(_drawn(trials, events / trials, promised, rng), [(1 + level) / 2, (1 - level) / 2])
    low, high = np.maximum(2 * value - tails, 0.0)
    return CalibrationError(
        value=value,
        interval=Interval(min(float(low), value), max(float(high), value), level),
        by_chance=float(null.mean()),
        p_value=float((1 + np.count_nonzero(null >= value)) / (1 + DRAWS)),
        bins=trials.size,
    )


def _drawn(
    trials: FloatArray, rate: FloatArray, promised: FloatArray, rng: np.random.Generator
) -> FloatArray:
    """The error in samples drawn at a rate; trials are rounded to draw, then scaled back."""
    whole = np.maximum(np.rint(trials), 1).astype(np.int64)
    events = rng.binomial(whole, np.clip(rate, 0, 1), size=(DRAWS, whole.size)) * (trials / whole)
    return np.asarray(np.abs(events - promised).sum(axis=1) / trials.sum(), dtype=np.float64)
