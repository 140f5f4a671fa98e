"""Draws from the laws that the market names."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, ndtr

from layer7.simulation.market import Market

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

_FEW = 8
_CELLS = 2048  # a power of 2: then the cell of a draw is exact
LOGIT_PER_PROBIT = 1.702  # Camilli (1994): the scale at which normal and logistic curves lie closest


def draw_levels(shares: Sequence[float], size: int, rng: np.random.Generator) -> Ints:
    """Draw indices with the given shares.

    Args:
        shares: probability of each index; they add up to one.
        size: how many to draw.
        rng: the dice.

    Returns:
        `size` integers from 0 to ``len(shares) - 1``.

    Example:
        >>> draw_levels((0.0, 1.0), 3, np.random.default_rng(1)).tolist()
        [1, 1, 1]
    """
    edges = np.cumsum(np.asarray(shares, dtype=np.float64))[:-1]
    drawn = rng.random(size)
    if len(edges) > _FEW:
        return _levels_of(drawn, edges)
    level = np.zeros(size, dtype=np.int64)
    for edge in edges:
        level += drawn >= edge
    return level


def _levels_of(drawn: Floats, edges: Floats) -> Ints:
    """How many edges each draw has reached, counted from where a table says: quicker than a search."""
    starts = np.searchsorted(edges, np.arange(_CELLS + 1) / _CELLS, side="right")
    level = starts.take((drawn * _CELLS).astype(np.int64))
    ahead = np.append(edges, np.inf)
    for _ in range(int(np.diff(starts).max())):
        level += drawn >= ahead.take(level)
    return level


def draw_quality(market: Market, people: int, rng: np.random.Generator) -> Floats:
    """Draw each person's own log odds, with standard deviation `quality_sd` under either law.

    Args:
        market: gives `quality_law` and `quality_sd`.
        people: how many to draw.
        rng: the dice.

    Returns:
        Log odds. Under ``"t3"`` a Student t with 3 degrees of freedom, whose variance is 3.

    Example:
        >>> draw_quality(Market(quality_sd=0.0), 2, np.random.default_rng(1)).tolist()
        [0.0, 0.0]
    """
    if market.quality_law == "t3":
        return market.quality_sd / float(np.sqrt(3.0)) * rng.standard_t(3, people)
    return market.quality_sd * rng.standard_normal(people)


def probability(market: Market, log_odds: Floats) -> Floats:
    """Turn the linear predictor into a probability by the market's link.

    Args:
        market: gives `link`.
        log_odds: linear predictor.

    Returns:
        ``1 / (1 + exp(-x))`` for the logit link, ``Phi(x / 1.702)`` for the probit link.

    Example:
        >>> probability(Market(), np.array([0.0])).tolist()
        [0.5]
    """
    chance = ndtr(log_odds / LOGIT_PER_PROBIT) if market.link == "probit" else expit(log_odds)
    return np.asarray(chance, dtype=np.float64)


def draw_delays(
    market: Market,
    median: float,
    frailty: Floats,
    rng: np.random.Generator,
    *,
    among: Bools | None = None,
) -> Floats:
    """Draw times to an answer, in days.

    Args:
        market: gives `delay_law`, `delay_sigma`, `delay_employer_sd`, `weibull_shape`.
        median: days, for an employer of zero frailty.
        frailty: log days by which each answer's employer is slower than the typical one.
        rng: the dice; they are rolled for every frailty.
        among: the answers that come; all of them if None.

    Returns:
        Days, one per frailty, ``nan`` where no answer comes. Log-normal: total log standard deviation
        `delay_sigma`, of which the employer's share is `delay_employer_sd`. Weibull and exponential have the
        same median.

    Example:
        >>> days = draw_delays(Market(), 5.0, np.zeros(20_000), np.random.default_rng(1))
        >>> bool(abs(np.median(days) - 5.0) < 0.3)
        True
    """
    size = len(frailty)
    days = np.full(size, np.nan)
    coming = np.arange(size) if among is None else np.flatnonzero(among)
    slow = frailty.take(coming)
    if market.delay_law == "lognormal":
        own = float(np.sqrt(max(market.delay_sigma**2 - market.delay_employer_sd**2, 0.0)))
        days[coming] = median * np.exp(slow + own * rng.standard_normal(size).take(coming))
        return days
    shape = market.weibull_shape if market.delay_law == "weibull" else 1.0
    scale = median / float(np.log(2.0) ** (1.0 / shape))
    days[coming] = scale * np.exp(slow) * rng.weibull(shape, size).take(coming)
    return days


def draw_decisions(log_odds: Floats, rng: np.random.Generator) -> Bools:
    """Draw yes or no with the given log odds of yes.

    Args:
        log_odds: of yes.
        rng: the dice.

    Returns:
        One truth value per log odds.

    Example:
        >>> draw_decisions(np.array([-50.0, 50.0]), np.random.default_rng(1)).tolist()
        [False, True]
    """
    return np.asarray(rng.random(len(log_odds)) < expit(log_odds), dtype=np.bool_)
