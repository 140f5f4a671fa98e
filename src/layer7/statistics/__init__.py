"""What do the numbers say: numbers in, numbers out, no tables and no input or output."""

from layer7.statistics.brier import SquaredErrors, brier_skill, squared_errors, user_only_errors
from layer7.statistics.calibration import (
    CalibrationCurve,
    CalibrationError,
    CalibrationTest,
    calibration_test,
    equal_mass_ece,
    fit_curve,
)
from layer7.statistics.cohort_delays import cohort_prior, fit_cohorts
from layer7.statistics.decline import Decline, decline
from layer7.statistics.discoveries import bayesian_fdr, benjamini_hochberg
from layer7.statistics.discrimination import Discrimination, discrimination
from layer7.statistics.effective import EffectiveRates, effective_rate, effective_rates
from layer7.statistics.intervals import Interval, Rate, jeffreys, more_needed, wilson, wilson_bounds
from layer7.statistics.missing import MissingBounds, missing_bounds, tipping_share
from layer7.statistics.score_diagnosis import ScoreDiagnosis, diagnose, split_rows
from layer7.statistics.score_moments import Bucket, ScoreMoments, bucket_table
from layer7.statistics.silence import SilenceModel, fit_silence
from layer7.statistics.silence_moments import DelayLaw, DelayPrior, SilenceMoments

__all__ = [
    "Bucket",
    "CalibrationCurve",
    "CalibrationError",
    "CalibrationTest",
    "Decline",
    "DelayLaw",
    "DelayPrior",
    "Discrimination",
    "EffectiveRates",
    "Interval",
    "MissingBounds",
    "Rate",
    "ScoreDiagnosis",
    "ScoreMoments",
    "SilenceModel",
    "SilenceMoments",
    "SquaredErrors",
    "bayesian_fdr",
    "benjamini_hochberg",
    "brier_skill",
    "bucket_table",
    "calibration_test",
    "cohort_prior",
    "decline",
    "diagnose",
    "discrimination",
    "effective_rate",
    "effective_rates",
    "equal_mass_ece",
    "fit_cohorts",
    "fit_curve",
    "fit_silence",
    "jeffreys",
    "missing_bounds",
    "more_needed",
    "split_rows",
    "squared_errors",
    "tipping_share",
    "user_only_errors",
    "wilson",
    "wilson_bounds",
]
