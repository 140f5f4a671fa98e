"""A market in which something chooses for people: each week they are offered jobs, and apply to some."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from typing import TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from layer7.simulation import truth
from layer7.simulation.choices import APPLY, DAY, Applications, Week, choose_policies, draw_offers
from layer7.simulation.draws import probability
from layer7.simulation.jobs import Employers, Postings, draw_market
from layer7.simulation.market import Market
from layer7.simulation.outcomes import Calendar, Outcomes, draw_outcomes, linear_predictor
from layer7.simulation.people import Population, draw_people
from layer7.simulation.run import Simulation

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
_Rows = TypeVar("_Rows", Applications, Outcomes)


@dataclass(frozen=True, slots=True)
class Offers:
    """What everybody could apply to in a week, ordered by person.

    Args:
        applications: one element per offer.
        log_odds: of an interview, given that the posting is alive.
        chance: true chance of an interview; 0 where the posting is dead.
        each: offers of one person.
    """

    applications: Applications
    log_odds: Floats
    chance: Floats
    each: int


class ClosedLoop:
    """People who apply each week to some of what they are offered; nobody leaves.

    Args:
        market: the planted numbers.
        people: how many.
        weeks: how long at most.
        start: first day.
        rng: the dice.
    """

    def __init__(
        self, market: Market, *, people: int, weeks: int, start: date, rng: np.random.Generator
    ) -> None:
        self.market, self.start, self._rng = market, start, rng
        self.population: Population = draw_people(market, people, rng)
        self.world: tuple[Employers, Postings] = draw_market(market, people=people, days=7 * weeks, rng=rng)
        days = np.datetime64(start, "D") + np.arange(7 * weeks + 1)
        first = int(np.datetime64(start, "s").astype(np.int64))
        months = days.astype("datetime64[M]").astype(np.int64) % 12
        self._calendar = Calendar(first, start.weekday(), months)
        nothing = np.zeros(people, dtype=np.int64)
        self._policy = choose_policies(market, self.population, nothing, rng)
        self._sent: list[tuple[Applications, Outcomes]] = []
        self._identity = int(rng.integers(0, 2**63))

    def offers(self, week: int, each: int) -> Offers:
        """Draw what everybody could apply to.

        Args:
            week: from 0 on.
            each: how many for each person.
        """
        people = len(self.population)
        start = self._calendar.first + 7 * DAY * week
        never = np.full(people, 2**62)
        told = Week(
            self._calendar.first, start, self._calendar.weekday, np.ones(people, dtype=np.bool_), never,
            self.population.resume, np.ones(people, dtype=np.int64), np.full(people, APPLY), self._policy,
            np.zeros(people),
        )  # fmt: skip
        drawn = draw_offers(self.market, self.population, self.world[1], week=told, each=each, rng=self._rng)
        log_odds = linear_predictor(
            self.market, drawn, self.population, world=self.world, calendar=self._calendar
        )
        alive = ~self.world[1].dead[drawn.posting]
        return Offers(drawn, log_odds, probability(self.market, log_odds) * alive, each)

    def known(self, offers: Offers) -> pa.Table:
        """Give what is known of offers before anybody applies, as the truth's columns name it."""
        return truth.Tables(self.population, self.world, self.start, 1).offers(offers.applications)

    def apply(self, offers: Offers, chosen: Ints) -> None:
        """Let people apply to some of their offers.

        Args:
            offers: of a week.
            chosen: places of those that are applied to.
        """
        order = chosen[np.argsort(offers.applications.sent[chosen], kind="stable")]
        sent = _take(offers.applications, order)
        outcomes = draw_outcomes(
            self.market, sent, self.population, world=self.world, log_odds=offers.log_odds[order],
            rng=self._rng,
        )  # fmt: skip
        self._sent.append((sent, outcomes))

    def history(self, weeks: int) -> Simulation:
        """Give what has happened so far as a history, for its log.

        Args:
            weeks: that have passed.
        """
        tables = truth.Tables(self.population, self.world, self.start, weeks)
        everything = _join([row[0] for row in self._sent]), _join([row[1] for row in self._sent])
        return Simulation(
            market=self.market,
            start=self.start,
            weeks=weeks,
            identity=self._identity,
            applications=tables.applications(*everything),
            people=tables.people(np.full(len(self.population), 2**62)),
            modes=tables.journal([_blank(truth.MODES)], truth.MODES),
            rewrites=tables.journal([_blank(truth.REWRITES)], truth.REWRITES),
            suggestions=tables.journal([_blank(truth.SUGGESTIONS)], truth.SUGGESTIONS),
            decisions=tables.journal([_blank(truth.DECISIONS)], truth.DECISIONS),
        )


def _take(applications: Applications, rows: Ints) -> Applications:
    return Applications(*(getattr(applications, field.name)[rows] for field in fields(Applications)))


def _join(parts: Sequence[_Rows]) -> _Rows:
    return type(parts[0])(*(np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(parts[0])))


def _blank(columns: Sequence[str]) -> Mapping[str, NDArray[np.generic]]:
    nothing = np.zeros(0, dtype=np.int64)
    return dict.fromkeys(("person", "at", *columns), nothing) | {
        name: np.zeros(0, dtype=np.bool_) for name in ("accepted", "explored") if name in columns
    }
