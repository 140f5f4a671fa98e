"""The specification's interfaces hold in the models: names, kinds, words, and what must be there."""

import re
from pathlib import Path
from typing import Any

import pytest

from layer7.contract import ADDITION, INTERFACES, schemas

SCHEMAS = schemas()

EXCERPT = Path(__file__).parent / "specification_interfaces.ts"
TOKEN = re.compile(r'"[^"]*"|\w+|[{}\[\]<>:;,?|]')

REQUIRED_IN_EVENTS = {
    "event_type",
    "user_id",
    "timestamp",
    "application_id",
    "job_id",
    "resume_version_id",
    "to_mode",
    "suggestion_type",
    "status",
}
"""Identity, time and subject; every other observation of an event may be missing, and is then counted."""

OPTIONAL_HERE = {"Experiment.status": "the specification's own examples leave it out; then it is a draft"}
"""Required in the specification, optional here, and why."""

WIDER_HERE = {"Experiment.status": {"rejected"}}
"""Words that a field allows beyond the specification's."""

SKETCHED = {
    "ThresholdUpdates": "improve_resume_threshold rethink_targets_threshold confidence sample_size",
    "ScoreCalibration": "calibration calibration_error is_well_calibrated recommendation",
    "FitScoreOptimization": "current_weights learned_weights improvement_estimate recommendation",
    "TimingInsights": (
        "best_day_of_week best_time_of_day response_rate_by_day response_rate_by_hour confidence"
    ),
    "ExperimentResults": (
        "control_sample_size treatment_sample_size control_metric treatment_metric absolute_difference "
        "relative_improvement p_value confidence_interval effect_size winner recommendation statistical_power"
    ),
    "RolloutChecks": (
        "sufficient_sample statistically_significant meaningful_effect clear_winner "
        "positive_direction low_risk"
    ),
    "JobDiscoveryConfig": "fit_score_weights last_optimized",
    "OrchestratorConfig": (
        "optimal_weekly_target min_fit_score_threshold follow_up_timing task_complexity_preference"
    ),
    "UpdateResult": "success method",
}
"""Fields of what the specification shows as Python only: sections 5.1 to 5.4, 6.2, 6.3 and 9.1 to 9.3."""


class Reader:
    """Reads TypeScript interfaces as nested tuples: (kind, content)."""

    def __init__(self, text: str) -> None:
        self.tokens = TOKEN.findall(re.sub(r"//[^\n]*", "", text))

    def take(self, *expected: str) -> str:
        token = self.tokens.pop(0)
        assert not expected or token in expected, (token, expected)
        return token

    def interfaces(self) -> dict[str, tuple[str, Any]]:
        found = {}
        while self.tokens:
            self.take("interface")
            name = self.take()
            found[name] = self.type()
        return found

    def type(self) -> tuple[str, Any]:
        arms = [self.primary()]
        while self.tokens and self.tokens[0] == "|":
            self.take("|")
            arms.append(self.primary())
        return arms[0] if len(arms) == 1 else ("words", {word for _, words in arms for word in words})

    def primary(self) -> tuple[str, Any]:
        token = self.take()
        if token == "{":
            return ("object", self.fields())
        if token == "[":
            return ("pair", self.until("]"))
        if token in {"Array", "Record"}:
            self.take("<")
            inner = self.until(">")
            return ("list", inner[0]) if token == "Array" else ("map", inner[1])
        found = ("words", {token.strip('"')}) if token.startswith('"') else ("name", token)
        if self.tokens[:2] == ["[", "]"]:
            del self.tokens[:2]
            return ("list", found)
        return found

    def until(self, close: str) -> list[tuple[str, Any]]:
        inner = [self.type()]
        while self.take(",", close) != close:
            inner.append(self.type())
        return inner

    def fields(self) -> dict[str, tuple[bool, tuple[str, Any]]]:
        found = {}
        while self.tokens[0] != "}":
            name, sign = self.take(), self.take(":", "?")
            if sign == "?":
                self.take(":")
            found[name] = (sign == "?", self.type())
            if self.tokens[0] == ";":
                self.take(";")
        self.take("}")
        return found


