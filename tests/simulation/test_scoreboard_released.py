"""The line on what others see: intervals of released segments, against the truth of their votes."""

import numpy as np
import pyarrow as pa
import pytest

from layer7.analytics.release.contributions import start_of
from layer7.contract.analytics import SegmentCriteria, UserSegment
from layer7.simulation import SCENARIOS
from layer7.simulation.scoreboard import MEASURES, Figure, released
from layer7.simulation.scoreboard.released import _covered, _true_rates, segments_that_others_see


def segment(name, value, low, high, n):
    return UserSegment(
        segment_id=name, criteria=SegmentCriteria(), user_count=1, avg_interview_rate=value, n=n,
        avg_applications_to_interview=None, avg_time_to_offer_weeks=None, successful_strategies=(),
        common_pitfalls=(), interval=(low, high), level=0.95,
    )  # fmt: skip


def test_intervals_are_counted_and_wilson_knows_of_no_noise():
    """At 40 of 1,000 Wilson's interval is 2.95 to 5.40 %."""
    shown = [segment(name, 0.04, 0.02, 0.07, 1000) for name in ("in both", "in the wide one", "in none")]
    truth = {"in both": 0.05, "in the wide one": 0.06, "in none": 0.08}
    found = _covered(shown, truth)
    assert (found.engine, found.naive) == (Figure(2.0, 3), Figure(1.0, 3))


class Told:
    """A history of three applications of two people: one of each in the first week, one in the second."""

    def __init__(self):
        day = np.datetime64(start_of(100), "s")
        sent = pa.array(day + np.array([0, 3600, 7 * 86_400]).astype("timedelta64[s]"))
        late = pa.array([day + np.timedelta64(10, "D"), None, day + np.timedelta64(90, "D")], sent.type)
        never = pa.nulls(3, sent.type)
        self.people = pa.table({"user_id": ["anna", "ben"]})
        self.applications = pa.table(
            {
                "submitted": [True] * 3, "submitted_at": sent, "submitted_local": sent, "person": [0, 0, 1],
                "probability": [0.2, 0.4, 0.1], "seniority": ["Senior", "Mid", "Senior"],
                "interviewed": [True, False, True], "stage": ["interview", "submitted", "interview"],
                "interview_logged_local": late, "onsite_logged_local": never, "decision_logged_local": never,
            }
        )  # fmt: skip


def test_the_truth_is_the_mean_over_votes_of_what_is_told_of_in_time():
    """Half of the interviews are told of in time; Anna's week is one vote of 0.3 and Ben's one of 0.1."""
    found = _true_rates(Told(), {}, range(100, 102))
    assert found["everyone"] == pytest.approx(0.5 * (0.3 + 0.1) / 2)
    assert found["senior"] == pytest.approx(0.5 * (0.2 + 0.1) / 2)
    assert found["mid"] == pytest.approx(0.5 * 0.4)


def test_the_trial_gives_its_lines_figures(monkeypatch):
    """Without the noise, which no seed repeats: of so few people it may leave nothing to be shown."""
    monkeypatch.setattr(released, "noisy", lambda counts, _layout: counts)
    told = segments_that_others_see(SCENARIOS["default"], 60, 3)
    assert set(told) == {measure.key for measure in MEASURES if measure.scenario == "S14"}
    assert told["coverage"].engine.n >= told["coverage"].engine.value >= 1
