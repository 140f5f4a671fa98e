"""The penalised likelihood of the competing-risks cure model, with its gradient.

Parameters, in this order: a and b, the log odds of interview and of rejection against never being
answered (p = e^a / (1 + e^a + e^b), r = e^b / (1 + e^a + e^b)); ln(median) and ln(sigma) of the delay of
interviews, then of rejections; the log odds of the Weibull share of both; the log odds of the share of prompt
answers among interviews, then among rejections.
"""

import math

import numpy as np
from scipy import special

from layer7.statistics.arrays import FloatArray
from layer7.statistics.silence.moments import (
    EARLIEST,
    HALF_DAY,
    DelayPrior,
    SilenceMoments,
    gumbel_hazard,
    prompt_share,
)

SMALLEST = 1e-290
NEVER = -40.0
ROOT = math.sqrt(2 * math.pi)


def _slow(logs: FloatArray, medians: FloatArray, sigmas: FloatArray, odds: float) -> FloatArray:
    """F at log days, and its derivatives by ln(median), ln(sigma) and the log odds of the Weibull share."""
    weibull = 1 / (1 + math.exp(-odds))
    z = (logs - medians) / sigmas
    normal = special.ndtr(z)
    slope, hazard = gumbel_hazard(z)
    survival = np.exp(-hazard)
    bell = np.exp(-0.5 * z * z)
    density = ((weibull - 1) / ROOT) * bell - weibull * slope * survival
    apart = weibull * (1 - survival - normal)
    law = np.empty((5, logs.size))
    law[0] = normal + apart
    law[1] = density / sigmas
    law[2] = density * z
    law[3] = (1 - weibull) * apart
    return law


def _with_prompt(law: FloatArray, shares: FloatArray, prompt: FloatArray) -> FloatArray:
    """The same with a share of prompt answers, and the derivative by its log odds in the last row."""
    law[4] = shares * (1 - shares) * (prompt - law[0])
    law[:4] *= 1 - shares
    law[0] += shares * prompt
    return law


def shares(theta: FloatArray) -> tuple[float, float]:
    """The shares of applications that end in an interview and in a rejection.

    Args:
        theta: the nine parameters.

    Example:
        >>> [round(share, 3) for share in shares(np.zeros(9))]
        [0.333, 0.333]
    """
    interview, rejection = math.exp(theta[0]), math.exp(theta[1])
    total = 1 + interview + rejection
    return interview / total, rejection / total


class CureLikelihood:
    """Moments and prior, ready to be asked for the penalised log-likelihood.

    ln L = sum over interviews at day d of ln p(F(d+1) - F(d)), over rejections of ln r(G(d+1) - G(d)),
    over answers of unknown day at age t of ln pF(t) or ln rG(t), over silence of age t of
    ln(1 - pF(t) - rG(t)), plus the log density of the prior. An age of t whole days counts as t + 1/2.

    Args:
        moments: the log, counted.
        prior: what is known of the delays.

    Example:
        >>> empty = CureLikelihood(SilenceMoments(), DelayPrior())
        >>> float(empty(empty.centre)[0])
        0.0
    """

    def __init__(self, moments: SilenceMoments, prior: DelayPrior) -> None:
        ages = np.flatnonzero(moments.silent)
        blind = [np.flatnonzero(x) for x in (moments.undated_interviews, moments.undated_rejections)]
        dated = [np.flatnonzero(x) for x in (moments.interviews, moments.rejections)]
        days = [
            ages + HALF_DAY,
            ages + HALF_DAY,
            *(x + HALF_DAY for x in blind),
            *dated,
            *(x + 1 for x in dated),
        ]
        self._logs = np.log(np.maximum(np.concatenate(days), EARLIEST))
        self._prompt = prompt_share(np.exp(self._logs))
        self._outcome = np.repeat([0, 1] * 4, [x.size for x in days])
        self._silent = moments.silent[ages]
        self._blind, self._dated = sum(x.size for x in blind), sum(x.size for x in dated)
        histograms = (
            moments.undated_interviews,
            moments.undated_rejections,
            moments.interviews,
            moments.rejections,
        )
        weight = np.concatenate([x[x > 0] for x in histograms])
        self._weight = weight
        answered = self._outcome[2 * ages.size :][: weight.size]
        self._weight_by_outcome = np.column_stack([weight * (answered == 0), weight * (answered == 1)])
        self._answers = np.array([moments.interviewed, moments.rejected])
        laws = (prior.interview, prior.rejection)
        shapes = [np.log(x) for law in laws for x in (law.median, law.sigma)]
        prompt = [special.logit(law.prompt) if law.prompt else NEVER for law in laws]
        self.centre = np.array([0.0, 0.0, *shapes, prior.weibull_log_odds, *prompt])
        widths = np.array([*[prior.median_sd, prior.sigma_sd] * 2, prior.weibull_sd])
        self._precision = np.append(widths**-2.0, [0.0, 0.0])

    def __call__(self, theta: FloatArray) -> tuple[float, FloatArray]:
        """Gives the penalised log-likelihood and its gradient.

        Args:
            theta: the nine parameters.
        """
        medians, sigmas = theta[[2, 4]], np.exp(theta[[3, 5]])
        law = _slow(self._logs, medians[self._outcome], sigmas[self._outcome], float(theta[6]))
        law = _with_prompt(law, special.expit(theta[7:])[self._outcome], self._prompt)
        answered, by_answers = self._answered(law[:, 2 * self._silent.size :])
        unseen = law[:, : 2 * self._silent.size].reshape(5, 2, -1)
        share = np.array(shares(theta))
        silence = np.maximum(1 - share @ unseen[0], SMALLEST)
        by_silence = unseen @ (self._silent / silence)
        by_share, by_law = -by_silence[0], by_answers - share * by_silence[1:]
        away = (theta - self.centre)[2:]
        total = math.log1p(math.exp(theta[0]) + math.exp(theta[1]))
        value = self._answers @ (theta[:2] - total) + answered + self._silent @ np.log(silence)
        by_odds = self._answers - self._answers.sum() * share + share * (by_share - share @ by_share)
        shape = np.array([*by_law[:2, 0], *by_law[:2, 1], by_law[2].sum(), *by_law[3]])
        penalty = self._precision * away
        return float(value - 0.5 * penalty @ away), np.concatenate([by_odds, shape - penalty])

    def _answered(self, law: FloatArray) -> tuple[float, FloatArray]:
        """The sum of ln F over answers; its gradient by shape and by outcome."""
        ends = self._blind + self._dated
        law = np.concatenate([law[:, : self._blind], law[:, ends:] - law[:, self._blind : ends]], axis=1)
        share = np.maximum(law[0], SMALLEST)
        return float(self._weight @ np.log(share)), (law[1:] / share) @ self._weight_by_outcome
