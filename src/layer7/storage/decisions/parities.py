"""How declared groups fare, as the last night left it, and what people said of breaches."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from layer7.analytics.groups.parity import MEASURED
from layer7.errors import Layer7Error
from layer7.fairness import LADDER, Level
from layer7.storage.database.state import Act, State
from layer7.storage.warehouse.warehouse import Warehouse

TABLE = "parity"
PROXIES = "proxies"
_REVIEW = "fairness.review"


@dataclass(frozen=True, slots=True)
class Parities:
    """What is said of groups.

    Args:
        state: the state database.
        warehouse: derived tables.
    """

    state: State
    warehouse: Warehouse

    def rows(self) -> tuple[Mapping[str, Any], ...]:
        """Give every comparison of the last night, the worst first within a metric; none before the first."""
        with self.warehouse.open() as tables:
            table = tables.read(TABLE)
            rows = [] if table is None else table.to_pyarrow().to_pylist()
        about = {name: metric.about for name, metric in MEASURED.items()}
        return tuple({**row, "about": about.get(row["metric"], "outcome")} for row in rows)

    def proxies(self) -> tuple[Mapping[str, Any], ...]:
        """Give how well features told declared groups in the last night, the most telling first."""
        with self.warehouse.open() as tables:
            table = tables.read(PROXIES)
            return () if table is None else tuple(table.to_pyarrow().to_pylist())

    def report(self, at: datetime) -> Mapping[str, Any]:
        """Give the yearly report: comparisons, breaches with what people decided, and what can be done.

        Args:
            at: the moment.
        """
        rows = self.rows()
        reviews = self._reviews()
        breaches = [row for row in rows if _is_breach(row)]
        return {
            "made_at": at.isoformat(),
            "metrics": {name: metric.title for name, metric in MEASURED.items()},
            "comparisons": rows,
            "not_enough_data": sum(row["level"] == Level.NOT_ENOUGH.value for row in rows),
            "breaches": [{**row, "reviews": reviews.get(_name(row), [])} for row in breaches],
            "waiting_for_review": [_name(row) for row in breaches if _name(row) not in reviews],
            "proxies": [row for row in self.proxies() if row["needs_review"]],
            "ladder": LADDER,
        }

    def waiting(self) -> tuple[str, ...]:
        """Give the breaches of the last night that no person has decided on yet."""
        breaches = [_name(row) for row in self.rows() if _is_breach(row)]
        reviews = self._reviews() if breaches else {}
        return tuple(name for name in breaches if name not in reviews)

    def review(self, name: str, *, decision: str, act: Act) -> None:
        """Record what a person decided on a breach, in the audit log.

        Args:
            name: the breach, ``attribute/group/metric``.
            decision: a step of the ladder, or ``none``.
            act: who decided, when and why; its action and subject are set here.

        Raises:
            Layer7Error: ``unknown_breach``; ``unknown_choice``; ``reason_missing``.
        """
        if name not in {_name(row) for row in self.rows() if _is_breach(row)}:
            raise Layer7Error(
                "unknown_breach",
                f"{name[:120]!r} is no breach of the last night.",
                "See `layer7 fairness show`.",
            )
        if decision not in {*LADDER, "none"}:
            raise Layer7Error(
                "unknown_choice", f"{decision[:40]!r} is no step.", f"Steps are {', '.join(LADDER)}, none."
            )
        if not act.why.strip():
            raise Layer7Error("reason_missing", "A decision on a breach needs its reason.", "Say --why.")
        recorded = Act(act.actor, _REVIEW, name, act.at, act.why, {"decision": decision})
        with self.state.change(recorded):
            pass

    def _reviews(self) -> Mapping[str, list[dict[str, Any]]]:
        found: dict[str, list[dict[str, Any]]] = {}
        after = 0
        while records := self.state.audit(after=after):
            after = records[-1]["id"]
            for each in records:
                if each["action"] == _REVIEW:
                    said = {name: each[name] for name in ("at", "actor", "why")}
                    found.setdefault(each["subject"], []).append(said | json.loads(each["detail"]))
        return found


def _is_breach(row: Mapping[str, Any]) -> bool:
    return bool(row["level"] == Level.BREACH.value)


def _name(row: Mapping[str, Any]) -> str:
    return f"{row['attribute']}/{row['group']}/{row['metric']}"
