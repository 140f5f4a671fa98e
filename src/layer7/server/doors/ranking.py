"""The door to rankings: jobs in an order that helps a person, why, and the likelihood behind it."""

import hashlib
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Depends, Path, Request
from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from layer7.contract.likelihood import Likelihood
from layer7.contract.ranking import RankDecision, Ranking, RankRequest
from layer7.personalization.asked import Asked, Person
from layer7.personalization.ranking import place
from layer7.personalization.sums import effort_of
from layer7.server.doors.figures import UserId
from layer7.server.http.auth import Reader
from layer7.server.http.body import read_model
from layer7.server.http.context import Context, context_of
from layer7.server.http.documents import problems
from layer7.storage.services.likelihood_shown import shown
from layer7.storage.services.rankings import Decided, Known, decide

router = APIRouter(prefix="/v1", tags=["ranking"])

DecisionId = Annotated[str, Path(min_length=1, max_length=100, pattern=r"^[a-z0-9_]+$")]
MIN_FIT = "min_fit_score_threshold"
_BODY_BYTES = 16 << 20
_BODY = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/RankRequest"}}},
    }
}


async def read_jobs(request: Request) -> RankRequest:
    """Read the jobs of a request."""
    return await read_model(request, RankRequest, most=_BODY_BYTES, names=_names)


def _names(asked: RankRequest) -> int:
    return len(asked.model_fields_set) + sum(len(job.model_fields_set) for job in asked.jobs)


@router.post(
    "/users/{user_id}/rank",
    response_model=Ranking,
    responses=problems(413, 415, 422),
    openapi_extra=_BODY,
    summary="Put jobs into an order for a person",
)
async def rank_jobs(
    request: Request, user_id: UserId, _token: Reader, asked: Annotated[RankRequest, Depends(read_jobs)]
) -> Response:
    """Give jobs back in the order of their expected surplus, each with its terms and its reason."""
    context = context_of(request)
    decided = await run_in_threadpool(_ranked, context, user_id, asked)
    later = BackgroundTask(context.rankings.keep, decided)
    return Response(decided.answer, media_type="application/json", background=later)


def _ranked(context: Context, user_id: str, asked: RankRequest) -> Decided:
    """Rank the jobs for what is known of the person at this moment."""
    at = context.clock()
    with context.home.state.moment():
        used, known = context.rankings.likelihoods.in_use(), context.rankings.known(user_id)
        exposures = context.rankings.exposures(user_id, [job.job_id for job in asked.jobs], at=at)
        person = _with_minimum(context, user_id, known.person)
    seed = _seed(user_id, at.date().isoformat(), asked)
    wanted = Asked(asked.jobs, at, asked.slots, asked.exploration_share, exposures)
    placed = place(used.served, person, wanted, rng=np.random.default_rng(seed))
    told = {
        "decision_id": f"rank_{_digest(user_id, at.isoformat(), str(seed))}",
        "user_id": user_id,
        "at": at.isoformat(),
        "model": used.version,
        **_told(known, person),
        "effort": round(effort_of(used.served, person), 6),
    }
    versions = {"likelihood": used.version, "own_terms": known.model}
    return decide(told, placed, asked=asked, exposures=exposures, versions=versions)


def _told(known: Known, person: Person) -> dict[str, Any]:
    return {
        "personalised": known.personalised,
        "personalisation": known.reason,
        "applications_seen": person.n,
        "min_fit_score": person.min_fit_score,
    }


def _with_minimum(context: Context, user_id: str, person: Person) -> Person:
    """Set the minimum fit that is served for the person: her own, an experiment's, else everybody's."""
    value = context.serving.evaluate(MIN_FIT, component=None, targeting_key=user_id).value
    least = float(value) if isinstance(value, int | float) else None
    return person.with_minimum(least)


def _seed(user_id: str, day: str, asked: RankRequest) -> int:
    """Dice that fall alike for the same person, day and jobs."""
    return int(_digest(user_id, day, *sorted(job.job_id for job in asked.jobs)), 16)


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


@router.get(
    "/decisions/{decision_id}",
    response_model=RankDecision,
    responses=problems(404, 422),
    summary="Show what a ranking was made from",
)
def show_decision(request: Request, decision_id: DecisionId, _token: Reader) -> RankDecision:
    """Give a ranking again: the inputs that were used, all terms, and the versions behind them."""
    return context_of(request).rankings.decision(decision_id)


@router.get(
    "/likelihood",
    response_model=Likelihood,
    responses=problems(),
    summary="Show how likely an interview is, term by term",
)
def show_likelihood(request: Request, _token: Reader) -> Likelihood:
    """Give the likelihood model in use with its terms, and how its promises were kept."""
    return shown(context_of(request).home)
