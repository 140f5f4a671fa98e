"""Delays of cohorts: each has its own laws, drawn towards those of everyone."""

import math
from collections.abc import Mapping
from functools import reduce
from operator import add

from layer7.statistics.silence.model import DEFAULT_PRIOR, SilenceModel, fit_silence
from layer7.statistics.silence.moments import DelayPrior, SilenceMoments

# Three published searches: medians 5.9, 7.3 and 14.7 days, sigmas 1.52, 1.79 and 1.47. The standard
# deviations of their logs are 0.48 and 0.11.
MEDIAN_SD = 0.48
SIGMA_SD = 0.11
WEIBULL_SD = 1.0
# A share of exactly 0 or 1 has no log odds.
EDGE = 1e-3


def cohort_prior(everyone: SilenceModel) -> DelayPrior:
    """What is known of a cohort's delays once those of everyone are: they are near, not the same.

    Centred on the laws of everyone, as wide as published searches differ from each other: 0.48 in
    ln(median), a factor of 1.6 either way, and 0.11 in ln(sigma). A cohort with few answers gets the laws
    of everyone, one with hundreds its own. The share of prompt answers is that of everyone.

    Args:
        everyone: the model of all cohorts together.

    Example:
        >>> everyone = fit_silence(SilenceMoments.from_days(interviews=[3, 9], silent=[200] * 38))
        >>> cohort_prior(everyone).interview == everyone.interview_delay
        True
    """
    share = min(max(everyone.interview_delay.weibull, EDGE), 1 - EDGE)
    return DelayPrior(
        interview=everyone.interview_delay,
        rejection=everyone.rejection_delay,
        median_sd=MEDIAN_SD,
        sigma_sd=SIGMA_SD,
        weibull_log_odds=math.log(share / (1 - share)),
        weibull_sd=WEIBULL_SD,
        may_be_prompt=False,
    )


def fit_cohorts(
    cohorts: Mapping[str, SilenceMoments], *, prior: DelayPrior = DEFAULT_PRIOR
) -> Mapping[str, SilenceModel]:
    """Fits every cohort with delay laws of its own, shrunk to those of all cohorts together.

    First everyone's laws, from the summed moments and the published prior; then each cohort's, with
    `cohort_prior` in place of the published one. Shares p and r are each cohort's own: none are shrunk here.
    Each cohort is a small part of everyone, so that its answers are hardly counted twice; with two or three
    cohorts the shrinkage is a little too strong.

    Args:
        cohorts: moments by the name of a cohort: a segment, a channel, a month; disjoint.
        prior: what is known of the delays of everyone.

    Returns:
        A model for each name, in the same order, with Wilson's intervals; nothing for no cohorts.

    Source:
        Efron and Morris (1975), JASA 70:311-319, for shrinking parallel estimates to their common centre.

    Example:
        >>> large = SilenceMoments.from_days(interviews=[4] * 20, rejections=[9] * 90, silent=[90] * 390)
        >>> small = SilenceMoments.from_days(interviews=[5], silent=[2] * 9)
        >>> fitted = fit_cohorts({"large": large, "small": small})
        >>> [round(model.interview_delay.median, 1) for model in fitted.values()]
        [4.5, 5.4]
    """
    if not cohorts:
        return {}
    everyone = fit_silence(reduce(add, cohorts.values()), prior=prior, profile=False)
    near = cohort_prior(everyone)
    return {name: fit_silence(moments, prior=near, profile=False) for name, moments in cohorts.items()}
