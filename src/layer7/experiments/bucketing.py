"""Which bucket a unit falls into: GrowthBook's hash version 2, so that its SDKs reproduce every assignment.

The hash works on UTF-16 code units, as JavaScript does. One place of the line from 0 to 1 belongs to each
unit and seed; the arms of an experiment are stretches of it.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from layer7.errors import Layer7Error

OFFSET, PRIME = 0x811C9DC5, 0x01000193
BUCKETS = 10_000
NAMESPACE_BUCKETS = 1_000
_WORD = 0xFFFFFFFF
_BLOCK = 8_192  # rows at a time, so that a column of characters stays in the cache
_BEYOND = 0xFFFF
_DIGITS = 10

Range = tuple[float, float]
Hashes = npt.NDArray[np.uint32]
Places = npt.NDArray[np.float64]


def fnv32a(text: str) -> int:
    """Gives the 32-bit FNV-1a hash over the UTF-16 code units of a text.

    Args:
        text: any text.

    Source:
        Fowler, Noll and Vo, http://www.isthe.com/chongo/tech/comp/fnv/.

    Example:
        >>> fnv32a("a")
        3826002220
    """
    return _fold(OFFSET, text)


def bucket(seed: str, unit: str, *, version: int = 2) -> float:
    """Gives a unit's place on the line from 0 to 1 under a seed.

    Version 2: (fnv32a(str(fnv32a(seed + unit))) mod 10000) / 10000. Version 1, which namespaces of older SDKs
    use: (fnv32a(unit + seed) mod 1000) / 1000; nested, it is biased.

    Args:
        seed: of the experiment.
        unit: id of the person or application, as the caller spells it.
        version: 2, or 1.

    Raises:
        Layer7Error: ``unknown_hash`` for another version.

    Source:
        GrowthBook SDK specification 0.8, section hash.

    Example:
        >>> bucket("seed", "a"), bucket("", "a", version=1)
        (0.0505, 0.22)
    """
    if version == 2:
        return fnv32a(str(fnv32a(seed + unit))) % BUCKETS / BUCKETS
    if version == 1:
        return fnv32a(unit + seed) % NAMESPACE_BUCKETS / NAMESPACE_BUCKETS
    raise Layer7Error("unknown_hash", f"There is no hash version {version}.", "Use 2.")


def buckets(seed: str, units: Sequence[str] | npt.NDArray[np.str_]) -> Places:
    """Gives the places of many units under a seed, each as `bucket` would.

    Args:
        seed: of the experiment.
        units: their ids.

    Raises:
        Layer7Error: ``bad_unit`` if an id holds a NUL character.

    Example:
        >>> buckets("seed", ["a", "b"]).tolist()
        [0.0505, 0.2696]
    """
    ids = np.asarray(units, dtype=np.str_)
    if ids.size == 0:
        return np.empty(0)
    letters = np.ascontiguousarray(ids).view(np.uint32).reshape(ids.size, -1)
    places = np.empty(ids.size)
    begin = np.uint32(_fold(OFFSET, seed))
    for first in range(0, ids.size, _BLOCK):
        block = letters[first : first + _BLOCK]
        places[first : first + len(block)] = _digits(_letters(block, begin)) % np.uint32(BUCKETS)
    wide = np.flatnonzero(letters.max(axis=1) > _BEYOND)
    for row in wide:
        places[row] = bucket(seed, str(ids[row])) * BUCKETS
    return places / BUCKETS


def arm_ranges(arms: int, coverage: float, weights: Sequence[float] | None = None) -> tuple[Range, ...]:
    """Gives the stretch of each arm: it begins where the shares before it end, and grows with the coverage.

    Arm i is [sum of weights before i, that + coverage x weight i): whoever is in an arm stays in it when the
    coverage grows.

    Args:
        arms: how many there are, at least 1.
        coverage: share of all units that take part; below 0 is 0, above 1 is 1.
        weights: share of each arm; equal ones where there are none, or too few or many of them, or where they
            do not add up to about 1.

    Source:
        GrowthBook SDK specification 0.8, section getBucketRange.

    Example:
        >>> arm_ranges(2, 0.5)
        ((0.0, 0.25), (0.5, 0.75))
    """
    share = min(max(coverage, 0.0), 1.0)
    given = list(weights or ())
    used = given if len(given) == arms and 0.99 <= sum(given) <= 1.01 else [1 / arms] * arms
    begins = [0.0, *np.cumsum(used)]
    return tuple((float(low), float(low + share * weight)) for low, weight in zip(begins, used, strict=False))


def choose(place: float, ranges: Sequence[Range]) -> int | None:
    """Gives the number of the arm whose stretch holds a place; None where none does.

    Args:
        place: 0 to 1.
        ranges: stretches, each without its end.

    Example:
        >>> choose(0.6, ((0.0, 0.25), (0.5, 0.75))), choose(0.3, ((0.0, 0.25), (0.5, 0.75)))
        (1, None)
    """
    return next((arm for arm, (low, high) in enumerate(ranges) if low <= place < high), None)


def choose_all(places: Places, ranges: Sequence[Range]) -> npt.NDArray[np.int64]:
    """Gives the number of each unit's arm; -1 where none holds its place.

    Args:
        places: of the units.
        ranges: stretches, each without its end; the first that holds a place wins.

    Example:
        >>> choose_all(np.array([0.1, 0.3, 0.6]), ((0.0, 0.25), (0.5, 0.75))).tolist()
        [0, -1, 1]
    """
    arms = np.full(places.shape, -1, dtype=np.int64)
    for arm, (low, high) in reversed(list(enumerate(ranges))):
        arms[(places >= low) & (places < high)] = arm
    return arms


def in_namespace(unit: str, name: str, low: float, high: float) -> bool:
    """Tells whether a unit is in a stretch of a namespace of older SDKs (hash version 1).

    Args:
        unit: its id.
        name: the namespace.
        low: begin of the stretch.
        high: end of the stretch, not in it.

    Source:
        GrowthBook SDK specification 0.8, section inNamespace.

    Example:
        >>> in_namespace("1", "namespace1", 0.4, 1)
        True
    """
    return low <= bucket("__" + name, unit, version=1) < high


def _fold(state: int, text: str) -> int:
    encoded = text.encode("utf-16-le", errors="surrogatepass")
    for low, high in zip(encoded[::2], encoded[1::2], strict=True):
        state = ((state ^ (low | high << 8)) * PRIME) & _WORD
    return state


def _letters(block: npt.NDArray[np.uint32], begin: np.uint32) -> Hashes:
    """FNV-1a over the letters of each row; zeros behind its end are skipped."""
    columns = np.ascontiguousarray(block.T)
    state = np.full(len(block), begin, dtype=np.uint32)
    lengths = (columns != 0).sum(axis=0)
    shortest = int(lengths.min())
    if (columns[:shortest] == 0).any():
        raise Layer7Error("bad_unit", "A unit's id holds a NUL character.", "Use printable ids.")
    for place, letter in enumerate(columns):
        if place < shortest:
            state ^= letter
            state *= np.uint32(PRIME)
        else:
            state = np.where(place < lengths, (state ^ letter) * np.uint32(PRIME), state)
    return state


def _digits(number: Hashes) -> Hashes:
    """FNV-1a over the decimal digits of each number, without leading zeros."""
    digits = np.empty((_DIGITS, number.size), dtype=np.uint32)
    rest = number.copy()
    for place in range(_DIGITS - 1, -1, -1):
        tens = rest // np.uint32(10)
        digits[place] = rest - tens * np.uint32(10)
        rest = tens
    state = np.full(number.size, OFFSET, dtype=np.uint32)
    for place in range(_DIGITS):
        step = (state ^ (digits[place] + np.uint32(ord("0")))) * np.uint32(PRIME)
        leading = number < np.uint32(10 ** (_DIGITS - 1 - place)) if place < _DIGITS - 1 else None
        state = step if leading is None else np.where(leading, state, step)
    return state
