"""Rates of a user or a period on the trials that have been seen: Wilson's interval on n - Σ u."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from layer7.statistics.arrays import Column, FloatArray, column
from layer7.statistics.rates.intervals import Rate, wilson_bounds

METHOD = "wilson on effective trials"
# Nothing is said before half a trial has been seen: 0 of 0.2 trials is not a rate of 0.
LEAST_TRIALS = 0.5

MaskedFloats = np.ma.MaskedArray[tuple[int, ...], np.dtype[np.float64]]


@dataclass(frozen=True, slots=True, eq=False)
class EffectiveRates:
    """Many rates at once; a rate that cannot be told is masked, and becomes None in ``.tolist()``.

    Args:
        value: k / n_eff, masked where not known.
        low: lower ends, masked alike.
        high: upper ends, masked alike.
        n_eff: effective trials, never masked.
        known: where a rate can be told.
    """

    value: MaskedFloats
    low: MaskedFloats
    high: MaskedFloats
    n_eff: FloatArray
    known: npt.NDArray[np.bool_]


def effective_rates(events: Column, n: Column, unseen: Column, level: float = 0.95) -> EffectiveRates:
    """Rates on effective trials n_eff = n - unseen, for many users, segments or periods at once.

    Masked below half a seen trial. Trust the interval for a user, a segment or a period that is small
    against the cohort: the cohort's delay law counts as known. For the cohort itself it is too narrow (it
    covers in 80 % of samples of 3,000 applications from 4 weeks); use `fit_silence`.

    Args:
        events: applications that reached an interview, one per row.
        n: applications, one per row.
        unseen: sum of `SilenceModel.unseen_weight` over the row's silent applications, 0 to n - events.
        level: confidence, between 0 and 1.

    Raises:
        Layer7Error: ``bad_counts`` if events, or unseen, are negative or together exceed n; ``not_finite``;
            ``bad_level``.

    Source:
        The fixed point derived in `SilenceModel.unseen_weight`; Wilson (1927).

    Example:
        >>> rates = effective_rates([1, 0], [12, 5], [2.0, 5.0])
        >>> rates.value.tolist(), rates.n_eff.tolist()
        ([0.1, None], [10.0, 0.0])
    """
    k, trials, hidden = np.broadcast_arrays(
        column("events", events), column("n", n), column("unseen", unseen)
    )
    wilson_bounds(hidden, trials, level)
    # Events and unseen weights are sums of many floats: a difference within rounding is none.
    n_eff = np.where(np.abs(trials - hidden - k) < 1e-6 * (1 + trials), np.maximum(k, 0), trials - hidden)
    low, high = wilson_bounds(k, n_eff, level)
    known = n_eff >= LEAST_TRIALS
    value = np.minimum(np.divide(k, n_eff, out=np.zeros_like(n_eff), where=known), 1.0)
    return EffectiveRates(
        np.ma.masked_array(value, mask=~known),
        np.ma.masked_array(low, mask=~known),
        np.ma.masked_array(np.maximum(high, value), mask=~known),
        n_eff,
        known,
    )


def effective_rate(events: float, n: float, unseen: float, level: float = 0.95) -> Rate:
    """One rate on effective trials; formula and trust as in `effective_rates`.

    Args:
        events: applications that reached an interview.
        n: applications.
        unseen: sum of `SilenceModel.unseen_weight` over the silent ones.
        level: confidence, between 0 and 1.

    Raises:
        Layer7Error: as `effective_rates`.

    Example:
        >>> effective_rate(1, 12, 2.0).value
        0.1
        >>> effective_rate(0, 3, 3.0).needed
        'time for answers to the first applications to come'
    """
    found = effective_rates(events, n, unseen, level)
    n_eff = float(found.n_eff)
    if not found.known.all():
        needed = "time for answers to the first applications to come" if n else "at least one application"
        return Rate.unknown(needed=needed, n=n_eff, events=events, level=level)
    return Rate(
        value=float(found.value),
        low=float(found.low),
        high=float(found.high),
        n=n_eff,
        events=events,
        level=level,
        method=METHOD,
    )
