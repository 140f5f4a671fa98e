"""Does the resume score promise what comes, and which promise would be better (specification 5.2)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from layer7.contract.fields import FrozenDict
from layer7.contract.optimization import (
    BucketRate,
    CurvePoint,
    ExpectedImprovement,
    ScoreCalibration,
    ScoreCalibrationRecommendation,
    SuggestedAdjustment,
)
from layer7.contract.recommendation import OptimizationRecommendation
from layer7.contract.score_weights import ComponentWeights
from layer7.contract.vocabulary import Component
from layer7.errors import Layer7Error
from layer7.optimization.recommendation import Grounds, Nature, Origin, Proposal, recommend
from layer7.optimization.resume_score_words import (
    ALPHA,
    CHANGE,
    METHOD,
    RANGES,
    People,
    answer,
    finding,
    needed,
    pair,
)
from layer7.statistics import (
    Bucket,
    CalibrationError,
    ScoreDiagnosis,
    ScoreMoments,
    brier_skill,
    bucket_table,
    diagnose,
    equal_mass_ece,
    fit_curve,
    squared_errors,
    user_only_errors,
)
from layer7.statistics.scores.moments import BUCKETS, POINTS, pooled

PARAMETER = "resume_score_calibration"
THRESHOLD = "improve_resume_threshold"

LEVEL = 0.95
WELL_CALIBRATED = 0.02
DRAWS = 1000
DECIMALS = 4
CURVE_STEP = 5

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """What a night says of the resume score.

    Args:
        report: the specification's table and figures.
        adjustment: what is wrong with the score; None where nothing is proven.
        recommendation: the better map of promised rates; None where nothing is proven.
        error: equal-mass calibration error, with its interval and what chance alone gives; None while there
            is not enough data.
        answer: the outcome in one sentence.
        needed: about how many more scored applications are needed to say more; None when enough.
    """

    report: ScoreCalibration
    adjustment: ScoreCalibrationRecommendation | None
    recommendation: OptimizationRecommendation | None
    error: CalibrationError | None
    answer: str
    needed: int | None


def calibrate(
    folds: Sequence[ScoreMoments],
    people: People,
    served: Mapping[str, float],
    *,
    threshold: float = 75.0,
    origin: Origin,
    rng: np.random.Generator,
) -> Calibration:
    """Judge the promised interview rates in force, and recommend better ones where the evidence asks for it.

    The setting is a step per range of scores, so the log is read at that resolution: the applications of a
    range stand at its mean score. A recommendation is made only if

    1. :func:`layer7.statistics.diagnose` finds an issue at p < 0.01, on rows and between people, and
    2. the calibration error falls out of sample, with its whole 95 % interval above 0.

    The recommended rate of a range is that of the monotone curve at the range's mean score; a range without
    applications keeps its rate as far as the others allow. It is a prediction: people review it, since a
    truer promise is no experiment.

    Weights of the parts are another question (:func:`layer7.optimization.score_weights.weigh_components`),
    which :func:`told` puts beside. ``threshold_adjustments`` are the points to add to
    ``improve_resume_threshold`` so that it stays where the served map promises its rate: to the lowest score
    at which the learned curve reaches that rate, if it does so among the scores in the log.

    Args:
        folds: counts per score point, each person in one fold, at least 6 folds; folds 0, 2, ... judge what
            folds 1, 3, ... learned, and the other way round.
        people: interviews and effective trials per person, over the same applications.
        served: the map in force, interview rate by range, ``"0-49"`` to ``"90-100"``.
        threshold: ``improve_resume_threshold`` in force, 0 to 100.
        origin: when, and from what.
        rng: the dice of the bootstrap.

    Raises:
        Layer7Error: ``wrong_members`` for other ranges; ``bad_folds``; ``bad_rates``; ``bad_counts``.
    """
    promised = _promised(served)
    everyone = pooled(folds)
    standing = _standing(everyone)
    coarse = [_coarse(fold, standing) for fold in folds]
    found = diagnose(coarse, promised, alpha=ALPHA, level=LEVEL)
    better = _better(found, everyone, standing, served)
    known = not found.needed
    return Calibration(
        report=_report(_Log(everyone, people, promised), served, found, wrong=better is not None, rng=rng),
        adjustment=None if better is None else _adjustment(found, everyone, promised, threshold),
        recommendation=None if better is None else _recommendation(found, people, (served, better), origin),
        error=equal_mass_ece(pooled(coarse), promised, rng=rng) if known else None,
        answer=answer(found, everyone, wrong=better is not None),
        needed=None if known else needed(everyone),
    )


def told(found: Calibration, weights: ComponentWeights) -> ScoreCalibration:
    """Put together what a night says of the resume score: its promises, and the weights of its parts.

    Args:
        found: what :func:`calibrate` gave.
        weights: what :func:`layer7.optimization.score_weights.weigh_components` gave.
    """
    mended = found.adjustment
    if mended is not None:
        suggested = mended.suggested_adjustment.model_copy(
            update={
                "component_weights": weights.suggested_weights,
                "why_no_weights": None if weights.suggested_weights else weights.answer,
            }
        )
        mended = mended.model_copy(update={"suggested_adjustment": suggested})
    return found.report.model_copy(update={"adjustment": mended, "component_weights": weights})


@dataclass(frozen=True, slots=True)
class _Log:
    """Everyone's applications by score, each person's in all, and what was promised at each score."""

    everyone: ScoreMoments
    people: People
    promised: Floats


def _promised(served: Mapping[str, float]) -> Floats:
    """The served map as 101 rates."""
    if tuple(served) != RANGES and set(served) != set(RANGES):
        raise Layer7Error(
            "wrong_members",
            f"{PARAMETER} has the ranges {', '.join(map(str, served)) or 'of nothing'}.",
            f"Give a rate for each of {', '.join(RANGES)}.",
        )
    rates = np.empty(POINTS)
    for name, (low, high) in zip(RANGES, BUCKETS, strict=True):
        rates[low : high + 1] = served[name]
    return rates


def _standing(everyone: ScoreMoments) -> tuple[int, ...]:
    """The score at which each range stands: its mean, or its middle where it is empty."""
    scores = np.arange(POINTS)
    found = []
    for low, high in BUCKETS:
        trials = everyone.n_eff[low : high + 1]
        total = trials.sum()
        mean = trials @ scores[low : high + 1] / total if total > 0 else (low + high) / 2
        found.append(int(np.clip(np.rint(mean), low, high)))
    return tuple(found)


def _coarse(moments: ScoreMoments, standing: Sequence[int]) -> ScoreMoments:
    """The same counts, all of a range at one score: what a map with one rate per range can tell apart."""
    cells = np.zeros((3, POINTS))
    for at, (low, high) in zip(standing, BUCKETS, strict=True):
        part = slice(low, high + 1)
        cells[:, at] = moments.n[part].sum(), moments.events[part].sum(), moments.n_eff[part].sum()
    return ScoreMoments(*cells)


def _better(
    found: ScoreDiagnosis, everyone: ScoreMoments, standing: Sequence[int], served: Mapping[str, float]
) -> Mapping[str, float] | None:
    """The map to recommend; None unless the evidence asks for another one than is served."""
    if found.issue is None or found.reduction is None or found.recalibrated is None:
        return None
    if found.reduction.low <= 0:
        return None
    curve = found.recalibrated.rates[list(standing)]
    filled = np.array([everyone.n_eff[low : high + 1].sum() > 0 for low, high in BUCKETS])
    held = np.array([served[name] for name in RANGES])
    below = np.maximum.accumulate(np.where(filled, curve, 0.0))
    above = np.minimum.accumulate(np.where(filled, curve, 1.0)[::-1])[::-1]
    rates = np.where(filled, curve, np.maximum.accumulate(np.clip(held, below, above)))
    better = FrozenDict(
        {name: round(float(rate), DECIMALS) for name, rate in zip(RANGES, rates, strict=True)}
    )
    return None if better == dict(served) else better


def _report(
    log: _Log, served: Mapping[str, float], found: ScoreDiagnosis, *, wrong: bool, rng: np.random.Generator
) -> ScoreCalibration:
    table = bucket_table(log.everyone, log.promised, level=LEVEL)
    error, interval = _mean_error(table, served, rng)
    test = found.test
    proven_small = interval is not None and interval[1] < WELL_CALIBRATED and not found.needed
    return ScoreCalibration(
        calibration={name: _line(bucket) for name, bucket in zip(RANGES, table, strict=True)},
        calibration_error=error,
        is_well_calibrated=False if wrong else (True if proven_small else None),
        recommendation="recalibrate_weights" if wrong else "no_change",
        expected_rates=dict(served),
        slope=None if test is None else test.slope,
        slope_interval=None if test is None else pair(test.slope_interval),
        intercept=None if test is None else test.intercept,
        intercept_interval=None if test is None else pair(test.intercept_interval),
        brier_skill=_skill(log),
        curve=() if found.needed else _curve(log.everyone),
        n=int(log.everyone.n.sum()),
        interval=interval,
        level=LEVEL,
        method=METHOD,
    )


def _line(bucket: Bucket) -> BucketRate:
    return BucketRate(
        interview_rate=bucket.rate.value,
        sample_size=int(bucket.n),
        n=int(bucket.n),
        interval=pair(bucket.rate.interval),
        level=bucket.rate.level,
        method=bucket.rate.method,
    )


def _mean_error(
    table: Sequence[Bucket], served: Mapping[str, float], rng: np.random.Generator
) -> tuple[float | None, tuple[float, float] | None]:
    """The specification's mean absolute error over the ranges, with its basic bootstrap interval."""
    told = [(line.rate, served[name]) for name, line in zip(RANGES, table, strict=True) if line.rate.interval]
    if not told:
        return None, None
    events, trials = np.array([(rate.events, rate.n) for rate, _ in told]).T
    promised = np.array([promise for _, promise in told])
    error = float(np.abs(np.minimum(events / trials, 1.0) - promised).mean())
    whole = np.maximum(np.rint(trials), 1).astype(np.int64)
    # Half an interview more on either side: a range without interviews is no proof that none will come.
    drawn = rng.binomial(whole, np.minimum((events + 0.5) / (trials + 1), 1.0), size=(DRAWS, whole.size))
    errors = np.abs(drawn / whole - promised).mean(axis=1)
    low, high = 2 * error - np.quantile(errors, [(1 + LEVEL) / 2, (1 - LEVEL) / 2])
    return error, (min(max(float(low), 0.0), error), max(float(high), error))


