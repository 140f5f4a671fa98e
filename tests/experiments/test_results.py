"""Results from the log: by hand, the laws, what blocks them, and the looks that they may claim."""

from datetime import timedelta

import numpy as np
import pyarrow as pa
import pytest
from scipy.stats import ttest_ind

from layer7.contract.effects import Look
from layer7.contract.experiments import Coverage
from layer7.experiments.information import information
from layer7.experiments.looks import planned_units, schedule
from layer7.experiments.results import results_of
from layer7.statistics.trials import ArmMoments, MetricKind, compare, critical
from made_up_trials import AS_OF, START, Design, alone, counted, drawn, planned, results, said

PLAN = {"minimum_sample_size": 100, "minimum_effect": 0.04}


def named(events, column, values):
    """The same events with other values in a column."""
    at = events.schema.get_field_index(column)
    return events.set_column(at, column, pa.array(values, events.schema.field(at).type))


def swapped(events):
    """The same log with the names of the arms exchanged."""
    names = np.array(events["variant_id"].to_pylist())
    return named(events, "variant_id", np.where(names == "control", "treatment", "control"))


def again(events):
    """The same exposures a second time, in the other arm."""
    return swapped(named(events, "event_id", [f"again-{i}" for i in range(events.num_rows)]))


def scenarios(events):
    """What may be wrong with an experiment's exposures, or special in them, by the name of the experiment."""
    arms = np.array(events["variant_id"].to_pylist())
    lost = (arms == "control") | (np.arange(arms.size) % 3 == 0)
    differs = np.arange(events.num_rows) % 2 == 0
    told = [f'{{"control":"APPLY","treatment":"{"IMPROVE" if d else "APPLY"}"}}' for d in differs]
    return {
        "exp": events,
        "swapped": swapped(events),
        "nobody": events.slice(0, 0),
        "twice": pa.concat_tables([events, again(events)]),
        "some-twice": pa.concat_tables([events, again(events.slice(0, 30))]),
        "one-arm": events.filter(arms == "control"),
        "lost": events.filter(lost),
        "few": events.filter(lost).slice(0, 12),
        "stranger": named(events, "variant_id", np.where(arms == "control", arms, "tretment")),
        "third": named(
            events,
            "variant_id",
            np.where((arms == "control") & (np.arange(arms.size) % 2 == 0), "other", arms),
        ),
        "triggered": named(
            named(events, "counterfactual_decisions", told), "decision", ["APPLY"] * events.num_rows
        ),
        "staged": events,
    }


CUT = START + timedelta(days=10)
STAGES = (Coverage(share=0.5, since=START.isoformat()), Coverage(share=1.0, since=CUT.isoformat()))


@pytest.fixture(scope="module")
def log():
    return drawn(Design(people=220, before=6, lift=1.0), np.random.default_rng(11), ("exp",))


@pytest.fixture(scope="module")
def analysed(log):
    """Analyse one of the scenarios under some plan; all of them are counted in one pass."""
    events, applications = log
    found = scenarios(events)
    everything = pa.concat_tables(
        [named(table, "experiment_id", [name] * table.num_rows) for name, table in found.items()]
    )
    plans = [planned(name) for name in found]
    plans[-1] = plans[-1].model_copy(update={"coverages": STAGES})
    counts = counted(everything, applications, plans)

    def analyse(name="exp", as_of=AS_OF, earlier=None, **changes):
        experiment = planned(name, **{**PLAN, **changes})
        return results_of(experiment, alone(counts, experiment, as_of), earlier)

    return analyse


def test_the_estimate_is_that_of_the_plain_columns(log, analysed):
    events, applications = log
    found = analysed(looking="fixed", maximum_duration_days=(AS_OF - START).days)
    arm = dict(zip(events["person"].to_pylist(), events["variant_id"].to_pylist(), strict=True))
    since = dict(zip(events["person"].to_pylist(), events["event_time"].to_pylist(), strict=True))
    sums = {name: np.zeros(2) for name in ("control", "treatment")}
    rows = zip(*(applications[n].to_pylist() for n in ("person", "submitted_at", "heard")), strict=True)
    for person, sent, heard in rows:
        if sent >= since[person]:
            sums[arm[person]] += (heard, 1)
    rates = {name: top / bottom for name, (top, bottom) in sums.items()}
    assert found.control_metric == pytest.approx(rates["control"], rel=1e-12)
    assert found.absolute_difference == pytest.approx(rates["treatment"] - rates["control"], rel=1e-12)
    assert found.winner == "treatment"
    assert "points" in found.sentence
    assert found.units == {"control": found.control_sample_size, "treatment": found.treatment_sample_size}
    assert found.adjusted_interval[0] < found.adjusted_difference < found.adjusted_interval[1]
    assert found.novelty[2].difference == pytest.approx(
        found.novelty[1].difference - found.novelty[0].difference
    )


