"""Jobs in an order that helps one person: by what an application is expected to bring (specification 7.1)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from math import exp, log, log1p, sqrt
from operator import itemgetter
from types import MappingProxyType
from typing import Any

import numpy as np
import pydantic_core

from layer7.analytics.cells.chances import OWN
from layer7.analytics.optimizing.personal import arrangement_of
from layer7.contract.ranking import Job
from layer7.optimization.likelihood.model import LikelihoodModel, Term
from layer7.personalization.likes import Like
from layer7.personalization.terms import Part, Placed, as_json, terms_of, why

EFFORT_SHARE = 0.25
"""An application is worth its effort from a quarter of what the person's usual one brings."""

BELOW_LEVEL = -0.20
"""Log worth of an interview one level below the person's own: ranking by chance alone sends people there."""

WISHED, LIKED = 10.0, 5.0
"""Points of the fit score that a job is worth more where it is as she wishes, or as she mostly chooses."""

GOOD_COMPANY, GOOD_LOCATION, REJECTED = 10.0, 5.0, -15.0
"""The specification's points."""

USUAL_APPLICANTS = 80.0
_REACH = 1.959964


@dataclass(frozen=True, slots=True)
class Leaning:
    """What goes with a level for one person alone.

    Args:
        value: log odds.
        n: her applications to it.
    """

    value: float
    n: int


@dataclass(frozen=True, slots=True)
class Person:
    """What is known of the person that jobs are ranked for.

    Args:
        value: her own average log odds, against somebody unknown.
        error: how uncertain that is; None for the spread between people.
        n: her applications that it is learned from.
        leanings: by property and key of the level.
        company_types: keys of kinds of company that are shown as working for her.
        locations: keys of locations likewise.
        rejected: what she rejects, by her own word or again and again, in small letters.
        likes: what she wishes, or mostly chooses.
        min_fit_score: fit below which she should not apply; None for none.
    """

    value: float = 0.0
    error: float | None = None
    n: int = 0
    leanings: Mapping[tuple[str, str], Leaning] = field(default_factory=lambda: MappingProxyType({}))
    company_types: frozenset[str] = frozenset()
    locations: frozenset[str] = frozenset()
    rejected: tuple[str, ...] = ()
    likes: tuple[Like, ...] = ()
    min_fit_score: float | None = None

    def with_minimum(self, least: float | None) -> "Person":
        """Give the same person with another minimum fit.

        Args:
            least: the fit below which she should not apply; None for none.
        """
        return replace(self, min_fit_score=least)


SOMEBODY = Person()
"""Somebody of whom nothing is known, or whose own outcomes may not be used."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked for.

    Args:
        jobs: the jobs, in any order, each once.
        at: now, for the age of postings.
        slots: how many the person is going to look at.
        exploration_share: of these places, given by lot to jobs a little behind.
        exposures: people to whom each job was lately shown among the first places.
    """

    jobs: Sequence[Job]
    at: datetime
    slots: int = 10
    exploration_share: float = 0.05
    exposures: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(slots=True)
class _Scored:
    """A job with its sum."""

    job: Job
    parts: list[Part]
    log_odds: float
    error: float
    surplus: float
    refused: str | None

    @property
    def key(self) -> tuple[bool, float, str]:
        return (self.refused is not None, -self.surplus, self.job.job_id)


