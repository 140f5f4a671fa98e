"""The review door: recommendations are listed, shown with their evidence and exact plan, and decided."""

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response

from layer7.contract.lifecycle import State
from layer7.contract.optimization import OptimizationRecommendation, RecommendationState
from layer7.contract.settings import UpdateResult
from layer7.contract.shapes import PrivateText
from layer7.errors import Layer7Error
from layer7.review import Action, consequences, decide, possible_actions
from layer7.server.auth import Reader, Reviewer
from layer7.server.body import read_model
from layer7.server.context import Context, context_of
from layer7.server.documents import problems
from layer7.server.etags import REVALIDATE, etag, not_modified, require_match
from layer7.server.idempotency import once
from layer7.server.paging import Page, PageQuery, link, page, position
from layer7.storage.recommendations import Outcome
from layer7.storage.updates import updated

router = APIRouter(prefix="/v1/recommendations", tags=["review"])

Name = Annotated[str, Path(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]
Reason = Annotated[PrivateText, Field(max_length=2000)]
_ACTIONS = {each.value.replace("_", "-"): each for each in Action if each is not Action.APPLY}
_BODY_BYTES = 1 << 16


class Why(BaseModel):
    """Why something is decided."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    why: Reason = Field(default="", description="The reason; needed to reject and to send back.")


class ListQuery(PageQuery):
    """Which recommendations are asked for."""

    state: RecommendationState | None = Field(default=None, description="Only those that stand there.")


class DecisionShown(BaseModel):
    """A decision as it is kept."""

    recommendation_id: str
    action: str
    actor: str
    at: str
    why: str
    from_state: str
    to_state: str


class RecommendationShown(BaseModel):
    """A recommendation with everything that a reviewer needs."""

    recommendation: OptimizationRecommendation
    decisions: tuple[DecisionShown, ...]
    plan_fits: bool = Field(description="Whether the settings are still those that the plan starts from.")
    consequences: dict[str, tuple[str, ...]] = Field(description="What each possible action will do.")


class Decided(BaseModel):
    """What came of a decision."""

    recommendation: OptimizationRecommendation
    follows: str = Field(description="What follows: experiment, revise, or none.")
    result: UpdateResult | None = Field(description="What was applied and read back; null when nothing was.")


def why_body(most: int = _BODY_BYTES) -> Any:
    """Describe the body of a decision for the OpenAPI document."""
    schema = Why.model_json_schema() | {"maxLength": most}
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


async def read_why(request: Request) -> Why:
    """Read the body of a decision."""
    return await read_model(request, Why, most=_BODY_BYTES)


@router.get("", response_model=Page[OptimizationRecommendation], responses=problems(422), summary="List them")
def list_recommendations(
    request: Request, response: Response, _token: Reader, query: Annotated[ListQuery, Query()]
) -> Page[OptimizationRecommendation]:
    """Give recommendations, the newest first."""
    after = position(query, (str, str))
    state = None if query.state is None else State(query.state)
    found = context_of(request).recommendations.list(state=state, after=after, limit=query.limit + 1)
    items, cursor = page(found, query, lambda each: (each.created_at, each.recommendation_id))
    link(request, response, cursor)
    return Page(items=tuple(items), next_cursor=cursor)


@router.get(
    "/{recommendation_id}",
    response_model=RecommendationShown,
    responses=problems(404, 422) | {304: {"description": "It is as you know it."}},
    summary="Show one with its evidence, its plan and what each decision would do",
)
def show_recommendation(request: Request, recommendation_id: Name, _token: Reader) -> Response:
    """Give one recommendation; its ETag can stand in If-Match of a decision."""
    shown = _shown(context_of(request), recommendation_id)
    tag = etag(shown)
    known = not_modified(request, tag)
    return known or JSONResponse(shown, headers={"ETag": tag, **REVALIDATE})


def _shown(context: Context, recommendation_id: str) -> dict[str, Any]:
    found = context.recommendations.get(recommendation_id)
    plan = found.plan
    fits = plan is not None and context.configs.active(plan.component).version == plan.from_version
    return RecommendationShown(
        recommendation=found,
        decisions=tuple(
            DecisionShown(**asdict(each)) for each in context.recommendations.decisions(recommendation_id)
        ),
        plan_fits=fits,
        consequences=_consequences(context, found),
    ).model_dump(mode="json")


def _consequences(context: Context, found: OptimizationRecommendation) -> dict[str, tuple[str, ...]]:
    told = {}
    for action in possible_actions(found.state):
        try:
            would = decide(found, action, actor="you", at=context.clock(), why="(what you write)")
            told[action.value] = consequences(would, found)
        except Layer7Error as error:
            told[action.value] = (str(error),)
    return told


async def _act(
    request: Request, recommendation_id: Name, token: Reviewer, why: Annotated[Why, Depends(read_why)]
) -> Response:
    """Decide; with If-Match only if nothing has changed since it was looked at."""
    context = context_of(request)
    action = _ACTIONS[request.url.path.rsplit("/", 1)[-1]]

    def act() -> dict[str, Any]:
        if "if-match" in request.headers:
            require_match(request, etag(_shown(context, recommendation_id)))
        outcome = context.recommendations.decide(
            recommendation_id, action, actor=token.name, why=why.why, at=context.clock()
        )
        return _decided(context, outcome).model_dump(mode="json")

    return await run_in_threadpool(once, context, request, token, body=why, act=act)


def _decided(context: Context, outcome: Outcome) -> Decided:
    return Decided(
        recommendation=outcome.recommendation,
        follows=outcome.follows.value,
        result=updated(outcome, context.serving),
    )


for _path, _action in _ACTIONS.items():
    router.add_api_route(
        f"/{{recommendation_id}}/{_path}",
        _act,
        methods=["POST"],
        name=_action.value,
        operation_id=_action.value,
        response_model=Decided,
        responses=problems(404, 409, 412, 413, 415, 422),
        openapi_extra=why_body(),
        summary=f"{_path.replace('-', ' ').capitalize()} one",
    )
