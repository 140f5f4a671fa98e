"""S8, experiments: how often the engine's comparison is wrong, on logs of people who differ and apply on.

Each log is a simulated market's. An experiment on it takes people from the log at random, splits them (or
their applications) by chance, and plants an effect: applications that had not succeeded do, or interviews
are taken away. The analysis is the engine's: moments, delta method, bounds in information.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial

import numpy as np
from numpy.typing import NDArray

from layer7.analytics.trials.attempts import attempts
from layer7.experiments.design import Plan
from layer7.experiments.information import planned_information
from layer7.experiments.metrics import metric
from layer7.experiments.replication import Runs, limits, run_often
from layer7.experiments.traffic import DAY, Attempts, Traffic, replayed
from layer7.nightly.measuring import counted
from layer7.simulation.run import simulate
from layer7.simulation.scenarios import SCENARIOS
from layer7.simulation.scoreboard.log import replay
from layer7.simulation.scoreboard.measure import Figure, Kind, Mark, Measure, Pair, Trial, Unit
from layer7.statistics import fit_silence
from layer7.statistics.trials import Guarantee

Floats = NDArray[np.float64]

_START = date(2026, 1, 5)
_LEAD_IN, _WEEKS = 8, 8
_LIFT = 0.25
_TINY = 0.02
Z = 1.96
_WAYS = (0.0, 1.0, -1.0, _TINY / _LIFT)
"""What is planted, in quarters of the rate: nothing, a benefit, as much harm, next to nothing."""


@dataclass(frozen=True, slots=True, eq=False)
class _Past:
    """What a simulated market's log holds of attempts and of silence; several designs are run on one.

    Args:
        attempts: applications and whether they reached an interview.
        end: the end of the log, in days since 1970.
        unseen: what silence takes off a trial, by its age in days.
    """

    attempts: Attempts
    end: float
    unseen: Floats

    def traffic(self, *, looks: int, weeks: int = _WEEKS) -> Traffic:
        """Give its last weeks, as an experiment with evenly spaced looks would meet them."""
        return replayed(
            self.attempts,
            metric("interview_rate"),
            end=self.end,
            days=7 * weeks,
            looks=tuple((at + 1) / looks for at in range(looks)),
            unseen=self.unseen,
        )


def market_past(people: int, seed: int) -> _Past:
    """Simulate a market, and give what its log holds.

    Args:
        people: how many search for sixteen weeks, joining over the first twelve.
        seed: of the dice.
    """
    market = replace(SCENARIOS["default"], entry_weeks=12)
    rng = np.random.default_rng(seed)
    history = simulate(market, people=people, weeks=_LEAD_IN + _WEEKS, start=_START, rng=rng)
    with replay(history) as log:
        found = log.at(log.end)
        rows = attempts(found.applications, found.events, "interview_rate").to_pyarrow()
        unseen = fit_silence(counted(found.applications, log.end)).unseen_by_day(400)
    return _Past(Attempts.of(rows), log.end.timestamp() / DAY, unseen)


@dataclass(frozen=True, slots=True)
class Design:
    """How experiments on a market are looked at.

    Args:
        name: a word for it.
        looks: evenly spaced over eight weeks.
        runs: experiments in each world.
    """

    name: str
    looks: int
    runs: int


def judged(seed: int, *, people: int, designs: Sequence[Design], plan: Plan) -> Mapping[str, Pair]:
    """Run experiments on one log: with a benefit, as much harm, nothing, next to nothing.

    The naive rule is a t-test on applications, silence counted as failure, read at every look at p < 0.05.

    Args:
        seed: of the dice.
        people: in the market.
        designs: how they are looked at; the market is the same for all, since it costs most of the time.
        plan: who is split, and how; its effect is set to a quarter of the log's rate.
    """
    past, rng = market_past(people, seed), np.random.default_rng(seed + 1)
    found: dict[str, Pair] = {}
    for design in designs:
        told = _run(past.traffic(looks=design.looks), design.runs, plan, rng)
        found.update({f"{design.name} {key}": pair for key, pair in told.items()})
    return found


def _run(traffic: Traffic, runs: int, plan: Plan, rng: np.random.Generator) -> Mapping[str, Pair]:
    effect = _LIFT * traffic.rate
    replicas = replace(plan, effect=effect).replicas(traffic)
    worlds = {
        way: run_often(replicas, traffic.metric.shape, effect=way * effect, runs=runs, rng=rng)
        for way in _WAYS
    }
    reach, anytime = (_reach(worlds[0], each) for each in (Guarantee.GROUP_SEQUENTIAL, Guarantee.ANYTIME))
    return {**_false_alarms(worlds[0], reach, anytime), **_found(worlds, reach, effect)}


def _reach(nothing: Runs, guarantee: Guarantee) -> Floats:
    return limits(nothing, guarantee=guarantee, alpha=0.05, planned=planned_information(_LIFT))


def _false_alarms(nothing: Runs, reach: Floats, anytime: Floats) -> Mapping[str, Pair]:
    runs, looks = nothing.estimate.shape

    def share(proven: NDArray[np.bool_]) -> Figure:
        return Figure(float(proven.sum()), runs)

    naive = share(np.asarray((np.abs(naive_z(nothing)) > Z).any(axis=1)))
    engine = share(np.asarray(nothing.proven_at(reach) < looks))
    return {
        "false": Pair(engine, naive),
        "in_units": Pair(engine, share(_in_units(nothing))),
        "anytime": Pair(share(np.asarray(nothing.proven_at(anytime) < looks)), naive),
    }


def _in_units(nothing: Runs) -> NDArray[np.bool_]:
    """False alarms of the same test if it counted people in place of information."""
    counted_in_people = replace(nothing, value=np.sqrt(nothing.units), error=np.ones_like(nothing.error))
    reach = limits(counted_in_people, guarantee=Guarantee.GROUP_SEQUENTIAL, alpha=0.05, planned=1.0)
    return np.asarray(nothing.proven_at(reach) < reach.size)


def _found(worlds: Mapping[float, Runs], reach: Floats, effect: float) -> Mapping[str, Pair]:
    """Power against one look at the end; how fast harm is stopped; whether the truth is in what is shown."""
    runs, looks = worlds[0].estimate.shape
    week = _WEEKS / looks
    at = {way: worlds[way].proven_at(reach) for way in (1, -1)}
    once = np.abs(worlds[1].estimate[:, -1]) > Z * worlds[1].error[:, -1]
    weeks = {way: week * (np.minimum(at[way], looks - 1) + 1) for way in at}
    covered = [
        (np.abs(worlds[way].estimate - way * effect) <= reach * worlds[way].error).all(axis=1)
        for way in _WAYS
    ]
    plain = [_naively_covered(worlds[way], way * effect) for way in _WAYS]
    lasting = float(_WEEKS * runs)
    return {
        "gap": Pair(Figure(float((at[1] < looks).mean() - once.mean()))),
        "haste": Pair(
            Figure(float(weeks[-1].mean() - weeks[1].mean())),
            Figure(lasting / runs - float(weeks[1].mean())),
        ),
        "coverage": Pair(
            Figure(float(np.concatenate(covered).sum()), len(_WAYS) * runs),
            Figure(float(np.concatenate(plain).sum()), len(_WAYS) * runs),
        ),
    }


def _rates(runs: Runs) -> tuple[Floats, Floats]:
    """Difference of the plain rates of applications, and its standard error as if each stood alone."""
    begun = np.maximum(runs.begun, 1.0)
    rate = runs.events / begun
    return rate[..., 1] - rate[..., 0], np.sqrt((rate * (1 - rate) / begun).sum(axis=-1))


def naive_z(runs: Runs) -> Floats:
    """Give the z of a t-test on applications at each look, silence counted as failure.

    Args:
        runs: of a design.
    """
    gap, error = _rates(runs)
    z: Floats = gap / np.where(error > 0, error, np.inf)
    return z


def _naively_covered(runs: Runs, truth: float) -> NDArray[np.bool_]:
    gap, error = _rates(runs)
    return np.asarray((np.abs(gap - truth) <= Z * error).all(axis=1))


_T_TEST = "t-test on applications at every look"
_NEVER = "the specification's rule never stops harm"
_PEOPLE = Plan(effect=1.0)
_APPLICATIONS = Plan(effect=1.0, by_attempt=True)


def _trial(name: str, people: int, *designs: Design, plan: Plan) -> Trial:
    run = partial(judged, people=people, designs=designs, plan=plan)
    return Trial(name=f"S8 {name}", run=run, short=1, full=200)


def _lines(name: str, trial: Trial, design: Design) -> tuple[Measure, ...]:
    """The lines of a design: false alarms, power, speed, coverage."""
    figures = (
        ("false alarms", "false", Mark(0.04, 0.06), Unit.PERCENT, Kind.SHARE, _T_TEST),
        ("power less that of one look at the end", "gap", Mark(low=-0.05), Unit.PERCENT, Kind.MEAN, ""),
        (
            "weeks to stop a harm less those to adopt as much",
            "haste",
            Mark(high=0.5),
            Unit.WEEKS,
            Kind.MEAN,
            _NEVER,
        ),
        (
            "the truth is in every interval shown",
            "coverage",
            Mark(0.94, 0.96),
            Unit.PERCENT,
            Kind.SHARE,
            _T_TEST,
        ),
    )
    return tuple(
        Measure(
            scenario="S8", name=f"{what}: {name}", unit=unit, kind=kind, mark=mark, naive=naive, trial=trial,
            key=f"{design.name} {key}",
        )
        for what, key, mark, unit, kind, naive in figures
    )  # fmt: skip


_WEEKLY, _DAILY = Design("weekly", 8, 60), Design("daily", 56, 40)
_BY_PEOPLE = _trial("people", 900, _WEEKLY, _DAILY, plan=_PEOPLE)
_BY_COIN = _trial("applications", 450, _WEEKLY, plan=_APPLICATIONS)

MEASURES = (
    *_lines("people split, weekly looks", _BY_PEOPLE, _WEEKLY),
    Measure(
        scenario="S8", name="false alarms: people split, weekly looks, information and not people counted",
        unit=Unit.PERCENT, kind=Kind.SHARE, mark=Mark(0.04, 0.06), naive="alpha spent by people",
        trial=_BY_PEOPLE, key="weekly in_units",
    ),
    *_lines("people split, daily looks", _BY_PEOPLE, _DAILY),
    Measure(
        scenario="S8", name="false alarms: people split, read at any time, every day", unit=Unit.PERCENT,
        kind=Kind.SHARE, mark=Mark(high=0.06), naive=_T_TEST, trial=_BY_PEOPLE, key="daily anytime",
    ),
    *_lines("applications split, weekly looks", _BY_COIN, _WEEKLY),
)  # fmt: skip
