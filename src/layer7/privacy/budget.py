"""What one person can lose to all releases together, in the terms of differential privacy.

A release is rho-zCDP for one person: everything that she did in one epoch, added or taken away. Losses of
epochs add. She takes part in at most 13 epochs of any 52 in a row, whatever anybody else does (an individual
privacy filter), so a year costs her at most 13 times one epoch.
"""

import math

import scipy
from scipy import special

from layer7.errors import Layer7Error

RHO_MICRO = 15_000
"""What one epoch costs a person who takes part, in millionths of rho."""

EPOCHS_A_YEAR = 13
"""Epochs that a person may take part in, of any :data:`YEAR` in a row: a search lasts about a quarter."""

YEAR = 52
YEAR_MICRO = EPOCHS_A_YEAR * RHO_MICRO
"""What any year in a row may cost a person, in millionths of rho."""

DELTA = 1e-9
"""Probability with which the promise may fail for a person: below 1/(100 n) up to ten million people."""

LEAST_SHOWN = 50
"""Noisy count below which a cell is not shown."""

SIGMAS = 5.0
"""A cell is not shown either if its count is within so many standard deviations of the noise."""


def epsilon_of(rho: float, delta: float = DELTA) -> float:
    """Give the epsilon of rho-zCDP at a delta: rates of any event differ by at most a factor exp(epsilon).

    The least epsilon with  inf over a > 1 of exp((a - 1)(a rho - epsilon)) / (a - 1) (1 - 1/a)^a <= delta.

    Args:
        rho: the loss, above 0.
        delta: above 0, below 1.

    Source:
        Canonne, Kamath and Steinke, *The Discrete Gaussian for Differential Privacy* (2020), proposition 12.

    Example:
        >>> round(epsilon_of(0.015), 2), round(epsilon_of(0.195), 2)
        (1.0, 3.88)
    """
    if not (rho > 0 and 0 < delta < 1):
        raise Layer7Error(
            "bad_budget", f"rho = {rho} and delta = {delta}.", "Both are above 0, delta is below 1."
        )

    def needed(log_less_one: float) -> float:
        less_one = math.exp(log_less_one)
        order = 1 + less_one
        return (
            order * rho
            + (math.log(1 / delta) - math.log(less_one) + order * math.log1p(-1 / order)) / less_one
        )

    found = scipy.optimize.minimize_scalar(
        needed, bounds=(-12.0, 24.0), method="bounded", options={"xatol": 1e-9}
    )
    return float(max(found.fun, 0.0))


def advantage_of(rho: float) -> float:
    """Give the largest gain over a coin's throw that any attack on one person's taking part can have.

    It is true positive rate less false positive rate: 2 Phi(sqrt(2 rho) / 2) - 1.

    Args:
        rho: the loss.

    Source:
        Dong, Roth and Su, *Gaussian Differential Privacy* (2022): the noise is mu-GDP with mu = sqrt(2 rho).

    Example:
        >>> round(advantage_of(0.015), 3), round(advantage_of(0.195), 3)
        (0.069, 0.245)
    """
    return float(2 * special.ndtr(math.sqrt(2 * rho) / 2) - 1)
