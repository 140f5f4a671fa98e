import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from layer7.errors import Layer7Error
from layer7.statistics import ScoreMoments, diagnose, split_rows
from layer7.statistics.scores.moments import pooled

SCORES = np.arange(101)
TRUTH = 0.02 + 0.0035 * np.clip(SCORES - 50, 0, None)
MIDDLES = np.array([55, 65, 75, 85, 95])


def planted(seed, per_bucket, truth=TRUTH, *, people=False):
    """Ten folds of a log with the given rates; with people, fifty rows each and rates that differ."""
    rng = np.random.default_rng(seed)
    scores = np.repeat(MIDDLES, per_bucket) + rng.integers(-5, 5, 5 * per_bucket)
    if not people:
        events = rng.random(scores.size) < truth[scores]
        return split_rows(ScoreMoments.from_rows(scores, events), 10, rng=rng)
    person = rng.integers(0, max(20, scores.size // 50), scores.size)
    luck = rng.gamma(1.5, 1 / 1.5, person.max() + 1)
    events = rng.random(scores.size) < np.minimum(truth[scores] * luck[person], 1)
    return [ScoreMoments.from_rows(scores[person % 10 == f], events[person % 10 == f]) for f in range(10)]


@pytest.mark.parametrize(("per_bucket", "people"), [(50, False), (1000, False), (200, True)])
def test_an_honest_score_is_left_alone(per_bucket, people):
    """False recalibration at most 5 % (200 logs; upper end of the 99.9 % binomial band at 5 %)."""
    found = [diagnose(planted(s, per_bucket, people=people), TRUTH) for s in range(200)]
    flagged = sum(d.issue is not None for d in found)
    assert flagged <= stats.binom.ppf(0.9995, 200, 0.05)
    if not people:
        assert flagged <= 10


@pytest.mark.parametrize(
    ("promise", "truth", "issue"),
    [
        (TRUTH * 1.6, TRUTH, "scores_too_optimistic"),
        (TRUTH * 0.6, TRUTH, "scores_too_pessimistic"),
        (TRUTH, np.full(101, 0.1), "scores_not_discriminative"),
    ],
)
def test_a_wrong_score_is_found(promise, truth, issue):
    """At 1,000 per bucket at least 80 % of 30 logs are flagged, and with the right word."""
    found = [diagnose(planted(s, 1000, truth), promise) for s in range(30)]
    assert sum(d.issue == issue for d in found) >= 24
    for d in found:
        if d.issue:
            assert d.expected_error < d.current_error
            assert d.p_value < 0.05
    assert np.mean([d.reduction.low > 0 for d in found]) > 0.7
    curve = found[0].recalibrated.rates
    assert np.abs(curve - truth)[50:].max() < 0.05


def test_the_reduction_is_that_of_the_errors():
    d = diagnose(planted(1, 1000), TRUTH * 1.6)
    middle = (d.reduction.low + d.reduction.high) / 2
    assert middle == pytest.approx(d.current_error - d.expected_error)


@given(st.integers(0, 1000), st.integers(1, 12))
@settings(max_examples=20, deadline=None)
def test_dealt_rows_are_all_there(seed, folds):
    rng = np.random.default_rng(seed)
    scores, events = rng.integers(0, 101, 300), rng.random(300) < 0.2
    log = ScoreMoments.from_rows(scores, events, np.where(events, 0, rng.random(300)))
    parts = split_rows(log, folds, rng=rng)
    again = pooled(parts)
    assert len(parts) == folds
    assert again.n.tolist() == log.n.tolist()
    assert again.events.tolist() == log.events.tolist()
    assert again.n_eff == pytest.approx(log.n_eff)


def test_too_little_is_said():
    few = diagnose(planted(0, 4), TRUTH)
    assert few.issue is None
    assert few.p_value is None
    assert "interviews" in few.needed


def test_a_flat_promise_is_judged_on_its_level():
    assert diagnose(planted(2, 400), 0.3).issue == "scores_too_optimistic"


def test_bad_input_is_refused():
    folds = planted(0, 50)
    for wrong in (
        lambda: diagnose(folds[:3], TRUTH),
        lambda: diagnose(folds, TRUTH, alpha=0),
        lambda: diagnose(folds, [0.1, 0.2]),
        lambda: split_rows(folds[0], 0, rng=np.random.default_rng(0)),
    ):
        with pytest.raises(Layer7Error):
            wrong()
