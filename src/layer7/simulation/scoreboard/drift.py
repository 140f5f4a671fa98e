"""S3, drift: a cohort's true rate falls by two fifths at week 20; how long until the engine says so?

Before the fall, what single people are told of a change of their own rate is counted as false.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from itertools import pairwise

import numpy as np
import pyarrow as pa
from ibis.expr import types as ir

from layer7.analytics.applications.delays import to_silence_moments
from layer7.analytics.applications.fates import fate_counts, fated
from layer7.analytics.applications.outcomes import outlook
from layer7.analytics.performance.falls import fall, recent_weeks
from layer7.analytics.performance.overview import weekly
from layer7.analytics.performance.weeks import law_of, week_moments, week_table
from layer7.simulation.run import simulate
from layer7.simulation.scenarios import SCENARIOS
from layer7.simulation.scoreboard.log import Replay, replay
from layer7.simulation.scoreboard.measure import Figure, Kind, Mark, Measure, Pair, Trial, Unit
from layer7.statistics import fit_silence

_START = date(2026, 1, 5)
_DRIFT, _FIRST, _LAST = 20, 12, 32  # weeks
_A_YEAR = 52
_DAYS = 7.0
# A naive letter says "up, or down, by half this week" by the plain rates of this week and the one before.
_HALF = 0.5
# A naive board turns red when a week's plain rate is under two thirds of the mean of the weeks before.
_RED = 2 / 3


@dataclass(frozen=True, slots=True)
class _Look:
    """What is said at the end of one week: by the board of everybody, and in the letters of single people."""

    board: tuple[bool, bool]
    letters: tuple[frozenset[str], frozenset[str]] = (frozenset(), frozenset())
    people: int = 0


def weekly_looks(people: int, seed: int) -> Mapping[str, Pair]:
    """Look at a market every week, before its rate falls and after, until an alarm is raised.

    Args:
        people: how many join over 30 weeks.
        seed: of the dice.
    """
    rng = np.random.default_rng(seed)
    history = simulate(SCENARIOS["S3"], people=people, weeks=_LAST, start=_START, rng=rng)
    looks: dict[int, _Look] = {}
    with replay(history) as log:
        for week in range(_FIRST, _LAST + 1):
            looks[week] = _look(log, week)
            if week > _DRIFT and looks[week].board[0]:
                break
    engine, naive = ({week: look.board[rule] for week, look in looks.items()} for rule in (0, 1))
    before = [look for week, look in sorted(looks.items()) if week <= _DRIFT]
    return {
        "wait": Pair(_wait(engine), _wait(naive)),
        "false": Pair(_false(engine), _false(naive)),
        "letters": Pair(_told(before, 0), _told(before, 1)),
    }


def _look(log: Replay, week: int) -> _Look:
    """What the engine, and the naive board, say at the end of a week; letters only before the fall."""
    end = log.end - timedelta(weeks=_LAST - week)
    found = log.at(end).applications
    fates = fated(found)
    counted = fate_counts(fates).to_pyarrow()
    night = outlook(fit_silence(to_silence_moments(counted, end)), end)
    weeks = weekly(counted, night)
    rates = weeks["interviews"].to_numpy() / np.maximum(weeks["n"].to_numpy(), 1)
    change = fall(recent_weeks(fates, night).to_pyarrow())
    board = change is not None and change.alarm, bool(rates[-1] < _RED * rates[:-1].mean())
    if week > _DRIFT:
        return _Look(board)
    moments = week_moments(found, night, follow_up=_DAYS).to_pyarrow()
    law = law_of(moments)
    table = week_table(moments, None, mean=law.mean, precision=law.precision)
    return _Look(board, (_names(table.filter(table["changed"])), _halved(found, end)), table.num_rows)


def _names(table: pa.Table) -> frozenset[str]:
    return frozenset(map(str, table["person"].to_pylist()))


def _halved(applications: ir.Table, end: datetime) -> frozenset[str]:
    """Whose plain rate of this week is half as large, or as small, again as that of the week before."""
    sent = applications.filter(applications.submitted_at >= end - timedelta(weeks=2))
    this = sent.submitted_at >= end - timedelta(weeks=1)
    heard = sent.interview_at.notnull()
    weeks = sent.group_by("person").aggregate(
        now=heard.cast("float64").mean(where=this), then=heard.cast("float64").mean(where=~this)
    )
    told = weeks.filter(weeks.then > 0, (weeks.now / weeks.then - 1).abs() >= _HALF)
    return _names(told.select("person").to_pyarrow())


def _told(looks: Sequence[_Look], rule: int) -> Figure:
    """Changes that single people begin to be told of, in all their years."""
    letters = [look.letters[rule] for look in looks]
    begun = sum(len(now - earlier) for earlier, now in pairwise([frozenset[str](), *letters]))
    return Figure(float(begun), sum(look.people for look in looks) / _A_YEAR)


def _wait(looks: Mapping[int, bool]) -> Figure:
    """Weeks from the fall to the first alarm; the whole time that was looked at, if none came."""
    said = [week - _DRIFT for week, alarm in looks.items() if week > _DRIFT and alarm]
    return Figure(float(min(said, default=_LAST - _DRIFT)))


def _false(looks: Mapping[int, bool]) -> Figure:
    """Alarms that begin before the fall, in a year of weekly looks."""
    before = [alarm for week, alarm in sorted(looks.items()) if week <= _DRIFT]
    begun = sum(now and not earlier for earlier, now in zip([False, *before], before, strict=False))
    return Figure(float(begun), len(before) / _A_YEAR)


_TRIAL = Trial(name="S3", run=partial(weekly_looks, 400), short=1, full=130)
_NAIVE = "plain rate of the week < 2/3 of the mean before"

MEASURES = (
    Measure(
        scenario="S3", name="weeks from a fall by 40 % to the alarm of a cohort", unit=Unit.WEEKS,
        kind=Kind.MEAN, mark=Mark(high=8.0), naive=_NAIVE, trial=_TRIAL, key="wait",
    ),
    Measure(
        scenario="S3", name="false alarms of the cohort in a year", unit=Unit.NUMBER,
        kind=Kind.RATE, mark=Mark(high=0.2), naive=_NAIVE, trial=_TRIAL, key="false",
    ),
    Measure(
        scenario="S3", name="changes told to single people before any, in a year of one", unit=Unit.PER_YEAR,
        kind=Kind.RATE, mark=Mark(high=0.2), naive="plain rate of the week up or down by half",
        trial=_TRIAL, key="letters",
    ),
)  # fmt: skip
