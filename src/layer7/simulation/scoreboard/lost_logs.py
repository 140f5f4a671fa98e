"""S11, lost logs: people write down the good news first, so the log is short of bad news and of some good."""

from collections.abc import Mapping
from datetime import date
from functools import partial

import numpy as np

from layer7.nightly.measuring import counted
from layer7.simulation.run import simulate
from layer7.simulation.scenarios import SCENARIOS
from layer7.simulation.scoreboard.log import replay
from layer7.simulation.scoreboard.measure import Figure, Kind, Mark, Measure, Pair, Trial, Unit
from layer7.statistics import fit_silence, missing_bounds, wilson

_START = date(2026, 1, 5)
_WEEKS = 12


def bounded(people: int, seed: int) -> Mapping[str, Pair]:
    """See whether the bounds of the interview rate contain the true one, unlogged interviews included.

    Args:
        people: how many search for 12 weeks.
        seed: of the dice.
    """
    rng = np.random.default_rng(seed)
    history = simulate(SCENARIOS["S11"], people=people, weeks=_WEEKS, start=_START, rng=rng)
    with replay(history) as log:
        moments = counted(log.at(log.end).applications, log.end)
    bounds = missing_bounds(fit_silence(moments).interview)
    sent = history.applications.filter(history.applications["submitted"])
    truth = float(sent["probability"].to_numpy().mean())
    plain = wilson(moments.interviewed, moments.n).interval
    return {
        "inside": Pair(
            None if bounds is None else Figure(float(truth in bounds.interval)),
            None if plain is None else Figure(float(truth in plain)),
        ),
        "width": Pair(
            None if bounds is None else Figure(bounds.interval.half_width / truth),
            None if plain is None else Figure(plain.half_width / truth),
        ),
    }


_TRIAL = Trial(name="S11", run=partial(bounded, 250), short=3, full=200)
_NAIVE = "interviews / applications"

MEASURES = (
    Measure(
        scenario="S11", name="the bounds contain the true rate, 8 % of interviews unlogged",
        unit=Unit.PERCENT, kind=Kind.SHARE, mark=Mark(low=0.95), naive=_NAIVE, trial=_TRIAL, key="inside",
    ),
    Measure(
        scenario="S11", name="half their width, as a share of the rate",
        unit=Unit.PERCENT, kind=Kind.MEAN, mark=Mark(high=0.30), naive=_NAIVE, trial=_TRIAL, key="width",
    ),
)  # fmt: skip
