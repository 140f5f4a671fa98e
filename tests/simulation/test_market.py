"""The planted numbers refuse what cannot be planted."""

from dataclasses import FrozenInstanceError, fields, replace

import pytest

from layer7.errors import Layer7Error
from layer7.simulation import SCENARIOS, Market


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"channel_shares": (0.5, 0.2, 0.1, 0.1)}, "market_shares"),
        ({"channel_shares": (1.2, -0.2, 0.0, 0.0)}, "market_shares"),
        ({"dead_share": 1.5}, "market_range"),
        ({"tailored_odds_ratio": 0.0}, "market_range"),
        ({"weekday_odds_ratios": (1.0, 1.0, 1.0, 1.0, 1.0, 1.0, -1.0)}, "market_range"),
        ({"employer_sd": -0.1}, "market_range"),
        ({"interview_delay_median": 0.0}, "market_range"),
        ({"weekday_odds_ratios": (1.0,) * 6}, "market_levels"),
        ({"channel_tilts": ((1.0,) * 4,) * 2}, "market_levels"),
        ({"channel_tilts": ((1.0,) * 3,) * 3}, "market_levels"),
        ({"pattern_odds_ratios": ()}, "market_levels"),
        ({"delay_sigma": 0.3}, "market_range"),
        ({"reach_share": 0.7, "safety_share": 0.7}, "market_range"),
        ({"fit_quality_correlation": 1.2}, "market_range"),
    ],
)
def test_a_market_that_cannot_be_is_refused(change, code):
    with pytest.raises(Layer7Error) as refused:
        replace(Market(), **change)
    assert refused.value.code == code
    assert next(iter(change)) in str(refused.value)


def test_a_market_is_frozen():
    with pytest.raises(FrozenInstanceError):
        Market().intercept = 0.0  # type: ignore[misc]


def test_the_default_market_is_the_published_one():
    """Numbers of the published description (docs/methods/market.md), copied by hand."""
    market = Market()
    assert market.intercept == -3.62
    assert market.channel_odds_ratios == (0.7, 1.0, 1.6, 4.0)
    assert market.channel_shares == (0.60, 0.25, 0.10, 0.05)
    assert (market.tailored_odds_ratio, market.early_odds_ratio) == (1.25, 1.08)
    assert (market.fit_slope, market.resume_slope, market.crowding_slope) == (0.30, 0.18, -0.35)
    assert (market.quality_sd, market.employer_sd, market.crowding_sd, market.dead_share) == (
        0.8,
        0.9,
        0.6,
        0.3,
    )
    assert (market.interview_delay_median, market.rejection_delay_median, market.delay_sigma) == (
        5.0,
        9.0,
        1.6,
    )
    assert (market.next_stage, market.final_stage, market.offer_stage, market.accept) == (
        0.35,
        0.24,
        0.95,
        0.8,
    )
    assert market.weekday_odds_ratios == (1.0, 1.0, 0.98, 0.98, 0.94, 1.0, 1.0)


def test_every_scenario_says_what_it_plants():
    default = SCENARIOS["default"]
    changed = {
        name: {f.name for f in fields(Market) if getattr(market, f.name) != getattr(default, f.name)}
        for name, market in SCENARIOS.items()
    }
    assert changed["default"] == changed["S2"] == set()
    assert changed["S12a"] == {"weekday_odds_ratios", "early_odds_ratio"}
    assert changed["S12b"] == {"early_odds_ratio", "morning_odds_ratio"}
    assert changed["weibull_delays"] == changed["exponential_delays"] == {"delay_law"}
    assert changed["S4_parts"] == {"resume_part_sd", "resume_part_person_sd"}
    assert changed["S4_one_part"] > {"outcome_resume_weights", *changed["S4_parts"]}
    assert SCENARIOS["S0"].pattern_share == 0
    assert set(SCENARIOS["S0"].weekday_odds_ratios) == {1.0}


def test_the_scenarios_of_thresholds_explore():
    modes_matter = {name: SCENARIOS[name].mode_volume_factors[0] for name in ("S5a", "S5b", "S5c")}
    assert modes_matter == {"S5a": 1.0, "S5b": 0.67, "S5c": 0.5}
    assert {SCENARIOS[name].exploration_share for name in modes_matter} == {0.10}
    assert SCENARIOS["S5a"].resume_slope == SCENARIOS["S5a"].resume_slope_above_68
    assert (SCENARIOS["S5b"].resume_slope_above_68, SCENARIOS["S5c"].resume_slope) == (0.0, 0.0)
    assert SCENARIOS["default"].exploration_share == 0.0


@pytest.mark.parametrize("change", [{"exploration_weeks": 0}, {"mode_volume_factors": (-1.0, 1.0, 1.0)}])
def test_an_exploration_that_cannot_be_is_refused(change):
    with pytest.raises(Layer7Error):
        replace(Market(), **change)
