"""What a person's spreadsheet means: its columns, date formats and words, as a TOML file says."""

import json
import tomllib
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal, Self, TypeVar

from pydantic import AfterValidator, Field, ValidationError, model_validator

from layer7.contract.base import Contract
from layer7.contract.fields import FrozenDict, FrozenMap
from layer7.contract.shapes import Identifier, Word
from layer7.contract.vocabulary import SeniorityLevel
from layer7.errors import Layer7Error

V = TypeVar("V")

_PROBE = date(2022, 12, 31)


class Meaning(StrEnum):
    """What a status word says about an application."""

    SILENT = "silent"
    GHOSTED = "ghosted"
    INTERVIEW = "interview"
    REJECTED = "rejected"
    INTERVIEW_THEN_REJECTED = "interview_then_rejected"
    OFFER = "offer"
    WITHDRAWN = "withdrawn"


def fold(text: str) -> str:
    """Give the form in which words and headers are compared: trimmed, single blanks, no case.

    Example:
        >>> fold("  Inter +  Rejec ")
        'inter + rejec'
    """
    return " ".join(text.split()).casefold()


def parse_day(text: str, formats: Iterable[str]) -> date | None:
    """Read a day in the first format that fits; None when none does.

    Example:
        >>> parse_day("1/2/2022", ("%d.%m.%Y", "%m/%d/%Y"))
        datetime.date(2022, 1, 2)
    """
    for written in formats:
        try:
            return datetime.strptime(text, written).replace(tzinfo=UTC).date()
        except ValueError:
            continue
    return None


def _by_fold(words: Mapping[str, V]) -> Mapping[str, V]:
    folded: dict[str, V] = {}
    for word, meaning in words.items():
        if folded.setdefault(fold(word), meaning) != meaning:
            message = f"gives the word {fold(word)!r} two meanings"
            raise ValueError(message)
    return FrozenDict(folded)


def _date_format(text: str) -> str:
    try:
        whole = parse_day(_PROBE.strftime(text), (text,)) == _PROBE
    except ValueError:
        whole = False
    if not whole:
        message = "a date format names day, month and year, such as %m/%d/%Y or %d.%m.%Y"
        raise ValueError(message)
    return text


Header = Annotated[str, Field(min_length=1)]
Words = Annotated[FrozenMap[str, V], AfterValidator(_by_fold)]
"""Words, compared without case, and what each means."""


class Columns(Contract):
    """Our names of the columns, each with its header in the spreadsheet."""

    date_sent: Header
    company: Header
    title: Header
    status: Header
    channel: Header | None = None
    location: Header | None = None
    seniority: Header | None = None
    industry: Header | None = None
    company_type: Header | None = None
    salary: Header | None = None
    first_response: Header | None = None
    days_to_first_response: Header | None = None
    interview_date: Header | None = None
    rejection_date: Header | None = None
    days_to_rejection: Header | None = None
    offer: Header | None = None
    offer_date: Header | None = None

    def headers(self) -> Mapping[str, str]:
        """Give our names with their headers, those that the spreadsheet has."""
        return self.model_dump(exclude_none=True)


class Constants(Contract):
    """What holds for every row; a cell that says something else wins."""

    resume_version_id: Identifier
    channel: Word | None = None
    location: Word | None = None
    seniority: SeniorityLevel | None = None
    industry: Word | None = None
    company_type: Word | None = None


class LogMapping(Contract):
    """How to read one person's spreadsheet.

    Args:
        columns: our names of the columns and their headers there.
        date_formats: formats of dates as in ``datetime.strptime``, tried in this order.
        decimal: the decimal mark of numbers; the other mark and blanks group thousands.
        status: status words and what they mean; a word that is not here is reported.
        offer: words of the offer column and whether they say that there was an offer.
        channels: other spellings of sites; a site that is not here keeps its own name.
        seniority: words for levels; a word that is not here is reported.
        constants: what holds for every row.
        record_ghosted: whether "ghosted" makes an event; silence is no outcome, so not unless asked.
    """

    columns: Columns
    date_formats: Annotated[tuple[Annotated[str, AfterValidator(_date_format)], ...], Field(min_length=1)]
    decimal: Literal[".", ","] = "."
    status: Words[Meaning]
    offer: Words[bool] = FrozenDict()
    channels: Words[Word] = FrozenDict()
    seniority: Words[SeniorityLevel] = FrozenDict()
    constants: Constants
    record_ghosted: bool = False

    @model_validator(mode="after")
    def _offer_words(self) -> Self:
        if self.columns.offer is not None and not self.offer:
            message = "columns.offer is given, so a table [offer] must say which words are an offer"
            raise ValueError(message)
        return self


_TABLES: Mapping[str, type[Contract]] = FrozenDict({"columns": Columns, "constants": Constants})


def load_mapping(path: Path) -> LogMapping:
    """Read a mapping from its TOML file.

    Args:
        path: the file; ``examples/job_search_log.toml`` is one with comments.

    Raises:
        Layer7Error: ``no_such_file``, ``invalid_toml``, or ``invalid_mapping`` with every place that does not
            fit and what is allowed there.

    Example:
        >>> load_mapping(Path("nowhere.toml"))
        Traceback (most recent call last):
        layer7.errors.Layer7Error: There is no mapping nowhere.toml. Check the path of --mapping.
    """
    try:
        said = tomllib.loads(path.read_text("utf-8"))
    except (FileNotFoundError, IsADirectoryError) as error:
        raise Layer7Error(
            "no_such_file", f"There is no mapping {path.name}.", "Check the path of --mapping."
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Layer7Error(
            "invalid_toml", f"{path.name} is not TOML: {error}.", "Compare with examples/job_search_log.toml."
        ) from error
    try:
        return LogMapping.model_validate_json(json.dumps(said, default=str))
    except ValidationError as error:
        raise Layer7Error(
            "invalid_mapping",
            f"The mapping {path.name} does not fit: {'; '.join(_faults(error))}.",
            "examples/job_search_log.toml is a mapping with comments.",
        ) from error


def _faults(error: ValidationError) -> list[str]:
    faults = []
    for item in error.errors(include_url=False, include_input=False):
        place = ".".join(str(part) for part in item["loc"]) or "the mapping"
        what = item["msg"].removeprefix("Value error, ")
        if item["type"] == "extra_forbidden":
            table = _TABLES.get(str(item["loc"][0]), LogMapping) if len(item["loc"]) > 1 else LogMapping
            what = f"unknown; allowed are {', '.join(table.model_fields)}"
        elif item["type"] == "missing":
            what = "required, but missing"
        faults.append(f"{place}: {what}")
    return faults
