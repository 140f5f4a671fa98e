"""The lines on habits, segments and seasons: their truths, and that a trial gives what its lines ask for."""

from datetime import date

import numpy as np

from layer7.simulation import SCENARIOS, simulate
from layer7.simulation.scoreboard import MEASURES
from layer7.simulation.scoreboard.confounding import average_log_odds_ratio, habits_and_segments
from layer7.simulation.scoreboard.seasonality import months_of_the_year


def keys(scenario):
    return {measure.key for measure in MEASURES if measure.scenario == scenario}


def test_the_average_odds_ratio_is_nearer_to_one_than_the_planted_one():
    market = SCENARIOS["S7"]
    history = simulate(market, people=200, weeks=6, start=date(2026, 1, 5), rng=np.random.default_rng(2))
    assert 0.7 * np.log(1.25) < average_log_odds_ratio(history) < np.log(1.25)


def test_a_trial_on_habits_gives_what_its_lines_ask_for():
    told = habits_and_segments(SCENARIOS["S7"], 200, 8, 3)
    assert keys("S13") < keys("S7") == set(told)
    assert told["bias"].naive.value > abs(told["bias"].engine.value)
    assert 0 <= told["segments"].engine.value <= told["segments"].engine.n == 10


def test_a_trial_on_months_gives_what_its_lines_ask_for():
    told = months_of_the_year(SCENARIOS["S12"], 150, 3)
    assert set(told) == keys("S12")
    assert told["refused"].engine.value == 1
    assert told["rmse"].engine.value < 0.2