class Comparison:
    """Walks an interface of the specification and the exported schema side by side."""

    def __init__(self, name: str) -> None:
        self.schema = SCHEMAS[name]
        self.is_event = name.endswith("Event")

    def resolved(self, schema: dict[str, Any]) -> dict[str, Any]:
        if "$ref" in schema:
            return self.resolved(self.schema["$defs"][schema["$ref"].rsplit("/", 1)[-1]])
        arms = [arm for arm in schema.get("anyOf", ()) if arm.get("type") != "null"]
        return self.resolved(arms[0]) if len(arms) == 1 else schema

    def compare(self, path: str, node: tuple[str, Any], raw: dict[str, Any]) -> None:
        schema = self.resolved(raw)
        getattr(self, "is_" + node[0])(path, node[1], schema)

    def is_object(self, path: str, fields: dict[str, Any], schema: dict[str, Any]) -> None:
        added = {name for name, field in schema["properties"].items() if ADDITION in field}
        assert set(schema["properties"]) - added == set(fields), path
        assert not added & set(schema.get("required", ())), f"{path}: additions are optional"
        for name, (optional, node) in fields.items():
            here = f"{path}.{name}"
            assert self.must_be_there(here, name, optional) == (name in schema.get("required", ())), here
            self.compare(here, node, schema["properties"][name])

    def must_be_there(self, path: str, name: str, optional: bool) -> bool:
        if self.is_event:
            return name in REQUIRED_IN_EVENTS
        return not optional and path not in OPTIONAL_HERE

    def is_list(self, path: str, node: tuple[str, Any], schema: dict[str, Any]) -> None:
        assert schema["type"] == "array", path
        self.compare(path, node, schema["items"])

    def is_map(self, path: str, node: tuple[str, Any], schema: dict[str, Any]) -> None:
        assert schema["type"] == "object", path
        self.compare(path, node, schema["additionalProperties"])

    def is_pair(self, path: str, nodes: list[tuple[str, Any]], schema: dict[str, Any]) -> None:
        assert (schema["minItems"], schema["maxItems"]) == (2, 2), path
        for node, item in zip(nodes, schema["prefixItems"], strict=True):
            self.compare(path, node, item)

    def is_words(self, path: str, words: set[str], schema: dict[str, Any]) -> None:
        assert set(schema["enum"]) == words | WIDER_HERE.get(path, set()), path

    def is_name(self, path: str, name: str, schema: dict[str, Any]) -> None:
        if name == "any":
            return
        if name[0].isupper():
            assert schema["title"] == name, path
            return
        kinds = {"number": {"number", "integer"}, "string": {"string"}, "boolean": {"boolean"}}[name]
        assert schema["type"] in kinds, path


SPECIFIED = Reader(EXCERPT.read_text(encoding="utf-8")).interfaces()


def test_the_excerpt_is_read_whole() -> None:
    assert len(SPECIFIED) == 14
    assert SPECIFIED["Experiment"][1]["start_date"] == (True, ("name", "string"))
    assert SPECIFIED["UserPatterns"][1]["best_performing_roles"][1][0] == "list"


@pytest.mark.parametrize("name", SPECIFIED)
def test_interfaces_have_the_specifications_fields_kinds_and_words(name: str) -> None:
    comparison = Comparison(name)
    comparison.compare(name, SPECIFIED[name], comparison.schema)


@pytest.mark.parametrize("name", SKETCHED)
def test_sketched_interfaces_have_the_specifications_fields(name: str) -> None:
    properties = SCHEMAS[name]["properties"]
    added = {field for field, body in properties.items() if ADDITION in body}
    assert set(properties) - added == set(SKETCHED[name].split())
    assert not added & set(SCHEMAS[name]["required"])


def test_every_interface_is_specified_sketched_or_an_addition() -> None:
    additions = {name for name, interface in INTERFACES.items() if interface.section == "addition"}
    assert set(INTERFACES) == set(SPECIFIED) | set(SKETCHED) | additions
    assert not additions & (set(SPECIFIED) | set(SKETCHED))
