"""S4, weights of the parts of the resume score: are they left alone where they are right?"""

from collections.abc import Mapping
from datetime import date
from functools import partial

import numpy as np

from layer7.analytics.applications.outcomes import outlook
from layer7.analytics.optimizing.within_people import sent_rows, to_components
from layer7.nightly.measuring import counted
from layer7.optimization.score_weights import weigh_components
from layer7.simulation.run import simulate
from layer7.simulation.scenarios import SCENARIOS
from layer7.simulation.scoreboard.log import replay
from layer7.simulation.scoreboard.measure import Figure, Kind, Mark, Measure, Pair, Trial, Unit
from layer7.simulation.scoreboard.timing import FITTED, orders_better
from layer7.statistics import fit_silence

_START = date(2026, 1, 5)
_PEOPLE, _WEEKS = 300, 12


def weighed(name: str, people: int, weeks: int, seed: int) -> Mapping[str, Pair]:
    """Let the engine look for better weights of the parts on the log of one market.

    Args:
        name: of the scenario.
        people: how many search.
        weeks: for how long.
        seed: of the dice.
    """
    rng = np.random.default_rng(seed)
    history = simulate(SCENARIOS[name], people=people, weeks=weeks, start=_START, rng=rng)
    with replay(history) as log:
        now = log.at(log.end).applications
        night = outlook(fit_silence(counted(now, log.end)), log.end)
        found = to_components(sent_rows(now, night).to_pyarrow())
    said = weigh_components(found, rng=np.random.default_rng(seed))
    changed, naive = bool(said.suggested_weights), orders_better(found.log, found.score)
    return {"weights": Pair(Figure(float(changed)), Figure(float(naive)))}


def _line(scenario: str, name: str, mark: Mark) -> Measure:
    run = partial(weighed, scenario, _PEOPLE, _WEEKS)
    return Measure(
        scenario="S4", name=name, unit=Unit.PERCENT, kind=Kind.SHARE, mark=mark, naive=FITTED,
        trial=Trial(name=scenario, run=run, short=3, full=200), key="weights",
    )  # fmt: skip


MEASURES = (
    _line("S4_parts", "score weights changed though those in force are right", Mark(high=0.05)),
    _line(
        "S4_one_part", "score weights changed where one part alone counts, 24,000 applications", Mark(0.80)
    ),
)
