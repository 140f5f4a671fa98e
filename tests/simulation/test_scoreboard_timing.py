"""The lines on timing, weights of the fit score, and what single people are told of changes."""

from datetime import date, timedelta

import numpy as np
import pytest

from layer7.simulation import SCENARIOS, simulate
from layer7.simulation.scoreboard import MEASURES, drift
from layer7.simulation.scoreboard.drift import _halved, _Look, _told
from layer7.simulation.scoreboard.log import replay
from layer7.simulation.scoreboard.score_weights import weighed
from layer7.simulation.scoreboard.timing import _CLAIMS, _best, advice, orders_better
from layer7.statistics import ScoreParts, Sent


def keys(trial):
    return {measure.key for measure in MEASURES if measure.trial.name == trial}


@pytest.mark.parametrize(
    ("trial", "market", "weeks"), [("S12a timing", SCENARIOS["S12a"], 2), ("S12b timing", _CLAIMS, 8)]
)
def test_a_trial_on_timing_gives_what_its_lines_ask_for(trial, market, weeks):
    told = advice(market, 60, weeks, 3)
    assert keys(trial) < set(told)
    assert told["advised"].naive.value == 1, "the sketch always names a day"
    assert told["advised"].engine.value == (trial == "S12b timing")


def test_a_trial_on_parts_of_the_score_gives_what_its_lines_ask_for():
    assert keys("S4_parts") == keys("S4_one_part") == set(weighed("S4_parts", 60, 2, 3))


def test_the_naive_rules_by_hand():
    """Level 1 has 20 applications and the larger share; level 2 has too few to count."""
    level = np.repeat([0, 1, 2, -1], [30, 20, 5, 9])
    heard = np.concatenate([np.arange(30) < 6, np.arange(20) < 5, np.ones(5), np.ones(9)]).astype(float)
    nobody = np.zeros(level.size, int)
    sent = Sent(heard, np.ones(level.size), nobody, nobody, {"age": level}, {"age": 3})
    assert _best(sent, "age") == 1
    rng = np.random.default_rng(1)
    parts = rng.random((900, 4))
    events = (rng.random(900) < parts[:, 3]).astype(float)
    log = ScoreParts(parts, np.zeros((900, 0)), events, events, *np.zeros((3, 900), int))
    assert orders_better(log, parts[:, 0])


def test_a_change_is_counted_when_it_begins():
    looks = [_Look((False, False), (frozenset(who), frozenset()), 26) for who in ("", "ab", "bc", "c", "a")]
    told = _told(looks, 0)
    assert (told.value, told.n) == (4.0, 2.5)
    assert _told(looks, 1).value == 0


def test_letters_of_a_small_market_are_counted_beside_the_naive_ones(monkeypatch):
    monkeypatch.setattr(drift, "_FIRST", drift._DRIFT - 1)
    monkeypatch.setattr(drift, "_LAST", drift._DRIFT + 1)
    told = drift.weekly_looks(40, 3)
    assert keys("S3") == set(told)
    assert told["letters"].engine.value < told["letters"].naive.value
    assert told["letters"].engine.n > 0.3


def test_rates_halve_only_where_there_was_one():
    market = simulate(
        SCENARIOS["S0"], people=20, weeks=4, start=date(2026, 1, 5), rng=np.random.default_rng(2)
    )
    with replay(market) as log:
        rows = log.at(log.end).applications
        found = _halved(rows, log.end)
        weeks = [log.end - timedelta(weeks=back) for back in (2, 1)]
        sent = rows.filter(rows.submitted_at >= weeks[0], rows.submitted_at < weeks[1])
        before = set(sent.filter(sent.interview_at.notnull()).person.to_pyarrow().to_pylist())
    assert found <= before
