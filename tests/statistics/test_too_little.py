"""What cannot be told from what is given is refused or None: never a number that looks like an answer."""

import numpy as np
import pytest

from layer7.errors import Layer7Error
from layer7.statistics import SilenceMoments, auc_gain, fit_silence, fit_within, panel, score_test
from layer7.statistics.chances.background import Sample
from layer7.statistics.chances.forecasts import Promises, tenths
from layer7.statistics.silence.follow_up import answered_by, unseen_answers
from layer7.statistics.thresholds.density_jump import density_jump
from layer7.statistics.thresholds.off_policy import Arm, Exploration
from layer7.statistics.trials.power import power_anytime


def rows_of(design, *, people=20, each=4):
    size = people * each
    events = (np.arange(size) % each == 0).astype(float)
    person = np.repeat(np.arange(people), each)
    return panel(np.asarray(design, float), events, np.ones(size), person=person, cluster=np.arange(size))


def test_columns_of_other_lengths_are_refused():
    two, three = np.zeros(2, int), np.zeros(3, int)
    with pytest.raises(Layer7Error, match="differ in length"):
        panel(np.zeros((3, 1)), [0, 0], [1, 1], person=two, cluster=two)
    with pytest.raises(Layer7Error, match="differ in length"):
        Sample(two, three, {}, np.zeros(2), np.ones(2))
    cells = [Arm(*(np.zeros((16, steps)) for _ in range(5))) for steps in (4, 6)]
    with pytest.raises(Layer7Error, match="differ in shape"):
        Exploration(*cells, np.zeros(4))


def test_effects_that_cannot_be_told_apart_have_no_fit():
    twice = np.random.default_rng(1).normal(size=80)
    with pytest.raises(Layer7Error) as refused:
        fit_within(rows_of(np.column_stack([twice, twice])))
    assert refused.value.code == "no_fit"
    with pytest.raises(Layer7Error):
        score_test(rows_of(np.random.default_rng(2).normal(size=(8, 1)), people=2), np.array([True]))


def test_one_person_does_not_compare_two_scores():
    rows = rows_of(np.zeros((4, 1)), people=1)
    assert auc_gain(rows, np.arange(4.0), np.arange(4.0)[::-1], who=np.zeros(4, int)) is None


def test_where_nothing_was_answered_no_curve_of_answers_is_told():
    silent = fit_silence(SilenceMoments(silent=[0, 3, 4]))
    assert answered_by(silent, [1.0, 30.0]) is None
    np.testing.assert_array_equal(unseen_answers(silent, 40), silent.unseen_by_day(40))


def test_a_density_without_cases_at_the_cut_or_of_few_people_is_not_judged():
    far = np.zeros((16, 40))
    far[:, :3] = far[:, -3:] = 50
    few = np.zeros((16, 40))
    few[:2] = 50
    for counts in (far, few):
        with pytest.raises(Layer7Error) as refused:
            density_jump(counts, width=1.0, bandwidth=10.0)
        assert refused.value.code == "not_enough_data"
        assert refused.value.hint


def test_no_power_without_an_error_and_no_tenths_of_nothing():
    with pytest.raises(Layer7Error, match="standard error"):
        power_anytime(1.0, 0.0)
    nothing = Promises(np.zeros(3), np.zeros(3), np.zeros(3), np.arange(3))
    assert tenths(nothing) == ()
