"""How far a group lies from its person's average, and which of many such deviations are there."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, optimize, special, stats

from layer7.errors import Layer7Error
from layer7.statistics.chances.background import Background, Sample, fit_background
from layer7.statistics.chances.deviations import (
    DEFAULT_PEOPLE,
    GRID,
    Cells,
    PeopleLaw,
    deviation_likelihood,
    fit_people,
    group_rates,
    people_spread,
    trials_to_tell,
)
from layer7.statistics.chances.sparse_effects import BASIS, DEFAULT_LAW, competing, effects, fit_effects
from layer7.statistics.many.discoveries import bayesian_fdr


def cells(*rows):
    return Cells(*np.array(rows, dtype=np.float64).T)


def test_counts_that_cannot_be_are_refused():
    with pytest.raises(Layer7Error, match="at most the trials"):
        cells((3, 2, 0, 0, 10, 0))
    with pytest.raises(Layer7Error, match="not a finite number"):
        cells((1, float("nan"), 0, 0, 10, 0))


def test_the_likelihood_is_the_integral_over_the_persons_average():
    """Against scipy's adaptive quadrature of the same integral."""
    law = PeopleLaw(-2.8, 0.7)
    k, t, o, rk, rt, ro = row = (4.0, 25.5, 0.2, 5.0, 80.0, -0.1)
    found = deviation_likelihood(cells(row), law)[0]

    def exact(delta):
        def height(a):
            log = k * (a + delta + o) - t * np.logaddexp(0, a + delta + o)
            log += rk * (a + ro) - rt * np.logaddexp(0, a + ro)
            return np.exp(log + 20) * stats.norm.pdf(a, law.mean, law.sd)

        return integrate.quad(height, -8, 3, epsabs=0, epsrel=1e-8)[0]

    wanted = np.array([exact(delta) for delta in GRID[::13]])
    assert found[::13] / found[::13].max() == pytest.approx(wanted / wanted.max(), rel=0.06)


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 30), st.integers(0, 60), st.integers(0, 20), st.integers(0, 300))
def test_the_likelihood_is_finite_and_more_events_mean_larger_odds(events, misses, rest, rest_misses):
    trials, others = events + misses, rest + rest_misses
    one = deviation_likelihood(
        cells((events, trials, 0, rest, others, 0), (events + 1, trials + 1, 0, rest, others, 0)),
        DEFAULT_PEOPLE,
    )
    assert np.isfinite(one).all()
    assert one.max(axis=1).tolist() == [1.0, 1.0]
    means = (one @ GRID) / one.sum(axis=1)
    assert means[1] > means[0]


def test_nothing_seen_says_nothing():
    assert deviation_likelihood(cells((0, 0, 0, 0, 0, 0)), DEFAULT_PEOPLE)[0] == pytest.approx(1.0)


def test_people_who_differ_are_told_from_people_who_do_not():
    rng = np.random.default_rng(5)
    average = -2.9 + 0.9 * rng.standard_normal(2_000)
    trials = np.full(2_000, 80.0)
    law = fit_people(rng.binomial(80, special.expit(average)), trials, 0.0)
    assert law.mean == pytest.approx(-2.9, abs=0.08)
    assert law.sd == pytest.approx(0.9, abs=0.08)
    alike = fit_people(rng.binomial(80, special.expit(np.full(2_000, -2.9))), trials, 0.0)
    assert alike.sd < 0.3


@pytest.mark.parametrize(("events", "trials"), [([], []), ([0.0], [30.0]), ([9.0], [9.0])])
def test_few_people_get_a_sound_law(events, trials):
    law = fit_people(events, trials, np.zeros(len(events)))
    assert -5 < law.mean < 0
    assert 0.3 < law.sd < 1.5


def test_the_spread_is_the_most_likely_one():
    """Against a search for the largest of sd^-n exp(-squares / 2 sd²) x sd exp(-sd² / 2 A²)."""
    for squares, n in ((0.5, 2), (6.0, 20), (300.0, 400)):
        found = optimize.minimize_scalar(
            lambda sd, squares=squares, n=n: (
                (n - 1) * np.log(sd) + squares / (2 * sd**2) + sd**2 / (2 * DEFAULT_PEOPLE.sd**2)
            ),
            bounds=(0.01, 5.0), method="bounded", options={"xatol": 1e-9},
        )  # fmt: skip
        assert people_spread(squares, n) == pytest.approx(found.x, rel=1e-4)


