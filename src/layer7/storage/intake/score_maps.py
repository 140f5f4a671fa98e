"""Scores by name in columnar files: as maps, or as objects with a member for each name."""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from layer7.contract.columns import Column
from layer7.contract.shapes import COMPONENT, MAX_COMPONENTS, Shape
from layer7.storage.intake.fields import Field, Mask, as_text, check_number, doubtful

_SCORE = Column("score", (), Shape("number"), low=0.0, high=100.0)
_NAME = rf"^(?:{COMPONENT})\z"
_KIND = pa.map_(pa.string(), pa.float64())


def as_map(members: Any) -> Any:
    """Give an object of numbers as a map; what a row leaves out is not in its map, and none are no map.

    Args:
        members: an array of objects.

    Returns:
        The map; the objects themselves if a member is no number.

    Example:
        >>> as_map(pa.array([{"b": 2.0, "a": None}, {"b": None, "a": None}])).to_pylist()
        [[('b', 2.0)], None]
    """
    named = sorted(zip((field.name for field in members.type), members.flatten(), strict=True))
    found = {name: check_number(part, _SCORE).values for name, part in named if part.null_count < len(part)}
    if any(numbers is None for numbers in found.values()):
        return members
    if not found:
        return pa.nulls(len(members), _KIND)
    said = np.column_stack([_valid(numbers) for numbers in found.values()])
    _, member = np.nonzero(said)
    flat: Any = pa.concat_arrays(list(found.values()))
    places = np.arange(said.size).reshape(len(found), -1).T[said]
    names: Any = pa.array(list(found), pa.string())
    return _map(said.sum(axis=1), names.take(member), flat.take(places), absent=said.sum(axis=1) == 0)


def _valid(values: Any) -> Mask:
    valid: Mask = pc.is_valid(values).to_numpy(zero_copy_only=False)
    return valid


def _map(lengths: Any, names: Any, numbers: Any, *, absent: Mask) -> Any:
    offsets: Any = pa.array(np.concatenate([[0], np.cumsum(lengths)]), pa.int32())
    return pa.MapArray.from_arrays(offsets, names, numbers, mask=pa.array(absent))


def check_scores(values: Any) -> Field:
    """Check scores by name, and give each row's in the order of the names.

    Args:
        values: maps from names to numbers; whatever else is doubtful.
    """
    names = as_text(values.keys) if pa.types.is_map(values.type) else None
    numbers = doubtful(values) if names is None else check_number(values.items, _SCORE)
    if names is None or numbers.values is None:
        return doubtful(values)
    offsets = values.offsets.to_numpy()
    inside, lengths = slice(offsets[0], offsets[-1]), np.diff(offsets)
    row = np.repeat(np.arange(len(values)), lengths)
    words = pc.dictionary_encode(names.cast(pa.string()))
    codes = words.indices.to_numpy()[inside]
    order = np.lexsort((np.argsort(np.argsort(words.dictionary.to_pylist()))[codes], row))
    wrong = (numbers.doubt | ~_valid(numbers.values))[inside]
    wrong |= ~pc.match_substring_regex(words.dictionary, _NAME).to_numpy(zero_copy_only=False)[codes]
    doubt = lengths > MAX_COMPONENTS
    doubt[row[wrong]] = True
    doubt[row[1:][(np.diff(row) == 0) & (np.diff(codes[order]) == 0)]] = True
    doubt &= _valid(values)
    kept = order[~doubt[row]]
    scores = words.dictionary.take(codes[kept]), numbers.values.take(kept + inside.start)
    return Field(_map(np.where(doubt, 0, lengths), *scores, absent=doubt | ~_valid(values)), doubt)
