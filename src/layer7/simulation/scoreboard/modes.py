"""S5 and S6, strategy mode: where a threshold is moved to, and who is told to rethink targets."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from functools import partial

import numpy as np
import numpy.typing as npt

from layer7.analytics.applications.outcomes import Outlook, outlook
from layer7.analytics.optimizing.decisions import decision_moments, decision_span, to_decisions
from layer7.analytics.optimizing.rethinking import target_moments
from layer7.nightly.measuring import counted
from layer7.nightly.night import Log
from layer7.optimization.improve_resume import Decisions, ResumeThreshold, improve_resume
from layer7.optimization.rethink_targets import BY, RethinkCount, rethink_count
from layer7.simulation.market import Market
from layer7.simulation.run import Simulation, simulate
from layer7.simulation.scenarios import SCENARIOS
from layer7.simulation.scoreboard.log import replay
from layer7.simulation.scoreboard.measure import Figure, Kind, Mark, Measure, Pair, Trial, Unit
from layer7.statistics import fit_silence
from layer7.statistics.people.alarm import CLEARLY, Rule, count_rule, posterior_rule

_START = date(2026, 1, 5)
_KINK = 68.0
_RULED, _RATE = 30, 0.02
_NEVER = 10**6

Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]


def threshold_of(market: Market, people: int, weeks: int, seed: int) -> Mapping[str, Pair]:
    """Let the engine look for a better threshold on the log of one market.

    Args:
        market: what is planted.
        people: how many search.
        weeks: for how long.
        seed: of the dice.
    """
    history = simulate(market, people=people, weeks=weeks, start=_START, rng=np.random.default_rng(seed))
    cut = market.improve_resume_threshold
    with replay(history) as log:
        found = _judged(log.at(log.end), log.end, cut)
    engine = cut + found.move.offset if found.move is not None and found.is_proven else cut
    naive = _best_band(history)
    return {
        "moved": Pair(Figure(float(engine != cut)), Figure(float(naive != cut))),
        "raised": Pair(Figure(float(engine > cut)), Figure(float(naive > cut))),
        "distance": Pair(Figure(abs(engine - _KINK)), Figure(abs(naive - _KINK))),
    }


def _judged(log: Log, end: datetime, cut: float) -> ResumeThreshold:
    night = _outlook(log, end)
    summed = decision_moments(log.applications, log.events, night, cut=cut).to_pyarrow()
    (span,) = decision_span(log.applications, log.events, night, cut=cut).to_pyarrow().to_pylist()
    return improve_resume(Decisions(to_decisions(summed), span, cut, 0.1))


def _outlook(log: Log, end: datetime) -> Outlook:
    return outlook(fit_silence(counted(log.applications, end)), end)


def _best_band(history: Simulation) -> float:
    """The sketch's threshold: the lower end of the 5 points with the largest plain interview rate."""
    rows = history.applications.filter(history.applications["submitted"])
    band = rows["resume_score"].to_numpy() // 5 * 5
    heard = rows["interviewed"].to_numpy(zero_copy_only=False)
    bands = [at for at in np.unique(band) if (band == at).sum() >= 50]
    return float(max(bands, key=lambda at: heard[band == at].mean()))


def alarms(people: int, weeks: int, seed: int) -> Mapping[str, Pair]:
    """Let the engine learn when people should rethink, and count whom its rules alarm by 120 applications.

    Nobody is told to rethink meanwhile, so a person's true rate stays what it is; and nobody is hired away,
    else those who are left after 120 applications are those who had bad luck.

    Args:
        people: how many search.
        weeks: for how long.
        seed: of the dice.
    """
    market = replace(SCENARIOS["S6"], rethink_applications=_NEVER, accept=0.0)
    history = simulate(market, people=people, weeks=weeks, start=_START, rng=np.random.default_rng(seed))
    with replay(history) as log:
        now = log.at(log.end)
        targets = target_moments(now.applications, now.events, _outlook(now, log.end)).to_pyarrow()
    found = rethink_count(targets, count=_RULED, rate=_RATE, rng=np.random.default_rng(seed))
    return _alarmed(history, found)


