"""What the silence model is told: answers by delay, silence by age, and what is known of delays."""

import math
from dataclasses import dataclass, fields
from typing import Self

import numpy as np
from scipy import special

from layer7.errors import Layer7Error
from layer7.statistics.arrays import Column, FloatArray, column, counts, padded_sum

# A whole-day age t is an age somewhere in [t, t + 1); on average this much of the day has passed.
HALF_DAY = 0.5
EARLIEST = 1e-300
# The log of a Weibull delay, brought to median 0 and standard deviation 1: 1 - exp(-exp(scale z + shift)).
GUMBEL_SCALE = math.pi / math.sqrt(6)
GUMBEL_SHIFT = math.log(math.log(2))
HIGHEST = 700.0
# Answers of machines: within the third of a day on average.
PROMPT_RATE = 3.0
HALF = 0.5
HALVINGS = 50


def gumbel_hazard(z: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Slope and value of exp(scale z + shift), the cumulated hazard of a Weibull delay with log-median 0.

    Args:
        z: standardised log delays.

    Example:
        >>> gumbel_hazard(np.zeros(1))[1].round(3).tolist()
        [0.693]
    """
    hazard: FloatArray = np.exp(np.minimum(GUMBEL_SCALE * z + GUMBEL_SHIFT, HIGHEST))
    return GUMBEL_SCALE * hazard, hazard


def prompt_share(days: FloatArray) -> FloatArray:
    """Share of the prompt answers that have come.

    Args:
        days: elapsed days, not negative.

    Example:
        >>> prompt_share(np.array([0.0, 1.0])).round(2).tolist()
        [0.0, 0.95]
    """
    return np.asarray(-np.expm1(-PROMPT_RATE * days), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class DelayLaw:
    """The days until an answer, among the applications that get it: log-normal, with a Weibull share.

    F(t) = (1 - w) Φ(z) + w (1 - 2^(-exp(π z / √6))), z = (ln t - ln median) / sigma, and F(0) = 0.
    Both parts have this median and this standard deviation of ln t; they differ in the late tail, which
    decides how many interviews are still to come. With w = 0 the law is log-normal, with w = 1 Weibull.
    A share a of prompt answers, of which machines give some, comes before: a (1 - exp(-3t)) + (1 - a) F(t).

    Args:
        median: days by which half of the answers have come, without the prompt ones, positive.
        sigma: spread of the log of the delay, positive.
        weibull: the Weibull share w, from 0 to 1.
        prompt: the share a of prompt answers, from 0 to 1.

    Raises:
        Layer7Error: ``bad_delay`` if a parameter is outside its range.

    Example:
        >>> law = DelayLaw(5.0, 1.6)
        >>> law.cdf([0, 5, 30]).round(2).tolist()
        [0.0, 0.5, 0.87]
    """

    median: float
    sigma: float
    weibull: float = 0.0
    prompt: float = 0.0

    def __post_init__(self) -> None:
        positive = 0 < self.median < math.inf and 0 < self.sigma < math.inf
        if not (positive and 0 <= self.weibull <= 1 and 0 <= self.prompt <= 1):
            raise Layer7Error(
                "bad_delay",
                f"Got a delay law of median {self.median}, sigma {self.sigma}, Weibull share {self.weibull}.",
                "Median (days) and sigma (log scale) are positive; shares are between 0 and 1.",
            )

    def standardised(self, days: Column) -> FloatArray:
        """How many sigmas the log of each delay lies from the log of the median.

        Args:
            days: delays in days; 0 and less count as the first instant.
        """
        logs: FloatArray = np.log(np.maximum(column("days", days), EARLIEST))
        return (logs - math.log(self.median)) / self.sigma

    def cdf(self, days: Column) -> FloatArray:
        """Share of the answers that have come after so many days.

        Args:
            days: elapsed days, real-valued.
        """
        z = self.standardised(days)
        _, hazard = gumbel_hazard(z)
        shares: FloatArray = (1 - self.weibull) * special.ndtr(z) - self.weibull * np.expm1(-hazard)
        return (1 - self.prompt) * shares + self.prompt * prompt_share(np.maximum(column("days", days), 0.0))

    @property
    def half(self) -> float:
        """Days by which half of all answers have come, the prompt ones among them.

        Example:
            >>> round(DelayLaw(10.0, 1.0, prompt=0.4).half, 1), DelayLaw(10.0, 1.0).half
            (3.8, 10.0)
        """
        low, high = 0.0, self.median
        if not self.prompt:
            return high
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            low, high = (low, middle) if self.cdf([middle])[0] > HALF else (middle, high)
        return (low + high) / 2


@dataclass(frozen=True, slots=True)
class DelayPrior:
    """What is known of both delay laws before the log speaks: normal on ln(median), ln(sigma), logit(w).

    The centres are published: interviews, 20,102 employer contacts of a correspondence study (median 5.1
    days, sigma 1.77); rejections, any answer in three personal logs (medians 5.9, 7.3 and 14.7 days,
    geometric mean 8.6; sigmas 1.47 to 1.79, mean 1.6). Three of these four prefer the log-normal law, one
    the Weibull, hence a Weibull share near 1/5, loosely held. The widths are far wider than the sources
    differ: one unit of ln(median) is a factor of 2.7 either way.

    Args:
        interview: centre for the delay of interviews; its Weibull share is not used.
        rejection: centre for the delay of rejections; its Weibull share is not used.
        median_sd: standard deviation of ln(median), positive.
        sigma_sd: standard deviation of ln(sigma), positive.
        weibull_log_odds: centre of the log odds of the Weibull share, which both laws have in common.
        weibull_sd: its standard deviation, positive.
        may_be_prompt: whether the log may say that a share of the answers is prompt; else it is the centres'.

    Raises:
        Layer7Error: ``bad_delay`` if a standard deviation is not positive.

    Source:
        Kline, Rose and Walters (2022), Quarterly Journal of Economics 137:1963-2036, replication data.

    Example:
        >>> DelayPrior().interview.median
        5.1
    """

    interview: DelayLaw = DelayLaw(5.1, 1.77)
    rejection: DelayLaw = DelayLaw(8.6, 1.6)
    median_sd: float = 1.0
    sigma_sd: float = 0.5
    weibull_log_odds: float = -1.5
    weibull_sd: float = 2.0
    may_be_prompt: bool = True

    def __post_init__(self) -> None:
        if not all(0 < sd < math.inf for sd in (self.median_sd, self.sigma_sd, self.weibull_sd)):
            raise Layer7Error(
                "bad_delay",
                "A prior's standard deviations must be positive.",
                "Use a large one for ignorance.",
            )


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class SilenceMoments:
    """How many applications were answered after how many whole days, and how old the silent ones are.

    Each array counts applications by whole day from day 0 on; cell d holds the delays (or ages) in
    [d, d + 1), that is, elapsed time rounded down. An application is in exactly one cell of one array: by
    its interview if it reached one, else by its rejection, else by its age. Moments add: ``a + b`` are the
    moments of both logs.

    Args:
        interviews: applications that reached an interview, by days from submission to it.
        rejections: applications rejected without interview, by days from submission to it.
        silent: applications without an answer, by age in days at the time of looking.
        undated_interviews: applications that reached an interview nobody knows the day of, by age.
        undated_rejections: rejections nobody knows the day of, by age.

    Raises:
        Layer7Error: ``bad_counts`` or ``not_finite`` for anything but rows of counts.

    Example:
        >>> week = SilenceMoments(interviews=[1], rejections=[0, 2], silent=[4, 3])
        >>> (week + week).n
        20.0
    """

    interviews: FloatArray
    rejections: FloatArray
    silent: FloatArray
    undated_interviews: FloatArray
    undated_rejections: FloatArray

    def __init__(
        self,
        *,
        interviews: Column = (),
        rejections: Column = (),
        silent: Column = (),
        undated_interviews: Column = (),
        undated_rejections: Column = (),
    ) -> None:
        given = (interviews, rejections, silent, undated_interviews, undated_rejections)
        for field, values in zip(fields(self), given, strict=True):
            object.__setattr__(self, field.name, counts(field.name, values))

    @classmethod
    def from_days(
        cls,
        *,
        interviews: Column = (),
        rejections: Column = (),
        silent: Column = (),
    ) -> Self:
        """Counts rows: one number of days per application, rounded down to whole days.

        Args:
            interviews: days from submission to interview, one per application that reached one.
            rejections: days from submission to rejection, one per rejected application.
            silent: age in days, one per silent application.

        Raises:
            Layer7Error: ``bad_counts`` if a number of days is negative.

        Example:
            >>> SilenceMoments.from_days(interviews=[0.4, 2.5], silent=[1]).interviews.tolist()
            [1.0, 0.0, 1.0]
        """
        return cls(
            interviews=_histogram("interviews", interviews),
            rejections=_histogram("rejections", rejections),
            silent=_histogram("silent", silent),
        )

    def __add__(self, other: "SilenceMoments") -> "SilenceMoments":
        return SilenceMoments(
            **{f.name: padded_sum(getattr(self, f.name), getattr(other, f.name)) for f in fields(self)}
        )

    @property
    def interviewed(self) -> float:
        """Applications that reached an interview, dated or not."""
        return float(self.interviews.sum() + self.undated_interviews.sum())

    @property
    def rejected(self) -> float:
        """Applications rejected without an interview, dated or not."""
        return float(self.rejections.sum() + self.undated_rejections.sum())

    @property
    def n(self) -> float:
        """All applications."""
        return self.interviewed + self.rejected + float(self.silent.sum())


def _histogram(name: str, days: Column) -> FloatArray:
    whole = np.floor(column(name, days)).astype(np.int64)
    if (whole < 0).any():
        raise Layer7Error(
            "bad_counts",
            f"{name} holds a negative number of days.",
            "An answer cannot come before the application.",
        )
    return np.bincount(whole).astype(np.float64)
