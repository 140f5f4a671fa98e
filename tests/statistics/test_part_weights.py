"""Weights of the parts of a score: recovered, honest about their gain, silent where nothing can be said."""

from dataclasses import fields, replace

import numpy as np
import pytest
from scipy import stats
from statsmodels.discrete.conditional_models import ConditionalPoisson

from layer7.statistics import ScoreParts, learn_weights, ratio_of

CURRENT = np.array([0.4, 0.2, 0.2, 0.2])


def _log(seed, *, weights=CURRENT, people=150, each=60, slope=6.0, parts=4, reach=1.0):
    """Applications of people who differ, better people with better fit; interviews follow the weights."""
    rng = np.random.default_rng(seed)
    size = people * each
    person = np.repeat(np.arange(people), each)
    quality = rng.normal(0, 0.8, people)
    x = np.clip(0.6 + 0.05 * quality[person][:, None] + 0.16 * rng.normal(size=(size, parts)), 0, 1)
    kind = rng.integers(0, 3, size)
    chance = 0.04 * np.exp(quality[person] + slope * (x @ weights - 0.6)) * np.where(kind == 0, reach, 1.0)
    events = (rng.random(size) < np.minimum(chance, 0.9)).astype(float)
    sent = np.tile(np.arange(each) * 86_400, people)
    categories = np.column_stack([kind == 0, kind == 1]).astype(float)
    return ScoreParts(x, categories, events, np.ones(size), person, rng.integers(0, size // 8, size), sent)


def _learn(log):
    return learn_weights(log, log.parts @ CURRENT, rng=np.random.default_rng(0))


def test_other_weights_are_recovered_and_gain():
    truth = np.array([0.1, 0.1, 0.1, 0.7])
    found = _learn(_log(1, weights=truth, people=500))
    assert sum(found.weights) == pytest.approx(1)
    assert all(weight in span for weight, span in zip(truth, found.intervals, strict=True))
    assert found.gain.interval.low > 0
    assert found.gain.new > found.gain.old


def test_weights_in_force_that_are_right_are_not_replaced():
    """25 markets that follow the weights in force: at most as many gains as 2.5 % allow."""
    updated = 0
    for seed in range(25):
        found = _learn(_log([2, seed], people=80, each=40, slope=8.0))
        updated += found.gain is not None and found.gain.interval.low > 0
    assert updated <= stats.binom.ppf(0.999, 25, 0.025)


def test_a_part_that_works_against_gets_weight_0_not_less():
    found = _learn(_log(3, weights=np.array([0.6, -0.3, 0.35, 0.35]), people=300))
    assert min(found.weights) == found.weights[1] == 0.0
    assert found.intervals[1].low == 0.0


def test_the_intervals_cover():
    covered = 0
    for seed in range(20):
        found = _learn(_log([4, seed], people=80, each=40, slope=10.0))
        covered += sum(w in span for w, span in zip(CURRENT, found.intervals, strict=True))
    assert covered >= stats.binom.ppf(0.001, 80, 0.92)


def test_categories_are_told_beside():
    found = _learn(_log(5, people=400, reach=0.5))
    ratio, span = ratio_of(found.categories[0])
    assert span.low < 0.5 < span.high
    assert ratio == pytest.approx(0.5, rel=0.3)


def test_parts_that_say_nothing_have_no_weights():
    told = sum(_learn(_log([6, seed], slope=0.0, people=60)).weights is not None for seed in range(25))
    assert told <= stats.binom.ppf(0.999, 25, 0.05)


def test_a_constant_part_is_named():
    log = _log(7)
    parts = log.parts.copy()
    parts[:, 2] = 0.5
    found = _learn(
        ScoreParts(parts, log.categories, log.events, log.trials, log.person, log.cluster, log.sent)
    )
    assert found.constant == (2,)
    assert found.weights is found.gain is None


@pytest.mark.parametrize("noise", [0.0, 0.001])
def test_parts_of_which_one_follows_from_the_others_are_named(noise):
    """The third is what the first two leave to 1.2, perhaps rounded; the last goes its own way."""
    log = _log(7)
    parts = log.parts.copy()
    rest = 1.2 - parts[:, 0] - parts[:, 1]
    parts[:, 2] = rest + noise * np.random.default_rng(1).normal(size=rest.size)
    found = _learn(replace(log, parts=parts))
    assert found.tied == (0, 1, 2)
    assert found.weights is found.gain is None


@pytest.mark.parametrize("kept", [0, 5, 300])
def test_too_little_says_about_how_much_is_missing(kept):
    log = _log(8)
    few = ScoreParts(*(column[:kept] for column in (
        log.parts, log.categories, log.events, log.trials, log.person, log.cluster, log.sent)))  # fmt: skip
    found = _learn(few)
    assert found.weights is found.gain is found.test is None
    assert found.needed > 500


@pytest.mark.parametrize("events", [0.0, 1.0])
def test_all_silent_and_all_interviews_are_no_error(events):
    log = _log(9)
    found = _learn(
        ScoreParts(
            log.parts, log.categories, log.events * 0 + events, log.trials, log.person, log.cluster, log.sent
        )
    )
    assert found.weights is found.gain is None
    assert found.needed > 0


def test_weights_are_the_coefficients_of_the_conditional_poisson_of_statsmodels():
    """Oracle: statsmodels 0.15 ConditionalPoisson on the same rows, no part against: b / sum of b."""
    log = _log(8, weights=np.array([0.3, 0.2, 0.3, 0.2]), people=120, slope=9.0)
    rows = log.rows(np.ones(log.events.size, dtype=bool))
    told = ConditionalPoisson(rows.events, rows.design, groups=rows.person).fit(disp=False).params[:4]
    assert min(told) > 0
    assert _learn(log).weights == pytest.approx(told / told.sum(), abs=0.01)


def _mixed(log, order):
    return ScoreParts(**{field.name: getattr(log, field.name)[order] for field in fields(ScoreParts)})


@pytest.mark.parametrize("seed", range(3))
def test_neither_the_order_of_rows_nor_that_of_parts_nor_names_matter(seed):
    log, dice = _log([9, seed], people=60), np.random.default_rng(seed)
    found = _learn(log)
    mixed = _learn(_mixed(log, dice.permutation(log.events.size)))
    assert mixed.weights == pytest.approx(found.weights, abs=1e-4)
    assert (mixed.events, mixed.people, mixed.n) == (found.events, found.people, found.n)
    parts = dice.permutation(4)
    renamed = ScoreParts(
        log.parts[:, parts], log.categories, log.events, log.trials, 900 - log.person, log.cluster, log.sent
    )
    other = learn_weights(renamed, renamed.parts @ CURRENT[parts], rng=np.random.default_rng(0))
    assert other.weights == pytest.approx(np.array(found.weights)[parts], abs=1e-4)
    assert other.gain.value == pytest.approx(found.gain.value, abs=2e-3)
