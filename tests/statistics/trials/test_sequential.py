"""Looks: bounds and confidence sequences against references; false alarms over all looks, by simulation."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from layer7.errors import Layer7Error
from layer7.statistics.trials import (
    ArmMoments,
    Contrast,
    Guarantee,
    Looking,
    MetricKind,
    bounds,
    compare,
    critical_anytime,
    crossing_probability,
    infer,
    information_fractions,
    p_anytime,
    p_anytime_one_sided,
    p_group_sequential,
    tuning,
)
from vectors_file import engine_case, vectors

REFERENCE = vectors("reference_vectors")["group_sequential"]
CASES = vectors("gbstats_vectors")


@pytest.mark.parametrize("row", REFERENCE["rows"], ids=lambda row: row["looks"])
@pytest.mark.parametrize(
    ("exponent", "name"), [(1, "power_rho1"), (2, "power_rho2_spotify"), (3, "power_rho3")]
)
def test_bounds_agree_with_the_recursion_of_others(row, exponent, name):
    assert bounds(row["t"], row["alpha"], exponent=exponent) == pytest.approx(row[name], abs=1e-5)


def test_an_overrun_plan_is_safe():
    """spotify-confidence, test_seq_bounds_run_over: 810 units came where fewer were planned."""
    expected = REFERENCE["spotify_run_over_test"]
    fractions = information_fractions([250, 450, 630, 810], 700)
    assert fractions == pytest.approx(expected["information"])
    spent = [2 * (1 - 0.5 * (1 + math.erf(z / math.sqrt(2)))) for z in bounds(fractions, 0.01)]
    assert spent == pytest.approx(expected["expected_adjusted_alpha"], abs=expected["tolerance"])


@given(
    st.lists(st.floats(0.02, 1.0), min_size=1, max_size=6, unique_by=lambda x: round(x, 2)).map(sorted),
    st.sampled_from([0.01, 0.05, 0.2]),
    st.booleans(),
)
def test_bounds_spend_just_alpha(fractions, alpha, one_sided):
    limits = bounds(fractions, alpha, one_sided=one_sided)
    left = crossing_probability(fractions, limits, 0.0, one_sided=one_sided)
    assert sum(left) == pytest.approx(alpha * fractions[-1] ** 2, abs=1e-6)


def test_looks_at_the_same_fraction_share_a_bound():
    twice = bounds([0.5, 0.5, 1.0], 0.05)
    assert twice[0] == twice[1]
    assert (twice[0], twice[2]) == pytest.approx(bounds([0.5, 1.0], 0.05))
    assert crossing_probability([0.5, 0.5], [2.0, 2.0], 0.0)[1] == 0.0


def test_the_repeated_p_value_meets_alpha_at_the_bound():
    looks = (0.2, 0.6, 1.0)
    for alpha in (0.001, 0.05, 0.2):
        assert p_group_sequential(looks, bounds(looks, alpha)[-1]) == pytest.approx(alpha, rel=1e-4)
    assert p_group_sequential(looks, 0.0) == 1.0
    assert p_group_sequential(looks, 30.0) == 1e-9
    assert p_group_sequential(looks, 2.0, one_sided=True) < p_group_sequential(looks, 2.0)


@pytest.mark.parametrize("case", [c for c in CASES if c["name"] == "sequential_rho"])
def test_rho_agrees_with_gbstats(case):
    planned, alpha = case["input"]["tuning_parameter"], case["input"]["alpha"]
    assert tuning(planned, alpha) == pytest.approx(case["output"]["two_sided"])
    assert tuning(planned, alpha, one_sided=True) == pytest.approx(case["output"]["one_sided"])


@pytest.mark.parametrize("case", [c for c in CASES if c["name"] == "halfwidth_in_standard_errors"])
def test_the_reach_agrees_with_gbstats(case):
    n, planned = case["input"]["n"], case["input"]["tuning_parameter"]
    assert critical_anytime(n, planned, 0.05) == pytest.approx(case["output"]["two_sided"])
    assert critical_anytime(n, planned, 0.05, one_sided=True) == pytest.approx(case["output"]["one_sided"])


def arm(counted):
    return ArmMoments(
        n=counted["n"],
        sums=np.array([float(counted["sum"])]),
        products=np.array([[float(counted["sum_squares"])]]),
    )


@pytest.mark.parametrize("planned", [10, 1000, 6461, 10000])
def test_confidence_sequences_agree_with_gbstats(planned):
    given_, output = engine_case(f"asympcs_two_sided_relative_N*={planned}")
    lift = compare(arm(given_["a"]), arm(given_["b"]), kind=MetricKind.MEAN).lift
    found = infer(lift, Looking(guarantee=Guarantee.ANYTIME, planned=planned))
    assert (found.interval.low, found.interval.high) == pytest.approx(output["ci"], rel=1e-9)
    assert found.p_value == pytest.approx(output["pValue"], rel=1e-6)


def test_one_sided_sequences_agree_with_gbstats():
    given_, output = engine_case("asympcs_one_sided_greater_absolute")
    found = compare(arm(given_["a"]), arm(given_["b"]), kind=MetricKind.MEAN).difference
    reach = critical_anytime(found.n, 5000, 0.05, one_sided=True) * found.standard_error
    assert found.estimate - reach == pytest.approx(output["ci"][0], rel=1e-9)
    # gbstats stops its bisection at 1e-4.
    assert p_anytime_one_sided(found, 5000) == pytest.approx(output["pValue"], abs=3e-4)
    assert p_anytime_one_sided(Contrast(estimate=9, standard_error=1, freedom=math.inf, n=400), 400) == 1e-5
    assert p_anytime_one_sided(Contrast(estimate=9, standard_error=0, freedom=math.inf, n=400), 400) is None


@given(st.floats(0, 8), st.integers(20, 100_000), st.integers(100, 10_000))
def test_p_is_below_alpha_just_where_the_sequence_excludes_zero(z, n, planned):
    contrast = Contrast(estimate=z, standard_error=1.0, freedom=math.inf, n=n)
    found = infer(contrast, Looking(guarantee=Guarantee.ANYTIME, planned=planned))
    if abs(found.p_value - 0.05) > 1e-9:
        assert found.is_proven == (found.p_value < 0.05)


def test_false_alarms_over_all_looks():
    """40 looks at shares: naive 5 % tests cry in a quarter of them, the two guarantees in 5 % or fewer."""
    rng = np.random.default_rng(11)
    runs, looks, per_look = 1500, 40, 60
    a = rng.binomial(per_look, 0.1, (runs, looks)).cumsum(axis=1)
    b = rng.binomial(per_look, 0.1, (runs, looks)).cumsum(axis=1)
    n = per_look * np.arange(1, looks + 1)
    p, q = a / n, b / n
    z = np.abs(p - q) / np.sqrt(np.maximum(p * (1 - p) + q * (1 - q), 1e-12) / n)
    gst = np.array(bounds(information_fractions(2.0 * n, 2.0 * n[-1]), 0.05))
    anytime = np.array([critical_anytime(2.0 * size, 2.0 * n[-1], 0.05) for size in n])
    band = 4 * math.sqrt(0.05 * 0.95 / runs)
    assert (z > 1.96).any(axis=1).mean() > 0.2
    assert abs((z > gst).any(axis=1).mean() - 0.05) < band
    assert (z > anytime).any(axis=1).mean() < 0.05


def test_certificates_say_what_holds():
    assert "read once" in Looking().certificate
    assert "however often" in Looking(guarantee=Guarantee.ANYTIME, planned=500).certificate
    said = Looking(guarantee=Guarantee.GROUP_SEQUENTIAL, planned=400, looks=(100, 200)).certificate
    assert "look 2, 50% of the planned information" in said


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (lambda: bounds([], 0.05), "bad_looks"),
        (lambda: bounds([0.5, 0.2], 0.05), "bad_looks"),
        (lambda: bounds([0.5, 1.2], 0.05), "bad_looks"),
        (lambda: bounds([0.5], 0.05, exponent=0), "bad_looks"),
        (lambda: bounds([0.5], 0.9), "bad_alpha"),
        (lambda: information_fractions([], 5), "bad_looks"),
        (lambda: information_fractions([5], 0), "bad_looks"),
        (lambda: tuning(0, 0.05), "bad_plan"),
        (lambda: critical_anytime(0, 100, 0.05), "bad_plan"),
        (lambda: p_anytime(Contrast(estimate=1, standard_error=1, freedom=9, n=9), -1), "bad_plan"),
    ],
)
def test_refusals(call, code):
    with pytest.raises(Layer7Error) as raised:
        call()
    assert raised.value.code == code


def test_group_sequential_inference():
    looking = Looking(guarantee=Guarantee.GROUP_SEQUENTIAL, planned=1000, looks=(100, 500, 1000))
    contrast = Contrast(estimate=0.2, standard_error=0.1, freedom=math.inf, n=1000)
    found = infer(contrast, looking)
    assert found.interval.half_width == pytest.approx(0.2019366509, rel=1e-6)
    assert found.p_value > 0.05
    assert not found.is_proven
    assert p_anytime(Contrast(estimate=0, standard_error=0, freedom=math.inf, n=9), 9) is None
