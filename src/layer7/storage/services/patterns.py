"""What works for whom, as the last night found it; callers speak in their own ids."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from ibis.expr import types as ir

from layer7.analytics.cells.moments import DIMENSIONS
from layer7.contract.analytics import UserPatterns
from layer7.contract.evidence import Lineage, Period
from layer7.patterns.wording import Person, PersonPattern, Told, to_contract, to_pattern
from layer7.personalization.wishes import forgotten, item_name
from layer7.storage.database.runs import made_on
from layer7.storage.home import Home
from layer7.storage.services.feedback import open_preferences
from layer7.storage.services.people import last_night, willing
from layer7.storage.warehouse.reading import MONTHS, Tables

SHOWN = "patterns"
PLANS = "pattern_plans"
PREFERENCES = "preferences"


@dataclass(frozen=True, slots=True)
class Patterns:
    """The patterns of an installation.

    Args:
        home: the installation.
    """

    home: Home

    def shown(
        self, *, user_id: str | None = None, after: int | None = None, limit: int | None = None
    ) -> Sequence[tuple[int, PersonPattern]]:
        """Give the patterns that are shown, each with its place in the list.

        Args:
            user_id: only this person's, in the caller's own id.
            after: only those after this place.
            limit: how many at most.

        Raises:
            Layer7Error: ``no_night`` before the first night; ``personalisation_off``.
        """
        _, end = self._made()
        with self.home.warehouse.open() as tables:
            found = tables.read(SHOWN)
            if found is None:
                return ()
            if user_id is not None:
                person = self.home.keys.person(user_id)
                self.home.consents.require(person)
                found = found.filter(found.bucket == self.home.keys.bucket(person), found.person == person)
            found = willing(self.home, found)
            if after is not None:
                found = found.filter(found.place > after)
            found = _kept(self.home.personal.everybodys_wishes(), found)
            rows = _with_start(tables, found.order_by("place").limit(limit))
        known = self.home.keys.user_ids({row["person"] for row in rows})
        return tuple(
            (row["place"], to_pattern(row, Told(known.get(row["person"]), _window(row["start"], end))))
            for row in rows
        )

    def of(self, user_id: str) -> UserPatterns | None:
        """Give all that was found of a person; None for somebody unknown.

        Args:
            user_id: the person, in the caller's own id.

        Raises:
            Layer7Error: ``no_night`` before the first night; ``personalisation_off``.
        """
        run_id, end = self._made()
        person = self.home.keys.person(user_id)
        self.home.consents.require(person)
        bucket = self.home.keys.bucket(person)
        plans = self.home.warehouse.rows_of(PLANS, person, bucket)
        gone = forgotten(self.home.personal.wishes(person))
        rows = [
            row
            for row in self.home.warehouse.rows_of(SHOWN, person, bucket)
            if item_name(row["dimension"], row["level"]) not in gone
        ]
        months = self.home.warehouse.rows_of(MONTHS, person, bucket)
        start = min((row["month"] for row in months), default=None)
        kept = self.home.warehouse.rows_of(PREFERENCES, person, bucket)
        if not plans and not kept:
            return None
        own = open_preferences(kept[0], self.home.keys) if kept else {}
        told = Told(user_id, _window(start, end), Lineage(run_id=str(run_id), log_to=end.isoformat()))
        return to_contract(rows, _person(plans[0] if plans else {}, own), told)

    def _made(self) -> tuple[int, datetime]:
        """The night that looked for patterns, and the end of its day."""
        run_id, day = made_on(last_night(self.home), "find")
        return run_id, datetime.fromisoformat(day).replace(tzinfo=UTC) + timedelta(days=1)


def _kept(wishes: Mapping[str, Mapping[str, Any]], shown: ir.Table) -> ir.Table:
    """Leave out what people have told to forget."""
    gone = [(person, name) for person, said in wishes.items() for name in forgotten(said)]
    if not gone:
        return shown
    names = shown.person.concat(" ", shown.dimension, ": ", shown.level)
    return shown.filter(names.notin([f"{person} {name}" for person, name in gone]))


def _person(plan: Mapping[str, Any], preferences: Mapping[str, tuple[str, ...]]) -> Person:
    needed = {name: plan[name] for name in DIMENSIONS if name in plan}
    return Person(needed=needed, timing=plan.get("timed", 0), preferences=preferences)


def _with_start(tables: Tables, found: ir.Table) -> list[dict[str, Any]]:
    """Give rows with the month from which the person's applications are."""
    months = tables.read(MONTHS)
    if months is not None:
        started = months.group_by("bucket", "person").aggregate(start=months.month.min())
        found = found.left_join(started, ["bucket", "person"]).drop("bucket_right", "person_right")
    rows: list[dict[str, Any]] = found.order_by("place").to_pyarrow().to_pylist()
    return [{"start": None} | row for row in rows]


def _window(first_month: int | None, end: datetime) -> Period:
    start = (
        end.isoformat() if first_month is None else f"{1970 + first_month // 12}-{first_month % 12 + 1:02}-01"
    )
    return Period(start=start, end=end.isoformat())
