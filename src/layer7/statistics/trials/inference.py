"""From a contrast to an interval and a p-value, with the guarantee under which they may be read."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from layer7.statistics.rates.intervals import Interval
from layer7.statistics.trials.anytime import check_alpha, critical_anytime, p_anytime
from layer7.statistics.trials.contrast import Contrast, critical_t, p_fixed
from layer7.statistics.trials.group_sequential import bounds, information_fractions, p_group_sequential


class Guarantee(StrEnum):
    """Under which way of looking a false alarm stays as rare as said."""

    FIXED = "fixed"
    GROUP_SEQUENTIAL = "gst"
    ANYTIME = "anytime"


@dataclass(frozen=True, slots=True, kw_only=True)
class Looking:
    """How an experiment is looked at.

    Args:
        guarantee: one planned look; a known largest number of units; or as often as one likes.
        alpha: accepted probability of a false alarm, over all looks.
        planned: units of both arms at the planned end; None for one planned look.
        looks: units of both arms, or information, at each look so far; only for group sequential tests.
        spending: share of the plan that each look had reached, by a clock that does not depend on outcomes,
            such as the planned time; empty where alpha is spent by ``looks``. With it, this look is the last
            one named.

    Raises:
        Layer7Error: ``bad_alpha``.
    """

    guarantee: Guarantee = Guarantee.FIXED
    alpha: float = 0.05
    planned: float | None = None
    looks: tuple[float, ...] = ()
    spending: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        check_alpha(self.alpha)

    def at(self, units: float) -> "Looking":
        """Gives the same way of looking with one more look, the one at hand; others do not count looks.

        Args:
            units: of both arms, at least those of the look before.
        """
        if self.guarantee is not Guarantee.GROUP_SEQUENTIAL or units <= 0 or self.spending:
            return self
        return replace(self, looks=(*self.looks, units))

    @property
    def fractions(self) -> tuple[float, ...]:
        """How much of the planned information each look has seen."""
        return information_fractions(self.looks, self.planned or self.looks[-1])

    @property
    def certificate(self) -> str:
        """The guarantee in words."""
        if self.guarantee is Guarantee.FIXED:
            return f"fixed: false alarms in at most {self.alpha:g} of experiments that are read once"
        if self.guarantee is Guarantee.ANYTIME:
            return (
                f"anytime-valid: false alarms in at most {self.alpha:g} of experiments, however often they "
                f"are read (asymptotic confidence sequence, tuned for {self.planned:g} units)"
            )
        seen = self.fractions[-1] if self.looks else 0.0
        reached = f"{seen:.0%} of the planned information"
        if self.spending:
            reached = f"{self.spending[-1]:.0%} of the planned time"
        return (
            f"group sequential: false alarms in at most {self.alpha:g} of experiments over all looks "
            f"(look {len(self.looks)}, {reached}, alpha t² spent)"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Inference:
    """What may be said of a contrast.

    Args:
        estimate: the difference or lift.
        interval: its interval at confidence 1 - alpha; None without any variance: then nothing can be said.
        p_value: two-sided; None with ``interval``.
        looking: how it was looked at.
    """

    estimate: float
    interval: Interval | None
    p_value: float | None
    looking: Looking

    @property
    def is_proven(self) -> bool:
        """Whether zero is excluded."""
        return self.interval is not None and 0.0 not in self.interval


def infer(contrast: Contrast, looking: Looking) -> Inference:
    """Gives interval and p-value of a contrast under a way of looking.

    The interval is estimate ± c se; c is Student's t for one look, the bound of the look for a group
    sequential test (repeated confidence interval), the reach of the confidence sequence at any time. The
    interval excludes zero exactly where the p-value is below alpha.

    Args:
        contrast: what was found.
        looking: how it is looked at.

    Raises:
        Layer7Error: ``bad_plan`` or ``bad_looks`` for a plan without units; ``bad_alpha``.

    Example:
        >>> found = infer(Contrast(estimate=0.3, standard_error=0.1, freedom=math.inf, n=500), Looking())
        >>> f"{found.interval.low:.3f} to {found.interval.high:.3f}, p = {found.p_value:.4f}"
        '0.104 to 0.496, p = 0.0027'
    """
    if contrast.standard_error <= 0:
        return Inference(estimate=contrast.estimate, interval=None, p_value=None, looking=looking)
    reach = critical(contrast, looking) * contrast.standard_error
    return Inference(
        estimate=contrast.estimate,
        interval=Interval(contrast.estimate - reach, contrast.estimate + reach, 1 - looking.alpha),
        p_value=_p_value(contrast, looking),
        looking=looking,
    )


def critical(contrast: Contrast, looking: Looking) -> float:
    """Gives how many standard errors an interval reaches on either side under a way of looking.

    Args:
        contrast: for its units and degrees of freedom.
        looking: how it is looked at.
    """
    match looking.guarantee:
        case Guarantee.FIXED:
            return critical_t(contrast, looking.alpha)
        case Guarantee.GROUP_SEQUENTIAL:
            return bounds(looking.fractions, looking.alpha, spending=looking.spending or None)[-1]
        case Guarantee.ANYTIME:
            return critical_anytime(contrast.n, looking.planned or contrast.n, looking.alpha)


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """Adjusts p-values so that any false alarm among them is as rare as alpha (Holm's step-down).

    Args:
        p_values: between 0 and 1.

    Source:
        Holm (1979), Scandinavian Journal of Statistics 6:65-70.

    Example:
        >>> [round(p, 3) for p in holm([0.005, 0.06, 0.007, 0.04, 0.01, 0.03])]
        [0.03, 0.09, 0.035, 0.09, 0.04, 0.09]
    """
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    adjusted, highest = [0.0] * len(p_values), 0.0
    for rank, at in enumerate(order):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[at]))
        adjusted[at] = highest
    return tuple(adjusted)


def _p_value(contrast: Contrast, looking: Looking) -> float | None:
    match looking.guarantee:
        case Guarantee.FIXED:
            return p_fixed(contrast)
        case Guarantee.GROUP_SEQUENTIAL:
            z = contrast.z
            return (
                None
                if z is None or math.isnan(z)
                else p_group_sequential(looking.fractions, z, spending=looking.spending or None)
            )
        case Guarantee.ANYTIME:
            return p_anytime(contrast, looking.planned or contrast.n)
