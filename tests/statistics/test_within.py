"""Effects within people: by hand, against statsmodels, by their laws, and calibrated."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.discrete.conditional_models import ConditionalLogit, ConditionalPoisson

from layer7.errors import Layer7Error
from layer7.statistics import auc_gain, fit_within, panel, score_test, shrink, within_auc
from layer7.statistics.within.panels import conditional, still_missing


def _log(seed, *, people=80, each=30, beta=(0.5, -0.3), rate=0.1):
    """Applications of people who differ, with two effects within them."""
    rng = np.random.default_rng(seed)
    size = people * each
    person = np.repeat(np.arange(people), each)
    quality = rng.normal(0, 0.8, people)[person]
    x = rng.normal(size=(size, 2)) + 0.5 * quality[:, None]
    chance = np.minimum(rate * np.exp(quality + x @ np.array(beta) - 0.5), 0.9)
    events = (rng.random(size) < chance).astype(float)
    return x, events, person, rng.integers(0, size // 8, size)


def _panel(log):
    x, events, person, cluster = log
    return panel(x, events, np.ones(events.size), person=person, cluster=cluster)


def test_by_hand_one_event_each():
    """Of 40 pairs the event falls 30 times where x = 1: the ratio is 3, its variance 1/30 + 1/10."""
    x = np.array([[0.0], [1.0]] * 40)
    events = [0, 1] * 30 + [1, 0] * 10
    rows = panel(x, events, np.ones(80), person=np.arange(80) // 2, cluster=np.arange(80))
    fit = fit_within(rows)
    assert np.exp(fit.coefficients[0]) == pytest.approx(3)
    assert fit.covariance[0, 0] == pytest.approx((1 / 30 + 1 / 10) * fit.design_effect)


def test_with_one_interview_per_person_it_is_the_conditional_logit_of_statsmodels():
    """Oracle: statsmodels 0.15 ConditionalLogit, exact conditional likelihood."""
    x, events, person, cluster = _log(1)
    first = np.zeros(events.size)
    for who in np.unique(person[events > 0]):
        first[np.flatnonzero((person == who) & (events > 0))[0]] = 1
    rows = panel(x, first, np.ones(first.size), person=person, cluster=cluster)
    mine = fit_within(rows)
    told = ConditionalLogit(rows.events, rows.design, groups=rows.person).fit(disp=False)
    np.testing.assert_allclose(mine.coefficients, told.params, rtol=2e-3)
    naive = mine.standard_errors / np.sqrt(mine.design_effect)
    np.testing.assert_allclose(naive, told.bse, rtol=2e-3)


def test_with_more_interviews_it_is_the_conditional_poisson_of_statsmodels():
    """Oracle: statsmodels 0.15 ConditionalPoisson; the conditional logit of the same rows is near."""
    rows = _panel(_log(2, rate=0.05))
    mine = fit_within(rows)
    told = ConditionalPoisson(rows.events, rows.design, groups=rows.person).fit(disp=False)
    np.testing.assert_allclose(mine.coefficients, told.params, rtol=1e-4)
    logit = ConditionalLogit(rows.events, rows.design, groups=rows.person).fit(disp=False)
    np.testing.assert_allclose(mine.coefficients, logit.params, rtol=0.15)


def test_half_seen_trials_count_half():
    """One person, x = 1 on two trials of which halves were seen: as one whole trial."""
    whole = panel(
        np.array([[1.0], [0], [0]]), [1, 0, 0], [1, 1, 1], person=np.zeros(3, int), cluster=np.arange(3)
    )
    split = panel(
        np.array([[1.0], [0], [0], [0]]), [1, 0, 0, 0], [1, 1, 0.5, 0.5], person=np.zeros(4, int),
        cluster=np.arange(4),
    )  # fmt: skip
    for beta in (-1.0, 0.0, 2.0):
        assert conditional(whole, np.array([beta]))[0] == pytest.approx(
            conditional(split, np.array([beta]))[0]
        )


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000))
def test_neither_the_order_of_rows_nor_the_names_of_people_matter(seed):
    rng = np.random.default_rng(seed)
    log = _log(seed % 7, people=40, each=20)
    order = rng.permutation(log[1].size)
    names = rng.permutation(40) * 3 + 1
    x, events, person, cluster = log
    mixed = _panel((x[order], events[order], names[person[order]], cluster[order]))
    np.testing.assert_allclose(
        fit_within(mixed).coefficients, fit_within(_panel(log)).coefficients, atol=1e-8
    )


def test_a_rate_of_each_person_makes_no_difference():
    """People without an event, and what is constant within a person, say nothing."""
    x, events, person, cluster = _log(3)
    some = events.copy()
    some[person < 10] = 0
    all_of_them = _panel((x, some, person, cluster))
    assert all_of_them.people == np.unique(person[some > 0]).size
    shifted = _panel((x + person[:, None], some, person, cluster))
    np.testing.assert_allclose(
        fit_within(shifted).coefficients, fit_within(all_of_them).coefficients, atol=1e-6
    )


def test_what_does_not_vary_within_people_has_no_effect_to_tell():
    x, events, person, cluster = _log(4)
    with pytest.raises(Layer7Error, match="within people"):
        fit_within(_panel((np.ones_like(x), events, person, cluster)))
    with pytest.raises(Layer7Error, match="within people"):
        fit_within(_panel((x, np.zeros_like(events), person, cluster)))


def test_events_beyond_their_trials_are_refused():
    with pytest.raises(Layer7Error, match="trials"):
        panel(np.zeros((1, 1)), [1], [0.5], person=np.zeros(1, int), cluster=np.zeros(1, int))


def test_the_joint_test_keeps_its_level_where_employers_hang_together():
    """160 logs without effects, applications of an employer alike (variance 1): 5 % rejected."""
    rejected = 0
    for seed in range(160):
        rng = np.random.default_rng([5, seed])
        person, cluster = np.repeat(np.arange(60), 30), rng.integers(0, 200, 1800)
        rate = 0.05 * np.exp(rng.normal(0, 0.7, 60)[person] + rng.normal(0, 1, 200)[cluster] - 0.5)
        # What is tested goes with the employer, too: as when an employer's jobs are seen on one weekday.
        level = (rng.integers(0, 5, 200)[cluster] + rng.integers(0, 2, 1800)) % 5
        x = (level[:, None] == np.arange(1, 5)).astype(float)
        events = (rng.random(1800) < np.minimum(rate, 0.9)).astype(float)
        rows = panel(x, events, np.ones(1800), person=person, cluster=cluster)
        rejected += score_test(rows, np.ones(4, bool)).p_value < 0.05
    assert stats.binom.ppf(0.001, 160, 0.03) <= rejected <= stats.binom.ppf(0.999, 160, 0.07)


def test_intervals_cover():
    covered = 0
    for seed in range(100):
        fit = fit_within(_panel(_log([6, seed], rate=0.05)))
        reach = 1.96 * fit.standard_errors
        covered += int((np.abs(fit.coefficients - [0.5, -0.3]) <= reach).sum())
    assert covered >= stats.binom.ppf(0.001, 200, 0.95)


def test_the_area_by_hand():
    """Two events: one above 2 of 3 others, one below all; another person's scores do not matter."""
    person = np.array([0, 0, 0, 0, 0, 1, 1])
    rows = panel(np.zeros((7, 1)), [1, 1, 0, 0, 0, 1, 0], np.ones(7), person=person, cluster=np.arange(7))
    score = np.array([3.0, 0.0, 1.0, 2.0, 4.0, 100.0, 99.0])
    assert within_auc(rows, score)[rows.events > 0].tolist() == pytest.approx([2 / 3, 0.0, 1.0])


