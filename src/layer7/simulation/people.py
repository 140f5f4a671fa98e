"""The people of the market: who they are, how good, how often they apply, what works for them alone."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from layer7.simulation import levels
from layer7.simulation.draws import draw_levels, draw_quality
from layer7.simulation.market import Market

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_PATTERN_SIZES = np.array([len(levels.COMPANY_TYPES), len(levels.INDUSTRIES), len(levels.COMPANY_SIZES), 11])


@dataclass(frozen=True, slots=True)
class Population:
    """One array per trait, one element per person; none of the array values change after drawing."""

    role: Ints
    seniority: Ints
    region: Ints
    years: Ints
    quality: Floats  # log odds
    resume: Floats  # points at the start
    fit: Floats  # points a person's fit lies above the market's mean
    volume: Floats  # applications per week
    joined: Ints  # week
    gives_up: Ints  # week
    pattern: Ints  # index of levels.PATTERN_DIMENSIONS, -1: none
    pattern_level: Ints
    pattern_logit: Floats
    vendor_logit: Floats
    mistargeted: NDArray[np.bool_]
    logging_delay: Floats  # median, days
    approval: Floats  # P(a suggestion is accepted, edited or not)
    editing: Floats  # P(edited | accepted)
    dislike: Ints  # index of levels.DISLIKES, -1: none

    def __len__(self) -> int:
        return len(self.role)


def draw_people(market: Market, people: int, rng: np.random.Generator) -> Population:
    """Draw the people of a market.

    Args:
        market: the planted numbers.
        people: how many, at least 1.
        rng: the dice.

    Returns:
        Their traits. Resume score and mean fit are correlated with quality, as the market says.

    Example:
        >>> len(draw_people(Market(), 3, np.random.default_rng(1)))
        3
    """
    seniority = draw_levels(market.seniority_shares, people, rng)
    quality = draw_quality(market, people, rng)
    strength = quality / market.quality_sd if market.quality_sd > 0 else quality
    joined = rng.integers(0, market.entry_weeks + 1, people)
    pattern, level, logit = _draw_patterns(market, people, rng)
    return Population(
        role=draw_levels(market.role_shares, people, rng),
        seniority=seniority,
        region=draw_levels(market.region_shares, people, rng),
        years=np.array([0, 3, 7, 10])[seniority] + rng.integers(0, 4, people),
        quality=quality,
        resume=_draw_resume(market, strength, rng),
        fit=market.fit_person_sd * _correlated(strength, market.fit_quality_correlation, rng),
        volume=market.weekly_volume_median * np.exp(market.weekly_volume_sigma * rng.standard_normal(people)),
        joined=joined,
        gives_up=joined + _weeks_until(market.weekly_dropout, people, rng),
        pattern=pattern,
        pattern_level=level,
        pattern_logit=logit,
        vendor_logit=market.vendor_person_sd * rng.standard_normal(people),
        mistargeted=rng.random(people) < market.mistargeted_share,
        logging_delay=market.logging_delay_median
        * np.exp(market.logging_delay_person_sd * rng.standard_normal(people)),
        approval=rng.beta(4.0, 2.0, people),
        editing=rng.beta(2.0, 4.0, people),
        dislike=np.where(rng.random(people) < 0.3, rng.integers(0, len(levels.DISLIKES), people), -1),
    )


def _correlated(strength: Floats, correlation: float, rng: np.random.Generator) -> Floats:
    noise = rng.standard_normal(len(strength))
    return correlation * strength + float(np.sqrt(1 - correlation**2)) * noise


def _draw_resume(market: Market, strength: Floats, rng: np.random.Generator) -> Floats:
    score = market.resume_mean + market.resume_sd * _correlated(
        strength, market.resume_quality_correlation, rng
    )
    return np.asarray(np.round(np.clip(score, 20.0, 100.0), 1), dtype=np.float64)


def _weeks_until(hazard: float, people: int, rng: np.random.Generator) -> Ints:
    """A week that never comes if the hazard is zero."""
    return rng.geometric(hazard, people) if hazard > 0 else np.full(people, 10**6)


def _draw_patterns(market: Market, people: int, rng: np.random.Generator) -> tuple[Ints, Ints, Floats]:
    has = rng.random(people) < market.pattern_share
    dimension = rng.integers(0, len(levels.PATTERN_DIMENSIONS), people)
    level = np.floor(rng.random(people) * _PATTERN_SIZES[dimension]).astype(np.int64)
    size = np.log(np.array(market.pattern_odds_ratios))[
        rng.integers(0, len(market.pattern_odds_ratios), people)
    ]
    return np.where(has, dimension, -1), np.where(has, level, -1), np.where(has, size, 0.0)
