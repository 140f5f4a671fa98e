"""Folds of people: all rows of a person are in one, so that folds are as different as people are."""

import ibis
from ibis.expr import types as ir

FOLDS = 16
_HEX = "0123456789abcdef"


def fold_of(person: ir.StringValue) -> ir.IntegerValue:
    """Give the fold of a person, 0 to 15: the last hexadecimal digit of the pseudonym.

    Args:
        person: the pseudonym.

    Example:
        >>> fold_of(ibis.literal("1f")).to_pyarrow().as_py()
        15
    """
    return ibis.greatest(ibis.literal(_HEX).find(person.right(1)), 0).cast("int64")
