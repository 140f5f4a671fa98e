"""How two arms differ: difference and lift with their standard errors, for means, shares and ratios.

Everything is one calculation: a metric is a function of the means of an arm's columns, and the delta method
turns the covariance of the columns into its variance. Adjustment for data from before the experiment
subtracts theta times the same metric of that time.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from scipy import special

from layer7.errors import Layer7Error
from layer7.statistics.arrays import FloatArray
from layer7.statistics.trials.moments import ArmMoments

LEAST_UNITS = 2
LEAST_CARRIERS = 10.0
"""Units of both arms with something in the numerator below which a ratio is not looked at early."""
ROUNDING = 1e-14
"""A variance that is smaller beside the mean square is what rounding left of zero."""


class MetricKind(StrEnum):
    """What a metric is of an arm's columns.

    MEAN: mean of column 0. SHARE: the same of zeros and ones, with variance p(1 - p). RATIO: mean of column 0
    divided by that of column 1. The columns of a metric from before the experiment stand behind its own.
    """

    MEAN = "mean"
    SHARE = "share"
    RATIO = "ratio"

    @property
    def columns(self) -> int:
        """How many columns the metric reads, without those from before."""
        return 2 if self is MetricKind.RATIO else 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Contrast:
    """Treatment minus control, absolute or relative, with what an interval needs.

    Args:
        estimate: the difference (in the metric's unit) or the lift (a share of the control's value).
        standard_error: of the estimate, not negative.
        freedom: degrees of freedom of the standard error; infinite for large samples.
        n: units of both arms.
    """

    estimate: float
    standard_error: float
    freedom: float
    n: float

    @property
    def z(self) -> float | None:
        """Estimate in standard errors; None without any variance."""
        return self.estimate / self.standard_error if self.standard_error > 0 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What two arms say of a metric.

    Args:
        control: the control's value.
        treatment: the treatment's value.
        difference: treatment minus control.
        lift: difference / abs(control); None where the control is zero.
        effect_size: difference in standard deviations between the control's units; None without variance.
        theta: by how much the metric of before was subtracted; None without adjustment.
    """

    control: float
    treatment: float
    difference: Contrast
    lift: Contrast | None
    effect_size: float | None
    theta: float | None = None


@dataclass(frozen=True, slots=True)
class _Value:
    """A metric of an arm with its gradient in the means of the columns."""

    value: float
    gradient: FloatArray


def compare(
    control: ArmMoments, treatment: ArmMoments, *, kind: MetricKind, before: MetricKind | None = None
) -> Comparison:
    """Compares two arms by the delta method.

    With g(x) the metric as a function of the column means, its variance is g'Σg' / n. Ratio:
    var = (s_m² / d² + s_d² m² / d⁴ - 2 cov m / d³) / n. Lift L = (B - A) / abs(A):
    var = v_B / A² + v_A B² / A⁴. Adjustment (CUPED): Y* = Y - theta X with
    theta = cov(Y, X) / var(X) over both arms; the lift still divides by the unadjusted control.

    Args:
        control: its moments.
        treatment: its moments, of the same columns.
        kind: what the metric is.
        before: what the columns behind the metric's own are, from before the experiment: theta times that is
            subtracted. None for no adjustment.

    Raises:
        Layer7Error: ``too_few_units`` below 2 units in an arm; ``bad_moments`` for other columns than the
            metric has; ``no_denominator`` if a ratio's denominator is zero on average.

    Source:
        Deng, Knoblich and Lu (2018), KDD, eq. 4, for the ratio; Deng, Xu, Kohavi and Walker (2013), WSDM,
        eq. 4, for the adjustment.

    Trust:
        From about 355 skew² units per arm on (Kohavi and others, 2014); below that use exact methods.

    Example:
        >>> a = ArmMoments(n=28, sums=np.array([14.0]), products=np.array([[14.0]]))
        >>> b = ArmMoments(n=30, sums=np.array([16.0]), products=np.array([[16.0]]))
        >>> found = compare(a, b, kind=MetricKind.SHARE)
        >>> f"{found.difference.estimate:.4f} se {found.difference.standard_error:.4f}"
        '0.0333 se 0.1312'
    """
    arms = (control, treatment)
    _check(arms, kind, before)
    plain = [_metric(arm, kind) for arm in arms]
    shown, theta = plain, None
    if before is not None:
        theta = _theta(arms, kind, before)
        shown = [_adjusted(arm, (kind, before), theta) for arm in arms]
    first, second = plain[0].value, plain[1].value
    gap = shown[1].value - shown[0].value
    units = [shown[0].gradient, shown[1].gradient]
    freedom = _freedom(arms, kind, units)
    difference = _contrast(arms, kind, gap, gradients=(-units[0], units[1]), freedom=freedom)
    lift = None
    if first != 0:
        scale = abs(first)
        # The slope in the control's mean is taken at the unadjusted treatment, as gbstats does.
        to_control = (
            -units[0] / scale - (second - first) * math.copysign(1, first) / scale**2 * plain[0].gradient
        )
        to_both = (to_control, units[1] / scale)
        lift = _contrast(arms, kind, gap / scale, gradients=to_both, freedom=freedom)
    spread = math.sqrt(max(_variance(control, kind, plain[0].gradient), 0.0))
    return Comparison(
        control=first,
        treatment=second,
        difference=difference,
        lift=lift,
        effect_size=gap / spread if spread > 0 else None,
        theta=theta,
    )


