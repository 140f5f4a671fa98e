"""Writes that may be sent again: with an Idempotency-Key the same request gets the same answer."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from fastapi import Request
from pydantic import BaseModel
from starlette.responses import Response

from layer7.configuration import canonical_json
from layer7.errors import Layer7Error
from layer7.server.http.context import Context
from layer7.server.http.guard import route_of
from layer7.server.http.problems import MEDIA_TYPE, document, headers_of, status_of
from layer7.storage.database.tokens import Token
from layer7.storage.intake.answers import Answer, Claim

HEADER = "idempotency-key"
REPLAYED = "Idempotency-Replayed"
_JSON = "application/json"
_LONGEST = 255


def once(
    context: Context, request: Request, token: Token, *, body: BaseModel, act: Callable[[], Mapping[str, Any]]
) -> Response:
    """Act, or give the answer that the same request got before.

    Args:
        context: what the doors share.
        request: the request; without an Idempotency-Key it simply acts.
        token: who asks; keys of different tokens have nothing to do with each other.
        body: what was sent.
        act: what to do; gives the JSON of the answer.

    Raises:
        Layer7Error: ``idempotency_key_reused``, ``request_in_flight``, ``invalid_idempotency_key``, or what
            the act refuses.
    """
    key = request.headers.get(HEADER)
    if key is None:
        return _response(Answer(200, json.dumps(act())))
    if not 0 < len(key) <= _LONGEST or not key.isprintable():
        raise Layer7Error(
            "invalid_idempotency_key", f"An Idempotency-Key has 1 to {_LONGEST} characters.", "Use a UUID."
        )
    claim = _claim(context, request, f"{token.id}:{key}")
    # Keyed, so that nobody can try out what a person may have said.
    digest = context.home.keys.audit_name.of(canonical_json(body.model_dump(mode="json")))
    before = context.answers.begin(claim, digest=digest, at=context.clock())
    if before is not None:
        return _response(before, {REPLAYED: "true"})
    done = False
    try:
        answer = _outcome(act)
        context.answers.finish(claim, answer)
        done = True
    finally:
        if not done:
            context.answers.forget(claim)
    return _response(answer)


def _claim(context: Context, request: Request, name: str) -> Claim:
    """Name a request without anything that a caller wrote; the same key for two people is two keys."""
    keys, user_id = context.home.keys, request.path_params.get("user_id")
    if user_id is None:
        return Claim(keys.audit_name.of(name), f"{request.method} {request.url.path}")
    person = keys.person(user_id)
    return Claim(
        keys.audit_name.of(f"{name} {person}"), f"{request.method} {route_of(request.scope)}", person
    )


def _outcome(act: Callable[[], Mapping[str, Any]]) -> Answer:
    """Act; a refusal is an answer too, a fault of ours is not."""
    try:
        return Answer(200, json.dumps(act()))
    except Layer7Error as error:
        if status_of(error) >= 500:
            raise
        return Answer(status_of(error), json.dumps({**document(error), "_headers": headers_of(error)}))


def _response(answer: Answer, more: Mapping[str, str] | None = None) -> Response:
    shown = json.loads(answer.body)
    headers = shown.pop("_headers", {}) | dict(more or {})
    kind = _JSON if answer.status < 400 else MEDIA_TYPE
    return Response(json.dumps(shown, ensure_ascii=False), answer.status, headers, kind)
