"""Rates under silence: how many applications reach an interview when most have not been answered yet.

An application ends in an interview with probability p after a random delay of law F, in a rejection with
probability r after a delay of law G, or is never answered. Silence is then neither failure nor dropped:
a silent application of age t says 1 - pF(t) - rG(t).
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy import special

from layer7.errors import Layer7Error
from layer7.statistics.arrays import Column, FloatArray, column
from layer7.statistics.fitting.profile import Differentiable, Region
from layer7.statistics.rates.effective import effective_rate
from layer7.statistics.rates.intervals import Rate, check_level, wilson
from layer7.statistics.silence.likelihood import NEVER, CureLikelihood, shares
from layer7.statistics.silence.moments import HALF_DAY, DelayLaw, DelayPrior, SilenceMoments
from layer7.statistics.silence.search import highest

LONGEST_WAIT = 3650
PROFILE = "profile likelihood of the cure model"
DEFAULT_PRIOR = DelayPrior()


@dataclass(frozen=True, slots=True, kw_only=True)
class SilenceModel:
    """What a log says once silence is counted for what it is.

    Args:
        interview: share of applications that reach an interview, sooner or later.
        answered: share of applications that are ever answered.
        interview_share: the same p without interval; 0 while no interview was seen.
        rejection_share: share r of applications that are ever rejected without an interview.
        interview_delay: law F of the days until an interview.
        rejection_delay: law G of the days until a rejection.
        n: applications in the log.
        prior_driven: whether the prior weighs more in the law of interview delays than the log does, that is
            whether dated interviews < (sigma / sd of ln median)², both the prior's.

    Example:
        >>> log = SilenceMoments.from_days(interviews=[3, 9], rejections=[5, 20], silent=[200] * 36)
        >>> model = fit_silence(log)
        >>> f"{model.interview.value:.3f} of {model.n:.0f}, prior-driven: {model.prior_driven}"
        '0.050 of 40, prior-driven: True'
    """

    interview: Rate
    answered: Rate
    interview_share: float
    rejection_share: float
    interview_delay: DelayLaw
    rejection_delay: DelayLaw
    n: float
    prior_driven: bool

    def still_comes(self, days: Column) -> FloatArray | None:
        """Chance that an interview still comes, for applications silent for so many days.

        p(1 - F(t)) / (1 - pF(t) - rG(t)).

        Args:
            days: days of silence so far, real-valued, not negative.

        Returns:
            One probability per number of days; None while no interview was ever seen, since then the chance
            cannot be told from zero.

        Example:
            >>> log = SilenceMoments.from_days(interviews=[3, 9], rejections=[5], silent=[200] * 37)
            >>> model = fit_silence(log)
            >>> model.still_comes([0, 14, 60]).round(3).tolist()
            [0.05, 0.01, 0.001]
        """
        if self.interview_share <= 0:
            return None
        ahead, silence = self._ahead_and_silence(days, self.interview_share, self.rejection_share)
        return np.minimum(1.0, self.interview_share * ahead / silence)

    def ghosted_after(self, threshold: float = 0.01) -> int | None:
        """Whole days of silence after which an interview is less likely than the threshold.

        A display label, reversible, never an input to a model.

        Args:
            threshold: probability, between 0 and 1.

        Returns:
            The first such day; None while no interview was seen, or if it takes more than ten years.

        Raises:
            Layer7Error: ``bad_threshold``.

        Example:
            >>> fit_silence(
            ...     SilenceMoments.from_days(interviews=[3, 9], rejections=[5], silent=[200] * 37)
            ... ).ghosted_after()
            15
        """
        if not 0 < threshold < 1:
            raise Layer7Error(
                "bad_threshold", f"The threshold {threshold} is not between 0 and 1.", "0.01 is customary."
            )
        chances = self.still_comes(np.arange(LONGEST_WAIT))
        if chances is None or chances[-1] >= threshold:
            return None
        above = np.flatnonzero(chances >= threshold)
        return int(above[-1]) + 1 if above.size else 0

    def unseen_weight(self, days: Column) -> FloatArray:
        """How much of a trial a silent application takes off, because its interview may be on its way.

        u(t) = min(1, (1 - F(t)) / (1 - pF(t) - rG(t))). At the maximum of the likelihood
        p = k / (n - Σ u) over the silent applications: the E step gives each of them
        p(1 - F)/(1 - pF - rG) interviews to come, the M step divides by n, and solving for p leaves k over
        the trials that have been seen.

        Args:
            days: age of the silent applications, real-valued, not negative; for ages in whole days use
                `unseen_by_day`.

        Returns:
            Weights from 0 (old: a full trial) to 1 (sent just now: no trial yet).

        Source:
            Dempster, Laird and Rubin (1977), JRSS B 39:1-38, section 4.2, for the mixture; derived above.

        Example:
            >>> fit_silence(SilenceMoments()).unseen_weight([0, 5.1, 400]).round(3).tolist()
            [1.0, 0.5, 0.006]
        """
        ahead, silence = self._ahead_and_silence(days, self.interview_share, self.rejection_share)
        return np.minimum(1.0, ahead / silence)

    def unseen_by_day(self, days: int) -> FloatArray:
        """The weights for ages in whole days, rounded down: cell t is `unseen_weight` at t + 1/2.

        Args:
            days: how many cells, from day 0 on.

        Example:
            >>> fit_silence(SilenceMoments()).unseen_by_day(3).round(2).tolist()
            [0.9, 0.75, 0.66]
        """
        return self.unseen_weight(np.arange(days) + HALF_DAY)

    def unanswered_by_day(self, days: int) -> FloatArray:
        """How much of a trial silence takes off when any answer counts, for ages in whole days.

        With A = p + r ever answered and H = (pF + rG) / A the law of the first answer, the fixed point as
        in `unseen_weight` gives (1 - H(t)) / (1 - pF(t) - rG(t)). Where nothing was ever answered, G is H.

        Args:
            days: how many cells, from day 0 on.

        Example:
            >>> fit_silence(SilenceMoments()).unanswered_by_day(3).round(2).tolist()
            [0.96, 0.86, 0.78]
        """
        age = np.arange(days) + HALF_DAY
        heard, rejected = self.interview_delay.cdf(age), self.rejection_delay.cdf(age)
        p, r = self.interview_share, self.rejection_share
        law = (p * heard + r * rejected) / (p + r) if p + r > 0 else rejected
        silence = np.maximum(1 - p * heard - r * rejected, np.maximum(1 - law, np.finfo(float).tiny))
        return np.asarray(np.minimum(1.0, (1 - law) / silence), dtype=np.float64)

    def _ahead_and_silence(self, days: Column, p: float, r: float) -> tuple[FloatArray, FloatArray]:
        age = column("days", days)
        if (age < 0).any():
            raise Layer7Error(
                "bad_counts", "An age is negative.", "Ages are days since submission, 0 or more."
            )
        done = self.interview_delay.cdf(age)
        silence = 1 - p * done - r * self.rejection_delay.cdf(age)
        # With p + r = 1 late silence is nearly impossible; rounding must not make it fall below its parts.
        return 1 - done, np.maximum(silence, np.maximum(p * (1 - done), np.finfo(float).tiny))


def fit_silence(
    moments: SilenceMoments,
    *,
    prior: DelayPrior = DEFAULT_PRIOR,
    level: float = 0.95,
    design_effect: float = 1.0,
    profile: bool = True,
) -> SilenceModel:
    """Fits the competing-risks cure model by penalised maximum likelihood.

    Maximises ln L = Σ ln p(F(d+1) - F(d)) over interviews on day d + Σ ln r(G(d+1) - G(d)) over
    rejections + Σ ln pF(t), Σ ln rG(t) over answers of unknown day + Σ ln(1 - pF(t) - rG(t)) over silence
    of age t + the log density of the prior on the delays; none is put on p and r. Each application counts
    by its own age, so applications of any age may be given.

    Intervals are profile likelihood: all rates at which ln L is within χ²(level) / 2 x design_effect of
    its maximum, whatever the delays. Where nothing is silent, where no interview was seen, and where the
    profile cannot be traced, they are Wilson's on effective trials; ``method`` says which.

    Trust it for a cohort that shares its delays, from about 10 interviews on; below that ``prior_driven``
    may warn that the law of delays is mostly the prior's. Applications count as independent: give the
    design effect where they are not. Measured on 4-week windows with 4.3 % interviews, 500 to 20,000
    applications: the plain rate is 34 % too low, this one 2 % to 3 % too low under log-normal delays and
    5 % to 8 % too high under Weibull ones; its 95 % interval covers in 93 % to 97 % of samples.

    Args:
        moments: the log, counted.
        prior: what is known of the delays.
        level: confidence of the intervals, between 0 and 1.
        design_effect: by how much the variance of a rate exceeds that of independent applications, 1 or more.
        profile: whether intervals are traced; else they are Wilson's, for where only delays are asked for.

    Raises:
        Layer7Error: ``bad_level``; ``bad_design_effect``.

    Source:
        Chapelle (2014), KDD, for the delayed-feedback likelihood; Larson and Dinse (1985), Applied
        Statistics 34:201-211, for the mixture of competing risks; Maller and Zhou (1996), Survival Analysis
        with Long-Term Survivors, for when a cure share can be told.

    Example:
        >>> log = SilenceMoments.from_days(interviews=[1, 4, 6], rejections=[2, 8, 30], silent=range(0, 88))
        >>> rate = fit_silence(log).interview
        >>> f"{rate.value:.3f} ({rate.low:.3f} to {rate.high:.3f}); plain {3 / 94:.3f}"
        '0.035 (0.009 to 0.091); plain 0.032'
    """
    check_level(level)
    if not 1 <= design_effect < np.inf:
        raise Layer7Error(
            "bad_design_effect",
            f"The design effect {design_effect} is below 1.",
            "1 means independent trials.",
        )
    likelihood = CureLikelihood(moments, prior)
    theta, bounds = highest(moments, likelihood, may_be_prompt=prior.may_be_prompt)
    drop = float(special.chdtri(1, 1 - level)) / 2 * design_effect
    region = Region(likelihood, theta, bounds, drop)
    return _model(
        moments, prior, _Fit(region, level, design_effect, traced=profile and bool(moments.silent.any()))
    )


@dataclass(frozen=True, slots=True)
class _Fit:
    """Where the likelihood peaks, and how wide to draw the intervals."""

    region: Region
    level: float
    design_effect: float
    traced: bool

    def rate(self, events: float, trials: float, number: Differentiable) -> Rate:
        """The rate events / trials: by profile of ln(rate) if that is to be traced, else Wilson's."""
        plain = effective_rate(events, trials, 0.0, self.level)
        if plain.value is None:
            return plain
        ends = self.region.range_of(number, 0.0) if self.traced and events > 0 else None
        if ends is not None:
            low, high = min(np.exp(ends[0]), plain.value), max(np.exp(ends[1]), plain.value)
            return replace(plain, low=float(low), high=min(float(high), 1.0), method=PROFILE)
        wide = wilson(events / self.design_effect, trials / self.design_effect, self.level)
        return replace(plain, low=wide.low, high=max(wide.high or 0.0, plain.value))


