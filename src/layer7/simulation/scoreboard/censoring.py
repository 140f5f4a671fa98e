"""S2, silence: the interview rate of the last four weeks, when most of their answers are still to come."""

from collections.abc import Mapping
from datetime import date, timedelta
from functools import partial

import numpy as np

from layer7.nightly.measuring import counted
from layer7.simulation.market import Market
from layer7.simulation.run import Simulation, simulate
from layer7.simulation.scenarios import SCENARIOS
from layer7.simulation.scoreboard.log import replay
from layer7.simulation.scoreboard.measure import Figure, Kind, Mark, Measure, Pair, Trial, Unit
from layer7.statistics import Rate, effective_rate, fit_silence, wilson

WINDOW = timedelta(days=28)
_START = date(2026, 1, 5)


def last_four_weeks(market: Market, people: int, weeks: int, seed: int) -> Mapping[str, Pair]:
    """Judge the rate of the last four weeks on the log of one market.

    The true rate is the mean chance of an interview over the applications of those weeks, times the share of
    interviews that anybody ever logs: what is never logged is the question of S11.

    Args:
        market: what is planted.
        people: how many search.
        weeks: for how long.
        seed: of the dice.
    """
    history = simulate(market, people=people, weeks=weeks, start=_START, rng=np.random.default_rng(seed))
    with replay(history) as log:
        found = log.at(log.end).applications
        everything = counted(found, log.end)
        window = counted(found.filter(found.submitted_at >= log.end - WINDOW), log.end)
    model = fit_silence(everything)
    unseen = float(window.silent @ model.unseen_by_day(window.silent.size))
    rate = effective_rate(window.interviewed, window.n, unseen)
    return judged(rate, wilson(window.interviewed, window.n), true_rate(history))


def judged(engine: Rate, naive: Rate, truth: float) -> Mapping[str, Pair]:
    """Compare two rates with the true one: their bias as a share of it, and whether it is in the interval."""
    return {
        "bias": Pair(_bias(engine, truth), _bias(naive, truth)),
        "coverage": Pair(_covers(engine, truth), _covers(naive, truth)),
    }


def _bias(rate: Rate, truth: float) -> Figure | None:
    return None if rate.value is None else Figure(rate.value / truth - 1)


def _covers(rate: Rate, truth: float) -> Figure | None:
    return None if rate.interval is None else Figure(float(truth in rate.interval))


def true_rate(history: Simulation) -> float:
    """Give the true rate of interviews that reach the log, over the applications of the last four weeks."""
    rows = history.applications.filter(history.applications["submitted"])
    sent = rows["submitted_at"].to_numpy()
    horizon = np.datetime64(history.start) + np.timedelta64(7 * history.weeks, "D")
    recent = sent >= horizon - np.timedelta64(WINDOW)
    chance = float(rows["probability"].to_numpy()[recent].mean())
    return chance * share_logged(history)


def share_logged(history: Simulation) -> float:
    """Give the share of interviews that the log shows sooner or later, by a word of them or of an offer."""
    rows = history.applications.filter(history.applications["interviewed"])
    told = ~rows["interview_logged_local"].is_null().to_numpy()
    told |= ~rows["onsite_logged_local"].is_null().to_numpy()
    offers = rows["stage"].to_numpy(zero_copy_only=False) == "offer"
    told |= offers & ~rows["decision_logged_local"].is_null().to_numpy()
    return float(told.mean()) if told.size else 1.0


_LAWS = {"log-normal": "S2", "Weibull": "weibull_delays", "exponential": "exponential_delays"}
_SHORT, _FULL = 8, 200


def _lines(law: str, weeks: int, people: int, log: str) -> tuple[Measure, ...]:
    trial = Trial(
        name=f"S2 {law} {weeks}",
        run=partial(last_four_weeks, SCENARIOS[_LAWS[law]], people, weeks),
        short=_SHORT,
        full=_FULL,
    )
    said = f"{law} delays, {log}"
    naive = "interviews / applications"
    return (
        Measure(
            scenario="S2", name=f"bias of the 4-week rate: {said}", unit=Unit.PERCENT, kind=Kind.MEAN,
            mark=Mark(-0.05, 0.05), naive=naive, trial=trial, key="bias",
        ),
        Measure(
            scenario="S2", name=f"its 95 % interval covers: {said}", unit=Unit.PERCENT, kind=Kind.SHARE,
            mark=Mark(0.90, 0.98), naive=naive, trial=trial, key="coverage",
        ),
    )  # fmt: skip


MEASURES = tuple(line for law in _LAWS for line in _lines(law, 16, 400, "16 weeks of log"))
