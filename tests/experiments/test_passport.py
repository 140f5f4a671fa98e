"""The design passport: by hand, against references, laws, and whether its error rates are what they claim."""

import math
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from layer7.errors import Layer7Error
from layer7.experiments.design import design, looks_of, plan_of
from layer7.experiments.information import information, planned_information, reaches
from layer7.experiments.metrics import METRICS, metric
from layer7.experiments.passport import Evidence, passport
from layer7.experiments.plan import passed, specified
from layer7.experiments.replication import ByAttempt, ByUnit, limits, run_often
from layer7.experiments.traffic import NEVER, Attempts, replayed
from layer7.statistics.trials import ArmMoments, Guarantee, MetricKind, bounds, compare, units_needed

END = 20_000.0
RATE = METRICS["interview_rate"]
NONE = np.zeros(0)


def log(people=600, each=12, rate=0.1, *, spread=0.0, days=40, wait=2.0, seed=1):
    """A log of people who apply evenly over its days, and differ as a beta law with this spread."""
    rng = np.random.default_rng(seed)
    size = people * each
    unit = np.repeat(np.arange(people), each)
    began = END - days + days * rng.random(size)
    own = np.full(people, rate)
    if spread:
        a = rate * (rate * (1 - rate) / spread**2 - 1)
        own = rng.beta(a, a * (1 - rate) / rate, people)
    happened = np.where(rng.random(size) < own[unit], began + wait * rng.random(size), NEVER)
    happened[happened > END] = NEVER
    return Attempts(unit=unit, began=began, happened=happened, settled=happened, value=np.ones(size))


def traffic(attempts, *, days=28, looks=(0.25, 0.5, 0.75, 1.0), kind=RATE, unseen=NONE):
    return replayed(attempts, kind, end=END, days=days, looks=looks, unseen=unseen)


def evidence(attempts):
    return Evidence(attempts=attempts, unseen=NONE, end=datetime.fromtimestamp(END * 86_400, UTC))


def planned(**changes):
    return specified(0).model_copy(update={"maximum_duration_days": 28, "minimum_effect": 0.04} | changes)


def test_a_stretch_by_hand():
    """Two people, three applications; the last week is played again, with looks after 3.5 and 7 days.

    Silence of 4 days takes a half off a trial, of 1 day 0.8; what was rejected is a whole trial.
    """
    rows = Attempts(
        unit=np.array([0, 0, 1, 1]),
        began=END - np.array([9.0, 6.5, 6.0, 2.0]),
        happened=np.array([NEVER, END - 1.0, NEVER, NEVER]),
        settled=np.array([NEVER, END - 1.0, END - 5.0, NEVER]),
        value=np.ones(4),
    )
    unseen = np.array([0.9, 0.8, 0.7, 0.6, 0.5])
    found = traffic(rows, days=7, looks=(0.5, 1.0), unseen=unseen)
    assert found.units == 2
    first, last = found.values(0), found.values(1)
    assert first[0].tolist() == [0, 0, 0]
    assert first[1].tolist() == pytest.approx([1 - 0.6, 1, 0])
    assert last[0].tolist() == [1, 0, 0]
    assert last[1].tolist() == pytest.approx([1, 1, 1 - 0.7])
    assert found.rate == pytest.approx(1 / 2.3)


def test_units_needed_agree_with_the_formula_for_two_proportions():
    """People with one application each: the z test of two proportions with pooled variance."""
    found = traffic(log(4000, 1, days=28))
    plan = plan_of(planned(minimum_effect=0.05), RATE, found.rate)
    told = design(found, plan, reach=1.959964)
    p = found.rate
    assert told.needed == pytest.approx(units_needed(0.05, (p * (1 - p),) * 2), abs=2)
    assert told.detectable == pytest.approx(
        (stats.norm.ppf(0.975) + stats.norm.ppf(0.8)) * math.sqrt(4 * p * (1 - p) / found.units), rel=0.01
    )
    assert told.design_effect == pytest.approx(1.0, abs=0.01)


