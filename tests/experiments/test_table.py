"""Tables of units: experiments whose results are published, from their counts, and what may block them."""

import numpy as np
import pytest

from layer7.analytics.trials.arms import TableMetric
from layer7.contract.vocabulary import MetricShape
from layer7.errors import Layer7Error
from layer7.experiments.table import Extra, analyze
from layer7.statistics.trials import ArmMoments, Guarantee, Looking, Spectrum

KEPT = TableMetric(name="kept", shape=MetricShape.BINOMIAL, columns=("kept",))


def read(arms, control, **extra):
    """Analyse units and events by arm."""
    moments = {
        name: ArmMoments(n=n, sums=np.array([k], float), products=np.array([[k]], float))
        for name, (n, k) in arms.items()
    }
    units = {name: n for name, (n, _) in arms.items()}
    return analyze(
        [KEPT], {"kept": moments}, units=units, control=control, looking=Looking(), extra=Extra(**extra)
    )


def test_a_null_and_an_effect_of_one_game():
    """Cookie Cats (published by Tactile Entertainment with a course of DataCamp): the gate at level 40.

    One day later as many play (44.8 % and 44.2 %); seven days later fewer do (19.0 % and 18.2 %).
    """
    day = read({"gate_30": (44_700, 20_034), "gate_40": (45_489, 20_119)}, "gate_30")
    week = read({"gate_30": (44_700, 8_502), "gate_40": (45_489, 8_279)}, "gate_30")
    one, seven = (found.metrics["kept"]["gate_40"] for found in (day, week))
    assert (one.winner, seven.winner) == (None, "control")
    assert one.p_value == pytest.approx(0.0744, abs=5e-5)
    assert seven.p_value == pytest.approx(0.0016, abs=5e-5)
    assert seven.absolute_difference == pytest.approx(-0.0082, abs=5e-5)
    assert week.sample_ratio_p == pytest.approx(0.0086, abs=5e-5)
    assert week.blocked_by == ()


def test_a_strong_effect_in_two_of_three_arms():
    """Hillstrom's e-mails (MineThatData, 2008): visits rise by 7.7 and 4.5 points, also as a family."""
    found = read({"none": (21_306, 2_262), "men": (21_307, 3_894), "women": (21_387, 3_238)}, "none")
    gaps = {arm: round(each.absolute_difference, 4) for arm, each in found.metrics["kept"].items()}
    assert gaps == {"men": 0.0766, "women": 0.0452}
    assert all(each.familywise_p_value < 1e-40 for each in found.metrics["kept"].values())
    assert found.sample_ratio_p > 0.9


def test_a_split_that_is_not_the_planned_one():
    """Kohavi, Tang and Xu (2020), chapter 21: 821,588 and 815,482 users, p = 1.8e-6."""
    found = read({"a": (821_588, 90_000), "b": (815_482, 90_000)}, "a")
    assert found.sample_ratio_p == pytest.approx(1.8e-6, abs=5e-8)
    assert "sample ratio mismatch" in found.blocked_by[0]
    assert found.as_json()["sample_ratio_mismatch"]["is_mismatch"]


def test_shares_are_of_every_arm_and_errors_name_few_of_many():
    arms = {"a": (800, 80), "b": (200, 30)}
    assert read(arms, "a", planned={"a": 0.8, "b": 0.2}).sample_ratio_p > 0.9
    for planned in ({"a": 0.8}, {"a": 0.8, "b": 0.3}, {"a": float("nan"), "b": 0.2}):
        with pytest.raises(Layer7Error, match="planned shares"):
            read(arms, "a", planned=planned)
    with pytest.raises(Layer7Error, match=r"u10, u11, u12, u13, u14, u15, u16, u17, \.\.\.") as many:
        read({f"u{i}": (1, 0) for i in range(40)}, "a")
    assert many.value.code == "unknown_variant"
    with pytest.raises(Layer7Error, match="only variant"):
        read({"a": (10, 1)}, "a")


