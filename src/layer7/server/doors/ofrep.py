"""The OFREP 0.3 door: any OpenFeature client reads settings here; its errors are OFREP's own bodies."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from layer7.configuration import Reason, Resolution
from layer7.contract.reading import Problem, parse_json
from layer7.errors import Layer7Error
from layer7.server.http.auth import authenticate
from layer7.server.http.body import media_type, read_body
from layer7.server.http.context import Context, context_of
from layer7.server.http.etags import REVALIDATE, etag, not_modified
from layer7.server.http.problems import RefusedError, headers_of, report, status_of
from layer7.storage.database.tokens import Scope, Token

PREFIX = "/ofrep/v1"
_LONGEST_KEY = 1024
_ERRORS: Mapping[str, tuple[int, str]] = {
    "unknown_parameter": (404, "FLAG_NOT_FOUND"),
    "not_found": (404, "FLAG_NOT_FOUND"),
    "targeting_key_missing": (400, "TARGETING_KEY_MISSING"),
    "invalid_context": (400, "INVALID_CONTEXT"),
    "invalid_json": (400, "PARSE_ERROR"),
    "duplicate_key": (400, "PARSE_ERROR"),
    "too_deep": (400, "PARSE_ERROR"),
    "too_many_items": (400, "PARSE_ERROR"),
    "wrong_charset": (400, "PARSE_ERROR"),
    "invalid_gzip": (400, "PARSE_ERROR"),
}


def ofrep_app(web_origins: Sequence[str] = ()) -> Starlette:
    """Make the sub-app; it is mounted at :data:`PREFIX` and shares the context of the app around it.

    Args:
        web_origins: origins whose pages may ask from the browser; by token, never by this server's cookie.
    """
    app = Starlette(
        middleware=[_for_pages(web_origins)] if web_origins else [],
        routes=[
            Route("/evaluate/flags", _bulk, methods=["POST"]),
            Route("/evaluate/flags/{key}", _single, methods=["POST"]),
        ],
        exception_handlers={
            Layer7Error: _refused,
            HTTPException: _http,
            ClientDisconnect: _gone,
            Exception: _last_resort,
        },
    )
    # A redirect from a trailing slash would lose the body in some clients.
    app.router.redirect_slashes = False
    return app


def _for_pages(web_origins: Sequence[str]) -> Middleware:
    return Middleware(
        CORSMiddleware,
        allow_origins=web_origins,
        allow_methods=["POST"],
        allow_headers=["Authorization", "Content-Type", "If-None-Match", "X-API-Key"],
        expose_headers=["ETag", "Retry-After"],
        max_age=600,
    )


async def _single(request: Request) -> Response:
    request.scope["layer7_route"] = f"{PREFIX}/evaluate/flags/{{key}}"
    token = await _caller(request)
    body = await _body(request)
    context = context_of(request)

    def evaluate() -> Resolution:
        with context.home.state.moment():
            return context.serving.evaluate(
                request.path_params["key"],
                component=token.component,
                targeting_key=_targeting_key(body),
            )

    served = await run_in_threadpool(evaluate)
    context.metrics.evaluations.labels(served.key, served.reason.value).inc()
    return JSONResponse(_success(served), headers=REVALIDATE)


async def _bulk(request: Request) -> Response:
    request.scope["layer7_route"] = f"{PREFIX}/evaluate/flags"
    token = await _caller(request)
    body = await _body(request)
    context = context_of(request)
    shown = await run_in_threadpool(lambda: _all(context, token, _targeting_key(body)))
    # The name of the result, never of the settings: the same settings mean something else to another person.
    tag = etag(shown)
    known = not_modified(request, tag)
    if known is not None:
        context.metrics.not_modified.inc()
        return known
    return JSONResponse(shown, headers={"ETag": tag, **REVALIDATE})


def _all(context: Context, token: Token, targeting_key: str | None) -> dict[str, Any]:
    with context.home.state.moment():
        return {
            "flags": list(_each(context, token, targeting_key)),
            "metadata": {"version": context.serving.versions(token.component)},
        }


def _each(context: Context, token: Token, targeting_key: str | None) -> Iterator[dict[str, Any]]:
    for key in context.serving.keys(token.component):
        try:
            served = context.serving.evaluate(key, component=token.component, targeting_key=targeting_key)
        except Layer7Error as error:
            if error.code != "targeting_key_missing":
                raise
            yield _failure(key, error)
        else:
            yield _success(served)


def _success(served: Resolution) -> dict[str, Any]:
    """Write all five members that clients need; a switched-off setting has no value, not even null."""
    shown: dict[str, Any] = {"key": served.key}
    if served.reason is not Reason.DISABLED:
        shown["value"] = dict(served.value) if isinstance(served.value, Mapping) else served.value
    return shown | {
        "reason": served.reason.value,
        "variant": served.variant,
        "metadata": dict(served.metadata),
    }


def _failure(key: str, error: Layer7Error) -> dict[str, str]:
    code = _ERRORS.get(error.code, (0, "GENERAL"))[1]
    return {"key": key, "errorCode": code, "errorDetails": str(error)}


async def _caller(request: Request) -> Token:
    return await run_in_threadpool(authenticate, request, (Scope.FLAGS_EVALUATE,))


async def _body(request: Request) -> bytearray:
    if media_type(request) != "application/json":
        raise RefusedError(
            "unsupported_media_type", "The body is not application/json.", "Say and send JSON."
        )
    most = context_of(request).limits.single_bytes
    return await read_body(request, lambda _: most)


def _targeting_key(body: bytearray) -> str | None:
    """Read the person of a context: everything else that it says a caller could make up.

    Raises:
        Layer7Error: ``invalid_json`` and its kin, ``invalid_context``.
    """
    try:
        value = parse_json(body.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise RefusedError("invalid_json", "The body is not UTF-8.", "Encode it as UTF-8.") from error
    if isinstance(value, Problem):
        raise RefusedError(value.code, f"The body cannot be read: {value.reason}.", "Send one JSON object.")
    if not isinstance(value, dict):
        raise _invalid("the body is no object")
    given = value.get("context", {})
    if not isinstance(given, dict):
        raise _invalid("context is no object")
    key = given.get("targetingKey", "")
    if not isinstance(key, str):
        raise _invalid("targetingKey is no string")
    if len(key) > _LONGEST_KEY or not key.isprintable():
        raise _invalid(f"targetingKey has more than {_LONGEST_KEY} characters, or invisible ones")
    return key or None


def _invalid(what: str) -> Layer7Error:
    return Layer7Error(
        "invalid_context",
        f"The context cannot be used: {what}.",
        'Send {"context": {"targetingKey": "..."}}.',
    )


def _answer(request: Request, error: Layer7Error) -> Response:
    status, code = _ERRORS.get(error.code, (status_of(error), "GENERAL"))
    key = str(request.path_params.get("key", ""))[:200]
    shown = {"key": key, "errorCode": code, "errorDetails": str(error)}
    # ASCII with escapes: a key that came as half a surrogate pair could not be written otherwise.
    return Response(json.dumps(shown), status, headers_of(error), "application/json")


async def _refused(request: Request, error: Exception) -> Response:
    if not isinstance(error, Layer7Error):
        raise error
    return _answer(request, error)


async def _http(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    code = {404: "not_found", 405: "method_not_allowed"}.get(status, "bad_request")
    headers = dict(error.headers or {}) if isinstance(error, HTTPException) else {}
    words = {
        "not_found": "There is no such flag or address.",
        "method_not_allowed": "Evaluations are POSTed.",
    }
    return _answer(
        request, RefusedError(code, words.get(code, "The request is not understood."), headers=headers)
    )


async def _gone(request: Request, _: Exception) -> Response:
    return _answer(request, Layer7Error("invalid_json", "The body ended before it was complete."))


async def _last_resort(request: Request, error: Exception) -> Response:
    answer = _answer(request, Layer7Error("internal_error", "Something went wrong here.", "Try again."))
    report(error, answer)
    return answer
