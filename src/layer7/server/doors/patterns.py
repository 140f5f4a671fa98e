"""What works for whom, over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import Field
from starlette.responses import Response

from layer7.contract.analytics import UserPatterns
from layer7.errors import Layer7Error
from layer7.patterns.wording import PersonPattern
from layer7.server.doors.figures import UserId
from layer7.server.http.auth import Reader
from layer7.server.http.context import context_of
from layer7.server.http.documents import problems
from layer7.server.http.paging import Page, PageQuery, link, page, position
from layer7.storage.services.patterns import Patterns

router = APIRouter(prefix="/v1")


class PatternQuery(PageQuery):
    """Which patterns are asked for."""

    user_id: str | None = Field(
        default=None,
        min_length=1,
        max_length=200,
        pattern=r"^[^\x00-\x1f\x7f]+$",
        description="Only this person's.",
    )


@router.get(
    "/users/{user_id}/patterns",
    response_model=UserPatterns,
    responses=problems(404, 422),
    tags=["figures"],
    summary="Show what works for a person",
)
def show_patterns(request: Request, user_id: UserId, _token: Reader) -> UserPatterns:
    """Give what works for a person as the last night found it, and what is needed where it found nothing."""
    home = context_of(request).home
    found = Patterns(home).of(user_id) if home.runs.latest(status="done") else None
    if found is None:
        raise Layer7Error(
            "unknown_user",
            "No night knows of applications of this person.",
            "Check the id; new people have patterns after the next night.",
        )
    return found


@router.get(
    "/patterns",
    response_model=Page[PersonPattern],
    responses=problems(422),
    tags=["figures"],
    summary="List the patterns that are shown",
)
def list_patterns(
    request: Request, response: Response, _token: Reader, query: Annotated[PatternQuery, Query()]
) -> Page[PersonPattern]:
    """Give all patterns that the last night shows, good and bad."""
    home, after = context_of(request).home, position(query, (int,))
    found = (
        Patterns(home).shown(
            user_id=query.user_id, after=None if after is None else after[0], limit=query.limit + 1
        )
        if home.runs.latest(status="done")
        else ()
    )
    items, cursor = page(found, query, lambda each: (each[0],))
    link(request, response, cursor)
    return Page(items=tuple(pattern for _, pattern in items), next_cursor=cursor)
