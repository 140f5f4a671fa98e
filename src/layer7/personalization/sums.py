"""What is expected of each job: the sum of its terms as a chance, what that is worth, and why in words."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from math import exp, log, log1p, sqrt
from operator import itemgetter
from typing import Any, NamedTuple

from layer7.analytics.cells.chances import OWN
from layer7.analytics.optimizing.personal import arrangement_of
from layer7.contract.ranking import Job
from layer7.optimization.likelihood.model import LikelihoodModel, Term
from layer7.personalization.asked import Asked, Person
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

_ORDER = itemgetter(0)
_TOLD = (
    '{"job_id":%s,"place":%d,"likelihood":%.5f,"likelihood_low":%.5f,"likelihood_high":%.5f,'
    '"expected_surplus":%.5f,"should_apply":%s,"reason":%s,"why":%s,"explored":%s,"propensity":%.6f,'
    '"terms":[%s],"specification":%s}'
)

Column = list[Part | None]
"""What one property of each job adds; None where it adds nothing."""


class Scored(NamedTuple):
    """A job with its sum; sorted, the best come first, and those not worth applying to last.

    Args:
        refused: whether she should not apply.
        loss: its expected surplus with the sign turned.
        job_id: its name, which no two jobs share.
        job: the job.
        parts: of its sum.
        chance: of an interview.
        log_odds: the same as log odds.
        error: how uncertain these are.
        reason: why she should not apply; None if she should.
    """

    refused: bool
    loss: float
    job_id: str
    job: Job
    parts: list[Part]
    chance: float
    log_odds: float
    error: float
    reason: str | None


def effort_of(model: LikelihoodModel, person: Person) -> float:
    """Give what an application costs, in interviews of a usual job: a quarter of what her usual one brings.

    Args:
        model: the likelihood model.
        person: the person.
    """
    return EFFORT_SHARE * _chance(terms_of(model).intercept + person.value)


class Sums:
    """The sums of one request: property by property over all jobs, which takes half the time of job by job.

    Args:
        model: the likelihood model.
        person: the person.
        asked: the jobs.
    """

    def __init__(self, model: LikelihoodModel, person: Person, asked: Asked) -> None:
        self.terms, self.person, self.asked = terms_of(model), person, asked
        self.base = self.terms.intercept + person.value
        self.spread = (model.people.sd if person.error is None else person.error) ** 2
        self.effort = effort_of(model, person)
        self.leanings = person.leanings if model.personal else {}
        self.sketching = bool(person.company_types or person.locations or person.rejected)
        self.facts = [job.__dict__ for job in asked.jobs]
        self.shown = [asked.exposures.get(job.job_id, 0) for job in asked.jobs] if asked.exposures else []
        self.ages: dict[str, float | None] = {}
        self.parts: dict[tuple[str, str, float], Part] = {}
        self.sketches: dict[tuple[float, float, bool], str] = {}

    def scored(self) -> list[Scored]:
        """Add up all jobs."""
        chances, worths = self._rows(self._chances()), self._rows(self._worths())
        return list(map(self._added, self.asked.jobs, chances, worths))

    def told(self, scored: Scored, place: int, *, explored: bool, propensity: float) -> Placed:
        """Say of a job in its place why it stands there.

        Args:
            scored: the job.
            place: 1 for the first.
            explored: whether it has its place by lot.
            propensity: the chance that it got it.
        """
        refused, loss, job_id, job, parts, chance, total, error, reason = scored
        reach, parts = _REACH * error, sorted(parts, key=_ORDER)
        if reason is None:
            reason = "by lot, so that something is learned" if explored else "expected to be worth the effort"
        text = _TOLD % (
            as_json(job_id),
            place,
            *(chance, _chance(total - reach), _chance(total + reach), -loss),
            "false" if refused else "true",
            as_json(reason),
            as_json(why(parts)),
            "true" if explored else "false",
            propensity,
            ",".join([part.told for part in parts]),
            self._sketched(job),
        )
        return Placed(job_id, not refused, text)

    def _rows(self, columns: Sequence[Column]) -> Iterable[list[Part]]:
        """Give what is known by job."""
        if not columns:
            return ([] for _ in self.facts)
        return [list(filter(None, row)) for row in zip(*columns, strict=True)]

    def _added(self, job: Job, parts: list[Part], worths: list[Part]) -> Scored:
        """Add up one job."""
        total, spread, worth = self.base, self.spread, 0.0
        for part in parts:
            total += part.value
            spread += part.spread
        for part in worths:
            worth += part.value
        chance = _chance(total)
        surplus = chance * exp(worth) - self.effort
        reason = self._refused(job, surplus, chance)
        refused = reason is not None
        return Scored(refused, -surplus, job.job_id, job, parts + worths, chance, total, sqrt(spread), reason)

    def _chances(self) -> list[Column]:
        """Everybody's terms, and those of the person alone."""
        columns = [self.terms.column(name, self._values(name)) for name in self.terms.names]
        leant = {name for name, _ in self.leanings}
        own = (name for name in OWN if name in leant)
        return columns + [[self._own(name, text) for text in self._values(name)] for name in own]

    def _values(self, name: str) -> list[Any]:
        """What the jobs are in one property; None where that is not known."""
        jobs = self.asked.jobs
        match name:
            case "tailored":
                said = (job.tailoring_applied for job in jobs)
                return [None if value is None else str(value).lower() for value in said]
            case "posting_days":
                return [None if job.posted_at is None else self._age(job.posted_at) for job in jobs]
            case "applicants" if self.shown:
                # Those that the posting names, and those to whom it was shown.
                pairs = zip(jobs, self.shown, strict=True)
                return [_others(job) + shown if shown else job.applicants for job, shown in pairs]
        return [known.get(name) for known in self.facts]

    def _own(self, name: str, text: str | None) -> Part | None:
        """What goes with a level for this person alone."""
        own = None if text is None else self.leanings.get((name, self.terms.key(text)))
        if own is None or text is None:
            return None
        return self._part(Term(f"own_{name}", text, own.value, abs(own.value) / 2, own.n), "likelihood")

    def _part(self, term: Term, of: str = "worth") -> Part:
        """Give a term as a part, made once for all jobs that have it."""
        key = term.name, term.about, term.value
        found = self.parts.get(key)
        if found is None:
            found = self.parts[key] = self.terms.part(term, of)
        return found

    def _worths(self) -> list[Column]:
        """What makes an interview worth more or less than its chance says."""
        jobs = self.asked.jobs
        below = self._part(Term("level", "one below your own", BELOW_LEVEL, 0.0))
        columns: list[Column] = [
            [None if job.worth == 1.0 else self._given(job.worth) for job in jobs],
            [below if job.category == "safety" else None for job in jobs],
        ]
        columns += [[self._liked(like, job) for job in jobs] for like in self.person.likes]
        if self.person.rejected:
            columns.append([self._disliked(job) for job in jobs])
        if self.shown and self.terms.crowding:
            columns.append(list(map(self._crowded, jobs, self.shown)))
        return columns

    def _given(self, worth: float) -> Part:
        return self._part(Term("worth", f"{worth:g}", log(worth), 0.0))

    def _liked(self, like: Like, job: Job) -> Part | None:
        """What is as she wishes, or mostly chooses."""
        text = arrangement_of(job.location) if like.name == "arrangement" else getattr(job, like.name)
        if text is None or not like.holds(self.terms.key(text)):
            return None
        name, points = ("wished", WISHED) if like.chosen else ("liked", LIKED)
        return self._part(Term(f"{name}_{like.name}", text, self.terms.worth(points), 0.0))

    def _disliked(self, job: Job) -> Part | None:
        matched = self._rejected(job)
        if not matched:
            return None
        return self._part(Term("rejected", ", ".join(matched), self.terms.worth(REJECTED), 0.0))

    def _crowded(self, job: Job, shown: int) -> Part | None:
        """What those take to whom it was shown as well."""
        if not shown:
            return None
        share = shown / (_others(job) + shown)
        loss = log1p(max(self.terms.crowding, -0.9) * share)
        return self._part(Term("crowding", f"shown to {shown} others", loss, 0.0))

    def _age(self, posted_at: str) -> float | None:
        if posted_at not in self.ages:
            self.ages[posted_at] = _days(posted_at, self.asked.at)
        return self.ages[posted_at]

    def _rejected(self, job: Job) -> list[str]:
        if not self.person.rejected:
            return []
        text = " ".join(part for part in (job.title, job.description) if part).casefold()
        return [words for words in self.person.rejected if words in text]

    def _refused(self, job: Job, surplus: float, chance: float) -> str | None:
        """Why she should not apply; None if she should."""
        if self._below(job):
            return f"fit {job.fit_score:g} is below the minimum of {self.person.min_fit_score:g}"
        if surplus < 0:
            return (
                f"an interview is too unlikely for the effort: {100 * chance:.1f} %, "
                f"{100 * self.effort:.1f} % would do"
            )
        return None

    def _below(self, job: Job) -> bool:
        """Whether its fit is below her minimum."""
        least, fit = self.person.min_fit_score, job.fit_score
        return least is not None and fit is not None and fit < least

    def _sketched(self, job: Job) -> str:
        """The specification's rule, literally."""
        points = self._points(job) if self.sketching else 0.0
        sketch = points, job.priority_score, self._below(job)
        found = self.sketches.get(sketch)
        if found is None:
            found = self.sketches[sketch] = (
                f'{{"adjustment":{points},"priority_score":{job.priority_score + points},'
                f'"should_apply":{"false" if sketch[2] else "true"}}}'
            )
        return found

    def _points(self, job: Job) -> float:
        points = 0.0
        if job.company_type is not None and self.terms.key(job.company_type) in self.person.company_types:
            points += GOOD_COMPANY
        if job.location is not None and self.terms.key(job.location) in self.person.locations:
            points += GOOD_LOCATION
        if self._rejected(job):
            points += REJECTED
        return points


def _others(job: Job) -> float:
    """Give how many have applied, as far as that is known."""
    return USUAL_APPLICANTS if job.applicants is None else job.applicants


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
