"""One installation with tokens for every scope, served in process."""

import json
import shutil
import subprocess
import sys
import textwrap
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from queue import Queue

import pytest
from fastapi import FastAPI

from layer7.contract import EVENT_EXAMPLES, Component, EventType
from layer7.contract.recommendation import OptimizationRecommendation
from layer7.server.app import Wiring, create_app
from layer7.server.run import Address, server_of
from layer7.storage.database.state import Act
from layer7.storage.database.tokens import Scope
from layer7.storage.home import Home, open_home

with warnings.catch_warnings():
    # Starlette would rather have httpx2, which nothing else here needs.
    warnings.simplefilter("ignore")
    from fastapi.testclient import TestClient

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


@dataclass
class Time:
    """A clock that tests set, and seconds that only run forward."""

    now: datetime = NOW
    seconds: float = 0.0

    def __call__(self) -> datetime:
        return self.now

    def monotonic(self) -> float:
        return self.seconds

    def jump(self, by: timedelta) -> None:
        self.now += by


def issue(
    home: Home, name: str, *scopes: Scope, component: Component | None = None, **more
) -> dict[str, str]:
    act = Act("root", "", "", NOW, "for a test")
    secret, _ = home.tokens.create(name, scopes, act=act, component=component, **more)
    return {"Authorization": f"Bearer {secret}"}


@dataclass
class House:
    """A served installation."""

    home: Home
    app: FastAPI
    client: TestClient
    time: Time
    headers: dict[str, dict[str, str]] = field(default_factory=dict)

    def propose(self, value: float = 70.0, route: str = "manual_review", **more) -> str:
        proposal = recommendation(value, route, **more)
        return self.home.recommendations.propose([proposal], self.time())[0].recommendation_id

    def post(self, path: str, body: object, who: str = "review", **headers: str):
        given = {**self.headers[who], **{name.replace("_", "-"): value for name, value in headers.items()}}
        return self.client.post(path, json=body, headers=given)

    def get(self, path: str, who: str = "read", **headers: str):
        given = {**self.headers[who], **{name.replace("_", "-"): value for name, value in headers.items()}}
        return self.client.get(path, headers=given)

    def evaluate(self, key: str, context: dict | None = None, who: str = "flags"):
        return self.post(f"/ofrep/v1/evaluate/flags/{key}", {"context": context or {}}, who)


def recommendation(value: float = 70.0, route: str = "manual_review", current: float = 75.0, **more):
    body = {
        "component": "strategy_engine",
        "parameter": "improve_resume_threshold",
        "current_value": current,
        "recommended_value": value,
        "reasoning": "People between 70 and 75 who applied anyway got as many interviews.",
        "evidence": {
            "metric_improved": "expected_interviews_per_week",
            "improvement_amount": 0.021,
            "sample_size": 1840,
            "confidence_interval": [0.012, 0.041],
            "p_value": 0.0031,
        },
        "impact_estimate": {"users_affected": 310, "expected_benefit": "some", "risk_level": "medium"},
        "recommendation": route,
        **more,
    }
    return OptimizationRecommendation.model_validate_json(json.dumps(body))


def event(event_id: str = "e1", kind: EventType = EventType.STATUS_CHANGED, **more) -> dict:
    return {**EVENT_EXAMPLES[kind], "event_id": event_id, **more}


@pytest.fixture
def time() -> Time:
    return Time()


@dataclass(frozen=True)
class Blank:
    """An installation with tokens and nothing else, to be copied: making one takes longer than most tests."""

    path: Path
    headers: dict[str, dict[str, str]]


@pytest.fixture(scope="session")
def blank(tmp_path_factory: pytest.TempPathFactory) -> Blank:
    home = open_home(tmp_path_factory.mktemp("blank") / "home")
    home.configs.start(NOW)
    headers = {
        "none": {},
        "events": issue(home, "layer4", Scope.EVENTS_WRITE),
        "flags": issue(home, "layer2", Scope.FLAGS_EVALUATE, component=Component.STRATEGY_ENGINE),
        "review": issue(home, "maria", Scope.REVIEW),
        "read": issue(home, "grafana", Scope.READ),
        "privacy": issue(home, "dpo", Scope.PRIVACY),
        "admin": issue(home, "root", Scope.ADMIN),
    }
    home.state.engine.dispose()
    return Blank(home.path, headers)


@pytest.fixture
def home(blank: Blank, tmp_path: Path) -> Home:
    return open_home(shutil.copytree(blank.path, tmp_path / "home"))


@contextmanager
def listening(app: FastAPI) -> Iterator[str]:
    """Serve an app on a free port in a thread; gives its address."""
    server, ports = server_of(app, Address(port=0)), Queue()
    server.started_hook = ports.put
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{ports.get(timeout=20)}"
    server.should_exit = True
    thread.join(timeout=20)


@pytest.fixture
def build(blank: Blank, home: Home, time: Time) -> Iterator[Callable[..., House]]:
    opened: list[TestClient] = []

    def make(home: Home = home, **wiring) -> House:
        app = create_app(home, clock=time, wiring=Wiring(monotonic=time.monotonic, **wiring))
        client = TestClient(app, base_url="http://localhost", raise_server_exceptions=False)
        opened.append(client.__enter__())
        return House(home, app, client, time, dict(blank.headers))

    yield make
    for client in opened:
        client.__exit__(None, None, None)


@pytest.fixture
def house(build: Callable[..., House]) -> House:
    return build()


PROGRAM = textwrap.dedent(
    """
    import sys
    from datetime import UTC, datetime
    from pathlib import Path
    from layer7.server.run import Address, serve
    from layer7.storage.home import open_home

    serve(
        open_home(Path(sys.argv[1])),
        Address(port=0),
        clock=lambda: datetime.now(UTC),
        started=lambda port: print(port, flush=True),
    )
    """
)


@pytest.fixture
def process(home: Home) -> Iterator[subprocess.Popen[str]]:
    """A server in a process of its own; the first line that it writes is its port."""
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(home.path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        yield running
        running.kill()
