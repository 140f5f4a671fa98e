"""What a caller is told when something is refused: RFC 9457 documents, from one table of statuses."""

import logging
import traceback
import uuid
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from http import HTTPStatus
from types import MappingProxyType
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import HTMLResponse, JSONResponse, Response

from layer7.contract.reading import Problem
from layer7.errors import Layer7Error

MEDIA_TYPE = "application/problem+json"

_BY_STATUS: Mapping[int, str] = {
    400: "bad_request duplicate_key duplicate_parameter invalid_gzip invalid_json too_deep wrong_charset",
    401: "not_signed_in",
    403: "cross_site person_needed scope_missing",
    404: "no_finding no_night no_survey not_found personalisation_off unknown_decision unknown_experiment"
    " unknown_parameter"
    " unknown_recommendation unknown_rollout unknown_schema unknown_segment unknown_token unknown_user"
    " unknown_version",
    405: "method_not_allowed",
    409: "consent_needed approval_too_early decided_meanwhile event_conflict experiment_exists"
    " experiment_needed idempotency_key_reused move_not_allowed moved_meanwhile namespace_full"
    " no_change not_paused not_running nothing_to_roll_back other_passport overlapping_experiments"
    " plan_changed plan_stale power_unknown request_in_flight underpowered",
    412: "version_changed",
    413: "too_large too_many_items",
    415: "unsupported_encoding unsupported_media_type",
    421: "unknown_host",
    429: "too_many_requests",
    500: "another_recommendation audit_broken internal_error not_json not_served plan_missing"
    " recommendation_unnamed rollback_not_proven version_damaged wrong_metadata",
    503: "data_damaged database_damaged disk_failed disk_full locked shutting_down state_busy state_damaged"
    " state_unreachable too_busy",
}

STATUS: Mapping[str, int] = MappingProxyType(
    {code: status for status, codes in _BY_STATUS.items() for code in codes.split()}
)
"""HTTP status by the code of a :class:`Layer7Error`; codes that are not here are 422."""

UNPROCESSABLE = 422

SECURITY_HEADERS: Mapping[str, str] = MappingProxyType(
    {
        "Content-Security-Policy": "default-src 'self'; object-src 'none'; base-uri 'none';"
        " form-action 'self'; frame-ancestors 'none'",
        "Cache-Control": "no-store",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
    }
)
"""What every answer carries, unless it says otherwise itself."""

_RETRY = {429: "60", 503: "2"}
_log = logging.getLogger("layer7.server")


