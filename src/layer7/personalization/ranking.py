"""Jobs in an order that helps one person: by what an application is expected to bring (specification 7.1)."""

from typing import Any

import numpy as np
import pydantic_core

from layer7.optimization.likelihood.model import LikelihoodModel
from layer7.personalization.asked import Asked, Person
from layer7.personalization.sums import Scored, Sums
from layer7.personalization.terms import Placed


def rank(
    model: LikelihoodModel, person: Person, asked: Asked, *, rng: np.random.Generator
) -> list[dict[str, Any]]:
    """Put jobs into the order of their expected surplus; see :func:`place`.

    Args:
        model: the likelihood model.
        person: the person.
        asked: the jobs.
        rng: the dice of exploration.

    Returns:
        JSON values in the shape of :class:`layer7.contract.ranking.RankedJob`, the best first.

    Example:
        >>> from datetime import UTC, datetime
        >>> from layer7.contract.ranking import Job
        >>> from layer7.personalization.asked import SOMEBODY
        >>> jobs = [Job(job_id=f"fit {fit}", fit_score=float(fit)) for fit in (40, 90, 60)]
        >>> asked = Asked(jobs, datetime(2026, 3, 2, tzinfo=UTC), exploration_share=0.0)
        >>> [job["job_id"] for job in rank(LikelihoodModel(), SOMEBODY, asked, rng=np.random.default_rng(1))]
        ['fit 90', 'fit 60', 'fit 40']
    """
    return [pydantic_core.from_json(placed.text) for placed in place(model, person, asked, rng=rng)]


def place(model: LikelihoodModel, person: Person, asked: Asked, *, rng: np.random.Generator) -> list[Placed]:
    """Put jobs into the order of their expected surplus, each with its terms.

    surplus = chance x worth - effort. The chance is the likelihood model's: everybody's terms, the person's
    own average, and her own leanings. Applicants are those that the posting names and the n other people to
    whom it was lately shown; the worth also loses what she would take from those: with the slope b of
    ln(1 + applicants) below 0 and share s = n / (applicants + n), ln(1 + b s). So of two equal jobs people
    are sent to both. A worth given with the job counts, what she wishes or mostly chooses adds some,
    a level below her own and what she rejects take some off.

    Of the first ``slots`` places a share is given by lot to one of the next ``slots`` jobs that are worth
    applying to, the same lot for the same dice; each job carries the chance that it got its place.

    Args:
        model: the likelihood model.
        person: the person.
        asked: the jobs.
        rng: the dice of exploration.

    Returns:
        The jobs, the best first.

    Source:
        Bied and others (2026), arXiv 2603.21699: ranking by utility or chance alone is worse than by their
        product.

    Example:
        >>> from datetime import UTC, datetime
        >>> from layer7.contract.ranking import Job
        >>> from layer7.personalization.asked import SOMEBODY
        >>> asked = Asked([Job(job_id="a")], datetime(2026, 3, 2, tzinfo=UTC))
        >>> place(LikelihoodModel(), SOMEBODY, asked, rng=np.random.default_rng(1))[0].text[:24]
        '{"job_id":"a","place":1,'
    """
    sums = Sums(model, person, asked)
    placed = _explored(sorted(sums.scored()), asked, rng)
    return [
        sums.told(scored, place, explored=explored, propensity=propensity)
        for place, (scored, explored, propensity) in enumerate(placed, start=1)
    ]


def _explored(
    ordered: list[Scored], asked: Asked, rng: np.random.Generator
) -> list[tuple[Scored, bool, float]]:
    """Fill the places: mostly the best that is left, now and then another of the next."""
    share, slots = asked.exploration_share, min(asked.slots, len(ordered))
    left, placed = list(ordered), []
    worth = sum(not scored.refused for scored in ordered)
    for place in range(slots):
        pool = min(slots, worth - place)
        if pool < 2 or share <= 0:
            break
        drawn = int(rng.integers(0, pool)) if rng.random() < share else 0
        chance = share / pool + (1 - share if drawn == 0 else 0.0)
        placed.append((left.pop(drawn), drawn > 0, chance))
    return placed + [(scored, False, 1.0) for scored in left]
