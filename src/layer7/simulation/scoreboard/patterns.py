"""S0 and S1, patterns: who is shown what works, where it was planted and where nothing was."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from itertools import count

import ibis
import numpy as np
import pyarrow as pa
from ibis.expr import types as ir

from layer7.analytics.applications.outcomes import outcomes, outlook
from layer7.nightly.detecting import Source, find_patterns
from layer7.nightly.measuring import counted
from layer7.simulation.run import Simulation, simulate
from layer7.simulation.scenarios import SCENARIOS
from layer7.simulation.scoreboard.log import BUCKETS, Replay, replay
from layer7.simulation.scoreboard.measure import Figure, Kind, Mark, Measure, Pair, Trial, Unit
from layer7.statistics import fit_silence

_START = date(2025, 1, 6)
_PEOPLE = 150
# All search alike and none gives up, so that each sends about 300 applications, as the marks are for.
_WEEKS = 50
_MARKETS = {
    name: replace(SCENARIOS[name], weekly_volume_sigma=0.0, weekly_dropout=0.0, accept=0.0, entry_weeks=0)
    for name in ("S0", "S1")
}
_NAIVE_RATIO, _NAIVE_LEAST = 1.5, 5
_NAIVE_DIMENSIONS = ("title", "location", "company_type", "industry", "company_size", "seniority")

Claim = tuple[str, str, str]
"""Person, dimension and level."""


@dataclass(frozen=True, slots=True)
class _Claims:
    """What two rules claim on one log, and what is true."""

    engine: frozenset[Claim]
    naive: frozenset[Claim]
    true: Mapping[Claim, float]
    people: int


def patterns(scenario: str, people: int, weeks: int, seed: int) -> Mapping[str, Pair]:
    """Let the engine look for patterns on the log of one market.

    Args:
        scenario: S0 or S1.
        people: how many search.
        weeks: for how long.
        seed: of the dice.
    """
    market = _MARKETS[scenario]
    history = simulate(market, people=people, weeks=weeks, start=_START, rng=np.random.default_rng(seed))
    with replay(history) as log:
        claims = _claims(log, history)
    shown = {name: {person for person, _, _ in getattr(claims, name)} for name in ("engine", "naive")}
    pairs = {
        "people": Pair(*(Figure(len(shown[name]), claims.people) for name in ("engine", "naive"))),
        "false": Pair(*(_false(getattr(claims, name), claims.true) for name in ("engine", "naive"))),
    }
    for odds_ratio in market.pattern_odds_ratios:
        planted = {claim for claim, size in claims.true.items() if round(size) == round(odds_ratio)}
        found = (Figure(len(planted & getattr(claims, name)), len(planted)) for name in ("engine", "naive"))
        pairs[f"power {odds_ratio:.0f}"] = Pair(*found)
    return pairs


def _false(claims: frozenset[Claim], true: Mapping[Claim, float]) -> Figure:
    return Figure(len(claims - true.keys()), len(claims))


def _claims(log: Replay, history: Simulation) -> _Claims:
    read = log.at(log.end)
    model = fit_silence(counted(read.applications, log.end))
    now = outlook(model, log.end)
    found = find_patterns(Source(read, now, _hold, BUCKETS), lambda _share: None)
    engine = found.shown.select(["person", "dimension", "level"]).to_pylist()
    return _Claims(
        engine=frozenset((row["person"], row["dimension"], row["level"]) for row in engine),
        naive=frozenset(_naive(outcomes(read.applications, now))),
        true=_planted(log, history),
        people=found.plans.num_rows,
    )


@contextmanager
def _hold(table: ir.Table) -> Iterator[ir.Table]:
    """Compute a table once; it goes with the log's engine."""
    yield ibis.get_backend(table).create_table(f"held_{next(_NUMBERS)}", table, temp=True)


_NUMBERS = count()


def _planted(log: Replay, history: Simulation) -> Mapping[Claim, float]:
    """Who has which pattern, by the pseudonyms of the log."""
    rows = history.people.select(["user_id", "pattern_dimension", "pattern_level", "pattern_odds_ratio"])
    rows = rows.filter(rows["pattern_dimension"].is_valid())
    log.engine.register("planted", rows)
    found = log.engine.execute(
        "SELECT md5(user_id), pattern_dimension, pattern_level, pattern_odds_ratio FROM planted"
    ).fetchall()
    return {(person, dimension, level): size for person, dimension, level, size in found}


def _naive(rows: ir.Table) -> Iterator[Claim]:
    """The usual rule: a level is good if its rate is at least 1.5 times the person's average."""
    sent = rows.filter(rows.is_submitted)
    average = sent.group_by("person").aggregate(usual=sent.is_interviewed.cast("float64").mean())
    for name in _NAIVE_DIMENSIONS:
        known = sent.filter(sent[name].notnull())
        counts = known.group_by("person", level=known[name]).aggregate(
            n=known.count(), rate=known.is_interviewed.cast("float64").mean()
        )
        against = counts.inner_join(average, "person")
        good = against.filter(
            against.n >= _NAIVE_LEAST, against.rate > 0, against.rate >= _NAIVE_RATIO * against.usual
        )
        found: pa.Table = good.select("person", "level").to_pyarrow()
        yield from ((row["person"], name, row["level"]) for row in found.to_pylist())


_SHORT, _FULL = 1, 200
_TRIALS = {
    name: Trial(
        name=f"{name} patterns", run=partial(patterns, name, _PEOPLE, _WEEKS), short=_SHORT, full=_FULL
    )
    for name in ("S0", "S1")
}
_NAIVE = "levels with 1.5 times the person's rate"
_ORACLE = (
    "told the planted law itself, the same rule shows 0, 3 and 14 % in two markets of 600 people: levels are "
    "rare, three postings of ten are dead, and an odds ratio of a living posting is smaller in what is seen"
)


def _power(odds_ratio: int, least: float) -> Measure:
    return Measure(
        scenario="S1", name=f"power at odds ratio {odds_ratio}, about 300 applications each",
        unit=Unit.PERCENT, kind=Kind.SHARE, mark=Mark(low=least), naive=_NAIVE, trial=_TRIALS["S1"],
        key=f"power {odds_ratio}", known=_ORACLE,
    )  # fmt: skip


MEASURES = (
    Measure(
        scenario="S0", name="people who are shown a pattern", unit=Unit.PERCENT, kind=Kind.SHARE,
        mark=Mark(high=0.10), naive=_NAIVE, trial=_TRIALS["S0"], key="people",
    ),
    Measure(
        scenario="S1", name="false patterns among all that are shown", unit=Unit.PERCENT, kind=Kind.SHARE,
        mark=Mark(high=0.12), naive=_NAIVE, trial=_TRIALS["S1"], key="false",
    ),
    *(_power(odds_ratio, least) for odds_ratio, least in ((2, 0.10), (3, 0.38), (5, 0.87))),
)  # fmt: skip
