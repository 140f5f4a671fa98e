"""The event door: plain JSON, JSON Lines and CloudEvents in; exactly once, acknowledged when durable."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Any, Literal
from urllib.parse import unquote

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response

from layer7.contract.events import ConsentEvent, ErasureEvent, Event
from layer7.contract.reading import Problem, Reading, check_event, parse_json, unwrap
from layer7.contract.shapes import parse_instant
from layer7.contract.vocabulary import EventType
from layer7.server.http.auth import require, within
from layer7.server.http.body import as_json, as_text, media_type, read_body
from layer7.server.http.context import Context, context_of
from layer7.server.http.documents import problems
from layer7.server.http.problems import RefusedError, fault_list
from layer7.storage.database.tokens import Scope, Token
from layer7.storage.intake.inbox import Receipt

router = APIRouter(tags=["events"])

_JSON = "application/json"
_LINES = frozenset({"application/x-ndjson", "application/jsonl", "application/jsonlines"})
_STRUCTURED = "application/cloudevents+json"
_BATCH = "application/cloudevents-batch+json"
_OUTCOME = {"accepted": 202, "ignored": 202, "duplicate": 200}
_FROM_ENVELOPE = {"/event_type": "/type", "/timestamp": "/time", "/event_id": "/id"}

Item = tuple[str, Reading]


@dataclass(frozen=True, slots=True)
class _Arrival:
    """What one request brought."""

    items: Sequence[Item]
    many: bool


class Fault(BaseModel):
    """What is wrong with an event."""

    pointer: str = Field(description="Where, an RFC 6901 pointer into the event.")
    code: str
    detail: str


class Result(BaseModel):
    """What became of one event."""

    index: int | None = Field(default=None, description="Its place in the batch, from 0.")
    status: Literal["accepted", "duplicate", "conflict", "quarantined", "ignored"]
    event_id: str | None = Field(default=None, description="Its identity; a hash of it when it brought none.")
    first_result: Literal["accepted"] | None = Field(
        default=None, description="What a duplicate's first got."
    )
    errors: list[Fault] | None = None


class Results(BaseModel):
    """What became of the events of a batch, in their order."""

    results: list[Result]


_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            kind: {"schema": {"type": shape}}
            for kind, shape in (
                (_JSON, ["object", "array"]),
                ("application/x-ndjson", "string"),
                (_STRUCTURED, "object"),
                (_BATCH, "array"),
            )
        },
    }
}


@router.post(
    "/v1/events",
    status_code=202,
    response_model=Result | Results,
    responses=problems(409, 413, 415, 422) | {200: {"model": Result, "description": "A duplicate."}},
    openapi_extra=_BODY,
    summary="Send events",
)
async def post_events(
    request: Request, token: Annotated[Token, Depends(require(Scope.EVENTS_WRITE))]
) -> Response:
    """Take one event or many; the answer comes after they are durable.

    One event: 202 accepted or of an unknown type, 200 seen before, 409 another event has its identity, 422
    not valid and put into quarantine. Many: 202 with one result each.
    """
    context = context_of(request)
    kind = _kind(request)
    body = await read_body(request, _ceiling(context, kind))
    arrival = await run_in_threadpool(_read, request.headers, kind, body, context)
    within(context.events.take(token.id, len(arrival.items)))
    receipts = await context.writer.write(arrival.items)
    _count(context, arrival.items, receipts)
    if any(isinstance(reading.event, ErasureEvent) for _, reading in arrival.items):
        await run_in_threadpool(context.home.erasures.resume, context.clock())
    if any(isinstance(reading.event, ConsentEvent) for _, reading in arrival.items):
        await run_in_threadpool(context.home.declared.sweep)
    if not arrival.many:
        return _single(receipts[0])
    results = [_result(receipt, index) for index, receipt in enumerate(receipts)]
    return JSONResponse({"results": results}, 202)


@router.options(
    "/v1/events",
    response_class=Response,
    responses=problems(),
    summary="Ask whether events may be sent",
)
def allow_events(request: Request, _: Annotated[Token, Depends(require(Scope.EVENTS_WRITE))]) -> Response:
    """Answer the handshake with which a CloudEvents sender asks before it delivers.

    Whoever holds a token for events may send them, from whatever origin it names, in so many requests a
    minute.

    Source: CloudEvents, HTTP 1.1 Web Hooks for Event Delivery 1.0, section 4.
    """
    headers = {"Allow": "POST, OPTIONS"}
    origin = request.headers.get("webhook-request-origin", "")
    if origin:
        rate = str(context_of(request).limits.requests_per_minute)
        headers |= {"WebHook-Allowed-Origin": origin, "WebHook-Allowed-Rate": rate}
    return Response(headers=headers)


def _kind(request: Request) -> str:
    kind = media_type(request)
    if kind in {_STRUCTURED, _BATCH, _JSON}:
        return "binary" if kind == _JSON and "ce-specversion" in request.headers else kind
    if kind in _LINES:
        return "lines"
    raise RefusedError(
        "unsupported_media_type",
        "Events come as JSON, JSON Lines or CloudEvents.",
        f"Say so in Content-Type: {_JSON}, application/x-ndjson, {_STRUCTURED} or {_BATCH}.",
        headers={"Accept": f"{_JSON}, application/x-ndjson, {_STRUCTURED}, {_BATCH}"},
    )


def _ceiling(context: Context, kind: str) -> Callable[[bytes], int]:
    limits = context.limits

    def most(start: bytes) -> int:
        listed = kind in {"lines", _BATCH} or (kind == _JSON and start.lstrip()[:1] == b"[")
        return limits.batch_bytes if listed else limits.single_bytes

    return most


def _read(headers: Mapping[str, str], kind: str, body: bytearray, context: Context) -> _Arrival:
    now, most = context.clock(), context.limits.batch_items
    if kind == "lines":
        lines = [line for line in as_text(body).splitlines() if line.strip()]
        _require_few(lines, most)
        return _Arrival([_line(line, now) for line in lines], many=True)
    value = as_json(body, constants=True)
    if kind == "binary":
        value = _envelope(headers, value)
    many = isinstance(value, list) if kind == _JSON else kind == _BATCH
    if not many:
        return _Arrival([(_raw(value), _reading(value, kind, now))], many=False)
    if not isinstance(value, list):
        raise RefusedError("invalid_request", "A batch is a JSON array.", "Send [event, event, ...].")
    _require_few(value, most)
    return _Arrival([(_raw(each), _reading(each, kind, now)) for each in value], many=True)


def _require_few(items: Sequence[object], most: int) -> None:
    if len(items) > most:
        raise RefusedError(
            "too_many_items", f"A batch holds at most {most} events; {len(items)} came.", "Send it in parts."
        )


def _line(line: str, now: datetime) -> Item:
    value = parse_json(line, constants=True)
    if isinstance(value, Problem):
        return line, Reading(problems=(value,))
    return line, _reading(value, _JSON, now)


def _reading(value: Any, kind: str, now: datetime) -> Reading:
    """Check one event; what is wrong inside a CloudEvent is pointed at inside the CloudEvent."""
    if kind in {_STRUCTURED, _BATCH} and not (isinstance(value, dict) and "specversion" in value):
        missing = Problem("missing_field", "/specversion", "a CloudEvent says its specversion")
        return Reading(problems=(missing,))
    if not isinstance(value, dict) or "specversion" not in value:
        return _storable(check_event(value, now=now))
    event = unwrap(value)
    if isinstance(event, Problem):
        return Reading(problems=(event,))
    reading = check_event(event, now=now)
    if kind != "binary":
        reading = replace(reading, problems=tuple(_outward(each, value) for each in reading.problems))
    return _storable(reading)


def _outward(problem: Problem, envelope: Mapping[str, Any]) -> Problem:
    given = envelope["data"].get(problem.pointer[1:]) is not None
    outer = None if given else _FROM_ENVELOPE.get(problem.pointer)
    inside = outer is not None and envelope.get(outer[1:]) is not None
    return replace(problem, pointer=outer if inside and outer else f"/data{problem.pointer}")


def _storable(reading: Reading) -> Reading:
    """Write names that no database can hold in a form that it can: they are counted, not kept as they are."""
    ignored = None if reading.ignored is None else _safe(reading.ignored)
    return replace(reading, ignored=ignored, unknown=tuple(_safe(name) for name in reading.unknown))


def _safe(name: str) -> str:
    return name.encode("utf-8", "backslashreplace").decode("utf-8").replace("\x00", "\\x00")


def _envelope(headers: Mapping[str, str], data: Any) -> dict[str, Any]:
    """Put a binary CloudEvent, whose attributes came as headers, into one object."""
    names = ("specversion", "id", "source", "type", "time")
    attributes = {name: unquote(headers[f"ce-{name}"]) for name in names if f"ce-{name}" in headers}
    return {**attributes, "data": data}


def _raw(value: Any) -> str:
    return json.dumps(value)


def _single(receipt: Receipt) -> Response:
    if receipt.status == "quarantined":
        raise RefusedError(
            "invalid_event",
            "The event does not keep to the contract; it was put into quarantine.",
            "See the errors, and /v1/schemas for the contract.",
            faults=receipt.problems,
        )
    if receipt.status == "conflict":
        raise RefusedError(
            "event_conflict",
            "Another event came before under this event_id; the first one was kept.",
            "Give every event an event_id of its own.",
        )
    return JSONResponse(_result(receipt, None), _OUTCOME[receipt.status])


def _result(receipt: Receipt, index: int | None) -> dict[str, Any]:
    result: dict[str, Any] = {} if index is None else {"index": index}
    result["status"] = receipt.status
    if receipt.event_id is not None:
        result["event_id"] = receipt.event_id
    if receipt.status == "duplicate":
        result["first_result"] = "accepted"
    if receipt.problems:
        result["errors"] = fault_list(receipt.problems)
    return result


def _count(context: Context, items: Sequence[Item], receipts: Sequence[Receipt]) -> None:
    now = context.clock()
    for kind, lag, status in _facts(items, receipts, now):
        context.metrics.events.labels(kind, status).inc()
        if lag is not None:
            context.metrics.lag.observe(lag)


def _type(event: Event) -> str:
    return EventType(getattr(event, "event_type", "")).value


def _facts(
    items: Sequence[Item], receipts: Sequence[Receipt], now: datetime
) -> Iterator[tuple[str, float | None, str]]:
    for (_, reading), receipt in zip(items, receipts, strict=True):
        event = reading.event
        kind = _type(event) if event is not None else "other"
        taken = event is not None and receipt.status == "accepted"
        lag = (now - parse_instant(event.timestamp).utc).total_seconds() if event and taken else None
        yield kind, lag, receipt.status
