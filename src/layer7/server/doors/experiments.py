"""The door to experiments: they are made, listed, shown with their results, started, paused and ended."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from pydantic import Field
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from layer7.contract.experiments import Experiment
from layer7.contract.lifecycle import State
from layer7.contract.passport import DesignPassport
from layer7.nightly.designing import issue_passport, start_experiment
from layer7.server.doors.acts import Name, Why, acted, add_act, listed, read_why, tagged, word_of
from layer7.server.http.auth import Reader, Reviewer
from layer7.server.http.body import read_model
from layer7.server.http.context import Context, context_of
from layer7.server.http.documents import problems
from layer7.server.http.idempotency import once
from layer7.server.http.paging import Page, PageQuery
from layer7.storage.database.state import Act
from layer7.storage.database.tokens import Token
from layer7.storage.decisions.experiments import Experiments

router = APIRouter(prefix="/v1/experiments", tags=["experiments"])

Move = Callable[[Experiments, str, Act], Experiment]
_MOVES: Mapping[str, Move] = {
    "pause": lambda store, name, act: store.pause(name, act=act),
    "resume": lambda store, name, act: store.resume(name, act=act),
    "complete": lambda store, name, act: store.complete(name, act=act),
    "reject": lambda store, name, act: store.reject(name, act=act),
}
_BODY_BYTES = 1 << 18


class ListQuery(PageQuery):
    """Which experiments are asked for."""

    state: State | None = Field(default=None, description="Only those that stand there.")


class Start(Why):
    """Why an experiment starts, and whether it does although it can hardly answer its question."""

    accept_underpowered: bool = Field(
        default=False, description="Start it whatever its passport says; this needs a reason."
    )


def draft_body() -> dict[str, Any]:
    """Describe the body of a new experiment for the OpenAPI document."""
    schema = {"$ref": "#/components/schemas/Experiment"}
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


async def read_draft(request: Request) -> Experiment:
    """Read the body of a new experiment."""
    return await read_model(request, Experiment, most=_BODY_BYTES)


async def read_start(request: Request) -> Start:
    """Read the body of a start."""
    return await read_model(request, Start, most=_BODY_BYTES)


@router.get("", response_model=Page[Experiment], responses=problems(422), summary="List them")
def list_experiments(
    request: Request, response: Response, _token: Reader, query: Annotated[ListQuery, Query()]
) -> Page[Experiment]:
    """Give experiments, the newest first."""
    store = context_of(request).home.experiments
    return listed(
        request,
        response,
        query,
        find=lambda after, limit: store.list(state=query.state, after=after, limit=limit),
        key=lambda each: (each.created_at, each.experiment_id),
    )


@router.get(
    "/{experiment_id}",
    response_model=Experiment,
    responses=problems(404, 422) | {304: {"description": "It is as you know it."}},
    summary="Show one with its plan and what it says so far",
)
def show_experiment(request: Request, experiment_id: Name, _token: Reader) -> Response:
    """Give one experiment; its ETag can stand in If-Match of a move."""
    return tagged(request, _shown(context_of(request), experiment_id))


@router.post(
    "",
    response_model=Experiment,
    responses=problems(409, 413, 415, 422),
    openapi_extra=draft_body(),
    summary="Make a draft",
)
async def create_experiment(
    request: Request, token: Reviewer, draft: Annotated[Experiment, Depends(read_draft)]
) -> Response:
    """Keep a new draft; its plan is checked against the catalogues of settings and metrics."""
    context = context_of(request)

    def act() -> dict[str, Any]:
        done = _act(context, token, "create", experiment_id=draft.experiment_id, why=draft.hypothesis)
        return context.home.experiments.create(draft, act=done).model_dump(mode="json")

    return await run_in_threadpool(once, context, request, token, body=draft, act=act)


async def _passport(
    request: Request, experiment_id: Name, token: Reviewer, why: Annotated[Why, Depends(read_why)]
) -> Response:
    """Simulate the design on this log; nothing changes, and the same plan gives the same passport."""
    context = context_of(request)

    def act() -> dict[str, Any]:
        draft = context.home.experiments.get(experiment_id)
        return issue_passport(context.home, draft, now=context.clock()).model_dump(mode="json")

    return await acted(request, token, body=why, shown=lambda: _shown(context, experiment_id), act=act)


async def _start(
    request: Request, experiment_id: Name, token: Reviewer, start: Annotated[Start, Depends(read_start)]
) -> Response:
    """Simulate the design and start it, or refuse a design that cannot answer its question."""
    context = context_of(request)

    def act() -> dict[str, Any]:
        done = _act(context, token, "start", experiment_id=experiment_id, why=start.why)
        running = start_experiment(
            context.home, experiment_id, act=done, accept_underpowered=start.accept_underpowered
        )
        return running.model_dump(mode="json")

    return await acted(request, token, body=start, shown=lambda: _shown(context, experiment_id), act=act)


async def _move(
    request: Request, experiment_id: Name, token: Reviewer, why: Annotated[Why, Depends(read_why)]
) -> Response:
    """Move it; with If-Match only if nothing has changed since it was looked at."""
    context, word = context_of(request), word_of(request)

    def act() -> dict[str, Any]:
        done = _act(context, token, word, experiment_id=experiment_id, why=why.why)
        return _MOVES[word](context.home.experiments, experiment_id, done).model_dump(mode="json")

    return await acted(request, token, body=why, shown=lambda: _shown(context, experiment_id), act=act)


def _shown(context: Context, experiment_id: str) -> dict[str, Any]:
    return context.home.experiments.get(experiment_id).model_dump(mode="json")


def _act(context: Context, token: Token, word: str, *, experiment_id: str, why: str) -> Act:
    return Act(token.name, f"experiment.{word}", experiment_id, context.clock(), why)


add_act(router, "/{experiment_id}/passport", _passport, name="issue_passport", model=DesignPassport)
add_act(router, "/{experiment_id}/start", _start, name="start_experiment", model=Experiment, body=Start)
for _word in _MOVES:
    add_act(router, f"/{{experiment_id}}/{_word}", _move, name=f"{_word}_experiment", model=Experiment)
