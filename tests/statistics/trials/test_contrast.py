"""Contrasts: by hand, against gbstats, laws, and coverage."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from layer7.errors import Layer7Error
from layer7.statistics.trials import (
    ArmMoments,
    Contrast,
    Looking,
    MetricKind,
    compare,
    infer,
    p_fixed,
    stratified,
)
from vectors_file import engine_case, vectors

NUMBERS = st.lists(st.floats(-50, 50).map(lambda x: round(x, 3)), min_size=3, max_size=12)


def arm(n, total, squares):
    return ArmMoments(n=n, sums=np.array([float(total)]), products=np.array([[float(squares)]]))


def of_shares(counted):
    return arm(counted["n"], counted["successes"], counted["successes"])


def of_sums(counted):
    return arm(counted["n"], counted["sum"], counted["sum_squares"])


def adjusted(counted):
    products = counted["post_pre_sum_of_products"]
    return ArmMoments(
        n=counted["n"],
        sums=np.array([counted["post_sum"], counted["pre_sum"]], float),
        products=np.array(
            [[counted["post_sum_squares"], products], [products, counted["pre_sum_squares"]]], float
        ),
    )


def assert_alike(contrast, output):
    found = infer(contrast, Looking())
    assert found.estimate == pytest.approx(output["expected"], rel=1e-9)
    assert (found.interval.low, found.interval.high) == pytest.approx(output["ci"], rel=1e-6)
    assert found.p_value == pytest.approx(output["pValue"], rel=1e-6)


@pytest.mark.parametrize("side", ["relative", "absolute"])
def test_shares_agree_with_gbstats(side):
    given_, output = engine_case(f"proportion_two_sided_{side}")
    found = compare(of_shares(given_["a"]), of_shares(given_["b"]), kind=MetricKind.SHARE)
    assert_alike(found.lift if side == "relative" else found.difference, output)


@pytest.mark.parametrize("side", ["relative", "absolute"])
def test_adjusted_means_agree_with_gbstats(side):
    given_, output = engine_case(f"cuped_welch_{side}")
    found = compare(
        adjusted(given_["a"]), adjusted(given_["b"]), kind=MetricKind.MEAN, before=MetricKind.MEAN
    )
    assert found.theta == pytest.approx(output["theta"])
    assert_alike(found.lift if side == "relative" else found.difference, output)


def test_means_agree_with_gbstats():
    """packages/stats/tests, TestTwoSidedTTest: 3407 and 3461 units."""
    found = compare(arm(3407, 1396.87, 52377.9767), arm(3461, 2422.7, 134698.29), kind=MetricKind.MEAN)
    assert found.lift.standard_error == pytest.approx(0.3787943616681428)
    assert found.lift.freedom == pytest.approx(5841.742032093565)
    assert p_fixed(found.lift) == pytest.approx(0.06191182745618362)
    assert found.difference.standard_error == pytest.approx(0.12478363158758794)
    assert p_fixed(found.difference) == pytest.approx(0.020158402643587038)


def test_a_ratio_by_hand():
    """Deng, Knoblich and Lu (2018), eq. 4, written out."""
    rows = np.array([[2.0, 4.0], [1.0, 5.0], [3.0, 3.0], [0.0, 6.0]])
    other = np.add(rows, [[1.0, 0.0]])
    found = compare(ArmMoments.of(rows), ArmMoments.of(other), kind=MetricKind.RATIO)
    assert (found.control, found.treatment) == pytest.approx((6 / 18, 10 / 18))

    def variance(table):
        (sm, smd), (_, sd) = np.cov(table.T)
        m, d = table.mean(axis=0)
        return (sm / d**2 + sd * m**2 / d**4 - 2 * smd * m / d**3) / len(table)

    assert found.difference.standard_error == pytest.approx(math.sqrt(variance(rows) + variance(other)))


def test_an_adjusted_ratio_is_that_of_the_linearised_units():
    rng = np.random.default_rng(4)
    arms = []
    for lift in (0.0, 0.1):
        size = rng.poisson(8, 400) + 1.0
        skill = rng.normal(0, 0.1, 400)
        before = np.column_stack([size * (0.3 + skill) + rng.normal(0, 0.5, 400), size])
        now = np.column_stack([size * (0.3 + lift + skill) + rng.normal(0, 0.5, 400), size])
        arms.append(ArmMoments.of(np.hstack([now, before])))
    plain = compare(*arms, kind=MetricKind.RATIO)
    better = compare(*arms, kind=MetricKind.RATIO, before=MetricKind.RATIO)
    assert better.difference.standard_error < 0.8 * plain.difference.standard_error
    assert better.difference.estimate == pytest.approx(0.1, abs=4 * better.difference.standard_error)


@given(NUMBERS, NUMBERS, NUMBERS)
def test_merging_equals_pooling_and_swapping_turns_the_sign(first, second, third):
    rows = [np.array(values)[:, None] for values in (first, second, third)]
    merged = ArmMoments.of(rows[0]) + ArmMoments.of(rows[1])
    pooled = ArmMoments.of(np.vstack(rows[:2]))
    assert merged.mean == pytest.approx(pooled.mean)
    assert merged.covariance == pytest.approx(pooled.covariance, abs=1e-6)
    other = ArmMoments.of(rows[2])
    there = compare(merged, other, kind=MetricKind.MEAN).difference
    back = compare(other, merged, kind=MetricKind.MEAN).difference
    assert there.estimate == pytest.approx(-back.estimate, abs=1e-9)
    assert there.standard_error == pytest.approx(back.standard_error, abs=1e-6)


@pytest.mark.parametrize("case", vectors("reference_vectors")["simpson"], ids=["Kohavi", "VWO"])
def test_stages_are_combined_not_pooled(case):
    parts, weights = [], []
    for hits_c, n_c, hits_t, n_t in case["rows_control_succ_n_treat_succ_n"]:
        found = compare(arm(n_c, hits_c, hits_c), arm(n_t, hits_t, hits_t), kind=MetricKind.SHARE)
        parts.append(found.difference)
        weights.append(n_c + n_t)
    days = [part.estimate for part in parts]
    combined = stratified(parts, weights).estimate
    assert min(days) <= combined <= max(days)
    assert math.copysign(1, combined) == math.copysign(1, case["stratified_diff"])
    assert math.copysign(1, combined) != math.copysign(1, case["pooled_diff"])


def test_what_cannot_be_told_is_not_told():
    flat = compare(arm(5, 0, 0), arm(5, 0, 0), kind=MetricKind.SHARE)
    assert (flat.lift, flat.effect_size) == (None, None)
    found = infer(flat.difference, Looking())
    assert (found.interval, found.p_value, found.is_proven) == (None, None, False)


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (lambda: arm(3, 5, float("nan")), "not_finite"),
        (lambda: arm(3, 5, 1), "bad_moments"),
        (lambda: arm(-1, 0, 0), "bad_moments"),
        (lambda: ArmMoments(n=1, sums=np.zeros(2), products=np.zeros((1, 1))), "bad_moments"),
        (lambda: ArmMoments(n=3, sums=np.zeros(2), products=np.array([[1.0, 2], [0, 1]])), "bad_moments"),
        (lambda: ArmMoments.of([1.0, 2.0]), "bad_moments"),
        (lambda: compare(arm(1, 0, 0), arm(5, 2, 2), kind=MetricKind.SHARE), "too_few_units"),
        (lambda: compare(arm(3, 0, 0), arm(5, 2, 2), kind=MetricKind.RATIO), "bad_moments"),
        (
            lambda: compare(arm(3, 0, 0), arm(5, 2, 2), kind=MetricKind.MEAN, before=MetricKind.MEAN),
            "bad_moments",
        ),
        (lambda: compare(*[ArmMoments.of(np.zeros((3, 2)))] * 2, kind=MetricKind.RATIO), "no_denominator"),
        (lambda: stratified([], []), "bad_weights"),
        (lambda: Looking(alpha=0.7), "bad_alpha"),
    ],
)
def test_refusals(call, code):
    with pytest.raises(Layer7Error) as raised:
        call()
    assert raised.value.code == code


def test_intervals_cover_ratios_of_users():
    """User-randomised interview rate at 12 applications each, 4 %, people differing: 95 % +- 4 sigma."""
    rng = np.random.default_rng(20261125)
    misses, runs = 0, 800
    for _ in range(runs):
        arms = []
        for _arm in range(2):
            size = rng.poisson(12, 300) + 1
            rate = rng.beta(2, 48, 300)
            arms.append(ArmMoments.of(np.column_stack([rng.binomial(size, rate), size]).astype(float)))
        misses += 0.0 not in infer(compare(*arms, kind=MetricKind.RATIO).difference, Looking()).interval
    assert abs(misses / runs - 0.05) < 4 * math.sqrt(0.05 * 0.95 / runs)


def test_an_infinite_freedom_is_the_normal():
    contrast = Contrast(estimate=1.96, standard_error=1.0, freedom=math.inf, n=10)
    assert p_fixed(contrast) == pytest.approx(0.05, abs=1e-4)
