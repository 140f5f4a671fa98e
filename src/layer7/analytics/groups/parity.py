"""How groups of people fare: sums over people, by what they declared of themselves."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import ibis
import numpy as np
import pyarrow as pa
from ibis.expr import types as ir

from layer7.fairness import UNDISCLOSED
from layer7.statistics.trials import ArmMoments


@dataclass(frozen=True, slots=True)
class Measured:
    """A metric that groups are compared by.

    Args:
        name: its name.
        title: what it measures.
        about: ``service``, what the engine controls; or ``outcome``, where the market has its part.
        events: the fact that counts.
        chances: the fact that it is counted of; None for people.
        higher_is_better: its direction.
    """

    name: str
    title: str
    about: str
    events: str
    chances: str | None
    higher_is_better: bool = True


MEASURED: Mapping[str, Measured] = MappingProxyType(
    {
        each.name: each
        for each in (
            Measured("interview_rate", "interviews of applications", "outcome", "interviews", "trials"),
            Measured("response_rate", "answers of applications", "outcome", "answers", "mature"),
            Measured(
                "rejection_rate",
                "rejections of applications",
                "outcome",
                "rejections",
                "mature",
                higher_is_better=False,
            ),
            Measured("offer_rate", "offers of interviews", "outcome", "offers", "interviews"),
            Measured("reached_interview", "people with an interview", "outcome", "has_interview", None),
            Measured("jobs_applied_rate", "sent of those begun", "service", "applied", "created"),
            Measured("suggestion_acceptance", "suggestions accepted", "service", "accepted", "suggestions"),
            Measured("applications_per_person", "applications sent", "service", "submitted", None),
        )
    }
)
"""What groups are compared by."""


def group_moments(people: ir.Table, groups: ir.Table) -> ir.Table:
    """Add people up by attribute and group; the rows without a group are everybody.

    Args:
        people: facts of each person, as :func:`layer7.analytics.trials.exposures.person_facts` gives them.
        groups: ``person``, ``attribute``, ``group``.

    Returns:
        ``attribute``, ``group`` (null for everybody), ``n``, and for each metric ``s`` and ``p`` sums.
    """
    placed = people.join(groups, "person")
    keys = ["attribute", "group"]
    named = placed.group_by(keys).aggregate(**_sums(placed))
    whole = people.aggregate(**_sums(people)).mutate(attribute=ibis.null("string"), group=ibis.null("string"))
    return named.union(whole.select(*named.columns)).order_by(keys)


def _sums(rows: ir.Table) -> dict[str, ir.Value]:
    found: dict[str, ir.Value] = {"n": rows.count()}
    for name, metric in MEASURED.items():
        events = rows[metric.events]
        chances = rows[metric.chances] if metric.chances else 1.0 + 0.0 * events
        found |= {
            f"{name}_y": events.sum(),
            f"{name}_d": chances.sum(),
            f"{name}_yy": (events * events).sum(),
            f"{name}_yd": (events * chances).sum(),
            f"{name}_dd": (chances * chances).sum(),
        }
    return found


def read_moments(counted: pa.Table, metric: str) -> Mapping[str, Mapping[str, ArmMoments]]:
    """Give the moments of one metric by attribute and group; who has not declared one is undisclosed.

    Args:
        counted: the rows of :func:`group_moments`.
        metric: its name.
    """
    rows = counted.to_pylist()
    everybody = next(_moments(row, metric) for row in rows if row["attribute"] is None)
    found: dict[str, dict[str, ArmMoments]] = {}
    for row in rows:
        if row["attribute"] is not None:
            found.setdefault(row["attribute"], {})[row["group"]] = _moments(row, metric)
    return {
        name: groups | {UNDISCLOSED: _rest(everybody, list(groups.values()))}
        for name, groups in found.items()
    }


def _moments(row: Mapping[str, float], metric: str) -> ArmMoments:
    y, d, yy, yd, dd = (float(row[f"{metric}_{part}"] or 0.0) for part in ("y", "d", "yy", "yd", "dd"))
    return ArmMoments(n=float(row["n"]), sums=np.array([y, d]), products=np.array([[yy, yd], [yd, dd]]))


def _rest(everybody: ArmMoments, groups: Sequence[ArmMoments]) -> ArmMoments:
    return ArmMoments(
        n=everybody.n - sum(each.n for each in groups),
        sums=everybody.sums - sum(each.sums for each in groups),
        products=everybody.products - sum(each.products for each in groups),
    )
