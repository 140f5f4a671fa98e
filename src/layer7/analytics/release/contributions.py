"""What each person who agreed contributes to a week of the release: places in public lists, and shares."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import ibis
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from ibis import _
from ibis.expr import types as ir

from layer7.analytics.applications.outcomes import SECONDS_PER_DAY, epoch_seconds
from layer7.analytics.release.public_keys import FAMILIES, INDUSTRIES, LEVELS, OTHER, PLACES, SEGMENTS, SKILLS
from layer7.analytics.segments.membership import level_of
from layer7.privacy.bounding import Contributions
from layer7.privacy.cells import CellTable, Layout

HORIZON_DAYS = 42
"""An answer counts if it comes within so many days: each application is told of once, none is censored."""

LOGGING_DAYS = 7
"""A week is released so many days after its last application can be answered: people log late."""

WEEK = 7 * SECONDS_PER_DAY
MONDAY = 4 * SECONDS_PER_DAY
"""The first Monday, in seconds from 1970 on; weeks are counted from it."""

MOST_SENT = 20
"""Applications of a person in one cell and week that count at most."""

MOST_WEIGHT = 4
"""A person who names many skills is asked about some of them, and speaks for at most so many of her own."""

Read = Callable[[ir.Table], ir.Table]
"""From different ``text`` to the place of its ``cell`` within a table; texts of no cell are left out."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A table of the release, and how an application is read into it.

    Args:
        table: the table.
        column: what is read; a list is read element by element.
        read: how; None where there is only one cell.
    """

    table: CellTable
    column: str | None = None
    read: Read | None = None


def listed(words: Mapping[str, str]) -> Read:
    """Make a reader that looks for the words of each entry of a public list; what fits none is ``other``.

    Args:
        words: a pattern by name.

    Example:
        >>> read = listed({"Software": "software", "Finance": "bank"})
        >>> read(ibis.memtable({"text": ["A bank"]})).to_pyarrow().to_pylist()
        [{'text': 'A bank', 'cell': 1}]
    """

    def read(texts: ir.Table) -> ir.Table:
        lowered = texts.text.lower()
        branches = ((lowered.re_search(pattern), place) for place, pattern in enumerate(words.values()))
        known = texts.filter(texts.text.strip() != "")
        return known.select("text", cell=ibis.cases(*branches, else_=len(words)).cast("int32"))

    return read


def named(names: Sequence[str], *, key: Callable[[ir.StringValue], ir.StringValue] | None = None) -> Read:
    """Make a reader that knows the names of a public list and nothing else.

    Args:
        names: the names, whatever their capitals.
        key: what of a text is looked up; None for all of it.

    Example:
        >>> named(["SQL", "Go"])(ibis.memtable({"text": ["go", "Cobol"]})).to_pyarrow().to_pylist()
        [{'text': 'go', 'cell': 1}]
    """

    def read(texts: ir.Table) -> ir.Table:
        # Made when asked for: a table made while modules load would load pandas with them.
        places = pa.table(
            {"name": [name.lower() for name in names], "cell": pa.array(range(len(names)), pa.int32())}
        )
        wanted = texts.text if key is None else key(texts.text)
        asked = texts.select("text", name=wanted.lower().strip())
        return asked.join(ibis.memtable(places), "name").select("text", "cell")

    return read


_PLACED = ("answered", "sent")
READINGS: tuple[Reading, ...] = (
    Reading(
        CellTable("all", ("everyone",), ("answered", "interviewed", "sent", "listing", "heard", "wait"), 1)
    ),
    Reading(CellTable("industry", (*INDUSTRIES, OTHER), _PLACED, 3), "industry", listed(INDUSTRIES)),
    Reading(CellTable("place", (*PLACES, OTHER), _PLACED, 2), "location", listed(PLACES)),
    Reading(
        CellTable("level", LEVELS, ("answered", "interviewed", "sent"), 2),
        "seniority",
        named(LEVELS, key=level_of),
    ),
    Reading(CellTable("segment", SEGMENTS, ("answered", "interviewed"), 1), "segment", named(SEGMENTS)),
    Reading(CellTable("skill", SKILLS, ("named",), 3), "skills", named(SKILLS)),
)
"""What is released, and how it is read."""

LAYOUT = Layout([reading.table for reading in READINGS])


def segment_of(members: ir.Table) -> ir.Table:
    """Give each person's level, and her public segment: level and role family; NULL where one is unknown.

    Args:
        members: rows of :func:`layer7.analytics.segments.membership.memberships`.
    """
    family = ibis.cases(
        *((members.role.re_search(words), name) for name, words in FAMILIES.items()), else_=None
    )
    return members.select("person", "level", segment=members.level + "_" + family)


def week_of(moment_seconds: int) -> int:
    """Give the number of the week (Monday to Sunday, UTC) of a moment.

    Example:
        >>> week_of(4 * 86_400), week_of(11 * 86_400 - 1)
        (0, 0)
    """
    return (moment_seconds - MONDAY) // WEEK


def start_of(week: int) -> int:
    """Give the first second of a week.

    Example:
        >>> start_of(0)
        345600
    """
    return MONDAY + week * WEEK


def last_mature(end: int) -> int:
    """Give the last week whose applications have all had their time for an answer by a moment.

    Args:
        end: seconds from 1970 on.

    Example:
        >>> last_mature(start_of(20)) - 20
        -8
    """
    return week_of(end - (HORIZON_DAYS + LOGGING_DAYS) * SECONDS_PER_DAY) - 1


def sent_in(applications: ir.Table, people: ir.Table, weeks: range) -> ir.Table:
    """Give what was sent in some weeks, with what became of it within the horizon.

    Args:
        applications: those of people who agreed.
        people: what :func:`segment_of` gives.
        weeks: which weeks.
    """
    found = applications.filter(applications.submitted_at.notnull())
    found = found.mutate(seconds=epoch_seconds(found.submitted_at))
    found = found.filter(found.seconds >= start_of(weeks.start), found.seconds < start_of(weeks.stop))
    answered = (found.answer_days <= HORIZON_DAYS).fill_null(ibis.literal(value=False))
    interviewed = (found.interview_days <= HORIZON_DAYS).fill_null(ibis.literal(value=False))
    told = found.select(
        "person",
        "industry",
        "location",
        "seniority",
        "skills",
        week=((found.seconds - MONDAY) // WEEK).cast("int32"),
        answered=ibis.ifelse(answered, 1.0, 0.0),
        interviewed=ibis.ifelse(interviewed, 1.0, 0.0),
        days=ibis.ifelse(answered, found.answer_days / HORIZON_DAYS, None),
        lists=ibis.ifelse(found.skills.length() > 0, 1.0, 0.0).fill_null(0.0),
    )
    told = told.mutate(listed=told.lists.sum().over(group_by=["week", "person"]))
    return told.left_join(people.select("person", "segment"), "person").drop("person_right")


def contribution_rows(sent: ir.Table, *, readings: Sequence[Reading] = READINGS) -> ir.Table:
    """Give each person's shares by week and cell.

    Args:
        sent: what :func:`sent_in` gives.
        readings: what is released.

    Returns:
        ``week``, ``person``, ``cell`` (its place in the layout) and ``x0``, ``x1``, ...: the metrics of the
        cell's table in their order. One row per person, week and cell; no text but the pseudonym.
    """
    parts, begin, most = [], 0, max(len(reading.table.metrics) for reading in readings)
    for reading in readings:
        parts.append(_of_table(sent, reading, begin, most))
        begin += len(reading.table.keys)
    return ibis.union(*parts) if len(parts) > 1 else parts[0]


def _of_table(rows: ir.Table, reading: Reading, begin: int, most: int) -> ir.Table:
    """Rows of one table, its cells counted from the beginning of the layout."""
    cells = _placed(rows, reading)
    own = cells.group_by("week", "person", "cell").aggregate(
        answered=cells.answered.mean(),
        interviewed=cells.interviewed.mean(),
        heard=cells.answered.max(),
        wait=cells.days.mean().fill_null(0.0),
        listing=cells.lists.max(),
        n=cells.count(),
        of=cells.listed.max(),
    )
    different = own.n.count().over(group_by=["week", "person"])
    # Of many cells a few are kept: each of these speaks for its share of the others.
    weight = ibis.greatest(different / reading.table.most, 1.0)
    told = own.mutate(
        sent=ibis.least(own.n * weight / MOST_SENT, 1.0),
        named=ibis.least(own.n / own.of * weight / MOST_WEIGHT, 1.0),
    )
    columns = {
        f"x{at}": told[reading.table.metrics[at]].cast("float64")
        if at < len(reading.table.metrics)
        else ibis.literal(0.0)
        for at in range(most)
    }
    return told.select("week", "person", cell=(told.cell + begin).cast("int32"), **columns)


def _placed(rows: ir.Table, reading: Reading) -> ir.Table:
    """Give rows with the place of their cell; each different text is read once."""
    if reading.read is None or reading.column is None:
        return rows.mutate(cell=ibis.literal(0, "int32"))
    column = rows[reading.column]
    rows = rows.mutate(text=column.unnest() if column.type().is_array() else column)
    texts = rows.select("text").filter(_.text.notnull()).distinct()
    return rows.join(reading.read(texts), "text")


def to_contributions(rows: pa.Table, metrics: int) -> tuple[Contributions, tuple[str, ...]]:
    """Give the rows of one week as numbers alone, and the people that they are of.

    Args:
        rows: of :func:`contribution_rows`, one week of them.
        metrics: how many metrics the layout has.

    Returns:
        The contributions, and pseudonyms in the order of their numbers.
    """
    found: Any = pc.dictionary_encode(rows["person"].combine_chunks())
    people = tuple(found.dictionary.to_pylist())
    values = np.column_stack([rows[f"x{at}"].to_numpy() for at in range(metrics)])
    keys = np.array([int(name[:16], 16) for name in people], np.uint64)
    numbers = found.indices.to_numpy().astype(np.int64)
    return Contributions(numbers, rows["cell"].to_numpy().astype(np.int64), values, keys), people
