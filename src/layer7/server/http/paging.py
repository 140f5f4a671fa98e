"""Lists in pages: a cursor that means nothing to the caller, and a Link header to the next page."""

import base64
import json
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from layer7.errors import Layer7Error

T = TypeVar("T")


class PageQuery(BaseModel):
    """Which page is asked for."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    limit: int = Field(default=50, ge=1, le=500, description="Items of a page.")
    cursor: str | None = Field(default=None, max_length=500, description="next_cursor of the page before.")


class Page(BaseModel, Generic[T]):
    """One page of a list."""

    items: tuple[T, ...]
    next_cursor: str | None = Field(description="What leads to the next page; null on the last one.")


def position(query: PageQuery, kinds: Sequence[type]) -> tuple[Any, ...] | None:
    """Read a cursor; None on the first page.

    Args:
        query: which page is asked for.
        kinds: the kinds of the values that make a position in this list.

    Raises:
        Layer7Error: ``invalid_cursor``.
    """
    if query.cursor is None:
        return None
    try:
        value = json.loads(base64.urlsafe_b64decode(query.cursor.encode("ascii")))
    except ValueError:
        value = None
    fits = isinstance(value, list) and [type(part) for part in value] == list(kinds)
    small = fits and all(not isinstance(part, int) or 0 <= part < 2**62 for part in value)
    if not small or any(isinstance(part, str) and not part.isprintable() for part in value):
        raise Layer7Error("invalid_cursor", "This is no cursor of this list.", "Begin without one.")
    return tuple(value)


def page(
    found: Sequence[T], query: PageQuery, key: Callable[[T], Sequence[Any]]
) -> tuple[Sequence[T], str | None]:
    """Cut a page out of one item more than it holds.

    Args:
        found: up to ``limit + 1`` items.
        query: which page was asked for.
        key: gives the position of an item.

    Returns:
        The items, and the cursor of the next page.
    """
    if len(found) <= query.limit:
        return found, None
    items = found[: query.limit]
    place = json.dumps(list(key(items[-1])), separators=(",", ":"))
    return items, base64.urlsafe_b64encode(place.encode()).decode("ascii")


def link(request: Request, response: Response, cursor: str | None) -> None:
    """Link to the next page, if there is one (RFC 8288)."""
    if cursor is not None:
        following = request.url.include_query_params(cursor=cursor)
        response.headers["Link"] = f'<{following.path}?{following.query}>; rel="next"'
