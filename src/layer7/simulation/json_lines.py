"""Tables as lines of JSON, written column by column, without a Python loop over rows."""

import json
from collections.abc import Iterator, Sequence
from typing import Any, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from layer7.simulation.columns import Column

Bools = NDArray[np.bool_]

_ROWS = 65_536


def json_lines(table: pa.Table) -> Iterator[pa.Buffer]:
    r"""Write one object per row; fields that are null are left out, at any depth.

    Args:
        table: of texts, numbers, truth values, and lists and structs of these.

    Yields:
        UTF-8, some rows at a time, each with its end of line.

    Source:
        RFC 8259.

    Example:
        >>> rows = pa.table({"a": pa.array(["x", None]), "b": pa.array([{"c": 1.5}, {"c": None}])})
        >>> b"".join(json_lines(rows))
        b'{"a":"x","b":{"c":1.5}}\n{"b":{}}\n'
    """
    for batch in table.to_batches(max_chunksize=_ROWS):
        everywhere = np.ones(batch.num_rows, dtype=np.bool_)
        lines = _objects(batch.schema.names, batch.columns, everywhere, around=("{", "}\n"))
        octets = lines.buffers()[2]
        if octets is not None:
            yield octets.slice(0, _size(lines))


def _objects(
    names: Sequence[str], columns: Sequence[Column], there: Bools, *, around: tuple[str, str]
) -> Column:
    """One object per row, with its braces around; anything at all where there is none."""
    begin, end = around
    keys = [f",{json.dumps(name)}:" for name in names]
    # If the first member is always there, no comma is in excess, and the text is put together in one go.
    leads = bool(np.all(_valid(columns[0]) >= there))
    keys[0] = keys[0][leads:]
    members = [
        _texts(column, key, "")
        for key, column in zip(keys, columns, strict=True)
        if column.null_count < len(column)
    ] or [pa.nulls(len(there), pa.string())]
    if leads:
        return _joined(begin, *members, end)
    return _joined(begin, pc.binary_replace_slice(_joined("", *members, ""), 0, 1, ""), end)


def _texts(column: Column, before: str, after: str) -> Column:
    """What stands for each value, between these; null for null."""
    if isinstance(column, pa.StructArray):
        inner = [column.field(i) for i in range(column.type.num_fields)]
        names = [field.name for field in column.type]
        there = _valid(column)
        texts = _objects(names, inner, there, around=(before + "{", "}" + after))
        bits = pa.py_buffer(np.packbits(there, bitorder="little").data)
        return pa.Array.from_buffers(pa.string(), len(texts), [bits, *texts.buffers()[1:]])
    if isinstance(column, pa.MapArray):
        entries = _glued(_texts(column.keys, "", ":"), _texts(column.items, "", ""))
        return _glued(before + "{", _elements(column, entries), "}" + after)
    if isinstance(column, pa.ListArray):
        texts = _texts(column.values, "", "").fill_null("null")
        return _glued(before + "[", _elements(column, texts), "]" + after)
    if column.type == pa.string():
        return _quoted(column, before, after)
    coded = column if isinstance(column, pa.DictionaryArray) else column.dictionary_encode()
    words = coded.dictionary
    if words.type == pa.string():
        return _quoted(words, before, after).take(coded.indices)
    numbers = json.dumps(words.to_pylist())[1:-1].split(", ")
    return _glued(before, pa.array(numbers, type=pa.string()), after).take(coded.indices)


def _elements(column: "pa.ListArray[Any]", texts: Column) -> Column:
    """What stands in each list, of these texts of all elements: between commas, without the null ones."""
    upto = np.concatenate([[0], np.cumsum(_valid(texts))])
    ends: Any = pa.array(upto[column.offsets.to_numpy()], type=pa.int32())
    lists: Any = pa.ListArray.from_arrays(ends, texts.drop_null(), mask=pa.array(~_valid(column)))
    joined: Any = pc.binary_join(lists, ",")
    return cast("Column", joined)


def _quoted(texts: Column, before: str, after: str) -> Column:
    """Texts between quotation marks; most hold nothing that JSON writes in another way."""
    octets = np.frombuffer(memoryview(texts.buffers()[2] or b""), dtype=np.uint8)
    if not np.any((octets < ord(" ")) | (octets == ord('"')) | (octets == ord("\\"))):
        return _glued(before + '"', texts, '"' + after)
    spelled = [None if text is None else json.dumps(text, ensure_ascii=False) for text in texts.to_pylist()]
    return _glued(before, pa.array(spelled, type=pa.string()), after)


def _size(texts: Column) -> int:
    ends = pa.Array.from_buffers(pa.int32(), len(texts) + 1, [None, texts.buffers()[1]])
    return int(ends[-1].as_py())


def _valid(column: Column) -> Bools:
    return np.asarray(column.is_valid().to_numpy(zero_copy_only=False), dtype=np.bool_)


def _glued(*texts: Any) -> Column:
    """Texts one behind the other; null if one of them is."""
    glued: Column = pc.binary_join_element_wise(*texts, "")
    return glued


def _joined(*texts: Any) -> Column:
    """Texts one behind the other, without those that are null."""
    joined: Column = pc.binary_join_element_wise(*texts, "", null_handling="skip")
    return joined
