"""How long something takes when it has not happened to everybody yet."""

from dataclasses import dataclass

import numpy as np

from layer7.errors import Layer7Error
from layer7.statistics.arrays import Column, FloatArray, counts, padded_sum
from layer7.statistics.rates.intervals import check_level, normal_quantile

DRAWS = 400
FEWEST_EVENTS = 10
FEWEST_AT_RISK = 10
METHOD = "cumulative incidence (Aalen-Johansen), resampled"


@dataclass(frozen=True, slots=True, eq=False)
class Incidence:
    """Share of those who began to whom the event has happened by the end of each unit of time.

    Args:
        share: cumulative incidence from unit 0 on.
        error: its standard error, pointwise.
        at_risk: how many were under observation, with nothing decided, when each unit began.
    """

    share: FloatArray
    error: FloatArray
    at_risk: FloatArray

    def interval(self, level: float = 0.95) -> tuple[FloatArray, FloatArray]:
        """Pointwise interval, on the scale ln(-ln(1 - share)) so that it stays between 0 and 1.

        Args:
            level: confidence, between 0 and 1.
        """
        inside = (self.share > 0) & (self.share < 1) & (self.error > 0)
        left = np.where(inside, 1 - self.share, 0.5)
        reach = normal_quantile(level) * self.error / (left * -np.log(left))
        low, high = (1 - left ** np.exp(sign * reach) for sign in (-1, 1))
        return np.where(inside, low, self.share), np.where(inside, high, self.share)


@dataclass(frozen=True, slots=True)
class TimeToEvent:
    """Mean time of those to whom it happens within a horizon; or why it cannot be told.

    Args:
        mean: in units of time; None when it cannot be told.
        low: lower end of its interval; None with ``mean``.
        high: upper end of its interval; None with ``mean``.
        share: of those who begin, to whom it happens within the horizon; None with ``mean``.
        horizon: units of time looked ahead.
        n: how many began.
        events: to how many of them it has happened within the horizon.
        needed: how many more events would be enough; 0 when enough.
    """

    mean: float | None
    low: float | None
    high: float | None
    share: float | None
    horizon: int
    n: int
    events: int
    needed: int


def incidence(events: Column, others: Column, censored: Column) -> Incidence:
    """The Aalen-Johansen estimate of one cause's cumulative incidence, and its pointwise error.

    With d events and o other ends among Y at risk in a unit, S the share with nothing decided before it,
    F(t) = Σ S d/Y. Whoever is censored within a unit counts as at risk through all of it. Without other ends
    it is 1 less the Kaplan-Meier estimate. Trust it when censoring says nothing about what would have
    come, as the end of a log does not.

    Args:
        events: how many had the event in each unit of time, from unit 0 on.
        others: how many ended otherwise.
        censored: how many were last seen in that unit with nothing decided.

    Raises:
        Layer7Error: ``bad_counts``; ``not_finite``.

    Source:
        Aalen and Johansen (1978), Scandinavian Journal of Statistics 5:141-150; variance: Marubini and
        Valsecchi (1995), Analysing Survival Data, eq. 10.12.

    Example:
        >>> found = incidence([1, 1], [0, 0], [0, 2])
        >>> found.share.tolist(), found.at_risk.tolist()
        ([0.25, 0.5], [4.0, 3.0])
    """
    ends, rivals, hidden = _aligned(events, others, censored)
    share, before, at_risk = _curve(ends, rivals, hidden)
    safe = np.maximum(at_risk, 1e-300)
    hazard, rival = ends / safe, rivals / safe
    together = hazard + rival
    # Variance of F(t): three sums over u <= t in which F(t) appears; expanded, so that each is cumulative.
    a = np.divide(
        together, safe * np.maximum(1 - together, 1e-12), where=at_risk > 0, out=np.zeros_like(safe)
    )
    a = np.where(together < 1, a, 0.0)
    b = before**2 * hazard * np.maximum(1 - hazard, 0) / safe
    c = before * hazard / safe
    left = share[:, None] - share[None, :]
    earlier = np.tri(share.size)
    variance = (earlier * (left**2 * a)).sum(axis=1) + np.cumsum(b) - 2 * (earlier * (left * c)).sum(axis=1)
    return Incidence(share, np.sqrt(np.maximum(variance, 0.0)), at_risk)


