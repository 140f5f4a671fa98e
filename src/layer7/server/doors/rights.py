"""A person's rights over HTTP: seeing where she stands, having all of it, being forgotten."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request

from layer7.contract.rights import ErasureReceipt, PersonExport, PersonStatus
from layer7.server.doors.figures import UserId
from layer7.server.http.auth import require
from layer7.server.http.context import context_of
from layer7.server.http.documents import problems
from layer7.storage.database.state import Act
from layer7.storage.database.tokens import Scope, Token
from layer7.storage.services.portability import Portability
from layer7.storage.services.standing import Standing

router = APIRouter(prefix="/v1", tags=["rights"])

Guardian = Annotated[Token, Depends(require(Scope.PRIVACY))]


@router.delete(
    "/users/{user_id}", response_model=ErasureReceipt, responses=problems(422), summary="Forget a person"
)
def erase_user(request: Request, user_id: UserId, token: Guardian) -> ErasureReceipt:
    """Erase a person from everything (GDPR 17), and give the receipt; asking again gives the same one.

    When the answer comes, nothing reads or serves anything of her, and her own words are unreadable in every
    backup. Files in which her rows still stand are written anew by the next night.
    """
    context = context_of(request)
    act = Act(token.name, "http", "", context.clock(), "Asked for over HTTP.")
    return context.home.erasures.erase(user_id, act=act)


@router.get(
    "/users/{user_id}/privacy",
    response_model=PersonStatus,
    responses=problems(422),
    summary="Show where a person stands",
)
def show_standing(request: Request, user_id: UserId, _token: Guardian) -> PersonStatus:
    """Give what is kept of a person, what it is used for and contributed to, and what she may ask for."""
    return Standing(context_of(request).home).of(user_id)


@router.get(
    "/users/{user_id}/export",
    response_model=PersonExport,
    responses=problems(422),
    summary="Give a person all of it",
)
def export_user(request: Request, user_id: UserId, _token: Guardian) -> PersonExport:
    """Give everything that is kept of a person (GDPR 15, 20), in a form that can be taken in again."""
    context = context_of(request)
    return Portability(context.home).export(user_id, at=context.clock())
