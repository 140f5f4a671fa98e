"""S4, calibration: what the engine says of a resume score whose worth is known."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache, partial

import numpy as np
from numpy.typing import NDArray

from layer7.analytics.applications.outcomes import outlook
from layer7.analytics.optimizing.scores import score_moments, scored_people, to_folds, to_people
from layer7.configuration import parameter
from layer7.nightly.measuring import counted
from layer7.optimization.recommendation import Origin
from layer7.optimization.resume_score import PARAMETER, Calibration, calibrate
from layer7.optimization.resume_score_words import RANGES
from layer7.simulation.run import Simulation, simulate
from layer7.simulation.scenarios import SCENARIOS
from layer7.simulation.scoreboard.censoring import share_logged
from layer7.simulation.scoreboard.log import replay
from layer7.simulation.scoreboard.measure import Figure, Kind, Mark, Measure, Pair, Trial, Unit
from layer7.statistics import ScoreMoments, calibration_test, fit_curve, fit_silence, squared_errors
from layer7.statistics.scores.calibration import plain_ece
from layer7.statistics.scores.moments import BUCKETS, POINTS, pooled

Floats = NDArray[np.float64]

_START = date(2026, 1, 5)
_WEEKS = 12
# The specification's table, and from which error on its rule recalibrates (section 5.2).
_SKETCHED_RANGES = RANGES[1:]
_SKETCHED_ERROR = 0.02
# A market of its own, never used to learn from; 300 applications per score point even at the edges.
_TRUTH_PEOPLE, _TRUTH_SEED = 6_000, 20_261_125


@dataclass(frozen=True, slots=True, eq=False)
class Judgement:
    """What was said of one market's resume score.

    Args:
        said: the engine's judgement of the served map.
        moments: what it read, per score.
        plain: interviews / applications per range, counting silence as failure; None where it is empty.
    """

    said: Calibration
    moments: ScoreMoments
    plain: Mapping[str, float | None]


@cache
def truth() -> ScoreMoments:
    """Count what the resume score is worth in this market: chances of an interview that is ever logged."""
    history = _market(_TRUTH_PEOPLE, _TRUTH_SEED)
    rows = history.applications.filter(history.applications["submitted"])
    point = np.floor(rows["resume_score"].to_numpy() + 0.5).astype(np.int64)
    chance = rows["probability"].to_numpy() * share_logged(history)
    n = np.bincount(point, minlength=POINTS).astype(np.float64)
    return ScoreMoments(n, np.bincount(point, chance, POINTS).astype(np.float64), n)


@cache
def true_map() -> Mapping[str, float]:
    """Give the map that promises what comes: the true rate of each range, never falling."""
    moments = truth()
    rates = [moments.events[low : high + 1].sum() / moments.n[low : high + 1].sum() for low, high in BUCKETS]
    return dict(zip(RANGES, np.maximum.accumulate(rates).tolist(), strict=True))


def judge_score(people: int, served: Mapping[str, float], seed: int) -> Judgement:
    """Let the engine judge a map of promised rates on the log of one market.

    Args:
        people: how many search for 12 weeks.
        served: the map in force.
        seed: of the dice.
    """
    with replay(_market(people, seed)) as log:
        found = log.at(log.end).applications
        night = outlook(fit_silence(counted(found, log.end)), log.end)
        folds = to_folds(score_moments(found, night).to_pyarrow())
        persons = to_people(scored_people(found, night).to_pyarrow())
        said = calibrate(
            folds, persons, served, origin=Origin(as_of=log.end), rng=np.random.default_rng(seed)
        )
    everyone = pooled(folds)
    return Judgement(said, everyone, _plain(everyone))


def _market(people: int, seed: int) -> Simulation:
    rng = np.random.default_rng(seed)
    return simulate(SCENARIOS["S4"], people=people, weeks=_WEEKS, start=_START, rng=rng)


def _plain(moments: ScoreMoments) -> Mapping[str, float | None]:
    sums = [(moments.events[low : high + 1].sum(), moments.n[low : high + 1].sum()) for low, high in BUCKETS]
    return {
        name: float(events / n) if n > 0 else None for name, (events, n) in zip(RANGES, sums, strict=True)
    }


def sketched_rule(plain: Mapping[str, float | None], served: Mapping[str, float]) -> bool:
    """The specification's rule: recalibrate when the mean error over the filled ranges is 0.02 or more."""
    errors = [abs(rate - served[name]) for name in _SKETCHED_RANGES if (rate := plain[name]) is not None]
    return bool(errors) and float(np.mean(errors)) >= _SKETCHED_ERROR


