"""How answers are described in the OpenAPI document."""

from http import HTTPStatus
from typing import Any

from pydantic import BaseModel, Field

from layer7.server.http.problems import MEDIA_TYPE


class FaultDocument(BaseModel):
    """One thing that is wrong."""

    pointer: str = Field(description="Where, an RFC 6901 pointer.")
    code: str = Field(description="Stable name of the fault.")
    detail: str = Field(description="What is wrong, without the value itself.")


class ProblemDocument(BaseModel):
    """RFC 9457: what was refused, why, and what to do."""

    type: str = Field(description="urn:layer7:problem:CODE")
    title: str
    status: int
    detail: str = Field(description="What came and what is allowed.")
    instance: str = Field(description="Name of this one refusal, to ask for.")
    hint: str | None = Field(default=None, description="What to do next.")
    errors: list[FaultDocument] | None = None


_SCHEMA = {"$ref": "#/components/schemas/ProblemDocument"}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Describe the problems that a route may answer with, besides those of every locked route.

    Args:
        statuses: HTTP statuses.
    """
    every = sorted({400, 401, 403, 421, 429, 503, *statuses})
    return {
        status: {"description": HTTPStatus(status).phrase, "content": {MEDIA_TYPE: {"schema": _SCHEMA}}}
        for status in every
    }
