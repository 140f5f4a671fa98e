"""Columns of text made from arrays of numbers, without a Python loop over rows."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

Ints = NDArray[np.integer[Any]]
if TYPE_CHECKING:  # pyarrow's classes take no parameters at run time
    Column = pa.Array[Any]
    Named = pa.DictionaryArray[Any, Any]
    Times = pa.ChunkedArray[Any]
else:
    Column = pa.Array
    Named = pa.DictionaryArray
    Times = pa.ChunkedArray


def _spelled(digits: bytes, width: int) -> NDArray[np.bytes_]:
    """All numbers of so many digits, in order."""
    base = len(digits)
    places = np.arange(base**width)[:, None] // base ** np.arange(width - 1, -1, -1) % base
    return np.frombuffer(digits, dtype=np.uint8)[places].view(f"S{width}")[:, 0]


_DECIMAL = {width: _spelled(b"0123456789", width) for width in (1, 2, 3, 4)}
_SIGNS = np.array([b"+", b"-"])
_HEXADECIMAL = _spelled(b"0123456789abcdef", 4)


def side_by_side(size: int, *parts: NDArray[np.bytes_] | bytes) -> pa.StringArray:
    """Join ASCII texts, row by row.

    Args:
        size: rows, with at most 2 ** 31 characters in all.
        parts: one text per row, all of the array's width, or one text for all of them.

    Returns:
        The joined texts.

    Example:
        >>> side_by_side(2, b"no ", np.array([b"07", b"12"])).to_pylist()
        ['no 07', 'no 12']
    """
    columns = [np.asarray(part) for part in parts]
    rows = np.empty(size, dtype=[(str(at), column.dtype) for at, column in enumerate(columns)])
    for at, column in enumerate(columns):
        rows[str(at)] = column
    width = rows.dtype.itemsize
    return pa.StringArray.from_buffers(size, ends(size, width), pa.py_buffer(rows.view(np.uint8).data))


def ends(size: int, width: int) -> pa.Buffer:
    """Where texts of one width end, one behind the other.

    Args:
        size: how many.
        width: characters of each.

    Returns:
        The offsets of the column, 0 first.

    Example:
        >>> np.frombuffer(ends(2, 3), dtype=np.int32).tolist()
        [0, 3, 6]
    """
    return pa.py_buffer(np.arange(0, width * size + 1, width, dtype=np.int32).data)


def numbered(prefix: str, *numbers: tuple[Ints, int]) -> pa.StringArray:
    """Make identifiers such as ``user-00042``.

    Args:
        prefix: what stands before the first number.
        numbers: pairs of an array of non-negative integers and the number of digits to show.

    Returns:
        Prefix and numbers, joined by hyphens.

    Example:
        >>> numbered("resume", (np.array([7]), 3), (np.array([1]), 2)).to_pylist()
        ['resume-007-01']
    """
    parts: list[NDArray[np.bytes_] | bytes] = [prefix.encode()]
    for values, width in numbers:
        parts += [b"-", *_digits(values, width)]
    return side_by_side(len(numbers[0][0]), *parts)


def _digits(values: Ints, width: int) -> list[NDArray[np.bytes_]]:
    """The last digits of numbers, at most four at a time."""
    right = [_DECIMAL[4].take(values // 10_000**place % 10_000) for place in range(width // 4 - 1, -1, -1)]
    rest = width % 4
    left = [_DECIMAL[rest].take(values // 10 ** (width - rest) % 10**rest)] if rest else []
    return left + right


def iso_times(local: Ints, offset: Ints) -> pa.StringArray:
    """Write times as ISO 8601 with the local offset from UTC.

    Args:
        local: seconds since 1970-01-01 00:00 on the local clock.
        offset: seconds by which the local clock is ahead of UTC, whole minutes.

    Returns:
        Strings such as ``2026-03-02T09:14:05-05:00``.

    Example:
        >>> iso_times(np.array([1772442845]), np.array([-18000])).to_pylist()
        ['2026-03-02T09:14:05-05:00']
    """
    two = _DECIMAL[2].take
    minute = local // 60
    hour = minute // 60
    day = hour // 24
    first = int(day[0]) if len(day) else 0
    first = int(day.min(initial=first))
    days = np.arange(first, int(day.max(initial=first)) + 1)
    dates = np.datetime_as_string(days.astype("datetime64[D]")).astype("S10")
    ahead = np.abs(offset) // 60
    return side_by_side(
        len(local), dates.take(day - first), b"T", two(hour - 24 * day), b":", two(minute - 60 * hour), b":",
        two(local - 60 * minute), _SIGNS.take(offset < 0), two(ahead // 60), b":", two(ahead % 60),
    )  # fmt: skip


def identifiers(identity: int, kind: Ints, row: Ints) -> pa.StringArray:
    """Make one UUID per event from what the event is, so that the same event has the same one anywhere.

    Args:
        identity: of the history.
        kind: what sort of event, 0 to 255.
        row: which one of its sort, below 2 ** 54.

    Returns:
        UUIDs of version 8 (RFC 9562, section 5.8). The last 62 bits are kind and row, so two events of one
        history never share one; the bits before are mixed from these and the history's identity.

    Source:
        Steele, Lea, Flood, Fast splittable pseudorandom number generators, OOPSLA 2014 (the mixing function).

    Example:
        >>> identifiers(1, np.array([2]), np.array([3])).to_pylist()[0][19:]
        '8080-000000000003'
    """
    event = (kind.astype(np.uint64) << np.uint64(54)) | row.astype(np.uint64)
    high = _mix(event ^ _mix(np.full(1, identity, dtype=np.uint64)))
    high = (high & np.uint64(0xFFFFFFFFFFFF0FFF)) | np.uint64(0x8000)
    a, b, c, d = _groups(high)
    e, f, g, h = _groups(event | np.uint64(1 << 63))
    return side_by_side(len(event), a, b, b"-", c, b"-", d, b"-", e, b"-", f, g, h)


def _groups(words: NDArray[np.uint64]) -> list[NDArray[np.bytes_]]:
    """Four times four hexadecimal digits of each."""
    quarters = words.astype("<u8").view("<u2").reshape(-1, 4)
    return [_HEXADECIMAL.take(quarters[:, at]) for at in (3, 2, 1, 0)]


def _mix(value: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """SplitMix64's finaliser, a bijection of 64 bits."""
    value = value + np.uint64(0x9E3779B97F4A7C15)
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))


