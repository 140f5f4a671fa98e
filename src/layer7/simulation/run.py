"""The market, told week by week: people choose, apply, wait, hear, log, and some leave."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date
from typing import TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from layer7.errors import Layer7Error
from layer7.simulation import levels, truth
from layer7.simulation.choices import (
    DAY,
    IMPROVE,
    RETHINK,
    Applications,
    Week,
    choose_policies,
    draw_applications,
    strategy_mode,
)
from layer7.simulation.draws import draw_levels
from layer7.simulation.exploration import Exploration
from layer7.simulation.jobs import draw_market
from layer7.simulation.market import Market
from layer7.simulation.outcomes import ACCEPTED, Calendar, Outcomes, draw_outcomes, linear_predictor
from layer7.simulation.people import Population, draw_people
from layer7.simulation.resume_parts import ResumeParts

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Columns = dict[str, NDArray[np.generic]]
_Rows = TypeVar("_Rows", Applications, Outcomes)
_SUGGESTION_SHARES = (0.5, 0.3, 0.1, 0.1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulation:
    """A market's history, with its truth.

    Attributes:
        market: the planted numbers.
        start: first day, on each person's own calendar.
        weeks: how long.
        identity: 64 bits drawn with the history; event identifiers derive from it.
        applications: one row per application begun: what was chosen, the true probability of an interview,
            what happened (also after the horizon) and when it was logged; columns in `truth.py`.
        people: one row per person, with quality and the pattern that is true for that person alone.
        modes: one row per change of Layer 2's strategy mode.
        rewrites: one row per resume rewrite.
        suggestions: one row per suggestion shown.
        decisions: one row per decision of Layer 2 that a coin was asked about, with its propensity.
    """

    market: Market
    start: date
    weeks: int
    identity: int
    applications: pa.Table
    people: pa.Table
    modes: pa.Table
    rewrites: pa.Table
    suggestions: pa.Table
    decisions: pa.Table


def simulate(market: Market, *, people: int, weeks: int, start: date, rng: np.random.Generator) -> Simulation:
    """Let people search for jobs in a market for some weeks.

    Args:
        market: the planted numbers.
        people: how many, at least 1.
        weeks: for how long, at least 1.
        start: first day.
        rng: the dice; the same seed gives the same history.

    Returns:
        Everything that happened, true probabilities included.

    Raises:
        Layer7Error: ``simulation_size`` if there are no people or no weeks.

    Trust:
        The moments of the default market are those of ``docs/methods/market.md``, tested with 2,000 people.

    Example:
        >>> history = simulate(
        ...     Market(), people=20, weeks=2, start=date(2026, 3, 2), rng=np.random.default_rng(7)
        ... )
        >>> history.people.num_rows
        20
    """
    if people < 1 or weeks < 1:
        raise Layer7Error(
            "simulation_size",
            f"A simulation of {people} people and {weeks} weeks; it needs at least 1 of each.",
            "Ask for 500 people and 12 weeks to see the default market's moments.",
        )
    population = draw_people(market, people, rng)
    world = draw_market(market, people=people, days=7 * weeks, rng=rng)
    calendar = _calendar(start, weeks)
    state = _State.begin(market, population, calendar=calendar, weeks=weeks, rng=rng)
    parts = ResumeParts(market, people, rng)
    rows: list[tuple[Applications, Outcomes]] = []
    for number in range(weeks):
        week = state.open_week(market, population, number, rng)
        applications = parts.draw(draw_applications(market, population, world[1], week=week, rng=rng))
        log_odds = linear_predictor(market, applications, population, world=world, calendar=calendar)
        outcomes = draw_outcomes(market, applications, population, world=world, log_odds=log_odds, rng=rng)
        state.close_week(applications, outcomes)
        rows.append((applications, outcomes))
    everything = _join([row[0] for row in rows]), _join([row[1] for row in rows])
    tables = truth.Tables(population, world, start, weeks)
    return Simulation(
        market=market,
        start=start,
        weeks=weeks,
        identity=int(rng.integers(0, 2**63)),
        applications=tables.applications(*everything),
        people=tables.people(state.leaves),
        modes=tables.journal(state.modes, truth.MODES),
        rewrites=tables.journal(state.rewrites, truth.REWRITES),
        suggestions=tables.journal(state.suggestions, truth.SUGGESTIONS),
        decisions=tables.journal(state.exploration.decisions, truth.DECISIONS),
    )


def _calendar(start: date, weeks: int) -> Calendar:
    days = np.datetime64(start, "D") + np.arange(7 * weeks + 1)
    first = int(np.datetime64(start, "s").astype(np.int64))
    return Calendar(first, start.weekday(), days.astype("datetime64[M]").astype(np.int64) % 12)


def _join(parts: Sequence[_Rows]) -> _Rows:
    return type(parts[0])(*(np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(parts[0])))


@dataclass(slots=True)
class _State:
    """What a week inherits from the weeks before it."""

    calendar: Calendar
    resume: Floats
    version: Ints
    mode: Ints  # -1 before the first week
    policy: Ints
    leaves: Ints
    aim: Floats
    sent: Ints
    sent_last_week: Ints
    seen: Ints  # interviews that reached the log, by person and week
    modes: list[Columns]
    rewrites: list[Columns]
    suggestions: list[Columns]
    exploration: Exploration

    @classmethod
    def begin(
        cls,
        market: Market,
        population: Population,
        *,
        calendar: Calendar,
        weeks: int,
        rng: np.random.Generator,
    ) -> "_State":
        size = len(population)
        nothing = np.zeros(size, dtype=np.int64)
        wrong = float(np.log(market.mistargeted_odds_ratio))
        return cls(
            calendar=calendar,
            resume=population.resume.copy(),
            version=np.ones(size, dtype=np.int64),
            mode=np.full(size, -1),
            policy=choose_policies(market, population, nothing, rng),
            leaves=calendar.first + 7 * DAY * population.gives_up,
            aim=np.where(population.mistargeted, wrong, 0.0),
            sent=nothing,
            sent_last_week=nothing,
            seen=np.zeros((size, weeks), dtype=np.int64),
            modes=[],
            rewrites=[],
            suggestions=[],
            exploration=Exploration.begin(size),
        )

    def open_week(
        self, market: Market, population: Population, number: int, rng: np.random.Generator
    ) -> Week:
        """Decide modes and policies from what is known by now; then write, rewrite and suggest."""
        start = self.calendar.first + 7 * DAY * number
        active = (population.joined <= number) & (self.leaves > start)
        seen = self.seen[:, :number].sum(axis=1)
        rule = strategy_mode(market, self.resume, self.sent, seen)
        due = active & ((number - population.joined) % market.exploration_weeks == 0)
        coins = self.exploration.toss(market, self.resume, rule=rule, due=due, rng=rng)
        mode = np.where(active, self.exploration.mode(rule), self.mode)
        self.exploration.note(self._metrics(coins.person, seen, start), coins)
        who = np.flatnonzero(mode != self.mode)
        modes = {"from_mode": self.mode[who], "to_mode": mode[who]}
        self.modes.append(self._metrics(who, seen, start) | modes)
        self.mode = mode
        self.aim = np.where(mode == RETHINK, 0.0, self.aim)
        recent = self.seen[:, max(0, number - 4) : number].sum(axis=1)
        anew = rng.random(len(population)) < market.policy_reconsider
        self.policy = np.where(anew, choose_policies(market, population, recent, rng), self.policy)
        calendar = self.calendar
        week = Week(
            calendar.first, start, calendar.weekday, active, self.leaves, self.resume, self.version, mode,
            self.policy, self.aim,
        )  # fmt: skip
        self._rewrite(market, week, rng)
        self._suggest(market, population, week, rng)
        return week

    def close_week(self, applications: Applications, outcomes: Outcomes) -> None:
        """Count what was sent and which interviews reach the log in which week; let the hired go."""
        size, weeks = self.seen.shape
        people = applications.person[applications.submitted]
        self.sent_last_week = np.bincount(people, minlength=size)
        self.sent = self.sent + self.sent_last_week
        logged = (outcomes.interview_logged - self.calendar.first) // (7 * DAY)
        in_time = np.flatnonzero(logged < weeks)
        np.add.at(self.seen, (applications.person[in_time], logged[in_time]), 1)
        hired = np.flatnonzero(outcomes.end == ACCEPTED)
        left = applications.sent[hired] + (outcomes.decision_days[hired] * DAY).astype(np.int64)
        leaves = self.leaves.copy()
        np.minimum.at(leaves, applications.person[hired], left)
        self.leaves = leaves

    def _metrics(self, who: Ints, seen: Ints, start: int) -> Columns:
        """What Layer 2 knows of people when it decides."""
        sent = self.sent[who]
        return {
            "person": who,
            "at": np.full(len(who), start),
            "resume_score": self.resume[who],
            "total_applications": sent,
            "interview_rate": np.round(seen[who] / np.maximum(sent, 1), 4),
            "applications_last_7_days": self.sent_last_week[who],
        }

    def _rewrite(self, market: Market, week: Week, rng: np.random.Generator) -> None:
        """Rewrite some resumes; the new version is used from the next week on."""
        chance = market.rewrite_weekly * np.where(week.mode == IMPROVE, 1.0, market.rewrite_elsewhere)
        who = np.flatnonzero(week.active & (rng.random(len(chance)) < chance))
        size = len(who)
        gain = market.rewrite_points + market.rewrite_points_sd * rng.standard_normal(size)
        before, accepted = self.resume[who], rng.random(size) < market.rewrite_accepted
        after = np.round(np.clip(before + gain, 20.0, 100.0), 1)
        version = self.version[who] + accepted
        self.resume, self.version = self.resume.copy(), self.version.copy()
        self.resume[who[accepted]] = after[accepted]
        self.version[who[accepted]] = version[accepted]
        self.rewrites.append(
            {
                "person": who,
                "at": week.start + rng.integers(8 * 3600, 7 * DAY, size),
                "version": version,
                "rewrite_type": rng.integers(0, len(levels.REWRITE_TYPES), size),
                "gap": rng.integers(0, len(levels.GAPS), size),
                "before": before,
                "after": after,
                "accepted": accepted,
            }
        )

    def _suggest(self, market: Market, population: Population, week: Week, rng: np.random.Generator) -> None:
        counts = rng.poisson(market.weekly_suggestions, len(population)) * week.active
        who = np.repeat(np.arange(len(population)), counts)
        size = len(who)
        kind = draw_levels(_SUGGESTION_SHARES, size, rng)
        approved = rng.random(size) < population.approval[who]
        edited = rng.random(size) < population.editing[who]
        dislike = np.where(rng.random(size) < 0.8, population.dislike[who], -1)
        self.suggestions.append(
            {
                "person": who,
                "at": week.start + rng.integers(8 * 3600, 7 * DAY, size),
                "kind": kind,
                "decision": np.where(approved, np.where(edited, 1, 0), 2),
                "dislike": np.where(approved, -1, dislike),
            }
        )
