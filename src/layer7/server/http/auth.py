"""Who asks, and whether she may: the one lock of all doors."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request, Security
from fastapi.security import APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer
from starlette.responses import RedirectResponse, Response

from layer7.errors import Layer7Error
from layer7.server.http.context import Context, context_of
from layer7.server.http.problems import RefusedError
from layer7.storage.database.tokens import Scope, Token

COOKIE = "layer7_token"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_bearer = HTTPBearer(auto_error=False, description="A token made by `layer7 tokens create`.")
_key = APIKeyHeader(name="X-API-Key", auto_error=False, description="The same token, for simpler clients.")


@dataclass(frozen=True, slots=True)
class Lock:
    """A dependency that lets in whoever has one of the scopes; made by :func:`require`.

    Args:
        scopes: any of them opens; none means that any token does.
    """

    scopes: tuple[Scope, ...]

    def __call__(
        self,
        request: Request,
        _bearer: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)] = None,
        _key: Annotated[str | None, Security(_key)] = None,
    ) -> Token:
        """Give the caller's token.

        Raises:
            Layer7Error: what :func:`authenticate` refuses.
        """
        return authenticate(request, self.scopes)


def require(*scopes: Scope) -> Lock:
    """Make the dependency that locks a route.

    Args:
        scopes: any of them opens it; admin opens everything.

    Example:
        >>> require(Scope.READ, Scope.REVIEW).scopes
        (<Scope.READ: 'read'>, <Scope.REVIEW: 'review'>)
    """
    return Lock(scopes)


def authenticate(request: Request, scopes: tuple[Scope, ...]) -> Token:
    """Find out who asks and whether she may.

    Args:
        request: the request.
        scopes: any of them opens; none means that any token does.

    Raises:
        Layer7Error: ``not_signed_in``, ``scope_missing``, ``cross_site``, ``too_many_requests``.
    """
    context = context_of(request)
    secret, by_cookie = _secret(request)
    token = context.tokens.verify(secret, at=context.clock()) if secret else None
    if token is None:
        _count_stranger(request, context, tried=bool(secret))
        raise Layer7Error(
            "not_signed_in",
            "This needs a token that is in use.",
            "Send it as 'Authorization: Bearer ...'; make one with `layer7 tokens create`.",
        )
    if by_cookie and request.method not in _SAFE and not _same_origin(request):
        raise Layer7Error(
            "cross_site", "This request comes from another site.", "Send it from this server's own pages."
        )
    if scopes and not token.allows(*scopes):
        raise Layer7Error(
            "scope_missing", f"This needs the scope {' or '.join(scopes)}.", "Use a token that has it."
        )
    within(context.requests.take(token.id))
    return token


def within(seconds: float) -> None:
    """Refuse what is beyond an allowance.

    Args:
        seconds: how long to wait; 0 when it is within.

    Raises:
        RefusedError: ``too_many_requests`` with an integer ``Retry-After``: clients read a date as a number.
    """
    if seconds > 0:
        wait = str(max(1, math.ceil(seconds)))
        raise RefusedError(
            "too_many_requests",
            "More came than is allowed in a minute.",
            f"Try again in {wait} s.",
            headers={"Retry-After": wait},
        )


def sign_in(request: Request) -> Response:
    """Take the token of a link into a cookie and lead to the same address without it.

    Args:
        request: a request for a page with ``?token=``.

    Raises:
        Layer7Error: ``not_signed_in``, ``too_many_requests``.
    """
    context, secret = context_of(request), request.query_params["token"]
    if context.tokens.verify(secret, at=context.clock()) is None:
        _count_stranger(request, context, tried=True)
        raise Layer7Error("not_signed_in", "This link holds no token that is in use.", "Ask for a new one.")
    clean = request.url.remove_query_params("token")
    answer = RedirectResponse(_relative(clean.path, clean.query), HTTPStatus.SEE_OTHER)
    secure = request.url.scheme == "https"
    answer.set_cookie(COOKIE, secret, path="/", secure=secure, httponly=True, samesite="strict")
    return answer


def _relative(path: str, query: str) -> str:
    # Two slashes at the start would name another host.
    return "/" + path.lstrip("/") + (f"?{query}" if query else "")


def _secret(request: Request) -> tuple[str, bool]:
    """Give what the caller brought, and whether the browser sent it by itself."""
    headers: Mapping[str, str] = request.headers
    scheme, _, bearer = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return bearer.strip(), False
    if "x-api-key" in headers:
        return headers["x-api-key"].strip(), False
    return request.cookies.get(COOKIE, ""), True


def _same_origin(request: Request) -> bool:
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = urlsplit(request.headers.get("origin", ""))
    return (origin.scheme, origin.netloc) == (request.url.scheme, request.headers.get("host", ""))


def _count_stranger(request: Request, context: Context, *, tried: bool) -> None:
    if tried:
        within(context.strangers.take(request.client.host if request.client else ""))


def page_actor(request: Request, token: Annotated[Token, Depends(require(Scope.READ, Scope.REVIEW))]) -> str:
    """Give the name of who looks at a page or decides on one; deciding needs ``review``.

    Raises:
        Layer7Error: ``scope_missing`` when somebody who may only read wants to change something.
    """
    if request.method not in _SAFE and not token.allows(Scope.REVIEW):
        raise Layer7Error("scope_missing", "Deciding needs the scope review.", "Use a token that has it.")
    return token.name


Reader = Annotated[Token, Depends(require(Scope.READ, Scope.REVIEW))]
Reviewer = Annotated[Token, Depends(require(Scope.REVIEW))]
Anyone = Annotated[Token, Depends(require())]
