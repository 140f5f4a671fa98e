"""The scoreboard: the engine's own stages on markets whose truth is known, measured against marks."""

from layer7.simulation.scoreboard import (
    calibration,
    censoring,
    confounding,
    drift,
    experiments,
    fleet,
    lost_logs,
    modes,
    patterns,
    ranking,
    released,
    score_weights,
    seasonality,
    timing,
)
from layer7.simulation.scoreboard.measure import Figure, Kind, Mark, Measure, Pair, Trial, Unit
from layer7.simulation.scoreboard.runner import run
from layer7.simulation.scoreboard.verdict import Line, Verdict

MEASURES: tuple[Measure, ...] = (
    *patterns.MEASURES,
    *censoring.MEASURES,
    *drift.MEASURES,
    *calibration.MEASURES,
    *timing.WEIGHTS,
    *score_weights.MEASURES,
    *modes.MEASURES,
    *experiments.MEASURES,
    *fleet.MEASURES,
    *confounding.MEASURES,
    *timing.MEASURES,
    *seasonality.MEASURES,
    *lost_logs.MEASURES,
    *ranking.MEASURES,
    *released.MEASURES,
)
"""The lines of the scoreboard, in their order."""

__all__ = [
    "MEASURES",
    "Figure",
    "Kind",
    "Line",
    "Mark",
    "Measure",
    "Pair",
    "Trial",
    "Unit",
    "Verdict",
    "run",
]
