"""How much the luck of single employers moves what is said of kinds of companies."""

from collections.abc import Mapping
from types import MappingProxyType

import ibis
import numpy as np
import pyarrow as pa
from ibis.expr import types as ir

from layer7.analytics.applications.outcomes import Outlook, grained, outcomes
from layer7.statistics.rates.overdispersion import relative_spread


def employer_of(rows: ir.Table) -> ir.StringValue:
    """Name the employer of applications: the company without regard to case, else the job.

    Args:
        rows: applications.
    """
    return ibis.coalesce(rows.company.lower().strip().nullif(""), rows.job_id, rows.application_id)


def employer_moments(applications: ir.Table, night: Outlook) -> ir.Table:
    """Sum interviews, and those expected by each person's own rate, over the employers of each company type.

    Args:
        applications: one row per application.
        night: what silence means.

    Returns:
        ``habit`` (the company type) and, over employers j with k_j interviews where m_j were expected, with
        binomial variance v_j, the sums ``k``, ``m``, ``v``, ``kk``, ``km`` and ``mm``.
    """
    rows = outcomes(applications, night)
    rows = rows.filter(rows.is_submitted, rows.company_type.notnull())
    known = rows.select(
        "person",
        habit=rows.company_type,
        employer=employer_of(rows),
        k=ibis.ifelse(rows.is_interviewed, 1.0, 0.0),
        trials=1.0 - rows.unseen,
    )
    own = ibis.window(group_by="person")
    rate = known.k.sum().over(own) / known.trials.sum().over(own).nullif(0.0)
    expected = grained((known.trials * rate).fill_null(0.0))
    known = known.mutate(m=expected, v=grained((expected * (1 - rate)).fill_null(0.0)))
    each = known.group_by("habit", "employer").aggregate(
        **{name: known[name].sum() for name in ("k", "m", "v")}
    )
    return each.group_by("habit").aggregate(
        k=each.k.sum(),
        m=each.m.sum(),
        v=each.v.sum(),
        kk=(each.k * each.k).sum(),
        km=grained(each.k * each.m).sum(),
        mm=grained(each.m * each.m).sum(),
    )


def employer_variance(moments: pa.Table) -> Mapping[str, float]:
    """Say how much variance single employers add to the log odds ratio of a company type against the rest.

    Employers differ by a factor with variance s² on their rates. A type that is m_j interviews' worth of
    applications at employer j then has s² Σ m_j² / (Σ m_j)² on top, and so has the rest; divided by
    (1 - rate)² that is in log odds. Segments apply to the same employers, so they have this error in common.

    Args:
        moments: rows of :func:`employer_moments`.

    Returns:
        By company type.

    Example:
        >>> rows = [{"habit": name, "k": 10, "m": 10, "v": 9, "kk": 100, "km": 50, "mm": 50} for name in "ab"]
        >>> round(employer_variance(pa.Table.from_pylist(rows))["a"], 3)
        1.012
    """
    names = [str(name) for name in moments["habit"].to_pylist()]
    sums = {name: np.asarray(moments[name].to_pylist(), float) for name in ("k", "m", "v", "kk", "km", "mm")}
    m, mm = sums["m"], sums["mm"]
    if not m.sum() > 0:
        return MappingProxyType({})
    spread = relative_spread(**sums) / max(sums["v"].sum() / m.sum(), 0.1) ** 2
    rest, rest_squares = m.sum() - m, mm.sum() - mm
    of_type, of_rest = (
        part / np.where(whole > 0, whole, 1.0) ** 2 for part, whole in ((mm, m), (rest_squares, rest))
    )
    return MappingProxyType(dict(zip(names, (spread * (of_type + of_rest)).tolist(), strict=True)))


def with_shared(moments: pa.Table, employers: pa.Table) -> pa.Table:
    """Add to sums of habits the variance that the luck of employers adds to all segments alike.

    A type of company whose few employers did well is not yet a type that does well.

    Args:
        moments: rows of :func:`layer7.analytics.segments.strategies.habit_moments`.
        employers: rows of :func:`employer_moments`.

    Returns:
        The same rows with ``shared``, 0 for all habits but those of company types.
    """
    variance = employer_variance(employers)
    kinds = zip(moments["family"].to_pylist(), moments["habit"].to_pylist(), strict=True)
    shared = [variance.get(str(habit), 0.0) if family == "company_type" else 0.0 for family, habit in kinds]
    return moments.append_column("shared", pa.array(shared, pa.float64()))
