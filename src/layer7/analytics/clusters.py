"""How much less applications tell when those to one employer hang together."""

from collections.abc import Mapping
from typing import Any


def design_effect(row: Mapping[str, Any]) -> float:
    """By how much the variance of an answer rate exceeds that of independent applications, 1 or more.

    Σ (k_j - r m_j)² / (r (1 - r) Σ m_j) over employers j with k_j answers to m_j effective applications,
    r = Σ k / Σ m: the linearised variance of a ratio, against the binomial.

    Args:
        row: ``k``, ``trials``, ``kk``, ``km`` and ``mm``.

    Example:
        >>> design_effect({"k": 4, "trials": 8, "kk": 16, "km": 16, "mm": 32})
        4.0
    """
    rate = row["k"] / row["trials"] if row["trials"] > 0 else 0.0
    plain = rate * (1 - rate) * row["trials"]
    spread = row["kk"] - 2 * rate * row["km"] + rate * rate * row["mm"]
    return max(1.0, spread / plain) if plain > 0 else 1.0
