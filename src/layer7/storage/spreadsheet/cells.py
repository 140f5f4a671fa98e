"""The cells of one row of a person's spreadsheet, read as days, numbers and words, or noted as unreadable."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import TypeVar

from layer7.contract.shapes import EARLIEST_YEAR
from layer7.storage.spreadsheet.mapping import LogMapping, fold, parse_day

M = TypeVar("M", bound=StrEnum)

_LATEST_YEAR = 2100
_MAX_WORD = 500
_NUMBER = re.compile(r"-?\d+(\.\d+)?")
_ORNAMENT = re.compile(r"[\s'\u2019$\u20ac\u00a3]")


@dataclass(frozen=True, slots=True)
class RowProblem:
    """What could not be read, or not be believed, in one row.

    Args:
        row_number: the row as the spreadsheet numbers it; the header is usually row 1.
        column: the header of the column.
        code: stable name of the fault, e.g. ``unreadable_date``.
        reason: what is wrong and what became of it, in words, without the cell's content.
        kept: whether the application was taken all the same.
    """

    row_number: int
    column: str
    code: str
    reason: str
    kept: bool = True


@dataclass(frozen=True, slots=True)
class Cells:
    """One row, and what was found while it was read.

    Args:
        number: the row as the spreadsheet numbers it.
        content: the cells by our names of the columns.
        mapping: how to read them.
        today: days after it have not happened yet; None when any day may be meant.
        problems: where problems are noted.
        words: where words that had to be understood are noted: column, word as written, its meaning.
    """

    number: int
    content: Mapping[str, str]
    mapping: LogMapping
    today: date | None
    problems: list[RowProblem] = field(default_factory=list)
    words: list[tuple[str, str, str | None]] = field(default_factory=list)

    def report(self, name: str, code: str, reason: str, *, kept: bool = True) -> None:
        """Note a problem with the column that we call `name`."""
        header = self.mapping.columns.headers().get(name, name)
        self.problems.append(RowProblem(self.number, header, code, reason, kept))

    def text(self, name: str) -> str:
        """Give a cell's text without NUL and needless blanks; empty when there is no such column."""
        return " ".join(self.content.get(name, "").replace("\x00", "").split())

    def short(self, name: str) -> str:
        """Give a cell's text when the contract can hold it, else nothing."""
        text = self.text(name)
        if len(text) <= _MAX_WORD:
            return text
        self.report(name, "too_long", f"longer than {_MAX_WORD} characters; kept without it")
        return ""

    def day(self, name: str, *, kept: bool = True) -> date | None:
        """Give a cell as a day that can have been; `kept` says whether the row can do without it."""
        text = self.text(name)
        if not text:
            return None
        day = parse_day(text, self.mapping.date_formats)
        otherwise = "kept without it" if kept else "the row was left out"
        if day is None:
            formats = " or ".join(self.mapping.date_formats)
            self.report(name, "unreadable_date", f"no day written as {formats}; {otherwise}", kept=kept)
        elif not EARLIEST_YEAR <= day.year <= _LATEST_YEAR:
            years = f"not in the years {EARLIEST_YEAR} to {_LATEST_YEAR}"
            self.report(name, "impossible_date", f"{years}; {otherwise}", kept=kept)
        elif self.ahead(day):
            self.report(name, "date_in_future", f"lies in the future; {otherwise}", kept=kept)
        else:
            return day
        return None

    def ahead(self, day: date) -> bool:
        """Say whether a day has not come yet."""
        return self.today is not None and day > self.today

    def day_from(self, name: str, sent: date) -> date | None:
        """Give a cell as a day that is not before the application was sent."""
        day = self.day(name)
        if day is None or day >= sent:
            return day
        self.report(name, "before_sent", "earlier than the application; kept without it")
        return None

    def number_to(self, name: str, highest: float) -> float | None:
        """Give a cell as a number from 0 to `highest`; currency marks and grouped thousands are allowed."""
        text = self.text(name)
        if not text:
            return None
        decimal = self.mapping.decimal
        grouping = "," if decimal == "." else "."
        plain = _ORNAMENT.sub("", text).replace(grouping, "").replace(decimal, ".")
        if not _NUMBER.fullmatch(plain):
            self.report(name, "unreadable_number", "not a number; kept without it")
        elif not 0 <= float(plain) <= highest:
            self.report(name, "out_of_range", f"not between 0 and {highest:g}; kept without it")
        else:
            return float(plain)
        return None

    def meaning(self, name: str, table: Mapping[str, M], *, otherwise: str = "kept without it") -> M | None:
        """Look a cell's word up in a table of the mapping; `otherwise` says what an unknown word costs."""
        word = self.text(name)
        if not word:
            return None
        meaning = table.get(fold(word))
        self.words.append((name, word, None if meaning is None else meaning.value))
        if meaning is None:
            self.report(name, f"unknown_{name}", f"the mapping does not have this word; {otherwise}")
        return meaning

    def offered(self) -> bool:
        """Say whether the offer column holds a word for an offer."""
        word = self.text("offer")
        offered = self.mapping.offer.get(fold(word))
        if word and offered is None:
            self.report(
                "offer", "unknown_offer", "the mapping does not have this word; kept without an offer"
            )
        return bool(offered)

    def channel(self) -> str:
        """Give the site in the mapping's spelling, or as it is written."""
        word = self.short("channel")
        channel = self.mapping.channels.get(fold(word), word)
        if word:
            self.words.append(("channel", word, channel))
        return channel
