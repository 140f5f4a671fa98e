"""Where a threshold had better stand: the whole curve of the effect, shrunk, and what a move would gain."""

from dataclasses import dataclass

import numpy as np

from layer7.statistics.arrays import FloatArray
from layer7.statistics.rates.estimate import Estimate, expected_loss, probability_above
from layer7.statistics.rates.intervals import Interval, normal_quantile

SCALE = 5.0
"""Points over which the effect may change by one prior standard deviation."""

SHRINK = 0.25
"""Prior standard deviation of the effect of a case, as a share of what a case brings on average."""


@dataclass(frozen=True, slots=True, eq=False)
class EffectCurve:
    """The effect of going on, by points above the cut: a line with a normal posterior.

    Args:
        coefficients: effect at the cut, and its change over SCALE points.
        covariance: of the two.
    """

    coefficients: FloatArray
    covariance: FloatArray

    def at(self, position: FloatArray, level: float = 0.95) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Give the effect, and the lower and upper end of its interval, at some positions.

        Args:
            position: points above the cut.
            level: probability of the interval.
        """
        design = _design(position)
        mean = design @ self.coefficients
        reach = normal_quantile(level) * np.sqrt(((design @ self.covariance) * design).sum(axis=1))
        return mean, mean - reach, mean + reach


@dataclass(frozen=True, slots=True)
class Move:
    """What moving the threshold gains.

    Args:
        offset: points that it moves, below 0 downwards.
        gain: posterior mean.
        sd: posterior standard deviation.
        interval: of the gain.
        probability: that the gain is above 0.
        loss: expected loss, should it be below 0.
    """

    offset: float
    gain: float
    sd: float
    interval: Interval
    probability: float
    loss: float


def shrunk_effects(
    effects: FloatArray, cases: FloatArray, position: FloatArray, *, usual: float
) -> EffectCurve:
    """Fit a line to effects by step, shrunk towards no effect.

    Weighted least squares β̂ on sums by fold, with the sandwich covariance V over folds, and the prior
    β ~ N(0, τ² I), τ = SHRINK · usual: posterior covariance (V⁻¹ + τ⁻² I)⁻¹, mean = covariance · V⁻¹ β̂.

    Args:
        effects: sums of the effect by fold and step.
        cases: cases by fold and step.
        position: points of each step above the cut.
        usual: what a case brings on average, above 0.

    Source:
        Liang and Zeger (1986) for V; Lindley and Smith (1972), JRSS B 34:1-41, for the prior.

    Example:
        >>> rng = np.random.default_rng(1)
        >>> cases = np.full((64, 10), 50.0)
        >>> noise = rng.normal(0.0, 3.0, cases.shape)
        >>> curve = shrunk_effects(0.1 * cases + noise, cases, np.arange(-5.0, 5.0), usual=0.5)
        >>> bool(0.08 < curve.coefficients[0] < 0.11)
        True
    """
    filled = cases.sum(axis=1) > 0
    design = _design(position)
    effects, cases = effects[filled], cases[filled]
    bread = (design.T * cases.sum(axis=0)) @ design
    inverse = np.linalg.pinv(bread)
    beta = inverse @ (design.T @ effects.sum(axis=0))
    scores = (effects - cases * (design @ beta)) @ design
    folds = scores.shape[0]
    meat = folds / (folds - 1) * scores.T @ scores
    spread = inverse @ meat @ inverse
    prior = (SHRINK * usual) ** 2 * np.eye(2)
    # Written so that a direction without information (all cases at one step) keeps its prior.
    keep = prior @ np.linalg.pinv(prior + spread + _unseen(bread))
    covariance = prior - keep @ prior
    return EffectCurve(keep @ beta, (covariance + covariance.T) / 2)


def level_effect(effect: Estimate, *, usual: float) -> EffectCurve:
    """Shrink an effect that is known at the cut alone towards none; beside the cut it is taken as the same.

    Args:
        effect: of going on, per case.
        usual: what a case brings on average, above 0.

    Example:
        >>> curve = level_effect(Estimate(0.1, 0.05, 64), usual=0.2)
        >>> curve.coefficients.round(3).tolist()
        [0.05, 0.0]
    """
    prior, noise = (SHRINK * usual) ** 2, effect.error**2
    keep = prior / (prior + noise)
    return EffectCurve(np.array([keep * effect.value, 0.0]), np.diag([keep * noise, 0.0]))


def _unseen(bread: FloatArray) -> FloatArray:
    values, vectors = np.linalg.eigh(bread)
    blind = np.where(values <= 1e-9 * max(float(values.max()), 1e-300), 1e12, 0.0)
    spread: FloatArray = (vectors * blind) @ vectors.T
    return spread


def best_move(
    curve: EffectCurve, position: FloatArray, cases: FloatArray, *, width: float, level: float = 0.95
) -> Move | None:
    """Find the move with the largest expected gain among those that the steps cover.

    A threshold that moves down by d lets the cases of the steps in [-d, 0) go on; one that moves up holds
    back those in [0, d). Each gains the effect, or its negative. The effects have a prior that expects
    none, so the largest posterior mean is not inflated as the largest of raw means would be.

    Args:
        curve: the effect.
        position: points of the middle of each step above the cut, ascending and without gaps.
        cases: cases of each step, in the unit in which gains are told (such as per person and week).
        width: points that a step is wide.
        level: probability of the interval.

    Returns:
        None when no step has cases.

    Example:
        >>> curve = EffectCurve(np.array([0.1, 0.0]), np.eye(2) * 0.0004)
        >>> move = best_move(curve, np.array([-0.75, -0.25, 0.25]), np.ones(3), width=0.5)
        >>> move.offset, round(move.gain, 3), move.probability > 0.99
        (-1.0, 0.2, True)
    """
    design = _design(position) * cases[:, None]
    moves = []
    for down in (True, False):
        side = np.flatnonzero(position < 0)[::-1] if down else np.flatnonzero(position > 0)
        sums = np.cumsum(design[side], axis=0) * (1 if down else -1)
        ends = np.abs(position[side]) + width / 2
        moves += [(float(-end if down else end), row) for end, row in zip(ends, sums, strict=True) if row[0]]
    if not moves:
        return None
    offset, row = max(moves, key=lambda each: float(each[1] @ curve.coefficients))
    gain, sd = float(row @ curve.coefficients), float(np.sqrt(row @ curve.covariance @ row))
    reach = normal_quantile(level) * sd
    return Move(
        offset=offset,
        gain=gain,
        sd=sd,
        interval=Interval(gain - reach, gain + reach, level),
        probability=probability_above(gain, sd),
        loss=expected_loss(gain, sd),
    )


def _design(position: FloatArray) -> FloatArray:
    return np.column_stack([np.ones(position.size), position / SCALE])
