import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import brier_score_loss, roc_auc_score

from layer7.errors import Layer7Error
from layer7.statistics import (
    ScoreMoments,
    SquaredErrors,
    brier_skill,
    bucket_table,
    discrimination,
    squared_errors,
    user_only_errors,
    wilson,
)
from layer7.statistics.fitting.logistic import fit_logistic

rows = st.lists(st.tuples(st.integers(0, 100), st.booleans()), max_size=40)


def log(seed=0, n=2000, slope=0.004):
    rng = np.random.default_rng(seed)
    scores = rng.integers(40, 100, n)
    return scores, rng.random(n) < 0.02 + slope * (scores - 40)


@given(rows, rows)
def test_merging_is_pooling(a, b):
    def moments(table):
        return ScoreMoments.from_rows([s for s, _ in table], [float(e) for _, e in table])

    both, merged = moments(a + b), moments(a) + moments(b)
    assert both.n.tolist() == merged.n.tolist()
    assert both.events.tolist() == merged.events.tolist()
    assert both.n_eff.tolist() == merged.n_eff.tolist()


def test_buckets_by_hand():
    """60-69: 2 of 10 with 2 unseen, so 2 / 8; the promise averages 0.1; too timid by 15 points."""
    unseen = [0] * 8 + [1, 1]
    moments = ScoreMoments.from_rows([60, 69] * 5, [1, 1] + [0] * 8, unseen)
    table = {line.label: line for line in bucket_table(moments, 0.1)}
    assert list(table) == ["below 50", "50-59", "60-69", "70-79", "80-89", "90-100"]
    line = table["60-69"]
    assert (line.n, line.rate.n, line.rate.value) == (10, 8, 0.25)
    assert line.rate.high == pytest.approx(wilson(2, 8).high)
    assert (line.expected, line.error) == (pytest.approx(0.1), pytest.approx(-0.15))
    empty = table["90-100"]
    assert (empty.rate.value, empty.expected, empty.error) == (None, None, None)
    assert empty.rate.needed


def test_auc_agrees_with_scikit_learn():
    """Reference: sklearn.metrics.roc_auc_score on the rows."""
    scores, events = log()
    found = discrimination(ScoreMoments.from_rows(scores, events))
    assert found.auc == pytest.approx(roc_auc_score(events, scores), abs=1e-12)
    assert found.auc in found.auc_interval
    assert found.p_value < 1e-6


def test_auc_interval_is_delongs():
    """Reference: DeLong's variance written out over all pairs of rows."""
    scores, events = log(1, 300)
    hit, miss = scores[events], scores[~events]
    wins = (hit[:, None] > miss) + 0.5 * (hit[:, None] == miss)
    variance = wins.mean(axis=1).var(ddof=1) / hit.size + wins.mean(axis=0).var(ddof=1) / miss.size
    found = discrimination(ScoreMoments.from_rows(scores, events))
    odds = np.log(found.auc / (1 - found.auc))
    reach = 1.959964 * np.sqrt(variance) / (found.auc * (1 - found.auc))
    assert found.auc_interval.high == pytest.approx(1 / (1 + np.exp(-odds - reach)), abs=1e-6)


def test_a_blind_score_is_seldom_called_discriminative():
    """200 logs without any relation: rejections at 5 % inside the 99.9 % binomial band."""
    rejected = 0
    for seed in range(200):
        scores, events = log(seed, 2000, slope=0.0)
        rejected += discrimination(ScoreMoments.from_rows(scores, events)).p_value < 0.05
    assert rejected <= stats.binom.ppf(0.9995, 200, 0.05)


def test_perfect_order_still_has_an_interval():
    scores = [50] * 40 + [60] * 20 + [90] * 20
    found = discrimination(ScoreMoments.from_rows(scores, [0] * 40 + [0] * 19 + [1] * 21))
    assert found.auc_interval.low < found.auc <= found.auc_interval.high
    with pytest.raises(Layer7Error, match="finite"):
        discrimination(ScoreMoments.from_rows([50] * 40 + [90] * 20, [0] * 40 + [1] * 20))


def test_brier_agrees_with_scikit_learn():
    """Reference: sklearn.metrics.brier_score_loss on the rows."""
    scores, events = log()
    curve = np.linspace(0, 0.4, 101)
    brier = squared_errors(ScoreMoments.from_rows(scores, events), curve).brier
    assert brier == pytest.approx(brier_score_loss(events, curve[scores]), abs=1e-12)


def test_user_only_leaves_the_application_out():
    """Reference: the prediction of each row from the user's other rows, row by row."""
    rng = np.random.default_rng(5)
    users = rng.integers(0, 30, 400)
    events = rng.random(400) < rng.beta(1, 9, 30)[users]
    total = 0.0
    for i in range(400):
        others = (users == users[i]) & (np.arange(400) != i)
        q = (events[others].sum() + 20 * 0.1) / (others.sum() + 20)
        total += (events[i] - q) ** 2
    k, n = np.bincount(users, events), np.bincount(users)
    assert user_only_errors(k, n, rate=0.1).total == pytest.approx(total)
    parts = [user_only_errors(k[part], n[part], rate=0.1) for part in (slice(0, 9), slice(9, None))]
    assert (parts[0] + parts[1]).total == pytest.approx(total)


def test_skill():
    assert brier_skill(SquaredErrors(2, 10), SquaredErrors(4, 10)) == 0.5
    assert brier_skill(SquaredErrors(0, 0), SquaredErrors(4, 10)) is None
    assert brier_skill(SquaredErrors(1, 5), SquaredErrors(0, 10)) is None


def test_what_is_missing_is_said():
    few = ScoreMoments.from_rows([50, 60] * 20, [1, 0] * 3 + [0] * 34)
    assert few.needed == "7 more interviews on scored applications"
    with pytest.raises(Layer7Error, match="7 more interviews"):
        discrimination(few)
    assert ScoreMoments.from_rows([50] * 20, [1] * 20).needed.startswith("10 more scored")
    assert ScoreMoments.from_rows([50] * 40, [1, 0] * 20).needed == "applications with different scores"


def test_bad_input_is_refused():
    zeros = np.zeros(101)
    for wrong in (
        lambda: ScoreMoments(np.zeros(100), zeros, zeros),
        lambda: ScoreMoments(zeros, zeros + 1, zeros),
        lambda: ScoreMoments(zeros, zeros, zeros + 1),
        lambda: ScoreMoments.from_rows([101], [0]),
        lambda: squared_errors(ScoreMoments(zeros, zeros, zeros), [0.1, 0.2]),
        lambda: squared_errors(ScoreMoments(zeros, zeros, zeros), 1.5),
        lambda: user_only_errors([2], [1], rate=0.1),
        lambda: user_only_errors([0], [1], rate=2),
        lambda: fit_logistic(np.ones((1, 2)), np.ones(1), np.full(1, 2.0)),
    ):
        with pytest.raises(Layer7Error):
            wrong()
