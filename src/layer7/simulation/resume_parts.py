"""The parts that a resume score is made of, where a market plants them: the score is their weighted mean."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from layer7.simulation.choices import Applications
from layer7.simulation.market import Market

Floats = NDArray[np.float64]


class ResumeParts:
    """Draws the parts of resume scores, from dice of their own.

    Args:
        market: the planted numbers.
        people: how many there are.
        rng: the dice; others are made from them, so that they give the same market with parts and without.
    """

    def __init__(self, market: Market, people: int, rng: np.random.Generator) -> None:
        self._market = market
        self._planted = market.resume_part_sd > 0
        if self._planted:
            (self._rng,) = rng.spawn(1)
            size = (people, len(market.resume_weights))
            self._own = market.resume_part_person_sd * self._rng.standard_normal(size)

    def draw(self, applications: Applications) -> Applications:
        """Draw the parts of applications: their weighted mean is the score, whatever is drawn.

        part = score + t (d - Σ weight d), with d the person's own leaning plus this application's, and the
        largest t up to 1 that keeps all parts between 0 and 100.

        Args:
            applications: without parts; those of a market that plants none stay as they are.
        """
        if not self._planted:
            return applications
        market = self._market
        own = self._own[applications.person]
        leaning = own + market.resume_part_sd * self._rng.standard_normal(own.shape)
        leaning -= (leaning @ market.resume_weights)[:, None]
        score = applications.resume[:, None]
        room = np.where(leaning > 0, 100.0 - score, score)
        share = np.minimum((room / np.maximum(np.abs(leaning), 1e-9)).min(axis=1), 1.0)
        parts = np.round(np.clip(score + share[:, None] * leaning, 0.0, 100.0), 1)
        return replace(applications, resume_parts=parts, outcome_resume=parts @ market.outcome_resume_weights)