def recalibrated(people: int, seed: int) -> Mapping[str, Pair]:
    """Compare the engine's curve with the truth, on applications that it was not fitted on.

    The naive curve is the plain rate of each range, silence counted as failure.

    Args:
        people: how many search for 12 weeks.
        seed: of the dice.
    """
    served = parameter(PARAMETER).default
    found = judge_score(people, served if isinstance(served, Mapping) else {}, seed)
    curve = fit_curve(found.moments).rates
    steps = np.empty(POINTS)
    for name, (low, high) in zip(RANGES, BUCKETS, strict=True):
        steps[low : high + 1] = found.plain[name] or 0.0
    engine, naive = _against_truth(curve), _against_truth(steps)
    pairs = {key: Pair(Figure(engine[key]), Figure(naive[key])) for key in engine}
    wrong = found.said.recommendation is not None
    sketched = sketched_rule(found.plain, served if isinstance(served, Mapping) else {})
    return pairs | {"found": Pair(Figure(float(wrong)), Figure(float(sketched)))}


def _against_truth(rates: Floats) -> Mapping[str, float]:
    fresh = truth()
    test = calibration_test(fresh, rates)
    flat = np.full(POINTS, fresh.total_events / fresh.total_n_eff)
    best = fresh.events / np.maximum(fresh.n, 1)
    worst, mine, least = (squared_errors(fresh, curve).total for curve in (flat, rates, best))
    return {
        "slope": test.slope or 0.0,
        "level": float(fresh.n_eff @ rates) / fresh.total_events - 1,
        "ece": plain_ece(fresh, rates, bins=10),
        "skill": (worst - mine) / (worst - least),
    }


def perfect(people: int, seed: int) -> Mapping[str, Pair]:
    """Serve the map that is true, and see who wants to change it.

    Args:
        people: how many search for 12 weeks.
        seed: of the dice.
    """
    found = judge_score(people, true_map(), seed)
    wrong = found.said.recommendation is not None
    sketched = sketched_rule(found.plain, true_map())
    return {"false": Pair(Figure(float(wrong)), Figure(float(sketched)))}


_LARGE = Trial(name="S4 learned", run=partial(recalibrated, 350), short=4, full=200)
_PERFECT = Trial(name="S4 perfect", run=partial(perfect, 350), short=3, full=200)
_FEW = Trial(name="S4 perfect, few", run=partial(perfect, 8), short=12, full=400)
_RULE = "error of the ranges ≥ 0.02"
_RATES = "plain rate per range"

MEASURES = (
    Measure(
        scenario="S4", name="slope of the learned curve, 25,000 applications", unit=Unit.NUMBER,
        kind=Kind.MEAN, mark=Mark(0.9, 1.1), naive=_RATES, trial=_LARGE, key="slope",
    ),
    Measure(
        scenario="S4", name="its promises are too high by", unit=Unit.PERCENT,
        kind=Kind.MEAN, mark=Mark(-0.05, 0.05), naive=_RATES, trial=_LARGE, key="level",
    ),
    Measure(
        scenario="S4", name="its equal-mass calibration error", unit=Unit.POINTS,
        kind=Kind.MEAN, mark=Mark(high=0.01), naive=_RATES, trial=_LARGE, key="ece",
    ),
    Measure(
        scenario="S4", name="its share of the Brier skill that the score can have", unit=Unit.PERCENT,
        kind=Kind.MEAN, mark=Mark(low=0.60), naive=_RATES, trial=_LARGE, key="skill",
    ),
    Measure(
        scenario="S4", name="the specification's map is found wrong", unit=Unit.PERCENT,
        kind=Kind.SHARE, mark=Mark(low=0.80), naive=_RULE, trial=_LARGE, key="found",
    ),
    Measure(
        scenario="S4", name="a perfect map is called wrong, 25,000 applications", unit=Unit.PERCENT,
        kind=Kind.SHARE, mark=Mark(high=0.05), naive=_RULE, trial=_PERFECT, key="false",
    ),
    Measure(
        scenario="S4", name="a perfect map is called wrong, 600 applications", unit=Unit.PERCENT,
        kind=Kind.SHARE, mark=Mark(high=0.05), naive=_RULE, trial=_FEW, key="false",
    ),
)  # fmt: skip
