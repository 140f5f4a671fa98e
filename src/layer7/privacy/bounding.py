"""What one person contributes to a release, and the bound that the noise is made for.

Twenty lines of our own in place of OpenDP's ``truncate_num_groups``, which in version 0.16 keeps one group
too few while the noise pays for all, and prefers the same groups for everybody.
"""

import hashlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from layer7.errors import Layer7Error
from layer7.privacy.cells import SCALE, Layout

Ints = npt.NDArray[np.int64]
Words = npt.NDArray[np.uint64]
Floats = npt.NDArray[np.float64]

_WORD, _HASH = 64, 32
"""Bits of a word, and how many of them are a hash's."""

_MOST_GROUPS = 1 << (_WORD - _HASH)


@dataclass(frozen=True, slots=True, eq=False)
class Contributions:
    """Rows about people as numbers alone: nothing that a person wrote fits into them.

    Args:
        person: whose row it is, 0 to the number of people less 1.
        cell: its cell, a place in the layout; what is outside is dropped.
        values: one column per metric; shares from 0 to 1, what is not is clipped, and unknown is 0.
        keys: one word per person, made from her pseudonym alone: it decides which of her cells are kept.

    Raises:
        Layer7Error: ``not_numbers`` if a column holds anything else, ``bad_counts`` if lengths differ.
    """

    person: Ints
    cell: Ints
    values: Floats
    keys: Words

    def __post_init__(self) -> None:
        kinds = [
            ("person", self.person, "iu"), ("cell", self.cell, "iu"), ("values", self.values, "fiub"),
            ("keys", self.keys, "u"),
        ]  # fmt: skip
        for name, column, kind in kinds:
            if not isinstance(column, np.ndarray) or column.dtype.kind not in kind:
                raise Layer7Error(
                    "not_numbers", f"The column {name} does not hold numbers.", "Only numbers are released."
                )
        if self.values.ndim != 2 or not len(self.person) == len(self.cell) == len(self.values):
            raise Layer7Error("bad_counts", "The columns differ in length.", "Give one row each.")
        if len(self.person) and not 0 <= self.person.min() <= self.person.max() < len(self.keys):
            raise Layer7Error("bad_counts", "A row is about nobody.", "Give a key for every person.")


@dataclass(frozen=True, slots=True, eq=False)
class Bounded:
    """What is left of contributions: each person in at most ``most`` cells of each table, once.

    Args:
        person: as in the contributions.
        cell: its place in the layout.
        points: per metric, the person's own mean less 1/2, in points of the scale.
    """

    person: Ints
    cell: Ints
    points: Ints

    def of(self, keep: npt.NDArray[np.bool_]) -> "Bounded":
        """Leave out people; what is kept of the others does not change.

        Args:
            keep: for each person whether she stays.
        """
        own = keep[self.person]
        return Bounded(self.person[own], self.cell[own], self.points[own])


def bounded(rows: Contributions, layout: Layout, key: bytes) -> Bounded:
    """Take each person's own mean in every cell, and of her cells as many as a table allows.

    One person has one vote in a cell, however many rows she has. Which cells are kept is decided by a keyed
    hash of person and cell: it is random for each person and epoch, the same when asked again, and does not
    depend on anybody else.

    Args:
        rows: the contributions.
        layout: what is released.
        key: secret key of the epoch.
    """
    inside = (rows.cell >= 0) & (rows.cell < layout.cells)
    place = rows.person[inside].astype(np.int64) * layout.cells + rows.cell[inside]
    if not place.size:
        return Bounded(place, place, np.zeros((0, layout.metrics), np.int64))
    place, order = _ordered(place)
    start = np.flatnonzero(np.concatenate([[True], place[1:] != place[:-1]]))
    size = np.diff(np.append(start, place.size))
    person, cell = np.divmod(place[start], layout.cells)
    kept = _chosen(person, cell, keys=rows.keys, layout=layout, key=key)
    points = np.empty((int(kept.sum()), layout.metrics), np.int64)
    # One metric at a time: ten million rows of all of them would be held twice.
    for metric in range(layout.metrics):
        mean = np.add.reduceat(_shares(rows.values[inside, metric][order]), start) / size
        points[:, metric] = np.rint((mean[kept] - 0.5) * SCALE)
    return Bounded(person[kept], cell[kept], points)


