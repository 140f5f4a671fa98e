"""JSON Schema 2020-12 of every interface, read off the models; nothing here touches a disk."""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from layer7.contract import events as e
from layer7.contract.analytics import UserPatterns, UserPerformance, UserSegment
from layer7.contract.event_examples import EVENT_EXAMPLES
from layer7.contract.experiments import Experiment, ExperimentResults, RolloutChecks
from layer7.contract.fields import ADDITION
from layer7.contract.insights import WeeklyInsights
from layer7.contract.learned import LearnedOfPerson, SettingExplained
from layer7.contract.likelihood import Likelihood
from layer7.contract.market import MarketInsights
from layer7.contract.optimization import (
    FitScoreOptimization,
    ScoreCalibration,
    ScoreCalibrationRecommendation,
    ThresholdUpdates,
    TimingInsights,
)
from layer7.contract.personalization import PersonalizedConfig
from layer7.contract.ranking import RankDecision, Ranking, RankRequest
from layer7.contract.recommendation import OptimizationRecommendation
from layer7.contract.settings import (
    JobDiscoveryConfig,
    OrchestratorConfig,
    StrategyEngineConfig,
    UpdateResult,
)

DIALECT = "https://json-schema.org/draft/2020-12/schema"
"""The dialect of every schema here."""

SCHEMA_VERSION = "1-0-0"
"""Model, revision and addition; additions raise the last number only and never break a reader."""


@dataclass(frozen=True, slots=True)
class Interface:
    """One interface of the contract.

    Args:
        model: its model.
        section: where the specification has it, such as ``"4.1"``; ``"addition"`` where it has not.
        purpose: who says what to whom, in a few words.
    """

    model: type[BaseModel]
    section: str
    purpose: str


INTERFACES: Mapping[str, Interface] = MappingProxyType(
    {
        interface.model.__name__: interface
        for interface in (
            Interface(e.ApplicationEvent, "3.1", "Layer 4 tells what happened to an application"),
            Interface(e.CorrectionEvent, "addition", "a person says what was really heard (7)"),
            Interface(e.StrategyEvent, "3.1", "Layer 4 tells what Layer 2 decided"),
            Interface(e.ResumeEvent, "3.1", "Layer 4 tells what happened to a resume"),
            Interface(e.FeedbackEvent, "3.1", "Layer 4 tells what a person made of a suggestion"),
            Interface(e.ProfileEvent, "addition", "Layer 4 tells who a person is, for segments (4.2)"),
            Interface(e.ConsentEvent, "addition", "Layer 4 tells what a person allows (10.1)"),
            Interface(e.ErasureEvent, "addition", "Layer 4 tells that a person is to be forgotten (10.1)"),
            Interface(e.ExposureEvent, "addition", "Layers 2, 5 and 6 tell which variant decided (6)"),
            Interface(
                e.PolicyDecisionEvent, "addition", "Layer 2 tells with what probability it decided (5.1)"
            ),
            Interface(UserPerformance, "4.1", "how a person's applications went"),
            Interface(UserPatterns, "4.1", "what works for a person"),
            Interface(UserSegment, "4.2", "how people of a kind fare"),
            Interface(MarketInsights, "4.3", "what the market does"),
            Interface(OptimizationRecommendation, "5.1", "a proposed change of a setting, for review"),
            Interface(ThresholdUpdates, "5.1", "better thresholds for the strategy mode"),
            Interface(ScoreCalibration, "5.2", "whether the resume score predicts interviews"),
            Interface(ScoreCalibrationRecommendation, "5.2", "how the resume score should be mended"),
            Interface(FitScoreOptimization, "5.3", "which parts of the fit score predict success"),
            Interface(TimingInsights, "5.4", "when applications are answered"),
            Interface(Experiment, "6.1", "a setting tried with several values"),
            Interface(ExperimentResults, "6.2", "what an experiment says so far"),
            Interface(RolloutChecks, "6.3", "the six checks before a rollout without review"),
            Interface(PersonalizedConfig, "7.1", "what fits a person"),
            Interface(LearnedOfPerson, "addition", "everything that was learned of a person (8)"),
            Interface(SettingExplained, "addition", "where a served setting came from (8)"),
            Interface(WeeklyInsights, "8.1", "what a person is told each week"),
            Interface(StrategyEngineConfig, "9.1", "what Layer 2 runs on"),
            Interface(UpdateResult, "9.1", "what came of applying a recommendation"),
            Interface(JobDiscoveryConfig, "9.2", "what Layer 6 runs on"),
            Interface(OrchestratorConfig, "9.3", "what Layer 5 runs on"),
            Interface(RankRequest, "addition", "jobs to put into an order for a person (7.1)"),
            Interface(Ranking, "addition", "jobs in order, each with its reasons (7.1)"),
            Interface(RankDecision, "addition", "a ranking that was given, with what it was made from"),
            Interface(Likelihood, "addition", "how likely an interview is, term by term (11.4)"),
        )
    }
)
"""Every interface by name, in the order of the specification."""

