"""A known number of looks: bounds that spend alpha bit by bit and hold over all looks together."""

import math
from collections.abc import Sequence
from functools import cache

import numpy as np
import scipy
from scipy import special

from layer7.errors import Layer7Error
from layer7.statistics.arrays import FloatArray
from layer7.statistics.trials.anytime import check_alpha

EXPONENT = 2.0
"""alpha t² is spent by information fraction t: the last look is nearly a fixed one."""

FARTHEST = 8.0
NODES = 240


def information_fractions(units: Sequence[float], planned: float) -> tuple[float, ...]:
    """Gives how much of the plan each look has seen: n / max(planned, n of the last look).

    An overrun plan is safe: the fractions are of what was really seen.

    Args:
        units: units of both arms at each look so far, never falling, above 0.
        planned: units at the planned end, above 0.

    Raises:
        Layer7Error: ``bad_looks``.

    Source:
        Lan and DeMets (1983), Biometrika 70:659-663; Jennison and Turnbull (2000), section 7.2.

    Example:
        >>> information_fractions([250, 450, 630, 810], 600)[-1]
        1.0
    """
    seen = np.asarray(units, dtype=np.float64)
    if seen.size == 0 or not np.isfinite(seen).all() or seen[0] <= 0 or (np.diff(seen) < 0).any():
        raise Layer7Error("bad_looks", f"Looks at {list(units)} units.", "Give rising numbers above zero.")
    if not 0 < planned < math.inf:
        raise Layer7Error("bad_looks", f"{planned} units are planned.", "Plan a positive number of units.")
    return tuple(float(n) for n in seen / max(planned, float(seen[-1])))


def bounds(
    fractions: Sequence[float],
    alpha: float,
    *,
    one_sided: bool = False,
    exponent: float = EXPONENT,
    spending: Sequence[float] | None = None,
) -> tuple[float, ...]:
    """Gives the critical z of each look, so that all looks together raise a false alarm with alpha.

    By look k, alpha t_k^exponent is spent. The bound of each look solves for its share of that by the
    recursion over the density of the score process on its way inside the earlier bounds. Looks at the same
    fraction share a bound; a bound beyond 8 is 8.

    Args:
        fractions: information fractions of the looks so far, above 0, at most 1, never falling.
        alpha: accepted probability of a false alarm over all looks.
        one_sided: whether only one direction counts.
        exponent: of the spending function, above 0.
        spending: the clock by which alpha is spent, such as shares of the planned time, where it is another
            than information; it must not depend on outcomes. Fractions may then be of any information.

    Raises:
        Layer7Error: ``bad_looks``; ``bad_alpha``.

    Source:
        Armitage, McPherson and Rowe (1969), JRSS A 132:235-244; Kim and DeMets (1987), Biometrika
        74:149-154, for the power family; Lan and DeMets (1989), Statistics in Medicine 8:1191-1198, for
        another clock.

    Trust:
        Estimates must be asymptotically normal with independent increments: small first looks (below about
        20 events per arm) raise slightly too many alarms.

    Example:
        >>> [round(bound, 4) for bound in bounds([0.1, 0.5, 1.0], 0.05)]
        [3.4808, 2.5096, 2.0194]
    """
    check_alpha(alpha)
    _check(fractions, exponent)
    clock = fractions if spending is None else spending
    _check(clock, exponent)
    found: list[float] = []
    walk = _Walk(one_sided=one_sided)
    spent, before = 0.0, 0.0
    for now, time in zip(fractions, clock, strict=True):
        if now - before > 1e-12:
            due = alpha * time**exponent
            found.append(walk.step(now - before, now, due - spent))
            spent, before = due, now
        else:
            found.append(found[-1])
    return tuple(found)


def crossing_probability(
    fractions: Sequence[float], limits: Sequence[float], drift: float, *, one_sided: bool = False
) -> tuple[float, ...]:
    """Gives the probability that each look is the first to cross its bound.

    Args:
        fractions: information fractions of the looks.
        limits: critical z of each look.
        drift: expected z at the planned end (fraction 1); 0 gives false alarms, more gives power.
        one_sided: whether only the upper bound counts.

    Raises:
        Layer7Error: ``bad_looks``.

    Example:
        >>> looks = (0.25, 0.5, 0.75, 1.0)
        >>> round(sum(crossing_probability(looks, bounds(looks, 0.05), 0.0)), 5)
        0.05
    """
    _check(fractions, 1.0)
    walk = _Walk(one_sided=one_sided, drift=drift)
    found: list[float] = []
    before = 0.0
    for now, limit in zip(fractions, limits, strict=True):
        if now - before > 1e-12:
            found.append(walk.leave(now - before, now, limit))
            before = now
        else:
            found.append(0.0)
    return tuple(found)


