"""S7, habits of good people, and S13, one screening system: what a habit is worth, who fares how."""

from collections.abc import Mapping, Sequence
from datetime import date
from functools import partial

import ibis
import numpy as np
import pyarrow as pa
from scipy import special

from layer7.analytics.applications.outcomes import outlook
from layer7.analytics.segments.membership import Kind, kinds, memberships
from layer7.analytics.segments.strategies import NOT_DONE, habit_moments, person_moments
from layer7.nightly.measuring import counted
from layer7.simulation.market import Market
from layer7.simulation.run import Simulation, simulate
from layer7.simulation.scenarios import SCENARIOS
from layer7.simulation.scoreboard.censoring import share_logged
from layer7.simulation.scoreboard.log import replay
from layer7.simulation.scoreboard.measure import Figure, Mark, Measure, Pair, Trial, Unit
from layer7.simulation.scoreboard.measure import Kind as Pooling
from layer7.statistics import fit_silence
from layer7.statistics.many.shrinkage import shrink
from layer7.statistics.people.people_rates import group_rates
from layer7.statistics.rates.intervals import wilson_bounds
from layer7.statistics.within.contrasts import mantel_haenszel

_START = date(2026, 1, 5)
_SUMS = ("r", "s", "rr", "ss", "rs", "k", "trials")


def habits_and_segments(market: Market, people: int, weeks: int, seed: int) -> Mapping[str, Pair]:
    """Judge what tailoring is worth, and how the segments by place fare, on the log of one market.

    The true log odds ratio is that of a person's average application: each application's own chance with
    the planted odds ratio on and off. Employers and postings differ in what nobody sees, so it lies nearer
    to 0 than the planted one, which holds for one posting.

    Args:
        market: what is planted.
        people: how many search.
        weeks: for how long.
        seed: of the dice.
    """
    history = simulate(market, people=people, weeks=weeks, start=_START, rng=np.random.default_rng(seed))
    with replay(history) as replayed:
        log = replayed.at(replayed.end)
        night = outlook(fit_silence(counted(log.applications, replayed.end)), replayed.end)
        members, known = kinds(memberships(log.applications, log.events).to_pyarrow())
        placed = ibis.memtable(members)
        moments = habit_moments(log.applications, placed, night).to_pyarrow()
        who = person_moments(log.applications, placed, night).to_pyarrow()
    told = _tailoring(moments, average_log_odds_ratio(history), float(np.log(market.tailored_odds_ratio)))
    return told | {"segments": Pair(*_segments(who, known, history))}


def average_log_odds_ratio(history: Simulation) -> float:
    """Give the log odds ratio that tailoring has for the average application of one person.

    With p1 and p0 the mean chances of a person's n applications if all, or none, were tailored:
    ln(Σ n p1 (1 - p0) / Σ n p0 (1 - p1)) over people.
    """
    rows = history.applications.filter(history.applications["submitted"])
    chance = np.clip(rows["probability"].to_numpy(), 0.0, 1 - 1e-12)
    tailored = rows["tailoring_applied"].to_numpy(zero_copy_only=False)
    effect = np.log(history.market.tailored_odds_ratio)
    with np.errstate(divide="ignore"):
        bare = special.logit(chance) - effect * tailored
    person = rows["person"].to_numpy()
    n = np.maximum(np.bincount(person), 1)
    with_it, without = (np.bincount(person, special.expit(bare + by)) / n for by in (effect, 0.0))
    return float(np.log((n * with_it * (1 - without)).sum() / (n * without * (1 - with_it)).sum()))


def _tailoring(moments: pa.Table, average: float, planted: float) -> dict[str, Pair]:
    rows = [row for row in moments.to_pylist() if row["scheme"] == "location" and row["family"] == "tailored"]
    done = {name: sum(row[name] for row in rows if row["habit"] != NOT_DONE) for name in _SUMS}
    rest = {name: sum(row[name] for row in rows if row["habit"] == NOT_DONE) for name in _SUMS}
    products = {name: [done[name]] for name in ("rr", "ss", "rs")}
    found = mantel_haenszel([done["r"]], [done["s"]], **products)
    value = float(found.value[0])
    low, high = (float(end[0]) for end in found.interval())
    raw = _log_odds(done) - _log_odds(rest)
    error = np.sqrt(sum(1 / part["k"] + 1 / (part["trials"] - part["k"]) for part in (done, rest)))
    near = float(abs(raw - average) <= 1.96 * error)
    return {
        "bias": Pair(Figure(value / average - 1), Figure(raw / average - 1)),
        "planted": Pair(Figure(value / planted - 1), Figure(raw / planted - 1)),
        "coverage": Pair(Figure(float(low <= average <= high)), Figure(near)),
    }


