"""Randomised evidence of a segment: told where an experiment is decided, and its level leaves out "none"."""

from types import SimpleNamespace

import pytest

from decided_trials import effect, experiment
from layer7.analytics.segments.proven import proven
from layer7.contract.evidence import Period

WINDOW = Period(start="2026-01-05", end="2026-03-02")


SENIOR = effect("senior", 0.02, 0.01, 0.03)
WORSE = effect("entry", -0.03, -0.05, -0.01)


def told(*experiments, level="senior"):
    return proven(experiments, level, people=640, window=WINDOW)


def test_what_is_better_at_a_level_is_a_strategy_of_its_people():
    (good,), bad = told(experiment(WORSE, SENIOR))
    assert (good.strategy, good.basis, good.experiment_id) == (
        "Follow up after 5 days (Follow-ups)", "randomised", "e1",
    )  # fmt: skip
    assert (good.difference, good.difference_interval, good.n) == (0.02, (0.01, 0.03), 620)
    assert good.success_rate is good.odds_ratio is None
    assert "experiment e1" in good.method
    assert bad == ()


def test_what_is_worse_at_a_level_is_a_pitfall_of_as_many_as_got_it():
    good, (bad,) = told(experiment(WORSE, SENIOR, verdict="keep_control"), level="entry")
    assert good == ()
    assert bad.frequency == pytest.approx(0.5)
    assert bad.negative_impact == "lowers the interview rate by 3.0 points, as an experiment has shown"


@pytest.mark.parametrize(
    "other",
    [
        experiment(SENIOR, verdict="continue"),
        experiment(SENIOR, verdict=None),
        experiment(SENIOR, metric="offer_rate"),
        experiment(effect("senior", 0.02, -0.001, 0.04)),
        experiment(effect("senior", None, None, None)),
        experiment(WORSE),
        experiment(),
    ],
)
def test_nothing_is_said_without_a_verdict_or_where_the_level_may_be_none(other):
    assert told(other) == ((), ())


def test_people_of_all_levels_together_have_no_level():
    assert told(experiment(SENIOR), level=None) == ((), ())
    assert told(SimpleNamespace(results=None)) == ((), ())


def test_the_largest_difference_comes_first():
    good, _ = told(
        experiment(effect("senior", 0.01, 0.002, 0.02), name="small"), experiment(SENIOR, name="large")
    )
    assert [each.experiment_id for each in good] == ["large", "small"]
