"""The truth of a history as tables: what was planted, chosen, drawn and logged."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import product
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from layer7.simulation import levels
from layer7.simulation.choices import DAY, Applications
from layer7.simulation.columns import Column, names, numbered, pointers, scores, table
from layer7.simulation.jobs import Employers, Postings
from layer7.simulation.outcomes import NEVER, Outcomes
from layer7.simulation.people import Population

Ints = NDArray[np.int64]
Array = NDArray[np.generic]

_NAMED: Mapping[str, Sequence[str]] = {
    "from_mode": levels.STRATEGY_MODES,
    "to_mode": levels.STRATEGY_MODES,
    "rewrite_type": levels.REWRITE_TYPES,
    "gap": levels.GAPS,
    "mode": levels.STRATEGY_MODES,
    "kind": levels.SUGGESTION_TYPES,
    "decision": levels.DECISIONS,
    "dislike": levels.DISLIKES,
}
_METRICS = ("resume_score", "total_applications", "interview_rate", "applications_last_7_days")
MODES = ("from_mode", "to_mode", *_METRICS)
DECISIONS = ("mode", "explored", "propensity", *_METRICS)
REWRITES = ("version", "rewrite_type", "gap", "before", "after", "accepted")
SUGGESTIONS = ("kind", "decision", "dislike")
_USUAL_APPLICANTS = 80.0
_USUAL_PAY = (62_000.0, 92_000.0, 126_000.0, 148_000.0)  # a year, by seniority, in a currency of its own


@dataclass(frozen=True, slots=True)
class Tables:
    """Turns what was drawn into tables; clock columns are times on the person's own clock."""

    population: Population
    world: tuple[Employers, Postings]
    start: date
    weeks: int

    def applications(self, applications: Applications, outcomes: Outcomes) -> pa.Table:
        """One row per application, in order of the time it was sent (or given up)."""
        return table(self._chosen(applications) | self._job(applications) | _happened(outcomes))

    def offers(self, applications: Applications) -> pa.Table:
        """One row per application that could be sent, as far as it is known before."""
        return table(self._chosen(applications) | self._job(applications))

    def people(self, leaves: Ints) -> pa.Table:
        """One row per person."""
        who = self.population
        start = int(np.datetime64(self.start, "s").astype(np.int64))
        return table(
            {
                "user_id": user_ids(np.arange(len(who))),
                "person": np.arange(len(who)),
                "role": names(who.role, levels.ROLES),
                "seniority": names(who.seniority, levels.SENIORITIES),
                "region": names(who.region, levels.REGIONS),
                "timezone": names(who.region, levels.TIMEZONES),
                "years_experience": who.years,
                "quality": who.quality,
                "resume_score_start": who.resume,
                "fit_offset": who.fit,
                "weekly_volume": who.volume,
                "joined_local": clock(start + 7 * DAY * who.joined),
                "left_local": clock(np.where(leaves < start + 7 * DAY * self.weeks, leaves, NEVER)),
                "pattern_dimension": names(who.pattern, levels.PATTERN_DIMENSIONS),
                "pattern_level": _pattern_levels(who),
                "pattern_odds_ratio": np.exp(who.pattern_logit),
                "vendor_log_odds": who.vendor_logit,
                "mistargeted": who.mistargeted,
                "logging_delay_days": who.logging_delay,
                "approval": who.approval,
                "editing": who.editing,
                "dislike": names(who.dislike, levels.DISLIKES),
            }
        )

    def journal(self, parts: Sequence[Mapping[str, Array]], columns: Sequence[str]) -> pa.Table:
        """One row per entry of a weekly journal, in order of time."""
        joined = {key: np.concatenate([part[key] for part in parts]) for key in ("person", "at", *columns)}
        order = np.argsort(joined["at"], kind="stable")
        person = joined["person"][order].astype(np.int64)
        at = joined["at"][order].astype(np.int64)
        written: dict[str, Column | Array] = {
            "user_id": user_ids(person),
            "person": person,
            "at_local": clock(at),
        }
        for key in columns:
            values = joined[key][order]
            written[key] = names(values.astype(np.int64), _NAMED[key]) if key in _NAMED else pa.array(values)
        return table(written)

    def _chosen(self, a: Applications) -> dict[str, Column | Array]:
        offset = self._offset(a.person, a.sent)
        return {
            "application_id": numbered("app", (np.arange(len(a)), 8)),
            "user_id": user_ids(np.arange(len(self.population))).take(pointers(a.person)),
            "person": a.person,
            "job_id": numbered("job", (a.posting, 9)),
            "resume_version_id": version_ids(a.person, a.version),
            "submitted": a.submitted,
            "created_local": clock(a.created),
            "submitted_local": clock(a.sent),
            "submitted_at": pa.array(
                (a.sent - offset).astype("datetime64[s]"), type=pa.timestamp("s", tz="UTC")
            ),
            "channel": names(a.channel, levels.CHANNELS),
            "location": names(a.location, levels.LOCATIONS),
            "category": names(a.category, levels.CATEGORIES),
            "technical_match": a.technical,
            "seniority_match": a.seniority,
            "experience_match": a.experience,
            "signal": a.signal,
            "fit_score": a.fit,
            "resume_score": a.resume,
            "resume_score_components": scores(levels.RESUME_PARTS, a.resume_parts),
            "resume_score_of_employers": a.outcome_resume,
            "strategy_mode": names(a.mode, levels.STRATEGY_MODES),
            "policy": names(a.policy, levels.POLICIES),
            "tailoring_applied": a.tailored,
        }

    def _job(self, a: Applications) -> dict[str, Column | Array]:
        employers, postings = self.world
        employer = postings.employer[a.posting]
        role, seniority = postings.role(a.posting), postings.seniority(a.posting)
        titles = [prefix + role for role, prefix in product(levels.ROLES, levels.TITLE_PREFIXES)]
        pay = np.round(np.take(_USUAL_PAY, seniority) * postings.pay[a.posting] / 1000) * 1000
        hidden = a.posting % 5 < 2  # two postings of five do not name the pay
        return {
            "title": names(role * len(levels.SENIORITIES) + seniority, titles),
            "role": names(role, levels.ROLES),
            "company": names(employer, company_names(employers.industry)),
            "seniority": names(seniority, levels.SENIORITIES),
            "industry": names(employers.industry[employer], levels.INDUSTRIES),
            "company_type": names(employers.company_type[employer], levels.COMPANY_TYPES),
            "company_size": names(employers.size[employer], levels.COMPANY_SIZES),
            "vendor": names(employers.vendor[employer], levels.VENDORS),
            "skills": _skills(role * 4 + postings.skills[a.posting]),
            "salary": pa.array(pay, mask=hidden),
            "posted_at": self._posting_dates(postings.day(a.posting)),
            "applicants": np.round(_USUAL_APPLICANTS * np.exp(postings.crowding[a.posting])),
            "crowding": postings.crowding[a.posting],
            "posting_log_odds": postings.effect[a.posting],
            "aim_log_odds": a.aim,
        }

    def _posting_dates(self, day: Ints) -> Column:
        oldest = int(day.min(initial=0))
        dates = [self.start + timedelta(days=d) for d in range(oldest, int(day.max(initial=0)) + 1)]
        return names(day - oldest, [f"{d.isoformat()}T00:00:00+00:00" for d in dates])

    def _offset(self, person: Ints, local: Ints) -> Ints:
        return utc_offsets(self.start, self.weeks, region=self.population.region[person], local=local)


