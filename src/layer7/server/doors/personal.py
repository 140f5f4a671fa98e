"""What fits one person, why, and what she says herself."""

from dataclasses import asdict
from datetime import date
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, ConfigDict, Field, JsonValue
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from layer7.contract.fields import Day
from layer7.contract.learned import LearnedOfPerson, SettingExplained
from layer7.contract.personalization import PersonalizedConfig
from layer7.errors import Layer7Error
from layer7.nightly.forgetting import forget_since
from layer7.server.doors.acts import Name, Reason, body_of
from layer7.server.doors.consent import Asker, Recorder
from layer7.server.doors.figures import UserId
from layer7.server.http.auth import Reader
from layer7.server.http.body import read_model
from layer7.server.http.context import Context, context_of
from layer7.server.http.documents import problems
from layer7.server.http.idempotency import once
from layer7.storage.database.state import Act
from layer7.storage.services.explanations import Explanations
from layer7.storage.services.personalized import Personalized

router = APIRouter(prefix="/v1", tags=["people"])
_BODY_BYTES = 1 << 16
Found = TypeVar("Found", bound=BaseModel)


class KeyQuery(BaseModel):
    """Which one is asked for."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str | None = Field(default=None, min_length=1, max_length=300, description="Only this one.")


class SettingQuery(BaseModel):
    """To whom it is served."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    user_id: str | None = Field(
        default=None,
        min_length=1,
        max_length=200,
        pattern=r"^[^\x00-\x1f\x7f]+$",
        description="The person; else nobody in particular.",
    )


class Wish(BaseModel):
    """What a person says herself."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    field: Annotated[str, Field(max_length=200)] = Field(
        description="A field of her settings, paused, or forget: and the name of something learned."
    )
    value: JsonValue = Field(description="What she wishes; null takes an earlier wish back.")
    why: Reason = Field(default="", description="Her reason.")


class Wishes(BaseModel):
    """Everything that a person says herself."""

    user_id: str
    wishes: dict[str, JsonValue] = Field(description="By field; what she took back is left out.")


@router.get(
    "/users/{user_id}/config",
    response_model=PersonalizedConfig,
    responses=problems(404, 422),
    summary="Show a person's settings",
)
def show_config(request: Request, user_id: UserId, _token: Reader) -> PersonalizedConfig:
    """Give what she chose, what was learned as far as she allows, with what each value rests on."""
    return _known(Personalized(context_of(request).home).of(user_id))


@router.get(
    "/users/{user_id}/learned",
    response_model=LearnedOfPerson,
    responses=problems(404, 422),
    summary="Show everything that was learned of a person",
)
def show_learned(
    request: Request, user_id: UserId, _token: Reader, query: Annotated[KeyQuery, Query()]
) -> LearnedOfPerson:
    """Give it in plain words: value, evidence, whose data it is from, and how to undo it."""
    found = _known(Explanations(context_of(request).home).learned(user_id))
    if query.key is None:
        return found
    kept = tuple(each for each in found.items if each.key == query.key)
    return found.model_copy(update={"items": kept})


@router.get(
    "/settings/{key}/explanation",
    response_model=SettingExplained,
    responses=problems(404, 422),
    summary="Show where a served setting came from",
)
def explain_setting(
    request: Request, key: Name, _token: Reader, query: Annotated[SettingQuery, Query()]
) -> SettingExplained:
    """Walk from the served value over version, decision, recommendation and night to the range of the log."""
    return Explanations(context_of(request).home).setting(key, query.user_id)


@router.get(
    "/users/{user_id}/wishes",
    response_model=Wishes,
    responses=problems(422),
    summary="Show what a person says herself",
)
def show_wishes(request: Request, user_id: UserId, _token: Asker) -> Wishes:
    """Give her own word on her settings, on what is to be forgotten, and on pausing."""
    return _wishes(context_of(request), user_id)


class Since(BaseModel):
    """From which day on a person's events are forgotten."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    since: Day = Field(description="The first day (UTC) that is forgotten.")
    why: Reason = Field(default="", description="Her reason.")


class ForgottenShown(BaseModel):
    """What was forgotten."""

    user_id: str
    since: str
    events: int = Field(description="Events that are gone.")
    applications: int = Field(description="Applications that are left.")
    nights: int = Field(description="Nights whose learning was done again.")


async def _read_since(request: Request) -> Since:
    return await read_model(request, Since, most=_BODY_BYTES)


@router.post(
    "/users/{user_id}/forget",
    response_model=ForgottenShown,
    responses=problems(404, 409, 413, 415, 422),
    openapi_extra=body_of(Since),
    summary="Forget what happened to a person since a day",
)
async def forget(
    request: Request, user_id: UserId, token: Recorder, since: Annotated[Since, Depends(_read_since)]
) -> Response:
    """Take her events from that day on out of the log, and learn again from what is left."""
    context = context_of(request)

    def act() -> dict[str, Any]:
        recorded = Act(token.name, "", "", context.clock(), since.why)
        told = forget_since(context.home, user_id, date.fromisoformat(since.since), act=recorded)
        return ForgottenShown(user_id=user_id, **asdict(told)).model_dump(mode="json")

    return await run_in_threadpool(once, context, request, token, body=since, act=act)


async def _read_wish(request: Request) -> Wish:
    return await read_model(request, Wish, most=_BODY_BYTES)


@router.post(
    "/users/{user_id}/wishes",
    response_model=Wishes,
    responses=problems(409, 413, 415, 422),
    openapi_extra=body_of(Wish),
    summary="Record what she says",
)
async def record_wish(
    request: Request, user_id: UserId, token: Recorder, wish: Annotated[Wish, Depends(_read_wish)]
) -> Response:
    """Record a wish; what is served after the answer goes by it."""
    context = context_of(request)

    def act() -> dict[str, Any]:
        recorded = Act(token.name, "", "", context.clock(), wish.why)
        context.home.personal.wish(user_id, wish.field, wish.value, act=recorded)
        return _wishes(context, user_id).model_dump(mode="json")

    return await run_in_threadpool(once, context, request, token, body=wish, act=act)


def _wishes(context: Context, user_id: str) -> Wishes:
    said = context.home.personal.wishes(context.home.keys.person(user_id))
    return Wishes(user_id=user_id, wishes=dict(said))


def _known(found: Found | None) -> Found:
    if found is None:
        raise Layer7Error(
            "unknown_user",
            "Nothing is known of this person.",
            "Check the id; new people are known after their first event.",
        )
    return found
