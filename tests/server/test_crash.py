"""Acknowledged means durable: a server that is killed right after its answers has lost nothing."""

import os
import signal
from concurrent.futures import ThreadPoolExecutor

import httpx
from sqlalchemy import select

from layer7.server.app import create_app
from layer7.storage.database import schema
from layer7.storage.database.tokens import Scope
from layer7.storage.home import Home, open_home
from server.conftest import NOW, event, issue


def post_until_dead(address: str, headers: dict[str, str], sender: int) -> list[str]:
    acknowledged = []
    with httpx.Client(base_url=address, headers=headers, timeout=10) as client:
        for number in range(1000):
            name = f"{sender}-{number}"
            try:
                answer = client.post("/v1/events", json=event(name))
            except httpx.TransportError:
                break
            if answer.status_code == 202:
                acknowledged.append(name)
            if sender == 0 and number == 15:
                os.kill(int(headers["X-Test-Pid"]), signal.SIGKILL)
    return acknowledged


def test_a_server_killed_right_after_its_answers_has_lost_nothing(home: Home, process):
    headers = issue(home, "layer4", Scope.EVENTS_WRITE) | {"X-Test-Pid": str(process.pid)}
    address = f"http://127.0.0.1:{int(process.stdout.readline())}"
    with ThreadPoolExecutor(6) as pool:
        told = list(pool.map(lambda sender: post_until_dead(address, headers, sender), range(6)))
    acknowledged = {name for each in told for name in each}
    assert process.wait(timeout=10) == -signal.SIGKILL
    assert len(acknowledged) >= 16
    again = open_home(home.path)
    with again.state.read() as connection:
        kept = set(connection.execute(select(schema.inbox.c.event_id)).scalars())
    assert acknowledged <= kept
    assert again.inbox.drain(now=NOW) == len(kept)
    again.state.verify_audit()
    create_app(again, clock=lambda: NOW)


def test_a_server_told_to_stop_answers_what_it_has_taken(home: Home, process):
    headers = issue(home, "layer4", Scope.EVENTS_WRITE)
    address = f"http://127.0.0.1:{int(process.stdout.readline())}"
    assert httpx.post(f"{address}/v1/events", json=event(), headers=headers).status_code == 202
    process.terminate()
    assert process.wait(timeout=20) in {0, -signal.SIGTERM}
    assert home.inbox.waiting() == 1
    assert process.stderr.read() == ""
