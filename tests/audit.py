"""An empirical audit of the whole way from events to a release: how well can anybody tell who took part?

Canaries own cells of a public list that are otherwise empty, and are in or out by a fair coin. Whoever sees
the release guesses. The guesses give lower bounds, each wrong with probability 1e-5, that the shipped code
must keep below its claim and every known fault must push above it.

Sources: Steinke, Nasr and Jagielski (2023), *Privacy Auditing with One (1) Training Run* (epsilon, for any
mechanism); Dong, Roth and Su (2022), *Gaussian Differential Privacy* (mu, from errors on a held-out half).
"""

import math
import os
from dataclasses import dataclass

import numpy as np
from scipy import stats

from layer7.privacy.budget import epsilon_of

TORTURE = bool(os.environ.get("LAYER7_TORTURE"))
"""Whether the long forms run: `make torture`."""

ALPHA = 1e-5


@dataclass(frozen=True)
class Shape:
    """What canaries of a kind do.

    Args:
        cells: in how many cells each of them is.
        rows: how many rows each has per cell.
        value: of every metric.
        agrees: whether she agreed to contribute.
    """

    cells: int = 1
    rows: int = 1
    value: float = 1.0
    agrees: bool = True


SHAPES = {
    "legal-max": Shape(cells=3),
    "many-cells": Shape(cells=24),
    "many-rows": Shape(rows=20),
    "out-of-range": Shape(value=1e9),
    "nan": Shape(value=float("nan")),
    "opted-out": Shape(cells=3, agrees=False),
}


@dataclass(frozen=True)
class Found:
    """What one run of canaries tells.

    Args:
        mu: lower bound of Gaussian differential privacy.
        epsilon: lower bound at delta 1e-9.
        noise: standard deviation of what was released of canaries who were out, of what it should be.
        numbers: how many numbers that is from.
    """

    mu: float
    epsilon: float
    noise: float
    numbers: int

    def breaks(self, rho: float) -> bool:
        """Say whether a claim of rho-zCDP by Gaussian noise is broken; 0 claims that nothing is told."""
        if self.noise < 1 - 5 / math.sqrt(2 * self.numbers):
            return True
        if rho == 0:
            return self.mu > 0.02 or self.epsilon > 0.02
        return self.mu > math.sqrt(2 * rho) or self.epsilon > epsilon_of(rho)


def audited(released, present, sigma, rng) -> Found:
    """Give lower bounds from what was released of each canary.

    Args:
        released: canaries x cells x (1 + metrics), in people.
        present: which canaries were in.
        sigma: standard deviation that the noise should have.
        rng: breaks ties.
    """
    # Who has no answer adds 1 to the count and takes 1/2 from the metric; who has one adds 1/2 to it.
    weights = np.r_[1.0, np.full(released.shape[2] - 1, 0.5)]
    seen = (released[:, :, 0] != 0).sum(axis=1) + 1e-9 * rng.random(len(present))
    scores = (*((released @ (weights * sign)).sum(axis=1) for sign in ([1, 1], [1, -1])), seen)
    mu, epsilon = -9.0, 0.0
    for score in scores:
        mu = max(mu, _mu_lower(score[~present], score[present], ALPHA / len(scores)))
        for share in (0.02, 0.1, 0.4):
            epsilon = max(epsilon, _epsilon_lower(score, present, share, ALPHA / (3 * len(scores))))
    out = released[~present]
    return Found(mu, epsilon, float(out.std() / sigma), out.size)


def _upper(k, n, alpha):
    """Clopper and Pearson's upper bound."""
    found = stats.beta.ppf(1 - alpha, np.minimum(k, n - 1) + 1, np.maximum(n - k, 1))
    return np.where(k >= n, 1.0, found)


def _mu_lower(out, inn, alpha):
    def bound(without, within, cut):
        false_alarm = _upper((without[:, None] > cut).sum(0), len(without), alpha / 2)
        missed = _upper((within[:, None] <= cut).sum(0), len(within), alpha / 2)
        return stats.norm.ppf(1 - false_alarm) - stats.norm.ppf(missed)

    half, part = len(out) // 2, len(inn) // 2
    cuts = np.unique(np.r_[np.quantile(np.r_[out[:half], inn[:part]], np.linspace(0.02, 0.98, 33)), 0.0])
    best = cuts[int(np.argmax(bound(out[:half], inn[:part], cuts)))]
    return float(bound(out[half:], inn[part:], np.array([best]))[0])


def _p_value(canaries, guesses, right, epsilon, delta=1e-9):
    honest = 1 / (1 + math.exp(-epsilon))
    tail = stats.binom.sf(right - 1, guesses, honest)
    steps = np.arange(1, right + 1)
    slack = np.max(np.cumsum(stats.binom.pmf(right - steps, guesses, honest)) / steps) if right else 0.0
    return min(1.0, tail + slack * delta * 2 * canaries)


def _epsilon_lower(score, present, share, alpha):
    canaries = len(score)
    guesses = max(2, int(canaries * share) // 2 * 2)
    order = np.argsort(score)
    right = int((~present[order[: guesses // 2]]).sum() + present[order[-guesses // 2 :]].sum())
    if _p_value(canaries, guesses, right, 0.0) > alpha:
        return 0.0
    low, high = 0.0, 1.0
    while _p_value(canaries, guesses, right, high) < alpha and high < 64:
        high *= 2
    for _ in range(30):
        middle = (low + high) / 2
        low, high = (middle, high) if _p_value(canaries, guesses, right, middle) < alpha else (low, middle)
    return low
