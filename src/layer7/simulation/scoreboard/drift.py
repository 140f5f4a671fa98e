"""S3, drift: a cohort's true rate falls by two fifths at week 20; how long until the engine says so?"""

from collections.abc import Mapping
from datetime import date, timedelta
from functools import partial

import numpy as np

from layer7.analytics.delays import to_silence_moments
from layer7.analytics.fates import fate_counts, fated
from layer7.analytics.outcomes import outlook
from layer7.analytics.overview import weekly
from layer7.analytics.report import fallen
from layer7.simulation.run import simulate
from layer7.simulation.scenarios import SCENARIOS
from layer7.simulation.scoreboard.log import Replay, replay
from layer7.simulation.scoreboard.measure import Figure, Kind, Mark, Measure, Pair, Trial, Unit
from layer7.statistics import fit_silence

_START = date(2026, 1, 5)
_DRIFT, _FIRST, _LAST = 20, 12, 32  # weeks
_A_YEAR = 52
# A naive board turns red when a week's plain rate is under two thirds of the mean of the weeks before.
_RED = 2 / 3


def weekly_looks(people: int, seed: int) -> Mapping[str, Pair]:
    """Look at a market every week, before its rate falls and after, until an alarm is raised.

    Args:
        people: how many join over 30 weeks.
        seed: of the dice.
    """
    rng = np.random.default_rng(seed)
    history = simulate(SCENARIOS["S3"], people=people, weeks=_LAST, start=_START, rng=rng)
    engine: dict[int, bool] = {}
    naive: dict[int, bool] = {}
    with replay(history) as log:
        for week in range(_FIRST, _LAST + 1):
            engine[week], naive[week] = _look(log, week)
            if week > _DRIFT and engine[week]:
                break
    return {
        "wait": Pair(_wait(engine), _wait(naive)),
        "false": Pair(_false(engine), _false(naive)),
    }


def _look(log: Replay, week: int) -> tuple[bool, bool]:
    """Whether the engine, and the naive board, raise an alarm at the end of a week."""
    end = log.end - timedelta(weeks=_LAST - week)
    found = log.at(end).applications
    counted = fate_counts(fated(found)).to_pyarrow()
    weeks = weekly(counted, outlook(fit_silence(to_silence_moments(counted, end)), end))
    rates = weeks["interviews"].to_numpy() / np.maximum(weeks["n"].to_numpy(), 1)
    change = fallen(weeks)
    return change is not None and change.alarm, bool(rates[-1] < _RED * rates[:-1].mean())


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
)  # fmt: skip