def shrunk(k, t, law):
    """Posterior mean and deviation of each group's log odds, by sums over a fine grid."""
    grid = law.mean + law.sd * np.linspace(-7, 7, 281)
    height = np.outer(k, grid) - t * np.logaddexp(0, grid) - 0.5 * ((grid - law.mean) / law.sd) ** 2
    chance = np.exp(height - height.max(axis=1, keepdims=True))
    chance /= chance.sum(axis=1, keepdims=True)
    middle = chance @ grid
    return middle, np.sqrt(chance @ grid**2 - middle**2)


@pytest.mark.parametrize(
    ("spread", "error", "slope"),
    [(0.0, 0.15, None), (0.1, 0.165, (0.2, 1.1)), (0.3, 0.24, (0.8, 1.1)), (0.6, 0.32, (0.9, 1.1))],
)
def test_groups_that_hardly_differ_are_told_so_and_others_are_not_hidden(spread, error, slope):
    """112 groups of 20 and of 70 trials: how far off, how often inside, how extreme.

    With the weight of four made-up people the error is 0.166 and 0.178 at spreads of 0 and 0.1, and the slope
    0.15 and 0.74 at 0.1 and 0.3.
    """
    rng, told = np.random.default_rng(21), []
    for trials in np.repeat([20, 70], 8):
        true = special.logit(0.36) + spread * rng.standard_normal(112)
        k = rng.binomial(trials, special.expit(true)).astype(float)
        told.append((true, *shrunk(k, trials, fit_people(k, np.full(112, float(trials)), 0.0))))
    true, middle, deviation = np.concatenate(told, axis=1)
    assert np.sqrt(((middle - true) ** 2).mean()) < error
    inside = (np.abs(middle - true) < 1.96 * deviation).mean()
    assert inside > stats.binom.ppf(0.001, true.size, 0.95) / true.size
    if slope is not None:
        apart = middle - middle.mean()
        assert slope[0] < apart @ (true - true.mean()) / (apart @ apart) < slope[1]


def test_rates_lie_between_the_group_and_the_rest():
    sure = np.zeros((1, GRID.size))
    sure[0, GRID.size // 2] = 1.0
    rates = group_rates(cells((4, 20, 0, 2, 100, 0)), DEFAULT_PEOPLE, sure)
    assert rates.low[0] < rates.value[0] < rates.high[0]
    assert rates.value[0] == pytest.approx(6 / 120, abs=0.01)


def test_trials_to_tell_by_hand():
    p0, p1 = 0.05, 3 * 0.05 / 0.95 / (1 + 3 * 0.05 / 0.95)
    told = p1 * np.log(p1 / p0) + (1 - p1) * np.log((1 - p1) / (1 - p0))
    assert trials_to_tell([p0], 0.01)[0] == pytest.approx(np.log(900) / told)
    assert trials_to_tell([p0], 10.0)[0] == 0


def test_the_parts_of_the_law_are_probabilities():
    assert BASIS.sum(axis=1) == pytest.approx(1.0)
    assert DEFAULT_LAW.weights.sum() == pytest.approx(1.0)
    assert (DEFAULT_LAW.effect_density + DEFAULT_LAW.null_density).sum() == pytest.approx(1.0)


def test_effects_by_hand():
    likelihood = np.ones((1, GRID.size))
    likelihood[0, GRID > 0.85] = 50.0
    found = effects(likelihood, DEFAULT_LAW)
    some = likelihood[0] @ DEFAULT_LAW.effect_density
    assert found.strength[0] == pytest.approx(some / (likelihood[0] @ DEFAULT_LAW.null_density))
    up = (likelihood[0] * DEFAULT_LAW.effect_density)[np.log(1.25) < GRID].sum() / some
    assert found.size[0] == pytest.approx(up)


def test_good_and_bad_are_mirror_images():
    rng = np.random.default_rng(1)
    likelihood = rng.random((20, GRID.size))
    one, other = effects(likelihood, DEFAULT_LAW), effects(likelihood[:, ::-1], DEFAULT_LAW)
    assert other.strength == pytest.approx(one.strength)
    assert other.size == pytest.approx(one.size)
    assert other.log_odds_ratio == pytest.approx(-one.log_odds_ratio)


@settings(deadline=None, max_examples=25)
@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=12))
def test_the_chances_of_a_group_never_exceed_one(strengths):
    chance = competing(np.array(strengths), np.zeros(len(strengths), dtype=np.int64))
    assert 0 <= chance.sum() <= 1 + 1e-9


