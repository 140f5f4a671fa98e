"""A person's id and words in every form that bytes on a disk may have, and the search for them."""

import base64
import gzip
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from layer7.contract import EVENT_COLUMNS, EVENT_EXAMPLES

PERSON = "zoe.o'canary+7731@example.org"
WORDS = 'My "secret" café words, line two: 0171-5550123 canary'
CANARIES = (PERSON, WORDS, "0171-5550123 canary", "zoe.o'canary")


def encodings(text: str) -> Iterator[bytes]:
    plain = text.encode()
    yield from (plain, plain.lower(), plain.upper(), plain[::-1])
    yield from (plain.hex().encode(), plain.hex().upper().encode())
    yield from (
        text.encode("utf-16-le"),
        text.encode("utf-16-be"),
        text.encode("utf-32-le"),
        text.encode("latin-1"),
    )
    yield from (
        json.dumps(text)[1:-1].encode(),
        json.dumps(json.dumps(text))[1:-1].encode(),
        quote(text).encode(),
    )
    for shift in range(3):
        # Whatever stands before, three characters at the rims may depend on it.
        yield base64.b64encode(b"\0" * shift + plain)[4:-4]
        yield base64.urlsafe_b64encode(b"\0" * shift + plain)[4:-4]
    for name in ("md5", "sha1", "sha256"):
        digest = hashlib.new(name, plain, usedforsecurity=False).digest()
        yield from (digest, digest.hex().encode())


def contents(folder: Path, *, keys: bool = False) -> Iterator[tuple[str, bytes]]:
    """Give all bytes, also of what is packed; those of the keys folder only if wanted."""
    for path in sorted(item for item in folder.rglob("*") if item.is_file()):
        if path.is_relative_to(folder / "keys") and not keys:
            continue
        name = str(path.relative_to(folder))
        yield name, name.encode()
        yield name, path.read_bytes()
        if path.suffix == ".gz":
            yield name, gzip.decompress(path.read_bytes())
        if path.suffix == ".parquet":
            table = pq.read_table(path, partitioning=None)
            yield name, repr(table.to_pylist()).encode()
            for column in table.columns:
                if pa.types.is_binary(column.type):
                    yield name, b"".join(pc.drop_null(column).to_pylist())


def leaks(folder: Path, texts: tuple[str, ...] = CANARIES, *, keys: bool = False) -> list[tuple[str, str]]:
    wanted = {form: text for text in texts for form in encodings(text)}
    return [
        (name, text)
        for name, content in contents(folder, keys=keys)
        for form, text in wanted.items()
        if form in content
    ]


def private_events(person: str = PERSON) -> list[dict]:
    """Give one event of every type, with canaries wherever it holds a person's own words."""
    events = []
    for event_type, example in EVENT_EXAMPLES.items():
        event = json.loads(json.dumps(example)) | {"user_id": person}
        event.pop("event_id", None)
        for name, column in EVENT_COLUMNS.items():
            if column.shape.sealed and event_type in column.used_by:
                event[name] = WORDS
        events.append(event)
    return events
