"""Tables of units: experiments whose results are published, from their counts, and what may block them."""

import numpy as np
import pytest

from layer7.analytics.arms import TableMetric
from layer7.contract.vocabulary import MetricShape
from layer7.errors import Layer7Error
from layer7.experiments.table import Extra, analyze
from layer7.statistics.trials import ArmMoments, Looking

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
