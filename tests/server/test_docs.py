"""docs/http-api.md says what the doors do: its tables are complete, its examples run."""

import json
import re
from pathlib import Path

from layer7.server.http.problems import STATUS
from server.conftest import House
from server.test_auth import ANYONE, MATRIX, OPEN

PAGE = (Path(__file__).parents[2] / "docs" / "http-api.md").read_text("utf-8")


def opens(scopes: str) -> set[str]:
    if scopes in {"open", "any"}:
        return set(OPEN if scopes == "open" else ANYONE)
    return {scope.strip("` ").split(":")[0] for scope in scopes.split(",")} | {"admin"}


def test_the_page_lists_every_route_with_who_may():
    rows = re.findall(r"^\|[^|]*\| `(GET|POST|OPTIONS|DELETE) ([^`]+)` \| ([^|]+) \|$", PAGE, re.MULTILINE)
    told = {(method, path): opens(scopes.strip()) for method, path, scopes in rows}
    assert told == {route: set(who) for route, (who, _) in MATRIX.items()}


def test_the_page_lists_every_code_under_its_status():
    rows = re.findall(r"^\| (\d{3}) \| (`[a-z_`, ]+) \|$", PAGE, re.MULTILINE)
    told = {code: int(status) for status, codes in rows for code in re.findall(r"`([a-z_]+)`", codes)}
    assert told == dict(STATUS)


def within(said: object, found: object) -> bool:
    """Say whether all that is said is found."""
    if isinstance(said, dict) and isinstance(found, dict):
        return all(name in found and within(value, found[name]) for name, value in said.items())
    if isinstance(said, list) and isinstance(found, list):
        return len(said) == len(found) and all(map(within, said, found))
    return said == found and type(said) is type(found)


def test_the_examples_get_the_answers_that_they_show(house: House):
    name = house.propose(70)
    blocks = re.findall(r"^```http\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    assert len(blocks) % 2 == 0
    for asked, answered in zip(blocks[::2], blocks[1::2], strict=True):
        head, _, body = asked.partition("\n\n")
        first, *lines = head.strip().splitlines()
        method, path = first.split(" ")
        headers = house.headers["admin"] | dict(line.split(": ", 1) for line in lines)
        answer = house.client.request(
            method, path.replace("REC", name), content=body.encode(), headers=headers
        )
        status, _, shown = answered.partition("\n\n")
        assert answer.status_code == int(status), (path, answer.text)
        assert within(json.loads(shown), answer.json()), (path, answer.text)
