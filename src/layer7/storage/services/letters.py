"""Everybody's weekly letter, made from what the last night left; callers speak in their own ids."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta

from layer7.analytics.applications.outcomes import Outlook
from layer7.analytics.performance.weeks import week_moments, week_table
from layer7.contract.insights import WeeklyInsights
from layer7.contract.vocabulary import Purpose
from layer7.errors import Layer7Error
from layer7.insights import (
    Manner,
    weekly_insights,
)
from layer7.personalization.config import LEARNING
from layer7.personalization.wishes import PAUSED
from layer7.storage.home import Home
from layer7.storage.services.letter_rows import (
    STRANGER,
    TABLE,
    Known,
    Own,
    by_person,
    is_active,
    switched_off,
    to_facts,
    to_silence,
)
from layer7.storage.services.people import last_night
from layer7.storage.services.personalized import Personalized
from layer7.storage.services.survey import Survey

AT_ONCE = 5_000
"""So many letters are written from one reading of the tables."""


@dataclass(frozen=True, slots=True)
class Letters:
    """The letters of an installation.

    Args:
        home: the installation.
    """

    home: Home

    def of(self, user_id: str, week: date | None = None) -> WeeklyInsights | None:
        """Give a person's letter; None for somebody unknown.

        What was learned stands in the letter of the last whole week; one of an earlier week tells what was
        counted of it, as it stood at its end.

        Args:
            user_id: the person, in the caller's own id.
            week: any day of the week; None for the last whole one before the last night.

        Raises:
            Layer7Error: ``no_night`` before the first night; ``week_not_over``.
        """
        known, person = self._known(), self.home.keys.person(user_id)
        start = known.week(week)
        if not self.home.keys.user_ids([person]):
            return None
        settings = Personalized(self.home).person(person)
        if settings.level not in LEARNING:
            return weekly_insights(switched_off(user_id, known, start), Manner())
        if start == known.latest:
            own = self._own(person)
        else:
            own = next(iter(self._past(known, start, person=person).values()), Own(week=None))
        return known.letter(to_facts(user_id, known, start, own), settings)

    def at_length(self, user_id: str) -> WeeklyInsights | None:
        """Give a person's latest letter with everything that was learned, whatever length she likes.

        Args:
            user_id: the person, in the caller's own id.
        """
        known, person = self._known(), self.home.keys.person(user_id)
        settings = Personalized(self.home).person(person)
        wishes = {**settings.wishes, "preferred_detail_level": "detailed", PAUSED: False}
        facts = to_facts(user_id, known, known.latest, self._own(person))
        return known.letter(facts, replace(settings, wishes=wishes))

    def every(self, week: date | None = None) -> Iterator[WeeklyInsights]:
        """Write the letters of all people who sent or heard something in the 8 weeks up to a week's end.

        Args:
            week: any day of the week; None for the last whole one before the last night.

        Raises:
            Layer7Error: ``no_night`` before the first night; ``week_not_over``.
        """
        known = self._known()
        start = known.week(week)
        refusing = set(self.home.consents.refusing(Purpose.PERSONALISATION))
        settings = Personalized(self.home).everybody()
        readings = self._readings() if start == known.latest else iter([self._past(known, start)])
        for rows in readings:
            active = {
                person: own for person, own in rows.items() if is_active(own) and person not in refusing
            }
            for person, user_id in self.home.keys.user_ids(active).items():
                facts = to_facts(user_id, known, start, active[person])
                yield known.letter(facts, settings.get(person, STRANGER))

    def _known(self) -> Known:
        run = last_night(self.home)
        told = run.report.get("tell", {})
        if "week_start" not in told:
            raise Layer7Error(
                "no_night",
                "The last night found nobody to write to.",
                "Take in events, and run `layer7 nightly`.",
            )
        return Known(
            run=run,
            end=datetime.fromisoformat(run.as_of).replace(tzinfo=UTC) + timedelta(days=1),
            told=told,
            silence=to_silence(run.report.get("measure", {})),
            usual=Personalized(self.home).usual(),
            segments={each.segment_id: each for each in Survey(self.home).segments()},
        )

    def _own(self, person: str) -> Own:
        bucket = self.home.keys.bucket(person)
        weeks, shown, plans, targets = (
            self.home.warehouse.rows_of(name, person, bucket)
            for name in (TABLE, "patterns", "pattern_plans", "rethinking")
        )
        return Own(
            week=next(iter(weeks), None),
            patterns=sorted(shown, key=lambda row: int(row["rank"])),
            plan=next(iter(plans), None),
            rethinking=next(iter(targets), None),
        )

    def _past(self, known: Known, start: date, *, person: str | None = None) -> Mapping[str, Own]:
        """Count a past week of one person, or of everybody, from applications."""
        end = datetime.combine(start, time(), UTC) + timedelta(weeks=1)
        with self.home.warehouse.open() as tables:
            found, curve = tables.read("applications"), tables.read("outlook")
            if found is None or curve is None:
                return {}
            if person is not None:
                bucket = self.home.keys.bucket(person)
                found = found.filter(found.bucket == bucket, found.person == person)
            night = Outlook(end, curve, None)
            moments = week_moments(found, night, follow_up=known.told["follow_up"]).to_pyarrow()
        law = {name: known.told[name] for name in ("mean", "precision")}
        return {row["person"]: Own(week=row) for row in week_table(moments, None, **law).to_pylist()}

    def _readings(self) -> Iterator[Mapping[str, Own]]:
        """Read all people's rows, some buckets at a time."""
        with self.home.warehouse.open() as tables:
            found = {name: tables.read(name) for name in (TABLE, "patterns", "pattern_plans", "rethinking")}
            weeks = found[TABLE]
            if weeks is None:
                return
            buckets, n = self.home.settings.buckets, int(weeks.count().to_pyarrow().as_py())
            step = max(1, AT_ONCE * buckets // max(n, 1))
            for first in range(0, buckets, step):
                rows = {
                    name: table.filter(table.bucket.between(first, first + step - 1)).to_pyarrow().to_pylist()
                    for name, table in found.items()
                    if table is not None
                }
                yield by_person(rows)
