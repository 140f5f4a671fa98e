"""Rates of periods as they would be if the same kinds of applications had been sent in each."""

from dataclasses import dataclass

import numpy as np

from layer7.errors import Layer7Error
from layer7.statistics.arrays import Column, FloatArray, column

PRIOR_TRIALS = 10.0
"""Trials at a kind's overall rate that are added to each of its cells, so that an empty cell says nothing."""


@dataclass(frozen=True, slots=True, eq=False)
class Standardised:
    """Rates of periods at a fixed mix of kinds.

    Args:
        rate: one per period.
        error: its standard error.
        raw: the plain rate of each period, at its own mix; 0 where there is no trial.
        trials: effective trials of each period.
    """

    rate: FloatArray
    error: FloatArray
    raw: FloatArray
    trials: FloatArray


def standardise(events: Column, trials: Column, *, design: Column = 1.0) -> Standardised:
    """Direct standardisation with fixed weights: each kind weighs as much as in all periods together.

    With r the overall rate of kind s and c = 10, a cell's rate is p_ts = (k_ts + c r_s) / (n_ts + c); the
    period's is Σ_s w_s p_ts, w_s = n_s / n, with variance d_t Σ_s w_s² n_ts p_ts(1 - p_ts) / (n_ts + c)²
    plus the same of the prior trials that fill cells. A change of the mix alone then changes nothing. Trust
    it while the kinds that matter are told apart: what is not among them can still shift.

    Args:
        events: k, one row per period and one column per kind.
        trials: n, alike, may be fractional.
        design: d, by how much the variance exceeds that of independent trials; one, or one per period.

    Raises:
        Layer7Error: ``bad_counts`` if the shapes differ or events exceed trials; ``no_trials``.

    Source:
        Keiding and Clayton (2014), Statistical Science 29:529-558, section 2, for direct standardisation.

    Example:
        >>> many = 1000 * np.array([[9, 1], [1, 9]])
        >>> found = standardise([[900, 20], [100, 180]], many)
        >>> found.raw.round(3).tolist(), found.rate.round(3).tolist()
        ([0.092, 0.028], [0.06, 0.06])
    """
    k, n = column("events", events), column("trials", trials)
    if k.shape != n.shape or k.ndim != 2 or (k < 0).any() or (k > n + 1e-9).any():
        raise Layer7Error("bad_counts", "Events and trials do not fit.", "Count both over the same cells.")
    if n.sum() <= 0:
        raise Layer7Error("no_trials", "There is no trial to standardise.", "Wait for applications.")
    kinds = n.sum(axis=0)
    weight = kinds / kinds.sum()
    overall = k.sum(axis=0) / np.maximum(kinds, 1e-300)
    cell = (k + PRIOR_TRIALS * overall) / (n + PRIOR_TRIALS)
    spread = np.broadcast_to(column("design", design), n.shape[:1])
    variance = spread * ((weight**2 * cell * (1 - cell)) / (n + PRIOR_TRIALS)).sum(axis=1)
    every = n.sum(axis=1)
    return Standardised(cell @ weight, np.sqrt(variance), k.sum(axis=1) / np.maximum(every, 1e-300), every)
