"""Who belongs to which segment: by what a person says of herself, else by what she applies to."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import ibis
import pyarrow as pa
from ibis import _
from ibis.expr import types as ir

from layer7.contract.analytics import SegmentCriteria
from layer7.contract.vocabulary import EventType, SeniorityLevel

PERSON = ("person", "bucket")
SCHEMES = ("profile", "location", "industry")
"""Ways to divide all people: by level, role and years of experience; by location; by industry."""

PUBLIC = ("segment", "level")
"""What others see figures of: level and role family together, and levels, from public lists."""

YEARS = ((0, 2), (2, 5), (5, 10), (10, 60))
"""Years of experience, from and up to (without) the end."""

_LEVELS: tuple[tuple[str, SeniorityLevel], ...] = (
    (r"intern|trainee|working student|apprentice", SeniorityLevel.INTERN),
    (r"\b(executive|director|vp|vice president|chief|head|c[etfo]o)\b", SeniorityLevel.EXECUTIVE),
    (r"\b(lead|staff|principal)\b", SeniorityLevel.LEAD),
    (r"\b(senior|sr|expert)\b", SeniorityLevel.SENIOR),
    (r"\b(entry|junior|jr|graduate|associate|new grad)\b", SeniorityLevel.ENTRY),
    (r"\b(mid|middle|intermediate|regular|professional)", SeniorityLevel.MID),
)
_LEVEL_WORDS = (
    r"\b(intern|trainee|junior|jr|entry|level|graduate|associate|mid|middle|intermediate|senior|sr|lead|"
    r"staff|principal|i|ii|iii|iv|v)\b"
)
_NO_WORD = r"[^a-z0-9+#/ ]+"


def level_of(text: ir.StringValue) -> ir.StringValue:
    """Read a level of seniority out of free text; NULL where it names none.

    Args:
        text: as the log has it, such as ``Senior`` or ``Mid-level``.

    Example:
        >>> words = ("Senior", "mid-level", "Junior", "Head of Data", "?")
        >>> ibis.array([level_of(ibis.literal(word)) for word in words]).to_pyarrow().as_py()
        ['senior', 'mid', 'entry', 'executive', None]
    """
    lowered = text.lower()
    return ibis.cases(*((lowered.re_search(words), str(level)) for words, level in _LEVELS), else_=None)


def role_of(title: ir.StringValue) -> ir.StringValue:
    """Read the role out of a title: small letters, no level, no punctuation; NULL where nothing is left.

    Args:
        title: of a posting, or a role as a profile names it.

    Example:
        >>> role_of(ibis.literal("Senior Back-end Engineer (II)")).to_pyarrow().as_py()
        'back end engineer'
    """
    plain = title.lower().re_replace(_NO_WORD, " ").re_replace(_LEVEL_WORDS, " ")
    return plain.re_replace(r"\s+", " ").strip().nullif("")


def place_of(location: ir.StringValue) -> ir.StringValue:
    """Give a location no finer than a city: parts between commas that hold a digit are left out.

    Args:
        location: as the log has it.

    Example:
        >>> place_of(ibis.literal("12 Main St, Austin, TX 78701, US")).to_pyarrow().as_py()
        'Austin, US'
    """
    kept = location.re_replace(r"(^|,)[^,]*[0-9][^,]*", "").re_replace(r"^[\s,]+|[\s,]+$", "")
    return kept.re_replace(r"\s+", " ").nullif("")


def read_once(rows: ir.Table, column: str, read: Callable[[ir.StringValue], ir.StringValue]) -> ir.Table:
    """Read each text of a column once, however many rows have it.

    Args:
        rows: with the column.
        column: its name.
        read: what is read out of a text.

    Returns:
        ``text`` and ``value``; texts out of which nothing can be read are left out.

    Example:
        >>> rows = ibis.memtable({"place": ["12 Main St, Austin", "12 Main St, Austin", "?7"]})
        >>> read_once(rows, "place", place_of).to_pyarrow().to_pylist()
        [{'text': '12 Main St, Austin', 'value': 'Austin'}]
    """
    texts = rows.filter(rows[column].notnull()).group_by(text=_[column]).aggregate(n=_.count())
    # What hangs on the count is read after it; engines else read every row to leave some out before counting.
    values = texts.select("text", value=ibis.ifelse(texts.n > 0, read(texts.text), None))
    return values.filter(values.value.notnull())


def memberships(applications: ir.Table, events: ir.Table) -> ir.Table:
    """Give every applicant's segments.

    What the latest ``PROFILE_UPDATED`` event says counts; a field that it leaves open, or that of a person
    without one, is the value that most of her submitted applications have (ties: the first in the alphabet).
    Years of experience are never inferred.

    Args:
        applications: one row per application.
        events: the event log; only profiles are read.

    Returns:
        ``person``, ``bucket``, ``level``, ``role``, ``years`` (index of :data:`YEARS`), ``location``,
        ``industry`` and ``declared`` (whether a profile was read); NULL where nothing is known.
    """
    sent = applications.filter(applications.submitted_at.notnull())
    found = sent.select(*PERSON).distinct()
    for name, (column, read) in _READ.items():
        found = _joined(found, _usual(sent, column, read).rename({name: "usual"}))
    found = _joined(found, _declared(events))
    return found.select(
        *PERSON,
        **{name: ibis.coalesce(found[f"said_{name}"], found[name]) for name in _READ},
        years=_band(found.said_years),
        declared=found.said.notnull(),
    )


def _joined(left: ir.Table, right: ir.Table) -> ir.Table:
    return left.left_join(right, "person").drop("person_right")


def _trimmed(text: ir.StringValue) -> ir.StringValue:
    return text.strip().nullif("")


_READ: Mapping[str, tuple[str, Callable[[ir.StringValue], ir.StringValue]]] = MappingProxyType(
    {
        "level": ("seniority", level_of),
        "role": ("title", role_of),
        "location": ("location", place_of),
        "industry": ("industry", _trimmed),
    }
)


def _usual(sent: ir.Table, column: str, read: Callable[[ir.StringValue], ir.StringValue]) -> ir.Table:
    """Each person's most frequent value."""
    values = read_once(sent, column, read)
    each = sent.group_by("person", text=sent[column]).aggregate(n=sent.count())
    counted = each.join(values, "text").group_by("person", "value").aggregate(n=_.n.sum())
    order = [counted.n.desc(), counted.value]
    first = counted.mutate(turn=ibis.row_number().over(group_by="person", order_by=order))
    return first.filter(_.turn == 0).select("person", usual="value")


