"""Fairness over HTTP: what people declare of themselves, and how groups fare."""

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field

from layer7.server.doors.figures import UserId
from layer7.server.http.auth import Reader, require
from layer7.server.http.body import read_model
from layer7.server.http.context import context_of
from layer7.server.http.documents import problems
from layer7.storage.database.state import Act
from layer7.storage.database.tokens import Scope, Token

router = APIRouter(prefix="/v1", tags=["fairness"])

Declarer = Annotated[Token, Depends(require(Scope.EVENTS_WRITE, Scope.PRIVACY))]
_BODY_BYTES = 1 << 16


class SaidGroups(BaseModel):
    """What a person declares of herself."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    groups: dict[Annotated[str, Field(max_length=40)], Annotated[str, Field(max_length=100)]] = Field(
        min_length=1, max_length=10, description="Group by attribute; undisclosed takes one back."
    )


class DeclarationShown(BaseModel):
    """One thing that she declared."""

    attribute: str
    group: str
    since: str


class DeclarationsShown(BaseModel):
    """All that a person has declared, the earliest first."""

    items: tuple[DeclarationShown, ...]


class ParityShown(BaseModel):
    """How one group fares in one metric, beside everybody else."""

    attribute: str
    group: str
    metric: str
    about: str = Field(
        description="service, which the engine controls; or outcome, where the market has a part."
    )
    people: int
    rate: float | None = Field(description="The group's rate; null where too little is known to show it.")
    rest: float | None = Field(description="The rate of everybody else.")
    ratio: float | None = Field(description="How many times as good the group fares.")
    low: float | None = Field(description="Lower end of an interval that holds on all nights together.")
    high: float | None
    impact_ratio: float | None = Field(description="Rate / that of the best group.")
    level: str = Field(description="breach, watch, certified or not_enough_data.")
    why: str
    holds: tuple[str, ...] = Field(description="The small groups that were put together.")


class ParitiesShown(BaseModel):
    """Every comparison of the last night."""

    items: tuple[ParityShown, ...]


_SAID = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": SaidGroups.model_json_schema()}},
    }
}


@router.get("/fairness", response_model=ParitiesShown, responses=problems(), summary="Show how groups fare")
def show_parities(request: Request, _token: Reader) -> ParitiesShown:
    """Give how declared groups fare, as of the last night; nothing where nobody has declared any."""
    rows = context_of(request).home.parities.rows()
    return ParitiesShown(items=tuple(ParityShown.model_validate(row) for row in rows))


class ProxyShown(BaseModel):
    """How well one feature tells one group from everybody else who has declared the attribute."""

    attribute: str
    group: str
    feature: str = Field(description="A number, or a property and its level.")
    people: int
    area: float = Field(description="Area under the curve; 0.5 tells nothing, 1 tells all.")
    low: float = Field(description="Lower end of its 95 % interval.")
    needs_review: bool = Field(description="Whether the lower end is above 0.65.")


class ProxiesShown(BaseModel):
    """What features tell of groups, the most telling first."""

    items: tuple[ProxyShown, ...]


@router.get(
    "/fairness/proxies",
    response_model=ProxiesShown,
    responses=problems(),
    summary="Show which features tell a group",
)
def show_proxies(request: Request, _token: Reader) -> ProxiesShown:
    """Give how well features told declared groups, as of the last night that could tell."""
    rows = context_of(request).home.parities.proxies()
    return ProxiesShown(items=tuple(ProxyShown.model_validate(row) for row in rows))


async def _read_said(request: Request) -> SaidGroups:
    return await read_model(request, SaidGroups, most=_BODY_BYTES)


@router.post(
    "/users/{user_id}/groups",
    response_model=DeclarationsShown,
    responses=problems(409, 413, 415, 422),
    openapi_extra=_SAID,
    summary="Declare groups",
)
def declare_groups(
    request: Request, user_id: UserId, token: Declarer, said: Annotated[SaidGroups, Depends(_read_said)]
) -> DeclarationsShown:
    """Keep what a person says of herself, apart from everything else; she has to allow it first."""
    context = context_of(request)
    act = Act(token.name, "", "", context.clock())
    kept = context.home.declared.declare(user_id, said.groups, act=act)
    return DeclarationsShown(items=tuple(DeclarationShown(**asdict(each)) for each in kept))
