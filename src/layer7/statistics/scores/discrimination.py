"""Does a score put applications in the right order."""

from dataclasses import dataclass

import numpy as np
from scipy import special

from layer7.statistics.arrays import FloatArray
from layer7.statistics.fitting.logistic import fit_logistic, log_likelihood
from layer7.statistics.rates.intervals import Interval, normal_quantile
from layer7.statistics.scores.moments import ScoreMoments


@dataclass(frozen=True, slots=True, kw_only=True)
class Discrimination:
    """Whether higher scores get more interviews.

    Args:
        slope: log odds ratio for 10 points more.
        slope_interval: its Wald interval.
        p_value: likelihood-ratio test against slope 0.
        auc: chance that an application with an interview has the higher score, ties counting half.
        auc_interval: DeLong's interval on the logit scale.
        events: interviews it rests on.
        n_eff: effective trials it rests on.
    """

    slope: float
    slope_interval: Interval
    p_value: float
    auc: float
    auc_interval: Interval
    events: float
    n_eff: float


def discrimination(moments: ScoreMoments, *, level: float = 0.95) -> Discrimination:
    """Tests whether the score separates at all, across users.

    AUC = Σ_s e_s (M_<s + m_s / 2) / (E M) with e events and m = n_eff - e non-events at score s. It says
    mostly who the user is: within one user the same score separates less. It predicts; it does not say
    that a raised score helps.

    Args:
        moments: the log, counted.
        level: confidence of the intervals.

    Raises:
        Layer7Error: ``too_few_events`` below 10 events or non-events; ``no_fit``.

    Source:
        DeLong, DeLong and Clarke-Pearson (1988), Biometrics 44:837-845, eq. 3 to 5; where that variance is
        zero, Hanley and McNeil (1982), Radiology 143:29-36.

    Example:
        >>> log = ScoreMoments.from_rows([60] * 50 + [80] * 50, [1] * 5 + [0] * 45 + [1] * 15 + [0] * 35)
        >>> found = discrimination(log)
        >>> round(found.auc, 3), round(found.p_value, 3)
        (0.656, 0.011)
    """
    moments.require()
    some = np.flatnonzero(moments.n_eff)
    events, trials = moments.events[some], moments.n_eff[some]
    design = np.column_stack([np.ones(some.size), (some - some.mean()) / 10])
    fit = fit_logistic(design, events, trials)
    rate = np.full(some.size, special.logit(events.sum() / trials.sum()))
    gain = 2 * (fit.log_likelihood - log_likelihood(rate, events, trials))
    slope, error = float(fit.coefficients[1]), float(fit.standard_errors[1])
    reach = normal_quantile(level) * error
    auc, auc_error = _auc(events, trials - events)
    return Discrimination(
        slope=slope,
        slope_interval=Interval(slope - reach, slope + reach, level),
        p_value=float(special.chdtrc(1, max(gain, 0.0))),
        auc=auc,
        auc_interval=_logit_interval(auc, auc_error, level, float(events.sum() * (trials - events).sum())),
        events=float(events.sum()),
        n_eff=float(trials.sum()),
    )


def _auc(events: FloatArray, misses: FloatArray) -> tuple[float, float]:
    """The area and its standard error."""
    hits, rest = events.sum(), misses.sum()
    below = (np.cumsum(misses) - misses / 2) / rest
    above = 1 - (np.cumsum(events) - events / 2) / hits
    auc = float(events @ below / hits)
    spread = events @ (below - auc) ** 2 / (hits - 1) / hits + misses @ (above - auc) ** 2 / (rest - 1) / rest
    if spread <= 0:
        a = min(max(auc, 0.5 / (hits * rest)), 1 - 0.5 / (hits * rest))
        one, two = a / (2 - a), 2 * a * a / (1 + a)
        spread = (a * (1 - a) + (hits - 1) * (one - a * a) + (rest - 1) * (two - a * a)) / (hits * rest)
    return auc, float(np.sqrt(spread))


def _logit_interval(value: float, error: float, level: float, pairs: float) -> Interval:
    inside = min(max(value, 0.5 / pairs), 1 - 0.5 / pairs)
    centre, reach = special.logit(inside), normal_quantile(level) * error / (inside * (1 - inside))
    return Interval(
        min(float(special.expit(centre - reach)), value),
        max(float(special.expit(centre + reach)), value),
        level,
    )
