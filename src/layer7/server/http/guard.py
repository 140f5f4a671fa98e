"""Around every request: whose host it names, what its answer carries, a log line without a person in it."""

import logging
import time
from collections import Counter
from collections.abc import Collection
from urllib.parse import parse_qsl

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from layer7.errors import Layer7Error
from layer7.server.http.auth import sign_in
from layer7.server.http.metrics import Metrics
from layer7.server.http.problems import SECURITY_HEADERS, respond

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
"""Hosts that a request may name to a server that is bound to this machine alone."""

_log = logging.getLogger("layer7.access")


class Guard:
    """ASGI middleware around the whole app.

    Args:
        app: what it guards.
        hosts: hosts that a request may name; None for any. Against DNS rebinding: a page of another site
            cannot reach a local server under the site's own name.
        metrics: where requests are counted.
    """

    def __init__(self, app: ASGIApp, *, hosts: Collection[str] | None, metrics: Metrics) -> None:
        self._app = app
        self._hosts = None if hosts is None else frozenset(hosts)
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun, status = time.monotonic(), 500

        async def finish(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            await self._serve(scope, receive, finish)
        finally:
            self._note(scope, status, time.monotonic() - begun)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            self._check(scope)
            if scope["method"] == "GET" and scope["path"] == "/" and "token" in request.query_params:
                answer = await run_in_threadpool(sign_in, request)
                await answer(scope, receive, send)
                return
        except Layer7Error as error:
            await respond(request, error)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _check(self, scope: Scope) -> None:
        host = Headers(scope=scope).get("host", "")
        if self._hosts is not None and _without_port(host) not in self._hosts:
            raise Layer7Error(
                "unknown_host",
                "This server is not known under that name.",
                "Use the address it was started with.",
            )
        query = parse_qsl(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True)
        twice = [name for name, times in Counter(name for name, _ in query).items() if times > 1]
        if twice:
            raise Layer7Error(
                "duplicate_parameter", "A parameter of the address stands there twice.", "Give each once."
            )

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        route = route_of(scope)
        self._metrics.requests.labels(scope["method"], route, str(status)).inc()
        self._metrics.seconds.labels(route).observe(seconds)
        _log.info("%s %s %d %.1f ms", scope["method"], route, status, seconds * 1000)


def _without_port(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.partition(":")[0].lower()


def route_of(scope: Scope) -> str:
    """Give a request's route as it is declared, so that no id and no query stands in logs and metrics."""
    route = scope.get("layer7_route") or getattr(scope.get("route"), "path", None)
    return str(route or "(unmatched)")
