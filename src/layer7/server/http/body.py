"""Reading what a caller sends: never more than is allowed, packed or not, and strictly as JSON."""

import zlib
from collections.abc import Callable
from typing import Any, TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError

from layer7.contract.reading import Problem, parse_json
from layer7.server.http.problems import RefusedError

Ceiling = Callable[[bytes], int]
"""Says from the first bytes of a body how long it may become."""

MAX_COMMAS = 1_000_000
MAX_BRACKETS = 400_000
_GZIP = 31
_PIECE = 1 << 16
_APART = (b" :", b"\t:", b"\n:", b"\r:")
M = TypeVar("M", bound=BaseModel)


async def read_body(request: Request, ceiling: Ceiling) -> bytearray:
    """Read a body, unpacking gzip, and stop as soon as it is longer than allowed.

    Args:
        request: the request.
        ceiling: how long it may become.

    Raises:
        RefusedError: ``too_large``, ``unsupported_encoding``, ``invalid_gzip``; ``too_many_items`` when it
            holds more values than any allowed batch could, which cost more memory than its length tells.
    """
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > ceiling(b"["):
        raise _too_large(ceiling(b"["))
    unpack = _unpacking(request.headers.get("content-encoding", ""))
    body, brackets, commas = bytearray(), 0, 0
    async for chunk in request.stream():
        unpack.feed(chunk)
        while unpack.more:
            piece = unpack.give(_PIECE)
            brackets += piece.count(b"{") + piece.count(b"[")
            commas += piece.count(b",")
            if commas > MAX_COMMAS or brackets > MAX_BRACKETS:
                raise RefusedError(
                    "too_many_items", "The body holds too many values.", "Send it in smaller parts."
                )
            body += piece
            if len(body) > ceiling(bytes(body[:64])):
                raise _too_large(ceiling(bytes(body[:64])))
    unpack.close()
    return body


class _Plain:
    """A body as it is."""

    def __init__(self) -> None:
        self.waiting = b""

    @property
    def more(self) -> bool:
        return bool(self.waiting)

    def feed(self, chunk: bytes) -> None:
        self.waiting += chunk

    def give(self, most: int) -> bytes:
        given, self.waiting = self.waiting[:most], self.waiting[most:]
        return given

    def close(self) -> None:
        return


class _Gzip(_Plain):
    """A gzip body, unpacked no further than is asked for."""

    def __init__(self) -> None:
        super().__init__()
        self._inflate = zlib.decompressobj(_GZIP)
        self._begun = False
        self._full = False

    @property
    def more(self) -> bool:
        # What did not fit into the last piece can wait inside zlib although all input is consumed.
        return bool(self.waiting) or self._full

    def give(self, most: int) -> bytes:
        try:
            if self._inflate.eof and self.waiting:
                self._inflate = zlib.decompressobj(_GZIP)
            self._begun = True
            given = self._inflate.decompress(self.waiting, most)
        except zlib.error as error:
            raise _invalid_gzip() from error
        self._full = len(given) == most and not self._inflate.eof
        self.waiting = self._inflate.unconsumed_tail or self._inflate.unused_data
        return given

    def close(self) -> None:
        if self._begun and not self._inflate.eof:
            raise _invalid_gzip()


def _unpacking(encoding: str) -> _Plain:
    match encoding.strip().lower():
        case "" | "identity":
            return _Plain()
        case "gzip":
            return _Gzip()
    raise RefusedError(
        "unsupported_encoding", "This Content-Encoding is not read.", "Send the body plain or as gzip."
    )


def _invalid_gzip() -> RefusedError:
    return RefusedError("invalid_gzip", "The body is not complete gzip.", "Send it again.")


def _too_large(most: int) -> RefusedError:
    return RefusedError("too_large", f"The body is longer than {most} bytes.", "Send it in smaller parts.")


def media_type(request: Request) -> str:
    """Give the media type of a body, without its parameters; only UTF-8 is read.

    Raises:
        RefusedError: ``wrong_charset``.
    """
    kind, _, parameters = request.headers.get("content-type", "").partition(";")
    for part in parameters.lower().split(";"):
        name, _, value = part.strip().partition("=")
        if name == "charset" and value.strip('" ') not in {"utf-8", "utf8", "us-ascii"}:
            raise RefusedError("wrong_charset", "Only UTF-8 is read.", "Encode the body as UTF-8.")
    return kind.strip().lower()


def as_text(body: bytes | bytearray) -> str:
    """Decode a body.

    Raises:
        RefusedError: ``invalid_json`` when it is not UTF-8.
    """
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise RefusedError("invalid_json", "The body is not UTF-8.", "Encode it as UTF-8.") from error


def as_json(body: bytes | bytearray, *, constants: bool = False) -> Any:
    """Parse a body strictly.

    Args:
        body: the body.
        constants: see :func:`layer7.contract.parse_json`.

    Raises:
        RefusedError: ``invalid_json``, ``duplicate_key``, ``too_deep``.
    """
    value = parse_json(as_text(body), constants=constants)
    if isinstance(value, Problem):
        raise RefusedError(
            value.code, f"The body cannot be read: {value.reason}.", "Send one JSON value in UTF-8."
        )
    return value


async def read_model(
    request: Request, model: type[M], *, most: int, names: Callable[[M], int] | None = None
) -> M:
    """Read a JSON body into a model.

    Args:
        request: the request.
        model: what it should be.
        most: longest body in bytes.
        names: tells how many names of fields a model was read from, for large bodies: where the body holds
            no more, none stands there twice. Only for models that refuse what they do not know.

    Raises:
        RefusedError: ``unsupported_media_type``, ``invalid_request`` with pointers, or what :func:`as_json`
            refuses.
    """
    if media_type(request) != "application/json":
        raise RefusedError(
            "unsupported_media_type", "The body is not application/json.", "Say and send JSON."
        )
    body = await read_body(request, lambda _: most)
    try:
        found = model.model_validate_json(body)
    except ValidationError as error:
        as_json(body)
        raise RefusedError(
            "invalid_request", "The body does not have the form it needs.", faults=_faults(error)
        ) from None
    # Strictly: the model's own reading lets the last of two equal keys win.
    if names is None or not _named_once(body, names(found)):
        as_json(body)
    return found


def _named_once(body: bytearray, names: int) -> bool:
    """Tell whether a JSON body surely holds no more names than were read from it.

    A name ends in a quote with a colon behind it. Texts that begin with a colon look like one as well; and
    where a colon stands after a space it is not told which it is.
    """
    bare = body.replace(b"\\\\", b"").replace(b'\\"', b"")
    return not any(apart in bare for apart in _APART) and bare.count(b'":') == names


def _faults(error: ValidationError) -> list[Problem]:
    return [
        Problem(
            str(item["type"]),
            "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in item["loc"]),
            str(item["msg"]).removeprefix("Value error, "),
        )
        for item in error.errors(include_url=False, include_input=False, include_context=False)
    ]
