"""What people did with suggestions; their own words are opened for as long as it takes to count them."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa
from ibis.expr import types as ir

from layer7.patterns.preferences import ACCEPTED, EDITED, REJECTED, Said
from layer7.privacy import open_sealed, seal
from layer7.storage.people.keys import Keys

_WORDS = ("suggested_content", "final_content", "rejection_reason")
_READ: Mapping[str, tuple[str, ...]] = {ACCEPTED: (), EDITED: _WORDS[:2], REJECTED: _WORDS[2:]}
"""Which words say something of which decision: no others are opened."""

_COLUMNS: Mapping[str, pa.DataType] = {"person": pa.string(), "bucket": pa.int64(), "words": pa.binary()}
TABLE = pa.schema(_COLUMNS)
"""The columns of the derived table: preferences, sealed with the person's key as her words are."""


def decisions(events: ir.Table) -> ir.Table:
    """Give the events in which people decided on suggestions.

    Args:
        events: the event log.
    """
    decided = events.filter(events.event_type.isin([ACCEPTED, EDITED, REJECTED]))
    return decided.select("person", "bucket", "event_type", "suggestion_type", *_WORDS).order_by(
        "person", "event_type", "suggestion_type"
    )


def opened(rows: pa.Table, keys: Keys) -> Iterator[Said]:
    """Open what people did with suggestions; of the erased, nothing is left to open.

    Args:
        rows: of :func:`decisions`.
        keys: of the installation.
    """
    own = keys.keys({str(person) for person in rows["person"].unique().to_pylist()})
    for row in rows.to_pylist():
        key = own.get(row["person"])
        if key is not None and row["suggestion_type"] is not None:
            yield _said(row, {name: _text(key, row[name]) for name in _READ[row["event_type"]]})


def _said(row: Mapping[str, Any], words: Mapping[str, str | None]) -> Said:
    before, after = words.get("suggested_content"), words.get("final_content")
    return Said(
        person=row["person"],
        kind=row["suggestion_type"],
        decision=row["event_type"],
        lengths=None if before is None or after is None else (len(before), len(after)),
        reason=words.get("rejection_reason"),
    )


def _text(key: bytes, sealed: bytes | None) -> str | None:
    """What was said; of anything but a text, its JSON."""
    if sealed is None:
        return None
    value = json.loads(open_sealed(key, sealed))
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def sealed_table(found: Mapping[str, Mapping[str, tuple[str, ...]]], keys: Keys) -> pa.Table:
    """Give people's preferences as a derived table, each sealed with the person's own key.

    Args:
        found: by person and field.
        keys: of the installation.
    """
    own = keys.keys(found)
    rows = [
        {"person": person, "bucket": keys.bucket(person), "words": seal(own[person], json.dumps(fields))}
        for person, fields in sorted(found.items())
        if person in own
    ]
    return pa.Table.from_pylist(rows, schema=TABLE)


def open_preferences(row: Mapping[str, Any], keys: Keys) -> Mapping[str, tuple[str, ...]]:
    """Open one row of the derived table; empty once the person is erased.

    Args:
        row: of :func:`sealed_table`.
        keys: of the installation.
    """
    own = keys.keys([row["person"]]).get(row["person"])
    found = json.loads(open_sealed(own, row["words"])) if own else {}
    return {name: tuple(words) for name, words in found.items()}
