"""The door to rollouts: how far each change may go now, held, let on, approved, taken back."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from layer7.contract.lifecycle import State
from layer7.rollout.ledger import Ledger
from layer7.rollout.ramp import Ramp, RampState
from layer7.server.doors.acts import Name, Why, acted, add_act, listed, read_why, tagged, word_of
from layer7.server.http.auth import Reader, Reviewer
from layer7.server.http.context import Context, context_of
from layer7.server.http.documents import problems
from layer7.server.http.paging import Page, PageQuery
from layer7.storage.database.state import Act
from layer7.storage.decisions.rollouts import Rollouts

router = APIRouter(prefix="/v1", tags=["rollouts"])

_MOVES: Mapping[str, Callable[[Rollouts, str, Act], Ramp]] = {
    "pause": lambda store, name, act: store.pause(name, act=act),
    "resume": lambda store, name, act: store.resume(name, act=act),
    "approve": lambda store, name, act: store.approve(name, act=act),
    "roll-back": lambda store, name, act: store.roll_back(name, act=act),
}


class ListQuery(PageQuery):
    """Which rollouts are asked for."""

    state: RampState | None = Field(default=None, description="Only those that stand there.")


class Happened(BaseModel):
    """One thing that happened to a rollout, from the audit log."""

    at: str
    actor: str
    action: str
    why: str


class RolloutShown(BaseModel):
    """A rollout with everything that happened to it."""

    rollout: Ramp
    history: tuple[Happened, ...] = Field(description="What happened to it, the first first.")


class RolloutListed(BaseModel):
    """A rollout in the list."""

    created_at: str = Field(description="When it was planned.")
    rollout: Ramp


@router.get("/rollouts", response_model=Page[RolloutListed], responses=problems(422), summary="List them")
def list_rollouts(
    request: Request, response: Response, _token: Reader, query: Annotated[ListQuery, Query()]
) -> Page[RolloutListed]:
    """Give rollouts, the newest first."""
    store = context_of(request).home.rollouts
    state = None if query.state is None else State(query.state)
    return listed(
        request,
        response,
        query,
        find=lambda after, limit: [
            RolloutListed(created_at=made, rollout=ramp)
            for made, ramp in store.page(state=state, after=after, limit=limit)
        ],
        key=lambda each: (each.created_at, each.rollout.ramp_id),
    )


@router.get(
    "/rollouts/{rollout_id}",
    response_model=RolloutShown,
    responses=problems(404, 422) | {304: {"description": "It is as you know it."}},
    summary="Show one: its stages, what holds it, its harm so far, when it expires, and its history",
)
def show_rollout(request: Request, rollout_id: Name, _token: Reader) -> Response:
    """Give one rollout; its ETag can stand in If-Match of a move."""
    return tagged(request, _shown(context_of(request), rollout_id))


@router.get(
    "/ledger", response_model=Ledger, responses=problems(), summary="What the engine's own proposals cost"
)
def show_ledger(request: Request, _token: Reader) -> Ledger:
    """Give what its experiments may still claim, how good its forecasts were, and what harm was proven."""
    return context_of(request).home.rollouts.ledger()


async def _move(
    request: Request, rollout_id: Name, token: Reviewer, why: Annotated[Why, Depends(read_why)]
) -> Response:
    """Move it; with If-Match only if nothing has changed since it was looked at."""
    context, word = context_of(request), word_of(request)

    def act() -> dict[str, Any]:
        done = Act(token.name, f"rollout.{word.replace('-', '_')}", rollout_id, context.clock(), why.why)
        return _MOVES[word](context.home.rollouts, rollout_id, done).model_dump(mode="json")

    return await acted(request, token, body=why, shown=lambda: _shown(context, rollout_id), act=act)


def _shown(context: Context, rollout_id: str) -> dict[str, Any]:
    store = context.home.rollouts
    found = store.get(rollout_id)
    history = tuple(Happened.model_validate(each) for each in store.history(rollout_id))
    return RolloutShown(rollout=found, history=history).model_dump(mode="json")


for _word in _MOVES:
    _name = f"{_word.replace('-', '_')}_rollout"
    add_act(router, f"/rollouts/{{rollout_id}}/{_word}", _move, name=_name, model=Ramp)
