"""Everybody's latest weeks, and whether people's own rates have fallen in them."""

import numpy as np
import pyarrow as pa
import pytest

from layer7.analytics import fated
from layer7.analytics.performance.falls import fall, fall_report, recent_weeks


def test_weeks_are_counted_back_from_the_end_of_the_night(build):
    """The night ends 90 days after the first of January: the latest week begins with the 83rd day."""
    make = build.application
    rows = build.applications(
        make(89),
        make(83, interview=2),
        make(82, rejection=1),
        make(34, interview=9),
        make(33, interview=9),
        make(0, rejection=3),
        make(1, sent=False),
        make(0, person="left", interview=2),
    )
    (found,) = recent_weeks(fated(rows), build.night(unseen=0.75)).to_pyarrow().to_pylist()
    assert (found["person"], found["weeks"]) == ("a0", 12)
    assert [found[f"k_{at}"] for at in range(9)] == [1, 0, 0, 0, 0, 0, 0, 1, 1]
    assert [found[f"seen_{at}"] for at in range(9)] == pytest.approx([1.25, 1, 0, 0, 0, 0, 0, 1, 2])


def test_nobody_to_compare_is_said(build):
    night = build.night(unseen=0.0)
    assert fall(recent_weeks(fated(build.applications()), night).to_pyarrow()) is None
    lately = recent_weeks(fated(build.applications(build.application(80))), night).to_pyarrow()
    assert fall(lately) is None
    (answer,) = fall_report(lately).values()
    assert answer.startswith("Whether rates have fallen cannot be told yet")


def table(latest, before):
    weeks = {f"k_{at}": [latest if at < 3 else 5] * 30 for at in range(8)} | {"k_8": [before] * 30}
    seen = {f"seen_{at}": [50.0] * 30 for at in range(8)} | {"seen_8": [500.0] * 30}
    return pa.table({"person": [str(at) for at in range(30)], "weeks": [18] * 30} | weeks | seen)


def test_a_fall_is_said_with_its_rates_its_size_and_whose_they_are():
    found = fall_report(table(1, 50))
    assert (found["alarm"], found["weeks"], found["people"]) == (True, 3, 30)
    low, high = found["ratio"]
    assert low < found["recent"] / found["before"] < high < 1
    assert found["answer"].startswith(
        "Interview rates have fallen: 2.0 % in the latest 3 weeks, 10.0 % before, of the same 30 people in"
        " both, so it is no change of who applies."
        f" That is {low:.2f} to {high:.2f} times what it was (95 %; p = "
    )


def test_no_fall_is_said_as_one_that_is_not_seen():
    found = fall_report(table(5, 50))
    low, high = found["ratio"]
    assert low < 1 < high
    assert found["answer"].startswith("No fall is seen of the 30 people who applied both in the latest")
    assert f"10.0 % now, 10.0 % then, {low:.2f} to {high:.2f} times as often (95 %)." in found["answer"]
    assert np.isfinite(found["p_value"])


def test_rates_that_began_lately_have_no_highest_factor():
    none_before = {f"k_{at}": [0] * 30 for at in range(1, 8)} | {"k_0": [9] * 30}
    late = table(5, 0)
    for name, values in none_before.items():
        late = late.set_column(late.schema.get_field_index(name), name, [values])
    found = fall_report(late)
    assert found["ratio"][1] is None
    assert f"at least {found['ratio'][0]:.2f} times as often" in found["answer"]


def test_without_a_single_interview_no_factor_is_said():
    nothing = table(0, 0)
    for at in range(3, 8):
        nothing = nothing.set_column(nothing.schema.get_field_index(f"k_{at}"), f"k_{at}", [[0] * 30])
    found = fall_report(nothing)
    assert (found["ratio"], found["alarm"]) == ([0.0, None], False)
    assert "0.0 % now, 0.0 % then. (The rate" in found["answer"]
