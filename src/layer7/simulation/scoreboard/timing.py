"""S12a and S12b, timing, and weights of the fit score: is something advised where nothing is planted?"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import partial

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy import stats

from layer7.analytics.applications.delays import to_silence_folds
from layer7.analytics.applications.fates import fate_counts, fated
from layer7.analytics.applications.folds import fold_of
from layer7.analytics.applications.outcomes import LONGEST, outlook
from layer7.analytics.optimizing.within_people import parts_known, sent_rows, to_fit_parts, to_sent
from layer7.configuration import parameter
from layer7.contract.optimization import TimingInsights
from layer7.nightly.measuring import counted
from layer7.optimization.fit_score import PARAMETER, PARTS, weigh
from layer7.optimization.recommendation import Origin
from layer7.optimization.timing import advise
from layer7.simulation.market import Market
from layer7.simulation.run import simulate
from layer7.simulation.scenarios import SCENARIOS
from layer7.simulation.scoreboard.log import Replay, replay
from layer7.simulation.scoreboard.measure import Figure, Kind, Mark, Measure, Pair, Trial, Unit
from layer7.statistics import ScoreParts, Sent, fit_silence, unseen_answers
from layer7.statistics.fitting.logistic import fit_logistic

Floats = NDArray[np.float64]

_START = date(2026, 1, 5)
_PEOPLE, _WEEKS = 300, 12
_SURE, _LEAST = 50, 10
_MORNING, _EARLY = ("06:00-08:00", "08:00-10:00"), "under 2 days"


@dataclass(frozen=True, slots=True, eq=False)
class _Read:
    """What the night reads of one log, and what it says of timing."""

    rows: pa.Table
    sent: Sent
    said: TimingInsights


def advice(market: Market, people: int, weeks: int, seed: int) -> Mapping[str, Pair]:
    """Let the engine look for better times and better weights on the log of one market.

    Args:
        market: what is planted.
        people: how many search.
        weeks: for how long.
        seed: of the dice.
    """
    history = simulate(market, people=people, weeks=weeks, start=_START, rng=np.random.default_rng(seed))
    with replay(history) as log:
        read = _read(log)
        origin = Origin(as_of=log.end)
    served = parameter(PARAMETER).default
    weights = served if isinstance(served, Mapping) else {}
    parts, known = to_fit_parts(read.rows), parts_known(read.rows)
    moved = weigh(parts, known, weights, origin=origin, rng=np.random.default_rng(seed)).recommendation
    naive = orders_better(parts, parts.parts @ [weights[name] for name in PARTS])
    return _timed(read.said, read.sent) | {
        "weights": Pair(Figure(float(moved is not None)), Figure(float(naive)))
    }


def _read(log: Replay) -> _Read:
    now = log.at(log.end).applications
    model = fit_silence(counted(now, log.end))
    fates = fated(now)
    by_fold = fate_counts(fates.mutate(fold=fold_of(fates.person)), ("fold",)).to_pyarrow()
    folds = to_silence_folds(by_fold, log.end)
    rows = sent_rows(now, outlook(model, log.end)).to_pyarrow()
    sent = to_sent(rows, unseen_answers(model, LONGEST))
    served = parameter("follow_up_timing").default
    day = float(served) if isinstance(served, int | float) else 7.0
    people = len(np.unique(sent[0].person))
    return _Read(
        rows, sent[1], advise(sent, folds, day, people=people, origin=Origin(as_of=log.end)).insights
    )


def _timed(said: TimingInsights, answers: Sent) -> dict[str, Pair]:
    """Whether anything is advised, and whether what is planted is."""
    proven = {name for name, factor in said.factors.items() if factor.matters}
    advised = bool(proven) or said.best_day_of_week is not None or said.best_time_of_day is not None
    early = said.factors["posting_age"].levels[_EARLY].interval
    sketched = answers.events.size >= _SURE
    hour = _best(answers, "time_of_day")
    age = _best(answers, "posting_age")
    return {
        "advised": Pair(Figure(float(advised)), Figure(float(sketched))),
        "morning": Pair(
            Figure(float(said.best_time_of_day in _MORNING)), Figure(float(sketched and hour in (3, 4)))
        ),
        "early": Pair(
            Figure(float("posting_age" in proven and early is not None and early[0] > 1)),
            Figure(float(sketched and age == 0)),
        ),
    }


def _best(answers: Sent, name: str) -> int:
    """The sketch's best level: the largest share of applications that were answered so far."""
    codes, levels = answers.factors[name], answers.levels[name]
    n = np.bincount(codes + 1, minlength=levels + 1)[1:]
    heard = np.bincount(codes + 1, answers.events, levels + 1)[1:]
    return int(np.argmax(np.where(n >= _LEAST, heard / np.maximum(n, 1), -1.0)))


def orders_better(log: ScoreParts, served: Floats) -> bool:
    """Whether a logistic regression over everybody orders the very data that it learned from better.

    Args:
        log: applications with the parts of a score.
        served: the score in force of each.
    """
    design = np.column_stack([np.ones(log.events.size), log.parts])
    learned = fit_logistic(design, log.events, np.ones(log.events.size)).coefficients[1:]
    areas = [_area(score, log.events) for score in (log.parts @ learned, served)]
    return areas[0] > areas[1]


def _area(score: Floats, events: Floats) -> float:
    hits = float(events.sum())
    ranks = float(stats.rankdata(score) @ events)
    return (ranks - hits * (hits + 1) / 2) / (hits * (events.size - hits))


_CLAIMS = replace(SCENARIOS["S12b"], outcome_fit_weights=(0.0, 0.0, 0.0, 1.0), fit_slope=0.6)
"""What vendors claim of timing; besides, employers look at one part of the fit score alone, and closely."""


def _trial(name: str, market: Market) -> Trial:
    return Trial(name=name, run=partial(advice, market, _PEOPLE, _WEEKS), short=3, full=200)


_NULL = _trial("S12a timing", SCENARIOS["S12a"])
_TRUE = _trial("S12b timing", _CLAIMS)
_SKETCH = "the largest share of answers, sure from 50 applications on"
FITTED = "a logistic regression orders the data it learned from better"


def _line(scenario: str, name: str, key: str, mark: Mark) -> Measure:
    weights = key == "weights"
    null = mark.low is None
    return Measure(
        scenario=scenario, name=name, unit=Unit.PERCENT, kind=Kind.SHARE, mark=mark,
        naive=FITTED if weights else _SKETCH, trial=_NULL if null else _TRUE, key=key,
    )  # fmt: skip


WEIGHTS = (
    _line("S4", "fit weights changed though those in force are right", "weights", Mark(high=0.05)),
    _line(
        "S4", "fit weights changed where one part alone counts, 20,000 applications", "weights", Mark(0.80)
    ),
)
"""Lines on the weights of the fit score."""

MEASURES = (
    _line("S12a", "a time is advised though none is better", "advised", Mark(high=0.05)),
    _line("S12b", "mornings with twice the odds are named, 20,000 applications", "morning", Mark(low=0.95)),
    _line("S12b", "early applications with three times the odds are named", "early", Mark(low=0.95)),
)
"""Lines on timing."""
