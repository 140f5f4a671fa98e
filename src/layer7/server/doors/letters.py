"""What a person is told each week."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import HTMLResponse, Response

from layer7.contract.fields import Day
from layer7.contract.insights import WeeklyInsights
from layer7.errors import Layer7Error
from layer7.insights import to_html
from layer7.server.doors.figures import UserId
from layer7.server.http.auth import Reader
from layer7.server.http.context import context_of
from layer7.server.http.documents import problems
from layer7.storage.services.letters import Letters

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
# An e-mail carries its styles in its elements.

router = APIRouter(prefix="/v1/users/{user_id}", tags=["people"])


class WeekQuery(BaseModel):
    """Which week is asked for."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    week: Day | None = Field(default=None, description="Any day of the week; else the last whole one.")


@router.get(
    "/insights",
    response_model=WeeklyInsights,
    responses=problems(404, 422),
    summary="Show a person's weekly letter",
)
def show_insights(
    request: Request, user_id: UserId, _token: Reader, query: Annotated[WeekQuery, Query()]
) -> WeeklyInsights:
    """Give the letter with the finding behind each of its sentences."""
    return _letter(request, user_id, query)


@router.get(
    "/insights/mail",
    response_class=HTMLResponse,
    responses=problems(404, 422) | {200: {"content": {"text/html": {"schema": {"type": "string"}}}}},
    summary="Show a person's weekly letter as the HTML of an e-mail",
)
def show_mail(
    request: Request, user_id: UserId, _token: Reader, query: Annotated[WeekQuery, Query()]
) -> Response:
    """Give the same letter as the body of an e-mail: tables and inline styles, nothing fetched."""
    return HTMLResponse(
        to_html(_letter(request, user_id, query)), headers={"Content-Security-Policy": _POLICY}
    )


def _letter(request: Request, user_id: str, query: WeekQuery) -> WeeklyInsights:
    home = context_of(request).home
    week = None if query.week is None else date.fromisoformat(query.week)
    found = Letters(home).of(user_id, week) if home.runs.latest(status="done") else None
    if found is None:
        raise Layer7Error(
            "unknown_user",
            "Nothing is known of this person.",
            "Check the id; new people get their first letter after the next night.",
        )
    return found
