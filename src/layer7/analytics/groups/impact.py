"""People and selected by category, from any table."""

from collections.abc import Sequence

import ibis
from ibis.expr import types as ir


def scored_counts(table: ir.Table, groups: Sequence[str], score: str, weight: str | None) -> ir.Table:
    """Count by category who scores above the median of all, as Local Law 144 counts scores.

    Args:
        table: any table.
        groups: columns that make up a category.
        score: column of numbers; rows without one are left out.
        weight: column that says for how many people a row stands; None for one each. The median is of rows.

    Returns:
        As :func:`impact_counts`, ``selected`` being those above the median.

    Source:
        6 RCNY 5-300, "scoring rate".
    """
    known = table.filter(table[score].notnull())
    middle = known.aggregate(middle=known[score].cast("float64").median())
    beside = known.cross_join(middle)
    above = (beside[score].cast("float64") > beside.middle).cast("int64")
    return impact_counts(beside.mutate(above_the_median=above), groups, "above_the_median", weight)


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
