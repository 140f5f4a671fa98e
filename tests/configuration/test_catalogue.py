"""The catalogue holds every setting of the specification's interfaces, each with a valid default."""

import re

import pytest

from layer7.configuration import CATALOGUE, ValueKind, check, parameter, parameters_of
from layer7.contract.settings import JobDiscoveryConfig, OrchestratorConfig, StrategyEngineConfig
from layer7.contract.vocabulary import Component
from layer7.errors import Layer7Error

ABOUT_THE_CONFIGURATION = {
    "user_overrides",
    "user_id",
    "last_updated",
    "last_optimized",
    "optimized_by",
    "confidence",
    "version",
}
MODELS = {
    Component.STRATEGY_ENGINE: StrategyEngineConfig,
    Component.ORCHESTRATOR: OrchestratorConfig,
    Component.JOB_DISCOVERY: JobDiscoveryConfig,
}


@pytest.mark.parametrize("key", CATALOGUE)
def test_every_entry_is_whole(key):
    entry = CATALOGUE[key]
    assert entry.key == key
    assert re.fullmatch(r"[a-z0-9][a-z0-9_.-]*", key)
    assert check(entry, entry.default) == entry.default
    assert type(check(entry, entry.default)) is type(entry.default)
    assert entry.description.endswith(".")
    assert entry.section
    numeric = entry.kind in {ValueKind.INTEGER, ValueKind.FLOAT}
    assert numeric == (entry.low is not None) == (entry.high is not None)
    assert (entry.kind is ValueKind.OBJECT) == bool(entry.members)
    assert "|" not in entry.description


@pytest.mark.parametrize("component", MODELS)
def test_every_setting_of_the_interfaces_is_in_the_catalogue(component):
    settings = set(MODELS[component].model_fields) - ABOUT_THE_CONFIGURATION
    assert settings <= {entry.key for entry in parameters_of(component)}


def test_defaults_are_those_of_the_specification():
    said = {
        "improve_resume_threshold": 75.0,
        "rethink_targets_threshold": 30,
        "rethink_targets_rate": 0.02,
        "fit_score_weights": {"technical": 0.40, "seniority": 0.20, "experience": 0.20, "signal": 0.20},
        "resume_score_calibration": {
            "0-49": 0.01,
            "50-59": 0.02,
            "60-69": 0.05,
            "70-79": 0.08,
            "80-89": 0.12,
            "90-100": 0.18,
        },
        "exploration_share": 0.0,
    }
    assert {key: CATALOGUE[key].default for key in said} == said


def test_every_setting_belongs_to_one_component():
    assert [entry for component in Component for entry in parameters_of(component)] == list(
        CATALOGUE.values()
    )


def test_an_unknown_key_is_answered_with_near_ones():
    with pytest.raises(Layer7Error) as caught:
        parameter("improve_resume_treshold")
    assert caught.value.code == "unknown_parameter"
    assert "improve_resume_threshold" in caught.value.hint


def test_a_key_near_nothing_is_answered_with_all():
    with pytest.raises(Layer7Error) as caught:
        parameter("zzz")
    assert all(key in caught.value.hint for key in CATALOGUE)


def test_the_catalogue_cannot_be_changed():
    with pytest.raises(TypeError):
        CATALOGUE["x"] = parameter("gap_weights")
    with pytest.raises(TypeError):
        parameter("gap_weights").default["skills"] = 1.0
