"""Settings out, read by the stock OpenFeature client of Node.js."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from layer7.configuration import CATALOGUE, resolve
from layer7.errors import Layer7Error
from server.conftest import House, listening

pytestmark = pytest.mark.node

SOURCE = Path(__file__).parent / "node"
KEY = "improve_resume_threshold"
Ask = Callable[..., dict[str, Any]]


def missing(why: str) -> None:
    if os.environ.get("LAYER7_TEST_NOTHING_SKIPPED"):
        pytest.fail(why)
    pytest.skip(why)


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The client with exactly the packages of the lock file, in a folder of its own."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        missing("Node.js 20 with npm is not installed, so its stock client was not tried")
    folder = tmp_path_factory.mktemp("node")
    for name in ("package.json", "package-lock.json", "client.mjs"):
        shutil.copy(SOURCE / name, folder)
    done = subprocess.run(
        ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    if done.returncode != 0:
        missing(f"npm could not install the stock client: {done.stderr[-300:]}")
    return folder


def rules(version, key, targeting_key):
    """Serve one setting by lot, so that it needs to know for whom."""
    if key != "rethink_targets_rate":
        return None
    if targeting_key is None:
        raise Layer7Error("targeting_key_missing", "It is drawn by person.", "Give a targetingKey.")
    return resolve(version, key)


@pytest.fixture
def house(build) -> House:
    return build(rules=rules)


@pytest.fixture
def ask(house: House, installed: Path) -> Iterator[Ask]:
    token = house.headers["flags"]["Authorization"].removeprefix("Bearer ")
    with (
        listening(house.app) as address,
        subprocess.Popen(
            ["node", "client.mjs", address, token],
            cwd=installed,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as client,
    ):

        def question(key: str, value: Any, kind: str = "number", **context: str) -> dict[str, Any]:
            print(
                json.dumps({"kind": kind, "key": key, "value": value, "context": context}),
                file=client.stdin,
                flush=True,
            )
            return json.loads(client.stdout.readline())

        yield question
        client.stdin.close()
        client.wait(timeout=10)


def test_the_stock_client_sees_a_value_before_and_after_approval_and_after_rollback(house, ask):
    seen = [ask(KEY, 1)["value"]]
    name = house.propose(70)
    assert house.post(f"/v1/recommendations/{name}/approve", {"why": "fine"}).status_code == 200
    approved = ask(KEY, 1)
    assert approved["flagMetadata"]["recommendationId"] == name
    seen.append(approved["value"])
    assert house.post("/v1/config/strategy_engine/rollback", {"why": "worse"}).status_code == 200
    seen.append(ask(KEY, 1)["value"])
    assert seen == [75, 70, 75]


def test_every_behaviour_through_the_stock_client(ask):
    weights = dict(CATALOGUE["gap_weights"].default)
    table = [
        (ask(KEY, 1), 75, "STATIC", None),
        (ask("exploration_share", 1), 0, "STATIC", None),
        (ask("gap_weights", {}, "object"), weights, "STATIC", None),
        (ask("rethink_targets_rate", 1, targetingKey="maria"), 0.02, "STATIC", None),
        (ask("rethink_targets_rate", 1), 1, "ERROR", "TARGETING_KEY_MISSING"),
        (ask("nope", 1), 1, "ERROR", "FLAG_NOT_FOUND"),
        (ask("reach_bonus", 1), 1, "ERROR", "FLAG_NOT_FOUND"),
        (ask(KEY, "x", "string"), "x", "ERROR", "TYPE_MISMATCH"),
    ]
    for found, value, reason, code in table:
        assert (found["value"], found["reason"], found.get("errorCode")) == (value, reason, code)
