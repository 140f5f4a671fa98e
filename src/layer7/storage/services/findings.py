"""What the last night found of scores and timing, in the shapes of the contract."""

import json
from typing import Any, TypeVar

from layer7.contract.base import Contract
from layer7.contract.optimization import FitScoreOptimization, ScoreCalibration, TimingInsights
from layer7.errors import Layer7Error
from layer7.storage.database.runs import Runs

Found = TypeVar("Found", bound=Contract)


def timing(runs: Runs) -> TimingInsights:
    """Give whether it matters when one applies.

    Args:
        runs: the record of nights.

    Raises:
        Layer7Error: ``no_night``; ``no_finding`` when there was nothing to look at.
    """
    return _found(runs, "timing", TimingInsights)


def calibration(runs: Runs) -> ScoreCalibration:
    """Give whether the resume score promises what comes.

    Args:
        runs: the record of nights.

    Raises:
        Layer7Error: ``no_night``; ``no_finding`` when there was nothing to look at.
    """
    return _found(runs, "resume_score", ScoreCalibration)


def fit_score(runs: Runs) -> FitScoreOptimization:
    """Give which parts of the fit score predict interviews.

    Args:
        runs: the record of nights.

    Raises:
        Layer7Error: ``no_night``; ``no_finding`` when there was nothing to look at.
    """
    return _found(runs, "fit_score", FitScoreOptimization)


def _found(runs: Runs, name: str, model: type[Found]) -> Found:
    nights = runs.latest(status="done")
    if not nights:
        raise Layer7Error("no_night", "No night has run here yet.", "Run one with `layer7 nightly`.")
    said: dict[str, Any] | None = nights[0].report.get("propose", {}).get(name)
    if said is None:
        raise Layer7Error(
            "no_finding",
            "Not enough data: the last night found no applications.",
            "Send events, or import a log, and run `layer7 nightly` again.",
        )
    kept = {field: said[field] for field in model.model_fields if field in said}
    return model.model_validate_json(json.dumps(kept))
