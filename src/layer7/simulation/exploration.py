"""Layer 2 explores: near its threshold a coin sends some people the other way, with odds that are logged."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from layer7.simulation.choices import APPLY, IMPROVE, RETHINK
from layer7.simulation.market import Market

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Columns = dict[str, NDArray[np.generic]]

_FREE = -1


@dataclass(frozen=True, slots=True)
class Coins:
    """Decisions that a coin was asked about.

    Args:
        person: who.
        mode: what was decided.
        explored: whether the coin turned the decision round.
        propensity: how likely what was decided was.
    """

    person: Ints
    mode: Ints
    explored: Bools
    propensity: Floats


@dataclass(slots=True)
class Exploration:
    """What Layer 2 has decided for the people near its threshold.

    Args:
        held: the mode that a decision holds each person in; -1 where the rule is free.
        decisions: the journal, one entry per week.
    """

    held: Ints
    decisions: list[Columns]

    @classmethod
    def begin(cls, people: int) -> "Exploration":
        """Hold nobody yet."""
        return cls(np.full(people, _FREE), [])

    def toss(
        self, market: Market, resume: Floats, *, rule: Ints, due: Bools, rng: np.random.Generator
    ) -> Coins:
        """Toss a coin for those near the threshold whose decision is due, and hold them to it.

        Nobody is asked to rethink, or spared it, by a coin. Without exploration no coin is tossed.

        Args:
            market: gives share and reach of exploration, and the threshold.
            resume: scores, 0 to 100.
            rule: the mode that the rule gives.
            due: whether a decision is due.
            rng: the dice.

        Example:
            >>> market = Market(exploration_share=0.5)
            >>> coins = Exploration.begin(3).toss(
            ...     market, np.array([60.0, 74.0, 76.0]), rule=np.array([0, 0, 1]),
            ...     due=np.ones(3, dtype=bool), rng=np.random.default_rng(1),
            ... )
            >>> coins.person.tolist(), coins.propensity.tolist()
            ([1, 2], [0.5, 0.5])
        """
        share = market.exploration_share
        near = np.abs(resume - market.improve_resume_threshold) <= market.exploration_reach
        who = np.flatnonzero(due & near & (rule != RETHINK)) if share > 0 else np.empty(0, dtype=np.int64)
        explored = rng.random(len(who)) < share
        mode = np.where(explored, np.where(rule[who] == IMPROVE, APPLY, IMPROVE), rule[who])
        self.held = np.where(due, _FREE, self.held)
        self.held[who] = mode
        return Coins(who, mode, explored, np.where(explored, share, 1 - share))

    def mode(self, rule: Ints) -> Ints:
        """Give the modes that people are in: those they are held in, else those of the rule."""
        return np.where(self.held >= 0, self.held, rule)

    def note(self, known: Columns, coins: Coins) -> None:
        """Keep decisions for the log, with what was known when they were made."""
        self.decisions.append(
            known | {"mode": coins.mode, "explored": coins.explored, "propensity": coins.propensity}
        )
