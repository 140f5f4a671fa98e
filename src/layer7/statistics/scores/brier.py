"""Squared errors of predicted rates on delay-adjusted counts, and skill against who the user is."""

from dataclasses import dataclass

import numpy as np

from layer7.errors import Layer7Error
from layer7.statistics.arrays import Column, column
from layer7.statistics.scores.moments import ROUNDING, ScoreMoments, rates_by_point


@dataclass(frozen=True, slots=True)
class SquaredErrors:
    """Summed squared errors of predicted rates, and over how many effective trials; they add.

    Args:
        total: Σ k (1 - q)² + (n_eff - k) q², q the prediction.
        n_eff: effective trials.

    Example:
        >>> (SquaredErrors(1.0, 10.0) + SquaredErrors(2.0, 20.0)).brier
        0.1
    """

    total: float
    n_eff: float

    def __add__(self, other: "SquaredErrors") -> "SquaredErrors":
        return SquaredErrors(self.total + other.total, self.n_eff + other.n_eff)

    @property
    def brier(self) -> float | None:
        """The Brier score, mean squared error per effective trial; None without trials."""
        return self.total / self.n_eff if self.n_eff > 0 else None


def squared_errors(moments: ScoreMoments, predicted: Column) -> SquaredErrors:
    """Squared errors of a curve on delay-adjusted counts; give counts the curve was not fitted on.

    Args:
        moments: the log, counted.
        predicted: 101 rates.

    Raises:
        Layer7Error: ``bad_rates``.

    Source:
        Brier (1950), Monthly Weather Review 78:1-3, eq. 2, one category.

    Example:
        >>> squared_errors(ScoreMoments.from_rows([50, 50], [0, 1]), 0.5).brier
        0.25
    """
    q = rates_by_point("predicted", predicted)
    total = moments.events @ (1 - q) ** 2 + (moments.n_eff - moments.events) @ q**2
    return SquaredErrors(float(total), moments.total_n_eff)


def user_only_errors(events: Column, n_eff: Column, *, rate: float, strength: float = 20.0) -> SquaredErrors:
    """Squared errors of the user-only model: each application predicted from the user's other ones.

    Prediction for an application with outcome y: q = (k - y + strength x rate) / (n_eff - 1 + strength),
    the user's shrunk rate without the application itself. So the sums need one row per user and add over
    users.

    Args:
        events: interviews per user, over scored applications.
        n_eff: effective trials per user, over the same; at least ``events``.
        rate: the rate everyone is shrunk to, that of the cohort, between 0 and 1.
        strength: how many applications the cohort's rate weighs, at least 1; 20 suits users whose log
            odds differ by a standard deviation of about 1.

    Raises:
        Layer7Error: ``bad_counts``; ``bad_rates``.

    Example:
        >>> errors = user_only_errors([0, 6], [20, 20], rate=0.15)
        >>> round(errors.brier, 3)
        0.116
    """
    k, n = column("events", events), column("n_eff", n_eff)
    if (k < 0).any() or (k > n + ROUNDING).any():
        raise Layer7Error(
            "bad_counts", "A user's interviews exceed the trials.", "Count both over the same rows."
        )
    if not (0 <= rate <= 1 and strength >= 1):
        raise Layer7Error(
            "bad_rates", "The rate is a share, the strength at least 1.", "Give the cohort's rate."
        )
    # A user of less than one effective trial is predicted by the cohort alone.
    others = np.maximum(n - 1, 0.0) + strength
    hit = (np.maximum(k - 1, 0.0) + strength * rate) / others
    miss = np.minimum((k + strength * rate) / others, 1.0)
    total = (k * (1 - hit) ** 2 + np.maximum(n - k, 0.0) * miss**2).sum()
    return SquaredErrors(float(total), float(n.sum()))


def brier_skill(errors: SquaredErrors, reference: SquaredErrors) -> float | None:
    """By how much a prediction beats a reference: 1 - Brier / Brier of the reference.

    Against the user-only model (`user_only_errors`) it says whether the score knows more than who applies;
    a negative skill is common and honest.

    Args:
        errors: of the prediction.
        reference: of the model to beat, over the same applications.

    Returns:
        At most 1, negative if the reference is better; None where the reference makes no error or has no
        trials.

    Example:
        >>> round(brier_skill(SquaredErrors(3.8, 100), SquaredErrors(4.0, 100)), 3)
        0.05
    """
    mine, other = errors.brier, reference.brier
    return None if mine is None or not other else 1 - mine / other