def test_splitting_applications_needs_as_many_fewer_as_people_differ():
    """Beta-binomial: the design effect is 1 + (m - 1) icc, icc = spread² / (p (1 - p)) (Kish 1965)."""
    found = traffic(log(3000, 20, spread=0.09, days=28))
    told = design(found, plan_of(planned(), RATE, found.rate), reach=1.96)
    icc = 0.09**2 / (0.1 * 0.9)
    assert told.design_effect == pytest.approx(1 + 19 * icc, rel=0.1)
    assert told.between_sd == pytest.approx(0.09, rel=0.1)
    assert told.detectable_by_attempt == pytest.approx(told.detectable / math.sqrt(told.design_effect))


def test_duration_follows_the_traffic():
    """Applications come evenly, so information grows in proportion to time."""
    found = traffic(log(2000, 14, days=28))
    told = design(found, plan_of(planned(minimum_effect=0.015), RATE, found.rate), reach=1.96)
    se = told.detectable / (1.96 + 0.8416)
    wanted = 28 * (1.96 + 0.8416) ** 2 / (0.015**2 / se**2)
    assert told.days_needed == pytest.approx(wanted, rel=0.1)


def test_information_of_what_grows_is_the_squared_correlation_of_looks():
    """An indicator that stays on: corr² of two looks is the ratio of the odds, as information is."""
    rng = np.random.default_rng(3)
    when = rng.exponential(20.0, 200_000)
    early, late = when < 5, when < 15
    correlation = np.corrcoef(early, late)[0, 1]
    known = [information(each.mean(), each.std()) for each in (early, late)]
    assert correlation**2 == pytest.approx(known[0] / known[1], rel=0.02)
    assert information(0.1, 0.0) == information(0.1, math.inf) == 0.0
    with pytest.raises(Layer7Error):
        planned_information(0.0)


@given(st.lists(st.floats(0.01, 1e4), min_size=1, max_size=4), st.floats(0.01, 1e6))
@settings(max_examples=25, deadline=None)
def test_reaches_depend_on_shares_of_information_alone(steps, scale):
    looks = np.cumsum(steps)
    asked = {"guarantee": Guarantee.GROUP_SEQUENTIAL, "alpha": 0.05, "planned": 1.0}
    found = reaches(looks.tolist(), **asked)
    assert found == pytest.approx(reaches((looks * scale).tolist(), **asked), rel=1e-6)
    time = [(at + 1) / len(looks) for at in range(len(looks))]
    assert found == pytest.approx(bounds((looks / looks[-1]).tolist(), 0.05, spending=time), rel=1e-6)
    fixed = reaches(looks.tolist(), guarantee=Guarantee.FIXED, alpha=0.05, planned=1.0)
    assert fixed[-1] == pytest.approx(1.959964)
    assert all(math.isinf(each) for each in fixed[:-1])


@pytest.mark.parametrize("kind", [ByUnit, ByAttempt])
def test_what_is_put_in_comes_out(kind):
    """The mean of the estimates is the planted effect, their spread the standard error claimed."""
    found = traffic(log(spread=0.05))
    replicas, rng = kind(found, units=found.units), np.random.default_rng(11)
    for effect in (0.0, 0.03, -0.03):
        runs = run_often(replicas, RATE.shape, effect=effect, runs=250, rng=rng)
        last, error = runs.estimate[:, -1], runs.error[:, -1].mean()
        assert last.mean() == pytest.approx(effect, abs=3 * error / math.sqrt(250) + 0.002)
        assert last.std() == pytest.approx(error, rel=0.15)


def test_false_alarms_are_as_rare_as_promised():
    """Binomial band of 600 runs about 5 %: 3.2 to 6.9 %; people who differ and apply on, four looks."""
    found = traffic(log(spread=0.08))
    rng = np.random.default_rng(5)
    for kind in (ByUnit, ByAttempt):
        runs = run_often(kind(found, units=found.units), RATE.shape, effect=0.0, runs=600, rng=rng)
        reach = limits(runs, guarantee=Guarantee.GROUP_SEQUENTIAL, alpha=0.05, planned=1.0)
        assert 0.032 <= (runs.proven_at(reach) < 4).mean() <= 0.069