def names(codes: Ints, labels: Sequence[str] | Column) -> Named:
    """Name integer codes; negative codes are null.

    Args:
        codes: indices of `labels`, or -1.
        labels: the names.

    Returns:
        A dictionary-encoded column.

    Example:
        >>> names(np.array([1, -1]), ("a", "b")).to_pylist()
        ['b', None]
    """
    nothing = codes < 0 if codes.min(initial=0) < 0 else None
    indices = pa.array(codes.astype(np.int32), type=pa.int32(), mask=nothing)
    known = labels if isinstance(labels, pa.Array) else pa.array(labels, type=pa.string())
    return pa.DictionaryArray.from_arrays(indices, known)


def scores(labels: Sequence[str], values: NDArray[np.float64]) -> Column:
    """Name the scores of each row.

    Args:
        labels: the names, in their order.
        values: a row each, a column per name; null if there is no column.

    Returns:
        A column of maps.

    Example:
        >>> scores(("a", "b"), np.array([[70.0, 80.5]])).to_pylist()
        [[('a', 70.0), ('b', 80.5)]]
    """
    size, count = values.shape
    if not count:
        return pa.nulls(size, pa.map_(pa.string(), pa.float64()))
    offsets: Any = pa.array(np.arange(size + 1) * count, type=pa.int32())
    keys: Any = pa.array(labels, type=pa.string()).take(pointers(np.tile(np.arange(count), size)))
    return pa.MapArray.from_arrays(offsets, keys, pa.array(values.ravel()))


def pointers(rows: Ints) -> pa.Int64Array:
    """Row numbers as a column, to take with.

    Args:
        rows: row numbers.

    Returns:
        The same numbers.

    Example:
        >>> pa.array(["a", "b"]).take(pointers(np.array([1, 1]))).to_pylist()
        ['b', 'b']
    """
    return pa.array(rows, type=pa.int64())


def table(columns: Mapping[str, Column | NDArray[np.generic]]) -> pa.Table:
    """Put columns and arrays side by side.

    Args:
        columns: equally long.

    Returns:
        A table with a column for each.

    Example:
        >>> table({"a": np.array([1]), "b": pa.array(["x"])}).num_columns
        2
    """
    return pa.table({k: v if isinstance(v, pa.Array) else pa.array(v) for k, v in columns.items()})
