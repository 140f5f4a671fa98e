"""Arms that are more than their moments: how many units have each value, and how long units waited."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from layer7.errors import Layer7Error
from layer7.statistics.arrays import FloatArray
from layer7.statistics.rates.time_to_event import FEWEST_AT_RISK
from layer7.statistics.trials.contrast import LEAST_UNITS, Comparison, Contrast

Z = 1.96
"""How many standard errors beside a quantile its order statistics are read."""

Ordered = tuple[float, float, float]
"""Order statistics of an arm: Z standard errors below a quantile, the quantile, Z above."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantile:
    """A quantile of the units' values.

    Args:
        share: of the units that lie below it, between 0 and 1.
    """

    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class FreeTime:
    """Mean time without the event within a horizon (restricted mean).

    Args:
        horizon: time looked at, positive; a whole number where waits are.
        whole: whether waits are told in whole units of time, as those of days are.
    """

    horizon: float
    whole: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Spectrum:
    """How many units of an arm have each value; two of them add.

    Args:
        values: ascending, shape (k,); of a wait, the last whole unit of time that was seen through.
        counts: units with each value, shape (k,).
        happened: of these, those to whom the event happened then; all of them where values are no waits.

    Raises:
        Layer7Error: ``bad_counts`` for values out of order or counts that cannot be.
    """

    values: FloatArray
    counts: FloatArray
    happened: FloatArray

    def __post_init__(self) -> None:
        shapes = {self.values.shape, self.counts.shape, self.happened.shape}
        ordered = bool((np.diff(self.values) > 0).all()) and bool(np.isfinite(self.values).all())
        if (
            len(shapes) > 1
            or not ordered
            or not (self.counts >= self.happened).all()
            or (self.happened < 0).any()
        ):
            raise Layer7Error(
                "bad_counts", "A spectrum has ascending values, each with its units.", "Add equal values up."
            )

    @property
    def n(self) -> float:
        """How many units there are."""
        return float(self.counts.sum())

    def __add__(self, other: "Spectrum") -> "Spectrum":
        """Give the spectrum of the units of both."""
        values = np.union1d(self.values, other.values)
        counts, happened = np.zeros(values.size), np.zeros(values.size)
        for part in (self, other):
            at = np.searchsorted(values, part.values)
            counts[at] += part.counts
            happened[at] += part.happened
        return Spectrum(values=values, counts=counts, happened=happened)


def order_statistics(arm: Spectrum, share: float) -> Ordered:
    """Give a quantile and the order statistics about one interval beside it.

    The quantiles q - d, q and q + d with d = 1.96 sqrt(q (1 - q) / n), linear between units, at most the
    arm's own smallest and largest.

    Args:
        arm: its units, at least 2.
        share: the quantile, between 0 and 1.

    Raises:
        Layer7Error: ``too_few_units``.

    Example:
        >>> ten = Spectrum(values=np.arange(10.0), counts=np.ones(10), happened=np.ones(10))
        >>> [round(value, 2) for value in order_statistics(ten, 0.5)]
        [1.71, 4.5, 7.29]
    """
    if arm.n < LEAST_UNITS:
        raise Layer7Error(
            "too_few_units", f"An arm has {arm.n:g} units with a value.", "Wait for more units."
        )
    reach = Z * math.sqrt(share * (1 - share) / arm.n)
    ends = np.cumsum(arm.counts)

    def at(place: float) -> float:
        rank = min(max(place, 0.0), 1.0) * (arm.n - 1)
        below, above = (
            arm.values[np.searchsorted(ends, rank_of(rank), side="right")] for rank_of in (np.floor, np.ceil)
        )
        return float(below + (rank - math.floor(rank)) * (above - below))

    return at(share - reach), at(share), at(share + reach)


def compare_ordered(control: Ordered, treatment: Ordered, n: float) -> Comparison:
    """Compare a quantile of two arms; each arm's standard error is (high - low) / (2 x 1.96).

    Args:
        control: its order statistics.
        treatment: its order statistics.
        n: units of both arms.

    Source:
        The interval of order statistics is that of David and Nagaraja (2003), *Order Statistics*, section
        7.1; its width as a standard error follows Deng, Knoblich and Lu (2018), KDD, section 4.

    Trust:
        Where values are nearly continuous about the quantile. Where many units share one value, order
        statistics do not differ, and nothing is said.

    Example:
        >>> found = compare_ordered((4.0, 5.0, 6.0), (5.5, 6.5, 7.5), 800)
        >>> found.difference.estimate, round(found.difference.standard_error, 3)
        (1.5, 0.722)
    """
    (a_low, a, a_high), (b_low, b, b_high) = control, treatment
    errors = ((a_high - a_low) / (2 * Z), (b_high - b_low) / (2 * Z))
    return _comparison((a, b), errors, n)