def test_segments_are_shown_plain_and_drawn_together_with_a_warning(analysed):
    found = analysed()
    assert [each.name for each in found.segments] == ["junior", "senior"]
    assert sum(each.control_n for each in found.segments) == found.control_sample_size
    gaps = [each.difference for each in found.segments]
    drawn_in = [each.shrunken for each in found.segments]
    assert min(gaps) < min(drawn_in) < max(drawn_in) < max(gaps)
    assert 0 <= found.segments_p_value <= 1
    assert "in 10% of experiments" in found.segments_warning
    assert analysed("nobody").segments == ()


def test_capped_means_are_those_of_the_plain_columns_winsorised_at_their_quantile(log, analysed):
    """Reference: numpy's quantile over both arms, and Welch's test of scipy on the capped sums."""
    events, applications = log
    found = analysed(success_metric="applications_per_unit", looking="fixed", maximum_duration_days=56)
    arm = dict(zip(events["person"].to_pylist(), events["variant_id"].to_pylist(), strict=True))
    since = dict(zip(events["person"].to_pylist(), events["event_time"].to_pylist(), strict=True))
    sent = dict.fromkeys(arm, 0)
    for person, at in zip(
        applications["person"].to_pylist(), applications["submitted_at"].to_pylist(), strict=True
    ):
        sent[person] += at >= since[person]
    cap = np.ceil(np.quantile(list(sent.values()), 0.999))
    assert max(sent.values()) > cap - 1
    arms = [
        [min(n, cap) for person, n in sent.items() if arm[person] == name]
        for name in ("treatment", "control")
    ]
    reference = ttest_ind(*arms, equal_var=False)
    assert found.absolute_difference == pytest.approx(np.mean(arms[0]) - np.mean(arms[1]), rel=1e-12)
    assert found.p_value == pytest.approx(reference.pvalue, rel=1e-9)
    assert found.confidence_interval == pytest.approx(tuple(reference.confidence_interval(0.95)), rel=1e-9)


TALLIED = ("time_to_first_interview", "median_days_to_response", "p90_applications")


def test_waits_and_quantiles_are_told_beside_moments_and_may_decide():
    """With twice the interviews, people are without one for less time; they send as many applications."""
    design = Design(people=500, lift=1.5, spread=0.4)
    (found,) = results(design, np.random.default_rng(4), signal_metrics=TALLIED).values()
    wait, answer, sent = (found.signals[name] for name in TALLIED)
    assert wait.winner == "treatment"
    assert 0 < wait.treatment < wait.control < 28
    assert wait.control_n == found.control_sample_size
    assert answer.control_n < found.control_sample_size
    assert answer.interval[0] < answer.difference < answer.interval[1]
    assert sent.winner is None
    (first,) = results(
        design,
        np.random.default_rng(4),
        success_metric=TALLIED[0],
        looking="fixed",
        guardrail_metrics=TALLIED[2:],
    ).values()
    assert first.control_metric == wait.control
    assert first.confidence_interval[1] < 0
    assert first.novelty[2].name == "change"
    assert "days" not in first.blocked_by
    assert first.guardrails["p90_applications"].interval is not None


def test_swapping_the_arms_turns_the_sign(analysed):
    one, other = analysed(), analysed("swapped")
    assert other.absolute_difference == pytest.approx(-one.absolute_difference)
    assert other.confidence_interval == pytest.approx(
        tuple(-end for end in reversed(one.confidence_interval))
    )
    assert other.p_value == pytest.approx(one.p_value)
    assert (one.winner, other.winner) == ("treatment", "control")
    assert other.novelty[0].difference == pytest.approx(-one.novelty[0].difference)