def _log_interview_share(theta: FloatArray) -> tuple[float, FloatArray]:
    p, r = shares(theta)
    return float(np.log(p)), np.array([1 - p, -r, *[0] * 7])


def _log_answered_share(theta: FloatArray) -> tuple[float, FloatArray]:
    p, r = shares(theta)
    never = 1 - p - r
    return float(np.log(p + r)), np.array([p * never, r * never, *[0] * 7]) / (p + r)


def _model(moments: SilenceMoments, prior: DelayPrior, fitted: _Fit) -> SilenceModel:
    theta = fitted.region.peak
    share = float(special.expit(theta[6]))
    shapes = np.exp(theta[2:6])
    prompt = [float(special.expit(odds)) if odds > NEVER else 0.0 for odds in theta[7:]]
    laws = (
        DelayLaw(float(shapes[0]), float(shapes[1]), share, prompt[0]),
        DelayLaw(float(shapes[2]), float(shapes[3]), share, prompt[1]),
    )
    silent = bool(moments.silent.any())
    p, r = _shares(moments, theta, silent=silent)
    answers = moments.interviewed + moments.rejected
    dated = float(moments.interviews.sum())
    return SilenceModel(
        interview=fitted.rate(
            moments.interviewed,
            moments.interviewed / p if p else _seen(moments, laws, r),
            _log_interview_share,
        ),
        answered=fitted.rate(
            answers,
            answers / (p + r) if p + r else _seen(moments, laws[::-1], 0.0),
            _log_answered_share,
        ),
        interview_share=p,
        rejection_share=r,
        interview_delay=laws[0],
        rejection_delay=laws[1],
        n=moments.n,
        prior_driven=dated < (prior.interview.sigma / prior.median_sd) ** 2,
    )


def _shares(moments: SilenceMoments, theta: FloatArray, *, silent: bool) -> tuple[float, float]:
    """The fitted shares; exact where rounding or a bound of the search would only come close."""
    if not silent and moments.n:
        return moments.interviewed / moments.n, moments.rejected / moments.n
    p, r = shares(theta)
    return (p if moments.interviewed else 0.0), (r if moments.rejected else 0.0)


def _seen(moments: SilenceMoments, laws: tuple[DelayLaw, DelayLaw], r: float) -> float:
    """Effective trials for an outcome that was never seen: n - Σ min(1, (1 - F) / (1 - rG)) over silence."""
    ages = np.arange(moments.silent.size) + HALF_DAY
    unseen = np.minimum(1.0, (1 - laws[0].cdf(ages)) / (1 - r * laws[1].cdf(ages)))
    return moments.n - float(moments.silent @ unseen)
