"""The fields of columnar files: values as the log keeps them, and which of them are surely valid."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from layer7.contract.columns import Column
from layer7.contract.shapes import EARLIEST_YEAR
from layer7.storage.intake.columnwise import MAX_SEALED, instant

Mask = NDArray[np.bool_]

_TEXT = pa.string()
_MOMENT = pa.timestamp("us", tz="UTC")
_SECONDS = (
    datetime(EARLIEST_YEAR, 1, 1, tzinfo=UTC).timestamp(),
    datetime(9999, 1, 1, tzinfo=UTC).timestamp(),
)
_TICKS = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}


@dataclass(frozen=True, slots=True)
class Field:
    """A field of many rows.

    Args:
        values: as the log keeps them, texts perhaps as a dictionary; None when there is none to keep.
        doubt: which are neither absent nor surely valid.
        local: for times, hour and weekday on the person's clock, None where no row knows them.
    """

    values: Any
    doubt: Mask
    local: tuple[Any, Any] = (None, None)

    def only(self, rows: Mask) -> "Field":
        """Give the field with the values of other rows left out."""
        if self.values is None or rows.all():
            return self
        kept = pa.array(rows)
        if not pa.types.is_dictionary(self.values.type):
            return replace(self, values=pc.if_else(kept, self.values, pa.scalar(None, self.values.type)))
        places = pc.if_else(kept, self.values.indices, pa.scalar(None, pa.int32()))
        return replace(self, values=pa.DictionaryArray.from_arrays(places, self.values.dictionary))

    def after(self, latest: datetime) -> Mask:
        """Which times lie after a moment."""
        if self.values is None:
            return np.zeros(len(self.doubt), bool)
        return _truths(pc.greater(self.values, pa.scalar(latest, _MOMENT)), absent=False)


def local_clock(times: Field) -> dict[str, Any]:
    """Give the columns of local hour and weekday, as far as any row knows them."""
    names = ("local_hour", "local_weekday")
    return {name: values for name, values in zip(names, times.local, strict=True) if values is not None}


def as_text(values: Any) -> Any:
    """Give texts as strings, or as a dictionary of strings if they are one; None when they are no texts."""
    kind = values.type
    if kind == pa.uuid():
        return pa.array([None if value is None else str(value) for value in values.to_pylist()], _TEXT)
    if pa.types.is_dictionary(kind):
        if not _is_text(kind.value_type) or values.dictionary.null_count:
            return as_text(values.dictionary_decode())
        words = values.dictionary.cast(_TEXT)
        return pa.DictionaryArray.from_arrays(values.indices.cast(pa.int32()), words)
    return values.cast(_TEXT) if _is_text(kind) else None


def _is_text(kind: pa.DataType) -> bool:
    return pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)


def _plain(values: Any) -> Any:
    return values.dictionary_decode() if pa.types.is_dictionary(values.type) else values


def _truths(found: Any, *, absent: bool) -> Mask:
    truths: Mask = pc.fill_null(found, absent).to_numpy(zero_copy_only=False)
    return truths


def check_field(values: Any, column: Column, engine: duckdb.DuckDBPyConnection) -> Field:
    """Check a field.

    Args:
        values: as they were read, NULL where a row does not say the field.
        column: the field.
        engine: reads times that are written as text.

    Raises:
        pyarrow.ArrowInvalid: when a text is no UTF-8.
    """
    text = as_text(values)
    if text is not None:
        (text.dictionary if pa.types.is_dictionary(text.type) else text).validate(full=True)
    match column.shape.kind:
        case "instant":
            field = _typed_instant(values) if text is None else _written_instant(text, engine)
        case "number":
            field = check_number(_plain(values), column)
        case "flag" if pa.types.is_boolean(values.type):
            field = Field(values, np.zeros(len(values), bool))
        case "text" | "json" if text is not None and column.shape.sealed:
            field = _private(text)
        case "identifier" | "word" | "choice" if text is not None:
            field = Field(text, _each(text, lambda words: _word(words, column)))
        case "words" if _is_list(values.type):
            field = _words(values.cast(pa.list_(_TEXT)))
        case _:
            field = doubtful(values)
    return field


def doubtful(values: Any) -> Field:
    """Give a field of which nothing is surely valid.

    Args:
        values: as they were read.
    """
    return Field(None, pc.is_valid(values).to_numpy(zero_copy_only=False))


def _each(text: Any, passes: Callable[[Any], Any]) -> Mask:
    """Give which texts do not pass; of a dictionary, each word is looked at once."""
    if not pa.types.is_dictionary(text.type):
        return ~_truths(passes(text), absent=True)
    found = passes(text.dictionary)
    if pc.all(found).as_py() is not False:
        return np.zeros(len(text), bool)
    return ~_truths(found.take(text.indices), absent=True)


def _word(words: Any, column: Column) -> Any:
    match column.shape.kind:
        case "identifier":
            # A space at the start may be all there is: better to look twice.
            short = pc.and_(
                pc.greater(pc.binary_length(words), pa.scalar(0)),
                pc.less_equal(pc.binary_length(words), pa.scalar(200)),
            )
            return pc.and_(short, pc.and_not(pc.ascii_is_printable(words), pc.starts_with(words, " ")))
        case "choice":
            return pc.or_(pc.is_in(words, pa.array(column.choices)), pc.is_null(words))
        case _:
            return _is_word(words)


def _is_word(words: Any) -> Any:
    return pc.and_not(pc.less_equal(pc.utf8_length(words), pa.scalar(500)), pc.match_substring(words, "\x00"))


def _is_list(kind: pa.DataType) -> bool:
    return (pa.types.is_list(kind) or pa.types.is_large_list(kind)) and _is_text(kind.value_type)


def _words(lists: Any) -> Field:
    doubt = _truths(pc.greater(pc.list_value_length(lists), pa.scalar(200)), absent=False)
    bad = ~_truths(_is_word(pc.list_flatten(lists)), absent=False)
    if bad.any():
        doubt[pc.list_parent_indices(lists).to_numpy()[bad]] = True
    return Field(lists, doubt)


def check_number(values: Any, column: Column) -> Field:
    """Check numbers, and give them as they are kept.

    Args:
        values: as they were read; no dictionary.
        column: says their bounds.
    """
    kind = values.type
    if pa.types.is_float32(kind) or pa.types.is_decimal(kind):
        # The shortest decimal is what its writer meant: 0.8, not 0.800000011920929.
        values = values.cast(_TEXT)
    elif not (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
        return doubtful(values)
    # Minus zero is zero, whichever way it was written.
    numbers = pc.add(values.cast(pa.float64(), safe=False), 0.0)
    within = [pc.is_finite(numbers)]
    if column.low is not None:
        within.append(pc.greater_equal(numbers, pa.scalar(column.low)))
    if column.high is not None:
        within.append(pc.less_equal(numbers, pa.scalar(column.high)))
    if column.above is not None:
        within.append(pc.greater(numbers, pa.scalar(column.above)))
    doubt = np.zeros(len(numbers), bool)
    for found in within:
        doubt |= ~_truths(found, absent=True)
    return Field(numbers, doubt)


def _private(text: Any) -> Field:
    """Check a person's own words, and give them as JSON text, which is what will be sealed."""
    words = text if pa.types.is_dictionary(text.type) else pc.dictionary_encode(text)
    written = pa.array([json.dumps(word, ensure_ascii=False) for word in words.dictionary.to_pylist()], _TEXT)
    texts = pa.DictionaryArray.from_arrays(words.indices, written)
    return Field(
        texts,
        _each(
            texts,
            lambda found: pc.and_not(
                pc.less_equal(pc.utf8_length(found), pa.scalar(MAX_SEALED)), pc.match_substring(found, "\\u")
            ),
        ),
    )


