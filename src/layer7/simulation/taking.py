"""Rows taken from columns in any order, and texts spelled out again."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pyarrow as pa

from layer7.simulation.columns import Column, Named, ends, names

if TYPE_CHECKING:  # pyarrow's classes take no parameters at run time
    Lists = pa.FixedSizeListArray[Any, Any]
else:
    Lists = pa.FixedSizeListArray


def even(column: Column) -> Column:
    """Texts of one length, or lists, as a column of that width, whose rows `taken` takes much faster.

    Args:
        column: without nulls, whole.

    Returns:
        The same content; the column itself if lengths differ.

    Example:
        >>> str(even(pa.array(["ab", "cd"])).type)
        'fixed_size_binary[2]'
    """
    edges = pa.Array.from_buffers(pa.int32(), len(column) + 1, [None, column.buffers()[1]]).to_numpy()
    width = int(edges[-1]) // max(len(column), 1)
    if not width or column.null_count or np.any(np.diff(edges) != width):
        return column
    if isinstance(column, pa.ListArray):
        return pa.FixedSizeListArray.from_arrays(column.values, width)
    return pa.Array.from_buffers(pa.binary(width), len(column), [None, column.buffers()[2]])


def taken(columns: Mapping[str, Column], at: Column) -> dict[str, Column]:
    """Take rows of columns.

    Args:
        columns: whole, no slices.
        at: row numbers; null where nothing is to be taken.

    Returns:
        What stands in these rows, null where the number is. The fields of a struct are null where it is; a
        dictionary is the one of the column.

    Example:
        >>> taken({"a": pa.array([1.5, 2.5])}, pa.array([1, None]))["a"].to_pylist()
        [2.5, None]
    """
    if at.null_count == len(at):
        return {name: _nothing(column, len(at)) for name, column in columns.items()}
    anywhere = at.fill_null(0)
    return {name: _rows(column, at, anywhere) for name, column in columns.items()}


def _rows(column: Column, at: Column, anywhere: Column) -> Column:
    if column.null_count == len(column):
        return _nothing(column, len(at))
    return _taken(column, at, anywhere)


def _taken(column: Column, at: Column, anywhere: Column) -> Column:
    """Rows without nulls are taken three times as fast, so those of no use are taken and then struck out."""
    there = at.buffers()[0]
    kind = column.type
    if isinstance(column, pa.StructArray) and not column.null_count:
        inner = [_rows(column.field(i), at, anywhere) for i in range(kind.num_fields)]
        typed = pa.struct([(field.name, part.type) for field, part in zip(kind, inner, strict=True)])
        return pa.StructArray.from_buffers(typed, len(at), [there], children=inner)
    if isinstance(column, pa.DictionaryArray):
        return pa.DictionaryArray.from_arrays(
            _taken(column.indices, at, anywhere), column.dictionary, safe=False
        )
    if isinstance(column, pa.FixedSizeListArray):
        return _lists_taken(column, at)
    if column.null_count or kind.num_fields or kind == pa.string():
        return column.take(at)
    rows = column.take(anywhere).buffers()[1]
    if isinstance(kind, pa.FixedSizeBinaryType):
        return pa.Array.from_buffers(pa.string(), len(at), [there, ends(len(at), kind.byte_width), rows])
    return pa.Array.from_buffers(kind, len(at), [there, rows])


def _lists_taken(column: Lists, at: Column) -> Column:
    """Lists of texts in a dictionary; where there is none, it is empty as well."""
    width, texts = column.type.list_size, cast("Named", column.values)
    codes = texts.indices.to_numpy().reshape(-1, width)
    upto = np.zeros(len(at) + 1, dtype=np.int32)
    np.cumsum(at.is_valid().to_numpy(zero_copy_only=False), out=upto[1:])
    chosen = names(codes.take(at.drop_null().to_numpy(), axis=0).ravel(), texts.dictionary)
    kind = pa.list_(texts.type)
    return pa.ListArray.from_buffers(
        kind, len(at), [at.buffers()[0], pa.py_buffer((width * upto).data)], children=[chosen]
    )


def _nothing(column: Column, size: int) -> Column:
    """Nulls, with the dictionaries of the column."""
    kind = column.type
    if isinstance(column, pa.DictionaryArray):
        return pa.DictionaryArray.from_arrays(pa.nulls(size, kind.index_type), column.dictionary)
    if isinstance(column, pa.StructArray):
        inner = [_nothing(column.field(i), size) for i in range(kind.num_fields)]
        nowhere = pa.array(np.ones(size, dtype=np.bool_))
        return pa.StructArray.from_arrays(inner, names=[field.name for field in kind], mask=nowhere)
    if isinstance(column, pa.FixedSizeListArray):
        return pa.nulls(size, pa.list_(kind.value_type))
    return pa.nulls(size, pa.string() if isinstance(kind, pa.FixedSizeBinaryType) else kind)


def spelled(table: pa.Table, *, longer_than: int = -1) -> pa.Table:
    """Spell texts out that stand in a dictionary, also inside structs and lists.

    DuckDB cannot read lists of texts in a dictionary if all of them are empty, and a dictionary that is
    longer than its column saves nothing.

    Args:
        table: columns whose chunks share their dictionaries.
        longer_than: so many texts a dictionary may have and stay.

    Returns:
        The same rows.

    Example:
        >>> spelled(pa.table({"a": names(np.array([0]), ("x",))})).schema.field("a").type
        DataType(string)
    """
    fields = [
        field.with_type(_spelled(cast("Column", column.chunk(0)), longer_than))
        if column.num_chunks
        else field
        for field, column in zip(table.schema, table.columns, strict=True)
    ]
    return table.cast(pa.schema(fields))


def _spelled(column: Column, longer_than: int) -> pa.DataType:
    kind: pa.DataType = column.type
    if isinstance(column, pa.DictionaryArray):
        return column.dictionary.type if len(column.dictionary) > longer_than else kind
    if isinstance(column, pa.StructArray):
        inner = [column.field(i) for i in range(kind.num_fields)]
        fields = zip(column.type, inner, strict=True)
        return pa.struct([(field.name, _spelled(part, longer_than)) for field, part in fields])
    if isinstance(column, pa.ListArray) and not isinstance(column, pa.MapArray):
        return pa.list_(_spelled(column.values, longer_than))
    return kind
