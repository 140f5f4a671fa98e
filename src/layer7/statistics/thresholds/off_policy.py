"""What would have come of other decisions: off-policy estimates from logged exploration.

A case is a decision between holding back (improve the resume first) and going on (apply), drawn with a known
probability, its propensity. Cases are summed per fold of people and step of the score; a row is never seen.
"""

from dataclasses import dataclass

import numpy as np

from layer7.errors import Layer7Error
from layer7.statistics.arrays import FloatArray, column
from layer7.statistics.rates.estimate import LEAST_FOLDS, Estimate, error_over_folds, share_over_folds

_SUMS = ("n", "weight", "weight_squares", "reward", "weighted_reward")
LEAST_CASES = 20
"""Fewer cases of one decision than this say nothing of it."""

TILTED = 4.0
"""By so many standard errors the mean weight may miss 1 before propensities are no longer believed."""


@dataclass(frozen=True, slots=True, eq=False)
class Arm:
    """The cases of one decision: sums by fold of people (rows) and step of the score (columns).

    Args:
        n: cases.
        weight: Σ w, w = 1 / propensity.
        weight_squares: Σ w².
        reward: Σ y, what came of each case, such as interviews.
        weighted_reward: Σ w y.

    Raises:
        Layer7Error: ``bad_counts`` if the shapes differ; ``not_finite``.
    """

    n: FloatArray
    weight: FloatArray
    weight_squares: FloatArray
    reward: FloatArray
    weighted_reward: FloatArray

    def __post_init__(self) -> None:
        for name in _SUMS:
            held = column(name, getattr(self, name))
            if held.shape != self.n.shape or held.ndim != 2:
                raise Layer7Error("bad_counts", f"{name} has shape {held.shape}, n has {self.n.shape}.")
            object.__setattr__(self, name, held)

    @property
    def effective_cases(self) -> float:
        """How many equally weighted cases the weights amount to, (Σ w)² / Σ w² (Kish)."""
        squares = float(self.weight_squares.sum())
        return float(self.weight.sum()) ** 2 / squares if squares > 0 else 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Exploration:
    """Explored cases of both decisions.

    Args:
        hold: those that were held back.
        go: those that went on.
        position: points that each step lies above the cut.

    Raises:
        Layer7Error: ``bad_counts`` if the shapes differ.
    """

    hold: Arm
    go: Arm
    position: FloatArray

    def __post_init__(self) -> None:
        if self.hold.n.shape != self.go.n.shape or self.position.shape != self.go.n.shape[1:]:
            raise Layer7Error("bad_counts", "The two arms and the positions differ in shape.")

    @property
    def cases(self) -> FloatArray:
        """Cases by fold and step."""
        total: FloatArray = self.hold.n + self.go.n
        return total

    @property
    def missing(self) -> str:
        """What is missing before anything can be estimated; empty if nothing is."""
        folds = int(np.count_nonzero(self.cases.sum(axis=1)))
        fewest = min(float(self.hold.n.sum()), float(self.go.n.sum()))
        if fewest < LEAST_CASES:
            return f"about {int(LEAST_CASES - fewest)} more explored cases of the rarer decision"
        if folds < LEAST_FOLDS:
            return f"explored cases of more people: they fall into {folds} folds, {LEAST_FOLDS} are needed"
        return ""


@dataclass(frozen=True, slots=True)
class Contrast:
    """What going on brings more than holding back, per case, by three estimators.

    Args:
        ips: inverse propensity scoring.
        self_normalised: the same with weights divided by their mean.
        doubly_robust: a line per decision, corrected by weighted residuals.
        effective_cases: of holding back and of going on (Kish).
        mean_weights: Σ w / n over all cases, of both decisions; 1 if propensities are true.
        heaviest: by how many of their standard errors the mean weights miss 1, at most.
    """

    ips: Estimate
    self_normalised: Estimate
    doubly_robust: Estimate
    effective_cases: tuple[float, float]
    mean_weights: tuple[float, float]
    heaviest: float

    @property
    def credible(self) -> bool:
        """Whether the logged propensities add up to what was seen."""
        return self.heaviest <= TILTED