def test_stages_are_never_pooled(analysed):
    found = analysed("staged")
    assert [part.name for part in found.stages] == ["stage 0", "stage 1"]
    n = [part.control_n + part.treatment_n for part in found.stages]
    mean = sum(w * part.difference for w, part in zip(n, found.stages, strict=True)) / sum(n)
    assert found.absolute_difference == pytest.approx(mean)
    assert found.absolute_difference != pytest.approx(analysed().absolute_difference, rel=1e-6)


def test_guardrails_are_read_at_any_time_against_their_margins(analysed):
    kept = ("response_rate", "applications_per_unit")
    metrics = {"guardrail_metrics": kept, "signal_metrics": ("offer_rate",)}
    found = analysed(**metrics, guardrail_margins={"applications_per_unit": 0.5})
    response, sent = (found.guardrails[name] for name in kept)
    assert response.non_inferior is True
    assert response.margin == pytest.approx(0.05 * found.control_metric, rel=0.1)
    assert sent.non_inferior is True
    assert sent.interval[0] < sent.difference < sent.interval[1]
    # There are no offers: nothing is claimed, nothing made up.
    assert found.signals["offer_rate"].p_value is None
    strict = analysed(**metrics, guardrail_margins={"applications_per_unit": 0.0})
    assert strict.guardrails["applications_per_unit"].non_inferior is False


@pytest.mark.parametrize(
    ("scenario", "said"),
    [
        ("nobody", "No unit has been exposed yet: check"),
        ("twice", "220 of 220 units met several variants"),
        ("some-twice", "30 of 220 units met several variants"),
        ("one-arm", "Nobody has been exposed to treatment"),
        ("lost", "do not split as planned"),
        ("stranger", "exposed to tretment, which the plan does not have"),
    ],
)
def test_what_is_wrong_blocks_and_is_said_with_what_to_do(analysed, scenario, said):
    found = analysed(scenario)
    assert any(said in reason for reason in found.blocked_by), found.blocked_by
    assert found.recommendation == "continue_test"
    assert found.sentence.startswith("No verdict may be read")


def test_what_cannot_be_told_is_null(analysed):
    for scenario in ("nobody", "twice", "one-arm", "stranger"):
        found = analysed(scenario)
        told = (found.p_value, found.confidence_interval, found.absolute_difference, found.winner)
        assert told == (None, None, None, None)
        assert found.arms["treatment"].looks == ()
    assert analysed("nobody").days_left is None
    assert (analysed("twice").in_several, analysed("twice").control_sample_size) == (220, 0)


def test_people_in_two_variants_are_left_out(analysed):
    found = analysed("some-twice")
    assert (found.in_several, sum(found.units.values())) == (30, 190)


def test_a_split_of_few_units_raises_no_alarm(analysed):
    assert analysed("lost").sample_ratio_p_value < 0.001
    few = analysed("few")
    assert few.sample_ratio_p_value > 0.001
    assert not any("split" in reason for reason in few.blocked_by)


def test_a_metric_without_variance(analysed):
    found = analysed(success_metric="jobs_applied_rate")
    assert found.control_metric == found.treatment_metric == 1.0
    assert (found.p_value, found.confidence_interval, found.winner) == (None, None, None)
    assert "does not vary" in found.blocked_by[0]


def test_arms_that_differed_before_block():
    """Those who had applied most before the start were all put into the treatment."""
    rng = np.random.default_rng(4)
    events, applications = drawn(Design(people=120), rng, ("exp",))
    people = events["person"].to_pylist()
    since = dict(zip(people, events["event_time"].to_pylist(), strict=True))
    earlier = [since[person] - timedelta(days=9) for person in applications["person"].to_pylist()]
    some = rng.random(applications.num_rows) < 0.4
    old = named(applications, "submitted_at", earlier).filter(some)
    old = named(old, "application_id", [f"old-{i}" for i in range(old.num_rows)])
    had = [old["person"].to_pylist().count(person) for person in people]
    arms = ["treatment" if n > np.median(had) else "control" for n in had]
    experiment = planned("exp")
    counts = counted(named(events, "variant_id", arms), pa.concat_tables([applications, old]), [experiment])
    found = results_of(experiment, said(counts, experiment))
    assert found.balance["before_submitted"] < 1e-6
    assert any("differed before the start" in reason for reason in found.blocked_by)


