"""Log odds as a sum: slopes, levels, people's averages."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special, stats

from layer7.errors import Layer7Error
from layer7.statistics.chances.additive import Attempts, Belief, fit_additive
from layer7.statistics.within.effects import fit_within
from layer7.statistics.within.panels import panel


def market(seed, *, people=150, each=40, slope=0.4, sd=0.8, levels=(0.5, 0.0, -0.5)):
    """Applications of people who differ, with a number and a property that matter."""
    rng = np.random.default_rng(seed)
    person = np.repeat(np.arange(people), each)
    number = rng.normal(size=person.size) + 0.5 * (person % 2)
    level = rng.integers(0, len(levels), person.size)
    odds = -2.5 + rng.normal(0, sd, people)[person] + slope * number + np.array(levels)[level]
    events = (rng.random(person.size) < special.expit(odds)).astype(float)
    return Attempts(person, events, np.ones(person.size), {"channel": level}, {"fit": number})


def test_one_level_that_always_and_one_that_never_succeeds_stay_finite():
    rows = Attempts(np.arange(40) % 20, np.tile([1.0, 0.0], 20), np.ones(40), {"x": np.tile([0, 1], 20)})
    fit = fit_additive(rows, slopes={})
    good, bad = fit.effects["x"].value
    assert good > 0.3 > -0.3 > bad
    assert np.isfinite(fit.effects["x"].error).all()


def test_nothing_gives_what_is_believed():
    none = np.zeros(0, dtype=np.int64)
    rows = Attempts(none, np.zeros(0), np.zeros(0), {"x": none}, {"fit": np.zeros(0)})
    fit = fit_additive(rows, slopes={"fit": Belief(0.2, 0.1)})
    assert fit.slopes["fit"][0] == pytest.approx(0.2)
    assert fit.slopes["fit"][1] == pytest.approx(0.1)
    assert fit.effects["x"].value.size == 0


def test_the_slope_is_that_of_comparisons_within_people():
    """Reference: conditional likelihood (fit_within), which knows nothing of averages of people."""
    rows = market(3)
    fit = fit_additive(rows, slopes={"fit": Belief(0.0, 10.0)})
    design = np.column_stack([rows.numbers["fit"], *(rows.levels["channel"] == at for at in (0, 2))])
    held = panel(design.astype(float), rows.events, rows.trials, person=rows.person, cluster=rows.person)
    # Its rate ratios are a little smaller than odds ratios, at rates of 10 to 15 %.
    assert fit.slopes["fit"][0] == pytest.approx(fit_within(held).coefficients[0] / 0.87, rel=0.1)


def test_intervals_of_slopes_and_levels_cover():
    """40 markets whose levels scatter as is believed: 95 % intervals, within a binomial band of 99.9 %."""
    held = []
    for seed in range(40):
        levels = np.random.default_rng(1000 + seed).normal(0, 0.25, 6)
        rows = market(seed, people=100, each=30, levels=tuple(levels))
        fit = fit_additive(rows, slopes={"fit": Belief(0.0, 1.0)})
        value, error = fit.slopes["fit"]
        held.append(abs(value - 0.4) < 1.96 * error)
        effects = fit.effects["channel"]
        gap = effects.value[0] - effects.value[1] - (levels[0] - levels[1])
        held.append(abs(gap) < 1.96 * np.hypot(*effects.error[[0, 1]]))
    assert np.mean(held) > stats.binom.ppf(0.0005, len(held), 0.95) / len(held)


def test_much_of_what_a_level_shows_because_strong_people_choose_it_is_taken_off():
    rng = np.random.default_rng(5)
    strong = rng.random(300) < 0.5
    person = np.repeat(np.arange(300), 40)
    level = (rng.random(person.size) < np.where(strong[person], 0.8, 0.2)).astype(np.int64)
    events = (rng.random(person.size) < np.where(strong[person], 0.15, 0.04)).astype(float)
    fit = fit_additive(Attempts(person, events, np.ones(person.size), {"tailored": level}), slopes={})
    gap = np.ptp(fit.effects["tailored"].value)
    raw = np.diff(special.logit([events[level == at].mean() for at in (0, 1)]))[0]
    assert raw > 0.6
    assert gap < 0.65 * raw


@settings(max_examples=10)
@given(st.integers(0, 2**32 - 1))
def test_the_order_of_applications_and_the_numbers_of_people_do_not_matter(seed):
    rng = np.random.default_rng(seed)
    rows = market(1, people=20, each=10)
    mixed = rows.take(rng.permutation(len(rows)))
    renamed = Attempts(
        rng.permutation(20)[mixed.person], mixed.events, mixed.trials, mixed.levels, mixed.numbers
    )
    one, other = (fit_additive(each, slopes={"fit": Belief()}) for each in (rows, renamed))
    assert one.slopes["fit"] == pytest.approx(other.slopes["fit"], abs=1e-9)
    assert one.effects["channel"].value == pytest.approx(other.effects["channel"].value, abs=1e-9)


def test_what_is_not_known_adds_nothing():
    rows = market(2, people=40)
    blind = Attempts(
        rows.person,
        rows.events,
        rows.trials,
        {"channel": np.full(len(rows), -1)},
        {"fit": np.zeros(len(rows))},
    )
    fit = fit_additive(blind, slopes={"fit": Belief(0.2, 0.1)})
    assert not fit.offset(blind).any()


def test_columns_of_different_length_are_refused():
    with pytest.raises(Layer7Error, match="differ in length"):
        Attempts(np.zeros(2, dtype=np.int64), np.zeros(1), np.zeros(1))


def test_a_start_saves_rounds_and_changes_nothing():
    rows = market(5)
    half = fit_additive(rows.take(np.flatnonzero(np.arange(len(rows)) % 2)), slopes={"fit": Belief(0.0, 1.0)})
    plain, near = (fit_additive(rows, slopes={"fit": Belief(0.0, 1.0)}, start=each) for each in (None, half))
    assert near.rounds < plain.rounds
    assert near.slopes["fit"][0] == pytest.approx(plain.slopes["fit"][0], abs=0.005)
    np.testing.assert_allclose(near.effects["channel"].value, plain.effects["channel"].value, atol=0.005)
