"""What doors of decisions have in common: a list in pages, one thing with its ETag, acts with a reason."""

from collections.abc import Callable, Sequence
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response

from layer7.contract.shapes import PrivateText
from layer7.server.http.body import read_model
from layer7.server.http.context import context_of
from layer7.server.http.documents import problems
from layer7.server.http.etags import REVALIDATE, etag, not_modified, require_match
from layer7.server.http.idempotency import once
from layer7.server.http.paging import Page, PageQuery, link, page, position
from layer7.storage.database.tokens import Token

T = TypeVar("T")
Name = Annotated[str, Path(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]
Reason = Annotated[PrivateText, Field(max_length=2000)]
_BODY_BYTES = 1 << 16


class Why(BaseModel):
    """Why something is decided."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    why: Reason = Field(default="", description="The reason; needed to reject, send back and roll back.")


def body_of(model: type[BaseModel], most: int = _BODY_BYTES) -> Any:
    """Describe the body of an act for the OpenAPI document.

    Args:
        model: what it is.
        most: bytes that it may have.
    """
    schema = model.model_json_schema() | {"maxLength": most}
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


async def read_why(request: Request) -> Why:
    """Read the body of an act."""
    return await read_model(request, Why, most=_BODY_BYTES)


def listed(
    request: Request,
    response: Response,
    query: PageQuery,
    *,
    find: Callable[[tuple[str, str] | None, int], Sequence[T]],
    key: Callable[[T], Sequence[Any]],
) -> Page[T]:
    """Give a page of a list, the newest first.

    Args:
        request: the request.
        response: gets the link to the next page.
        query: which page is asked for.
        find: gives items after a position, and how many at most.
        key: gives the position of an item: when it was made, and its name.

    Raises:
        Layer7Error: ``invalid_cursor``.
    """
    after = position(query, (str, str))
    items, cursor = page(find((after[0], after[1]) if after else None, query.limit + 1), query, key)
    link(request, response, cursor)
    return Page(items=tuple(items), next_cursor=cursor)


def tagged(request: Request, shown: Any) -> Response:
    """Show one thing; its ETag can stand in If-Match of an act.

    Args:
        request: the request.
        shown: JSON values.
    """
    tag = etag(shown)
    return not_modified(request, tag) or JSONResponse(shown, headers={"ETag": tag, **REVALIDATE})


async def acted(
    request: Request,
    token: Token,
    *,
    body: BaseModel,
    shown: Callable[[], Any],
    act: Callable[[], dict[str, Any]],
) -> Response:
    """Act once; with If-Match only if nothing has changed since it was looked at.

    Args:
        request: the request.
        token: who asks.
        body: what was sent.
        shown: gives what a look would show now.
        act: does it, and gives the JSON of the answer.

    Raises:
        Layer7Error: ``version_changed``, and what the act refuses.
    """

    def matched() -> dict[str, Any]:
        if "if-match" in request.headers:
            require_match(request, etag(shown()))
        return act()

    return await run_in_threadpool(once, context_of(request), request, token, body=body, act=matched)


def add_act(
    router: APIRouter,
    path: str,
    endpoint: Callable[..., Any],
    *,
    name: str,
    model: type[BaseModel],
    body: type[BaseModel] = Why,
) -> None:
    """Add the address of an act; the last part of its path says what is done.

    Args:
        router: the door.
        path: of the act.
        endpoint: what answers.
        name: of the operation in the OpenAPI document.
        model: what it answers with.
        body: what is sent.
    """
    word = path.rsplit("/", 1)[-1].replace("-", " ").capitalize()
    router.add_api_route(
        path,
        endpoint,
        methods=["POST"],
        name=name,
        operation_id=name,
        response_model=model,
        responses=problems(404, 409, 412, 413, 415, 422),
        openapi_extra=body_of(body),
        summary=f"{word} one",
    )


def word_of(request: Request) -> str:
    """Give what is to be done, the last part of the address."""
    return request.url.path.rsplit("/", 1)[-1]
