"""The settings door: what each component runs on, how it came about, and the way back."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response

from layer7.configuration import component_config, diff
from layer7.contract.fields import Json
from layer7.contract.settings import JobDiscoveryConfig, OrchestratorConfig, StrategyEngineConfig
from layer7.contract.vocabulary import Component
from layer7.errors import Layer7Error
from layer7.server.doors.acts import Reason
from layer7.server.http.auth import Reader, Reviewer
from layer7.server.http.body import read_model
from layer7.server.http.context import Context, context_of
from layer7.server.http.documents import problems
from layer7.server.http.etags import REVALIDATE, etag, not_modified, require_match
from layer7.server.http.idempotency import once
from layer7.server.http.paging import Page, PageQuery, link, page, position

router = APIRouter(prefix="/v1/config", tags=["settings"])

Version = Annotated[str, Field(pattern=r"^v[0-9a-f]{12}$", description="A version's name.")]
_BODY_BYTES = 1 << 16


class Back(BaseModel):
    """Where to go back to, and why."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    why: Reason = Field(min_length=1, description="The reason.")
    to: Version | None = Field(default=None, description="The version; without it the one before.")


class DiffQuery(BaseModel):
    """Which versions to compare."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    # `from` is a word of the language.
    before: Version = Field(alias="from", description="The version before.")
    after: Version | None = Field(
        default=None, alias="to", description="The version after; by default the one in force."
    )


class MoveShown(BaseModel):
    """One move of a component from one version to another."""

    id: int
    component: str
    version: str
    previous: str | None
    kind: str
    at: str
    actor: str
    why: str
    recommendation_id: str | None


class Change(BaseModel):
    """One setting that two versions hold different values of."""

    parameter: str
    from_value: Json
    to_value: Json


class Changes(BaseModel):
    """What is different between two versions."""

    component: Component
    before: str = Field(serialization_alias="from")
    after: str = Field(serialization_alias="to")
    differences: tuple[Change, ...]


class WentBack(BaseModel):
    """What came of going back; said only after the served values were read again."""

    component: Component
    version: str = Field(description="The version now in force.")
    previous: str = Field(description="The version in force before.")
    served: dict[str, Json] = Field(description="What is served now of every setting that changed.")


_BACK = {
    "requestBody": {"required": True, "content": {"application/json": {"schema": Back.model_json_schema()}}}
}


@router.get(
    "/{component}",
    response_model=StrategyEngineConfig | OrchestratorConfig | JobDiscoveryConfig,
    responses=problems(422) | {304: {"description": "They are as you know them."}},
    summary="Show the settings in force",
)
def show_config(request: Request, component: Component, _token: Reader) -> Response:
    """Give the specification's interface of a component, section 9."""
    shown = _config(context_of(request), component)
    tag = etag(shown)
    return not_modified(request, tag) or JSONResponse(shown, headers={"ETag": tag, **REVALIDATE})


def _config(context: Context, component: Component) -> dict[str, Any]:
    version, move = context.configs.current(component)
    changed = context.clock() if move is None else datetime.fromisoformat(move.at)
    learned = move is not None and move.recommendation_id is not None
    config = component_config(
        version,
        last_updated=changed,
        optimized_by="layer_7" if learned else "manual",
        confidence=None,
    )
    return config.model_dump(mode="json", exclude={"user_overrides", "user_id"})


@router.get(
    "/{component}/history", response_model=Page[MoveShown], responses=problems(422), summary="Show every move"
)
def show_history(
    request: Request,
    response: Response,
    component: Component,
    _token: Reader,
    query: Annotated[PageQuery, Query()],
) -> Page[MoveShown]:
    """Give the moves of a component, the latest first."""
    before = position(query, (int,))
    moves = context_of(request).configs.history(
        component, before=None if before is None else before[0], limit=query.limit + 1
    )
    items, cursor = page(moves, query, lambda move: (move.id,))
    link(request, response, cursor)
    return Page(items=tuple(MoveShown(**asdict(each)) for each in items), next_cursor=cursor)


@router.get(
    "/{component}/diff", response_model=Changes, responses=problems(404, 422), summary="Compare two versions"
)
def show_diff(
    request: Request, component: Component, _token: Reader, query: Annotated[DiffQuery, Query()]
) -> Changes:
    """Give the settings that two versions hold different values of."""
    configs = context_of(request).configs
    before = configs.version(component, query.before)
    after = configs.active(component) if query.after is None else configs.version(component, query.after)
    return Changes(
        component=component,
        before=before.version,
        after=after.version,
        differences=tuple(
            Change.model_validate({name: getattr(each, name) for name in Change.model_fields})
            for each in diff(before, after)
        ),
    )


async def _read_back(request: Request) -> Back:
    return await read_model(request, Back, most=_BODY_BYTES)


@router.post(
    "/{component}/rollback",
    response_model=WentBack,
    responses=problems(404, 409, 412, 413, 415, 422),
    openapi_extra=_BACK,
    summary="Go back to an earlier version",
)
async def roll_back(
    request: Request, component: Component, token: Reviewer, back: Annotated[Back, Depends(_read_back)]
) -> Response:
    """Move the pointer back, read what is served, and only then say so."""
    context = context_of(request)

    def act() -> dict[str, Any]:
        if "if-match" in request.headers:
            require_match(request, etag(_config(context, component)))
        return _go_back(context, component, back, actor=token.name).model_dump(mode="json")

    return await run_in_threadpool(once, context, request, token, body=back, act=act)


def _go_back(context: Context, component: Component, back: Back, *, actor: str) -> WentBack:
    before = context.configs.active(component)
    target = context.configs.rollback(component, back.to, actor=actor, why=back.why, at=context.clock())
    changed = [each.parameter for each in diff(before, target)]
    served = {key: context.serving.for_everybody(key).value for key in changed}
    if served != {key: target.value(key) for key in changed}:
        raise Layer7Error(
            "not_served",
            f"{component} was moved to {target.version}, but other values are served.",
            "Somebody changed it at the same moment; look at its history.",
        )
    return WentBack.model_validate(
        {"component": component, "version": target.version, "previous": before.version, "served": served}
    )