def time_to_event(
    events: Column,
    others: Column,
    censored: Column,
    *,
    horizon: int,
    rng: np.random.Generator,
    level: float = 0.95,
) -> TimeToEvent:
    """Mean time until the event of those to whom it happens within a horizon, censoring taken into account.

    E(T | T <= h) = Σ (t + 1/2) (F(t) - F(t - 1)) / F(h) with F of :func:`incidence` and h the horizon, or the
    last unit that at least 10 were seen through if that comes earlier. The plain mean over those to whom it
    has happened is too short, since the slow ones are still missing. The interval is by resampling those who
    began. Null below 10 events within the horizon.

    Args:
        events: how many had the event in each unit of time.
        others: how many ended otherwise.
        censored: how many were last seen in that unit with nothing decided.
        horizon: units of time to look ahead, at least 1.
        rng: the dice of the interval.
        level: confidence, between 0 and 1.

    Raises:
        Layer7Error: ``bad_horizon``; ``bad_counts``; ``bad_level``.

    Source:
        Efron (1981), JASA 76:312-319, for the resampling of censored data.

    Example:
        >>> found = time_to_event([8, 4, 2], [0, 0, 0], [0, 6, 40], horizon=3, rng=np.random.default_rng(1))
        >>> round(found.mean, 2), found.events, found.needed
        (1.1, 14, 0)
        >>> time_to_event([3], [0], [9], horizon=4, rng=np.random.default_rng(1)).needed
        7
    """
    if horizon < 1:
        raise Layer7Error("bad_horizon", f"The horizon {horizon} is below 1.", "Give at least one unit.")
    check_level(level)
    parts = np.stack(_aligned(events, others, censored))
    n = round(parts.sum())
    at_risk = _curve(*parts)[2]
    seen = np.flatnonzero(at_risk >= FEWEST_AT_RISK)
    last = min(horizon, int(seen[-1]) + 1 if seen.size else 0)
    happened = round(parts[0, :last].sum())
    if happened < FEWEST_EVENTS:
        return TimeToEvent(None, None, None, None, last, n, happened, FEWEST_EVENTS - happened)
    share = _curve(*parts)[0][:last]
    mean = float(_mean_within(share))
    flat = rng.multinomial(n, parts.ravel() / parts.sum(), size=DRAWS).reshape(DRAWS, *parts.shape)
    drawn = _mean_within(_curve(*np.moveaxis(flat.astype(np.float64), 1, 0))[0][:, :last])
    tail = 50 * (1 - level)
    low, high = np.percentile(drawn, [tail, 100 - tail])
    ends = min(float(low), mean), max(float(high), mean)
    return TimeToEvent(mean, *ends, float(share[-1]), last, n, happened, 0)


def _mean_within(share: FloatArray) -> FloatArray:
    """Mean unit of those to whom it happens; units along the last axis."""
    steps = np.diff(share, prepend=0.0, axis=-1)
    middle = np.arange(share.shape[-1]) + 0.5
    # With at least 10 events a draw without any is all but impossible; it then counts as 0.
    return np.asarray(steps @ middle / np.maximum(share[..., -1], 1e-300), dtype=np.float64)


def _aligned(*histograms: Column) -> tuple[FloatArray, FloatArray, FloatArray]:
    first, second, third = (
        counts(name, histogram)
        for name, histogram in zip(("events", "others", "censored"), histograms, strict=True)
    )
    nothing = np.zeros(max(first.size, second.size, third.size))
    return padded_sum(first, nothing), padded_sum(second, nothing), padded_sum(third, nothing)


def _curve(
    ends: FloatArray, rivals: FloatArray, hidden: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Cumulative incidence, the share undecided before each unit, and how many are at risk in it."""
    leaving = ends + rivals + hidden
    at_risk = leaving[..., ::-1].cumsum(axis=-1)[..., ::-1]
    safe = np.maximum(at_risk, 1e-300)
    undecided = np.cumprod(1 - np.minimum((ends + rivals) / safe, 1.0), axis=-1)
    before = np.concatenate((np.ones_like(undecided[..., :1]), undecided[..., :-1]), axis=-1)
    return np.cumsum(before * ends / safe, axis=-1), before, at_risk