def _alarmed(history: Simulation, found: RethinkCount) -> Mapping[str, Pair]:
    if found.cohort is None:
        return {"false": Pair(None), "found": Pair(None)}
    person, seen, rate = _histories(history)
    wrong = history.people["mistargeted"].to_numpy(zero_copy_only=False)[person]
    engine = _ever(seen, posterior_rule(found.cohort, found.threshold, sure=found.certainty))
    naive = _ever(seen, count_rule(_RULED, _RATE))
    asked = {"false": rate >= CLEARLY * _RATE, "found": wrong & (rate < _RATE)}
    return {key: Pair(_share(engine, here), _share(naive, here)) for key, here in asked.items()}


def _share(told: Bools, here: Bools) -> Figure:
    return Figure(float(told[here].sum()), float(here.sum()))


def _histories(history: Simulation) -> tuple[Ints, Ints, npt.NDArray[np.float64]]:
    """People with 120 applications, interviews among the first 1, 2, ... of them, true rates."""
    rows = history.applications.filter(history.applications["submitted"])
    person = rows["person"].to_numpy().astype(np.int64)
    order = np.lexsort((rows["submitted_at"].to_numpy(), person))
    person = person[order]
    heard = rows["interviewed"].to_numpy(zero_copy_only=False)[order]
    chance = rows["probability"].to_numpy()[order]
    counts = np.bincount(person)
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    who = np.flatnonzero(counts >= BY)
    seen = np.array([np.cumsum(heard[starts[each] : starts[each] + BY]) for each in who])
    rate = np.array([chance[starts[each] : starts[each] + BY].mean() for each in who])
    return who, seen.reshape(-1, BY).astype(np.int64), rate


def _ever(seen: Ints, rule: Rule) -> Bools:
    return np.asarray((seen <= np.array([rule(n) for n in range(1, BY + 1)])).any(axis=1))


def _trial(scenario: str) -> Trial:
    run = partial(threshold_of, SCENARIOS[scenario], 260, 20)
    return Trial(name=f"{scenario} threshold", run=run, short=4, full=200)


_BAND = "the 5 points with the best rate"
_RULE = "30 applications and below 2 %"
_ALARMS = Trial(name="S6 alarms", run=partial(alarms, 800, 26), short=2, full=200)
_WEAK = "25,000 applications hold about 28 turned decisions: no test at 5 % would move half of the markets"

MEASURES = (
    Measure(
        scenario="S5", name="threshold moved though the modes differ in name only", unit=Unit.PERCENT,
        kind=Kind.SHARE, mark=Mark(high=0.05), naive=_BAND, trial=_trial("S5a"), key="moved",
    ),
    Measure(
        scenario="S5", name="points from a kink at 68, 25,000 applications", unit=Unit.NUMBER,
        kind=Kind.MEDIAN, mark=Mark(high=5.0), naive=_BAND, trial=_trial("S5b"), key="distance", known=_WEAK,
    ),
    Measure(
        scenario="S5", name="threshold raised though improving only costs", unit=Unit.PERCENT,
        kind=Kind.SHARE, mark=Mark(high=0.05), naive=_BAND, trial=_trial("S5c"), key="raised",
    ),
    Measure(
        scenario="S6", name="told to rethink though the true rate is 4 % or more", unit=Unit.PERCENT,
        kind=Kind.SHARE, mark=Mark(high=0.05), naive=_RULE, trial=_ALARMS, key="false",
    ),
    Measure(
        scenario="S6", name="mistargeted and below 2 %: told by 120 applications", unit=Unit.PERCENT,
        kind=Kind.SHARE, mark=Mark(low=0.60), naive=_RULE, trial=_ALARMS, key="found",
    ),
)  # fmt: skip
