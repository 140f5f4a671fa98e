"""People and selected by category, from any table."""

from collections.abc import Sequence

import ibis
from ibis.expr import types as ir


def impact_counts(table: ir.Table, groups: Sequence[str], outcome: str, weight: str | None) -> ir.Table:
    """Count rows, or what they stand for, by category.

    Args:
        table: any table.
        groups: columns that make up a category, at least one; a missing value is ``unknown``.
        outcome: column of 0 and 1, or of false and true; rows without one are left out.
        weight: column that says for how many people a row stands; None for one each.

    Returns:
        ``category`` (values of the columns, with commas between), ``people``, ``selected``.
    """
    known = table.filter(table[outcome].notnull())
    names = [known[name].cast("string").fill_null("unknown") for name in groups]
    category = names[0]
    for name in names[1:]:
        category = category.concat(ibis.literal(", "), name)
    people = ibis.literal(1) if weight is None else known[weight].cast("int64")
    selected = known[outcome].cast("int64") * people
    rows = known.select(category=category, people=people, selected=selected)
    found = rows.group_by("category").aggregate(people=rows.people.sum(), selected=rows.selected.sum())
    return found.order_by("category")
