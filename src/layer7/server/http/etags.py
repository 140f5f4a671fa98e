"""Names of what is shown, so that it need not be sent again and nobody decides on what she has not seen."""

import hashlib
from collections.abc import Mapping

from fastapi import Request
from starlette.responses import Response

from layer7.configuration import canonical_json
from layer7.errors import Layer7Error

REVALIDATE: Mapping[str, str] = {"Cache-Control": "private, no-cache"}


def etag(shown: object) -> str:
    """Give the strong ETag of what is shown.

    Args:
        shown: JSON values.

    Example:
        >>> etag({"a": 1}) == etag({"a": 1}) != etag({"a": 1.0})
        True
    """
    return f'"{hashlib.sha256(canonical_json(shown).encode()).hexdigest()[:32]}"'


def names(header: str, tag: str) -> bool:
    """Say whether an If-None-Match or If-Match header names a tag; proxies weaken tags, so weak ones count.

    Args:
        header: ``*``, or tags with commas between.
        tag: the tag of what is shown.

    Example:
        >>> names('W/"b", "a"', '"a"'), names("*", '"a"'), names('"b"', '"a"')
        (True, True, False)
    """
    listed = [part.strip().removeprefix("W/") for part in header.split(",")]
    return header.strip() == "*" or tag in listed


def not_modified(request: Request, tag: str) -> Response | None:
    """Give a 304 when the caller has it already; also for POST, where plain HTTP knows no 304."""
    header = request.headers.get("if-none-match")
    if header is None or not names(header, tag):
        return None
    return Response(status_code=304, headers={"ETag": tag, **REVALIDATE})


def require_match(request: Request, tag: str) -> None:
    """Refuse a change of what has changed since it was looked at.

    Raises:
        Layer7Error: ``version_changed`` when an If-Match header names another state.
    """
    header = request.headers.get("if-match")
    if header is not None and not names(header, tag):
        raise Layer7Error(
            "version_changed", "It has changed since you looked at it.", "Look again, then decide."
        )
