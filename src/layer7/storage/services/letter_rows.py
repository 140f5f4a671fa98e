"""What a letter is made from: a person's rows of the derived tables, and what a night's letters share."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, Literal

from layer7.analytics.cells.moments import DIMENSIONS
from layer7.analytics.performance.weeks import WEEKS
from layer7.contract.analytics import UserSegment
from layer7.contract.evidence import Lineage
from layer7.contract.insights import WeeklyInsights
from layer7.errors import Layer7Error
from layer7.insights import (
    Change,
    Facts,
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
from layer7.personalization.config import Person
from layer7.personalization.values import Usual
from layer7.personalization.wishes import forgotten, is_paused, item_name
from layer7.privacy import about_enough
from layer7.storage.database.runs import Run
from layer7.storage.services.personalized import aim_of, told_as

TABLE = "weeks"

Row = Mapping[str, Any]
STRANGER = Person(level="standard")


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What all letters of a night share."""

    run: Run
    end: datetime
    told: Row
    silence: SilenceLaw | None
    segments: Mapping[str, UserSegment]
    usual: Usual

    @property
    def latest(self) -> date:
        """The Monday of the week that the night told."""
        return date.fromisoformat(self.told["week_start"])

    def letter(self, facts: Facts, person: Person) -> WeeklyInsights:
        """Write a letter as a person likes it, without what she does not want learned.

        Args:
            facts: what was counted and learned.
            person: what is known of her settings.
        """
        if is_paused(person.wishes):
            return weekly_insights(replace(facts, week=None, off="paused"), Manner())
        gone = forgotten(person.wishes)
        kept = tuple(
            each for each in facts.learned.patterns if item_name(each.dimension, each.level) not in gone
        )
        learned = replace(facts.learned, patterns=kept)
        aim, planned = aim_of(person, self.usual)
        told = replace(facts, learned=learned, aim=aim, planned=planned)
        return weekly_insights(told, told_as(person, self.usual))

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
class Own:
    """One person's rows of the derived tables."""

    week: Row | None
    patterns: Sequence[Row] = ()
    plan: Row | None = None
    rethinking: Row | None = None


def by_person(rows: Mapping[str, Sequence[Row]]) -> Mapping[str, Own]:
    """Give each person her rows, by the name of the table."""
    patterns: dict[str, list[Row]] = {}
    for row in sorted(rows.get("patterns", ()), key=lambda row: int(row["rank"])):
        patterns.setdefault(row["person"], []).append(row)
    plans, targets = (
        {row["person"]: row for row in rows.get(name, ())} for name in ("pattern_plans", "rethinking")
    )
    return {
        row["person"]: Own(
            week=row,
            patterns=patterns.get(row["person"], ()),
            plan=plans.get(row["person"]),
            rethinking=targets.get(row["person"]),
        )
        for row in sorted(rows[TABLE], key=lambda row: str(row["person"]))
    }


def is_active(own: Own) -> bool:
    """Tell whether a person sent or heard something lately."""
    week = own.week
    return week is not None and bool(week["n_recent"] or week["invited"] or week["rejected"])


def switched_off(user_id: str, known: Known, start: date) -> Facts:
    """Give the facts of somebody who lets nothing be read of her."""
    return replace(_empty(user_id, known, start), off="switched_off")


def _empty(user_id: str, known: Known, start: date) -> Facts:
    return Facts(
        user_id=user_id,
        as_of=known.end,
        start=start,
        lineage=Lineage(run_id=str(known.run.id), log_to=known.end.isoformat()),
    )


def to_facts(user_id: str, known: Known, start: date, own: Own) -> Facts:
    """Give the facts of one person's week.

    Args:
        user_id: the person, in the caller's own id.
        known: what all letters of a night share.
        start: the week's Monday.
        own: her rows.
    """
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
        learned=_learned(own, row),
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


def _standing(row: Row, known: Known) -> Standing | None:
    """Her place among similar people, as far as these are still shown."""
    segment = known.segments.get(row["segment_id"] or "")
    if segment is None or segment.avg_interview_rate is None or segment.interval is None:
        return None
    shown = about_enough([segment], lambda each: each.user_count).shown
    if not shown:
        return None
    return Standing(
        segment_id=segment.segment_id,
        who=people_words(segment.criteria),
        people=segment.user_count,
        mean=(segment.avg_interview_rate, *segment.interval),
        percentile=(row["percentile"], row["percentile_low"], row["percentile_high"]),
    )


def _learned(own: Own, row: Row) -> Learned:
    plan = own.plan or {}
    return Learned(
        change=_change(row),
        patterns=tuple(map(_pattern, own.patterns)),
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


def to_silence(measured: Row) -> SilenceLaw | None:
    """Give what silence means, learned from enough people, or from the only one there is."""
    curve, people = measured.get("silence"), measured.get("people", 0)
    if not curve or not (people == 1 or about_enough([people], float).shown):
        return None
    return SilenceLaw(
        curve=tuple((int(day), float(chance)) for day, chance in curve),
        answered=measured["answer_rate"]["value"],
        n=measured["applications"],
    )
