"""Small counts, sample ratios, power and the ledger: references, laws, simulated error rates."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from layer7.errors import Layer7Error
from layer7.statistics.trials import (
    Block,
    Entry,
    detectable,
    e_values,
    holm,
    next_alpha,
    p_exact,
    power_fixed,
    power_sequential,
    sample_ratio_p,
    sample_ratio_p_anytime,
    spent,
    units_needed,
)
from layer7.statistics.trials.online_fdr import gamma
from vectors_file import vectors

REFERENCE = vectors("reference_vectors")


def test_the_bet_follows_its_trace():
    case = REFERENCE["eprocess_2x2"]
    blocks = [Block(1, a, 1, b) for a, b in zip(case["ya"], case["yb"], strict=True)]
    assert e_values(blocks) == pytest.approx(case["e_values"], rel=1e-12)


def test_the_bet_seldom_wins_against_two_like_arms():
    rng = np.random.default_rng(5)
    runs, won = 1500, 0
    for _ in range(runs):
        counts = rng.binomial([[3, 2]] * 30, 0.15)
        won += max(e_values(Block(3, int(a), 2, int(b)) for a, b in counts)) >= 20
    assert won / runs <= 0.05


def test_empty_blocks_change_nothing():
    assert e_values([Block(0, 0, 0, 0), Block(2, 1, 0, 0)]) == pytest.approx((1.0, 1.0))


@pytest.mark.parametrize("counted", [Block(10, 7, 10, 2), Block(40, 3, 38, 8), Block(12, 0, 30, 9)])
def test_the_exact_test_agrees_with_scipy(counted):
    table = [
        [counted.control_events, counted.treatment_events],
        [counted.control - counted.control_events, counted.treatment - counted.treatment_events],
    ]
    assert p_exact(counted) == pytest.approx(stats.boschloo_exact(table, n=128).pvalue, rel=1e-3)


def test_the_exact_test_never_exceeds_its_level():
    n, m = 14, 11
    p = np.array([[p_exact(Block(n, x, m, y)) for y in range(m + 1)] for x in range(n + 1)])
    for rate in (0.03, 0.1, 0.35, 0.5):
        law = np.outer(stats.binom.pmf(range(n + 1), n, rate), stats.binom.pmf(range(m + 1), m, rate))
        assert law[p <= 0.05].sum() <= 0.05 + 1e-6
    assert p_exact(Block(0, 0, 5, 1)) is None
    assert Block(40, 3, 38, 8).is_small
    assert not Block(400, 30, 380, 80).is_small


@pytest.mark.parametrize("row", REFERENCE["srm"][:5])
def test_sample_ratios_agree_with_published_ones(row):
    assert sample_ratio_p(row["users"], row["weights"]) == pytest.approx(row["p"], rel=1e-6)


@pytest.mark.parametrize("row", REFERENCE["srm_exact_binomial"])
def test_small_sample_ratios_are_exact(row):
    found = sample_ratio_p(row["counts"], row.get("weights", [0.5, 0.5]))
    assert found == pytest.approx(row["p"], rel=1e-6)


def test_an_arm_without_a_share_is_left_out_and_units_in_it_are_an_alarm():
    assert sample_ratio_p([500, 520, 0], [0.5, 0.5, 0.0]) == pytest.approx(0.531, abs=1e-3)
    assert sample_ratio_p([500, 520, 3], [0.5, 0.5, 0.0]) == 0.0
    assert sample_ratio_p_anytime([500, 520, 3], [0.5, 0.5, 0.0]) == 0.0
    assert sample_ratio_p([0, 0], [1, 1]) is None
    assert sample_ratio_p_anytime([0, 0], [1, 1]) is None


def test_looking_daily_at_the_ratio_raises_few_false_alarms():
    rng = np.random.default_rng(8)
    runs, plain, anytime = 300, 0, 0
    for _ in range(runs):
        seen = rng.multinomial(40, [0.5, 0.5], 60).cumsum(axis=0)
        plain += any(sample_ratio_p(day, [1, 1]) < 0.05 for day in seen[::3])
        anytime += any(sample_ratio_p_anytime(day, [1, 1]) < 0.05 for day in seen)
    assert plain / runs > 0.12
    assert anytime / runs < 0.05


def test_units_needed_agree_with_g_power():
    for row in REFERENCE["g_power_sample_sizes"]["rows"][:4]:
        variance = row.get("variance") or row["p"] * (1 - row["p"])
        needed = units_needed(
            row["mde_abs"],
            (variance, variance),
            alpha=row.get("alpha", 0.05),
            power=row.get("power", 0.85),
        )
        assert needed == pytest.approx(row["n_total"], rel=0.005)


@given(st.floats(0.5, 6), st.floats(0.55, 0.95))
def test_power_and_size_are_inverse(ratio, power):
    n = units_needed(1.0, (ratio, 1.0), power=power, share=0.3)
    error = math.sqrt(ratio / (0.7 * n) + 1.0 / (0.3 * n))
    assert power_fixed(1.0, error) >= power - 1e-6
    assert detectable(error, power=power) <= 1.0 + 1e-9
    assert power_sequential(1.0, error, [0.5, 1.0]) < power_fixed(1.0, error)


def test_the_ledger_by_hand():
    first = [Entry(next_alpha([]), 0.5, is_discovery=False)]
    assert first[0].alpha == pytest.approx(gamma(1) * 0.025)
    found = [*first, Entry(next_alpha(first), 1e-9, is_discovery=True)]
    assert next_alpha(found) == pytest.approx(gamma(3) * 0.025 + gamma(1) * 0.025)
    found.append(Entry(next_alpha(found), 1e-9, is_discovery=True))
    assert next_alpha(found) == pytest.approx(gamma(4) * 0.025 + gamma(2) * 0.025 + gamma(1) * 0.05)
    assert spent(found) == pytest.approx(sum(entry.alpha for entry in found))
    assert sum(gamma(j) for j in range(1, 20_000)) < 1


def test_false_adoptions_of_a_stream_stay_within_the_budget():
    rng = np.random.default_rng(3)
    shares = []
    for _ in range(30):
        ledger, false = [], 0
        for _test in range(120):
            real = rng.random() < 0.3
            p = float(2 * stats.norm.sf(abs(rng.normal(4.0 if real else 0.0))))
            alpha = next_alpha(ledger, budget=0.1)
            ledger.append(Entry(alpha, p, p <= alpha))
            false += p <= alpha and not real
        shares.append(false / max(1, sum(entry.is_discovery for entry in ledger)))
    assert np.mean(shares) <= 0.1


def test_holm_agrees_with_tea_tasting():
    case = REFERENCE["multiplicity"]
    assert holm(case["pvalues"]) == pytest.approx(case["holm_bonferroni"])


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (lambda: Block(3, 4, 1, 0), "bad_counts"),
        (lambda: sample_ratio_p([1.5, 2], [1, 1]), "bad_split"),
        (lambda: sample_ratio_p([1, 2], [1, 1, 1]), "bad_split"),
        (lambda: sample_ratio_p([1, 2], [0, 0]), "bad_split"),
        (lambda: units_needed(0.0, (1, 1)), "bad_design"),
        (lambda: units_needed(0.1, (1, 1), power=0.4), "bad_design"),
        (lambda: power_fixed(0.1, 0.0), "bad_design"),
        (lambda: power_sequential(0.1, 0.0, [1.0]), "bad_design"),
        (lambda: next_alpha([], budget=2), "bad_budget"),
    ],
)
def test_refusals(call, code):
    with pytest.raises(Layer7Error) as raised:
        call()
    assert raised.value.code == code
