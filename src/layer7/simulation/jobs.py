"""Employers and their postings: shared by all people, so that outcomes within an employer hang together."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import logit

from layer7.simulation import levels
from layer7.simulation.draws import draw_levels
from layer7.simulation.market import Market

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

OLDEST_POSTING = 60  # days
_BUCKETS = len(levels.ROLES) * len(levels.SENIORITIES)
_TYPE_SHARES = (0.15, 0.20, 0.30, 0.25, 0.10)
_SIZE_SHARES = (  # of levels.COMPANY_SIZES, by company type
    (0.80, 0.18, 0.02, 0.0, 0.0),
    (0.15, 0.55, 0.28, 0.02, 0.0),
    (0.02, 0.20, 0.58, 0.20, 0.0),
    (0.0, 0.0, 0.08, 0.42, 0.50),
    (0.40, 0.38, 0.17, 0.05, 0.0),
)
_VENDOR_SHARES = (0.30, 0.22, 0.18, 0.15, 0.15)


@dataclass(frozen=True, slots=True)
class Employers:
    """One array per trait, one element per employer."""

    effect: Floats  # log odds
    frailty: Floats  # log days
    rejection: Floats  # P(explicit rejection | no interview, posting alive)
    industry: Ints
    company_type: Ints
    size: Ints
    vendor: Ints

    def __len__(self) -> int:
        return len(self.effect)


@dataclass(frozen=True, slots=True)
class Postings:
    """One array per trait, one element per posting, ordered by (day, role, seniority, slot)."""

    slots: int  # postings of one role and seniority in a day
    employer: Ints
    effect: Floats  # log odds of everything that is the posting's own: employer, role, crowding, ...
    crowding: Floats  # log applicants relative to the usual number
    dead: NDArray[np.bool_]
    pay: Floats  # factor on the usual salary
    skills: Ints  # which of the role's lists of skills

    def __len__(self) -> int:
        return len(self.employer)

    def find(self, day: Ints, role: Ints, seniority: Ints, slot: Ints) -> Ints:
        """Index of the posting in a slot of a day (0: `OLDEST_POSTING` days before the start)."""
        return (day * _BUCKETS + role * len(levels.SENIORITIES) + seniority) * self.slots + slot

    def role(self, posting: Ints) -> Ints:
        """Role of each posting."""
        return posting // self.slots % _BUCKETS // len(levels.SENIORITIES)

    def seniority(self, posting: Ints) -> Ints:
        """Seniority of each posting."""
        return posting // self.slots % len(levels.SENIORITIES)

    def day(self, posting: Ints) -> Ints:
        """Days from the start of the simulation to the day of posting; negative before the start."""
        return posting // (self.slots * _BUCKETS) - OLDEST_POSTING


def draw_employers(market: Market, count: int, rng: np.random.Generator) -> Employers:
    """Draw employers.

    Args:
        market: the planted numbers.
        count: how many, at least 1.
        rng: the dice.

    Returns:
        Their traits.

    Example:
        >>> len(draw_employers(Market(), 4, np.random.default_rng(1)))
        4
    """
    company_type = draw_levels(_TYPE_SHARES, count, rng)
    size_edges = np.cumsum(np.array(_SIZE_SHARES), axis=1)[company_type, :-1]
    rejection = logit(market.rejection_alive) + market.rejection_alive_sd * rng.standard_normal(count)
    return Employers(
        effect=market.employer_sd * rng.standard_normal(count),
        frailty=market.delay_employer_sd * rng.standard_normal(count),
        rejection=1.0 / (1.0 + np.exp(-rejection)),
        industry=rng.integers(0, len(levels.INDUSTRIES), count),
        company_type=company_type,
        size=np.sum(rng.random((count, 1)) > size_edges, axis=1).astype(np.int64),
        vendor=draw_levels(_VENDOR_SHARES, count, rng),
    )


def draw_market(
    market: Market, *, people: int, days: int, rng: np.random.Generator
) -> tuple[Employers, Postings]:
    """Draw as many postings, and employers to post them, as the people will need.

    Args:
        market: gives `applications_per_posting` and `postings_per_employer`.
        people: how many apply.
        days: for how long.
        rng: the dice.

    Returns:
        Employers and postings; every role and seniority has the same number of postings each day.

    Example:
        >>> employers, postings = draw_market(Market(), people=5, days=7, rng=np.random.default_rng(1))
        >>> len(postings) == (7 + OLDEST_POSTING) * 32 * postings.slots
        True
    """
    daily = people * market.weekly_volume_median * float(np.exp(market.weekly_volume_sigma**2 / 2)) / 7
    slots = max(1, round(daily / market.applications_per_posting / _BUCKETS))
    count = (days + OLDEST_POSTING) * _BUCKETS * slots
    employers = draw_employers(market, max(40, round(count / market.postings_per_employer)), rng)
    return employers, _draw_postings(market, employers, slots=slots, count=count, rng=rng)


def _draw_postings(
    market: Market, employers: Employers, *, slots: int, count: int, rng: np.random.Generator
) -> Postings:
    bucket = np.arange(count) // slots % _BUCKETS
    employer = rng.integers(0, len(employers), count)
    crowding = market.crowding_sd * rng.standard_normal(count)
    effect = employers.effect + np.take(market.industry_effect, employers.industry)
    effect = effect + np.take(market.company_type_effect, employers.company_type)
    own = np.take(market.role_effect, bucket // len(levels.SENIORITIES))
    own = own + np.take(market.seniority_effect, bucket % len(levels.SENIORITIES))
    if market.posting_sd > 0:
        own = own + market.posting_sd * rng.standard_normal(count)
    return Postings(
        slots=slots,
        employer=employer,
        effect=effect[employer] + own + market.crowding_slope * crowding,
        crowding=crowding,
        dead=rng.random(count) < market.dead_share,
        pay=np.exp(0.12 * rng.standard_normal(count)),
        skills=rng.integers(0, 4, count),
    )
