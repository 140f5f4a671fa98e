"""What the last night found of scores and timing."""

from fastapi import APIRouter, Request

from layer7.contract.optimization import FitScoreOptimization, ScoreCalibration, TimingInsights
from layer7.server.http.auth import Reader
from layer7.server.http.context import context_of
from layer7.server.http.documents import problems
from layer7.storage.services import findings

router = APIRouter(prefix="/v1", tags=["figures"])


@router.get("/timing", responses=problems(404), summary="Show whether it matters when one applies")
def show_timing(request: Request, _token: Reader) -> TimingInsights:
    """Give rates by weekday and hour, what is proven to matter, and when to follow up."""
    return findings.timing(context_of(request).home.runs)


@router.get("/calibration", responses=problems(404), summary="Show what the resume score is worth")
def show_calibration(request: Request, _token: Reader) -> ScoreCalibration:
    """Give what each range of resume scores promised and what came."""
    return findings.calibration(context_of(request).home.runs)


@router.get("/fit-score", responses=problems(404), summary="Show what the parts of the fit score are worth")
def show_fit_score(request: Request, _token: Reader) -> FitScoreOptimization:
    """Give learned weights beside those in force, and the gain within people and out of time."""
    return findings.fit_score(context_of(request).home.runs)
