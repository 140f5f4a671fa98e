"""The last weeks of a log as an experiment would have met them: who came in, what was known at each look."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from layer7.contract.vocabulary import MetricShape
from layer7.errors import Layer7Error
from layer7.experiments.metrics import Metric

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

NEVER = np.inf
DAY = 86_400
MATURE = 60.0
"""Delays are taken from attempts at least so many days old, where there are enough of them."""

ENOUGH_DELAYS = 30
_GOLDEN = (5**0.5 - 1) / 2
"""Multiples of it lie evenly between 0 and 1, however many there are."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Attempts:
    """Attempts of many units; times are days since 1970.

    Args:
        unit: number of the unit, from 0 on.
        began: when each began to count.
        happened: when it succeeded; infinite where it has not.
        settled: when nothing more was to come of it; infinite where something may.
        value: what is averaged over successes; ones where they are counted.
    """

    unit: Ints
    began: Floats
    happened: Floats
    settled: Floats
    value: Floats

    @classmethod
    def none(cls) -> "Attempts":
        """Give no attempts at all."""
        empty = np.zeros(0)
        return cls(unit=np.zeros(0, np.int64), began=empty, happened=empty, settled=empty, value=empty)

    @classmethod
    def of(cls, rows: pa.Table) -> "Attempts":
        """Read what :func:`layer7.analytics.trials.attempts.attempts` gives."""
        unit = rows["person"].combine_chunks().dictionary_encode().indices.to_numpy(zero_copy_only=False)
        times = {name: _seconds(rows, name) / DAY for name in ("began", "happened", "settled")}
        value = np.nan_to_num(rows["value"].to_numpy().astype(np.float64))
        return cls(unit=unit.astype(np.int64), value=value, **times)

    def within(self, start: float, end: float) -> "Attempts":
        """Give those that began from a day up to, but without, another, their units numbered anew."""
        return self._kept((self.began >= start) & (self.began < end), since=start)

    def joining(self, stages: Sequence[tuple[float, float]], start: float) -> "Attempts":
        """Leave out, from a day on, what units do before the stage of a ramp that lets them take part.

        Units are spread evenly over the stages. What was before the day stays, as the log's history.

        Args:
            stages: days after the start from which on a share of the units takes part; the last is 1.
            start: the day on which the first stage begins.
        """
        size = int(self.unit.max(initial=-1)) + 1
        place = np.arange(size) * _GOLDEN % 1.0
        since = np.full(size, NEVER)
        for day, share in reversed(stages):
            since[place < share] = start + day
        return self._kept((self.began < start) | (self.began >= since[self.unit]), since=0.0)

    def _kept(self, rows: npt.NDArray[np.bool_], *, since: float) -> "Attempts":
        """Give some rows, with units numbered anew and time counted from a day on."""
        _, unit = np.unique(self.unit[rows], return_inverse=True)
        return Attempts(
            unit=unit.astype(np.int64),
            began=self.began[rows] - since,
            happened=self.happened[rows] - since,
            settled=self.settled[rows] - since,
            value=self.value[rows],
        )

    def first(self) -> "Attempts":
        """Give one attempt per unit: begun with its first, succeeded with its first success."""
        size = int(self.unit.max(initial=-1)) + 1
        began, happened = np.full(size, NEVER), np.full(size, NEVER)
        np.minimum.at(began, self.unit, self.began)
        np.minimum.at(happened, self.unit, self.happened)
        ones = np.ones(size)
        return Attempts(unit=np.arange(size), began=began, happened=happened, settled=began, value=ones)

    def delays(self, end: float) -> Floats:
        """Give the days from beginning to success, of the mature attempts where there are enough of them."""
        done = np.isfinite(self.happened)
        old = done & (self.began < end - MATURE)
        chosen = old if old.sum() >= ENOUGH_DELAYS else done
        waited: Floats = np.maximum(self.happened[chosen] - self.began[chosen], 0.0)
        return waited


