"""Findings that may be shown: by hand, against statsmodels, laws, and the share of false ones."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests

from layer7.errors import Layer7Error
from layer7.statistics.many.discoveries import bayesian_fdr, benjamini_hochberg

CHANCES = st.lists(st.floats(0, 1), max_size=40)


def test_by_hand():
    assert bayesian_fdr([0.05, 0.15, 0.11]).tolist() == [True, False, True]  # means 0.05, 0.08, 0.103
    assert bayesian_fdr([0.5]).tolist() == [False]
    assert bayesian_fdr([]).tolist() == []
    assert benjamini_hochberg([]).tolist() == []


def test_equal_findings_are_shown_together_or_not_at_all():
    assert bayesian_fdr([0.0, 0.15, 0.15]).tolist() == [True, True, True]
    assert bayesian_fdr([0.0, 0.16, 0.16]).tolist() == [True, False, False]


@given(CHANCES, st.floats(0.01, 0.5))
def test_as_statsmodels_has_it(chances, rate):
    """Reference: statsmodels 0.14, multipletests(method='fdr_bh')."""
    if chances:
        expected = multipletests(chances, rate, method="fdr_bh")[0]
        assert benjamini_hochberg(chances, rate).tolist() == expected.tolist()


@given(CHANCES, st.randoms())
def test_order_does_not_matter_and_the_mean_holds(chances, dice):
    shown = bayesian_fdr(chances)
    places = list(range(len(chances)))
    dice.shuffle(places)
    assert bayesian_fdr([chances[i] for i in places]).tolist() == [shown[i] for i in places]
    if shown.any():
        assert np.array(chances)[shown].mean() <= 0.10 + 1e-9


def test_of_those_shown_a_tenth_is_false():
    """Two thirds nulls: the share of false findings is at most the rate, and not far below."""
    rng = np.random.default_rng(7)
    effect = rng.random(60_000) < 1 / 3
    z = rng.standard_normal(effect.size) + 2.5 * effect
    odds = 2 * stats.norm.pdf(z) / stats.norm.pdf(z - 2.5)
    shown = bayesian_fdr(odds / (1 + odds))
    error = 4 * np.sqrt(0.09 / shown.sum())
    assert abs((~effect[shown]).mean() - 0.10) < error
    assert (~effect[benjamini_hochberg(stats.norm.sf(z))]).mean() < 0.10 + error


@pytest.mark.parametrize("bad", [[1.2], [-0.1], [float("nan")]])
def test_what_is_no_probability_is_refused(bad):
    for choose in (bayesian_fdr, benjamini_hochberg):
        with pytest.raises(Layer7Error):
            choose(bad)
    with pytest.raises(Layer7Error, match="rate"):
        bayesian_fdr([0.1], 0)
