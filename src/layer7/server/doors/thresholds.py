"""What the last night said of the strategy mode's thresholds, and of a person's targets."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel, Field

from layer7.contract.optimization import ThresholdUpdates
from layer7.errors import Layer7Error
from layer7.server.http.auth import Reader
from layer7.server.http.context import context_of
from layer7.server.http.documents import problems
from layer7.storage.services.thresholds import Thresholds

router = APIRouter(prefix="/v1", tags=["figures"])

UserId = Annotated[str, Path(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]


class JudgedThresholds(BaseModel):
    """The strategy mode's thresholds as the last night judged them."""

    run_id: int
    as_of: str
    answer: str
    needed: int | None = Field(
        description="Cases near the cut, a tenth explored, that would tell; else null."
    )
    updates: ThresholdUpdates
    resume_score: dict[str, Any] = Field(
        description="Evidence, effect curve and tests of the resume threshold."
    )
    rethink: dict[str, Any] = Field(description="How often the rule on targets is right, and would be.")
    mode_changes: tuple[dict[str, Any], ...] = Field(description="What came after each change; it predicts.")


class Targets(BaseModel):
    """Whether a person should rethink her targets."""

    user_id: str
    state: Literal["rethink", "not_yet", "fine", "cannot_tell"]
    probability: float | None = Field(description="That her true rate is below the threshold.")
    certainty: float = Field(description="The probability from which on she is told to rethink.")
    threshold: float = Field(description="Interview rate below which targets are rethought.")
    more_needed: int | None = Field(description="About so many more applications without an interview.")
    n: int = Field(description="Applications since targets were last rethought.")
    interviews: int
    effective_n: float = Field(description="How many of the applications have been seen to their end.")


@router.get(
    "/thresholds",
    response_model=JudgedThresholds,
    responses=problems(404),
    summary="Show the strategy mode's thresholds",
)
def show_thresholds(request: Request, _token: Reader) -> JudgedThresholds:
    """Give what the last night found of both thresholds, with what it rests on."""
    try:
        run, found = Thresholds(context_of(request).home).found()
    except Layer7Error as error:
        if error.code not in {"no_night", "no_finding"}:
            raise
        raise Layer7Error("not_found", error.message, error.hint) from error
    return JudgedThresholds.model_validate({"run_id": run.id, "as_of": run.as_of, **found})


@router.get(
    "/users/{user_id}/targets",
    response_model=Targets,
    responses=problems(404, 422),
    summary="Say whether a person should rethink her targets",
)
def show_targets(request: Request, user_id: UserId, _token: Reader) -> Targets:
    """Give a person's state, and how many more applications would tell."""
    found = Thresholds(context_of(request).home).person(user_id)
    if found is None:
        raise Layer7Error(
            "unknown_user",
            "No night has judged this person's targets.",
            "Check the id; new people are judged by the next night.",
        )
    return Targets.model_validate(found)