def is_early(arms: Iterable[ArmMoments], kind: MetricKind) -> bool:
    """Tells whether a ratio has too little in its numerators for the delta method at an early look.

    While silence is not judged yet, trials are few and nearly all of them are those that have succeeded: an
    arm with two successes has a rate near 1, one with none has a rate and a variance of 0, and their
    difference looks many standard errors large. With 10 successes in both arms, all of them fall into one in
    2 of 1,000 experiments.

    Args:
        arms: all that are compared, of all strata.
        kind: the metric.

    Example:
        >>> few = ArmMoments.of([[1.0, 1.0], [1.0, 1.0], [0.0, 0.002]])
        >>> is_early([few, few], MetricKind.RATIO), is_early([few, few], MetricKind.MEAN)
        (True, False)
    """
    return kind is MetricKind.RATIO and sum(arm.carriers for arm in arms) < LEAST_CARRIERS


def stratified(parts: Sequence[Contrast], weights: Sequence[float]) -> Contrast:
    """Combines the contrasts of strata (stages of a ramp, days) with fixed weights.

    estimate = Σ w e, variance = Σ w² se², w the share of the units in the stratum. Pooling the units of
    strata with unequal arms instead can turn the sign (Simpson's paradox).

    Args:
        parts: one contrast per stratum, at least one.
        weights: positive, one per stratum; they are divided by their sum.

    Raises:
        Layer7Error: ``bad_weights``.

    Source:
        Crook, Frasca, Kohavi and Longbotham (2009), KDD, section 4.

    Example:
        >>> part = Contrast(estimate=1.0, standard_error=3.0, freedom=math.inf, n=10)
        >>> stratified([part, part], [1, 1]).standard_error.__round__(4)
        2.1213
    """
    share = np.asarray(weights, dtype=np.float64)
    if not parts or share.shape != (len(parts),) or not np.isfinite(share).all() or (share <= 0).any():
        raise Layer7Error(
            "bad_weights",
            f"{len(parts)} strata with weights {list(weights)}.",
            "Give a positive weight each.",
        )
    share = share / share.sum()
    variances = share**2 * np.array([part.standard_error**2 for part in parts])
    total = float(variances.sum())
    below = sum(variance**2 / part.freedom for variance, part in zip(variances, parts, strict=True))
    return Contrast(
        estimate=float(share @ np.array([part.estimate for part in parts])),
        standard_error=math.sqrt(total),
        freedom=total**2 / below if below > 0 else math.inf,
        n=sum(part.n for part in parts),
    )


def critical_t(contrast: Contrast, alpha: float) -> float:
    """Gives the two-sided critical value of Student's t for one planned look.

    Args:
        contrast: for its degrees of freedom.
        alpha: accepted probability of a false alarm, between 0 and 1.

    Example:
        >>> flat = Contrast(estimate=0, standard_error=1, freedom=math.inf, n=10)
        >>> round(critical_t(flat, 0.05), 3)
        1.96
    """
    if math.isinf(contrast.freedom):
        return float(-special.ndtri(alpha / 2))
    return float(-special.stdtrit(contrast.freedom, alpha / 2))