def test_triggered_units_alone(analysed):
    found = analysed("triggered").triggered
    assert found.control_n + found.treatment_n == 110
    assert "of 220 of 220 units" in found.name
    assert analysed().triggered is None


def test_two_experiments_that_strengthen_each_other():
    """The second treatment works only beside the first: (TT - CT) - (TC - CC) is what it adds."""
    rng = np.random.default_rng(8)
    events, applications = drawn(Design(people=900, rate=0.2, spread=0.1), rng, ("one",))
    arms = dict(zip(events["person"].to_pylist(), events["variant_id"].to_pylist(), strict=True))
    others = {name: ("control", "treatment")[i % 2] for i, name in enumerate(sorted(arms))}
    both = [arms[p] == others[p] == "treatment" for p in applications["person"].to_pylist()]
    heard = np.array(applications["heard"].to_pylist()) | (np.array(both) & (rng.random(len(both)) < 0.3))
    for name, column in (("heard", heard), ("max_stage", np.where(heard, "interview", "submitted"))):
        applications = named(applications, name, column)
    second = named(events, "event_id", [f"x{i}" for i in range(events.num_rows)])
    for name, column in (
        ("experiment_id", ["two"] * events.num_rows),
        ("variant_id", [others[p] for p in events["person"].to_pylist()]),
    ):
        second = named(second, name, column)
    experiments = [planned("one", signal_metrics=TALLIED[:1]), planned("two")]
    found = counted(pa.concat_tables([events, second]), applications, experiments)
    effects = [results_of(each, said(found, each)).interactions for each in experiments]
    assert [effect[0].name for effect in effects] == ["two: treatment", "one: treatment"]
    assert effects[0][0].interval[0] < 0.24 < effects[0][0].interval[1]
    assert effects[0][0].difference == pytest.approx(effects[1][0].difference, abs=0.02)
    assert effects[0][0].p_value < 0.001
    timed = experiments[0].model_copy(update={"success_metric": "time_to_first_interview"})
    told = results_of(timed, said(found, timed)).interactions
    assert [effect.name for effect in told] == ["two: treatment, in reached_interview"]


def test_several_treatments_share_alpha_and_the_best_is_shown(analysed):
    control, treatment = planned("x").variants
    other = treatment.model_copy(update={"variant_id": "other", "value": 60, "allocation": 0.25})
    quarter = control.model_copy(update={"allocation": 0.25})
    found = analysed("third", variants=(quarter, treatment, other))
    assert found.variant_id == "treatment"
    assert sorted(found.arms) == ["other", "treatment"]
    assert found.arms["other"].winner is None
    assert "at most 0.025 of" in found.certificate
    assert found.sample_ratio_p_value > 0.001


def test_looks_are_taken_when_they_are_due(analysed):
    """A night between two looks shows where it stands, and decides nothing."""
    plan = {"minimum_sample_size": 400, "looks": 4}
    first = analysed(**plan)
    assert (first.look, len(first.arms["treatment"].looks), first.planned_units) == (1, 1, 800.0)
    assert first.winner == "treatment"
    later = analysed(as_of=AS_OF + timedelta(days=1), earlier=first, **plan)
    assert later.arms["treatment"].looks == first.arms["treatment"].looks
    assert later.winner == "treatment"
    assert "the next is at" in later.sentence
    assert analysed(earlier=later, **plan) == first