def p_group_sequential(
    fractions: Sequence[float],
    z: float,
    *,
    one_sided: bool = False,
    exponent: float = EXPONENT,
    spending: Sequence[float] | None = None,
) -> float:
    """Gives the repeated p-value of the last look: the smallest alpha whose bound is crossed there.

    Args:
        fractions: information fractions of all looks so far.
        z: estimate in standard errors at the last one.
        one_sided: whether only "better" counts.
        exponent: of the spending function.
        spending: the clock by which alpha is spent, where it is another than information.

    Returns:
        Between 1e-9 and 1; 1 where no alpha up to one half would be crossed.

    Source:
        Jennison and Turnbull (1989), JRSS B 51:305-361, section 2.

    Example:
        >>> round(p_group_sequential([0.1, 0.5, 1.0], 2.019366509), 4)
        0.05
    """
    size = z if one_sided else abs(z)

    def beyond(log_alpha: float) -> float:
        limits = bounds(
            fractions, math.exp(log_alpha), one_sided=one_sided, exponent=exponent, spending=spending
        )
        return limits[-1] - size

    low, high = math.log(1e-9), math.log(0.499)
    if beyond(high) > 0:
        return 1.0
    if beyond(low) <= 0:
        return 1e-9
    return math.exp(float(scipy.optimize.brentq(beyond, low, high, xtol=1e-6)))


def _check(fractions: Sequence[float], exponent: float) -> None:
    times = np.asarray(fractions, dtype=np.float64)
    good = times.size > 0 and np.isfinite(times).all() and times[0] > 0 and times[-1] <= 1 + 1e-9
    if not good or (np.diff(times) < 0).any():
        raise Layer7Error(
            "bad_looks",
            f"Looks at the information fractions {list(fractions)}.",
            "Give rising fractions above 0, at most 1.",
        )
    if not 0 < exponent < math.inf:
        raise Layer7Error("bad_looks", f"A spending exponent of {exponent}.", "It is above 0; 2 is usual.")


@cache
def _quadrature() -> tuple[FloatArray, FloatArray]:
    """Nodes and weights of Gauss and Legendre: made once, and only where a bound is asked for."""
    return np.polynomial.legendre.leggauss(NODES)


class _Walk:
    """The score process S = z sqrt(t) on its way inside the bounds, as a density on quadrature nodes."""

    def __init__(self, *, one_sided: bool, drift: float = 0.0) -> None:
        self._one_sided = one_sided
        self._drift = drift
        self._nodes: FloatArray = np.zeros(1)
        self._mass: FloatArray = np.ones(1)

    def step(self, gap: float, time: float, due: float) -> float:
        """Take a look with the bound that lets ``due`` out; gives the bound."""

        def excess(z: float) -> float:
            return self._out(gap, z * math.sqrt(time)) - due

        z = FARTHEST if excess(FARTHEST) > 0 else float(scipy.optimize.brentq(excess, -FARTHEST, FARTHEST))
        self._move(gap, time, z)
        return z

    def leave(self, gap: float, time: float, z: float) -> float:
        """Take a look with a given bound; gives the probability of leaving there."""
        left = self._out(gap, z * math.sqrt(time))
        self._move(gap, time, z)
        return left

    def _out(self, gap: float, limit: float) -> float:
        centre, spread = self._nodes + self._drift * gap, math.sqrt(gap)
        out = special.ndtr((centre - limit) / spread)
        if not self._one_sided:
            out = out + special.ndtr((-limit - centre) / spread)
        return float(self._mass @ out)

    def _move(self, gap: float, time: float, z: float) -> None:
        limit, spread = z * math.sqrt(time), math.sqrt(gap)
        low = self._drift * time - FARTHEST * math.sqrt(time) if self._one_sided else -limit
        half = (limit - low) / 2
        grid, weights = _quadrature()
        nodes = low + half * (grid + 1)
        steps = (nodes[:, None] - self._nodes[None, :] - self._drift * gap) / spread
        density = np.exp(-0.5 * steps**2) / (spread * math.sqrt(2 * math.pi))
        self._mass, self._nodes = half * weights * (density @ self._mass), nodes