EVENT_ADDITIONS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        **{
            name: frozenset({"event_id"})
            for name in ("ApplicationEvent", "StrategyEvent", "ResumeEvent", "FeedbackEvent")
        },
        "JobCharacteristics": frozenset(e.JobCharacteristics.model_fields)
        - {"title", "company", "seniority", "location", "industry"},
        "ApplicationContext": frozenset({"resume_score_components"}),
    }
)
"""Fields of the specification's events that the specification does not have, by model."""


def _mark(schema: dict[str, Any], name: str) -> None:
    """Mark the additions of an object schema and set them behind the specification's fields."""
    fields = schema.get("properties")
    if fields is None:
        return
    if name in INTERFACES and INTERFACES[name].section == "addition":
        schema[ADDITION] = True
    for field in EVENT_ADDITIONS.get(name, ()):
        fields[field][ADDITION] = True
    schema["properties"] = dict(sorted(fields.items(), key=lambda item: ADDITION in item[1]))


def _examples(model: type[BaseModel]) -> list[Any]:
    types = [kind for kind, of in e.EVENT_MODELS.items() if of is model]
    return [dict(EVENT_EXAMPLES[kind]) for kind in types]


def definitions(models: Sequence[type[BaseModel]]) -> dict[str, dict[str, Any]]:
    """Give the schemas of models and of all their parts, each under its name.

    Args:
        models: the models, in any number.

    Returns:
        Schemas by name of the model, which refer to each other as ``#/$defs/NAME``.

    Example:
        >>> sorted(definitions([StrategyEngineConfig]))
        ['GapWeights', 'Json', 'StrategyEngineConfig']
    """
    _, document = models_json_schema([(model, "validation") for model in models])
    found: dict[str, dict[str, Any]] = document["$defs"]
    for name, schema in found.items():
        _mark(schema, name)
    for model in models:
        if issubclass(model, e.Event):
            found[model.__name__]["examples"] = _examples(model)
    return found


def _parts(schema: Any, found: Mapping[str, dict[str, Any]]) -> set[str]:
    """Give the names of everything that a schema refers to, directly or through others."""
    names: set[str] = set()
    pending = [schema]
    while pending:
        item = pending.pop()
        if isinstance(item, dict):
            name = str(item.get("$ref", "")).removeprefix("#/$defs/")
            if name and name not in names:
                names.add(name)
                pending.append(found[name])
            pending.extend(item.values())
        elif isinstance(item, list):
            pending.extend(item)
    return names


def _document(name: str, body: dict[str, Any], found: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    head = {"$schema": DIALECT, "$id": f"urn:layer7:schema:{name}:{SCHEMA_VERSION}", "title": name}
    parts = {part: found[part] for part in sorted(_parts(body, found))}
    return copy.deepcopy({**head, **body, **({"$defs": parts} if parts else {})})


def schemas() -> Mapping[str, dict[str, Any]]:
    """Give the JSON Schema of every interface, and of ``Event``, the union of all events.

    Returns:
        Schemas by name, in the order of the specification, each complete in itself: dialect, identity,
        title, description, examples, and the parts it refers to. Interfaces and fields that the
        specification does not have carry ``"x-layer7-addition": true``.

    Example:
        >>> schemas()["UserPerformance"]["$id"]
        'urn:layer7:schema:UserPerformance:1-0-0'
        >>> "Event" in schemas()
        True
    """
    found = definitions([interface.model for interface in INTERFACES.values()])
    bodies = {name: found[name] for name in INTERFACES}
    bodies["Event"] = {
        "description": "Any event of Layer 4's log; event_type says which.",
        "oneOf": [{"$ref": f"#/$defs/{name}"} for name in INTERFACES if name.endswith("Event")],
        "examples": [dict(example) for example in EVENT_EXAMPLES.values()],
    }
    return MappingProxyType({name: _document(name, body, found) for name, body in bodies.items()})
