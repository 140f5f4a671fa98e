"""A value never travels alone, and what goes with it is what OpenFeature's clients can read."""

import json
import math

import pytest

from layer7.configuration import CATALOGUE, Reason, apply, baseline, evidence_of, plan, resolve, short_hash
from layer7.contract.recommendation import OptimizationRecommendation
from layer7.contract.vocabulary import Component
from layer7.errors import Layer7Error

START = baseline(Component.STRATEGY_ENGINE)
LEARNED = apply(START, plan(START, "improve_resume_threshold", 70))


def recommendation(**evidence):
    example = OptimizationRecommendation.model_config["json_schema_extra"]["examples"][0]
    changed = example | {"evidence": example["evidence"] | evidence}
    return OptimizationRecommendation.model_validate_json(json.dumps(changed))


def code_of(*arguments, **options):
    with pytest.raises(Layer7Error) as caught:
        resolve(*arguments, **options)
    return caught.value.code


@pytest.mark.parametrize("key", CATALOGUE)
def test_every_default_resolves(key):
    version = baseline(CATALOGUE[key].component)
    served = resolve(version, key)
    assert served.value == CATALOGUE[key].default
    assert (served.variant, served.reason, served.version) == ("baseline", Reason.STATIC, version.version)
    assert served.metadata == {
        "optimizedBy": "default",
        "flagSetId": version.component.value,
        "version": short_hash(served.value),
    }


def test_a_learned_value_carries_its_evidence():
    served = resolve(LEARNED, "improve_resume_threshold", evidence=evidence_of(recommendation()))
    assert (served.value, served.reason, served.variant) == (70.0, Reason.STATIC, short_hash(70.0))
    assert served.version == LEARNED.version
    assert served.metadata == {
        "flagSetId": "strategy_engine",
        "version": short_hash(70.0),
        "optimizedBy": "layer_7",
        "recommendationId": "rec_88",
        "sampleSize": 1840,
        "ciLow": 0.012,
        "ciHigh": 0.041,
        "pValue": 0.0031,
    }


def test_what_is_unknown_is_left_out():
    facts = evidence_of(recommendation(confidence_interval=None, p_value=None))
    assert set(facts) == {"optimizedBy", "recommendationId", "sampleSize"}


def test_a_value_that_somebody_set_is_manual():
    assert resolve(LEARNED, "improve_resume_threshold").metadata["optimizedBy"] == "manual"


def test_a_change_of_one_setting_changes_no_other_setting():
    for key in START.content:
        before, after = resolve(START, key), resolve(LEARNED, key)
        same = (before.value, before.variant, before.metadata) == (after.value, after.variant, after.metadata)
        assert same == (key != "improve_resume_threshold")


def test_an_own_value_is_a_targeting_match():
    served = resolve(baseline(Component.ORCHESTRATOR), "min_fit_score_threshold", override=68)
    assert (served.value, served.variant, served.reason) == (68.0, "user", Reason.TARGETING_MATCH)
    assert served.metadata["personalized"] is True
    assert served.metadata["optimizedBy"] == "manual"


def test_a_switched_off_setting_has_no_value_but_a_variant():
    for override in (None, 60):
        served = resolve(LEARNED, "improve_resume_threshold", override=override, disabled=True)
        assert (served.value, served.variant, served.reason) == (None, "", Reason.DISABLED)
        assert served.metadata["flagSetId"] == "strategy_engine"


def test_reasons_are_those_that_clients_know():
    assert {reason.value for reason in Reason} == {
        "STATIC",
        "DEFAULT",
        "TARGETING_MATCH",
        "SPLIT",
        "DISABLED",
    }


def test_evidence_cannot_pretend_to_be_another_flag():
    served = resolve(
        START, "min_days_in_mode", evidence={"flagSetId": "x", "version": "y", "experimentId": "e"}
    )
    assert served.metadata["flagSetId"] == "strategy_engine"
    assert served.metadata["version"] == short_hash(7)
    assert served.metadata["experimentId"] == "e"


@pytest.mark.parametrize("fact", [math.nan, math.inf, [1, 2], {"low": 1}, None])
def test_metadata_is_flat_and_finite(fact):
    assert code_of(START, "min_days_in_mode", evidence={"fact": fact}) == "wrong_metadata"


def test_refusals():
    assert code_of(START, "gap_weights", override=dict(START.value("gap_weights"))) == "not_personal"
    assert code_of(START, "improve_resume_threshold", override=101) == "value_out_of_range"
    assert code_of(START, "fit_score_weights") == "wrong_component"
    assert code_of(START, "luck") == "unknown_parameter"