def test_the_area_is_that_of_scipy_within_one_person():
    """Oracle: Mann-Whitney's U of scipy, over the number of pairs."""
    rng = np.random.default_rng(7)
    events, score = (rng.random(60) < 0.3).astype(float), rng.integers(0, 9, 60).astype(float)
    rows = panel(np.zeros((60, 1)), events, np.ones(60), person=np.zeros(60, int), cluster=np.arange(60))
    mine = within_auc(rows, score)[events > 0].mean()
    hits, rest = score[events > 0], score[events == 0]
    assert mine == pytest.approx(stats.mannwhitneyu(hits, rest).statistic / hits.size / rest.size)


def test_swapping_the_scores_turns_the_gain_and_equal_scores_gain_nothing():
    x, events, person, cluster = _log(8)
    rows = _panel((x, events, person, cluster))
    one, two = rows.design.T
    there = auc_gain(rows, one, two, who=rows.person)
    back = auc_gain(rows, two, one, who=rows.person)
    assert there.value == pytest.approx(-back.value)
    assert there.interval.low == pytest.approx(-back.interval.high)
    assert auc_gain(rows, one, one, who=rows.person).value == 0


def test_the_interval_of_the_gain_covers():
    """Two scores that are equally good: 0 is in 95 % of the intervals."""
    covered = 0
    for seed in range(120):
        rows = _panel(_log([9, seed], beta=(0.4, 0.4), people=60, each=20))
        found = auc_gain(rows, rows.design[:, 0], rows.design[:, 1], who=rows.person)
        covered += 0.0 in found.interval
    assert stats.binom.ppf(0.001, 120, 0.93) <= covered


