"""Timing: nothing is said of nothing, what is planted is found, and what is missing is told."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats
from statsmodels.discrete.conditional_models import ConditionalPoisson

from layer7.statistics import (
    Sent,
    SilenceMoments,
    answered_by,
    fit_silence,
    follow_up,
    timing_effects,
    unseen_answers,
)

LEVELS = {"weekday": 7, "time_of_day": 12, "posting_age": 3}


def _sent(seed, *, people=120, each=50, ratios=None, rate=0.05):
    """Applications of people who differ; ``ratios`` multiply the rate of a level of the time of day."""
    rng = np.random.default_rng(seed)
    size = people * each
    person = np.repeat(np.arange(people), each)
    factors = {
        "weekday": rng.integers(0, 7, size),
        "time_of_day": rng.choice(12, size, p=np.array([1, 1, 1, 3, 10, 20, 20, 14, 12, 9, 6, 3]) / 100),
        "posting_age": rng.integers(0, 3, size),
    }
    chance = rate * np.exp(rng.normal(0, 0.8, people)[person] - 0.3)
    if ratios:
        chance = chance * np.array([ratios.get(at, 1.0) for at in range(12)])[factors["time_of_day"]]
    events = (rng.random(size) < np.minimum(chance, 0.9)).astype(float)
    return Sent(events, np.ones(size), person, rng.integers(0, size // 10, size), factors, LEVELS)


def test_the_rates_by_hand():
    """One person's day 0 has 30 of 100, day 1 10 of 100, for each of 60 people: ratios 1.5 and 0.5."""
    day = np.tile(np.repeat([0, 1], 100), 60)
    events = np.tile(np.concatenate([np.ones(30), np.zeros(70), np.ones(10), np.zeros(90)]), 60)
    size = events.size
    sent = Sent(
        events, np.ones(size), np.arange(size) // 200, np.arange(size), {"weekday": day}, {"weekday": 7}
    )
    found = timing_effects(sent, alpha=0.005)["weekday"]
    assert found.best == 0
    assert [found.levels[at].ratio for at in (0, 1)] == pytest.approx([1.5, 0.5], rel=0.02)
    assert found.levels[0].rate == pytest.approx(0.3, rel=0.02)
    assert [level.n for level in found.levels] == [6000, 6000, 0, 0, 0, 0, 0]
    assert found.levels[2].ratio is None


def test_nothing_is_said_where_nothing_is():
    """40 logs without effects, three tests each at 0.5 %: at most as many as chance allows."""
    wrong = 0
    for seed in range(40):
        found = timing_effects(_sent([1, seed], people=50), alpha=0.005)
        wrong += sum(each.best is not None for each in found.values())
    assert wrong <= stats.binom.ppf(0.999, 120, 0.005)


def test_what_is_planted_is_found_shrunk_towards_none():
    found = timing_effects(_sent(2, people=400, ratios={4: 2.0}), alpha=0.005)
    assert found["time_of_day"].best == 4
    level = found["time_of_day"].levels[4]
    assert 1.3 < level.low < level.ratio < 2.2
    assert found["weekday"].best is found["posting_age"].best is None


def test_unknown_times_stay_unknown_and_take_nothing_away():
    sent = _sent(3, people=300, ratios={4: 3.0})
    factors = dict(sent.factors)
    hidden = np.random.default_rng(3).random(sent.events.size) < 0.3
    factors["time_of_day"] = np.where(hidden, -1, factors["time_of_day"])
    found = timing_effects(
        Sent(sent.events, sent.trials, sent.person, sent.cluster, factors, LEVELS), alpha=0.005
    )
    assert found["time_of_day"].best == 4
    assert sum(level.n for level in found["time_of_day"].levels) == int((~hidden).sum())
    assert sum(level.n for level in found["weekday"].levels) == sent.events.size


def _all_silent(s):
    return replace(s, events=np.zeros_like(s.events))


def _all_interviews(s):
    return replace(s, events=s.trials)


def _one_person(s):
    return replace(s, person=s.person * 0)


def _one_employer(s):
    return replace(s, cluster=s.cluster * 0)


def _empty(_s):
    nothing, none = np.zeros(0), np.zeros(0, int)
    return Sent(nothing, nothing, none, none, dict.fromkeys(LEVELS, none), LEVELS)


def _no_times(s):
    return replace(s, factors={name: codes * 0 - 1 for name, codes in s.factors.items()})


def _one_time(s):
    return replace(s, factors={name: codes * 0 for name, codes in s.factors.items()})


@pytest.mark.parametrize(
    "change", [_all_silent, _all_interviews, _one_person, _one_employer, _empty, _no_times, _one_time]
)
def test_bad_input_is_told_with_what_is_missing(change):
    found = timing_effects(change(_sent(4, people=60)), alpha=0.005)
    for each in found.values():
        assert each.test is None
        assert each.best is None
        assert each.needed > 0
        assert all(level.ratio is None for level in each.levels)


