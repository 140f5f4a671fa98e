"""One person's figures, from derived tables; callers speak in their own ids."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import ibis
import pyarrow as pa
from ibis.expr import types as ir

from layer7.analytics.applications.fold import LATEST
from layer7.analytics.applications.outcomes import Outlook
from layer7.analytics.performance.judging import EVERYTHING, performance_moments, range_moments
from layer7.analytics.performance.months import range_facts
from layer7.analytics.performance.person import finish, to_contract
from layer7.contract.analytics import UserPerformance
from layer7.contract.evidence import Lineage
from layer7.contract.vocabulary import Purpose
from layer7.errors import Layer7Error
from layer7.storage.database.runs import Run
from layer7.storage.home import Home
from layer7.storage.warehouse.reading import MONTHS, TABLE_FORMAT, Tables

_MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])")


@dataclass(frozen=True, slots=True)
class People:
    """What is kept of people, asked for by the callers' own ids.

    Args:
        home: the installation.
    """

    home: Home

    def performance(self, user_id: str, period: str = EVERYTHING) -> UserPerformance | None:
        """Give how a person's applications went, as of the last night.

        Args:
            user_id: the person, in the caller's own id.
            period: ``all``, a month ``2026-03``, or days ``2026-03-01..2026-03-15`` (the last one included).

        Returns:
            None when nothing is known of her in that period.

        Raises:
            Layer7Error: ``invalid_period``; ``no_night`` before the first night; ``personalisation_off``.
        """
        run = last_night(self.home)
        person = self.home.keys.person(user_id)
        self.home.consents.require(person)
        end = datetime.fromisoformat(run.as_of).replace(tzinfo=UTC) + timedelta(days=1)
        if period == EVERYTHING or _MONTH.fullmatch(period):
            row = self._month(person, period, run)
        else:
            row = self._range(person, _days(period), run)
        if row is None:
            return None
        lineage = Lineage(run_id=str(run.id), log_to=end.isoformat())
        return to_contract(row, as_of=end, user_id=user_id, lineage=lineage)

    def _month(self, person: str, period: str, run: Run) -> Mapping[str, Any] | None:
        months = self.home.warehouse.table_of(MONTHS, person, self.home.keys.bucket(person))
        with self.home.warehouse.open() as tables:
            night = outlook_of(run, tables)
            if months is None or night is None:
                return None
            rows = finish(performance_moments(months, night)).to_pylist()
        return next((row for row in rows if row["period"] == period), None)

    def _range(self, person: str, days: tuple[date, date], run: Run) -> Mapping[str, Any] | None:
        start, last = (datetime(day.year, day.month, day.day, tzinfo=UTC) for day in days)
        bucket = self.home.keys.bucket(person)
        with self.home.warehouse.open() as tables:
            found, events, night = tables.read("applications"), tables.read("events"), outlook_of(run, tables)
            if found is None or events is None or night is None:
                return None
            own = found.filter(found.bucket == bucket, found.person == person)
            said = events.filter(events.bucket == bucket, events.person == person)
            facts = range_facts(own, said, start=start, end=last + timedelta(days=1)).to_pyarrow()
            name = f"{start.isoformat()}..{(last + timedelta(days=1)).isoformat()}"
            moments = range_moments(facts, night, pa.repeat(name, facts.num_rows))
        return finish(moments).to_pylist()[0] if moments.num_rows else None

    def applications(self, *, user_id: str | None = None, limit: int = 50) -> list[dict[str, Any]]:
        """Give applications, the latest first; people by the callers' own ids.

        Args:
            user_id: only this person's.
            limit: how many at most.
        """
        with self.home.warehouse.open() as tables:
            found = tables.read("applications")
            if found is None:
                return []
            if user_id is not None:
                person = self.home.keys.person(user_id)
                found = found.filter(found.bucket == self.home.keys.bucket(person), found.person == person)
            latest = found.order_by(found.submitted_at.desc(), found.application_id).limit(limit)
            rows: list[dict[str, Any]] = latest.to_pyarrow().to_pylist()
        known = self.home.keys.user_ids({row["person"] for row in rows})
        return [{"user_id": known.get(row["person"])} | _public(row) for row in rows]

    def export_applications(self, file: Path, *, user_id: str | None = None) -> int:
        """Write the applications table to a Parquet file, under pseudonyms; gives its rows."""
        with self.home.warehouse.open() as tables:
            found = tables.read("applications")
            if found is None:
                raise _no_night()
            if user_id is not None:
                found = found.filter(found.person == self.home.keys.person(user_id))
            return tables.write(found.order_by("person", "application_id"), file, TABLE_FORMAT)


def willing(home: Home, table: ir.Table) -> ir.Table:
    """Leave out what a derived table says of people who have objected since it was made.

    Args:
        home: the installation.
        table: has the column ``person``.
    """
    refusing = home.consents.refusing(Purpose.PERSONALISATION)
    if not refusing:
        return table
    return table.anti_join(ibis.memtable({"person": list(refusing)}), "person")


def outlook_of(run: Run, tables: Tables) -> Outlook | None:
    """Give what silence means since a night; None before it had anything to learn that from.

    Args:
        run: the last night that was done.
        tables: as that night left them.
    """
    curve = tables.read("outlook")
    if curve is None:
        return None
    end = datetime.fromisoformat(run.as_of).replace(tzinfo=UTC) + timedelta(days=1)
    return Outlook(end, curve, run.report.get("measure", {}).get("ghosted_after"))


def last_night(home: Home) -> Run:
    """Give the record of the last night that was done.

    Args:
        home: the installation.

    Raises:
        Layer7Error: ``no_night`` before the first.
    """
    found = home.runs.latest(status="done")
    if not found:
        raise _no_night()
    return found[0]


def _no_night() -> Layer7Error:
    return Layer7Error("no_night", "No night has run here yet.", "Run one with `layer7 nightly`.")


def _days(period: str) -> tuple[date, date]:
    first, dots, last = period.partition("..")
    try:
        days = date.fromisoformat(first), date.fromisoformat(last)
    except ValueError:
        days = None
    if not dots or days is None or days[0] > days[1]:
        raise Layer7Error(
            "invalid_period",
            f"{period!r} is no period.",
            "Write 'all', a month like 2026-03, or days like 2026-03-01..2026-03-15.",
        )
    return days


def _public(row: Mapping[str, Any]) -> dict[str, Any]:
    inside = {"person", "bucket", "context_rank", "context_event", "context_time", "last_outcome"}
    inside |= {*LATEST, "interview_first", "offer_first", "rejected_first"}
    return {name: value for name, value in row.items() if name not in inside}
