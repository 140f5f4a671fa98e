"""Contrasts within persons: doing it against not doing it, each person her own comparison."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from layer7.statistics.arrays import Column, FloatArray, column
from layer7.statistics.rates.intervals import normal_quantile

WITHIN = "within-person contrast (Mantel-Haenszel)"


@dataclass(frozen=True, slots=True, eq=False)
class LogOddsRatios:
    """Log odds ratios of many contrasts; masked where they cannot be told.

    Args:
        value: log odds ratio, 0 where not known.
        error: its standard error between people, 1 where not known.
        known: where it can be told.
    """

    value: FloatArray
    error: FloatArray
    known: npt.NDArray[np.bool_]

    def interval(self, level: float = 0.95) -> tuple[FloatArray, FloatArray]:
        """Normal interval on the log odds scale; meaningless where not known.

        Args:
            level: confidence, between 0 and 1.
        """
        reach = normal_quantile(level) * self.error
        return self.value - reach, self.value + reach


def mantel_haenszel(r: Column, s: Column, *, rr: Column, ss: Column, rs: Column) -> LogOddsRatios:
    """Common log odds ratios from sums over strata, with errors between clusters of strata.

    A stratum holds one person's applications that are alike in what else matters: k of n with the habit and
    k' of n' without it reached an interview, N = n + n'. With R = k(n' - k')/N and S = k'(n - k)/N summed
    over strata, the log odds ratio is ln(ΣR / ΣS): strata in which only one of the two occurs say nothing,
    whatever the person's own rate. With R_i, S_i the sums of person i, the delta method gives the variance
    Σ (R_i/ΣR - S_i/ΣS)², which holds whatever the dependence between one person's applications.

    Trust it from about 5 interviews on either side on. It is free of
    everything that is constant in a stratum, and of nothing else: a habit that goes with better jobs within
    strata still looks better than it is. Trials may be fractional (n less what silence hides).

    Args:
        r: ΣR, one per contrast.
        s: ΣS.
        rr: Σ R_i² over people.
        ss: Σ S_i².
        rs: Σ R_i S_i.

    Source:
        Mantel and Haenszel (1959), JNCI 22:719-748; Greenland and Robins (1985), Biometrics 41:55-68, for
        sparse strata; the variance is the cluster form of Robins, Breslow and Greenland (1986), Biometrics
        42:311-323.

    Example:
        >>> found = mantel_haenszel([1.2], [0.8], rr=[0.05], ss=[0.04], rs=[0.01])
        >>> found.value.round(3).tolist(), found.error.round(3).tolist()
        ([0.405], [0.276])
    """
    up, down, both_up, both_down, cross = (
        np.atleast_1d(column(name, values))
        for name, values in (("r", r), ("s", s), ("rr", rr), ("ss", ss), ("rs", rs))
    )
    known = (up > 0) & (down > 0)
    safe_up, safe_down = np.where(known, up, 1.0), np.where(known, down, 1.0)
    variance = both_up / safe_up**2 + both_down / safe_down**2 - 2 * cross / (safe_up * safe_down)
    known &= variance > 0
    return LogOddsRatios(
        value=np.where(known, np.log(safe_up / safe_down), 0.0),
        error=np.where(known, np.sqrt(np.where(known, variance, 1.0)), 1.0),
        known=known,
    )
