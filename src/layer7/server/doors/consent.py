"""The consent door: what a person allows, read and recorded in her name."""

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response

from layer7.contract.vocabulary import Purpose
from layer7.privacy import Consent, may_use
from layer7.server.doors.acts import Reason
from layer7.server.doors.figures import UserId
from layer7.server.http.auth import require
from layer7.server.http.body import read_model
from layer7.server.http.context import Context, context_of
from layer7.server.http.documents import problems
from layer7.storage.database.state import Act
from layer7.storage.database.tokens import Scope, Token

router = APIRouter(prefix="/v1/users/{user_id}/consent", tags=["privacy"])

Asker = Annotated[Token, Depends(require(Scope.EVENTS_WRITE, Scope.READ, Scope.REVIEW))]
Recorder = Annotated[Token, Depends(require(Scope.EVENTS_WRITE, Scope.REVIEW))]
_BODY_BYTES = 1 << 16


class Said(BaseModel):
    """What a person says of one purpose."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    # JSON has no enumerations: the text is taken for the word it is.
    purpose: Annotated[Purpose, Field(strict=False, description="What it is about.")]
    value: bool | Annotated[str, Field(max_length=50)] = Field(
        description="true or false; for personalisation: off, explicit_only, standard or full."
    )
    why: Reason = Field(default="", description="Her reason, or how she said it.")


class Held(BaseModel):
    """What holds for one purpose."""

    value: str = Field(description="What she said, or the default; unreadable counts as no.")
    allowed: bool = Field(description="Whether her data are used for it.")


class WordShown(BaseModel):
    """One thing that she said."""

    purpose: str
    value: str
    at: str
    source: str
    actor: str
    policy_version: str


class ConsentShown(BaseModel):
    """What a person allows, and all that she ever said of it."""

    user_id: str
    consent: dict[str, Held] = Field(description="What holds, by purpose.")
    history: tuple[WordShown, ...] = Field(description="The earliest first.")


_SAID = {
    "requestBody": {"required": True, "content": {"application/json": {"schema": Said.model_json_schema()}}}
}


@router.get("", response_model=ConsentShown, responses=problems(422), summary="Show what a person allows")
def show_consent(request: Request, user_id: UserId, _token: Asker) -> ConsentShown:
    """Give what holds for each purpose; what she has not said is at its default."""
    return _shown(context_of(request), user_id)


async def _read_said(request: Request) -> Said:
    return await read_model(request, Said, most=_BODY_BYTES)


@router.post(
    "",
    response_model=ConsentShown,
    responses=problems(413, 415, 422),
    openapi_extra=_SAID,
    summary="Record what she says",
)
async def record_consent(
    request: Request, user_id: UserId, token: Recorder, said: Annotated[Said, Depends(_read_said)]
) -> Response:
    """Record a person's word; whatever is read after the answer goes by it."""
    context = context_of(request)

    def act() -> dict[str, Any]:
        value = said.value if isinstance(said.value, str) else str(said.value).lower()
        recorded = Act(token.name, "", "", context.clock(), said.why)
        context.home.consents.say(user_id, {said.purpose: value}, act=recorded, source="http")
        context.home.declared.sweep()
        return _shown(context, user_id).model_dump(mode="json")

    # Answers that are kept to be given again would name her in the clear; saying a word twice does no harm.
    return JSONResponse(await run_in_threadpool(act))


def _shown(context: Context, user_id: str) -> ConsentShown:
    consents = context.home.consents
    found = consents.of(context.home.keys.person(user_id))
    return ConsentShown(
        user_id=user_id,
        consent={purpose.value: _held(found, purpose) for purpose in Purpose},
        history=tuple(WordShown(**asdict(word)) for word in consents.history(user_id)),
    )


def _held(found: Consent | None, purpose: Purpose) -> Held:
    value = "unreadable" if found is None else found.value(purpose)
    return Held(value=value, allowed=may_use(found, purpose))
