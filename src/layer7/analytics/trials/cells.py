"""What experiments are judged by: sums and sums of products of the units' facts, in cells that add.

A cell holds the units of an experiment that share a variant, a stage of the ramp, a day of exposure, a
segment, and whether the variants would have decided differently. Every question is a sum of cells.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from ibis.expr import types as ir

from layer7.analytics.applications.outcomes import SECONDS_PER_DAY
from layer7.contract.facts import FACTS
from layer7.statistics.arrays import FloatArray
from layer7.statistics.trials import ArmMoments, Spectrum

KEYS = ("experiment_id", "variant", "stage", "day", "segment", "told", "triggered", "in_several")
"""What the units of a cell share; ``day`` is that of exposure, counted from 1970 in UTC."""

PAIR_KEYS = ("experiment_id", "variant", "other_id", "other_variant")
"""What units share that are in two experiments at once."""

GROUP_KEYS = ("experiment_id", "variant", "attribute", "group")
"""What people of a declared group share."""

_PLACE: Mapping[str, int] = {name: at for at, name in enumerate(FACTS)}

Together = Sequence[tuple[str, str]]
"""Pairs of facts that some metric reads together; a fact with itself gives its square."""

Mask = npt.NDArray[np.bool_]


def cells(facts: ir.Table, together: Together) -> ir.Table:
    """Add the units of each cell up; the rows of two logs without common units add to those of both.

    Args:
        facts: as :func:`layer7.analytics.trials.exposures.capped` gives them.
        together: the products that are wanted; each costs time.

    Returns:
        :data:`KEYS`, ``n``, ``s_x`` (sum of fact x) and ``p_x_y`` (sum of the products of facts x and y).
    """
    return _moments(facts.mutate(day=facts.seconds // SECONDS_PER_DAY), KEYS, together)


def pairs(facts: ir.Table, together: Together) -> ir.Table:
    """Add up the units that are in two experiments at once, by what they got in each.

    Args:
        facts: as :func:`layer7.analytics.trials.exposures.capped` gives them.
        together: the products that are wanted.

    Returns:
        :data:`PAIR_KEYS` and the moments of :func:`cells`, of the facts as the first experiment counts them.
    """
    rows = facts.filter(~facts.in_several)
    beside = rows.select("person", "own", other_id=rows.experiment_id, other_variant=rows.variant)
    both = rows.join(beside, ["person", "own"])
    return _moments(both.filter(both.experiment_id != both.other_id), PAIR_KEYS, together)


def group_cells(facts: ir.Table, declared: ir.Table, together: Together) -> ir.Table:
    """Add people up by the groups that they had declared of themselves when they were drawn by lot.

    Args:
        facts: as :func:`layer7.analytics.trials.exposures.capped` gives them; units that are applications
            are left out.
        declared: ``person``, ``attribute``, ``group``, and the seconds ``since`` and ``until`` when it held.
        together: the products that are wanted.

    Returns:
        :data:`GROUP_KEYS` and the moments of :func:`cells`.
    """
    rows = facts.filter(~facts.in_several, ~facts.by_application).join(declared, "person")
    return _moments(rows.filter(rows.seconds >= rows.since, rows.seconds < rows.until), GROUP_KEYS, together)


def _moments(rows: ir.Table, keys: tuple[str, ...], together: Together) -> ir.Table:
    sums = {f"s_{name}": rows[name].sum() for name in FACTS}
    products = {f"p_{one}_{two}": (rows[one] * rows[two]).sum() for one, two in together}
    return rows.group_by(keys).aggregate(n=rows.count(), **sums, **products).order_by(keys)


@dataclass(frozen=True, slots=True, eq=False)
class Keyed(ABC):
    """Units counted by what they share.

    Args:
        keys: a column of each key, shape (c,).
        n: units of each row, shape (c,).
    """

    keys: Mapping[str, npt.NDArray[np.object_]]
    n: FloatArray

    @abstractmethod
    def at(self, mask: Mask) -> Self:
        """Give the rows of a mask, shape (c,)."""

    @abstractmethod
    def arm(self, facts: tuple[str, ...]) -> ArmMoments | Spectrum:
        """Add the rows up to what the statistics ask of an arm.

        Args:
            facts: the columns that are wanted, where there are several.
        """

    def where(self, **wanted: object) -> Self:
        """Give the rows whose keys have these values."""
        mask = np.ones(self.n.size, dtype=np.bool_)
        for name, value in wanted.items():
            mask &= self.keys[name] == value
        return self.at(mask)

    @property
    def units(self) -> int:
        """How many units there are."""
        return int(self.n.sum())

    def values(self, key: str) -> tuple[object, ...]:
        """Give the values of a key in their order."""
        return tuple(sorted(set(self.keys[key].tolist())))


def keys_of(counted: pa.Table) -> Mapping[str, npt.NDArray[np.object_]]:
    """Give the columns of a counted table by which its units are told apart."""
    return {
        name: np.array(counted[name].to_pylist(), dtype=object)
        for name in counted.column_names
        if name in {*KEYS, *PAIR_KEYS, *GROUP_KEYS}
    }


@dataclass(frozen=True, slots=True, eq=False)
class Cells(Keyed):
    """Cells of moments as the statistics take them.

    Args:
        sums: shape (c, k), k the number of :data:`FACTS`.
        products: shape (c, k, k).
    """

    sums: FloatArray
    products: FloatArray

    @classmethod
    def of(cls, counted: pa.Table, together: Together) -> "Cells":
        """Read the rows of :func:`cells` or :func:`pairs`; products that were not wanted are unknown.

        Args:
            counted: the rows.
            together: the products that they have.
        """
        size = counted.num_rows
        products = np.full((size, len(FACTS), len(FACTS)), np.nan)
        for one, two in together:
            column = counted[f"p_{one}_{two}"].to_numpy()
            products[:, _PLACE[one], _PLACE[two]] = products[:, _PLACE[two], _PLACE[one]] = column
        sums = [counted[f"s_{name}"].to_numpy() for name in FACTS]
        return cls(
            keys=keys_of(counted),
            n=counted["n"].to_numpy().astype(np.float64),
            sums=np.array(sums, dtype=np.float64).reshape(len(FACTS), size).T,
            products=products,
        )

    def at(self, mask: Mask) -> "Cells":
        """Give the cells of a mask, shape (c,)."""
        return Cells(
            keys={name: column[mask] for name, column in self.keys.items()},
            n=self.n[mask],
            sums=self.sums[mask],
            products=self.products[mask],
        )

    def total(self, fact: str) -> float:
        """Give the sum of a fact."""
        return float(self.sums[:, _PLACE[fact]].sum())

    def arm(self, facts: tuple[str, ...]) -> ArmMoments:
        """Add the cells up to the moments of some facts, in their order.

        Args:
            facts: some of :data:`FACTS`; all their products must be known.

        Raises:
            Layer7Error: ``not_finite`` where a product is not.
        """
        at = [_PLACE[name] for name in facts]
        return ArmMoments(
            n=float(self.n.sum()),
            sums=self.sums[:, at].sum(axis=0),
            products=self.products[:, at][:, :, at].sum(axis=0),
        )
