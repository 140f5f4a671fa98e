"""The closed loop: what is chosen is what is logged, and crowding costs only what it should."""

from datetime import date

import numpy as np
import pytest
from scipy import special

from layer7.simulation import SCENARIOS
from layer7.simulation.closed_loop import ClosedLoop
from layer7.simulation.scoreboard.log import replay
from layer7.simulation.scoreboard.ranking import (
    OFFERED,
    Engine,
    _begin,
    _counts,
    _crowded,
    _mean,
    best,
    choose,
)


@pytest.fixture(scope="module")
def loop():
    made = ClosedLoop(
        SCENARIOS["default"], people=12, weeks=2, start=date(2026, 1, 5), rng=np.random.default_rng(3)
    )
    offers = made.offers(0, OFFERED)
    made.apply(offers, best(offers.applications.fit, OFFERED, 4))
    return made, offers


def test_everybody_is_offered_as_many_and_what_is_chosen_is_in_the_log(loop):
    made, offers = loop
    assert offers.chance.size == 12 * OFFERED
    assert np.unique(offers.applications.person[:OFFERED]).tolist() == [0]
    with replay(made.history(1)) as log:
        rows = log.at(log.end).applications.to_pyarrow().to_pylist()
    assert len(rows) == 12 * 4
    known = made.known(offers)
    chosen = best(offers.applications.fit, OFFERED, 4)
    assert sorted(row["fit_score"] for row in rows) == sorted(known["fit_score"].take(chosen).to_pylist())
    assert all(row["applicants"] > 0 for row in rows)


def test_a_dead_posting_has_no_chance(loop):
    made, offers = loop
    dead = made.world[1].dead[offers.applications.posting]
    assert not offers.chance[dead].any()
    assert (offers.chance[~dead] > 0).all()


def test_before_any_data_the_engine_follows_fit_and_applicants(loop):
    made, offers = loop
    found = choose(Engine(exploration=0.0), made, offers, at=_begin(0), rng=np.random.default_rng(1))
    assert sorted(found.place[:OFFERED]) == list(range(1, OFFERED + 1))
    first = offers.applications.fit[best(-found.place.astype(float), OFFERED)].mean()
    assert first > offers.applications.fit.mean() + 5
    assert not found.own.any()


def test_as_many_as_usual_change_nothing_and_more_cost_by_the_slope():
    market = _crowded(SCENARIOS["default"])
    made = ClosedLoop(market, people=6, weeks=1, start=date(2026, 1, 5), rng=np.random.default_rng(4))
    offers = made.offers(0, OFFERED)
    rows = np.arange(5)
    usual, everybody = _counts(made, offers, rows), np.ones(6, dtype=np.bool_)
    plain = special.expit(offers.log_odds[rows]).mean()
    assert _mean(made, offers, rows, usual, among=everybody) == pytest.approx(plain)
    assert _mean(made, offers, rows, usual * 0, among=everybody) < plain
