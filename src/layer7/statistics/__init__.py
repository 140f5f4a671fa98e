"""What do the numbers say: numbers in, numbers out, no tables and no input or output."""

from layer7.statistics.many.discoveries import bayesian_fdr, benjamini_hochberg
from layer7.statistics.many.spread import Spread, shrink
from layer7.statistics.people.decline import Decline, decline, decline_ratio
from layer7.statistics.rates.effective import EffectiveRates, effective_rate, effective_rates
from layer7.statistics.rates.intervals import Interval, Rate, jeffreys, more_needed, wilson, wilson_bounds
from layer7.statistics.rates.missing import MissingBounds, missing_bounds, tipping_share
from layer7.statistics.scores.brier import SquaredErrors, brier_skill, squared_errors, user_only_errors
from layer7.statistics.scores.calibration import (
    CalibrationCurve,
    CalibrationError,
    CalibrationTest,
    calibration_test,
    equal_mass_ece,
    fit_curve,
)
from layer7.statistics.scores.diagnosis import ScoreDiagnosis, diagnose, split_rows
from layer7.statistics.scores.discrimination import Discrimination, discrimination
from layer7.statistics.scores.moments import Bucket, ScoreMoments, bucket_table
from layer7.statistics.scores.weighted_mean import WeightedMean, weighted_mean
from layer7.statistics.silence.cohorts import cohort_prior, fit_cohorts
from layer7.statistics.silence.follow_up import FollowUp, answered_by, follow_up, unseen_answers
from layer7.statistics.silence.model import SilenceModel, fit_silence
from layer7.statistics.silence.moments import DelayLaw, DelayPrior, SilenceMoments
from layer7.statistics.within.auc import AucGain, auc_gain, within_auc
from layer7.statistics.within.effects import WithinFit, WithinTest, fit_within, score_test
from layer7.statistics.within.panels import Panel, panel
from layer7.statistics.within.part_weights import LearnedWeights, ScoreParts, learn_weights, ratio_of
from layer7.statistics.within.timing import FactorEffect, LevelEffect, Sent, timing_effects

__all__ = [
    "AucGain",
    "Bucket",
    "CalibrationCurve",
    "CalibrationError",
    "CalibrationTest",
    "Decline",
    "DelayLaw",
    "DelayPrior",
    "Discrimination",
    "EffectiveRates",
    "FactorEffect",
    "FollowUp",
    "Interval",
    "LearnedWeights",
    "LevelEffect",
    "MissingBounds",
    "Panel",
    "Rate",
    "ScoreDiagnosis",
    "ScoreMoments",
    "ScoreParts",
    "Sent",
    "SilenceModel",
    "SilenceMoments",
    "Spread",
    "SquaredErrors",
    "WeightedMean",
    "WithinFit",
    "WithinTest",
    "answered_by",
    "auc_gain",
    "bayesian_fdr",
    "benjamini_hochberg",
    "brier_skill",
    "bucket_table",
    "calibration_test",
    "cohort_prior",
    "decline",
    "decline_ratio",
    "diagnose",
    "discrimination",
    "effective_rate",
    "effective_rates",
    "equal_mass_ece",
    "fit_cohorts",
    "fit_curve",
    "fit_silence",
    "fit_within",
    "follow_up",
    "jeffreys",
    "learn_weights",
    "missing_bounds",
    "more_needed",
    "panel",
    "ratio_of",
    "score_test",
    "shrink",
    "split_rows",
    "squared_errors",
    "timing_effects",
    "tipping_share",
    "unseen_answers",
    "user_only_errors",
    "weighted_mean",
    "wilson",
    "wilson_bounds",
    "within_auc",
]
