"""S14, what others see: whether the intervals of released segments hold, noise and all."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import date
from functools import partial

import numpy as np
from numpy.typing import NDArray

from layer7.analytics.release.contributions import (
    HORIZON_DAYS,
    LAYOUT,
    WEEK,
    last_mature,
    segment_of,
    start_of,
)
from layer7.analytics.release.segments import segments_of_release
from layer7.analytics.release.weeks import WEEKS, Sight
from layer7.analytics.segments.membership import memberships
from layer7.contract.analytics import UserSegment
from layer7.contract.evidence import Lineage
from layer7.nightly.night import Log
from layer7.nightly.releasing import contributed, of_week
from layer7.privacy.bounding import Contributions, bounded, exact
from layer7.privacy.noise import noisy
from layer7.privacy.pooled import Pooled
from layer7.simulation.market import Market
from layer7.simulation.run import Simulation, simulate
from layer7.simulation.scenarios import SCENARIOS
from layer7.simulation.scoreboard.log import replay
from layer7.simulation.scoreboard.measure import Figure, Kind, Mark, Measure, Pair, Trial, Unit
from layer7.statistics import wilson

_START = date(2026, 1, 5)
_HISTORY = 22
"""Weeks of log: those that are told together, and the time that the last of them has for its answers."""

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def segments_that_others_see(market: Market, people: int, seed: int) -> Mapping[str, Pair]:
    """Release the log of one market, and judge the intervals of everyone and of each segment that is shown.

    The noise is the operating system's, so the same seed gives the same market but another release.

    Args:
        market: what is planted.
        people: how many contribute.
        seed: of the dice.
    """
    history = simulate(market, people=people, weeks=_HISTORY, start=_START, rng=np.random.default_rng(seed))
    with replay(history) as log:
        last = last_mature(int(log.end.timestamp()))
        known, weeks = log.at(log.end), range(last - WEEKS + 1, last + 1)
        found, member = contributed(known, weeks), _segments(known)
    drawn = [_noisy_week(of_week(found, week)[0], week) for week in weeks]
    end = log.end.isoformat()
    sight = Sight(Pooled(LAYOUT, drawn), weeks.start, {}, end, Lineage(run_id="1", log_to=end))
    truth = _true_rates(history, member, weeks)
    return {"coverage": _covered(segments_of_release(sight), truth)}


def _noisy_week(rows: Contributions, week: int) -> Ints:
    """What the ledger draws of a week."""
    return noisy(exact(bounded(rows, LAYOUT, str(week).encode()), LAYOUT), LAYOUT)


def _covered(shown: Sequence[UserSegment], truth: Mapping[str, float]) -> Pair:
    """Count intervals that hold the truth; naive: Wilson's of the same votes, as if there were no noise."""
    inside = plain = n = 0
    for each in shown:
        if each.interval is None or each.avg_interview_rate is None or not each.n:
            continue
        true, (low, high) = truth[each.segment_id], each.interval
        votes = wilson(round(each.avg_interview_rate * each.n), each.n).interval
        n, inside = n + 1, inside + (low <= true <= high)
        plain += votes is not None and true in votes
    return Pair(Figure(float(inside), n), Figure(float(plain), n))


def _segments(known: Log) -> Mapping[str, str]:
    """The public segment of each person, by pseudonym."""
    who = segment_of(memberships(known.applications, known.events)).to_pyarrow()
    return dict(zip(who["person"].to_pylist(), who["segment"].to_pylist(), strict=True))


def _true_rates(history: Simulation, member: Mapping[str, str], weeks: range) -> Mapping[str, float]:
    """The mean over votes of people's true chance of an interview within the horizon, by what is released.

    A vote is a person in a week: her mean over what she sent then. Of more than two levels in a week two are
    kept by lot, so that each counts for that share.
    """
    rows = history.applications.filter(history.applications["submitted"])
    sent = rows["submitted_at"].to_numpy().astype("datetime64[s]").astype(np.int64)
    week = (sent - start_of(0)) // WEEK
    person, chance = rows["person"].to_numpy(), rows["probability"].to_numpy() * _in_time(history)
    level = np.unique(rows["seniority"].to_numpy(zero_copy_only=False), return_inverse=True)
    inside = (week >= weeks.start) & (week < weeks.stop)
    person, week, chance, cell = person[inside], week[inside], chance[inside], level[1][inside]
    names = [_name(str(user)) for user in history.people["user_id"].to_pylist()]
    votes, whose = _votes(np.stack([person, week]), chance)
    kind = np.array([member.get(names[at]) or "" for at in whose[0]])
    found = {str(name): float(votes[kind == name].mean()) for name in np.unique(kind)}
    found["everyone"] = float(votes.mean())
    votes, whose = _votes(np.stack([person, week, cell]), chance)
    _, again, different = np.unique(whose[:2], axis=1, return_inverse=True, return_counts=True)
    weight = np.minimum(LAYOUT.table("level").most / different[again.ravel()], 1.0)
    for at, name in enumerate(level[0]):
        own = whose[2] == at
        if own.any():
            found[str(name).lower()] = float(np.average(votes[own], weights=weight[own]))
    return found


def _name(user_id: str) -> str:
    """The pseudonym that the replayed log gives."""
    return hashlib.md5(user_id.encode(), usedforsecurity=False).hexdigest()


def _votes(whose: Ints, chance: Floats) -> tuple[Floats, Ints]:
    """Means of chances by what they are of, and the different ones of these."""
    different, place = np.unique(whose, axis=1, return_inverse=True)
    place = place.ravel()
    return np.bincount(place, chance) / np.bincount(place), different


def _in_time(history: Simulation) -> float:
    """The share of interviews that the log tells of within the horizon, by them or by what came after."""
    rows = history.applications.filter(history.applications["interviewed"])
    offered = rows["stage"].to_numpy(zero_copy_only=False) == "offer"
    sent = rows["submitted_local"].to_numpy()
    told = [rows[f"{stage}_logged_local"].to_numpy() for stage in ("interview", "onsite", "decision")]
    told[2] = np.where(offered, told[2], np.datetime64("NaT"))
    first = np.fmin.reduce(told)
    return float((first - sent <= np.timedelta64(HORIZON_DAYS, "D")).mean())


MEASURES = (
    Measure(
        scenario="S14", name="95 % intervals of released segments cover their true rate, noise and all",
        unit=Unit.PERCENT, kind=Kind.SHARE, mark=Mark(low=0.90),
        naive="Wilson's interval on the released votes, without the noise",
        trial=Trial(
            name="S14 released", run=partial(segments_that_others_see, SCENARIOS["default"], 600),
            short=1, full=200,
        ), key="coverage",
    ),
)  # fmt: skip