def test_shrinkage_by_hand_and_its_laws():
    """All equal: nothing to tell apart. One far out, well measured: hardly moved."""
    assert shrink([0.0] * 5, [0.1] * 5).mean.tolist() == [0.0] * 5
    told = shrink([1.0, 0, 0, 0, 0], [0.01] * 5)
    assert told.mean[0] == pytest.approx(1.0, abs=0.01)
    assert (np.abs(shrink([0.4, -0.2, 0.1], [0.3] * 3).mean) <= np.abs([0.4, -0.2, 0.1])).all()
    with pytest.raises(Layer7Error, match="error"):
        shrink([0.1], [0.0])


def test_shrunk_intervals_cover_effects_of_their_kind():
    covered = size = 0
    for seed in range(60):
        rng = np.random.default_rng([10, seed])
        truth = rng.normal(0, 0.2, 7)
        told = shrink(truth + rng.normal(0, 0.15, 7), [0.15] * 7)
        low, high = told.interval()
        covered, size = covered + int(((low <= truth) & (truth <= high)).sum()), size + 7
    assert covered >= stats.binom.ppf(0.001, size, 0.93)


def test_a_column_that_is_the_same_within_people_is_refused_wherever_it_lies():
    x, events, person, cluster = _log(3, rate=0.2)
    offset = np.where(person % 2 == 0, 1e6, -3.7)[:, None]
    with pytest.raises(Layer7Error, match="cannot be told"):
        fit_within(_panel((offset, events, person, cluster)))
    moved = fit_within(_panel((x + 1e6, events, person, cluster)))
    told = fit_within(_panel((x, events, person, cluster)))
    np.testing.assert_allclose(moved.coefficients, told.coefficients, atol=1e-6)


def test_a_joint_test_is_the_same_wherever_it_starts():
    rows = _panel(_log(4, rate=0.2))
    first = np.array([True, False])
    start = fit_within(rows, penalty=0.25).coefficients
    near, far = score_test(rows, first, penalty=0.25, start=start), score_test(rows, first, penalty=0.25)
    assert near.statistic == pytest.approx(far.statistic, rel=1e-6)


def test_one_employer_does_not_ask_for_so_many_more_at_each_of_39_others():
    """3,000 applications to one employer, 2 of 17 invited: 39 others show up after about 39 x 8.5."""
    person = np.arange(3_000) % 60
    events = (np.arange(3_000) % 17 < 2).astype(float)
    rows = panel(
        np.zeros((3_000, 0)), events, np.ones(3_000), person=person, cluster=np.zeros(3_000, dtype=np.int64)
    )
    assert still_missing(rows, n=3_000, rate=2 / 17, least=50.0) == 332
