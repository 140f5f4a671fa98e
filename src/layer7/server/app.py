"""The app: every door of one installation, behind one guard and one lock."""

import time
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from fastapi import APIRouter, FastAPI
from starlette.concurrency import run_in_threadpool

from layer7 import __version__
from layer7.server.doors import (
    consent,
    events,
    experiments,
    fairness,
    figures,
    letters,
    patterns,
    personal,
    ranking,
    recommendations,
    rights,
    rollouts,
    scores,
    settings,
    surveys,
    thresholds,
    watch,
)
from layer7.server.doors.ofrep import PREFIX, ofrep_app
from layer7.server.http import problems
from layer7.server.http.context import Clock, Context, PerformanceReader
from layer7.server.http.documents import FaultDocument, ProblemDocument
from layer7.server.http.guard import LOOPBACK, Guard
from layer7.server.http.limits import Allowance, Limits
from layer7.server.http.metrics import Metrics
from layer7.server.http.writer import EventWriter
from layer7.storage.decisions.own_rules import OwnRules
from layer7.storage.decisions.serving import Rules, Serving
from layer7.storage.decisions.trials import ExperimentRules
from layer7.storage.home import Home
from layer7.storage.services.rankings import Rankings


@dataclass(frozen=True, slots=True)
class Wiring:
    """What an installation may bring to its server.

    Args:
        rules: what single people are served instead of everybody's value; None: variants of experiments.
        performance: figures of people.
        pages: the pages that people read and decide on.
        hosts: hosts that a request may name; None for any.
        limits: how much may come.
        monotonic: seconds of a clock that never jumps.
    """

    rules: Rules | None = None
    performance: PerformanceReader | None = None
    pages: APIRouter | None = None
    hosts: Collection[str] | None = LOOPBACK
    limits: Limits = field(default_factory=Limits)
    monotonic: Callable[[], float] = time.monotonic


def create_app(home: Home, *, clock: Clock, wiring: Wiring | None = None) -> FastAPI:
    """Make the app of an installation.

    Args:
        home: the installation.
        clock: now, in UTC.
        wiring: what it brings besides.
    """
    wiring = wiring or Wiring()
    home.configs.start(clock())
    context = _context(home, clock, wiring)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        await run_in_threadpool(context.writer.close)

    app = FastAPI(
        title="Layer 7",
        version=__version__,
        summary="Events in, settings out, review between.",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
    )
    app.state.layer7 = context
    problems.install(app)
    app.add_middleware(Guard, hosts=wiring.hosts, metrics=context.metrics)
    _include(app, context, wiring.pages)
    _describe(app)
    return app


def _context(home: Home, clock: Clock, wiring: Wiring) -> Context:
    limits = wiring.limits
    experiments = ExperimentRules(home.experiments, home.assignments, clock)
    rules = wiring.rules or OwnRules(home.personal, home.consents, home.keys, experiments)
    return Context(
        home=home,
        clock=clock,
        configs=home.configs,
        recommendations=home.recommendations,
        tokens=home.tokens,
        answers=home.answers,
        serving=Serving(home.configs, home.recommendations, rules),
        writer=EventWriter(home.inbox, clock, most=limits.waiting_events),
        metrics=Metrics(),
        limits=limits,
        events=Allowance(limits.events_per_minute, wiring.monotonic),
        requests=Allowance(limits.requests_per_minute, wiring.monotonic),
        strangers=Allowance(limits.wrong_tokens_per_minute, wiring.monotonic),
        rankings=Rankings(home),
        performance=wiring.performance,
    )


def _include(app: FastAPI, context: Context, pages: APIRouter | None) -> None:
    # In the order in which addresses are compared: what is asked most, and waited for, comes first.
    for door in (
        ranking,
        events,
        consent,
        recommendations,
        experiments,
        rollouts,
        settings,
        figures,
        letters,
        patterns,
        personal,
        thresholds,
        watch,
        scores,
        surveys,
        rights,
        fairness,
    ):
        app.include_router(door.router)
    ofrep = ofrep_app(context.home.settings.web_origins)
    ofrep.state.layer7 = context
    app.mount(PREFIX, ofrep)
    if pages is not None:
        app.include_router(pages)


def _describe(app: FastAPI) -> None:
    """Describe every error as what it is, also those that FastAPI describes in its own way."""
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            described = generate()
            parts = described.setdefault("components", {}).setdefault("schemas", {})
            for model in (ProblemDocument, FaultDocument):
                parts[model.__name__] = model.model_json_schema(ref_template="#/components/schemas/{model}")
                parts[model.__name__].pop("$defs", None)
            for name in ("HTTPValidationError", "ValidationError"):
                parts.pop(name, None)
            app.openapi_schema = described
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way to change the description