def test_more_is_needed_the_less_there_is():
    few, many = (timing_effects(_sent(5, people=n), alpha=0.005)["weekday"].needed for n in (60, 240))
    assert few > many > 0


@pytest.mark.parametrize("seed", range(3))
def test_neither_the_order_of_rows_nor_names_matter_and_levels_go_with_their_names(seed):
    sent, dice = _sent([6, seed], people=60, ratios={4: 2.5}), np.random.default_rng(seed)
    found = timing_effects(sent, alpha=0.005)
    rows, names = dice.permutation(sent.events.size), dice.permutation(12)
    factors = {name: codes[rows] for name, codes in sent.factors.items()}
    factors["time_of_day"] = names[factors["time_of_day"]]
    columns = [getattr(sent, name)[rows] for name in ("events", "trials", "person", "cluster")]
    columns[2] = 900 - columns[2]
    other = timing_effects(Sent(*columns, factors, LEVELS), alpha=0.005)
    for name, place in (("weekday", np.arange(7)), ("time_of_day", names)):
        for at, level in enumerate(found[name].levels):
            twin = other[name].levels[place[at]]
            assert (twin.n, twin.ratio is None) == (level.n, level.ratio is None)
            if level.ratio is not None:
                assert (twin.ratio, twin.rate) == pytest.approx((level.ratio, level.rate), rel=1e-3)
        assert other[name].test.p_value == pytest.approx(found[name].test.p_value, rel=1e-3, abs=1e-9)


def test_over_applications_the_ratios_are_1_on_average():
    for each in timing_effects(_sent(7, people=80, ratios={3: 2.0}), alpha=0.005).values():
        told = [(level.n, level.ratio) for level in each.levels if level.ratio is not None]
        n, ratio = np.array(told).T
        assert n @ ratio / n.sum() == pytest.approx(1.0)


def test_the_joint_test_is_that_of_statsmodels():
    """Oracle: statsmodels 0.15, likelihood ratio of two ConditionalPoisson fits on the same applications.

    One application of each employer, so that no design effect is in between; a score test is near the ratio.
    """
    sent = _sent(10, people=80, each=40, ratios={4: 1.8, 6: 0.6})
    alone = replace(sent, cluster=np.arange(sent.events.size), factors={"hour": sent.factors["time_of_day"]})
    alone = replace(alone, levels={"hour": 12})
    test = timing_effects(alone, alpha=0.005)["hour"].test
    kept = np.isin(sent.person, np.unique(sent.person[sent.events > 0]))
    levels = [at for at in range(12) if sent.events[sent.factors["time_of_day"] == at].sum() > 0]
    x = (sent.factors["time_of_day"][:, None] == levels[1:]).astype(float)[kept]
    full = ConditionalPoisson(sent.events[kept], x, groups=sent.person[kept])
    fit = full.fit(disp=False)
    ratio = 2 * (full.loglike(fit.params) - full.loglike(np.zeros(x.shape[1])))
    assert stats.chi2.isf(test.p_value, test.effects) == pytest.approx(ratio, rel=0.25)


def test_the_share_of_answers_that_have_come_by_hand():
    """All in an hour less than a day 1, nothing to come: the weights are those of the model."""
    model = fit_silence(SilenceMoments.from_days(interviews=[1, 2], rejections=[3, 8, 9], silent=[300] * 10))
    done = answered_by(model, [0, 5, 300])
    assert done[0] == 0
    assert 0.3 < done[1] < 0.8
    assert done[2] > 0.98
    hidden = unseen_answers(model, 300)
    assert hidden[0] > 0.8
    assert hidden[-1] < 0.05
    assert (np.diff(hidden) <= 0).all()


def _folds(seed, *, median=9.0, each=30, silent=60, folds=16, cut=60):
    """Answers after log-normal days; those later than the age of the application are still to come."""
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(folds):
        days, age = median * np.exp(1.5 * rng.normal(size=each)), rng.uniform(1, cut, each)
        seen = days <= age
        made.append(
            SilenceMoments.from_days(
                rejections=days[seen], silent=np.concatenate([age[~seen], rng.uniform(1, cut, silent)])
            )
        )
    return made


def test_the_day_of_the_follow_up_is_the_median_of_answers_not_of_answers_so_far():
    told = follow_up(_folds(1, each=150), 7.0)
    assert 9.0 in told.interval
    assert told.days > 7.5
    assert told.current_interval.low < 0.5 - 0.05
    # Of 210 in a fold 150 answer: of the 135 silent at the median, 75 still do.
    assert told.still == pytest.approx(75 / 135, abs=0.05)


def test_its_interval_covers():
    covered = sum(9.0 in follow_up(_folds([2, seed], folds=6, each=60), 9.0).interval for seed in range(8))
    assert covered >= stats.binom.ppf(0.001, 8, 0.93)


def test_few_answers_ask_for_more():
    told = follow_up([SilenceMoments.from_days(rejections=[3], silent=[10] * 5)] * 4, 7.0)
    assert told.days is told.interval is told.still is None
    assert told.needed > 100
    assert follow_up([], 7.0).needed > 0