def _seconds(rows: pa.Table, name: str) -> Floats:
    """Seconds as numbers; what has not happened never does."""
    told = rows[name].cast(pa.float64()).to_numpy()
    return np.where(np.isnan(told), NEVER, told)


@dataclass(frozen=True, kw_only=True, eq=False)
class Traffic:
    """A stretch of the log, played as if the experiment had begun with it.

    Args:
        metric: what is measured.
        attempts: those of the stretch; its first moment is day 0.
        looks: days of the looks, the last is the end of the stretch.
        unseen: weight that silence takes off a trial, by its age in whole days; empty where it takes none.
        waits: days from beginning to success, as the whole log shows them.
    """

    metric: Metric
    attempts: Attempts
    looks: tuple[float, ...]
    unseen: Floats
    waits: Floats

    @cached_property
    def units(self) -> int:
        """How many units came in."""
        return int(self.attempts.unit.max(initial=-1)) + 1

    @cached_property
    def begun(self) -> Ints:
        """In which interval between looks each attempt began."""
        return np.searchsorted(self.looks, self.attempts.began, side="right")

    @cached_property
    def seen(self) -> Ints:
        """By which look each success was known; the number of looks where none knew."""
        return np.searchsorted(self.looks, self.attempts.happened, side="right")

    def values(self, look: int) -> tuple[Floats, Floats]:
        """Give numerator and denominator of each attempt as known at a look."""
        rows, day = self.attempts, self.looks[look]
        counted = self.begun <= look
        happened = counted & (self.seen <= look)
        trials = counted.astype(np.float64)
        if self.unseen.size:
            waiting = counted & ~happened & (rows.settled >= day)
            age = np.minimum((day - rows.began[waiting]).astype(np.int64), self.unseen.size - 1)
            trials[waiting] -= self.unseen[age]
        return np.where(happened, rows.value, 0.0), trials

    @cached_property
    def rate(self) -> float:
        """The metric over everybody at the last look; for a mean, per unit."""
        top, bottom = self.values(len(self.looks) - 1)
        below = bottom.sum() if self.metric.shape is MetricShape.RATIO else self.units
        return float(top.sum() / below) if below > 0 else 0.0

    @property
    def counts_successes(self) -> bool:
        """Whether the metric is a share of attempts that succeed, rather than a mean of values."""
        return self.metric.unit == "share"


def replayed(
    attempts: Attempts, metric: Metric, *, end: float, days: int, looks: Sequence[float], unseen: Floats
) -> Traffic:
    """Give the last days of a log as an experiment of that length would have met them.

    Args:
        attempts: of the whole log.
        metric: what they are attempts of.
        end: the end of the log, in days since 1970.
        days: how long the experiment lasts.
        looks: its looks, as shares of its length.
        unseen: what silence takes off a trial, by age in days.

    Raises:
        Layer7Error: ``short_log`` where the log does not reach back so far; ``no_traffic`` where nothing
            began in these days, or nothing ever succeeded.
    """
    first = float(attempts.began.min(initial=NEVER))
    if not first < end:
        raise Layer7Error("no_traffic", f"The log has nothing that {metric.name} counts.", "Take in events.")
    if end - first < days - 1:
        raise Layer7Error(
            "short_log",
            f"The log reaches back {end - first:.0f} days, the experiment is to last {days}.",
            f"Wait {days - (end - first):.0f} more days, or plan a shorter experiment.",
        )
    rows = attempts.within(end - days, end)
    if metric.shape is MetricShape.BINOMIAL:
        rows = rows.first()
    waits = attempts.delays(end)
    if not ((rows.happened < days).any() and waits.size):
        raise Layer7Error(
            "no_traffic",
            f"In the last {days} days of the log nothing happened that {metric.name} is about.",
            "Wait for the first successes.",
        )
    return Traffic(
        metric=metric, attempts=rows, looks=tuple(days * look for look in looks), unseen=unseen, waits=waits
    )