def test_order_of_cells_does_not_matter():
    rng = np.random.default_rng(2)
    likelihood, groups = rng.random((60, GRID.size)) + 0.1, np.repeat(np.arange(20), 3)
    order = rng.permutation(60)
    one, other = fit_effects(likelihood, groups), fit_effects(likelihood[order], groups[order])
    assert other.weights == pytest.approx(one.weights, abs=1e-9)


def planted(rng, *, share, people=500, applications=500, levels=6, odds_ratio=4.0):
    """People with five ways to split their applications, some with one level that differs."""
    average = special.logit(0.06) + 0.6 * rng.standard_normal(people)
    own = np.where(rng.random(people) < share, rng.integers(0, 5 * levels, people), -1)
    placed = rng.integers(0, levels, (people, applications, 5)) + levels * np.arange(5)
    hit = (placed == own[:, None, None]).any(axis=2)
    invited = rng.random(hit.shape) < special.expit(average[:, None] + np.log(odds_ratio) * hit)
    code = placed + 5 * levels * np.arange(people)[:, None, None]
    size = people * 5 * levels
    trials = np.bincount(code.ravel(), minlength=size).astype(float)
    events = np.bincount(code.ravel(), np.repeat(invited.ravel(), 5), size)
    person = np.repeat(np.arange(people), 5 * levels)
    total = invited.sum(axis=1).astype(float)
    nothing = np.zeros(size)
    table = Cells(events, trials, nothing, total[person] - events, applications - trials, nothing)
    true = own[person] == np.tile(np.arange(5 * levels), people)
    return table, person, true, fit_people(total, np.full(people, float(applications)), 0.0)


def judged(table, person, law):
    likelihood = deviation_likelihood(table, law)
    found = effects(likelihood, fit_effects(likelihood, person))
    chance = found.size * competing(found.strength, person)
    probable = chance > 0.9
    probable[probable] = bayesian_fdr(1 - chance[probable])
    return chance, probable


def test_where_there_is_nothing_hardly_anybody_is_shown_anything():
    table, person, _, law = planted(np.random.default_rng(11), share=0.0)
    _, shown = judged(table, person, law)
    assert np.unique(person[shown]).size <= stats.binom.ppf(0.999, 500, 0.01)


def test_what_is_there_is_found_and_the_probabilities_are_kept():
    table, person, true, law = planted(np.random.default_rng(12), share=0.3)
    chance, shown = judged(table, person, law)
    assert shown[true].mean() > 0.5
    assert (~true[shown]).sum() <= stats.binom.ppf(0.999, shown.sum(), (1 - chance[shown]).mean())


def sample(rng, *, people=400, applications=60):
    person = np.repeat(np.arange(people), applications)
    average = -3 + 0.8 * rng.standard_normal(people)
    # Strong people choose level 1 more often, and it does nothing.
    level = (rng.random(person.size) < special.expit(average[person] + 3)).astype(np.int64)
    other = rng.integers(0, 3, person.size)
    chance = special.expit(average[person] + np.array([0.0, 0.0, 0.7])[other])
    events = (rng.random(person.size) < chance).astype(float)
    employer = np.arange(person.size)
    return Sample(person, employer, {"level": level, "other": other}, events, np.ones(person.size))


def test_what_strong_people_choose_is_not_taken_for_good():
    found = fit_background(sample(np.random.default_rng(3)))
    level, other = found.effects["level"], found.effects["other"]
    assert abs(level[1] - level[0]) < 0.25
    assert other[2] - other[0] == pytest.approx(0.7, abs=0.2)
    assert found.people.sd == pytest.approx(0.8, abs=0.15)


def test_of_few_people_nothing_is_said_about_everybody():
    few = sample(np.random.default_rng(4), people=5)
    assert not fit_background(few).effects
    empty = np.empty(0, dtype=np.int64)
    nobody = Sample(empty, empty, {"level": empty}, np.empty(0), np.empty(0))
    assert fit_background(nobody).people == Background().people


@pytest.mark.parametrize("alike", [0.0, 0.6])  # two answers are the shared one with 0.6 x 0.6
def test_answers_of_one_employer_are_as_alike_as_they_are(alike):
    rng = np.random.default_rng(6)
    person, employer = np.repeat(np.arange(300), 40), np.repeat(np.arange(3_000), 4)
    shared = rng.random(3_000)[employer] < 0.1
    events = np.where(rng.random(12_000) < alike, shared, rng.random(12_000) < 0.1).astype(float)
    found = fit_background(Sample(person, employer, {}, events, np.ones(12_000)))
    assert found.correlation == pytest.approx(alike**2, abs=0.08)
