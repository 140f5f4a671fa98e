"""The exports say the same as the catalogue, in the words of those who read them."""

import doctest
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from layer7.configuration import (
    CATALOGUE,
    apply,
    baseline,
    canonical_json,
    component_config,
    config_version,
    flag_manifest,
    plan,
    settings_table,
)
from layer7.contract.settings import JobDiscoveryConfig, OrchestratorConfig, StrategyEngineConfig
from layer7.contract.vocabulary import Component
from layer7.errors import Layer7Error

MOMENT = datetime(2025, 7, 2, 3, 10, tzinfo=UTC)
PAGE = Path(__file__).parents[2] / "docs" / "settings.md"
BEGIN, END = "<!-- settings: begin -->\n\n", "\n\n<!-- settings: end -->"


def exported(version, **options):
    facts = {"last_updated": MOMENT, "optimized_by": "layer_7", "confidence": 0.93}
    return component_config(version, **(facts | options))


def test_layer_2_gets_the_interface_of_section_9_1():
    start = baseline(Component.STRATEGY_ENGINE)
    version = apply(start, plan(start, "improve_resume_threshold", 70))
    config = exported(version)
    assert isinstance(config, StrategyEngineConfig)
    assert config.model_dump(exclude_none=True) == {
        "improve_resume_threshold": 70.0,
        "rethink_targets_threshold": 30.0,
        "min_days_in_mode": 7.0,
        "gap_weights": {"skills": 0.2, "tools": 0.2, "experience": 0.2, "seniority": 0.2, "industry": 0.2},
        "last_updated": "2025-07-02T03:10:00+00:00",
        "optimized_by": "layer_7",
        "confidence": 0.93,
        "version": version.version,
    }


def test_overrides_of_layer_2_stand_beside_the_values():
    config = exported(baseline(Component.STRATEGY_ENGINE), overrides={"improve_resume_threshold": 60})
    assert config.user_overrides == {"improve_resume_threshold": 60.0}
    assert (
        exported(baseline(Component.STRATEGY_ENGINE), overrides={"min_days_in_mode": None}).user_overrides
        is None
    )
    assert config.improve_resume_threshold == 75.0


def test_overrides_of_layer_5_stand_in_place_of_the_values():
    config = exported(baseline(Component.ORCHESTRATOR), overrides={"min_fit_score_threshold": 68.5})
    assert isinstance(config, OrchestratorConfig)
    assert (config.min_fit_score_threshold, config.optimal_weekly_target) == (68.5, 10.0)
    assert config.task_complexity_preference == "medium"


def test_layer_6_gets_the_weights_and_when_they_were_last_changed():
    start = baseline(Component.JOB_DISCOVERY)
    config = exported(start, confidence=None)
    assert isinstance(config, JobDiscoveryConfig)
    assert config.last_optimized is None
    changed = config_version(
        Component.JOB_DISCOVERY,
        {"fit_score_weights": {"technical": 0.45, "seniority": 0.20, "experience": 0.15, "signal": 0.20}},
    )
    assert exported(changed).last_optimized == "2025-07-02T03:10:00+00:00"
    assert exported(changed).fit_score_weights.technical == 0.45


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"last_updated": MOMENT.replace(tzinfo=None)}, "naive_time"),
        ({"overrides": {"gap_weights": {}}}, "not_personal"),
        ({"overrides": {"min_days_in_mode": 1000}}, "value_out_of_range"),
        ({"overrides": {"luck": 1}}, "unknown_parameter"),
    ],
)
def test_refusals(options, code):
    with pytest.raises(Layer7Error) as caught:
        exported(baseline(Component.STRATEGY_ENGINE), **options)
    assert caught.value.code == code


def test_overrides_of_another_component_are_refused():
    with pytest.raises(Layer7Error) as caught:
        exported(baseline(Component.STRATEGY_ENGINE), overrides={"follow_up_timing": 5})
    assert caught.value.code == "wrong_component"


def test_the_manifest_has_every_flag_with_type_and_default():
    """The members are those of the flag manifest of OpenFeature's command line, schema v0."""
    flags = flag_manifest()["flags"]
    assert list(flags) == sorted(CATALOGUE)
    for key, entry in CATALOGUE.items():
        assert flags[key]["flagType"] == entry.kind.value
        assert flags[key]["defaultValue"] == entry.default
        assert flags[key]["description"].startswith(entry.description)
        assert set(flags[key].get("schema", {}).get("properties", {})) == set(entry.members)
    assert '"defaultValue":75.0' in canonical_json(flags["improve_resume_threshold"])


def test_the_settings_page_shows_the_catalogue():
    """Regenerate it with ``LAYER7_REWRITE=1 pytest tests/configuration/test_export.py -k settings_page``."""
    text = PAGE.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    shown, after = rest.split(END)
    if os.environ.get("LAYER7_REWRITE"):
        PAGE.write_text(before + BEGIN + settings_table() + END + after, encoding="utf-8")
        return
    assert shown == settings_table()


def test_the_example_of_the_settings_page_runs():
    failed, tried = doctest.testfile(str(PAGE), module_relative=False, encoding="utf-8")
    assert (failed, tried > 0) == (0, True)
