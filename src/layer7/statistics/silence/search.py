"""Where the likelihood of rates under silence is highest: where to begin, and how far to look."""

import math

import numpy as np
from scipy import special

from layer7.statistics.arrays import FloatArray
from layer7.statistics.fitting.profile import Bounds, maximise
from layer7.statistics.silence.likelihood import NEVER, CureLikelihood
from layer7.statistics.silence.moments import HALF_DAY, SilenceMoments

FARTHEST = 15.0
REACH = 5.0
PROMPT_FROM = 200
"""Dated answers of a kind from which on it is asked whether some of them come at once."""

PROMPT_GAIN = 10.0
"""By how much ln L has to rise for it."""

PROMPT_RANGE = (-6.0, 6.0)
LEAST_ANSWERS = 3.0
SPREADS = (0.2, 3.0)
WIDE = math.log(4.0)
"""Log delays do not spread by more: such a law is looked for again from elsewhere."""


def highest(
    moments: SilenceMoments, likelihood: CureLikelihood, *, may_be_prompt: bool
) -> tuple[FloatArray, Bounds]:
    """Find where the likelihood is highest; gives that place, and the bounds it was looked for in.

    Args:
        moments: the log, counted.
        likelihood: the likelihood of it.
        may_be_prompt: whether a share of the answers may turn out to be prompt.

    Example:
        >>> from layer7.statistics.silence.moments import DelayPrior
        >>> log = SilenceMoments.from_days(interviews=[3, 9], rejections=[5], silent=[200] * 37)
        >>> peak, _ = highest(log, CureLikelihood(log, DelayPrior()), may_be_prompt=True)
        >>> round(float(np.exp(peak[0]) / (1 + np.exp(peak[:2]).sum())), 3)
        0.05
    """
    bounds = _bounds(moments, likelihood)
    theta = maximise(likelihood, _start(moments, likelihood), bounds)
    if theta[[3, 5]].max() > WIDE:
        other = maximise(likelihood, _start_of_answers(moments, likelihood, first=0), bounds)
        theta = max(theta, other, key=lambda each: likelihood(each)[0])
    return _asked_for_prompt(moments, likelihood, theta, bounds) if may_be_prompt else (theta, bounds)


def _asked_for_prompt(
    moments: SilenceMoments, likelihood: CureLikelihood, theta: FloatArray, bounds: Bounds
) -> tuple[FloatArray, Bounds]:
    """Let a share of the answers be prompt where many answers say so: machines that reject within hours.

    Without it, the laws of a log with prompt and late answers are so wide that most answers seem to be still
    to come.
    """
    seen = [float(dated.sum()) >= PROMPT_FROM for dated in (moments.interviews, moments.rejections)]
    if not any(seen) or (theta[7:] > NEVER).any():
        return theta, bounds
    wider = [
        *bounds[:7],
        *(PROMPT_RANGE if some else bound for some, bound in zip(seen, bounds[7:], strict=True)),
    ]
    start = _start_of_answers(moments, likelihood, first=1)
    at_once = [
        float(dated[:1].sum() / max(dated.sum(), 1.0)) for dated in (moments.interviews, moments.rejections)
    ]
    start[7:][seen] = special.logit(np.clip(at_once, 0.05, 0.9))[seen]
    found = maximise(likelihood, start, wider)
    better = likelihood(found)[0] > likelihood(theta)[0] + PROMPT_GAIN
    return (found, wider) if better else (theta, bounds)


def _bounds(moments: SilenceMoments, likelihood: CureLikelihood) -> Bounds:
    bounds = [(-FARTHEST, FARTHEST)] * 2 + [(c - REACH, c + REACH) for c in likelihood.centre[2:7]]
    # What is known of prompt answers beforehand is not estimated again.
    bounds += [(c, c) for c in likelihood.centre[7:]]
    # An outcome that was never seen has share 0 and the prior's delay.
    for seen, which, law in ((moments.interviewed, 0, (2, 3)), (moments.rejected, 1, (4, 5))):
        if seen == 0:
            bounds[which] = (NEVER, NEVER)
            for i in law:
                bounds[i] = (likelihood.centre[i], likelihood.centre[i])
    return bounds


def _start(moments: SilenceMoments, likelihood: CureLikelihood) -> FloatArray:
    theta = likelihood.centre.copy()
    never = moments.silent.sum() * 0.8 + 0.5
    theta[0] = np.log(max(moments.interviewed, 1e-12) / never)
    theta[1] = np.log(max(moments.rejected, 1e-12) / never)
    return theta


def _start_of_answers(moments: SilenceMoments, likelihood: CureLikelihood, *, first: int) -> FloatArray:
    """Begin at the middle and the spread of the answers from a day on, where the prior's laws are far off.

    From there a search may end where half of the answers take for ever: as likely a story of the log alone.
    """
    theta = _start(moments, likelihood)
    for dated, place in ((moments.interviews, 2), (moments.rejections, 4)):
        n = dated[first:]
        if n.sum() < LEAST_ANSWERS:
            continue
        logs = np.log(np.arange(first, dated.size) + HALF_DAY)
        spread = np.sqrt(np.average((logs - np.average(logs, weights=n)) ** 2, weights=n))
        theta[place] = logs[np.searchsorted(n.cumsum(), n.sum() / 2)]
        theta[place + 1] = np.log(np.clip(spread, *SPREADS))
    return theta