def test_daily_looks_keep_their_promise_while_hardly_anybody_has_been_answered():
    """On the first day silence is not judged yet: nearly all that counts as a trial has succeeded.

    Looked at all the same, the first day alone calls a false alarm in a quarter of these experiments.
    """
    rng = np.random.default_rng(12)
    people, days, runs = 900, 14, 200
    unit = np.repeat(np.arange(people), 8)
    began = END - days + days * rng.random(unit.size)
    law = stats.lognorm(s=1.6, scale=5.0)
    own = rng.beta(1.2, 16, people)[unit]
    happened = np.where(rng.random(unit.size) < own, began + law.rvs(unit.size, random_state=rng), NEVER)
    happened[happened > END] = NEVER
    rows = Attempts(unit=unit, began=began, happened=happened, settled=happened, value=np.ones(unit.size))
    looks = tuple((at + 1) / days for at in range(days))
    unseen = 1 - law.cdf(np.arange(days) + 0.05)
    replicas = ByUnit(traffic(rows, days=days, looks=looks, unseen=unseen), units=people)
    found = run_often(replicas, RATE.shape, effect=0.0, runs=runs, rng=rng)
    asked = {"guarantee": Guarantee.GROUP_SEQUENTIAL, "alpha": 0.05, "planned": planned_information(0.25)}
    reach = limits(found, **asked)
    false = (found.proven_at(reach) < days).sum()
    shown = (np.abs(found.estimate) <= reach * found.error).all(axis=1).sum()
    assert 1 <= false <= stats.binom.ppf(0.999, runs, 0.05)
    assert shown >= stats.binom.ppf(0.001, runs, 0.95)


def test_a_design_with_power_is_sound_and_one_without_says_what_would_do():
    rng = np.random.default_rng(2)
    fine = passport(planned(minimum_effect=0.05), evidence(log()), rng=rng, runs=60)
    assert fine.judgement == "sound"
    assert fine.feasible == ()
    assert fine.power.value > 0.8
    assert fine.false_positive_rate.value < 0.2
    assert fine.days_to_stop_harm.value <= 28
    weak = passport(planned(minimum_effect=0.01), evidence(log(spread=0.1)), rng=rng, runs=60)
    assert weak.judgement == "underpowered"
    assert any("weeks" in way for way in weak.feasible)
    assert any("unit application" in way for way in weak.feasible)
    assert weak.detectable_effect > 0.01
    with pytest.raises(Layer7Error) as refused:
        passed(planned(minimum_effect=0.01), weak)
    assert refused.value.code == "underpowered"
    assert "weeks" in refused.value.hint
    assert passed(planned(minimum_effect=0.01), weak, accepted=True).passport is weak
    with pytest.raises(Layer7Error) as other:
        passed(planned(), weak)
    assert other.value.code == "other_passport"


def test_power_is_as_often_proven_on_fresh_logs_as_the_passport_says():
    """Logs in which the treatment's own rate is higher, in place of one log with changed outcomes.

    Both are Monte-Carlo figures of 200: their difference has a standard error of 4.6 points, 3.3 are allowed.
    """
    plan = planned(minimum_sample_size=50)
    claimed = passport(
        plan, evidence(log(500, spread=0.05)), rng=np.random.default_rng(3), runs=200
    ).power.value
    rng, runs = np.random.default_rng(4), 200
    found = np.zeros((runs, 4, 2))
    value = np.zeros((runs, 4))
    for at in range(runs):
        control, treatment = (
            traffic(log(250, rate=rate, spread=0.05, seed=rng.integers(2**32))) for rate in (0.1, 0.14)
        )
        for look in range(4):
            arms = [rows_of(arm, look) for arm in (control, treatment)]
            told = compare(*arms, kind=MetricKind.RATIO)
            found[at, look] = told.difference.estimate, told.difference.standard_error
            value[at, look] = (told.control + told.treatment) / 2
    known = ((value / found[..., 1]) ** 2).mean(axis=0)
    reach = reaches(known.tolist(), guarantee=Guarantee.GROUP_SEQUENTIAL, alpha=0.05, planned=1.0)
    proven = (np.abs(found[..., 0]) > reach * found[..., 1]).any(axis=1).mean()
    assert 0.5 < claimed < 0.95
    assert proven == pytest.approx(claimed, abs=3.3 * 0.046)


