"""S12, seasons: what months of the year are worth, and that nothing is said of them before two years."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from functools import partial

import numpy as np
from numpy.typing import NDArray

from layer7.analytics.applications.outcomes import outlook
from layer7.analytics.market.moments import month_moments
from layer7.analytics.market.months import Seasons, seasons
from layer7.nightly.measuring import counted
from layer7.simulation.market import Market
from layer7.simulation.run import simulate
from layer7.simulation.scenarios import SCENARIOS
from layer7.simulation.scoreboard.log import Replay, replay
from layer7.simulation.scoreboard.measure import Figure, Kind, Mark, Measure, Pair, Trial, Unit
from layer7.statistics import fit_silence

_START = date(2026, 1, 1)
_WEEKS = 157
_TOO_EARLY = datetime(2027, 12, 1, tzinfo=UTC)  # 23 months

Floats = NDArray[np.float64]


def months_of_the_year(market: Market, people: int, seed: int) -> Mapping[str, Pair]:
    """Judge month effects after three years, and the refusal after 23 months, on the log of one market.

    Args:
        market: what is planted.
        people: how many search, over all three years.
        seed: of the dice.
    """
    history = simulate(market, people=people, weeks=_WEEKS, start=_START, rng=np.random.default_rng(seed))
    with replay(history) as log:
        found, raw = _told(log, log.end)
        early, _ = _told(log, _TOO_EARLY)
    planted = np.log(market.month_odds_ratios)
    planted = planted - planted.mean()
    effects = np.log([month.ratio for month in found.months])
    ends = np.log([month.interval for month in found.months if month.interval is not None])
    inside = float(((ends[:, 0] <= planted) & (planted <= ends[:, 1])).sum())
    error, naive = (float(np.sqrt(((part - planted) ** 2).mean())) for part in (effects, raw))
    worst = market.month_odds_ratios.index(min(market.month_odds_ratios))
    said = [month.month for month in found.months].index(found.worst[0]) if found.worst else -1
    return {
        "refused": Pair(Figure(float(not (early.months or early.best or early.worst)))),
        "rmse": Pair(Figure(error), Figure(naive)),
        "coverage": Pair(Figure(inside, 12)),
        "worst": Pair(Figure(float(said == worst)), Figure(float(int(np.argmin(raw)) == worst))),
    }


def _told(log: Replay, end: datetime) -> tuple[Seasons, Floats]:
    """What the engine says, and the log of interviews / applications by month of the year less its mean."""
    known = log.at(end).applications
    moments = month_moments(known, outlook(fit_silence(counted(known, end)), end)).to_pyarrow()
    k, n = np.zeros((2, 12))
    for row in moments.to_pylist():
        if row["kind"] == "*":
            k[row["month"] % 12] += row["k"]
            n[row["month"] % 12] += row["n"]
    raw = np.log((k + 0.5) / (n + 1))
    return seasons(moments), raw - raw.mean()


_TRIAL = Trial(name="S12 months", run=partial(months_of_the_year, SCENARIOS["S12"], 4_000), short=1, full=200)
_RAW = "interviews / applications by month"

MEASURES = (
    Measure(
        scenario="S12", name="nothing is said of months before 24 of them", unit=Unit.PERCENT,
        kind=Kind.SHARE,
        mark=Mark(low=0.95), naive="", trial=_TRIAL, key="refused",
    ),
    Measure(
        scenario="S12", name="error (RMS) of the months' log odds after 3 years", unit=Unit.NUMBER,
        kind=Kind.MEAN, mark=Mark(high=0.08), naive=_RAW, trial=_TRIAL, key="rmse",
    ),
    Measure(
        scenario="S12", name="their 95 % intervals cover", unit=Unit.PERCENT, kind=Kind.SHARE,
        mark=Mark(0.90, 0.99), naive="", trial=_TRIAL, key="coverage",
    ),
    Measure(
        scenario="S12", name="the worst month is named", unit=Unit.PERCENT, kind=Kind.SHARE,
        mark=Mark(low=0.80), naive=_RAW, trial=_TRIAL, key="worst",
    ),
)  # fmt: skip
