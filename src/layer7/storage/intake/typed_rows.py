"""Rows of columnar files, checked in columns; what passes is kept as it was read, nothing is written anew.

Each field becomes its values and which of them are surely valid. A text that repeats is read as a
dictionary, so that each distinct value is checked once. Rows with any doubt go, one by one, to
:func:`layer7.contract.reading.read_event`, which decides: this may be stricter than the contract, never
laxer.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, reduce
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from layer7.contract.columns import EVENT_COLUMNS, known_fields
from layer7.contract.reading import MAX_NAME
from layer7.storage.intake.columnwise import DOOR, Family, families, nested_requirements
from layer7.storage.intake.fields import Field, Mask, as_text, check_field, local_clock
from layer7.storage.intake.score_maps import as_map, check_scores

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sorted:
    """Rows, sorted into those that are surely valid and the others.

    Args:
        sure: the sure ones, with columns of :data:`layer7.storage.intake.bulk.TYPED`; texts may be
            dictionaries.
        doubtful: ``position`` of the others.
        unknown: names of fields of sure rows that the contract does not know, with how often they came.
    """

    sure: pa.Table
    doubtful: pa.Table
    unknown: Counter[str]


class TypedRows:
    """The rows of one batch, taken apart into their fields.

    Args:
        rows: ``position`` and one column per field, objects as structs.
    """

    def __init__(self, rows: pa.Table) -> None:
        self._rows = rows
        self._leaves: dict[Path, Any] = {}
        for name in rows.column_names:
            if name != "position":
                self._take_apart((name,), rows[name].combine_chunks())
        self._said: dict[Path, Mask] = {}

    def _take_apart(self, path: Path, values: Any) -> None:
        kind = values.type
        if path in _MAPS and pa.types.is_struct(kind):
            self._leaves[path] = as_map(values)
        elif path in _CONTENTS and pa.types.is_struct(kind):
            # Its members are whatever a writer chose: rows that say any are looked at one by one.
            said = np.zeros(len(values), bool)
            for part in values.flatten():
                said |= pc.is_valid(part).to_numpy(zero_copy_only=False)
            self._leaves[path] = pc.if_else(pa.array(said), values, pa.scalar(None, kind))
        elif pa.types.is_struct(kind):
            # Flattening gives the nulls of an object to all its members.
            for at, member in enumerate(values.flatten()):
                self._take_apart((*path, kind.field(at).name), member)
        elif isinstance(kind, pa.BaseExtensionType) and kind != pa.uuid():
            self._take_apart(path, values.storage)
        else:
            self._leaves.setdefault(path, values)

    def holds_text(self, path: Path) -> bool:
        """Whether a field is there as text, and says something."""
        values = self._leaves.get(path)
        return values is not None and values.null_count < len(values) and as_text(values) is not None

    def _present(self, path: Path) -> Mask:
        """Which rows say a field; an object is said when any of its members is."""
        if path not in self._said:
            nobody = np.zeros(self._rows.num_rows, bool)
            inside = (values for other, values in self._leaves.items() if other[: len(path)] == path)
            said = (pc.is_valid(values).to_numpy(zero_copy_only=False) for values in inside)
            self._said[path] = reduce(np.logical_or, said, nobody)
        return self._said[path]

    @cached_property
    def _kinds(self) -> NDArray[np.intp]:
        """The number of each row's family; -1 where its type is unknown."""
        values = self._leaves.get(("event_type",))
        text = None if values is None else as_text(values)
        if text is None:
            return np.full(self._rows.num_rows, -1)
        if not pa.types.is_dictionary(text.type):
            text = pc.dictionary_encode(text)
        numbers = [_FAMILY_OF.get(word, -1) for word in text.dictionary.to_pylist()]
        places = pc.fill_null(text.indices, len(numbers)).to_numpy(zero_copy_only=False)
        kinds: NDArray[np.intp] = np.array([*numbers, -1])[places]
        return kinds

    def _met(self, rows: Mask) -> Iterator[int]:
        """The numbers of the families that rows are of."""
        counts = np.bincount(self._kinds[rows] + 1)[1:]
        return (number for number, count in enumerate(counts.tolist()) if count)

    def sort(self, engine: duckdb.DuckDBPyConnection, *, latest: datetime) -> Sorted:
        """Sort the rows.

        Args:
            engine: reads times that are written as text.
            latest: events after this moment are doubtful.
        """
        fields, doubt = {}, self._kinds < 0
        for column in (*DOOR, *EVENT_COLUMNS.values()):
            values = self._leaves.get(column.path)
            if values is not None and values.null_count < len(values):
                field = check_scores(values) if column.path in _MAPS else check_field(values, column, engine)
                used = _USERS[column.name][self._kinds] if column.name in _USERS else None
                doubt |= field.doubt if used is None else field.doubt & used
                fields[column.name] = field if used is None else field.only(used)
        for number in self._met(~doubt):
            doubt |= (self._kinds == number) & self._incomplete(_FAMILIES[number])
        if "timestamp" in fields:
            doubt |= fields["timestamp"].after(latest)
        return self._sorted(fields, doubt)

    def _incomplete(self, family: Family) -> Mask:
        """Which rows lack something, or have no object in an object's place, for events of a family."""
        wanted = [("user_id",), ("timestamp",), *family.required]
        wanted += [
            column.path
            for column in family.columns
            if len(column.path) == 1 and column.required_by.intersection(family.types)
        ]
        lacking = [~self._present(path) for path in wanted]
        lacking += [
            self._present(column.path[:-1]) & ~self._present(column.path)
            for column in nested_requirements(family)
        ]
        lacking += [self._present(path) for path in family.objects if path in self._leaves]
        return reduce(np.logical_or, lacking)

    def _sorted(self, fields: Mapping[str, Field], doubt: Mask) -> Sorted:
        sure = {"position": self._rows["position"].combine_chunks()}
        if ("event_type",) in self._leaves:
            sure["event_type"] = as_text(self._leaves["event_type",])
        sure |= {_NAMED.get(name, name): field.values for name, field in fields.items()}
        if "timestamp" in fields:
            sure |= local_clock(fields["timestamp"])
        doubtful = self._rows.select(["position"]).filter(pa.array(doubt))
        table = pa.table({name: values for name, values in sure.items() if values is not None})
        certain = table.filter(pa.array(~doubt)) if doubtful.num_rows else table
        return Sorted(certain, doubtful, self._unknown(~doubt))

    def _unknown(self, sure: Mask) -> Counter[str]:
        """Count the dotted names that rows say, though the contract does not know them in their family."""
        paths = {path[:end] for path in self._leaves for end in range(1, len(path) + 1)}
        counts: Counter[str] = Counter()
        for number in self._met(sure):
            known = known_fields(_FAMILIES[number].types[0])
            rows = sure & (self._kinds == number)
            for path in paths:
                if path[-1] not in known.get(path[:-1], {path[-1]}):
                    counts[".".join(path)[:MAX_NAME]] += int(np.count_nonzero(rows & self._present(path)))
        return +counts


_MAPS = frozenset(column.path for column in EVENT_COLUMNS.values() if column.shape.kind == "scores")
_CONTENTS = frozenset(column.path for column in EVENT_COLUMNS.values() if column.shape.kind == "json")
_FAMILIES = families()
_FAMILY_OF = {str(name): number for number, family in enumerate(_FAMILIES) for name in family.types}
_USERS = {
    name: np.array([*(column in family.columns for family in _FAMILIES), False])
    for name, column in EVENT_COLUMNS.items()
}
"""Which families have a column; the last place stands for no family, number -1."""
_NAMED = {"timestamp": "event_time"}
