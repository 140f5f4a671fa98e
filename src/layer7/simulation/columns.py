"""Columns of text made from arrays of numbers, without a Python loop over rows."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

Ints = NDArray[np.int64]
if TYPE_CHECKING:  # pyarrow's classes take no parameters at run time
    Column = pa.Array[Any]
    Times = pa.ChunkedArray[Any]
else:
    Column = pa.Array
    Times = pa.ChunkedArray

_HEX = np.frombuffer(b"0123456789abcdef", dtype=np.uint8)
_FOUR_DIGITS = (np.arange(10_000)[:, None] // (1000, 100, 10, 1) % 10 + ord("0")).astype(np.uint8)
_UUID_GROUPS = (8, 12, 16, 20)  # hyphens stand before these hexadecimal digits


def text(characters: NDArray[np.uint8]) -> pa.StringArray:
    """Turn a matrix of ASCII characters into a column with one string per row.

    Args:
        characters: rows of equally long strings, at most 2 ** 31 characters in all.

    Returns:
        The strings.

    Example:
        >>> text(np.frombuffer(b"abcd", dtype=np.uint8).reshape(2, 2)).to_pylist()
        ['ab', 'cd']
    """
    rows, width = characters.shape
    offsets = np.arange(0, width * (rows + 1), width or 1, dtype=np.int32)[: rows + 1]
    return pa.StringArray.from_buffers(
        rows, pa.py_buffer(offsets.tobytes()), pa.py_buffer(characters.tobytes())
    )


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
    size = len(numbers[0][0])
    parts = [np.tile(np.frombuffer(prefix.encode(), dtype=np.uint8), (size, 1))]
    for values, width in numbers:
        parts += [np.full((size, 1), ord("-"), dtype=np.uint8), _digits(values, width)]
    return text(np.hstack(parts))


def _digits(values: Ints, width: int) -> NDArray[np.uint8]:
    groups = [_FOUR_DIGITS[values // 10_000**place % 10_000] for place in range(-(-width // 4) - 1, -1, -1)]
    return np.hstack(groups)[:, -width:]


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
    days, place = np.unique(local // 86_400, return_inverse=True)
    dates = np.datetime_as_string(days.astype("datetime64[D]")).astype("S10")
    minutes = np.abs(offset) // 60
    written = np.empty((len(local), 25), dtype=np.uint8)
    written[:, :10] = np.frombuffer(dates.tobytes(), dtype=np.uint8).reshape(len(days), 10)[place]
    written[:, [10, 13, 16, 22]] = np.frombuffer(b"T:::", dtype=np.uint8)
    written[:, 19] = np.where(offset < 0, ord("-"), ord("+"))
    second = local % 86_400
    for column, number in (
        (11, second // 3_600), (14, second // 60 % 60), (17, second % 60),
        (20, minutes // 60), (23, minutes % 60),
    ):  # fmt: skip
        written[:, column : column + 2] = _FOUR_DIGITS[number, 2:]
    return text(written)


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
    words = np.stack([high, event | np.uint64(1 << 63)], axis=1).astype(">u8")
    octets = np.frombuffer(words.tobytes(), dtype=np.uint8).reshape(len(event), 16)
    digits = _HEX[np.stack([octets >> 4, octets & 15], axis=2)].reshape(len(event), 32).copy()
    digits[:, 12] = ord("8")
    return text(np.insert(digits, _UUID_GROUPS, ord("-"), axis=1))


def _mix(value: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """SplitMix64's finaliser, a bijection of 64 bits."""
    value = value + np.uint64(0x9E3779B97F4A7C15)
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))


def names(codes: Ints, labels: Sequence[str]) -> Column:
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
    indices = pa.array(codes, type=pa.int32(), mask=codes < 0)
    return pa.DictionaryArray.from_arrays(indices, pa.array(labels, type=pa.string()))


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
