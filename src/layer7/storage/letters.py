"""Everybody's weekly letter, made from what the last night left; callers speak in their own ids."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Literal

from layer7.analytics.cells import DIMENSIONS
from layer7.analytics.outcomes import Outlook
from layer7.analytics.weeks import WEEKS, week_moments, week_table
from layer7.contract.analytics import UserSegment
from layer7.contract.evidence import Lineage
from layer7.contract.insights import WeeklyInsights
from layer7.contract.vocabulary import Purpose
from layer7.errors import Layer7Error
from layer7.insights import (
    Change,
    Facts,
    Habit,
    Learned,
    Manner,
    Pattern,
    Rated,
    SilenceLaw,
    Standing,
    Targets,
    Week,
    weekly_insights,
)
from layer7.insights.words import people_words
from layer7.privacy import about_enough, may_use
from layer7.storage.home import Home
from layer7.storage.people import last_night
from layer7.storage.runs import Run
from layer7.storage.survey import Survey

TABLE = "weeks"
AT_ONCE = 5_000
"""So many letters are written from one reading of the tables."""

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """What all letters of a night share."""

    run: Run
    end: datetime
    told: Row
    silence: SilenceLaw | None
    segments: Mapping[str, UserSegment]

    @property
    def latest(self) -> date:
        """The Monday of the week that the night told."""
        return date.fromisoformat(self.told["week_start"])

    def week(self, day: date | None) -> date:
        """Give the Monday of a day's week, of the night's where none is named."""
        start = self.latest if day is None else day - timedelta(days=day.weekday())
        if start > self.latest:
            raise Layer7Error(
                "week_not_over",
                f"The week from {start} was not over when the last night ran.",
                f"The latest letter is of the week from {self.latest}.",
            )
        return start


@dataclass(frozen=True, slots=True, kw_only=True)
class _Own:
    """One person's rows of the derived tables."""

    week: Row | None
    patterns: Sequence[Row] = ()
    plan: Row | None = None
    rethinking: Row | None = None


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
        if not may_use(self.home.consents.of(person), Purpose.PERSONALISATION):
            return weekly_insights(_off(user_id, known, start), Manner())
        if start == known.latest:
            own = self._own(person)
        else:
            own = next(iter(self._past(known, start, person=person).values()), _Own(week=None))
        return weekly_insights(_facts(user_id, known, start, own), Manner())

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
        readings = self._readings() if start == known.latest else iter([self._past(known, start)])
        for rows in readings:
            active = {
                person: own for person, own in rows.items() if _is_active(own) and person not in refusing
            }
            for person, user_id in self.home.keys.user_ids(active).items():
                yield weekly_insights(_facts(user_id, known, start, active[person]), Manner())

    def _known(self) -> _Known:
        run = last_night(self.home)
        told = run.report.get("tell", {})
        if "week_start" not in told:
            raise Layer7Error(
                "no_night",
                "The last night found nobody to write to.",
                "Take in events, and run `layer7 nightly`.",
            )
        return _Known(
            run=run,
            end=datetime.fromisoformat(run.as_of).replace(tzinfo=UTC) + timedelta(days=1),
            told=told,
            silence=_silence(run.report.get("measure", {})),
            segments={each.segment_id: each for each in Survey(self.home).segments()},
        )

    def _own(self, person: str) -> _Own:
        bucket = self.home.keys.bucket(person)
        weeks, shown, plans, targets = (
            self.home.warehouse.rows_of(name, person, bucket)
            for name in (TABLE, "patterns", "pattern_plans", "rethinking")
        )
        return _Own(
            week=next(iter(weeks), None),
            patterns=sorted(shown, key=lambda row: int(row["rank"])),
            plan=next(iter(plans), None),
            rethinking=next(iter(targets), None),
        )

    def _past(self, known: _Known, start: date, *, person: str | None = None) -> Mapping[str, _Own]:
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
        return {row["person"]: _Own(week=row) for row in week_table(moments, None, **law).to_pylist()}

    def _readings(self) -> Iterator[Mapping[str, _Own]]:
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
                yield _by_person(rows)


def _by_person(rows: Mapping[str, Sequence[Row]]) -> Mapping[str, _Own]:
    patterns: dict[str, list[Row]] = {}
    for row in sorted(rows.get("patterns", ()), key=lambda row: int(row["rank"])):
        patterns.setdefault(row["person"], []).append(row)
    plans, targets = (
        {row["person"]: row for row in rows.get(name, ())} for name in ("pattern_plans", "rethinking")
    )
    return {
        row["person"]: _Own(
            week=row,
            patterns=patterns.get(row["person"], ()),
            plan=plans.get(row["person"]),
            rethinking=targets.get(row["person"]),
        )
        for row in sorted(rows[TABLE], key=lambda row: str(row["person"]))
    }