def test_times_quantiles_and_caps_are_told_beside_the_moments():
    """Each says how it was computed, and what it lacks where it cannot be told."""
    shape = MetricShape
    wait = TableMetric(name="wait", shape=shape.TIME_TO_EVENT, columns=("days", "hired"))
    median = TableMetric(name="median", shape=shape.QUANTILE, columns=("spent",))
    capped = TableMetric(name="capped", shape=shape.MEAN, columns=("spent",), winsorized=(0.0, 0.99))
    metrics, arms = (wait, median, capped), ("new", "old")
    moments = {arm: ArmMoments.of(np.arange(40.0)[:, None]) for arm in arms}
    days = np.array([5.0, 30.0])

    def told(hired, ordered):
        extra = Extra(
            waits={"wait": dict(zip(arms, hired, strict=True))},
            quantiles={"median": dict(zip(arms, ordered, strict=False))},
            caps={"capped": (0.0, 38.5)},
        )
        units = dict.fromkeys(arms, 40)
        found = analyze(
            metrics, {each.name: moments for each in metrics}, units=units, control="old",
            looking=Looking(guarantee=Guarantee.ANYTIME, planned=100), extra=extra,
        )  # fmt: skip
        return {name: each["new"] for name, each in found.metrics.items()}

    slow, fast = (
        Spectrum(values=days, counts=np.array([20.0, 20.0]), happened=np.array([events, 0.0]))
        for events in (2.0, 20.0)
    )
    found = told((slow, fast), ((1.0, 2.0, 3.0), (3.0, 4.0, 5.0)))
    assert found["wait"].winner == "treatment"
    assert found["wait"].treatment_metric == pytest.approx(5 + 25 * 38 / 40)
    assert found["wait"].method == "restricted mean of 30 units of time, by Kaplan and Meier's estimate"
    assert found["median"].absolute_difference == -2
    assert found["capped"].method.endswith("capped at 0 and 38.5, the quantiles 0 and 0.99 of all units")
    few = Spectrum(values=days, counts=np.array([20.0, 2.0]), happened=np.zeros(2))
    nobody = Spectrum(values=days, counts=np.array([4.0, 4.0]), happened=np.zeros(2))
    missing = told((few, nobody), ((1.0, 2.0, 3.0),))
    assert "In no arm" in missing["wait"].blocked_by[0]
    assert "40 units with a value" in missing["median"].blocked_by[0]


def test_few_events_are_tested_exactly_where_one_look_is_planned():
    found = read({"a": (40, 3), "b": (38, 8)}, "a").metrics["kept"]["b"]
    assert "Boschloo" in found.certificate
    assert found.p_value == pytest.approx(0.1121, abs=1e-3)
    flat = read({"a": (40, 0), "b": (38, 0)}, "a", in_several=20)
    assert flat.metrics["kept"]["b"].p_value is None
    assert flat.blocked_by == ("20 of 98 units were in several variants",)
    for units, said in (({}, "no units"), ({}, "All 9 units")):
        with pytest.raises(Layer7Error, match=said):
            read(units, "a", in_several=9 if "9" in said else 0)


def test_a_ratio_is_not_looked_at_early():
    """Three successes against none, hardly any other trial: many standard errors, and no proof."""
    rate = TableMetric(name="rate", shape=MetricShape.RATIO, columns=("interviews", "trials"))
    silent = [[0.0, 0.002]] * 200
    arms = {"old": ArmMoments.of(silent), "new": ArmMoments.of([[1.0, 1.0]] * 3 + silent)}
    units = {"old": 200, "new": 203}
    found = {
        way: analyze([rate], {"rate": arms}, units=units, control="old", looking=looking).metrics["rate"][
            "new"
        ]
        for way, looking in (
            ("once", Looking()),
            ("often", Looking(guarantee=Guarantee.ANYTIME, planned=400)),
        )
    }
    assert found["once"].p_value < 1e-6
    assert found["often"].p_value is None
    assert "Fewer than 10 units" in found["often"].blocked_by[0]
