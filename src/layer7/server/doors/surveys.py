"""What can be read of people in general: segments and the market."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from layer7.contract.analytics import UserSegment
from layer7.contract.market import MarketInsights
from layer7.server.http.auth import Reader
from layer7.server.http.context import context_of
from layer7.server.http.documents import problems
from layer7.server.http.paging import Page, PageQuery, link, page, position
from layer7.storage.services.survey import Survey

router = APIRouter(prefix="/v1")

SegmentId = Annotated[str, Path(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]


@router.get(
    "/segments",
    response_model=Page[UserSegment],
    responses=problems(422),
    tags=["figures"],
    summary="List segments of people",
)
def list_segments(
    request: Request, response: Response, _token: Reader, query: Annotated[PageQuery, Query()]
) -> Page[UserSegment]:
    """Give the segments that may be shown, by name."""
    after = position(query, (str,))
    every = sorted(Survey(context_of(request).home).segments(), key=lambda each: each.segment_id)
    found = [each for each in every if after is None or each.segment_id > after[0]]
    items, cursor = page(found, query, lambda each: (each.segment_id,))
    link(request, response, cursor)
    return Page(items=tuple(items), next_cursor=cursor)


@router.get(
    "/segments/{segment_id}",
    response_model=UserSegment,
    responses=problems(404, 422),
    tags=["figures"],
    summary="Show how a segment fares",
)
def show_segment(request: Request, segment_id: SegmentId, _token: Reader) -> UserSegment:
    """Give one segment, with what goes with success and failure in it."""
    return Survey(context_of(request).home).segment(segment_id)


@router.get(
    "/market",
    response_model=MarketInsights,
    responses=problems(404),
    tags=["figures"],
    summary="Show what the job market does",
)
def show_market(request: Request, _token: Reader) -> MarketInsights:
    """Give what the last night saw, over those who contribute to market insights."""
    return Survey(context_of(request).home).market()
