"""The reference results in tests/vectors, by file."""

import json
from functools import cache
from pathlib import Path
from typing import Any


@cache
def vectors(name: str) -> Any:
    return json.loads((Path(__file__).parent / "vectors" / f"{name}.json").read_text())


def engine_case(name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Input and output of gbstats 0.8.0 for a named case."""
    found = next(case for case in vectors("gbstats_vectors") if case["name"] == name)
    return found["input"], found["output"]
