"""Comparing the arms of an experiment: moments, contrasts, and what may be said of them at which look."""

from layer7.statistics.trials.anytime import critical_anytime, p_anytime, p_anytime_one_sided, tuning
from layer7.statistics.trials.contrast import (
    LEAST_CARRIERS,
    LEAST_UNITS,
    Comparison,
    Contrast,
    MetricKind,
    compare,
    critical_t,
    is_early,
    p_fixed,
    stratified,
)
from layer7.statistics.trials.counts import Block, e_values, p_exact
from layer7.statistics.trials.group_sequential import (
    bounds,
    crossing_probability,
    information_fractions,
    p_group_sequential,
)
from layer7.statistics.trials.heterogeneity import Heterogeneity, heterogeneity
from layer7.statistics.trials.inference import Guarantee, Inference, Looking, critical, holm, infer
from layer7.statistics.trials.moments import ArmMoments
from layer7.statistics.trials.online_fdr import Entry, next_alpha, spent
from layer7.statistics.trials.power import (
    detectable,
    power_anytime,
    power_fixed,
    power_sequential,
    units_needed,
)
from layer7.statistics.trials.sample_ratio import ALARM, sample_ratio_p, sample_ratio_p_anytime
from layer7.statistics.trials.spectrum import (
    FreeTime,
    Ordered,
    Quantile,
    Spectrum,
    common_horizon,
    compare_ordered,
    compare_spectra,
)
from layer7.statistics.trials.strata import together

__all__ = [
    "ALARM",
    "LEAST_CARRIERS",
    "LEAST_UNITS",
    "ArmMoments",
    "Block",
    "Comparison",
    "Contrast",
    "Entry",
    "FreeTime",
    "Guarantee",
    "Heterogeneity",
    "Inference",
    "Looking",
    "MetricKind",
    "Ordered",
    "Quantile",
    "Spectrum",
    "bounds",
    "common_horizon",
    "compare",
    "compare_ordered",
    "compare_spectra",
    "critical",
    "critical_anytime",
    "critical_t",
    "crossing_probability",
    "detectable",
    "e_values",
    "heterogeneity",
    "holm",
    "infer",
    "information_fractions",
    "is_early",
    "next_alpha",
    "p_anytime",
    "p_anytime_one_sided",
    "p_exact",
    "p_fixed",
    "p_group_sequential",
    "power_anytime",
    "power_fixed",
    "power_sequential",
    "sample_ratio_p",
    "sample_ratio_p_anytime",
    "spent",
    "stratified",
    "together",
    "tuning",
    "units_needed",
]