def _is_active(own: _Own) -> bool:
    week = own.week
    return week is not None and bool(week["n_recent"] or week["invited"] or week["rejected"])


def _off(user_id: str, known: _Known, start: date) -> Facts:
    return replace(_empty(user_id, known, start), off="switched_off")


def _empty(user_id: str, known: _Known, start: date) -> Facts:
    return Facts(
        user_id=user_id,
        as_of=known.end,
        start=start,
        lineage=Lineage(run_id=str(known.run.id), log_to=known.end.isoformat()),
    )


def _facts(user_id: str, known: _Known, start: date, own: _Own) -> Facts:
    empty, row = _empty(user_id, known, start), own.week
    if row is None:
        return replace(empty, off="unknown")
    return replace(
        empty,
        week=Week(
            start=start,
            sent=tuple(int(row[f"sent_{at}"]) for at in reversed(range(WEEKS))),
            invited=row["invited"],
            offered=row["offered"],
            rejected=row["rejected"],
            waiting=row["waiting"],
            longest=row["longest"],
            due=row["due"],
        ),
        rated=_rated(row),
        standing=_standing(row, known),
        silence=known.silence,
        learned=_learned(own, row, known),
        follow_up=known.told["follow_up"],
    )


def _rated(row: Row) -> Rated | None:
    if not row["n"]:
        return None
    return Rated(
        value=row["rate"],
        low=row["rate_low"],
        high=row["rate_high"],
        n=row["n"],
        seen=row["seen"],
        events=row["k"],
        none=row["none"],
    )


def _standing(row: Row, known: _Known) -> Standing | None:
    """Her place among similar people, as far as these are still shown."""
    segment = known.segments.get(row["segment_id"] or "")
    if segment is None or segment.avg_interview_rate is None:
        return None
    shown = about_enough([segment], lambda each: each.user_count).shown
    if not shown:
        return None
    return Standing(
        segment_id=segment.segment_id,
        who=people_words(segment.criteria),
        people=segment.user_count,
        mean=segment.avg_interview_rate,
        percentile=(row["percentile"], row["percentile_low"], row["percentile_high"]),
    )


def _learned(own: _Own, row: Row, known: _Known) -> Learned:
    plan = own.plan or {}
    segment = known.segments.get(row["segment_id"] or "")
    return Learned(
        change=_change(row),
        patterns=tuple(map(_pattern, own.patterns)),
        habits=() if segment is None else tuple(_habits(segment)),
        targets=None if own.rethinking is None else _targets(own.rethinking),
        needed={name: int(plan[name]) for name in DIMENSIONS if plan.get(name) is not None},
    )


def _change(row: Row) -> Change | None:
    if not row["changed"]:
        return None
    return Change(
        low=row["ratio_low"],
        high=row["ratio_high"],
        recent=(row["k_recent"], row["n_recent"]),
        before=(row["k"] - row["k_recent"], row["n"] - row["n_recent"]),
    )


def _pattern(row: Row) -> Pattern:
    return Pattern(
        dimension=row["dimension"],
        level=row["level"],
        odds_ratio=(row["odds_ratio"], row["low"], row["high"]),
        probability=row["probability"],
        n=row["n"],
        events=row["events"],
        rate=(row["rate"], row["rate_low"], row["rate_high"]),
        change=row["change"],
    )


def _habits(segment: UserSegment) -> Iterator[Habit]:
    for each in segment.successful_strategies:
        ends = each.odds_ratio_interval
        if each.odds_ratio is not None and ends is not None and ends[0] > 1:
            yield Habit(
                words=each.strategy,
                odds_ratio=(each.odds_ratio, *ends),
                n=each.n or 0,
                segment_id=segment.segment_id,
                who=people_words(segment.criteria),
                people=segment.user_count,
            )


def _targets(row: Row) -> Targets | None:
    state: Literal["rethink", "not_yet", "fine", "cannot_tell"] = row["state"]
    if row["probability"] is None:
        return None
    return Targets(
        rethink=state == "rethink",
        probability=row["probability"],
        threshold=row["threshold"],
        n=row["n"],
        interviews=row["interviews"],
    )


def _silence(measured: Row) -> SilenceLaw | None:
    """What silence means, where it is learned from enough people, or from the only one there is."""
    curve, people = measured.get("silence"), measured.get("people", 0)
    if not curve or not (people == 1 or about_enough([people], float).shown):
        return None
    return SilenceLaw(
        curve=tuple((int(day), float(chance)) for day, chance in curve),
        answered=measured["answer_rate"]["value"],
        n=measured["applications"],
    )
