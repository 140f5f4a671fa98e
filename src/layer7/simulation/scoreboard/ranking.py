"""S9, the closed loop: people apply to what the engine puts first, and it learns from that; S10: many do.

Each week everybody is offered jobs and applies to some. What counts is the true chance of an interview of
those that are chosen, so nothing depends on the luck of outcomes; the engine sees outcomes only.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from layer7.analytics.applications.outcomes import outlook
from layer7.analytics.cells.chances import chance_rows, to_chances
from layer7.contract.ranking import Job
from layer7.nightly.measuring import counted
from layer7.optimization.likelihood import LikelihoodModel, contest, own_terms
from layer7.optimization.likelihood.model import PROPERTIES
from layer7.personalization.asked import SOMEBODY, Asked, Leaning, Person
from layer7.personalization.ranking import rank
from layer7.simulation.closed_loop import ClosedLoop, Offers
from layer7.simulation.market import Market
from layer7.simulation.scenarios import SCENARIOS
from layer7.simulation.scoreboard.log import replay
from layer7.simulation.scoreboard.measure import Figure, Kind, Mark, Measure, Pair, Trial, Unit
from layer7.statistics import fit_silence

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

START = date(2026, 1, 5)
WEEKS = 12
OFFERED = 30
APPLIED = 8
LEARNS_AFTER = (1, 2, 4, 8, 12)  # weeks; nights in between would only cost time
_FACTS = (
    "title", "company", "seniority", "industry", "company_type", "company_size", "location", "channel",
    "category", "fit_score", "resume_score", "tailoring_applied", "applicants", "posted_at",
)  # fmt: skip


@dataclass(slots=True)
class Engine:
    """What the engine knows, night by night: the functions that the stage ``predict`` calls."""

    served: LikelihoodModel = field(default_factory=LikelihoodModel)
    tested: LikelihoodModel = field(default_factory=LikelihoodModel)
    people: Mapping[str, Person] = field(default_factory=dict)
    exploration: float = 0.05
    spread: dict[str, set[int]] | None = None  # to whom each job was shown so far; None to count nobody

    def learn(self, loop: ClosedLoop, weeks: int) -> None:
        """Read the log as it stands, and adopt what passes its test."""
        with replay(loop.history(weeks)) as log:
            found = log.at(log.end).applications
            night = outlook(fit_silence(counted(found, log.end)), log.end)
            rows = chance_rows(found, night).to_pyarrow()
        chances = to_chances(rows, {})
        judged = contest(chances, trained_to=int(log.end.timestamp()), champion=self.tested)
        if judged.adopted:
            self.served, self.tested = judged.served, judged.tested
        own = own_terms(self.served, to_chances(rows, {}, self.served.keys))
        leaning: dict[int, dict[tuple[str, str], Leaning]] = {}
        cells, keys = own.leanings.cells, self.served.keys
        for person, place, level, n, value in zip(
            cells.person.tolist(), cells.place.tolist(), cells.level.tolist(), cells.n.tolist(),
            own.leanings.value.tolist(), strict=True,
        ):  # fmt: skip
            name = PROPERTIES[place]
            leaning.setdefault(person, {})[name, keys[name][level]] = Leaning(value, n)
        self.people = {
            str(name): Person(
                value=float(own.value[at]), error=float(own.error[at]), n=int(own.n[at]),
                leanings=MappingProxyType(leaning.get(at, {})),
            )
            for at, name in enumerate(chances.people)
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Choice:
    """What the engine made of the offers of a week.

    Args:
        place: of each offer in its person's list, 1 first.
        shared: everybody's terms but that of applicants.
        own: those of the person alone.
        crowd: that of applicants.
    """

    place: Ints
    shared: Floats
    own: Floats
    crowd: Floats


def choose(
    engine: Engine,
    loop: ClosedLoop,
    offers: Offers,
    *,
    at: datetime,
    rng: np.random.Generator,
) -> Choice:
    """Let the engine rank everybody's offers, person by person.

    Args:
        engine: what it knows.
        loop: the market.
        offers: of the week.
        at: the start of the week.
        rng: the dice of exploration.
    """
    known, spread = loop.known(offers), engine.spread
    ids, users = ([str(name) for name in known[column].to_pylist()] for column in ("job_id", "user_id"))
    facts = {name: known[name].to_pylist() for name in _FACTS}
    size = len(ids)
    columns = {name: np.zeros(size) for name in ("place", "shared", "own", "crowd")}
    for start in range(0, size, offers.each):
        rows = range(start, start + offers.each)
        # A posting may be offered twice; the list holds it once for each, so the row is part of the name.
        jobs = [_job(f"{ids[row]}/{row}", facts, row) for row in rows]
        person = engine.people.get(hashlib.md5(users[start].encode(), usedforsecurity=False).hexdigest())
        shown = {} if spread is None else _shown(spread, ids, rows)
        asked = Asked(jobs, at, APPLIED, engine.exploration, shown)
        for told in rank(engine.served, person or SOMEBODY, asked, rng=rng):
            row = int(told["job_id"].rpartition("/")[2])
            columns["place"][row] = told["place"]
            for term in told["terms"]:
                columns[_part(term)][row] += term["log_odds"]
            if spread is not None and told["place"] <= APPLIED:
                spread.setdefault(ids[row], set()).add(start)
    return Choice(columns["place"].astype(np.int64), *(columns[name] for name in ("shared", "own", "crowd")))


def _job(name: str, facts: Mapping[str, list[Any]], row: int) -> Job:
    known = {fact: values[row] for fact, values in facts.items()}
    return Job.model_construct(job_id=name, description=None, priority_score=0.0, worth=1.0, **known)


def _shown(spread: Mapping[str, set[int]], ids: list[str], rows: range) -> dict[str, int]:
    return {f"{ids[row]}/{row}": len(spread.get(ids[row], ())) for row in rows}


def _part(term: Mapping[str, Any]) -> str:
    if term["name"] in {"applicants", "crowding"}:
        return "crowd"
    return "own" if term["name"].startswith("own_") else "shared"


def best(score: Floats, each: int, taken: int = APPLIED) -> Ints:
    """Give the places of everybody's best offers.

    Args:
        score: of each offer, ordered by person.
        each: offers of one person.
        taken: how many of them.

    Example:
        >>> best(np.array([1.0, 3.0, 2.0, 9.0, 8.0, 7.0]), 3, 1).tolist()
        [1, 3]
    """
    table = score.reshape(-1, each)
    chosen = np.argsort(-table, axis=1, kind="stable")[:, :taken]
    return np.asarray((chosen + np.arange(len(table))[:, None] * each).ravel(), dtype=np.int64)


def closed_loop(people: int, seed: int) -> Mapping[str, Pair]:
    """Let people follow the engine for 12 weeks, and compare orders on the offers of the week after.

    Args:
        people: how many.
        seed: of the dice.
    """
    rng = np.random.default_rng(seed)
    loop = ClosedLoop(SCENARIOS["default"], people=people, weeks=WEEKS + 1, start=START, rng=rng)
    engine, chances = Engine(), {"engine": 0.0, "fit": 0.0, "random": 0.0}
    for week in range(WEEKS):
        offers = loop.offers(week, OFFERED)
        found = choose(engine, loop, offers, at=_begin(week), rng=rng)
        chosen = best(-found.place.astype(np.float64), OFFERED)
        loop.apply(offers, chosen)
        for name, rows in (("engine", chosen), *_simple(offers, rng)):
            chances[name] += float(offers.chance[rows].mean()) / WEEKS
        if week + 1 in LEARNS_AFTER:
            engine.learn(loop, week + 1)
    orders = _orders(engine, loop, rng)
    return _pairs(orders, chances)


def _begin(week: int) -> datetime:
    return datetime(START.year, START.month, START.day, tzinfo=UTC) + timedelta(weeks=week)


def _simple(offers: Offers, rng: np.random.Generator) -> tuple[tuple[str, Ints], ...]:
    chance = rng.random(offers.chance.size)
    return ("fit", best(offers.applications.fit, OFFERED)), ("random", best(chance, OFFERED))


def _orders(engine: Engine, loop: ClosedLoop, rng: np.random.Generator) -> Mapping[str, float]:
    """Mean true chance of what each order puts first, on the same offers of the week after."""
    offers = loop.offers(WEEKS, OFFERED)
    plain = choose(replace(engine, exploration=0.0), loop, offers, at=_begin(WEEKS), rng=rng)
    explored = choose(engine, loop, offers, at=_begin(WEEKS), rng=rng)
    employers, postings = loop.world
    hidden = employers.effect[postings.employer[offers.applications.posting]]
    scores = {
        "population": plain.shared,
        "personal": plain.shared + plain.own,
        "crowding": plain.shared + plain.own + plain.crowd,
        "without_exploration": -plain.place.astype(np.float64),
        "engine": -explored.place.astype(np.float64),
        # All that could be known before: what stays hidden is the employer's own taste, and dead postings.
        "knowable": offers.log_odds - hidden,
        "oracle": offers.chance,
    }
    means = {name: float(offers.chance[best(score, OFFERED)].mean()) for name, score in scores.items()}
    return means | {name: float(offers.chance[rows].mean()) for name, rows in _simple(offers, rng)}


def _pairs(orders: Mapping[str, float], whole: Mapping[str, float]) -> Mapping[str, Pair]:
    base, fit = orders["random"], orders["fit"]
    found = {
        name: Pair(Figure(orders[name] / base), Figure(fit / base))
        for name in ("engine", "population", "personal", "crowding", "knowable", "oracle")
    }
    reach = orders["knowable"] - fit
    return found | {
        "share": Pair(Figure((orders["engine"] - fit) / reach)),
        "over_fit": Pair(Figure(orders["engine"] / fit - 1)),
        "learning": Pair(Figure(whole["engine"] / whole["random"]), Figure(whole["fit"] / whole["random"])),
        "personal_gain": Pair(Figure(orders["personal"] / orders["population"] - 1)),
        "exploration": Pair(Figure(1 - orders["engine"] / orders["without_exploration"])),
    }


def _crowded(market: Market) -> Market:
    """Few postings for many people, so that what one applies to is what others apply to, too."""
    return replace(market, applications_per_posting=60.0, dead_share=0.0)


ADOPTIONS: Mapping[float, int] = MappingProxyType({0.01: 30, 0.10: 5, 0.50: 1})
"""Shares of people who follow the engine, and how many groups are drawn, since few people tell little."""


def crowding(people: int, seed: int) -> Mapping[str, Pair]:
    """Let a share of the people follow the engine where postings are few, and others choose by chance.

    An application more at a posting lowers the odds of all of them by the market's slope per logarithm of
    the applicants; as many as came when everybody chose by chance change nothing.

    Args:
        people: how many.
        seed: of the dice.
    """
    rng = np.random.default_rng(seed)
    teacher = ClosedLoop(SCENARIOS["default"], people=people, weeks=5, start=START, rng=rng)
    engine = Engine()
    for week in range(4):
        offers = teacher.offers(week, APPLIED)
        teacher.apply(offers, np.arange(offers.chance.size))
    engine.learn(teacher, 4)
    loop = ClosedLoop(_crowded(SCENARIOS["default"]), people=people, weeks=1, start=START, rng=rng)
    engine.people = {}
    offers = loop.offers(0, OFFERED)
    by_chance = best(rng.random(offers.chance.size), OFFERED)
    usual = _counts(loop, offers, by_chance)
    lifts: dict[str, tuple[float, ...]] = {}
    for share, groups in ADOPTIONS.items():
        told = [_lifts(engine, loop, offers, (by_chance, usual), share=share, rng=rng) for _ in range(groups)]
        lifts[f"at_{share:.0%}"] = tuple(np.mean(told, axis=0).tolist())
    pairs = {name: Pair(Figure(ours), Figure(same)) for name, (ours, same) in lifts.items()}
    first, last = lifts["at_1%"], lifts["at_50%"]
    return pairs | {"kept": Pair(Figure(last[0] / first[0]), Figure(last[1] / first[1]))}


def _lifts(
    engine: Engine,
    loop: ClosedLoop,
    offers: Offers,
    usual: tuple[Ints, Floats],
    *,
    share: float,
    rng: np.random.Generator,
) -> tuple[float, float]:
    """What those gain who follow the engine, as it spreads people, and as it would without."""
    by_chance, counts = usual
    people = len(loop.population)
    follows = rng.permutation(people) < max(1, round(share * people))
    mine, others = _split(offers, by_chance, follows)
    base = _mean(loop, offers, by_chance, counts, among=follows)
    found = []
    for asked in (replace(engine, exploration=0.0, spread={}), replace(engine, exploration=0.0)):
        placed = choose(asked, loop, mine[0], at=_begin(0), rng=rng).place.astype(np.float64)
        rows = np.concatenate([mine[1][best(-placed, OFFERED)], others])
        found.append(_mean(loop, offers, rows, counts, among=follows) / base)
    return found[0], found[1]


def _split(offers: Offers, by_chance: Ints, follows: NDArray[np.bool_]) -> tuple[tuple[Offers, Ints], Ints]:
    """The offers of those who follow the engine with their places, and what the others apply to."""
    mine = np.flatnonzero(np.repeat(follows, OFFERED))
    names = offers.applications.__slots__
    part = type(offers.applications)(*(getattr(offers.applications, name)[mine] for name in names))
    held = Offers(part, offers.log_odds[mine], offers.chance[mine], OFFERED)
    return (held, mine), by_chance[~np.repeat(follows, APPLIED)]


def _counts(loop: ClosedLoop, offers: Offers, rows: Ints) -> Floats:
    postings = offers.applications.posting[rows]
    return np.bincount(postings, minlength=len(loop.world[1])).astype(np.float64)


def _mean(loop: ClosedLoop, offers: Offers, rows: Ints, usual: Floats, *, among: NDArray[np.bool_]) -> float:
    """Mean chance of what some people apply to, with as many applicants as there are now."""
    posting = offers.applications.posting[rows]
    applicants = 80.0 * np.exp(loop.world[1].crowding[posting])
    more = _counts(loop, offers, rows)[posting] - usual[posting]
    shift = loop.market.crowding_slope * np.log(np.maximum(applicants + more, 1.0) / applicants)
    chance = special.expit(offers.log_odds[rows] + shift)
    return float(chance[among[offers.applications.person[rows]]].mean())


_LOOP = Trial(name="S9", run=partial(closed_loop, 1_000), short=1, full=20)
_CROWD = Trial(name="S10", run=partial(crowding, 1_000), short=1, full=20)
_FIT = "the order of the fit score"
_SAME = "the same order for everybody, whoever else was sent there"


def _line(
    trial: Trial, name: str, key: str, mark: Mark, *, unit: Unit = Unit.NUMBER, naive: str = ""
) -> Measure:
    return Measure(
        scenario=trial.name, name=name, unit=unit, kind=Kind.MEAN, mark=mark, naive=naive, trial=trial,
        key=key,
    )  # fmt: skip


MEASURES = (
    _line(_LOOP, "interviews after 12 weeks, times those by chance", "engine", Mark(low=1.52), naive=_FIT),
    _line(_LOOP, "the same over all 12 weeks, from no data on", "learning", Mark(low=1.0), naive=_FIT),
    _line(_LOOP, "share of what can be known over fit order", "share", Mark(low=0.8), unit=Unit.PERCENT),
    _line(_LOOP, "interview rate over fit order", "over_fit", Mark(low=0.2), unit=Unit.PERCENT),
    _line(_LOOP, "everybody's terms alone, without applicants", "population", Mark(low=1.0), naive=_FIT),
    _line(_LOOP, "with terms of single persons", "personal", Mark(low=1.0), naive=_FIT),
    _line(_LOOP, "with applicants", "crowding", Mark(low=1.0), naive=_FIT),
    _line(_LOOP, "terms of single persons, gain", "personal_gain", Mark(low=-0.005), unit=Unit.PERCENT),
    _line(_LOOP, "cost of exploration", "exploration", Mark(high=0.05), unit=Unit.PERCENT),
    _line(_LOOP, "whoever knew all that can be known", "knowable", Mark(low=1.0), naive=_FIT),
    _line(_LOOP, "an oracle", "oracle", Mark(low=1.0), naive=_FIT),
    _line(_CROWD, "interviews where postings are few, 1 % follow", "at_1%", Mark(low=1.0), naive=_SAME),
    _line(_CROWD, "interviews where postings are few, 10 % follow", "at_10%", Mark(low=1.0), naive=_SAME),
    _line(_CROWD, "interviews where postings are few, 50 % follow", "at_50%", Mark(low=1.0), naive=_SAME),
    _line(_CROWD, "what is kept of it at 50 %", "kept", Mark(low=0.8), unit=Unit.PERCENT, naive=_SAME),
)
