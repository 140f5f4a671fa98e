"""The few files that the pages load: style sheet, icon, a short script, and Vega from its package."""

import gzip
import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version as package_version
from importlib.resources import files

import vl_convert
from fastapi import Request
from fastapi.responses import Response

from layer7.errors import Layer7Error

MEDIA_TYPES = {
    "pages.css": "text/css; charset=utf-8",
    "charts.js": "text/javascript; charset=utf-8",
    "vega.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}
"""Every file that is served, and nothing else is."""

FOR_A_YEAR = "public, max-age=31536000, immutable"
"""How long a file may be kept whose address holds the hash of its content."""

_OFFERED = "window.vegaEmbed = vegaEmbed;"


@dataclass(frozen=True, slots=True)
class Asset:
    """A file in memory.

    Args:
        body: its bytes.
        compressed: the same, by gzip.
        media_type: for the Content-Type header.
        digest: 16 hexadecimal digits of SHA-256 of the bytes.
    """

    body: bytes
    compressed: bytes
    media_type: str
    digest: str


@cache
def asset(name: str) -> Asset:
    """Give a file, read or bundled once and then kept in memory.

    Args:
        name: one of :data:`MEDIA_TYPES`; ``vega.js`` takes about two seconds the first time.

    Raises:
        Layer7Error: ``unknown_asset``.

    Example:
        >>> asset("icon.svg").media_type
        'image/svg+xml'
    """
    if name not in MEDIA_TYPES:
        raise Layer7Error("unknown_asset", "There is no such file.", f"There are: {', '.join(MEDIA_TYPES)}.")
    if name == "vega.js":
        body = vl_convert.javascript_bundle(_OFFERED).encode()
    else:
        body = (files("layer7.server.pages") / "static" / name).read_bytes()
    packed = gzip.compress(body, compresslevel=6, mtime=0)
    return Asset(body, packed, MEDIA_TYPES[name], hashlib.sha256(body).hexdigest()[:16])


def version(name: str) -> str:
    """Give what stands behind ``?v=`` in a file's address, so that a new file has a new address.

    Args:
        name: one of :data:`MEDIA_TYPES`.

    Returns:
        For ``vega.js`` the version of its package (so that no page waits for the bundle), else the digest.

    Example:
        >>> len(version("pages.css"))
        16
    """
    return package_version("vl-convert-python") if name == "vega.js" else asset(name).digest


def asset_response(name: str, request: Request) -> Response:
    """Answer a request for a file: with 304 when the browser has it already, compressed when it may be.

    Args:
        name: one of :data:`MEDIA_TYPES`.
        request: what came.

    Raises:
        Layer7Error: ``unknown_asset``.
    """
    held = asset(name)
    named = request.query_params.get("v") == version(name)
    headers = {
        "ETag": f'"{held.digest}"',
        "Cache-Control": FOR_A_YEAR if named else "no-cache",
        "Vary": "Accept-Encoding",
        "X-Content-Type-Options": "nosniff",
    }
    if held.digest in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    if "gzip" in request.headers.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"
        return Response(held.compressed, headers=headers, media_type=held.media_type)
    return Response(held.body, headers=headers, media_type=held.media_type)
