"""What is released: tables of cells whose names are public, fixed before anybody's data are seen."""

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from layer7.errors import Layer7Error
from layer7.privacy.budget import RHO_MICRO

SCALE = 1 << 10
"""A share of 1 in whole points: what is released is counted in integers from end to end."""


@dataclass(frozen=True, slots=True)
class CellTable:
    """One table of the release.

    Args:
        name: its name.
        keys: names of its cells: a public list, never learned from data.
        metrics: what each cell holds beside its count, each a share from 0 to 1.
        most: in how many of its cells one person may be in one epoch.

    Raises:
        Layer7Error: ``bad_table`` without cells, with a name twice, or with ``most`` below 1.
    """

    name: str
    keys: tuple[str, ...]
    metrics: tuple[str, ...]
    most: int

    def __post_init__(self) -> None:
        if not self.keys or len(set(self.keys)) < len(self.keys) or self.most < 1:
            raise Layer7Error(
                "bad_table",
                f"{self.name} has {len(self.keys)} cells, {self.most} of them for one person.",
                "Give different names, and at least one cell for a person.",
            )


class Layout:
    """All tables of one release, one after another, as one vector of integers.

    Args:
        tables: in their order.
        rho_micro: what one epoch costs a person, in millionths of rho.

    Example:
        >>> layout = Layout((CellTable("level", ("entry", "mid"), ("answered",), most=1),))
        >>> layout.cells, round(layout.l2 / SCALE, 3), round(layout.sigma, 2)
        (2, 1.118, 6.45)
    """

    def __init__(self, tables: Sequence[CellTable], *, rho_micro: int = RHO_MICRO) -> None:
        self.tables = tuple(tables)
        self.rho_micro = rho_micro

    @cached_property
    def cells(self) -> int:
        """How many cells there are in all tables."""
        return sum(len(table.keys) for table in self.tables)

    @cached_property
    def metrics(self) -> int:
        """How many metrics the table with the most of them has."""
        return max(len(table.metrics) for table in self.tables)

    @property
    def rho(self) -> float:
        """What one epoch costs a person."""
        return self.rho_micro / 1e6

    @cached_property
    def l2(self) -> float:
        """How far one person can move the vector: scale x sqrt(sum of most x (1 + metrics / 4)) over tables.

        A person adds 1 to the count of a cell, and to each metric a share less 1/2, so at most 1/2.
        """
        return SCALE * math.sqrt(sum(table.most * (1 + len(table.metrics) / 4) for table in self.tables))

    @property
    def sigma(self) -> float:
        """Standard deviation of the noise in each number, in people: l2 / sqrt(2 rho)."""
        return self.l2 / math.sqrt(2 * self.rho) / SCALE

    @cached_property
    def used(self) -> npt.NDArray[np.bool_]:
        """Which places of a table of cells and 1 + metrics columns are released."""
        widths = np.repeat(
            [1 + len(table.metrics) for table in self.tables], [len(table.keys) for table in self.tables]
        )
        return np.arange(1 + self.metrics) < widths[:, None]

    @cached_property
    def table_of(self) -> npt.NDArray[np.int64]:
        """The table of each cell, by its place."""
        return np.repeat(np.arange(len(self.tables)), [len(table.keys) for table in self.tables])

    def begin(self, name: str) -> int:
        """Give the place of a table's first cell.

        Args:
            name: of the table.
        """
        before = 0
        for table in self.tables:
            if table.name == name:
                return before
            before += len(table.keys)
        raise Layer7Error("unknown_table", f"No table of the release is called {name!r}.", "See its layout.")

    def table(self, name: str) -> CellTable:
        """Give a table by its name."""
        found: CellTable = self.tables[self.table_of[self.begin(name)]]
        return found

    @cached_property
    def spec(self) -> str:
        """A name of exactly this layout: releases of another one are not pooled with it."""
        told = [[table.name, table.keys, table.metrics, table.most] for table in self.tables]
        body = json.dumps([told, self.rho_micro, SCALE], ensure_ascii=True).encode()
        return hashlib.sha256(body).hexdigest()[:16]