def test_the_schedule_by_hand():
    experiment = planned("exp", minimum_sample_size=200, looks=4)
    assert planned_units(experiment, "treatment", "control") == 400
    control, treatment = experiment.variants
    shares = (
        control.model_copy(update={"allocation": 0.8}),
        treatment.model_copy(update={"allocation": 0.2}),
    )
    unequal = experiment.model_copy(update={"variants": shares})
    assert planned_units(unequal, "treatment", "control") == 1000
    early = schedule(experiment, 60, planned=400, past=(), share=0.2)
    assert (early.is_due, early.next_share) == (False, 0.25)
    assert schedule(experiment, 60, planned=400, past=(), share=0.3).is_due
    assert not schedule(experiment, 0, planned=400, past=(), share=0.3).is_due
    past = (Look(at="2026-01-20", units=60, information=12.0, share=0.3),)
    assert not schedule(experiment, 150, planned=400, past=past, share=0.45).is_due
    second = schedule(experiment, 210, planned=400, past=past, share=0.6)
    assert (second.is_due, second.next_share) == (True, 0.75)
    looking = second.knowing(20.0)
    assert (looking.fractions, looking.spending) == ((0.6, 1.0), (0.3, 0.6))
    assert second.knowing(6.0).fractions == (1.0, 1.0)
    ended = schedule(experiment, 210, planned=400, past=past, share=1.0)
    assert ended.knowing(20.0).spending == (0.3, 1.0)
    last = Look(at="2026-01-20", units=410, information=20.0, share=1.0, is_last=True)
    over = schedule(experiment, 500, planned=400, past=(last,), share=1.0)
    assert (over.is_due, over.is_complete, over.next_share) == (False, True, None)
    always = schedule(
        experiment.model_copy(update={"looking": "anytime"}), 5, planned=400, past=(), share=0.1
    )
    assert (always.is_due, always.next_share) == (True, None)
    assert always.knowing(20.0) == always.looking


def test_alpha_is_spent_by_time_and_looks_hang_together_by_information():
    """All units come early and go on telling: six looks of 200 experiments without any effect."""
    rng = np.random.default_rng(17)
    experiment = planned("exp", minimum_sample_size=100, looks=6, maximum_duration_days=60)
    alarms = 0
    for _ in range(200):
        rate = rng.gamma(1.5, 0.08, (2, 150))
        told, sent, past = np.zeros((2, 150)), np.zeros((2, 150)), ()
        for step in range(1, 7):
            new = rng.poisson(4, (2, 150))
            told, sent = told + rng.binomial(new, np.minimum(rate, 1)), sent + new
            arms = [ArmMoments.of(np.column_stack([told[arm], sent[arm]])) for arm in (0, 1)]
            gap = compare(*arms, kind=MetricKind.RATIO).difference
            known = information(told.sum() / sent.sum(), gap.standard_error)
            plan = schedule(experiment, 300, planned=200, past=past, share=step / 6)
            assert plan.is_due
            if abs(gap.estimate) > critical(gap, plan.knowing(known)) * gap.standard_error:
                alarms += 1
                break
            past = (*past, Look(at="2026-01-20", units=300, information=known, share=step / 6))
    assert abs(alarms / 200 - 0.05) < 3.3 * (0.05 * 0.95 / 200) ** 0.5


def test_days_left_and_power_come_from_traffic_and_variance(analysed):
    found = analysed(as_of=START + timedelta(days=20), minimum_sample_size=400, minimum_effect=0.05)
    pace = sum(found.units.values()) / 20
    assert found.days_left == pytest.approx((800 - sum(found.units.values())) / pace, rel=0.35)
    assert found.statistical_power < found.power_at_end < 1
    assert "more units: about" in found.what_would_change_this
    anytime = analysed(as_of=START + timedelta(days=20), looking="anytime", minimum_effect=0.05)
    assert 0 < anytime.power_at_end < 1


@pytest.mark.parametrize("by_application", [False, True])
def test_false_alarms_come_as_often_as_promised(by_application):
    """150 experiments without any effect, people whose rates differ: 5 % alarms, inside a band of 99.9 %."""
    design = Design(people=24 if by_application else 60, per_person=14, by_application=by_application)
    names = [f"x{i:03}" for i in range(150)]
    changes = {
        "looking": "fixed",
        "minimum_sample_size": 20,
        "unit": "application" if by_application else "user",
    }
    found = results(design, np.random.default_rng(1234 + by_application), names=names, **changes)
    alarms = sum(each.p_value is not None and each.p_value < 0.05 for each in found.values())
    assert 1 <= alarms <= 17
    covered = [each.confidence_interval[0] <= 0 <= each.confidence_interval[1] for each in found.values()]
    assert sum(covered) == 150 - alarms
    unbalanced = sum("differed before" in reason for each in found.values() for reason in each.blocked_by)
    assert unbalanced <= 3
