"""What works for whom: patterns of one person, told from chance with the help of all."""

from layer7.patterns.believing import Laws, learn
from layer7.patterns.detection import FOUND, LARGEST_FDR, LEAST_PROBABILITY, choose, detect
from layer7.patterns.outlooks import needed
from layer7.patterns.preferences import preferences
from layer7.patterns.report import pattern_report

__all__ = [
    "FOUND",
    "LARGEST_FDR",
    "LEAST_PROBABILITY",
    "Laws",
    "choose",
    "detect",
    "learn",
    "needed",
    "pattern_report",
    "preferences",
]
