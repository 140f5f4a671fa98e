"""A part of the stage ``compare``: does a feature that the engine learns from tell who somebody is?"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

import ibis
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from layer7.analytics.cells.features import NUMBERS, person_features
from layer7.fairness import proxy
from layer7.nightly.night import Log
from layer7.privacy.budget import LEAST_SHOWN

MOST_PEOPLE = 20_000
"""People that are looked at, the first by pseudonym: as good as drawn by lot, and the same every night."""

_COLUMNS: Mapping[str, pa.DataType] = {
    "attribute": pa.string(),
    "group": pa.string(),
    "feature": pa.string(),
    "people": pa.int64(),
    "area": pa.float64(),
    "low": pa.float64(),
    "needs_review": pa.bool_(),
}
PROXIES = pa.schema(_COLUMNS)


def proxies_of(log: Log, groups: pa.Table) -> pa.Table:
    """Give how well each feature tells each declared group from the others that have declared the attribute.

    Args:
        log: what the night reads.
        groups: ``person``, ``attribute``, ``group``, as declared by now.

    Returns:
        A row per feature and group that can be told, the most telling first.
    """
    people = sorted({str(person) for person in groups["person"].to_pylist()})[:MOST_PEOPLE]
    asked = ibis.memtable(pa.table({"person": pa.array(people, pa.string())}))
    features = _columns(person_features(log.applications, asked).to_pyarrow(), people)
    rows = [row for named in _groups(groups, people) for row in _told(features, *named)]
    rows.sort(key=lambda row: (-row["low"], row["feature"], row["group"]))
    return pa.Table.from_pylist(rows, PROXIES)


def _columns(found: pa.Table, people: list[str]) -> Mapping[str, npt.NDArray[np.float64]]:
    """Give a column per feature; who has applied, but never there, has a share of 0."""
    place = {person: at for at, person in enumerate(people)}
    at = np.array([place[str(person)] for person in found["person"].to_pylist()], np.int64)
    features = np.array([str(name) for name in found["feature"].to_pylist()])
    applied = np.full(len(people), np.nan)
    applied[at] = 0.0
    columns = {}
    for name in sorted(set(features.tolist())):
        own = features == name
        column = np.full(len(people), np.nan) if name in NUMBERS else applied.copy()
        column[at[own]] = found["value"].to_numpy()[own]
        columns[name] = column
    return columns


def _groups(groups: pa.Table, people: list[str]) -> Iterator[tuple[str, str, npt.NDArray[np.float64]]]:
    """Give each group that is large enough to be named, with who belongs to it; NaN for who has not said."""
    place = {person: at for at, person in enumerate(people)}
    said: dict[str, dict[int, str]] = {}
    for row in groups.to_pylist():
        if row["person"] in place:
            said.setdefault(row["attribute"], {})[place[row["person"]]] = row["group"]
    for attribute, own in sorted(said.items()):
        words = np.array([own.get(at, "") for at in range(len(people))])
        for group in sorted(set(own.values())):
            belongs = np.where(words == "", np.nan, (words == group).astype(np.float64))
            if np.nansum(belongs) >= LEAST_SHOWN:
                yield attribute, group, belongs


def _told(
    features: Mapping[str, npt.NDArray[np.float64]],
    attribute: str,
    group: str,
    belongs: npt.NDArray[np.float64],
) -> Iterator[dict[str, Any]]:
    said = ~np.isnan(belongs)
    for name, values in features.items():
        found = proxy(name, values[said], group, belongs[said])
        if found.low is not None:
            yield {"attribute": attribute, **asdict(found)}
