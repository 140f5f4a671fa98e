"""One name for what is spelled in many ways: levels of titles, locations and the like."""

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

_BRACKETS = re.compile(r"\([^()]*\)|\[[^\[\]]*\]")
_NO_WORD = re.compile(r"[^\w+#]+")


def normal(text: str) -> str:
    """Give a text without case, punctuation, brackets and extra white space, to compare spellings by.

    Args:
        text: as somebody wrote it. ``+`` and ``#`` stay: C, C++ and C# are three things.

    Example:
        >>> normal("  Senior Back-End  Engineer (m/f/d)"), normal("senior back end engineer")
        ('senior back end engineer', 'senior back end engineer')
        >>> normal("C++ Developer"), normal("(Remote)")
        ('c++ developer', 'remote')
    """
    bare = _NO_WORD.sub(" ", _BRACKETS.sub(" ", text)).strip()
    return (bare or _NO_WORD.sub(" ", text).strip() or text).casefold()


@dataclass(frozen=True, slots=True, eq=False)
class Spellings:
    """The levels of one dimension: how each is spelled, and the name it is shown under.

    Args:
        place: the level's place of each spelling.
        names: of each level, its most frequent spelling.
    """

    place: Mapping[str, int]
    names: tuple[str, ...]

    def places(self, texts: "pa.ChunkedArray[Any]") -> npt.NDArray[np.int64]:
        """Give the place of each text's level; the unknown have the place after the last.

        Args:
            texts: spellings, some NULL.
        """
        encoded = texts.combine_chunks().dictionary_encode()
        unknown = len(self.names)
        words = encoded.dictionary.to_pylist()
        found = [self.place.get(str(word), unknown) for word in words]
        places = np.array([*found, unknown], dtype=np.int64)
        where = encoded.indices.fill_null(len(words)).to_numpy(zero_copy_only=False)
        return np.asarray(places[where], dtype=np.int64)

    def table(self, effects: npt.NDArray[np.float64] | None) -> pa.Table:
        """Give ``spelling``, ``level`` and ``effect`` , one row per spelling.

        Args:
            effects: by place; a level that the sample did not have counts 0.
        """
        places = list(self.place.values())
        known = 0 if effects is None else effects.size
        found = [0.0 if effects is None or at >= known else float(effects[at]) for at in places]
        return pa.table(
            {
                "spelling": pa.array(self.place, pa.string()),
                "level": pa.array([self.names[at] for at in places], pa.string()),
                "effect": pa.array(found, pa.float64()),
            }
        )


def to_spellings(counted: pa.Table, dimensions: tuple[str, ...]) -> Mapping[str, Spellings]:
    """Group spellings into levels, by dimension.

    Args:
        counted: ``dimension``, ``spelling`` and ``n``, in any order.
        dimensions: those wanted, also if nothing is known of them.

    Example:
        >>> counted = {"dimension": ["title"] * 3, "spelling": ["Cook", "COOK ", "Waiter"], "n": [5, 2, 1]}
        >>> to_spellings(pa.table(counted), ("title",))["title"].names
        ('Cook', 'Waiter')
    """
    grouped: dict[str, dict[str, list[tuple[int, str]]]] = defaultdict(lambda: defaultdict(list))
    for row in counted.to_pylist():
        grouped[row["dimension"]][normal(row["spelling"])].append((-row["n"], row["spelling"]))
    return MappingProxyType({name: _spellings(grouped[name]) for name in dimensions})


def fixed(names: tuple[str, ...]) -> Spellings:
    """Give levels that are spelled in one way only.

    Args:
        names: of the levels.
    """
    return Spellings(MappingProxyType({name: at for at, name in enumerate(names)}), names)


def _spellings(levels: Mapping[str, list[tuple[int, str]]]) -> Spellings:
    ordered = sorted(levels)
    place = {spelling: at for at, key in enumerate(ordered) for _, spelling in levels[key]}
    return Spellings(
        MappingProxyType(dict(sorted(place.items()))), tuple(min(levels[key])[1].strip() for key in ordered)
    )
