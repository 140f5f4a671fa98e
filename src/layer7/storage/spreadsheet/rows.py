"""One row of a person's spreadsheet as an application: when it was sent, where, and what was heard of it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from types import MappingProxyType

from layer7.contract.vocabulary import OutcomeStatus
from layer7.storage.spreadsheet.cells import Cells
from layer7.storage.spreadsheet.mapping import Meaning, fold

_MAX_DAYS = 10_000
_MAX_SALARY = 1e9
_INTERVIEWED = frozenset({Meaning.INTERVIEW, Meaning.INTERVIEW_THEN_REJECTED, Meaning.OFFER})
_REJECTED = frozenset({Meaning.REJECTED, Meaning.INTERVIEW_THEN_REJECTED})
_UNANSWERED = frozenset({Meaning.SILENT, Meaning.GHOSTED})


@dataclass(frozen=True, slots=True)
class Answer:
    """When something was heard.

    Args:
        day: the day; None when the log does not say.
        days: days from sending to the answer; None when the log does not say, or contradicts itself.
    """

    day: date | None = None
    days: float | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was heard, as it goes into an event.

    Args:
        status: what it was.
        day: the day it stands at; its own, or else the latest day that the row knows of by then.
        days: days from sending to the answer, when the log says so.
    """

    status: OutcomeStatus
    day: date
    days: float | None


@dataclass(frozen=True, slots=True)
class Application:
    """A row that could be read.

    Args:
        sent: the day of sending.
        identity: what tells it from others: day, company, title, site and location, compared without case.
        job: the job's characteristics, as the contract names them.
        outcomes: what was heard, in the order in which it can have happened.
    """

    sent: date
    identity: tuple[str, ...]
    job: Mapping[str, str | float]
    outcomes: tuple[Outcome, ...]


def read_row(cells: Cells) -> Application | None:
    """Read a row; None, with the reason among its problems, when it has no date that can be read.

    Args:
        cells: the row; problems and words are noted there.
    """
    sent = cells.day("date_sent", kept=False)
    if sent is None:
        if not cells.text("date_sent"):
            cells.report("date_sent", "missing_date", "no date; the row was left out", kept=False)
        return None
    written = tuple(fold(cells.text(name)) for name in ("company", "title", "channel", "location"))
    if not written[0] and not written[1]:
        cells.report("company", "nameless", "neither company nor title; kept, as a job like no other")
    return Application(
        sent, (sent.isoformat(), *written), MappingProxyType(_job(cells)), _outcomes(cells, sent)
    )


def _job(cells: Cells) -> dict[str, str | float]:
    always = cells.mapping.constants
    level = cells.meaning("seniority", cells.mapping.seniority) or always.seniority
    said = {
        "title": cells.short("title"),
        "company": cells.short("company"),
        "seniority": "" if level is None else level.value,
        "location": cells.short("location") or always.location,
        "industry": cells.short("industry") or always.industry,
        "company_type": cells.short("company_type") or always.company_type,
        "channel": cells.channel() or always.channel,
    }
    job: dict[str, str | float] = {name: text for name, text in said.items() if text}
    salary = cells.number_to("salary", _MAX_SALARY)
    return job if salary is None else {**job, "salary": salary}


def _outcomes(cells: Cells, sent: date) -> tuple[Outcome, ...]:
    """Stages are cumulative: an offer, or the day of an interview, says that there was an interview."""
    table, otherwise = cells.mapping.status, "kept as not answered so far"
    meaning = cells.meaning("status", table, otherwise=otherwise) or Meaning.SILENT
    response = _answer(cells, "first_response", "days_to_first_response", sent=sent)
    rejection = _answer(cells, "rejection_date", "days_to_rejection", sent=sent)
    met = cells.day_from("interview_date", sent)
    latest = max(day for day in (sent, response.day, met) if day is not None)
    offered = cells.offered() or meaning is Meaning.OFFER
    interviewed = offered or met is not None or meaning in _INTERVIEWED
    heard: list[tuple[OutcomeStatus, Answer]] = []
    if interviewed:
        heard.append((OutcomeStatus.INTERVIEW, _invitation(cells, response, met)))
    if offered:
        heard.append((OutcomeStatus.OFFER, _offer(cells, sent, latest)))
    if meaning in _REJECTED:
        known = Answer() if interviewed else response
        heard.append((OutcomeStatus.REJECTED, _refusal(cells, rejection, latest, otherwise=known)))
    if meaning is Meaning.GHOSTED and cells.mapping.record_ghosted and not heard:
        heard.append((OutcomeStatus.GHOSTED, Answer()))
    if meaning in _UNANSWERED and response.day is not None and not interviewed:
        _doubt(cells, "answer")
    elif meaning not in _REJECTED and rejection.day is not None:
        _doubt(cells, "rejection")
    return _dated(heard, latest)


def _doubt(cells: Cells, what: str) -> None:
    reason = f"the row says when the {what} came, but its status says there was none; the status counts"
    cells.report("status", f"{what}_not_in_status", reason)


def _dated(heard: list[tuple[OutcomeStatus, Answer]], latest: date) -> tuple[Outcome, ...]:
    outcomes = []
    for status, answer in heard:
        day = answer.day or latest
        latest = max(latest, day)
        outcomes.append(Outcome(status, day, answer.days))
    return tuple(outcomes)


def _answer(cells: Cells, day_name: str, days_name: str, *, sent: date) -> Answer:
    """Read when an answer came: from its day, from the stated number of days, or from both."""
    day, stated = cells.day_from(day_name, sent), cells.number_to(days_name, _MAX_DAYS)
    if day is None:
        return (
            Answer()
            if stated is None or cells.text(day_name)
            else _after(cells, days_name, stated, sent=sent)
        )
    counted = (day - sent).days
    if stated is not None and abs(stated - counted) >= 1:
        cells.report(days_name, "days_differ", "not the days between the two dates; kept without days")
        return Answer(day)
    return Answer(day, float(counted) if counted <= _MAX_DAYS else None)


def _after(cells: Cells, name: str, days: float, *, sent: date) -> Answer:
    day = sent + timedelta(days=math.floor(days))
    if not cells.ahead(day):
        return Answer(day, days)
    cells.report(name, "date_in_future", "ends in the future; kept without it")
    return Answer()


def _invitation(cells: Cells, response: Answer, met: date | None) -> Answer:
    """The invitation is the first response; the day of the interview itself is no answer's delay."""
    if response.day is None:
        return Answer(met)
    if met is None or response.day <= met:
        return response
    cells.report("interview_date", "out_of_order", "before the first response; kept without days")
    return Answer(met)


def _offer(cells: Cells, sent: date, latest: date) -> Answer:
    day = cells.day_from("offer_date", sent)
    if day is None or day >= latest:
        return Answer() if day is None else Answer(day, float(min((day - sent).days, _MAX_DAYS)))
    cells.report("offer_date", "out_of_order", "before the interview; kept without days")
    return Answer()


def _refusal(cells: Cells, rejection: Answer, latest: date, *, otherwise: Answer) -> Answer:
    if rejection.day is None or rejection.day >= latest:
        return otherwise if rejection.day is None else rejection
    name = "rejection_date" if cells.text("rejection_date") else "days_to_rejection"
    cells.report(name, "out_of_order", "before the answer or interview it follows; kept without days")
    return Answer()
