"""The review door: recommendations are listed, shown with their evidence and exact plan, and decided."""

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from layer7.contract.lifecycle import State
from layer7.contract.recommendation import OptimizationRecommendation, RecommendationState
from layer7.contract.settings import UpdateResult
from layer7.errors import Layer7Error
from layer7.review import Action, consequences, decide, possible_actions
from layer7.server.doors.acts import Name, Why, acted, add_act, listed, read_why, tagged, word_of
from layer7.server.http.auth import Reader, Reviewer
from layer7.server.http.context import Context, context_of
from layer7.server.http.documents import problems
from layer7.server.http.paging import Page, PageQuery
from layer7.storage.decisions.recommendations import Outcome
from layer7.storage.decisions.updates import updated

router = APIRouter(prefix="/v1/recommendations", tags=["review"])

_ACTIONS = {each.value.replace("_", "-"): each for each in Action if each is not Action.APPLY}


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


@router.get("", response_model=Page[OptimizationRecommendation], responses=problems(422), summary="List them")
def list_recommendations(
    request: Request, response: Response, _token: Reader, query: Annotated[ListQuery, Query()]
) -> Page[OptimizationRecommendation]:
    """Give recommendations, the newest first."""
    store = context_of(request).recommendations
    state = None if query.state is None else State(query.state)
    return listed(
        request,
        response,
        query,
        find=lambda after, limit: store.list(state=state, after=after, limit=limit),
        key=lambda each: (each.created_at, each.recommendation_id),
    )


@router.get(
    "/{recommendation_id}",
    response_model=RecommendationShown,
    responses=problems(404, 422) | {304: {"description": "It is as you know it."}},
    summary="Show one with its evidence, its plan and what each decision would do",
)
def show_recommendation(request: Request, recommendation_id: Name, _token: Reader) -> Response:
    """Give one recommendation; its ETag can stand in If-Match of a decision."""
    return tagged(request, _shown(context_of(request), recommendation_id))


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
    context, action = context_of(request), _ACTIONS[word_of(request)]

    def act() -> dict[str, Any]:
        outcome = context.recommendations.decide(
            recommendation_id, action, actor=token.name, why=why.why, at=context.clock()
        )
        return _decided(context, outcome).model_dump(mode="json")

    return await acted(request, token, body=why, shown=lambda: _shown(context, recommendation_id), act=act)


def _decided(context: Context, outcome: Outcome) -> Decided:
    return Decided(
        recommendation=outcome.recommendation,
        follows=outcome.follows.value,
        result=updated(outcome, context.serving),
    )


for _path, _action in _ACTIONS.items():
    add_act(router, f"/{{recommendation_id}}/{_path}", _act, name=_action.value, model=Decided)
