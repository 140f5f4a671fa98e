"""What is said of timing and of the fit score: the shapes of the contract, and when a change is proposed."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from layer7.configuration import apply, baseline
from layer7.contract.optimization import FitScoreOptimization, TimingInsights
from layer7.contract.vocabulary import Component
from layer7.errors import Layer7Error
from layer7.optimization import Origin, advise, weigh
from layer7.statistics import ScoreParts, Sent, SilenceMoments

ORIGIN = Origin(as_of=datetime(2026, 3, 2, tzinfo=UTC))
LEVELS = {"weekday": 7, "time_of_day": 12, "posting_age": 3}
SERVED = {"technical": 0.4, "seniority": 0.2, "experience": 0.2, "signal": 0.2}
KNOWN = dict.fromkeys(("technical_match", "seniority_match", "experience_match", "signal"), 9000)


def _sent(seed, *, morning=1.0, people=180):
    rng = np.random.default_rng(seed)
    size = people * 50
    person, window = np.repeat(np.arange(people), 50), rng.integers(0, 12, size)
    chance = 0.05 * np.exp(rng.normal(0, 0.8, people)[person] - 0.3) * np.where(window == 4, morning, 1.0)
    events = (rng.random(size) < np.minimum(chance, 0.9)).astype(float)
    factors = {
        "weekday": rng.integers(0, 7, size),
        "time_of_day": window,
        "posting_age": rng.integers(0, 3, size),
    }
    interviews = Sent(events, np.ones(size), person, rng.integers(0, 900, size), factors, LEVELS)
    answers = np.maximum(events, rng.random(size) < 0.3)
    return interviews, replace(interviews, events=answers)


def _folds(median, folds=8):
    rng = np.random.default_rng(1)
    return [
        SilenceMoments.from_days(rejections=median * np.exp(rng.normal(size=40)), silent=[300] * 80)
        for _ in range(folds)
    ]


def _advise(sent, folds, current=7.0, origin=ORIGIN):
    return advise(sent, folds, current, people=180, origin=origin)


def test_no_evidence_is_the_usual_answer():
    found = _advise(_sent(1), _folds(7.0)).insights
    assert found.best_day_of_week is found.best_time_of_day is None
    assert found.confidence == "low"
    assert found.answer.startswith("No evidence that it matters")
    assert "more applications" in found.what_would_change_this
    assert {factor.matters for factor in found.factors.values()} == {False}
    assert TimingInsights.model_validate_json(found.model_dump_json()) == found


def test_a_time_that_matters_is_named_with_its_hours():
    found = _advise(_sent(2, morning=3.0), _folds(7.0)).insights
    assert found.best_time_of_day == "08:00-10:00"
    assert found.confidence == "high"
    assert found.best_day_of_week is None
    level = found.factors["time_of_day"].levels["08:00-10:00"]
    assert 1 < level.interval[0] < level.ratio < level.interval[1]
    rate = found.interview_by_time["08:00-10:00"]
    assert rate.interval[0] < rate.rate < rate.interval[1]
    assert found.response_rate_by_hour[8] == found.response_rate_by_hour[9]


def test_another_day_to_follow_up_goes_through_an_experiment():
    version = baseline(Component.ORCHESTRATOR)
    made = _advise(_sent(1), _folds(20.0), origin=replace(ORIGIN, from_version=version.version))
    told = made.recommendation
    assert told.recommendation == "a_b_test"
    assert told.recommended_value == pytest.approx(20, abs=3)
    assert made.insights.follow_up_interval[0] < 20 < made.insights.follow_up_interval[1]
    assert apply(version, told.plan).value("follow_up_timing") == told.recommended_value
    low, high = told.evidence.confidence_interval
    assert 0 < low < told.evidence.improvement_amount < high


def test_a_day_in_force_that_is_near_the_median_stays():
    assert _advise(_sent(1), _folds(7.0)).recommendation is None


def test_an_empty_log_says_about_how_much_is_missing():
    nothing, none = np.zeros(0), np.zeros(0, int)
    empty = Sent(nothing, nothing, none, none, dict.fromkeys(LEVELS, none), LEVELS)
    found = _advise((empty, empty), [SilenceMoments()] * 16)
    assert found.recommendation is found.insights.follow_up_timing_days is None
    more = f"about {found.insights.needed:,} more applications, to many employers."
    assert found.insights.answer == f"Cannot tell yet whether timing matters: {more}"
    assert set(found.insights.response_rate_by_day.values()) == {None}


def _parts(seed, weights, *, people=300, each=40):
    rng = np.random.default_rng(seed)
    size = people * each
    person = np.repeat(np.arange(people), each)
    x = np.clip(0.6 + 0.16 * rng.normal(size=(size, 4)), 0, 1)
    chance = 0.04 * np.exp(rng.normal(0, 0.8, people)[person] + 8 * (x @ weights - 0.6))
    events = (rng.random(size) < np.minimum(chance, 0.9)).astype(float)
    kinds = (rng.integers(0, 3, size)[:, None] == [0, 1]).astype(float)
    return ScoreParts(
        x, kinds, events, np.ones(size), person, rng.integers(0, 900, size), np.tile(np.arange(each), people)
    )


def _weigh(log, known=KNOWN, served=SERVED, origin=ORIGIN):
    return weigh(log, known, served, origin=origin, rng=np.random.default_rng(0))


def test_weights_that_order_better_are_proposed_for_an_experiment():
    version = baseline(Component.JOB_DISCOVERY)
    origin = replace(ORIGIN, from_version=version.version)
    made = _weigh(
        _parts(1, np.array([0.05, 0.05, 0.1, 0.8])), served=version.value("fit_score_weights"), origin=origin
    )
    assert made.report.recommendation == "update_weights"
    assert made.report.interval[0] > 0
    told = made.recommendation
    assert told.recommendation == "a_b_test"
    assert sum(told.recommended_value.values()) == pytest.approx(1)
    assert apply(version, told.plan).value("fit_score_weights") == told.recommended_value
    assert made.report.within_auc["learned"] > made.report.within_auc["current"]
    assert FitScoreOptimization.model_validate_json(made.report.model_dump_json()) == made.report


def test_weights_that_are_right_stay_and_categories_are_told_beside():
    made = _weigh(_parts(2, np.array([0.4, 0.2, 0.2, 0.2]), people=120))
    assert made.recommendation is None
    assert made.report.recommendation == "keep_current"
    assert made.report.answer.startswith("Keep the weights")
    for ratio in made.report.category_effects.values():
        assert ratio.interval[0] < ratio.ratio < ratio.interval[1]


def test_parts_that_are_never_logged_are_named():
    log = _parts(3, np.ones(4) / 4, people=50)
    empty = ScoreParts(*(getattr(log, name)[:0] for name in ScoreParts.__slots__))
    made = _weigh(empty, known=KNOWN | {"signal": 0})
    assert made.report.answer == "Cannot tell: no application says its signal match; log them."
    assert made.report.learned_weights is made.recommendation is None


def test_other_parts_are_refused():
    with pytest.raises(Layer7Error, match="technical"):
        _weigh(_parts(3, np.ones(4) / 4, people=50), served={"luck": 1.0})
