"""How people's true rates differ, and what a person's own count says beside that: the beta-binomial model."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy
from scipy import special

from layer7.statistics.arrays import Column, FloatArray, counts

# What is believed before there is a log, worth 20 applications: of cold applications 3 to 5 % reach an
# interview.
USUAL_RATE, USUAL_WEIGHT = 0.04, 20.0
USUAL_PRECISION, PRECISION_SPREAD = 30.0, 1.0
MOST_NEEDED = 100_000


@dataclass(frozen=True, slots=True)
class Cohort:
    """The law of people's true rates: Beta(a, b), a = mean · precision, b = (1 - mean) · precision.

    Args:
        mean: mean rate, between 0 and 1.
        precision: a + b; how many applications of a person weigh as much as knowing the cohort.
        covariance: of (logit mean, log precision), two rows.
        people: people with an application that has been seen.
    """

    mean: float
    precision: float
    covariance: tuple[tuple[float, float], tuple[float, float]]
    people: int

    @property
    def shape(self) -> tuple[float, float]:
        """The two shape numbers of the Beta law."""
        return self.mean * self.precision, (1 - self.mean) * self.precision

    def draws(self, size: int, rng: np.random.Generator) -> list["Cohort"]:
        """Draw cohorts as uncertain as the fit is, from its normal approximation.

        Args:
            size: how many.
            rng: the dice.
        """
        centre = (float(special.logit(self.mean)), float(np.log(self.precision)))
        found = rng.multivariate_normal(centre, np.array(self.covariance), size)
        return [
            Cohort(float(special.expit(row[0])), float(np.exp(row[1])), self.covariance, self.people)
            for row in found
        ]


def fit_cohort(events: Column, trials: Column) -> Cohort:
    """Learn from everybody's counts how people's rates differ (empirical Bayes).

    Maximises Σ ln B(a + k, b + n - k) - ln B(a, b) + ln prior; with trials n that are fractional (silence
    is no failure yet), this is the likelihood of n effective trials. The prior is weak: a mean rate of 4 %
    worth 20 applications, and a log precision of ln 30 ± 1.

    Args:
        events: interviews of each person.
        trials: effective trials of each person, at least `events`.

    Raises:
        Layer7Error: ``bad_counts``; ``not_finite``.

    Source:
        Skellam (1948), JRSS B 10:257-261; Casella (1985), The American Statistician 39:83-87.

    Example:
        >>> cohort = fit_cohort([0] * 60 + [3] * 10, [40.0] * 70)
        >>> round(cohort.mean, 3), cohort.people
        (0.01, 70)
    """
    k, n = counts("events", events), counts("trials", trials)
    seen = n > 0
    k, n = np.minimum(k, n)[seen], n[seen]
    pairs, weights = np.unique(np.column_stack([k, n]), axis=0, return_counts=True)
    start = (k.sum() + USUAL_RATE * USUAL_WEIGHT) / (n.sum() + USUAL_WEIGHT)
    centre = np.array([special.logit(min(start, 0.99)), np.log(USUAL_PRECISION)])

    def cost(at: FloatArray) -> float:
        mean, precision = special.expit(at[0]), np.exp(at[1])
        a, b = mean * precision, (1 - mean) * precision
        rows = special.betaln(a + pairs[:, 0], b + pairs[:, 1] - pairs[:, 0]) - special.betaln(a, b)
        prior = USUAL_WEIGHT * (USUAL_RATE * np.log(mean) + (1 - USUAL_RATE) * np.log1p(-mean))
        spread = ((at[1] - np.log(USUAL_PRECISION)) / PRECISION_SPREAD) ** 2 / 2
        return float(spread - prior - weights @ rows)

    found = scipy.optimize.minimize(
        cost, centre, method="Nelder-Mead", options={"xatol": 1e-6, "fatol": 1e-8}
    )
    hessian = _hessian(cost, found.x)
    covariance = np.linalg.inv(hessian)
    return Cohort(
        mean=float(special.expit(found.x[0])),
        precision=float(np.exp(found.x[1])),
        covariance=(_pair(covariance[0]), _pair(covariance[1])),
        people=int(seen.sum()),
    )


def _pair(row: FloatArray) -> tuple[float, float]:
    return float(row[0]), float(row[1])


def _hessian(cost: Callable[[FloatArray], float], at: FloatArray) -> FloatArray:
    step = 1e-3
    found = np.empty((2, 2))
    for i in range(2):
        for j in range(2):
            one, two = step * np.eye(2)[i], step * np.eye(2)[j]
            corners = (
                cost(at + one + two) - cost(at + one - two) - cost(at - one + two) + cost(at - one - two)
            )
            found[i, j] = corners / (4 * step**2)
    return found


def chance_below(cohort: Cohort, events: Column, trials: Column, threshold: float) -> FloatArray:
    """Probability that each person's true rate lies below a threshold: I(threshold; a + k, b + n - k).

    Args:
        cohort: how people differ.
        events: interviews k of each person.
        trials: effective trials n of each person.
        threshold: a rate between 0 and 1.

    Raises:
        Layer7Error: ``bad_counts``; ``not_finite``.

    Example:
        >>> cohort = Cohort(0.045, 25.0, ((1.0, 0.0), (0.0, 1.0)), 500)
        >>> chance_below(cohort, [0, 0], [30.0, 90.0], 0.02).round(2).tolist()
        [0.61, 0.88]
    """
    k, n = counts("events", events), counts("trials", trials)
    a, b = cohort.shape
    found = special.betainc(a + np.minimum(k, n), b + n - np.minimum(k, n), threshold)
    return np.asarray(found, dtype=np.float64)


def more_without_event(
    cohort: Cohort, events: Column, trials: Column, threshold: float, *, sure: float
) -> FloatArray:
    """How many more trials without an event would make sure that the rate lies below a threshold.

    Args:
        cohort: how people differ.
        events: interviews of each person.
        trials: effective trials of each person.
        threshold: a rate between 0 and 1.
        sure: the probability that is asked for, between 0 and 1.

    Returns:
        Whole numbers, 0 where it is sure already; at most MOST_NEEDED.

    Example:
        >>> cohort = Cohort(0.045, 25.0, ((1.0, 0.0), (0.0, 1.0)), 500)
        >>> more_without_event(cohort, [0, 0], [30.0, 90.0], 0.02, sure=0.8).tolist()
        [35.0, 0.0]
    """
    n = counts("trials", trials)
    low, high = np.zeros(n.size), np.full(n.size, float(MOST_NEEDED))
    while float((high - low).max(initial=0.0)) > 1:
        middle = np.floor((low + high) / 2)
        enough = chance_below(cohort, events, n + middle, threshold) > sure
        high, low = np.where(enough, middle, high), np.where(enough, low, middle)
    now = chance_below(cohort, events, n, threshold) > sure
    return np.where(now, 0.0, high)
