import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, stats
from sklearn.isotonic import IsotonicRegression

from layer7.errors import Layer7Error
from layer7.statistics import ScoreMoments, calibration_test, equal_mass_ece, fit_curve

SCORES = np.arange(101)
TRUTH = 0.02 + 0.0035 * np.clip(SCORES - 50, 0, None)


def planted(seed, n, truth=TRUTH, unseen=0.0):
    rng = np.random.default_rng(seed)
    scores = rng.integers(50, 101, n)
    events = rng.random(n) < truth[scores]
    return ScoreMoments.from_rows(scores, events, np.where(events, 0.0, unseen))


@pytest.mark.parametrize("unseen", [0.0, 0.3])
def test_isotonic_agrees_with_scikit_learn(unseen):
    """Reference: sklearn.isotonic.IsotonicRegression, weighted by effective trials."""
    moments = planted(1, 3000, unseen=unseen)
    some = moments.n_eff > 0
    oracle = IsotonicRegression(out_of_bounds="clip").fit(
        SCORES[some], moments.events[some] / moments.n_eff[some], moments.n_eff[some]
    )
    assert fit_curve(moments, method="isotonic").rates == pytest.approx(oracle.predict(SCORES), abs=1e-12)


def test_logistic_is_platts():
    """Reference: Platt's softened cross-entropy on rows, minimised by scipy without gradients."""
    moments = planted(2, 800)
    hits, rest = moments.total_events, moments.total_n_eff - moments.total_events

    def loss(ab):
        predictor = ab[0] + ab[1] * (SCORES - 75) / 10
        soft = moments.events * (hits + 1) / (hits + 2) + (moments.n_eff - moments.events) / (rest + 2)
        return float(moments.n_eff @ np.logaddexp(0, predictor) - soft @ predictor)

    found = optimize.minimize(loss, [-2, 0.3], method="Nelder-Mead", options={"xatol": 1e-8, "fatol": 1e-10})
    oracle = 1 / (1 + np.exp(-found.x[0] - found.x[1] * (SCORES - 75) / 10))
    curve = fit_curve(moments)
    assert curve.method == "logistic"
    assert curve.rates == pytest.approx(oracle, abs=1e-5)


def test_the_rule_between_the_two():
    assert fit_curve(planted(3, 5000)).method == "logistic"
    assert fit_curve(planted(3, 14000)).method == "isotonic"


@given(st.integers(0, 10_000))
@settings(max_examples=30, deadline=None)
def test_curves_never_fall_and_stay_rates(seed):
    truth = np.random.default_rng(seed).uniform(0.05, 0.3, 101)
    for method in ("isotonic", "logistic"):
        rates = fit_curve(planted(seed, 400, truth), method=method).rates
        assert (np.diff(rates) >= -1e-12).all()
        assert ((rates >= 0) & (rates <= 1)).all()


@pytest.mark.parametrize("unseen", [0.0, 0.3])
def test_slope_and_intercept_agree_with_statsmodels(unseen):
    """Reference: statsmodels GLM, binomial with k and n - k per score, and its likelihood-ratio statistic."""
    moments, promise = planted(4, 3000, unseen=unseen), TRUTH * 1.3
    some = moments.n_eff > 0
    logits = np.log(promise / (1 - promise))[some]
    k, n = moments.events[some], moments.n_eff[some]
    glm = sm.GLM(k / n, sm.add_constant(logits), family=sm.families.Binomial(), freq_weights=n).fit(tol=1e-12)
    found = calibration_test(moments, promise)
    assert (found.intercept, found.slope) == pytest.approx(tuple(glm.params), abs=1e-6)
    assert (found.intercept_error, found.slope_error) == pytest.approx(tuple(glm.bse), rel=1e-5)

    def height(eta):
        return k @ eta - n @ np.logaddexp(0, eta)

    gain = 2 * (height(glm.params[0] + glm.params[1] * logits) - height(logits))
    assert found.p_value == pytest.approx(stats.chi2.sf(gain, 2), rel=1e-5)


def test_a_flat_promise_is_tested_on_its_level_alone():
    found = calibration_test(planted(5, 3000), 0.05)
    assert (found.slope, found.slope_interval, found.slope_error) == (None, None, None)
    assert found.intercept > 0
    assert found.p_value < 1e-6


@pytest.mark.parametrize("per_bucket", [50, 1000])
def test_false_rejections_of_an_honest_score(per_bucket):
    """200 logs from the promise itself: rejections at 5 % inside the 99.9 % binomial band; slope covered."""
    logs = [planted(s, 5 * per_bucket) for s in range(200)]
    tests = [calibration_test(log, TRUTH) for log in logs if not log.needed]
    rejected = sum(t.p_value < 0.05 for t in tests)
    assert rejected <= stats.binom.ppf(0.9995, len(tests), 0.05)
    covered = sum(1.0 in t.slope_interval for t in tests)
    assert covered >= stats.binom.ppf(0.0005, len(tests), 0.95)


def test_ece_by_hand():
    """Two groups of 50: 10 and 20 events against 5 and 25 promised: (5 + 5) / 100."""
    log = ScoreMoments.from_rows([60, 80] * 50, [1, 1] * 10 + [0, 1] * 10 + [0, 0] * 30)
    curve = np.where(SCORES < 70, 0.1, 0.5)
    found = equal_mass_ece(log, curve, rng=np.random.default_rng(0))
    assert found.value == pytest.approx(0.1)
    assert found.bins == 2


def test_ece_of_an_honest_score_is_chance():
    """What chance gives is foretold: mean over 100 logs within 10 %; 5 % tests inside the binomial band."""
    found = [equal_mass_ece(planted(s, 2000), TRUTH, rng=np.random.default_rng(s)) for s in range(100)]
    assert np.mean([f.value for f in found]) == pytest.approx(np.mean([f.by_chance for f in found]), rel=0.1)
    assert sum(f.p_value < 0.05 for f in found) <= stats.binom.ppf(0.9995, 100, 0.05)


def test_ece_interval_covers_a_real_error():
    """A promise 10 points too high everywhere: the error is 0.1, covered in the binomial band of 100 logs."""
    found = [equal_mass_ece(planted(s, 2000), TRUTH + 0.1, rng=np.random.default_rng(s)) for s in range(100)]
    covered = sum(0.1 in f.interval for f in found)
    assert covered >= stats.binom.ppf(0.0005, 100, 0.95)
    assert all(f.value > 3 * f.by_chance for f in found)


def test_too_little_is_refused():
    for wrong in (
        fit_curve,
        lambda log: calibration_test(log, TRUTH),
        lambda log: equal_mass_ece(log, TRUTH, rng=np.random.default_rng(0)),
    ):
        with pytest.raises(Layer7Error, match="Missing"):
            wrong(planted(0, 20))