def free_time(arm: Spectrum, kind: FreeTime) -> tuple[float, float]:
    """Give the restricted mean time without the event, and its standard error.

    With S the share without the event (Kaplan and Meier), the mean is the area under S up to the horizon, and
    its variance Σ A(t)² d(t) / (Y(t) (Y(t) - d(t))), A(t) the area that remains behind the events d(t) at t,
    and Y(t) the units at risk. A wait in whole units has its event at the middle of the unit, and is hidden
    at its end.

    Args:
        arm: waits; whoever had no event by the end of the log is censored there.
        kind: how long is looked at, and how waits are told.

    Raises:
        Layer7Error: ``too_few_units`` while fewer than 10 units were seen through all of the horizon.

    Source:
        Royston and Parmar (2013), BMC Medical Research Methodology 13:152, eq. 1; variance: Andersen, Hansen
        and Klein (2004), Lifetime Data Analysis 10:335-350.

    Trust:
        Where it is the end of the log that hides the rest, which says nothing of what would have come.

    Example:
        >>> tens = np.array([10.0, 30.0])
        >>> waits = Spectrum(values=np.array([0.0, 1.0]), counts=tens, happened=np.array([10.0, 10.0]))
        >>> mean, error = free_time(waits, FreeTime(horizon=2, whole=True))
        >>> round(mean, 3), round(error, 3)
        (1.5, 0.097)
    """
    _check_seen(arm, kind)
    times, events, at_risk = _course(arm, kind)
    share = np.concatenate(([1.0], np.cumprod(1 - events / at_risk)))
    area = share * np.diff(times, prepend=0.0, append=kind.horizon)
    remains = np.cumsum(area[::-1])[::-1][1:]
    left = np.maximum(at_risk - events, 1e-300)
    steps = np.where(remains > 0, remains**2 * events / (at_risk * left), 0.0)
    return float(area.sum()), math.sqrt(float(steps.sum()))


def _course(arm: Spectrum, kind: FreeTime) -> tuple[FloatArray, FloatArray, FloatArray]:
    """When units leave within the horizon, to how many of them the event happens then, and who is at risk."""
    happens, hides = (0.5, 1.0) if kind.whole else (0.0, 0.0)
    ends = np.concatenate((arm.values + happens, arm.values + hides))
    times, place = np.unique(ends, return_inverse=True)
    events, leaving = np.zeros(times.size), np.zeros(times.size)
    np.add.at(events, place[: arm.values.size], arm.happened)
    np.add.at(leaving, place, np.concatenate((arm.happened, arm.counts - arm.happened)))
    at_risk = leaving[::-1].cumsum()[::-1]
    inside = (times < kind.horizon) & (leaving > 0)
    return times[inside], events[inside], at_risk[inside]


def _check_seen(arm: Spectrum, kind: FreeTime) -> None:
    """Refuse an arm of which too few units were seen for so long, while others were hidden before."""
    last = kind.horizon - kind.whole
    watched = float(arm.counts[arm.values >= last].sum())
    early = arm.values < last
    hidden = (arm.counts - arm.happened)[early].any()
    if arm.n < LEAST_UNITS or (hidden and watched < FEWEST_AT_RISK):
        unit = "days" if kind.whole else "units of time"
        raise Layer7Error(
            "too_few_units",
            f"{watched:.0f} units of an arm were seen through {kind.horizon:g} {unit}.",
            "Wait until enough units have been in the experiment for so long, or look at a shorter time.",
        )


def common_horizon(arms: Sequence[Spectrum]) -> float | None:
    """Give the longest time through which at least 10 units of every arm were seen; None where there is none.

    Where nobody is hidden, it is the longest wait.

    Args:
        arms: waits of each.

    Example:
        >>> arm = Spectrum(values=np.array([3.0, 8.0]), counts=np.array([9.0, 12.0]), happened=np.zeros(2))
        >>> common_horizon([arm])
        8.0
    """
    hidden = [arm for arm in arms if (arm.counts > arm.happened).any()]
    if not hidden:
        return max((float(arm.values[-1]) for arm in arms if arm.n), default=0.0) or None
    ends = []
    for arm in hidden:
        enough = arm.values[np.cumsum(arm.counts[::-1])[::-1] >= FEWEST_AT_RISK]
        ends.append(float(enough[-1]) if enough.size else 0.0)
    return min(ends) or None


def compare_spectra(control: Spectrum, treatment: Spectrum, kind: Quantile | FreeTime) -> Comparison:
    """Compare two arms by a quantile, or by the time without an event.

    Args:
        control: its units.
        treatment: its units.
        kind: what is compared.

    Raises:
        Layer7Error: ``too_few_units``.
    """
    n = control.n + treatment.n
    if isinstance(kind, Quantile):
        ordered = [order_statistics(arm, kind.share) for arm in (control, treatment)]
        return compare_ordered(ordered[0], ordered[1], n)
    (a, a_error), (b, b_error) = (free_time(arm, kind) for arm in (control, treatment))
    return _comparison((a, b), (a_error, b_error), n)


def _comparison(values: tuple[float, float], errors: tuple[float, float], n: float) -> Comparison:
    """The difference and the lift of two independent estimates, by the delta method."""
    (a, b), error = values, math.hypot(*errors)
    lift = None
    if a != 0:
        relative = math.sqrt(errors[1] ** 2 / a**2 + b**2 * errors[0] ** 2 / a**4)
        lift = Contrast(estimate=(b - a) / abs(a), standard_error=relative, freedom=math.inf, n=n)
    difference = Contrast(estimate=b - a, standard_error=error, freedom=math.inf, n=n)
    return Comparison(control=a, treatment=b, difference=difference, lift=lift, effect_size=None)
