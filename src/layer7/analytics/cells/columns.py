"""Cells and their sample as the statistics take them: columns of numbers, texts by their place."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from layer7.analytics.cells.levels import Spellings
from layer7.analytics.cells.moments import COVARIATES, DIMENSIONS, LEAST
from layer7.statistics.chances.background import Sample
from layer7.statistics.chances.deviations import Cells

Ints = npt.NDArray[np.int64]
Texts = npt.NDArray[np.object_]
_LEAST_SEEN = 1e-6


def to_sample(rows: pa.Table, known: Mapping[str, Spellings]) -> Sample:
    """Give a sample of placed applications as columns of numbers.

    Args:
        rows: of :func:`layer7.analytics.cells.moments.placed`, in any order.
        known: per covariate, its levels; an unknown level is a level of its own, the last.
    """
    rows = rows.sort_by([("person", "ascending"), ("application_id", "ascending")])
    person, people = codes(rows["person"])
    employer, _ = codes(rows["employer"])
    _, pairs = np.unique(np.stack([person, employer]), axis=1, return_inverse=True)
    events = rows["event"].to_numpy().astype(np.float64)
    return Sample(
        person=person,
        employer=pairs.astype(np.int64).ravel() if len(people) else person,
        levels={name: known[name].places(rows[name]) for name in COVARIATES},
        events=events,
        trials=np.maximum(rows["seen"].to_numpy().astype(np.float64), events),
    )


def codes(texts: "pa.ChunkedArray[Any]") -> tuple[Ints, Texts]:
    """Give texts by their place in their sorted list, and that list; NULL has the place -1."""
    encoded = texts.combine_chunks().dictionary_encode()
    words = encoded.dictionary.to_numpy(zero_copy_only=False).astype(np.object_)
    order = np.argsort(words, kind="stable")
    rank = np.full(words.size + 1, -1, dtype=np.int64)
    rank[order] = np.arange(words.size)
    places = encoded.indices.fill_null(words.size).to_numpy(zero_copy_only=False).astype(np.int64)
    return rank[places], words[order]


@dataclass(frozen=True, slots=True, eq=False)
class CellTable:
    """The cells of some people, ordered by person, dimension and level.

    Args:
        people: their pseudonyms.
        buckets: of each person.
        person: place in ``people``, per cell.
        dimension: place in DIMENSIONS, per cell.
        level: name, per cell.
        n: applications, per cell.
        interviews: that they reached.
        cells: what the statistics take.
        known: applications of the person with a known level in the dimension.
    """

    people: Texts
    buckets: Ints
    person: Ints
    dimension: Ints
    level: Texts
    n: Ints
    interviews: Ints
    cells: Cells
    known: Ints

    def __len__(self) -> int:
        return self.person.size


def to_cells(moments: pa.Table) -> CellTable:
    """Set each level of a person against her other applications whose level is known.

    A level with fewer than 5 applications is no cell of its own; it stays among the rest.

    Args:
        moments: of :func:`layer7.analytics.cells.moments.cell_moments`, in any order.
    """
    moments = moments.sort_by([(name, "ascending") for name in ("person", "dimension", "level")])
    person, people = codes(moments["person"])
    held = {name: moments[name].to_numpy().astype(np.int64) for name in ("dimension", "bucket", "n")}
    events, trials, tilted = (_floats(moments, name) for name in ("events", "trials", "tilted"))
    trials = np.maximum(trials, events)
    own = person * len(DIMENSIONS) + held["dimension"]
    total = [
        np.bincount(own, each)[own] if own.size else each for each in (events, trials, tilted, held["n"])
    ]
    known = total[3].astype(np.int64)
    kept = np.flatnonzero((held["n"] >= LEAST) & (known > held["n"]))
    rest_events, rest_trials = np.maximum(total[0] - events, 0.0), total[1] - trials
    columns = (
        *(events, trials, _log_ratio(tilted, trials)),
        *(rest_events, np.maximum(rest_trials, rest_events), _log_ratio(total[2] - tilted, rest_trials)),
    )
    buckets = np.zeros(len(people), dtype=np.int64)
    buckets[person] = held["bucket"]
    return CellTable(
        people=people,
        buckets=buckets,
        person=person[kept],
        dimension=held["dimension"][kept],
        level=moments["level"].to_numpy().astype(np.object_)[kept],
        n=held["n"][kept],
        interviews=np.rint(_floats(moments, "interviews")[kept]).astype(np.int64),
        cells=Cells(*(each[kept] for each in columns)),
        known=known[kept],
    )


def _floats(table: pa.Table, name: str) -> npt.NDArray[np.float64]:
    return np.asarray(table[name].to_numpy(), dtype=np.float64)


def _log_ratio(tilted: npt.NDArray[np.float64], trials: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The log of the mean odds; 0 where nothing has been seen."""
    seen = (trials > _LEAST_SEEN) & (tilted > 0)
    ratio = np.divide(tilted, trials, out=np.ones_like(trials), where=seen)
    return np.asarray(np.log(ratio), dtype=np.float64)
