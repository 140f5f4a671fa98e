"""Weights of the parts of the resume score: suggested on proof, else said why not."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from layer7.analytics.optimizing.within_people import Components
from layer7.contract.score_weights import ComponentWeights
from layer7.optimization import Origin, calibrate
from layer7.optimization.resume_score import told
from layer7.optimization.score_weights import weigh_components
from layer7.statistics import ScoreMoments, ScoreParts

NAMES = ("experience", "format", "keywords")
FORCE = np.array([0.5, 0.3, 0.2])


def _log(seed, weights=FORCE, *, people=250, each=40, slope=0.07, parts=None):
    """Parts that vary within people; interviews follow their mean by the weights given."""
    rng = np.random.default_rng(seed)
    size = people * each
    person = np.repeat(np.arange(people), each)
    x = np.clip(65 + 14 * rng.normal(size=(size, 3)) + rng.normal(0, 6, (people, 3))[person], 0, 100)
    x = np.round(x if parts is None else parts(x), 1)
    chance = 0.06 * np.exp(rng.normal(0, 0.8, people)[person] + slope * (x @ weights - np.mean(x @ weights)))
    events = (rng.random(size) < np.minimum(chance, 0.9)).astype(float)
    cluster, sent = rng.integers(0, size // 8, size), np.tile(np.arange(each), people)
    log = ScoreParts(x, np.zeros((size, 0)), events, np.ones(size), person, cluster, sent)
    return Components(NAMES, log, np.round(x @ FORCE), size, ())


def _cut(found, kept):
    log = found.log
    columns = (getattr(log, name)[kept] for name in ScoreParts.__slots__)
    return replace(found, log=ScoreParts(*columns), score=found.score[kept], told=int(np.sum(kept)))


def _weigh(found):
    said = weigh_components(found, rng=np.random.default_rng(0))
    assert "nan" not in said.model_dump_json().lower()
    assert ComponentWeights.model_validate_json(said.model_dump_json()) == said
    return said


def test_weights_that_order_better_are_suggested_for_an_experiment():
    said = _weigh(_log(1, np.array([0.05, 0.05, 0.9])))
    assert said.current_weights == pytest.approx(dict(zip(NAMES, FORCE, strict=True)), abs=0.01)
    assert said.learned_weights["keywords"] > 0.6
    low, high = said.weight_intervals["keywords"]
    assert low < 0.9 < high
    assert sum(said.suggested_weights.values()) == pytest.approx(1)
    assert min(said.suggested_weights.values()) >= 0
    assert (said.recommendation, said.route) == ("update_weights", "a_b_test")
    assert said.interval[0] > 0
    assert said.within_auc["learned"] - said.within_auc["current"] == pytest.approx(said.improvement_estimate)
    assert said.answer.startswith("Other weights order a person's later applications better")
    assert said.what_would_change_this


def test_weights_that_are_right_stay():
    said = [_weigh(_log([2, seed], people=80)) for seed in range(12)]
    assert sum(bool(each.suggested_weights) for each in said) <= 1
    assert all(
        each.answer.startswith("Keep the weights in force") for each in said if not each.suggested_weights
    )


def test_parts_that_say_nothing_have_no_weights():
    said = _weigh(_log(3, slope=0.0, people=100))
    assert said.learned_weights is None
    assert said.answer == (
        "Keep the weights in force: 4000 applications do not prove that the parts predict interviews."
    )


def test_a_score_that_is_no_mean_of_its_parts_is_said_to_be_none():
    found = _log(4, np.array([0.05, 0.05, 0.9]))
    said = _weigh(replace(found, score=np.minimum(found.log.parts.sum(axis=1) / 2, 100.0)))
    assert said.current_weights is None
    assert said.off_by > 5
    assert "better than the score in force" in said.answer
    nearest = f"the nearest misses it by {said.off_by:.1f} points."
    assert said.answer.endswith(f"The score is no weighted mean of its parts: {nearest}")


def _constant(x):
    """Keywords are a person's own, and stay."""
    return np.column_stack([x[:, :2], np.repeat(x[::40, 2], 40)])


def _one_varies(x):
    return np.column_stack([x[:, 0], np.repeat(x[::40, 1:], 40, axis=0)])


def _summing(x):
    return np.column_stack([x[:, :2] / 2, 100 - x[:, 0] / 2 - x[:, 1] / 2])


