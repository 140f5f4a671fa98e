"""A person's own log of a job search, as it stands in a spreadsheet, read as the contract's events.

What cannot be read, or contradicts itself, is reported row by row and never stops the rest.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from layer7.contract.fields import FrozenDict
from layer7.contract.shapes import Identifier
from layer7.contract.vocabulary import EventType
from layer7.errors import Layer7Error
from layer7.storage.spreadsheet.cells import Cells, RowProblem
from layer7.storage.spreadsheet.mapping import LogMapping, load_mapping
from layer7.storage.spreadsheet.rows import Application, read_row
from layer7.storage.spreadsheet.table import EXCESS, read_table

__all__ = ["LogMapping", "LogReading", "Note", "RowProblem", "load_mapping", "read_log"]

_IDENTIFIER: TypeAdapter[str] = TypeAdapter(Identifier)


@dataclass(frozen=True, slots=True)
class Note:
    """How a word was understood.

    Args:
        column: our name of the column: ``status``, ``channel`` or ``seniority``.
        word: the word as it is written.
        meaning: what it was taken for; None when the mapping does not have it.
        rows: how many rows say it.
    """

    column: str
    word: str
    meaning: str | None
    rows: int


@dataclass(frozen=True, slots=True)
class LogReading:
    """What a spreadsheet says.

    Args:
        events: the contract's events, ready to be written as JSON.
        rows: rows that are not blank, without the header.
        applications: rows that could be read; of the others a problem with ``kept`` false says why not.
        without_days: answers of which the log does not say, or not reliably, after how many days they came.
        problems: what could not be read or believed, in the order of the rows.
        notes: how words were understood, the most frequent of each column first.
    """

    events: tuple[Mapping[str, Any], ...]
    rows: int
    applications: int
    without_days: int
    problems: tuple[RowProblem, ...]
    notes: tuple[Note, ...]


def read_log(
    path: Path, mapping: LogMapping, *, user_id: str, today: date | None = None, owner: str | None = None
) -> LogReading:
    """Read a spreadsheet of applications, saved as CSV, as application events.

    Each row gives APPLICATION_SUBMITTED at the day of sending, and STATUS_CHANGED for what was heard. Stages
    are cumulative, so an offer comes with its interview; silence gives nothing, since it is no outcome.

    Identities are hashes of what a row says of its application (day, company, title, site, location): reading
    again, after rows were added, sorted or answered, gives the same ones. Rows that nothing of this tells
    apart are numbered, the earliest answered first.

    Args:
        path: the CSV, with commas, semicolons, tabs or bars, in UTF-8, UTF-16 or Windows' Western European.
        mapping: what columns and words mean.
        user_id: whose log it is.
        today: later days are reported, since they cannot have been; without it no day is too late.
        owner: what identities are made from in place of `user_id`, such as the person's pseudonym: then
            nobody can check a guessed `user_id` against stored identities.

    Returns:
        The events, and how the rows and words were understood.

    Raises:
        Layer7Error: when nothing can be read: ``invalid_user_id``, ``no_such_file``, ``too_large``,
            ``unknown_format``, ``unreadable_file``, ``unclosed_quote``, ``missing_columns``,
            ``ambiguous_column``.

    Trust:
        ``days_to_response`` is there only where the log says when the answer came and does not contradict
        itself. An answer without a day of its own stands at the latest day that its row knows of by then, so
        its timestamp measures no delay.

    Example:
        >>> mapping = load_mapping(Path("examples/job_search_log.toml"))
        >>> reading = read_log(Path("examples/job_search_log.csv"), mapping, user_id="me")
        >>> reading.applications, reading.events[0]["timestamp"]
        (177, '2021-11-13')
    """
    _check(user_id)
    rows = [Cells(number, content, mapping, today) for number, content in read_table(path, mapping.columns)]
    read = [read_row(cells) for cells in rows if _whole(cells)]
    applications = [application for application in read if application is not None]
    resume = mapping.constants.resume_version_id
    return LogReading(
        events=tuple(
            event
            for application, application_id in _identified(applications, owner or user_id)
            for event in _events(application, application_id, user_id=user_id, resume_version_id=resume)
        ),
        rows=len(rows),
        applications=len(applications),
        without_days=sum(outcome.days is None for item in applications for outcome in item.outcomes),
        problems=tuple(problem for cells in rows for problem in cells.problems),
        notes=_notes(rows),
    )


def _check(user_id: str) -> None:
    try:
        _IDENTIFIER.validate_python(user_id)
    except ValidationError as error:
        raise Layer7Error(
            "invalid_user_id", "A user id has 1 to 200 visible characters.", "Give another one with --user."
        ) from error


def _whole(cells: Cells) -> bool:
    if not cells.content[EXCESS]:
        return True
    reason = "more cells than the header has, so they may have shifted; the row was left out"
    cells.report("beyond the last column", "too_many_cells", reason, kept=False)
    return False


def _name(kind: str, *parts: str | float | None) -> str:
    return f"{kind}_{hashlib.sha256(json.dumps([kind, *parts]).encode()).hexdigest()[:24]}"


def _identified(applications: Iterable[Application], owner: str) -> Iterator[tuple[Application, str]]:
    for identity, alike in groupby(sorted(applications, key=_place), key=attrgetter("identity")):
        for occurrence, application in enumerate(alike, 1):
            yield application, _name("app", owner, *identity, occurrence)


def _place(application: Application) -> tuple[tuple[str, ...], date, str]:
    """Where nothing tells applications apart the earliest answered is first, so a later answer moves none."""
    outcomes = application.outcomes
    first = outcomes[0].day if outcomes else date.max
    content = json.dumps([repr(outcomes), dict(application.job)], sort_keys=True)
    return application.identity, first, content


def _events(
    application: Application, application_id: str, *, user_id: str, resume_version_id: str
) -> Iterator[Mapping[str, Any]]:
    _, company, title, *_ = application.identity
    shared = {
        "user_id": user_id,
        "application_id": application_id,
        "job_id": _name("job", company, title) if company or title else _name("job", application_id),
        "resume_version_id": resume_version_id,
    }
    yield FrozenDict(
        shared,
        event_id=_name("event", application_id),
        event_type=EventType.APPLICATION_SUBMITTED.value,
        timestamp=application.sent.isoformat(),
        context=FrozenDict(job_characteristics=FrozenDict(application.job)),
    )
    for outcome in application.outcomes:
        day, days = outcome.day.isoformat(), outcome.days
        said = {"status": outcome.status.value} | ({} if days is None else {"days_to_response": days})
        yield FrozenDict(
            shared,
            event_id=_name("event", application_id, outcome.status.value, day, days),
            event_type=EventType.STATUS_CHANGED.value,
            timestamp=day,
            outcome=FrozenDict(said),
        )


def _notes(rows: Iterable[Cells]) -> tuple[Note, ...]:
    counts = Counter(word for cells in rows for word in cells.words)
    notes = [Note(*word, rows=count) for word, count in counts.items()]
    return tuple(sorted(notes, key=lambda note: (note.column, -note.rows, note.word)))