def contrast(found: Exploration) -> Contrast:
    """Compare going on with holding back over all explored cases.

    With w = 1 / propensity and N cases:

    - IPS: (Σ_go w y - Σ_hold w y) / N;
    - self-normalised: Σ_go w y / Σ_go w - Σ_hold w y / Σ_hold w;
    - doubly robust: (Σ m_go(s) - m_hold(s)) / N + (Σ_go w (y - m_go) - Σ_hold w (y - m_hold)) / N, where m
      is a straight line in the score per decision: right if the propensities are, more exact if the lines
      fit.

    Standard errors are over folds of people. Trust the interval from 20 cases of the rarer decision and 8
    folds on; the mean weight must be 1 within noise, else a propensity in the log is not what was drawn with.

    Args:
        found: explored cases.

    Raises:
        Layer7Error: ``not_enough_data``, with what is missing.

    Source:
        Horvitz and Thompson (1952), JASA 47:663-685; Swaminathan and Joachims (2015), NIPS, eq. 6; Dudík,
        Langford and Li (2011), ICML, eq. 2.
    """
    if found.missing:
        raise Layer7Error("not_enough_data", "Too little was explored.", f"Missing: {found.missing}.")
    hold, go, by_fold = found.hold, found.go, found.cases.sum(axis=1)
    total = float(by_fold.sum())
    scored = go.weighted_reward.sum(axis=1) - hold.weighted_reward.sum(axis=1)
    robust = doubly_robust(found).sum(axis=1)
    means = [float(arm.weight.sum()) / total for arm in (hold, go)]
    misses = [share_over_folds(arm.weight.sum(axis=1) - by_fold, by_fold) for arm in (hold, go)]
    return Contrast(
        ips=share_over_folds(scored, by_fold),
        self_normalised=_self_normalised(found),
        doubly_robust=share_over_folds(robust, by_fold),
        effective_cases=(hold.effective_cases, go.effective_cases),
        mean_weights=(means[0], means[1]),
        heaviest=max(abs(miss.value) / miss.error for miss in misses),
    )


def doubly_robust(found: Exploration) -> FloatArray:
    """Doubly robust sums of the effect of going on, by fold and step; add them and divide by cases.

    Args:
        found: explored cases.

    Returns:
        N (m_go - m_hold) + Σ_go w (y - m_go) - Σ_hold w (y - m_hold) for each fold and step.
    """
    lines = [_line(arm, found.position) for arm in (found.hold, found.go)]
    rest = [
        arm.weighted_reward - arm.weight * line
        for arm, line in zip((found.hold, found.go), lines, strict=True)
    ]
    total: FloatArray = found.cases * (lines[1] - lines[0]) + rest[1] - rest[0]
    return total


def _line(arm: Arm, position: FloatArray) -> FloatArray:
    """The least-squares line of what came on the score; level where the cases stand at one step only."""
    n, reward = arm.n.sum(axis=0), arm.reward.sum(axis=0)
    mean = float(n @ position / n.sum())
    spread = float(n @ (position - mean) ** 2)
    slope = float(reward @ (position - mean)) / spread if spread > 0 else 0.0
    line: FloatArray = float(reward.sum() / n.sum()) + slope * (position - mean)
    return line


def _self_normalised(found: Exploration) -> Estimate:
    filled = found.cases.sum(axis=1) > 0
    value, deviations = 0.0, np.zeros(filled.size)
    for sign, arm in ((-1, found.hold), (1, found.go)):
        weight, reward = arm.weight.sum(axis=1), arm.weighted_reward.sum(axis=1)
        mean = float(reward.sum() / weight.sum())
        value += sign * mean
        deviations += sign * (reward - weight * mean) / weight.sum()
    error = error_over_folds(deviations[filled])
    return Estimate(value, max(error, np.finfo(float).tiny), int(filled.sum()))