def rows_of(arm, look):
    """The moments of everybody of a log at a look."""
    top, bottom = (np.bincount(arm.attempts.unit, column, arm.units) for column in arm.values(look))
    rows = np.stack((top, bottom), axis=1)[bottom > 0]
    return ArmMoments(n=float(len(rows)), sums=rows.sum(axis=0), products=rows.T @ rows)


def test_a_ramp_lets_people_join_at_its_stages_and_a_budget_says_what_it_costs():
    """A fifth from the start and everybody after a week: between a fifth all along, and everybody."""
    plan = planned(coverage=0.2, alpha=0.0014)
    whole = evidence(log(900))
    told = [
        passport(plan, replace(whole, stages=stages), rng=np.random.default_rng(2), runs=60)
        for stages in ((), ((0.0, 0.2), (7.0, 1.0)), ((0.0, 1.0),))
    ]
    powers = [each.power.value for each in told]
    assert powers[0] < powers[1] < powers[2]
    assert "20% from day 0, 100% from day 7" in told[1].sentence
    assert "takes 2.1 times the people of 0.05" in told[1].sentence
    assert not any("coverage 1" in way for way in told[1].feasible)
    assert told[1].plan_hash == told[0].plan_hash
    joined = log(900).joining(((0.0, 0.2), (7.0, 1.0)), END - 28)
    first = (joined.began >= END - 28) & (joined.began < END - 21)
    before = log(900).within(END - 28, END - 21).began.size
    assert first.sum() == pytest.approx(before / 5, rel=0.1)
    assert (joined.began >= END - 21).sum() == log(900).within(END - 21, END).began.size


def test_more_people_than_come_are_never_waited_for_in_vain():
    found = passport(
        planned(minimum_sample_size=5000), evidence(log()), rng=np.random.default_rng(1), runs=20
    )
    assert found.judgement == "underpowered"
    assert "5000" in found.sentence
    assert found.power.value == 0.0
    assert any("minimum_sample_size" in way for way in found.feasible)


@pytest.mark.parametrize(
    ("attempts", "changes", "said"),
    [
        (Attempts.none(), {}, "nothing"),
        (log(days=10), {}, "reaches back 10 days"),
        (log(rate=0.0), {}, "nothing happened"),
        (log(), {"success_metric": "interviews_per_unit", "unit": "application"}, "people"),
        (log(), {"success_metric": "time_to_first_interview"}, "no sum"),
        (log(), {"success_metric": "p90_applications"}, "no sum"),
    ],
)
def test_what_the_log_cannot_tell_is_said(attempts, changes, said):
    found = passport(planned(**changes), evidence(attempts), rng=np.random.default_rng(1), runs=20)
    assert found.judgement == "cannot_tell"
    assert said in found.sentence
    instead = METRICS[changes.get("success_metric", "interview_rate")].instead
    assert instead is None or f"Let {instead} decide" in found.feasible[0]
    assert found.power is None
    with pytest.raises(Layer7Error) as refused:
        passed(planned(**changes), found)
    assert refused.value.code == "power_unknown"


@pytest.mark.parametrize("looking", ["gst", "anytime", "fixed"])
@pytest.mark.parametrize("name", ["reached_interview", "interviews_per_unit", "days_to_response"])
def test_every_kind_of_metric_and_way_of_looking_has_a_passport(looking, name):
    asked = planned(looking=looking, success_metric=name, minimum_effect=None, minimum_sample_size=50)
    found = passport(asked, evidence(log()), rng=np.random.default_rng(1), runs=40)
    assert found.effect_is_assumed
    assert found.false_positive_rate.value <= 0.2
    assert len(looks_of(asked)) == {"gst": 4, "anytime": 4, "fixed": 1}[looking]


def test_nothing_but_the_dice_decides_twice():
    asked = (planned(), evidence(log(people=80)))
    one, two = (passport(*asked, rng=np.random.default_rng(7), runs=20) for _ in range(2))
    assert one == two
    with pytest.raises(Layer7Error):
        passport(*asked, rng=np.random.default_rng(7), runs=1)


def test_less_is_better_where_it_is():
    found = passport(
        planned(success_metric="rejection_rate"), evidence(log()), rng=np.random.default_rng(7), runs=20
    )
    assert metric("rejection_rate").higher_is_better is False
    assert found.power.value > found.false_positive_rate.value
