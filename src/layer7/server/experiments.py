"""The door to experiments: they are made, listed, shown with their results, started, paused and ended."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import Field
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response

from layer7.contract.experiments import Experiment
from layer7.contract.lifecycle import State
from layer7.server.auth import Reader, Reviewer
from layer7.server.body import read_model
from layer7.server.context import Context, context_of
from layer7.server.documents import problems
from layer7.server.etags import REVALIDATE, etag, not_modified, require_match
from layer7.server.idempotency import once
from layer7.server.paging import Page, PageQuery, link, page, position
from layer7.server.recommendations import Why, read_why, why_body
from layer7.storage.experiments import Experiments
from layer7.storage.state import Act
from layer7.storage.tokens import Token

router = APIRouter(prefix="/v1/experiments", tags=["experiments"])

Name = Annotated[str, Path(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]
Move = Callable[[Experiments, str, Act], Experiment]
_MOVES: dict[str, Move] = {
    "start": lambda store, name, act: store.start(name, act=act),
    "pause": lambda store, name, act: store.pause(name, act=act),
    "resume": lambda store, name, act: store.resume(name, act=act),
    "complete": lambda store, name, act: store.complete(name, act=act),
    "reject": lambda store, name, act: store.reject(name, act=act),
}
_BODY_BYTES = 1 << 18


class ListQuery(PageQuery):
    """Which experiments are asked for."""

    state: State | None = Field(default=None, description="Only those that stand there.")


def draft_body() -> dict[str, Any]:
    """Describe the body of a new experiment for the OpenAPI document."""
    schema = {"$ref": "#/components/schemas/Experiment"}
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


async def read_draft(request: Request) -> Experiment:
    """Read the body of a new experiment."""
    return await read_model(request, Experiment, most=_BODY_BYTES)


@router.get("", response_model=Page[Experiment], responses=problems(422), summary="List them")
def list_experiments(
    request: Request, response: Response, _token: Reader, query: Annotated[ListQuery, Query()]
) -> Page[Experiment]:
    """Give experiments, the newest first."""
    after = position(query, (str, str))
    store = context_of(request).home.experiments
    found = store.list(state=query.state, after=after, limit=query.limit + 1)
    items, cursor = page(found, query, lambda each: (each.created_at, each.experiment_id))
    link(request, response, cursor)
    return Page(items=tuple(items), next_cursor=cursor)


@router.get(
    "/{experiment_id}",
    response_model=Experiment,
    responses=problems(404, 422) | {304: {"description": "It is as you know it."}},
    summary="Show one with its plan and what it says so far",
)
def show_experiment(request: Request, experiment_id: Name, _token: Reader) -> Response:
    """Give one experiment; its ETag can stand in If-Match of a move."""
    shown = _shown(context_of(request), experiment_id)
    tag = etag(shown)
    return not_modified(request, tag) or JSONResponse(shown, headers={"ETag": tag, **REVALIDATE})


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


async def _move(
    request: Request, experiment_id: Name, token: Reviewer, why: Annotated[Why, Depends(read_why)]
) -> Response:
    """Move it; with If-Match only if nothing has changed since it was looked at."""
    context = context_of(request)
    word = request.url.path.rsplit("/", 1)[-1]

    def act() -> dict[str, Any]:
        if "if-match" in request.headers:
            require_match(request, etag(_shown(context, experiment_id)))
        done = _act(context, token, word, experiment_id=experiment_id, why=why.why)
        return _MOVES[word](context.home.experiments, experiment_id, done).model_dump(mode="json")

    return await run_in_threadpool(once, context, request, token, body=why, act=act)


def _shown(context: Context, experiment_id: str) -> dict[str, Any]:
    return context.home.experiments.get(experiment_id).model_dump(mode="json")


def _act(context: Context, token: Token, word: str, *, experiment_id: str, why: str) -> Act:
    return Act(token.name, f"experiment.{word}", experiment_id, context.clock(), why)


for _word in _MOVES:
    router.add_api_route(
        f"/{{experiment_id}}/{_word}",
        _move,
        methods=["POST"],
        name=f"{_word}_experiment",
        operation_id=f"{_word}_experiment",
        response_model=Experiment,
        responses=problems(404, 409, 412, 413, 415, 422),
        openapi_extra=why_body(),
        summary=f"{_word.capitalize()} one",
    )