def effort_of(model: LikelihoodModel, person: Person) -> float:
    """Give what an application costs, in interviews of a usual job: a quarter of what her usual one brings.

    Args:
        model: the likelihood model.
        person: the person.
    """
    return EFFORT_SHARE * _chance(terms_of(model).intercept + person.value)


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
        >>> from datetime import UTC
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
        >>> from datetime import UTC
        >>> asked = Asked([Job(job_id="a")], datetime(2026, 3, 2, tzinfo=UTC))
        >>> place(LikelihoodModel(), SOMEBODY, asked, rng=np.random.default_rng(1))[0].text[:24]
        '{"job_id":"a","place":1,'
    """
    sums = _Sums(model, person, asked)
    placed = _explored(sorted(sums.scored(), key=lambda scored: scored.key), asked, rng)
    return [
        sums.told(scored, place, explored=explored, propensity=propensity)
        for place, (scored, explored, propensity) in enumerate(placed, start=1)
    ]


def _explored(
    ordered: list[_Scored], asked: Asked, rng: np.random.Generator
) -> list[tuple[_Scored, bool, float]]:
    """Fill the places: mostly the best that is left, now and then another of the next."""
    share, slots = asked.exploration_share, min(asked.slots, len(ordered))
    left, placed = list(ordered), []
    worth = sum(scored.refused is None for scored in ordered)
    for place in range(slots):
        pool = min(slots, worth - place)
        if pool < 2 or share <= 0:
            break
        drawn = int(rng.integers(0, pool)) if rng.random() < share else 0
        chance = share / pool + (1 - share if drawn == 0 else 0.0)
        placed.append((left.pop(drawn), drawn > 0, chance))
    return placed + [(scored, False, 1.0) for scored in left]


class _Sums:
    """The sums of one request: what all its jobs share is looked up once."""

    def __init__(self, model: LikelihoodModel, person: Person, asked: Asked) -> None:
        self.terms, self.person, self.asked = terms_of(model), person, asked
        self.base = self.terms.intercept + person.value
        self.base_error = model.people.sd if person.error is None else person.error
        self.effort = effort_of(model, person)
        self.leanings = person.leanings if model.personal else {}
        self.facts = [job.__dict__ for job in asked.jobs]
        self.ages: dict[str, float | None] = {}
        self.parts: dict[tuple[str, str, float], Part] = {}

    def scored(self) -> list[_Scored]:
        """Add up all jobs."""
        jobs, exposures = self.asked.jobs, self.asked.exposures
        return [
            self._added(job, parts, exposures.get(job.job_id, 0))
            for job, parts in zip(jobs, self._chances(), strict=True)
        ]

    def _added(self, job: Job, parts: list[Part], shown: int) -> _Scored:
        """Add up one job."""
        worths = self._worths(job, shown)
        total, spread, worth = self.base, self.base_error**2, 0.0
        for part in parts:
            total += part.value
            spread += part.spread
        for part in worths:
            worth += part.value
        surplus = _chance(total) * exp(worth) - self.effort
        parts += worths
        return _Scored(job, parts, total, sqrt(spread), surplus, self._refused(job, surplus, total))

    def _chances(self) -> list[list[Part]]:
        """Everybody's terms, and those of the person alone, by job.

        Property by property over all jobs: that takes half the time of job by job.
        """
        columns = [self.terms.column(name, self._values(name)) for name in self.terms.names]
        own = OWN if self.leanings else ()
        columns += [[self._own(name, text) for text in self._values(name)] for name in own]
        rows = zip(*columns, strict=True) if columns else ([] for _ in self.asked.jobs)
        return [list(filter(None, row)) for row in rows]

    def _values(self, name: str) -> list[Any]:
        """What the jobs are in one property; None where that is not known."""
        jobs = self.asked.jobs
        match name:
            case "tailored":
                said = (job.tailoring_applied for job in jobs)
                return [None if value is None else str(value).lower() for value in said]
            case "posting_days":
                return [None if job.posted_at is None else self._age(job.posted_at) for job in jobs]
            case "applicants" if self.asked.exposures:
                return [self._applicants(job) for job in jobs]
        return [known.get(name) for known in self.facts]

    def _applicants(self, job: Job) -> float | None:
        """Those that the posting names, and those to whom it was shown."""
        shown = self.asked.exposures.get(job.job_id, 0)
        if not shown:
            return job.applicants
        return (USUAL_APPLICANTS if job.applicants is None else job.applicants) + shown

    def _own(self, name: str, text: str | None) -> Part | None:
        """What goes with a level for this person alone."""
        own = None if text is None else self.leanings.get((name, self.terms.key(text)))
        if own is None or text is None:
            return None
        return self._part(Term(f"own_{name}", text, own.value, abs(own.value) / 2, own.n), "likelihood")

    def _part(self, term: Term, of: str) -> Part:
        """Give a term as a part, made once for all jobs that have it."""
        key = term.name, term.about, term.value
        found = self.parts.get(key)
        if found is None:
            found = self.parts[key] = self.terms.part(term, of)
        return found

    def _worths(self, job: Job, shown: int) -> list[Part]:
        """What makes an interview there worth more or less than its chance says."""
        found = []
        if job.worth != 1.0:
            found.append(Term("worth", f"{job.worth:g}", log(job.worth), 0.0))
        if job.category == "safety":
            found.append(Term("level", "one below your own", BELOW_LEVEL, 0.0))
        found += self._liked(job)
        matched = self._rejected(job)
        if matched:
            found.append(Term("rejected", ", ".join(matched), self.terms.worth(REJECTED), 0.0))
        if shown and self.terms.crowding:
            others = USUAL_APPLICANTS if job.applicants is None else job.applicants
            share = shown / (others + shown)
            loss = log1p(max(self.terms.crowding, -0.9) * share)
            found.append(Term("crowding", f"shown to {shown} others", loss, 0.0))
        return [self._part(term, "worth") for term in found]

    def _liked(self, job: Job) -> list[Term]:
        """What of the job is as she wishes, or mostly chooses."""
        found = []
        for like in self.person.likes:
            text = arrangement_of(job.location) if like.name == "arrangement" else getattr(job, like.name)
            if text is not None and like.holds(self.terms.key(text)):
                name, points = ("wished", WISHED) if like.chosen else ("liked", LIKED)
                found.append(Term(f"{name}_{like.name}", text, self.terms.worth(points), 0.0))
        return found

    def _age(self, posted_at: str) -> float | None:
        if posted_at not in self.ages:
            self.ages[posted_at] = _days(posted_at, self.asked.at)
        return self.ages[posted_at]

    def _rejected(self, job: Job) -> list[str]:
        if not self.person.rejected:
            return []
        text = " ".join(part for part in (job.title, job.description) if part).casefold()
        return [words for words in self.person.rejected if words in text]

    def _refused(self, job: Job, surplus: float, total: float) -> str | None:
        """Why she should not apply; None if she should."""
        least = self.person.min_fit_score
        if least is not None and job.fit_score is not None and job.fit_score < least:
            return f"fit {job.fit_score:g} is below the minimum of {least:g}"
        if surplus < 0:
            return (
                f"an interview is too unlikely for the effort: {100 * _chance(total):.1f} %, "
                f"{100 * self.effort:.1f} % would do"
            )
        return None

    def told(self, scored: _Scored, place: int, *, explored: bool, propensity: float) -> Placed:
        """Say of a job in its place why it stands there."""
        job, total, reach = scored.job, scored.log_odds, _REACH * scored.error
        ordered = sorted(scored.parts, key=itemgetter(0))
        reason = scored.refused
        if reason is None:
            reason = "by lot, so that something is learned" if explored else "expected to be worth the effort"
        head = (
            f'{{"job_id":{as_json(job.job_id)},"place":{place},"likelihood":{_chance(total):.5f},'
            f'"likelihood_low":{_chance(total - reach):.5f},'
            f'"likelihood_high":{_chance(total + reach):.5f},'
            f'"expected_surplus":{scored.surplus:.5f},'
            f'"should_apply":{"true" if scored.refused is None else "false"},"reason":{as_json(reason)},'
            f'"why":{as_json(why(ordered))},"explored":{"true" if explored else "false"},'
            f'"propensity":{propensity:.6f},"terms":['
        )
        told = tuple([part.told for part in ordered])
        return Placed(job.job_id, scored.refused is None, head, told, self._sketched(job))

    def _sketched(self, job: Job) -> str:
        """The specification's rule, literally."""
        points = 0.0
        if job.company_type is not None and self.terms.key(job.company_type) in self.person.company_types:
            points += GOOD_COMPANY
        if job.location is not None and self.terms.key(job.location) in self.person.locations:
            points += GOOD_LOCATION
        if self._rejected(job):
            points += REJECTED
        least = self.person.min_fit_score
        below = least is not None and job.fit_score is not None and job.fit_score < least
        return (
            f'],"specification":{{"adjustment":{points},"priority_score":{job.priority_score + points},'
            f'"should_apply":{"false" if below else "true"}}}}}'
        )


def _chance(log_odds: float) -> float:
    """Log odds as a probability, also far out."""
    return 1 / (1 + exp(-log_odds)) if log_odds > -700 else 0.0


def _days(posted_at: str, at: datetime) -> float | None:
    """Days since a posting, to the hundredth; None where it is yet to come."""
    posted = datetime.fromisoformat(posted_at)
    if posted.tzinfo is None:
        posted = posted.replace(tzinfo=at.tzinfo)
    days = round((at - posted).total_seconds() / 86_400, 2)
    return max(days, 0.0) if days >= -1 else None