def _log_odds(part: Mapping[str, float]) -> float:
    return float(np.log(part["k"] / (part["trials"] - part["k"])))


def _segments(who: pa.Table, known: Sequence[Kind], history: Simulation) -> tuple[Figure, Figure]:
    """How many intervals of segments by place hold the mean of their people's true rates; naive: Wilson's."""
    group = np.array([-1 if at is None else at for at in who["location"].to_pylist()], dtype=np.int64)
    trials = np.maximum(who["trials"].to_numpy(), who["k"].to_numpy())
    rates = group_rates(group, who["k"].to_numpy(), trials, groups=len(known))
    places = [at for at, kind in enumerate(known) if kind.scheme == "location" and rates.people[at]]
    found = shrink(rates.log_odds[places], rates.error[places])
    low, high = (special.expit(end) for end in found.effects.interval())
    plain_low, plain_high = wilson_bounds(rates.events[places], rates.trials[places])
    true = _true_rates(history, rates.correlation)
    truth = np.array([true[(known[at].criteria.locations or ("",))[0]] for at in places])
    inside, plain = (
        float(((ends[0] <= truth) & (truth <= ends[1])).sum())
        for ends in ((low, high), (plain_low, plain_high))
    )
    return Figure(inside, truth.size), Figure(plain, truth.size)


def _true_rates(history: Simulation, correlation: float) -> Mapping[str, float]:
    """The mean of the people's true rates by region, people weighted as the engine weighs them."""
    rows = history.applications.filter(history.applications["submitted"])
    person = rows["person"].to_numpy()
    n = np.bincount(person, minlength=history.people.num_rows).astype(np.float64)
    hoped = np.bincount(person, rows["probability"].to_numpy(), minlength=n.size)
    weight = n / (1 + np.maximum(n - 1, 0) * correlation)
    regions, place = np.unique(np.array(history.people["region"].to_pylist()), return_inverse=True)
    told = np.bincount(place, weight * hoped / np.maximum(n, 1)) / np.bincount(place, weight)
    return dict(zip(regions.tolist(), (told * share_logged(history)).tolist(), strict=True))


_RAW = "all applications with it against all without"


def _trial(scenario: str, name: str) -> Trial:
    run = partial(habits_and_segments, SCENARIOS[scenario], 2_000, 14)
    return Trial(name=name, run=run, short=1, full=200)


def _lines(scenario: str) -> tuple[Measure, ...]:
    trial, raw = _trial(scenario, f"{scenario} habits"), _RAW
    found = [
        Measure(
            scenario=scenario, name="tailoring within persons: bias of its average log odds ratio",
            unit=Unit.PERCENT, kind=Pooling.MEAN, mark=Mark(-0.15, 0.15), naive=raw, trial=trial, key="bias",
        ),
        Measure(
            scenario=scenario, name="its 95 % interval covers", unit=Unit.PERCENT, kind=Pooling.SHARE,
            mark=Mark(0.90, 0.98), naive=raw, trial=trial, key="coverage",
        ),
        Measure(
            scenario=scenario, name="intervals of segments cover their people's mean rate",
            unit=Unit.PERCENT, kind=Pooling.SHARE, mark=Mark(0.90, 0.98),
            naive="Wilson's interval on all their applications", trial=trial, key="segments",
        ),
    ]  # fmt: skip
    if scenario == "S7":
        found.append(
            Measure(
                scenario=scenario, name="tailoring: against the odds ratio planted for one posting",
                unit=Unit.PERCENT, kind=Pooling.MEAN, mark=Mark(-0.15, 0.15), naive=raw, trial=trial,
                key="planted",
            )
        )  # fmt: skip
    return tuple(found)


MEASURES = (
    *_lines("S7"),
    Measure(
        scenario="S7", name="tailoring by the toss of a coin: bias of its average log odds ratio",
        unit=Unit.PERCENT, kind=Pooling.MEAN, mark=Mark(-0.15, 0.15), naive=_RAW,
        trial=_trial("S7_randomised", "S7 coin"), key="bias",
    ),
    *_lines("S13"),
)  # fmt: skip