def _shares(values: Floats) -> Floats:
    """Bring values into 0 to 1; what is no number is 0."""
    return np.clip(np.nan_to_num(values, copy=False, nan=0.0, posinf=1.0, neginf=0.0), 0.0, 1.0)


def exact(found: Bounded, layout: Layout) -> Ints:
    """Add up what is left; one person moves the result by at most ``layout.l2``.

    Args:
        found: bounded contributions.
        layout: what is released.

    Returns:
        One row per cell: its people in points of the scale, then its metrics; 0 where nothing is released.
    """
    sums = np.zeros((layout.cells, 1 + layout.metrics), np.int64)
    sums[:, 0] = np.bincount(found.cell, minlength=layout.cells) * SCALE
    for metric in range(layout.metrics):
        # Whole numbers far below 2^53: the sum in floats is exact.
        added = np.bincount(found.cell, found.points[:, metric], minlength=layout.cells)
        sums[:, 1 + metric] = added.astype(np.int64)
    return np.where(layout.used, sums, 0)


def _ordered(place: Ints) -> tuple[Ints, Ints]:
    """Sort places, equal ones in the order in which they came; gives them and where each was.

    Sorting words of a place and a row is several times as quick as sorting rows by their place.
    """
    bits = _bits(place.size)
    if int(place.max()) >> (63 - bits):
        order = np.argsort(place, kind="stable")
        return place[order], order
    words = (place << bits) | np.arange(place.size)
    words.sort()
    return words >> bits, words & ((1 << bits) - 1)


def _bits(values: int) -> int:
    """Give how many bits hold so many values."""
    return max(values - 1, 1).bit_length()


def _chosen(person: Ints, cell: Ints, *, keys: Words, layout: Layout, key: bytes) -> npt.NDArray[np.bool_]:
    """For rows in the order of person and cell: whether they are among the first of their table by hash."""
    table = layout.table_of[cell]
    new = np.concatenate([[True], (person[1:] != person[:-1]) | (table[1:] != table[:-1])])
    first = np.flatnonzero(new)
    size = np.diff(np.append(first, len(person)))
    begin, hashed = np.repeat(first, size), _mixed(keys[person], cell, key) >> np.uint64(_WORD - _HASH)
    # What decides on a person's cells is the same however many others there are.
    row_bits = _bits(max(len(each.keys) for each in layout.tables))
    if first.size > _MOST_GROUPS >> row_bits:
        order = np.lexsort((hashed, begin))
    else:
        # One sort of words: the group, its row's hash, and which row of the group it is.
        words = np.repeat(np.arange(first.size, dtype=np.uint64) << np.uint64(_HASH + row_bits), size)
        words |= hashed << np.uint64(row_bits)
        words |= (np.arange(len(person)) - begin).astype(np.uint64)
        words.sort()
        order = begin + (words & np.uint64((1 << row_bits) - 1)).astype(np.int64)
    rank = np.empty(len(person), np.int64)
    rank[order] = np.arange(len(person)) - begin
    most = np.array([each.most for each in layout.tables])
    return rank < most[table]


def _mixed(person: Words, cell: Ints, key: bytes) -> Words:
    """SplitMix64's finaliser over person, cell and key (Steele, Lea and Flood, 2014)."""
    secret = np.uint64(int.from_bytes(hashlib.blake2b(key, digest_size=8).digest(), "big"))
    with np.errstate(over="ignore"):
        word = (person * np.uint64(0x9E3779B97F4A7C15)) ^ (
            cell.astype(np.uint64) * np.uint64(0xC2B2AE3D27D4EB4F)
        )
        word ^= secret
        for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
            word = (word ^ (word >> np.uint64(shift))) * np.uint64(factor)
        mixed: Words = word ^ (word >> np.uint64(31))
        return mixed
