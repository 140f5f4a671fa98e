"""Experiments of which little is known yet: drafts, plans without figures, results that nobody has."""

from datetime import UTC, datetime

import numpy as np
import pytest

from layer7.contract.recommendation import OptimizationRecommendation
from layer7.errors import Layer7Error
from layer7.experiments.assignment import claim
from layer7.experiments.comparison import Measured, compare_arms
from layer7.experiments.decision import loss_bound
from layer7.experiments.looks import planned_end, share_of_time
from layer7.experiments.plan import specified
from layer7.experiments.proposal import experiment_of
from layer7.statistics.trials import ArmMoments, FreeTime, Looking, MetricKind

NIGHT = datetime(2026, 3, 2, tzinfo=UTC)


def shares(n, control, treatment):
    return [ArmMoments(n=n, sums=np.array([k]), products=np.array([[k]])) for k in (control, treatment)]


def test_a_draft_has_no_end_and_none_of_its_time_has_passed():
    draft = specified(0)
    assert planned_end(draft) is None
    assert share_of_time(draft, NIGHT) == 0.0


def test_segments_that_another_namespace_holds_are_free_in_this_one():
    other = specified(0).model_copy(update={"namespace": "other", "segments": tuple(range(1000))})
    mine = claim([other], namespace="mine", wanted=0.1, seed="s")
    assert mine == claim([], namespace="mine", wanted=0.1, seed="s")
    with pytest.raises(Layer7Error) as full:
        claim([other], namespace="other", wanted=0.1, seed="s")
    assert full.value.code == "namespace_full"


def test_a_difference_that_is_unknown_bounds_no_loss():
    assert loss_bound("interview_rate", None) == 0.0


def recommended(**evidence):
    said = OptimizationRecommendation.model_config["json_schema_extra"]["examples"][0]
    found = OptimizationRecommendation.model_validate(said, strict=False)
    return found.model_copy(update={"evidence": found.evidence.model_copy(update=evidence)})


def test_an_experiment_looks_for_half_of_what_is_promised_of_its_metric():
    promised = recommended(metric_improved="interviews_per_unit", improvement_amount=-0.3)
    assert experiment_of(promised, alpha=0.05).minimum_effect == pytest.approx(0.15)
    unnamed = promised.model_copy(update={"recommendation_id": None})
    with pytest.raises(Layer7Error) as refused:
        experiment_of(unnamed, alpha=0.05)
    assert refused.value.code == "recommendation_unnamed"


def test_few_events_of_many_thousand_units_are_not_tested_exactly():
    share = Measured(name="offers", kind=MetricKind.SHARE)
    few, many = (compare_arms(share, *shares(n, 3.0, 9.0), Looking()) for n in (1000, 4000))
    assert "Boschloo" in few.certificate
    assert "Boschloo" not in many.certificate
    nothing = compare_arms(share, *shares(1000, 0.0, 0.0), Looking())
    assert (nothing.p_value, nothing.winner) == (None, None)


def test_waits_are_not_told_from_sums():
    waits = Measured(name="wait", kind=FreeTime(horizon=30.0))
    with pytest.raises(Layer7Error) as refused:
        compare_arms(waits, *shares(1000, 100.0, 120.0), Looking())
    assert refused.value.code == "bad_moments"
