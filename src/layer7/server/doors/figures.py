"""What can be read: people's figures, nights, refused events, the contract, the audit log."""

import json
from dataclasses import asdict
from functools import cache
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse, Response

from layer7.contract.analytics import UserPerformance
from layer7.contract.schema import INTERFACES, schemas
from layer7.errors import Layer7Error
from layer7.server.http.auth import Anyone, Reader
from layer7.server.http.context import context_of
from layer7.server.http.documents import problems
from layer7.server.http.paging import Page, PageQuery, link, page, position

router = APIRouter(prefix="/v1")

UserId = Annotated[str, Path(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]
_NIGHTS = 10_000


class PeriodQuery(BaseModel):
    """Which period is asked for."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    period: str = Field(
        default="all",
        pattern=r"^[A-Za-z0-9:.+-]{1,80}$",
        description="all, a month such as 2026-03, or START..END.",
    )


class QuarantineQuery(PageQuery):
    """Which refused events are asked for."""

    code: str | None = Field(
        default=None, max_length=100, pattern=r"^[a-z_]+$", description="Only this fault."
    )


class Refused(BaseModel):
    """An event that waits in quarantine; its content is shown on the installation's own command line only."""

    id: int
    at: str
    source: str
    position: int
    code: str
    reason: str


class Stage(BaseModel):
    """One stage of a night."""

    stage: str
    status: str
    rows: int
    seconds: float
    detail: dict[str, Any]


class Night(BaseModel):
    """One night: what ran, how long, on how much."""

    id: int
    as_of: str
    known_at: str
    started_at: str
    finished_at: str | None
    status: str
    report: dict[str, Any]
    stages: tuple[Stage, ...]


class SchemaEntry(BaseModel):
    """One interface of the contract."""

    name: str
    section: str = Field(description="Where the specification has it; addition where it has not.")
    purpose: str
    href: str


class SchemaList(BaseModel):
    """Every interface of the contract."""

    items: tuple[SchemaEntry, ...]
    next_cursor: None = None


class AuditRecord(BaseModel):
    """One act: who did what, when and why, chained to the one before."""

    id: int
    at: str
    actor: str
    action: str
    subject: str
    why: str
    detail: dict[str, Any]
    previous: str
    hash: str


class AuditVerdict(BaseModel):
    """Whether the audit log is whole."""

    intact: bool
    records: int | None = Field(description="How many there are; null when it is not whole.")
    detail: str | None = Field(description="What is wrong; null when nothing is.")


_schemas = cache(schemas)


@router.get(
    "/users/{user_id}/performance",
    response_model=UserPerformance,
    responses=problems(404, 422),
    tags=["figures"],
    summary="Show how a person's applications went",
)
def show_performance(
    request: Request, user_id: UserId, _token: Reader, query: Annotated[PeriodQuery, Query()]
) -> UserPerformance:
    """Give a person's figures as the last night made them, each rate with its evidence."""
    reader = context_of(request).performance
    found = None if reader is None else reader.performance(user_id, query.period)
    if found is None:
        raise Layer7Error(
            "unknown_user",
            "No night has made figures of this person in this period.",
            "Check the id; new people have figures after the next night.",
        )
    return found


@router.get(
    "/runs", response_model=Page[Night], responses=problems(422), tags=["figures"], summary="List nights"
)
def list_runs(
    request: Request, response: Response, _token: Reader, query: Annotated[PageQuery, Query()]
) -> Page[Night]:
    """Give the nights, the latest first."""
    before = position(query, (int,))
    nights = context_of(request).home.runs.latest(limit=_NIGHTS)
    found = [night for night in nights if before is None or night.id < before[0]]
    items, cursor = page(found, query, lambda night: (night.id,))
    link(request, response, cursor)
    return Page(items=tuple(Night.model_validate(asdict(each)) for each in items), next_cursor=cursor)


@router.get(
    "/quarantine",
    response_model=Page[Refused],
    responses=problems(422),
    tags=["events"],
    summary="List refused events",
)
def list_quarantine(
    request: Request, response: Response, _token: Reader, query: Annotated[QuarantineQuery, Query()]
) -> Page[Refused]:
    """Give the refused events that wait, the oldest first, without their content."""
    after = position(query, (int,))
    found = context_of(request).home.quarantine.waiting(
        code=query.code, after=0 if after is None else after[0], limit=query.limit + 1
    )
    items, cursor = page(found, query, lambda each: (each.id,))
    link(request, response, cursor)
    shown = ({name: getattr(each, name) for name in Refused.model_fields} for each in items)
    return Page(items=tuple(Refused.model_validate(each) for each in shown), next_cursor=cursor)


@router.get(
    "/schemas",
    response_model=SchemaList,
    responses=problems(),
    tags=["contract"],
    summary="List the contract",
)
def list_schemas(_token: Anyone) -> SchemaList:
    """Give every interface of the contract, in the order of the specification."""
    entries = (
        SchemaEntry(name=name, section=each.section, purpose=each.purpose, href=f"/v1/schemas/{name}.json")
        for name, each in INTERFACES.items()
    )
    event = SchemaEntry(
        name="Event", section="3.1", purpose="Any event of Layer 4's log.", href="/v1/schemas/Event.json"
    )
    return SchemaList(items=(*entries, event))


@router.get(
    "/schemas/{name}.json",
    responses=problems(404, 422)
    | {200: {"content": {"application/schema+json": {"schema": {"type": "object"}}}}},
    response_class=Response,
    tags=["contract"],
    summary="Show one JSON Schema",
)
def show_schema(name: Annotated[str, Path(max_length=100)], _token: Anyone) -> Response:
    """Give the JSON Schema (2020-12) of one interface, complete in itself."""
    found = _schemas().get(name)
    if found is None:
        raise Layer7Error(
            "unknown_schema", f"There is no schema {name!r}.", "They are listed at /v1/schemas."
        )
    return JSONResponse(found, media_type="application/schema+json")


@router.get(
    "/audit",
    response_model=Page[AuditRecord],
    responses=problems(422),
    tags=["audit"],
    summary="List every act",
)
def list_audit(
    request: Request, response: Response, _token: Reader, query: Annotated[PageQuery, Query()]
) -> Page[AuditRecord]:
    """Give the audit log, the oldest first."""
    after = position(query, (int,))
    found = context_of(request).home.state.audit(
        after=0 if after is None else after[0], limit=query.limit + 1
    )
    items, cursor = page(found, query, lambda each: (each["id"],))
    link(request, response, cursor)
    records = (AuditRecord.model_validate({**each, "detail": json.loads(each["detail"])}) for each in items)
    return Page(items=tuple(records), next_cursor=cursor)


@router.get(
    "/audit/verify",
    response_model=AuditVerdict,
    responses=problems(),
    tags=["audit"],
    summary="Check the audit log",
)
def verify_audit(request: Request, _token: Reader) -> AuditVerdict:
    """Compute the whole chain of the audit log again."""
    try:
        records = context_of(request).home.state.verify_audit()
    except Layer7Error as error:
        if error.code != "audit_broken":
            raise
        return AuditVerdict(intact=False, records=None, detail=str(error))
    return AuditVerdict(intact=True, records=records, detail=None)