def _written_instant(text: Any, engine: duckdb.DuckDBPyConnection) -> Field:
    dictionary = pa.types.is_dictionary(text.type)
    engine.register("moments", pa.table({"said": text.dictionary if dictionary else text}))
    read = instant("said")
    hour, weekday = read.local
    found = engine.execute(
        f"SELECT {read.value} AS value, coalesce({read.sure}, said IS NULL) AS sure, "
        f"{hour} AS hour, {weekday} AS weekday FROM moments"
    ).to_arrow_table()
    engine.unregister("moments")
    value, sure, hours, weekdays = (column.combine_chunks() for column in found.columns)
    if dictionary:
        value, sure, hours, weekdays = (part.take(text.indices) for part in (value, sure, hours, weekdays))
    return Field(value, ~_truths(sure, absent=True), (hours, weekdays))


def _typed_instant(values: Any) -> Field:
    """Read times that are typed: they say a moment, and a date says its weekday, but not the local hour."""
    kind = values.type
    if pa.types.is_timestamp(kind):
        ticks, whole = _TICKS[kind.unit], values.cast(pa.int64())
    elif pa.types.is_date(kind):
        whole, ticks = values.cast(pa.date64()).cast(pa.int64()), _TICKS["ms"]
    else:
        return doubtful(values)
    earliest, latest = (pa.scalar(min(int(second) * ticks, 2**63 - 1)) for second in _SECONDS)
    sure = pc.and_(pc.greater_equal(whole, earliest), pc.less(whole, latest))
    kept = pc.if_else(sure, whole, pa.scalar(None, pa.int64()))
    micros = (
        pc.divide(kept, ticks // 1_000_000) if ticks > 1_000_000 else pc.multiply(kept, 1_000_000 // ticks)
    )
    weekday = pc.day_of_week(values).cast(pa.int8()) if pa.types.is_date(kind) else None
    return Field(micros.cast(_MOMENT), ~_truths(sure, absent=True), (None, weekday))