def p_fixed(contrast: Contrast) -> float | None:
    """Gives the two-sided p-value for one planned look; None without any variance.

    Args:
        contrast: what was found.

    Example:
        >>> p_fixed(Contrast(estimate=0.29, standard_error=0.12478363, freedom=5841.742, n=6868)).__round__(6)
        0.020158
    """
    z = contrast.z
    if z is None:
        return None
    if math.isinf(contrast.freedom):
        return float(2 * special.ndtr(-abs(z)))
    return float(2 * special.stdtr(contrast.freedom, -abs(z)))


def _check(arms: Sequence[ArmMoments], kind: MetricKind, before: MetricKind | None) -> None:
    wanted = kind.columns + (before.columns if before is not None else 0)
    bottoms = [1] if kind is MetricKind.RATIO else []
    bottoms += [kind.columns + 1] if before is MetricKind.RATIO else []
    for arm in arms:
        if arm.n < LEAST_UNITS:
            raise Layer7Error(
                "too_few_units",
                f"An arm has {arm.n:g} units; a difference needs at least {LEAST_UNITS} in each.",
                "Wait for more units.",
            )
        if arm.sums.size < wanted:
            raise Layer7Error(
                "bad_moments", f"A {kind} was given {arm.sums.size} columns.", f"Give {wanted} columns."
            )
        if (arm.sums[bottoms] == 0).any():
            raise Layer7Error(
                "no_denominator", "A ratio's denominator is zero.", "Leave out units without any."
            )


def _metric(arm: ArmMoments, kind: MetricKind, first: int = 0) -> _Value:
    """The metric of the columns from ``first`` on, with its gradient in all columns."""
    mean, gradient = arm.mean, np.zeros(arm.sums.size)
    if kind is MetricKind.RATIO:
        top, bottom = mean[first], mean[first + 1]
        gradient[first], gradient[first + 1] = 1 / bottom, -top / bottom**2
        return _Value(float(top / bottom), gradient)
    gradient[first] = 1.0
    return _Value(float(mean[first]), gradient)


def _theta(arms: Sequence[ArmMoments], kind: MetricKind, before: MetricKind) -> float:
    """The slope of the metric on the metric of before, over both arms; 0 if that did not vary."""
    both = arms[0] + arms[1]
    now, then = _metric(both, kind).gradient, _metric(both, before, kind.columns).gradient
    spread = float(then @ both.covariance @ then)
    return float(now @ both.covariance @ then) / spread if spread > 0 else 0.0


def _adjusted(arm: ArmMoments, kinds: tuple[MetricKind, MetricKind], theta: float) -> _Value:
    now, then = _metric(arm, kinds[0]), _metric(arm, kinds[1], kinds[0].columns)
    return _Value(now.value - theta * then.value, now.gradient - theta * then.gradient)


def _variance(arm: ArmMoments, kind: MetricKind, gradient: FloatArray) -> float:
    """Variance of one unit's part in the metric."""
    spread = float(gradient @ arm.covariance @ gradient)
    size = np.abs(gradient)
    if spread <= ROUNDING * float(size @ np.abs(arm.products) @ size) / arm.n:
        return 0.0
    # A share's variance is p(1 - p), without the correction by n - 1.
    return spread * (arm.n - 1) / arm.n if kind is MetricKind.SHARE else spread


def _freedom(arms: Sequence[ArmMoments], kind: MetricKind, gradients: Sequence[FloatArray]) -> float:
    """Welch's degrees of freedom of the difference; the lift has the same."""
    pairs = zip(arms, gradients, strict=True)
    variances = [max(_variance(arm, kind, gradient), 0.0) / arm.n for arm, gradient in pairs]
    below = sum(v**2 / (arm.n - 1) for v, arm in zip(variances, arms, strict=True))
    return sum(variances) ** 2 / below if below > 0 else math.inf


def _contrast(
    arms: Sequence[ArmMoments],
    kind: MetricKind,
    estimate: float,
    *,
    gradients: Sequence[FloatArray],
    freedom: float,
) -> Contrast:
    pairs = zip(arms, gradients, strict=True)
    total = sum(max(_variance(arm, kind, gradient), 0.0) / arm.n for arm, gradient in pairs)
    units = sum(arm.n for arm in arms)
    return Contrast(estimate=estimate, standard_error=math.sqrt(total), freedom=freedom, n=units)