class RefusedError(Layer7Error):
    """A refusal that points at what was wrong, or tells a client more in headers.

    Args:
        code: stable name, see :data:`STATUS`.
        message: what came and what is allowed.
        hint: what to do next.
        faults: what is wrong where in the body.
        headers: headers of the answer.
    """

    def __init__(
        self,
        code: str,
        message: str,
        hint: str = "",
        *,
        faults: Sequence[Problem] = (),
        headers: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        super().__init__(code, message, hint)
        self.faults = tuple(faults)
        self.headers = headers


def status_of(error: Layer7Error) -> int:
    """Give the HTTP status of an error.

    Example:
        >>> status_of(Layer7Error("plan_stale", "The plan no longer fits."))
        409
    """
    return STATUS.get(error.code, UNPROCESSABLE)


def fault_list(faults: Sequence[Problem]) -> list[dict[str, str]]:
    """Give faults as the ``errors`` of a problem document."""
    return [{"pointer": fault.pointer, "code": fault.code, "detail": fault.reason} for fault in faults]


def document(error: Layer7Error) -> dict[str, Any]:
    """Give the problem document of an error.

    Example:
        >>> shown = document(Layer7Error("no_change", "It is 70 already.", "Name another value."))
        >>> shown["type"], shown["title"], shown["status"]
        ('urn:layer7:problem:no_change', 'No change', 409)
    """
    shown: dict[str, Any] = {
        "type": f"urn:layer7:problem:{error.code}",
        "title": error.code.replace("_", " ").capitalize(),
        "status": status_of(error),
        "detail": error.message,
        "instance": f"urn:uuid:{uuid.uuid4()}",
    }
    if error.hint:
        shown["hint"] = error.hint
    if isinstance(error, RefusedError) and error.faults:
        shown["errors"] = fault_list(error.faults)
    return shown


def headers_of(error: Layer7Error) -> dict[str, str]:
    """Give the headers that go with an error: when to try again, how to sign in."""
    status = status_of(error)
    own = dict(error.headers) if isinstance(error, RefusedError) else {}
    given = {"Retry-After": _RETRY[status]} if status in _RETRY else {}
    given |= {"WWW-Authenticate": 'Bearer realm="layer7"'} if status == HTTPStatus.UNAUTHORIZED else {}
    return dict(SECURITY_HEADERS) | given | own


def respond(request: Request, error: Layer7Error) -> Response:
    """Answer with an error: a problem document, or a plain page where a person looks at a page."""
    shown, headers = document(error), headers_of(error)
    if _is_page(request):
        return HTMLResponse(_page(shown), shown["status"], headers)
    return JSONResponse(shown, shown["status"], headers, MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Let the app answer every error as a problem document."""
    app.add_exception_handler(Layer7Error, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(ClientDisconnect, _gone)
    app.add_exception_handler(Exception, last_resort)


async def last_resort(request: Request, error: Exception) -> Response:
    """Answer a fault of our own: an id to ask for, and nothing of what came."""
    hidden = Layer7Error(
        "internal_error", "Something went wrong here.", "Try again; if it stays, report the instance."
    )
    answer = respond(request, hidden)
    report(error, answer)
    return answer


def report(error: BaseException, answer: Response) -> None:
    """Write a fault to the log by its kind and place; its words could hold what a caller sent."""
    place = "".join(traceback.format_tb(error.__traceback__)[-3:]).strip()
    instance = bytes(answer.body)[-300:].partition(b"urn:uuid:")[2][:36].decode("ascii", "replace")
    _log.error("%s in request %s at\n%s", type(error).__name__, instance, place)


async def _refused(request: Request, error: Exception) -> Response:
    if not isinstance(error, Layer7Error):
        raise error
    return respond(request, error)


async def _gone(request: Request, _: Exception) -> Response:
    return respond(request, Layer7Error("bad_request", "The body ended before it was complete."))


async def _http(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    codes = {404: "not_found", 405: "method_not_allowed", 413: "too_large", 415: "unsupported_media_type"}
    code = codes.get(status, "bad_request" if status < 500 else "internal_error")
    headers = getattr(error, "headers", None) or {}
    return respond(
        request, RefusedError(code, f"{HTTPStatus(status).phrase}.", _WAY.get(code, ""), headers=headers)
    )


_WAY = {
    "not_found": "The doors are listed in docs/http-api.md and at /v1/openapi.json.",
    "method_not_allowed": "The Allow header names the methods of this address.",
}


async def _invalid(request: Request, error: Exception) -> Response:
    faults = list(_faults(error)) if isinstance(error, RequestValidationError) else []
    return respond(
        request,
        RefusedError("invalid_request", "The request does not have the form it needs.", "", faults=faults),
    )


def _faults(error: RequestValidationError) -> Iterator[Problem]:
    """Give what is wrong, without what came; ``/query/limit`` names the parameter ``limit``."""
    for item in error.errors():
        pointer = "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in item["loc"])
        yield Problem(str(item["type"]), pointer, str(item["msg"]))


def _is_page(request: Request) -> bool:
    machine = request.url.path.startswith(("/v1", "/ofrep", "/metrics", "/health", "/ready"))
    return not machine and "text/html" in request.headers.get("accept", "")


def _page(shown: Mapping[str, Any]) -> str:
    title, detail = escape(shown["title"]), escape(f"{shown['detail']} {shown.get('hint', '')}")
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title></head>'
        f"<body><main><h1>{title}</h1><p>{detail}</p><p><small>{shown['instance']}</small></p></main></body></html>"
    )
