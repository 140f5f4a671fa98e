"""What a resume score from 0 to 100 is judged by: counts per score point, and in buckets."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from layer7.errors import Layer7Error
from layer7.statistics.arrays import Column, FloatArray, column, counts
from layer7.statistics.rates.effective import effective_rate
from layer7.statistics.rates.intervals import Rate

POINTS = 101
BUCKETS = ((0, 49), (50, 59), (60, 69), (70, 79), (80, 89), (90, 100))
LEAST_EVENTS = 10
ROUNDING = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class ScoreMoments:
    """Applications, interviews and effective trials per score point; ``a + b`` pools two logs.

    Args:
        n: applications with this score, one cell per point from 0 to 100.
        events: those that reached an interview, at most ``n_eff``.
        n_eff: effective trials, n less the unseen weights of the silent ones
            (`SilenceModel.unseen_weight`), at most ``n``.

    Raises:
        Layer7Error: ``bad_counts`` if a row has not 101 cells, is negative, or events <= n_eff <= n fails;
            ``not_finite``.

    Example:
        >>> log = ScoreMoments.from_rows([70, 70, 90], [0, 1, 1])
        >>> (log + log).n[70], (log + log).total_events
        (np.float64(4.0), 4.0)
    """

    n: FloatArray
    events: FloatArray
    n_eff: FloatArray

    def __post_init__(self) -> None:
        for name in ("n", "events", "n_eff"):
            object.__setattr__(self, name, counts(name, getattr(self, name), length=POINTS))
        slack = ROUNDING * (1 + self.n)
        if (self.events > self.n_eff + slack).any() or (self.n_eff > self.n + slack).any():
            raise Layer7Error(
                "bad_counts",
                "Interviews must not exceed effective trials, nor those the applications, at any score.",
                "Count all three over the same applications.",
            )
        object.__setattr__(self, "n_eff", np.maximum(self.n_eff, self.events))

    @classmethod
    def from_rows(cls, scores: Column, events: Column, unseen: Column = 0.0) -> Self:
        """Counts rows.

        Args:
            scores: resume score of each application, 0 to 100, rounded to whole points.
            events: 1 for each that reached an interview, else 0.
            unseen: unseen weight of each, 0 where it was answered.

        Raises:
            Layer7Error: ``bad_score`` if a score is outside 0 to 100; else as the class.
        """
        points = np.rint(column("scores", scores)).astype(np.int64)
        if ((points < 0) | (points >= POINTS)).any():
            raise Layer7Error("bad_score", "A score is outside 0 to 100.", "Leave out rows without a score.")
        hits, hidden = (np.broadcast_to(column("rows", x), points.shape) for x in (events, unseen))
        n = np.bincount(points, minlength=POINTS).astype(np.float64)
        return cls(
            n,
            np.bincount(points, hits, POINTS).astype(np.float64),
            np.clip(n - np.bincount(points, hidden, POINTS), 0, None).astype(np.float64),
        )

    def __add__(self, other: "ScoreMoments") -> "ScoreMoments":
        return ScoreMoments(self.n + other.n, self.events + other.events, self.n_eff + other.n_eff)

    @property
    def total_events(self) -> float:
        """Interviews at all scores."""
        return float(self.events.sum())

    @property
    def total_n_eff(self) -> float:
        """Effective trials at all scores."""
        return float(self.n_eff.sum())

    @property
    def needed(self) -> str:
        """What is missing before a score can be judged; empty if nothing is.

        At least 10 interviews, 10 effective trials without one, and two different scores.
        """
        hits, misses = self.total_events, self.total_n_eff - self.total_events
        if hits < LEAST_EVENTS:
            return f"{int(np.ceil(LEAST_EVENTS - hits))} more interviews on scored applications"
        if misses < LEAST_EVENTS:
            return f"{int(np.ceil(LEAST_EVENTS - misses))} more scored applications known to end without one"
        return "" if np.count_nonzero(self.n_eff) > 1 else "applications with different scores"

    def require(self) -> None:
        """Refuses to go on while something is missing.

        Raises:
            Layer7Error: ``too_few_events``.
        """
        if self.needed:
            raise Layer7Error("too_few_events", "The score cannot be judged yet.", f"Missing: {self.needed}.")


def rates_by_point(name: str, values: Column) -> FloatArray:
    """Checks a curve: one rate per score point.

    Args:
        name: what the rates are called in an error.
        values: 101 rates between 0 and 1, or one for all points.

    Raises:
        Layer7Error: ``bad_rates``.

    Example:
        >>> rates_by_point("predicted", 0.05).shape
        (101,)
    """
    given = column(name, values)
    rates = np.broadcast_to(given, (POINTS,)) if given.ndim == 0 else given
    if rates.shape != (POINTS,) or (rates < 0).any() or (rates > 1).any():
        raise Layer7Error(
            "bad_rates", f"{name} must hold {POINTS} rates between 0 and 1.", "One per score from 0 to 100."
        )
    return rates


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """One line of the specification's table: a range of scores, what it promised and what came.

    Args:
        label: the range, e.g. ``"70-79"``.
        n: applications in it.
        rate: observed interview rate on effective trials, with its interval.
        expected: mean predicted rate over the effective trials; None in an empty bucket.
        error: expected - observed, positive when too optimistic; None where either is not known.
    """

    label: str
    n: float
    rate: Rate
    expected: float | None
    error: float | None


def bucket_table(moments: ScoreMoments, predicted: Column, *, level: float = 0.95) -> tuple[Bucket, ...]:
    """The specification's buckets (section 5.2), with one more for scores below 50.

    Args:
        moments: the log, counted.
        predicted: interview rate promised at each score point, 101 values.
        level: confidence of the intervals.

    Raises:
        Layer7Error: ``bad_rates``; ``bad_level``.

    Example:
        >>> log = ScoreMoments.from_rows([72] * 50, [1] * 5 + [0] * 45)
        >>> line = bucket_table(log, 0.08)[3]
        >>> line.label, line.rate.value, round(line.error, 3)
        ('70-79', 0.1, -0.02)
    """
    curve = rates_by_point("predicted", predicted)
    return tuple(_bucket(moments, curve, (first, last), level) for first, last in BUCKETS)


def _bucket(moments: ScoreMoments, curve: FloatArray, ends: tuple[int, int], level: float) -> Bucket:
    part = slice(ends[0], ends[1] + 1)
    n, trials = float(moments.n[part].sum()), float(moments.n_eff[part].sum())
    rate = effective_rate(float(moments.events[part].sum()), n, max(n - trials, 0.0), level)
    expected = float(moments.n_eff[part] @ curve[part]) / trials if trials > 0 else None
    return Bucket(
        label="below 50" if ends[0] == 0 else f"{ends[0]}-{ends[1]}",
        n=n,
        rate=rate,
        expected=expected,
        error=None if expected is None or rate.value is None else expected - rate.value,
    )


def pooled(folds: Sequence[ScoreMoments]) -> ScoreMoments:
    """The moments of all folds together.

    Args:
        folds: parts of one log; none gives empty moments.

    Example:
        >>> pooled([ScoreMoments.from_rows([50], [1])] * 3).total_events
        3.0
    """
    parts = [np.zeros((3, POINTS)), *(np.stack([fold.n, fold.events, fold.n_eff]) for fold in folds)]
    return ScoreMoments(*np.sum(parts, axis=0))
