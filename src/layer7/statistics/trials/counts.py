"""Small counts: an exact test for one look, and a bet that may be read at every look."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from scipy import special

from layer7.errors import Layer7Error
from layer7.statistics.arrays import FloatArray

PRIOR = 0.18
"""Imagined successes, and as many failures, before the first block."""

FEW = 20
"""Below so many events in both arms, or as many without, normal approximations are not to be trusted."""

_GRID = 400


@dataclass(frozen=True, slots=True)
class Block:
    """Units that came to both arms between two looks.

    Args:
        control: units of the control.
        control_events: those with the event.
        treatment: units of the treatment.
        treatment_events: those with the event.

    Raises:
        Layer7Error: ``bad_counts``.
    """

    control: int
    control_events: int
    treatment: int
    treatment_events: int

    def __post_init__(self) -> None:
        for events, units in (
            (self.control_events, self.control),
            (self.treatment_events, self.treatment),
        ):
            if not 0 <= events <= units:
                raise Layer7Error(
                    "bad_counts", f"{events} events among {units} units.", "Count events among the units."
                )

    def __add__(self, other: "Block") -> "Block":
        """Gives both blocks together."""
        return Block(
            self.control + other.control,
            self.control_events + other.control_events,
            self.treatment + other.treatment,
            self.treatment_events + other.treatment_events,
        )

    @property
    def is_small(self) -> bool:
        """Whether normal approximations are not to be trusted on these counts."""
        events = self.control_events + self.treatment_events
        return min(events, self.control + self.treatment - events) < FEW


def e_values(blocks: Iterable[Block], *, prior: float = PRIOR) -> tuple[float, ...]:
    """Gives how much a bet against "both arms alike" has grown by each look.

    E = Π over the blocks of Π p_arm^y (1 - p_arm)^(n - y) / (p_0^y (1 - p_0)^(n - y)), where p_arm is what
    was known of the arm before the block, (events + prior) / (units + 2 prior), and
    p_0 = (n_a p_a + n_b p_b) / (n_a + n_b). While both arms are alike, E exceeds 1 / alpha at any time with
    a probability of at most alpha.

    Args:
        blocks: what came between the looks, in order of time.
        prior: imagined successes and failures, above 0.

    Source:
        Turner, Ly and Grünwald (2024), arXiv 2106.02693, section 3, eq. 7.

    Example:
        >>> [round(e, 4) for e in e_values([Block(1, 0, 1, 1), Block(1, 0, 1, 0)])]
        [1.0, 0.4593]
    """
    so_far = Block(0, 0, 0, 0)
    log, found = 0.0, []
    for block in blocks:
        log += _log_factor(so_far, block, prior)
        so_far = so_far + block
        found.append(math.exp(min(log, 700.0)))
    return tuple(found)


def p_exact(counted: Block) -> float | None:
    """Gives the exact two-sided p-value that both arms have the same rate, for one look.

    Boschloo's test: Fisher's p-value is the statistic, and the largest probability of one as small, over
    all common rates, is the p-value. Two-sided is twice the smaller side, at most 1.

    Args:
        counted: all units so far; made for up to about 2000 of them.

    Returns:
        None while an arm has no unit.

    Source:
        Boschloo (1970), Statistica Neerlandica 24:1-35.

    Trust:
        Exact at any size: false alarms never exceed the p-value, and it never has less power than Fisher's.

    Example:
        >>> round(p_exact(Block(10, 7, 10, 2)), 3)
        0.041
    """
    if counted.control == 0 or counted.treatment == 0:
        return None
    sides = [_boschloo(counted, upper=upper) for upper in (False, True)]
    return min(1.0, 2 * min(sides))


def _log_factor(so_far: Block, block: Block, prior: float) -> float:
    units = block.control + block.treatment
    if units == 0:
        return 0.0
    a = (so_far.control_events + prior) / (so_far.control + 2 * prior)
    b = (so_far.treatment_events + prior) / (so_far.treatment + 2 * prior)
    both = (block.control * a + block.treatment * b) / units
    return (
        _log_likelihood(block.control_events, block.control, a)
        + _log_likelihood(block.treatment_events, block.treatment, b)
        - _log_likelihood(block.control_events + block.treatment_events, units, both)
    )


def _log_likelihood(events: int, units: int, rate: float) -> float:
    return float(special.xlogy(events, rate) + special.xlog1py(units - events, -rate))


def _log_choose(n: int, k: FloatArray) -> FloatArray:
    found: FloatArray = special.gammaln(n + 1) - special.gammaln(k + 1) - special.gammaln(n - k + 1)
    return found


def _boschloo(counted: Block, *, upper: bool) -> float:
    """One side: the treatment has more (upper) or fewer events than chance allows."""
    n, m = counted.control, counted.treatment
    x, y = np.arange(n + 1.0)[:, None], np.arange(m + 1.0)[None, :]
    ways = _log_choose(n, x) + _log_choose(m, y)
    fisher = _fisher(n, m, upper=upper)
    seen = fisher[counted.control_events, counted.treatment_events]
    extreme = fisher <= seen * (1 + 1e-9)
    totals = (x + y)[extreme]
    by_total = np.bincount(
        totals.astype(np.int64), np.exp(ways[extreme] - _log_choose(n + m, totals)), n + m + 1
    )
    rates = np.linspace(0, 1, _GRID + 1)[1:-1]
    k = np.arange(n + m + 1.0)
    law = np.exp(
        _log_choose(n + m, k)[None, :]
        + special.xlogy(k[None, :], rates[:, None])
        + special.xlog1py((n + m - k)[None, :], -rates[:, None])
    )
    return float(min(1.0, (law @ by_total).max()))


def _fisher(n: int, m: int, *, upper: bool) -> FloatArray:
    """Fisher's one-sided p-value of every table with n and m units, shape (n + 1, m + 1)."""
    p = np.empty((n + 1, m + 1))
    for total in range(n + m + 1):
        y = np.arange(max(0, total - n), min(m, total) + 1)
        log = _log_choose(m, y.astype(float)) + _log_choose(n, (total - y).astype(float))
        weight = np.exp(log - log.max())
        weight /= weight.sum()
        tail = np.cumsum(weight[::-1])[::-1] if upper else np.cumsum(weight)
        p[total - y, y] = tail
    return p
