"""How much rates of clusters differ beyond chance."""

import numpy as np

from layer7.statistics.arrays import Column, column


def relative_spread(k: Column, m: Column, v: Column, *, kk: Column, km: Column, mm: Column) -> float:
    """Variance of the factor by which clusters of a kind differ in their rates, by moments; never below 0.

    With k_j events in cluster j where m_j were expected, binomial variance v_j, and c = Σ k / Σ m of its
    kind: Σ ((k_j - c m_j)² - c v_j) / Σ (c m_j)², summed over clusters and kinds. A kind in which nothing is
    expected is left out.

    Args:
        k: Σ k_j, one per kind.
        m: Σ m_j.
        v: Σ v_j.
        kk: Σ k_j².
        km: Σ k_j m_j.
        mm: Σ m_j².

    Source:
        Breslow (1984), Applied Statistics 33:38-44, section 3 (moments of extra-Poisson variation).

    Example:
        >>> relative_spread([10], [10], [9], kk=[58], km=[50], mm=[50])
        0.0
        >>> relative_spread([10], [10], [9], kk=[100], km=[50], mm=[50])
        0.82
    """
    events, hoped, binomial, both, cross, square = (
        np.atleast_1d(column(name, values))
        for name, values in (("k", k), ("m", m), ("v", v), ("kk", kk), ("km", km), ("mm", mm))
    )
    some = hoped > 0
    ratio = np.where(some, events / np.where(some, hoped, 1.0), 0.0)
    beyond = both - 2 * ratio * cross + ratio**2 * square - ratio * binomial
    scale = float((ratio**2 * square)[some].sum())
    return max(0.0, float(beyond[some].sum()) / scale) if scale > 0 else 0.0