def test_a_part_that_never_differs_keeps_its_weight_and_the_others_share_the_rest():
    said = _weigh(_log(10, np.array([0.0, 0.8, 0.2]), parts=_constant))
    assert said.current_weights == pytest.approx(dict(zip(NAMES, FORCE, strict=True)), abs=0.01)
    assert said.learned_weights["keywords"] == pytest.approx(0.2, abs=0.01)
    assert sum(said.learned_weights.values()) == pytest.approx(1)
    assert set(said.weight_intervals) == {"experience", "format"}
    low, high = said.weight_intervals["format"]
    assert low <= said.learned_weights["format"] <= high <= 0.81
    assert said.suggested_weights["keywords"] == pytest.approx(0.2)
    assert sum(said.suggested_weights.values()) == pytest.approx(1)
    assert said.answer.endswith("between the applications of a person keeps its weight: keywords.")
    assert said.left_out == ()


def test_a_part_that_never_differs_is_left_out_where_no_weights_are_in_force():
    found = _log(10, np.array([0.0, 0.8, 0.2]), parts=_constant)
    said = _weigh(replace(found, score=np.minimum(found.log.parts.sum(axis=1) / 2, 100.0)))
    assert set(said.learned_weights) == {"experience", "format"}
    assert said.left_out == ("keywords",)
    assert "is left out: keywords. The score is no weighted mean" in said.answer


@pytest.mark.parametrize(
    ("parts", "answer"),
    [
        (_one_varies, "Cannot tell: format and keywords never differ between the applications of a person."),
        (_summing, "Cannot tell: experience and format and keywords follow from one another"),
        (lambda x: x[:, [0, 0, 1]], "Cannot tell: experience and format follow from one another"),
    ],
    ids=["all but one constant", "summing", "twins"],
)
def test_parts_that_cannot_be_told_apart_are_named(parts, answer):
    said = _weigh(_log(5, people=60, parts=parts))
    assert said.answer.startswith(answer)
    assert said.learned_weights is said.route is None
    assert said.suggested_weights == {}


def test_without_parts_it_says_what_to_log():
    said = _weigh(_cut(replace(_log(6, people=5), names=()), np.zeros(200, bool)))
    assert (
        said.answer
        == "No application says the parts of its resume score: log them as resume_score_components."
    )
    assert (said.n, said.current_weights, said.off_by) == (0, None, None)


@pytest.mark.parametrize(
    ("names", "seldom", "answer"),
    [
        (("keywords",), (), "There is one part alone, keywords"),
        ((), ("keywords",), "No part is in half of the 200 applications"),
        ((), (), "No part is told by 50 people or more"),
    ],
)
def test_fewer_than_two_parts_in_use_have_nothing_to_weigh(names, seldom, answer):
    found = _log(7, people=5)
    log = replace(found.log, parts=found.log.parts[:, : len(names)])
    said = _weigh(replace(found, names=names, log=log, seldom=seldom))
    assert said.answer.startswith(answer)
    assert (said.learned_weights, said.recommendation) == (None, "keep_current")


@pytest.mark.parametrize("people", [1, 30])
def test_too_few_applications_say_about_how_many_are_missing(people):
    found = _log(8)
    said = _weigh(_cut(found, found.log.person < people))
    assert said.needed > 100
    assert said.answer.startswith(f"Too few applications: about {said.needed} more")


@pytest.mark.parametrize("events", [0.0, 1.0])
def test_all_silent_and_all_interviews_are_no_error(events):
    found = _log(9, people=40)
    said = _weigh(replace(found, log=replace(found.log, events=np.full(found.score.size, events))))
    assert said.learned_weights is None
    assert said.needed > 0


def test_what_is_wrong_with_the_score_names_the_weights_or_why_there_are_none():
    """Three times as many interviews come as promised: the score is mended, whatever its parts say."""
    origin = Origin(as_of=datetime(2026, 3, 2, tzinfo=UTC))
    served = dict(zip(("0-49", "50-59", "60-69", "70-79", "80-89", "90-100"), [0.05] * 6, strict=True))
    rng = np.random.default_rng(1)
    scores, person = rng.integers(50, 90, 8000), np.arange(8000) % 400
    came = rng.random(8000) < 0.15
    folds = [ScoreMoments.from_rows(scores[person % 16 == f], came[person % 16 == f]) for f in range(16)]
    people = np.bincount(person, came).astype(float), np.bincount(person).astype(float)
    found = calibrate(folds, people, served, origin=origin, rng=rng)
    better, none = _weigh(_log(1, np.array([0.05, 0.05, 0.9]))), _weigh(_log(3, slope=0.0, people=60))
    mended = told(found, better).adjustment.suggested_adjustment
    assert (mended.component_weights, mended.why_no_weights) == (better.suggested_weights, None)
    kept = told(found, none).adjustment.suggested_adjustment
    assert (kept.component_weights, kept.why_no_weights) == ({}, none.answer)
    assert json.loads(told(found, none).model_dump_json())["component_weights"]["answer"] == none.answer