def utc_offsets(start: date, weeks: int, *, region: Ints, local: Ints) -> Ints:
    """Seconds by which clocks are ahead of UTC; a day keeps the offset of its noon.

    Args:
        start: first day of the history.
        weeks: its length; later times take the last day's offset.
        region: index of `layer7.simulation.levels.REGIONS`, per time.
        local: seconds since 1970-01-01 00:00 on the clock there.

    Returns:
        Seconds, one per time.

    Example:
        >>> noon = np.array([1772442845])
        >>> utc_offsets(date(2026, 3, 2), 1, region=np.array([0]), local=noon).tolist()
        [-18000]
    """
    days = [start + timedelta(days=d) for d in range(7 * weeks + 1)]
    table = np.array([[_noon_offset(zone, day) for day in days] for zone in levels.TIMEZONES])
    first = int(np.datetime64(start, "s").astype(np.int64))
    return np.asarray(table[region, np.clip((local - first) // DAY, 0, len(days) - 1)])


def _noon_offset(zone: str, day: date) -> int:
    offset = datetime.combine(day, time(12), tzinfo=ZoneInfo(zone)).utcoffset()
    return int(offset.total_seconds()) if offset is not None else 0


def user_ids(person: Ints) -> pa.StringArray:
    """Identifiers of people."""
    return numbered("user", (person, 6))


def version_ids(person: NDArray[np.integer[Any]], version: NDArray[np.integer[Any]]) -> Column:
    """Identifiers of resume versions."""
    many = int(version.max(initial=0)) + 1
    which = person * many + version
    used = np.zeros(int(which.max(initial=0)) + 1, dtype=np.bool_)
    used[which] = True
    known = np.flatnonzero(used)
    return names((np.cumsum(used) - 1)[which], numbered("resume", (known // many, 6), (known % many, 3)))


def clock(seconds: Ints) -> Column:
    """Times on a person's own clock; never is null."""
    return pa.array(seconds.astype("datetime64[s]"), type=pa.timestamp("s"), mask=seconds >= NEVER)


def company_names(industry: Ints) -> pa.StringArray:
    """Distinct invented names that go with an employer's industry."""
    words = [
        f"{first} {pair[i]}" for pair in levels.INDUSTRY_WORDS for i in (0, 1) for first in levels.FIRST_WORDS
    ]
    usual = 2 * len(levels.FIRST_WORDS)
    number = np.arange(len(industry))
    again = ["", *(f" {i}" for i in range(2, len(industry) // usual + 2))]
    parts: list[Any] = [
        pa.array(words).take(pointers(industry * usual + number % usual)),
        pa.array(again).take(pointers(number // usual)),
        "",
    ]
    joined: pa.StringArray = pc.binary_join_element_wise(*parts)
    return joined


def _skills(which: Ints) -> Column:
    """Lists of four of a role's five skills: by role, and by which one is left out."""
    known = sorted({skill for skills in levels.ROLE_SKILLS for skill in skills})
    lists = np.array(
        [
            [known.index(skill) for at, skill in enumerate(skills) if at != left]
            for skills in levels.ROLE_SKILLS
            for left in range(4)
        ]
    )
    ends = pa.array(
        np.arange(0, lists.shape[1] * len(which) + 1, lists.shape[1], dtype=np.int32), type=pa.int32()
    )
    return pa.ListArray.from_arrays(ends, names(lists[which].ravel(), known))


def _pattern_levels(who: Population) -> Column:
    dimensions = (levels.COMPANY_TYPES, levels.INDUSTRIES, levels.COMPANY_SIZES, levels.LOCATIONS)
    first = np.cumsum([0, *(len(d) for d in dimensions)])[np.maximum(who.pattern, 0)]
    return names(
        np.where(who.pattern < 0, -1, first + who.pattern_level), [level for d in dimensions for level in d]
    )


def _happened(o: Outcomes) -> dict[str, Column | Array]:
    return {
        "probability_alive": o.chance_alive,
        "dead": o.dead,
        "probability": np.where(o.dead, 0.0, o.chance_alive),
        "interviewed": o.interviewed,
        "stage": names(o.stage, levels.STAGES),
        "end": names(o.end, levels.ENDS),
        "interview_days": _days(o.interview_days),
        "onsite_days": _days(o.onsite_days),
        "decision_days": _days(o.decision_days),
        "ghosted_days": _days(o.ghosted_days),
        "interview_logged_local": clock(o.interview_logged),
        "onsite_logged_local": clock(o.onsite_logged),
        "decision_logged_local": clock(o.decision_logged),
        "ghosted_logged_local": clock(o.ghosted_logged),
    }


def _days(days: NDArray[np.float64]) -> Column:
    return pa.array(days, mask=np.isnan(days))
