"""The ledger over a stream of automatic proposals: how much alpha the next one may have."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from layer7.errors import Layer7Error

HORIZON = 100_000


@dataclass(frozen=True, slots=True)
class Entry:
    """One test of the stream.

    Args:
        alpha: what it was given.
        p_value: what it found; None while it has not ended.
        is_discovery: whether it was proven, p <= alpha.
    """

    alpha: float
    p_value: float | None
    is_discovery: bool


def next_alpha(ledger: Sequence[Entry], *, budget: float = 0.05, first: float | None = None) -> float:
    """Gives the alpha of the next test, so that false adoptions stay within the budget (LORD++).

    alpha_t = gamma_t w + (b - w) gamma_{t - t1} + b Σ_{j > 1} gamma_{t - tj}, with the budget b, the first
    wealth w = b / 2, the times tj of discoveries so far, and gamma_j falling as
    log(max(j, 2)) / (j exp(sqrt(log j))), of sum 1. Then the false discovery rate over the stream is at most
    b at every time.

    Args:
        ledger: the tests so far, in order of their start.
        budget: accepted share of false adoptions, between 0 and 1.
        first: wealth at the beginning; half of the budget by default.

    Raises:
        Layer7Error: ``bad_budget``.

    Source:
        Ramdas, Yang, Wainwright and Jordan (2017), NeurIPS, *Online control of the false discovery rate with
        decaying memory*, section 3 (LORD++).

    Trust:
        For independent tests, or p-values that are super-uniform given the past.

    Example:
        >>> round(next_alpha([]), 5), next_alpha([]) < next_alpha([Entry(0.004, 0.001, True)])
        (0.00137, True)
    """
    wealth = budget / 2 if first is None else first
    if not 0 < budget < 1 or not 0 < wealth <= budget:
        raise Layer7Error(
            "bad_budget",
            f"A budget of {budget} with a first wealth of {wealth}.",
            "A budget lies between 0 and 1, the first wealth between 0 and the budget.",
        )
    now = len(ledger) + 1
    times = [at for at, entry in enumerate(ledger, start=1) if entry.is_discovery]
    alpha = gamma(now) * wealth
    for number, at in enumerate(times):
        alpha += gamma(now - at) * (budget - wealth if number == 0 else budget)
    return min(alpha, budget)


@cache
def gamma(j: int) -> float:
    """Gives the j-th weight of a series that falls slowly and adds up to 1.

    Args:
        j: from 1 on.

    Example:
        >>> gamma(1) > gamma(10) > gamma(100) > 0
        True
    """
    return _weight(j) / _total()


def _weight(j: float) -> float:
    return math.log(max(j, 2)) / (j * math.exp(math.sqrt(math.log(j))))


@cache
def _total() -> float:
    """The sum of the weights: exact up to the horizon, then the integral 2 (x³ + 3x² + 6x + 6) e^-x."""
    x = math.sqrt(math.log(HORIZON + 0.5))
    rest = 2 * (x**3 + 3 * x**2 + 6 * x + 6) * math.exp(-x)
    return sum(_weight(j) for j in range(1, HORIZON + 1)) + rest


def spent(ledger: Sequence[Entry]) -> float:
    """Gives the alpha that the tests of a stream were given together.

    Args:
        ledger: the tests so far.

    Example:
        >>> spent([Entry(0.01, None, False), Entry(0.02, 0.5, False)])
        0.03
    """
    return math.fsum(entry.alpha for entry in ledger)
