"""For those who run it: is it alive, is it ready, what does it count, what doors are there."""

from typing import Literal

from fastapi import APIRouter, Request
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel
from starlette.responses import JSONResponse, Response

from layer7.errors import Layer7Error
from layer7.server.http.auth import Anyone, Reader
from layer7.server.http.context import Context, context_of
from layer7.server.http.documents import problems

router = APIRouter(tags=["operation"])


class Health(BaseModel):
    """The process answers."""

    status: Literal["ok"] = "ok"


class Readiness(BaseModel):
    """The state can be read and events would be written."""

    status: Literal["ready"] = "ready"


@router.get("/health", response_model=Health, responses=problems(), summary="Is it alive")
def health() -> Health:
    """Say that the process answers."""
    return Health()


@router.get("/ready", response_model=Readiness, responses=problems(), summary="Is it ready")
def ready(request: Request) -> Readiness:
    """Say whether the state can be read and events would be written; 503 when not."""
    context = context_of(request)
    if not context.writer.alive:
        raise Layer7Error("shutting_down", "The server is shutting down.", "Try again in a moment.")
    with context.home.state.read() as connection:
        connection.exec_driver_sql("SELECT 1")
    context.home.state.writable()
    return Readiness()


@router.get(
    "/metrics",
    response_class=Response,
    responses=problems() | {200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
    summary="Metrics for Prometheus",
)
def metrics(request: Request, _token: Reader) -> Response:
    """Give what is counted, in Prometheus' text format; nothing in it names a person."""
    context = context_of(request)
    _measure(context)
    return Response(context.metrics.text(), media_type=CONTENT_TYPE_LATEST)


def _measure(context: Context) -> None:
    """Take the numbers that stand in the state."""
    context.metrics.inbox.set(context.home.inbox.waiting())
    context.metrics.queue.set(context.writer.waiting)
    context.metrics.quarantine.clear()
    for code, count in context.home.quarantine.counts().items():
        context.metrics.quarantine.labels(code).set(count)
    context.metrics.recommendations.clear()
    for state, count in context.recommendations.counts().items():
        context.metrics.recommendations.labels(state.value).set(count)


@router.get("/v1/openapi.json", response_class=Response, responses=problems(), summary="This description")
def openapi(request: Request, _token: Anyone) -> Response:
    """Describe every door but OFREP, which has a description of its own."""
    return JSONResponse(request.app.openapi())
