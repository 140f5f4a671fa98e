"""Everybody's latest weeks, and whether people's own rates have fallen in them."""

import numpy as np
import pyarrow as pa
import pytest

from layer7.analytics import fated
from layer7.analytics.performance.falls import fall, fall_words, recent_weeks


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
    lately = fall(recent_weeks(fated(build.applications(build.application(80))), night).to_pyarrow())
    assert lately is None
    assert fall_words(lately).startswith("Whether rates have fallen cannot be told yet")


def table(latest, before):
    weeks = {f"k_{at}": [latest if at < 3 else 5] * 30 for at in range(8)} | {"k_8": [before] * 30}
    seen = {f"seen_{at}": [50.0] * 30 for at in range(8)} | {"seen_8": [500.0] * 30}
    return pa.table({"person": [str(at) for at in range(30)], "weeks": [18] * 30} | weeks | seen)


def test_a_fall_is_said_with_its_rates_and_whose_they_are():
    found = fall(table(1, 50))
    assert (found.alarm, found.weeks, found.people) == (True, 3, 30)
    assert fall_words(found).startswith(
        "Interview rates have fallen: 2.0 % in the latest 3 weeks, 10.0 % before, of the same 30 people in"
        " both. So it is no change of who applies (p = "
    )


def test_no_fall_is_said_as_one_that_is_not_seen():
    words = fall_words(fall(table(5, 50)))
    assert words.startswith("No fall is seen of the 30 people who applied both in the latest")
    assert "before: 10.0 % now, 10.0 % then." in words
    assert np.isfinite(fall(table(5, 50)).p_value)
