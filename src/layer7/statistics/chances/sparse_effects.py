"""Which of very many effects are there: mostly none, a few of any size, learned from all of them together."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from layer7.statistics.arrays import FloatArray
from layer7.statistics.chances.deviations import GRID, REACH

LEAST_EFFECT = float(np.log(1.25))
"""Smaller effects than this log odds ratio are not worth saying."""

_CENTRES = (0.4, 0.8, 1.2, 1.6, 2.1)
_WIDTH = 0.25
_BACKGROUND = 0.15
_DEFAULT_EFFECTS = 0.01
_DEFAULT_BACKGROUND = 0.10
_DEFAULT_SIZES = (0.40, 0.30, 0.15, 0.10, 0.05)
PRIOR_CELLS = 1000.0
NOTHING = 2
"""How many of the first components of :data:`BASIS` are no effect."""

_ROUNDS = 500
_SETTLED = 1e-7


def _bump(centre: float, width: float) -> FloatArray:
    mass = np.exp(-0.5 * ((GRID - centre) / width) ** 2)
    if centre:
        mass = np.where(np.sign(GRID) == np.sign(centre), mass, 0.0)
    return np.asarray(mass / mass.sum(), dtype=np.float64)


def _basis() -> FloatArray:
    nothing = np.zeros(GRID.size)
    nothing[REACH] = 1.0
    signed = [_bump(sign * centre, _WIDTH) for sign in (1, -1) for centre in _CENTRES]
    found = np.array([nothing, _bump(0.0, _BACKGROUND), *signed])
    found.flags.writeable = False
    return found


BASIS: FloatArray = _basis()
"""What the law of effects is a mixture of: nothing, next to nothing, and five sizes to either side."""


@dataclass(frozen=True, slots=True, eq=False)
class EffectLaw:
    """How large effects are, among all that were looked at.

    Args:
        weights: shares of the components of :data:`BASIS`; they add up to 1.

    Example:
        >>> round(DEFAULT_LAW.effects, 3)
        0.01
    """

    weights: FloatArray

    @property
    def effects(self) -> float:
        """Share of cells with an effect of any size."""
        return float(self.weights[NOTHING:].sum())

    @property
    def effect_density(self) -> FloatArray:
        """Weight of each log odds ratio of the grid among the effects."""
        return self.weights[NOTHING:] @ BASIS[NOTHING:]

    @property
    def null_density(self) -> FloatArray:
        """Weight of each log odds ratio of the grid without an effect."""
        return self.weights[:NOTHING] @ BASIS[:NOTHING]


def _default() -> EffectLaw:
    sizes = np.array(_DEFAULT_SIZES) * _DEFAULT_EFFECTS / 2
    rest = 1 - _DEFAULT_EFFECTS - _DEFAULT_BACKGROUND
    return EffectLaw(np.concatenate([[rest, _DEFAULT_BACKGROUND], sizes, sizes]))


DEFAULT_LAW = _default()
"""What is believed before anything was seen: one cell in a hundred, small ones first, either side alike."""


def fit_effects(
    likelihood: FloatArray,
    groups: npt.NDArray[np.int64],
    *,
    prior: EffectLaw = DEFAULT_LAW,
    weight: float = PRIOR_CELLS,
) -> EffectLaw:
    """Estimate the law of effects from all cells together: EM for the weights of a mixture.

    The cells of a group (a person) compete: at most one of them has an effect, since the applications of
    one cell are also those of others. With A_j a cell's likelihood under the effects, N_j under none, and
    r = 1 - Σ share the chance that a group has no effect, that of an effect in j is
    (A_j / N_j / r) / (1 + Σ A_i / N_i / r) over the group. The prior counts as so many cells.

    Args:
        likelihood: one row per cell, one column per log odds ratio of the grid.
        groups: the group of each cell, 0 to the number of groups less 1.
        prior: what is believed without them.
        weight: how many cells that is worth, positive.

    Source:
        Stephens (2017), Biostatistics 18:275-294, section 3 (adaptive shrinkage); Wang, Sarkar, Carbonetto
        and Stephens (2020), JRSS B 82:1273-1300, section 2.2 (single-effect regression).

    Example:
        >>> round(fit_effects(np.ones((10, GRID.size)), np.arange(10)).effects, 3)
        0.01
    """
    heights = likelihood @ BASIS.T
    weights = prior.weights
    for _ in range(_ROUNDS):
        none = heights[:, :NOTHING] @ weights[:NOTHING]
        some = heights[:, NOTHING:] @ weights[NOTHING:]
        share = np.full(groups.size, float(weights[NOTHING:].sum()))
        strength = some / none * (1 - share) / room(share, groups)
        chance = strength / (1.0 + group_sums(strength, groups)[groups])
        with_effect = weights[NOTHING:] * (heights[:, NOTHING:].T @ (chance / some))
        without = weights[:NOTHING] * (heights[:, :NOTHING].T @ ((1 - chance) / none))
        gained = np.concatenate([without, with_effect])
        new = (gained + weight * prior.weights) / (likelihood.shape[0] + weight)
        settled = float(np.abs(new - weights).max()) < _SETTLED
        weights = new
        if settled:
            break
    return EffectLaw(weights / weights.sum())


LEAST_ROOM = 0.2


def room(share: FloatArray, groups: npt.NDArray[np.int64]) -> FloatArray:
    """The chance that a group has no effect at all, given each cell's chance of having it; per cell.

    Args:
        share: chance of each cell, before it was seen.
        groups: the group of each cell.

    Example:
        >>> room(np.array([0.1, 0.1, 0.3]), np.array([0, 0, 1])).tolist()
        [0.8, 0.8, 0.7]
    """
    return np.maximum(1 - group_sums(share, groups)[groups], LEAST_ROOM)


def group_sums(values: FloatArray, groups: npt.NDArray[np.int64]) -> FloatArray:
    """Add up values by group.

    Example:
        >>> group_sums(np.array([1.0, 2.0, 4.0]), np.array([0, 1, 0])).tolist()
        [5.0, 2.0]
    """
    return np.asarray(np.bincount(groups, weights=values), dtype=np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class Effects:
    """What is believed of each cell's effect, were no other cell of its group in question.

    Args:
        strength: odds that there is an effect, A_j / N_j.
        size: given an effect, P(it is worth saying and on the side it is more likely on).
        log_odds_ratio: posterior mean of the effect, given that there is one.
        low: lower end of its interval.
        high: upper end of its interval.
    """

    strength: FloatArray
    size: FloatArray
    log_odds_ratio: FloatArray
    low: FloatArray
    high: FloatArray


def effects(likelihood: FloatArray, law: EffectLaw, *, level: float = 0.95) -> Effects:
    """Posterior of each cell's log odds ratio δ: P(δ | cell) ∝ L(δ) P(δ).

    ``size`` is the larger of P(δ > ln 1.25) and P(δ < -ln 1.25) among the effects. The interval holds the
    middle ``level`` of the effects, on the grid of 0.1.

    Args:
        likelihood: one row per cell, one column per log odds ratio of the grid.
        law: the law of effects.
        level: of the interval, between 0 and 1.

    Source:
        Stephens (2017), section 2 (local false sign rate).

    Example:
        >>> found = effects(np.ones((1, GRID.size)), DEFAULT_LAW)
        >>> round(float(found.strength[0]), 3), abs(round(float(found.log_odds_ratio[0]), 6))
        (0.01, 0.0)
    """
    posterior = likelihood * law.effect_density
    some = posterior.sum(axis=1)
    posterior /= some[:, None]
    risen = posterior.cumsum(axis=1)
    tail, last = (1 - level) / 2, GRID.size - 1
    up = posterior[:, LEAST_EFFECT < GRID].sum(axis=1)
    down = posterior[:, -LEAST_EFFECT > GRID].sum(axis=1)
    return Effects(
        strength=some / (likelihood @ law.null_density),
        size=np.minimum(np.maximum(up, down), 1.0),
        log_odds_ratio=posterior @ GRID,
        low=GRID[(risen < tail).sum(axis=1).clip(0, last)],
        high=GRID[(risen < 1 - tail).sum(axis=1).clip(0, last)],
    )


def competing(
    strength: FloatArray, groups: npt.NDArray[np.int64], rivals: FloatArray | None = None
) -> FloatArray:
    """The chance that the effect is in this cell, when the cells of a group compete.

    s_j / (1 + s_j + Σ_i≠j c_i s_i), with c_i = 1 where the other cell's effect may be a shadow of this one's.

    Args:
        strength: the odds s of each cell.
        groups: the group of each cell.
        rivals: c, 0 to 1; None for all 1.

    Example:
        >>> competing(np.array([8.0, 1.0]), np.array([0, 0])).tolist()
        [0.8, 0.1]
    """
    rivalry = strength if rivals is None else strength * rivals
    others = group_sums(rivalry, groups)[groups] - rivalry
    return strength / (1.0 + strength + others)