def _skill(log: _Log) -> float | None:
    events, trials = log.people
    if trials.sum() <= 0:
        return None
    rate = float(min(events.sum() / trials.sum(), 1.0))
    return brier_skill(
        squared_errors(log.everyone, log.promised), user_only_errors(events, trials, rate=rate)
    )


def _curve(everyone: ScoreMoments) -> tuple[CurvePoint, ...]:
    rates, scores = fit_curve(everyone).rates, np.flatnonzero(everyone.n_eff)
    first, last = -(-int(scores[0]) // CURVE_STEP) * CURVE_STEP, int(scores[-1])
    return tuple(
        CurvePoint(score=float(score), interview_rate=float(rates[score]))
        for score in range(first, last + 1, CURVE_STEP)
    )


def moved_threshold(rates: Floats, seen: Floats, promise: float, threshold: float) -> float | None:
    """How many points a threshold has to move so that the rate promised there is the rate that comes there.

    Args:
        rates: learned rate at each score from 0 to 100, never falling.
        seen: effective trials at each score.
        promise: rate that the map in force promises at the threshold.
        threshold: the threshold in force.

    Returns:
        Points to add; None if no score in the log reaches the promise, or all of them exceed it.

    Example:
        >>> rates = np.linspace(0.0, 0.1, 101)
        >>> moved_threshold(rates, np.ones(101), 0.08, 75.0)
        5.0
    """
    scores = np.flatnonzero(seen)
    reached = scores[rates[scores] >= promise - 1e-12]
    if reached.size in {0, scores.size}:
        return None
    return float(reached[0]) - threshold


def _adjustment(
    found: ScoreDiagnosis, everyone: ScoreMoments, promised: Floats, threshold: float
) -> ScoreCalibrationRecommendation | None:
    if found.issue is None or found.current_error is None or found.recalibrated is None:
        return None
    promise = float(promised[int(np.clip(np.rint(threshold), 0, POINTS - 1))])
    curve = fit_curve(everyone).rates
    points = moved_threshold(curve, everyone.n_eff, promise, threshold)
    return ScoreCalibrationRecommendation(
        issue=found.issue,
        suggested_adjustment=SuggestedAdjustment(
            component_weights={},
            threshold_adjustments={} if points is None else {THRESHOLD: points},
        ),
        expected_improvement=ExpectedImprovement(
            current_calibration_error=found.current_error,
            expected_calibration_error=found.expected_error,
        ),
        n=int(everyone.n.sum()),
        interval=pair(found.reduction),
        level=LEVEL,
        method=METHOD,
        what_would_change_this=CHANGE,
    )


def _recommendation(
    found: ScoreDiagnosis,
    people: People,
    maps: tuple[Mapping[str, float], Mapping[str, float]],
    origin: Origin,
) -> OptimizationRecommendation | None:
    if found.issue is None or found.current_error is None or found.expected_error is None:
        return None
    served, better = maps
    proposal = Proposal(
        component=Component.STRATEGY_ENGINE,
        parameter=PARAMETER,
        current_value=FrozenDict(served),
        recommended_value=FrozenDict(better),
        nature=Nature.PREDICTIVE,
        size=max(abs(better[name] - served[name]) for name in RANGES),
        grounds=Grounds.OBSERVATION,
    )
    return recommend(proposal, finding(found, people), origin)