def _declared(events: ir.Table) -> ir.Table:
    """What each person's latest profile says; of lists, the first entry."""
    rows = events.filter(events.event_type == str(EventType.PROFILE_UPDATED))
    order = [rows.event_time.desc(), rows.event_id]
    latest = rows.mutate(turn=ibis.row_number().over(group_by="person", order_by=order)).filter(_.turn == 0)
    return latest.select(
        "person",
        said_level=level_of(latest.profile_seniority),
        said_role=role_of(latest.profile_target_roles[0]),
        said_location=place_of(latest.profile_locations[0]),
        said_industry=_trimmed(latest.profile_industries[0]),
        said_years=latest.profile_years_experience,
        said=ibis.literal(value=True),
    )


def _band(years: ir.FloatingValue) -> ir.IntegerValue:
    branches = ((years < end, place) for place, (_start, end) in enumerate(YEARS))
    return ibis.cases(*branches, else_=None).cast("int8")


@dataclass(frozen=True, slots=True)
class Kind:
    """A segment: its name, its scheme and who belongs to it.

    Args:
        segment_id: its name.
        scheme: one of :data:`SCHEMES`.
        criteria: who belongs to it.
    """

    segment_id: str
    scheme: str
    criteria: SegmentCriteria


def kinds(people: pa.Table) -> tuple[pa.Table, tuple[Kind, ...]]:
    """Name the segments of all people.

    Args:
        people: rows of :func:`memberships`.

    Returns:
        ``person``, ``bucket`` and for each scheme the place of the person's segment in the second value
        (NULL where she is in none); and the segments themselves. A person of whom neither level nor role is
        known is in no segment of the scheme ``profile``.

    Example:
        >>> row = {"person": "a", "bucket": 0, "level": "mid", "role": "data engineer", "years": 1}
        >>> row |= {"location": "Berlin, DE", "industry": None, "declared": True}
        >>> _, found = kinds(pa.Table.from_pylist([row]))
        >>> [kind.segment_id for kind in found]
        ['mid_data-engineer_2-5yrs', 'location_berlin-de']
    """
    names = ("level", "role", "years", "location", "industry")
    people = people.sort_by("person")
    values = {name: people[name].to_pylist() for name in names}
    columns: dict[str, Any] = {name: people[name] for name in PERSON}
    found: dict[tuple[object, ...], Kind] = {}
    places: dict[tuple[object, ...], int] = {}
    for scheme, keys in (("profile", names[:3]), ("location", names[3:4]), ("industry", names[4:])):
        codes: list[int | None] = []
        for key in zip(*(values[name] for name in keys), strict=True):
            if not any(part is not None for part in key[:2]):
                codes.append(None)
                continue
            whole = (scheme, *key)
            if whole not in places:
                places[whole] = len(places)
                found[whole] = _kind(scheme, key)
            codes.append(places[whole])
        columns[scheme] = pa.array(codes, pa.int32())
    return pa.table(columns), tuple(found.values())


def _kind(scheme: str, key: tuple[Any, ...]) -> Kind:
    if scheme != "profile":
        only = (key[0],)
        criteria = (
            SegmentCriteria(locations=only) if scheme == "location" else SegmentCriteria(industries=only)
        )
        return Kind(f"{scheme}_{_slug(key[0])}", scheme, criteria)
    level, role, years = key
    span = None if years is None else YEARS[years]
    named = (
        level,
        None if role is None else _slug(role),
        None if span is None else f"{span[0]}-{span[1]}yrs",
    )
    criteria = SegmentCriteria(
        seniority=None if level is None else SeniorityLevel(level),
        target_roles=None if role is None else (role,),
        years_experience_range=span,
    )
    return Kind("_".join(part for part in named if part), scheme, criteria)


def _slug(text: str) -> str:
    return re.sub(r"[^\w+#]+", "-", text.lower()).strip("-") or "other"


def named(members: pa.Table, known: Sequence[Kind], public: pa.Table) -> pa.Table:
    """Give who belongs to which segment as the rows of a derived table.

    Args:
        members: people and their places, of :func:`kinds`.
        known: the segments.
        public: ``person``, ``segment`` and ``level`` from public lists, under which others see figures.

    Returns:
        ``person``, ``bucket``, the name of her segment in each scheme, and :data:`PUBLIC`; NULL where
        she is in none.
    """
    columns: dict[str, Any] = {name: members[name] for name in PERSON}
    for scheme in SCHEMES:
        places = members[scheme].to_pylist()
        names = [None if place is None else known[place].segment_id for place in places]
        columns[scheme] = pa.array(names, pa.string())
    return pa.table(columns).join(public.select(["person", *PUBLIC]), "person")
