"""What the last night said of the strategy mode's thresholds, and of each person's targets."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from layer7.errors import Layer7Error
from layer7.storage.database.runs import Run
from layer7.storage.home import Home
from layer7.storage.services.people import willing

TABLE = "rethinking"
"""The derived table of people's targets."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The thresholds as the last night judged them; people by the callers' own ids.

    Args:
        home: the installation.
    """

    home: Home

    def found(self) -> tuple[Run, Mapping[str, Any]]:
        """Give the last night that judged thresholds, and what it said.

        Raises:
            Layer7Error: ``no_night`` before there is one; ``no_finding`` when none had anything to look at.
        """
        nights = self.home.runs.latest(status="done")
        for run in nights:
            said = run.report.get("propose", {}).get("strategy_mode")
            if said is not None:
                return run, said
        if nights:
            raise Layer7Error(
                "no_finding",
                "Not enough data: no night has found applications to judge the thresholds by.",
                "Send events, or import a log, and run `layer7 nightly` again.",
            )
        raise Layer7Error(
            "no_night", "No night has judged the thresholds here yet.", "Run one with `layer7 nightly`."
        )

    def person(self, user_id: str) -> dict[str, Any] | None:
        """Say whether a person should rethink her targets; None for somebody unknown.

        Args:
            user_id: the person, in the caller's own id.

        Raises:
            Layer7Error: ``personalisation_off``.
        """
        person = self.home.keys.person(user_id)
        self.home.consents.require(person)
        rows = self.home.warehouse.rows_of(TABLE, person, self.home.keys.bucket(person))
        return {"user_id": user_id} | _public(rows[0]) if rows else None

    def people(self, *, state: str | None = None, limit: int = 50) -> list[dict[str, Any]]:
        """Give people's states, the most probable to be below the threshold first.

        Args:
            state: only people in this state.
            limit: how many at most.
        """
        with self.home.warehouse.open() as tables:
            table = tables.read(TABLE)
            if table is None:
                return []
            table = willing(self.home, table)
            wanted = table if state is None else table.filter(table.state == state)
            ordered = wanted.order_by(wanted.probability.desc(), wanted.person).limit(limit)
            rows: list[dict[str, Any]] = ordered.to_pyarrow().to_pylist()
        known = self.home.keys.user_ids({row["person"] for row in rows})
        return [{"user_id": known.get(row["person"])} | _public(row) for row in rows]


def _public(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in {"person", "bucket"}}
