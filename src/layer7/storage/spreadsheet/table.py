"""A spreadsheet saved as CSV, whatever program and country it comes from, as rows under our column names."""

import csv
import io
from collections.abc import Iterator, Mapping
from pathlib import Path

from layer7.errors import Layer7Error
from layer7.storage.spreadsheet.mapping import Columns, fold

EXCESS = ""
"""Under this name stands what a row holds beyond the last column of the header."""

_DELIMITERS = ",;\t|"
_MAX_BYTES = 64 << 20
_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
_END = "\x00end\x00"
_AS_CSV = "In the spreadsheet program, save it as CSV (UTF-8)."


def read_table(path: Path, columns: Columns) -> Iterator[tuple[int, Mapping[str, str]]]:
    """Give every row that is not blank, with the number that the spreadsheet shows for it.

    The delimiter is the one under which the header shows most of the columns that are looked for.

    Args:
        path: the file.
        columns: our names of the columns and their headers.

    Yields:
        The row's number and its cells by our names.

    Raises:
        Layer7Error: ``no_such_file``, ``too_large``, ``unknown_format``, ``unreadable_file``,
            ``unclosed_quote``, ``missing_columns`` or ``ambiguous_column``.
    """
    text = _text(path)
    headers = {delimiter: next(_records(text, delimiter))[1] for delimiter in _DELIMITERS}
    delimiter = max(headers, key=lambda delimiter: len(_found(headers[delimiter], columns)))
    header, records = headers[delimiter], list(_records(text, delimiter))
    places = _places(header, columns)
    if records[-1][1] != [_END]:
        raise Layer7Error(
            "unclosed_quote",
            f"A quotation mark that opens in row {records[-1][0]} of {path.name} never closes.",
            "Close it, or write it twice where it is meant as a mark.",
        )
    for number, record in records[1:-1]:
        row = {name: record[place] for name, place in places.items() if place < len(record)}
        yield number, row | {EXCESS: "".join(record[len(header) :]).strip()}


def _text(path: Path) -> str:
    if not path.is_file():
        raise Layer7Error("no_such_file", f"There is no file {path}.", "Check the path.")
    if path.stat().st_size > _MAX_BYTES:
        raise Layer7Error(
            "too_large", f"{path.name} is larger than {_MAX_BYTES >> 20} MB.", "One person's log is smaller."
        )
    raw = path.read_bytes()
    if raw.startswith(_WORKBOOKS):
        raise Layer7Error("unknown_format", f"{path.name} is a workbook, not CSV.", _AS_CSV)
    utf16 = raw.startswith((b"\xff\xfe", b"\xfe\xff"))
    for encoding in ("utf-16",) if utf16 else ("utf-8-sig", "cp1252"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return raw.decode("latin-1")


def _records(text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Give what is not blank; the mark at the end shows whether a quotation mark has swallowed it."""
    try:
        for number, record in enumerate(
            csv.reader(io.StringIO(f"{text}\n{_END}", ""), delimiter=delimiter), 1
        ):
            if any(cell.strip() for cell in record):
                yield number, record
    except csv.Error as error:
        raise Layer7Error("unreadable_file", f"The file is not CSV: {error}.", _AS_CSV) from error


def _found(header: list[str], columns: Columns) -> Mapping[str, list[int]]:
    """Give the places where the header shows each column that is looked for."""
    shown = [fold(cell) for cell in header]
    wanted = {name: fold(said) for name, said in columns.headers().items()}
    places = {name: [i for i, cell in enumerate(shown) if cell == said] for name, said in wanted.items()}
    return {name: found for name, found in places.items() if found}


def _places(header: list[str], columns: Columns) -> Mapping[str, int]:
    found, wanted = _found(header, columns), columns.headers()
    shown = ", ".join(repr(cell.strip()) for cell in header if cell.strip() and cell != _END)
    if missing := [repr(said) for name, said in wanted.items() if name not in found]:
        raise Layer7Error(
            "missing_columns",
            f"The spreadsheet has no column {', '.join(missing)}; its header says {shown or 'nothing'}.",
            "Write the headers under [columns] in the mapping as they stand in its first row.",
        )
    if double := [repr(wanted[name]) for name, places in found.items() if len(places) > 1]:
        raise Layer7Error(
            "ambiguous_column",
            f"The spreadsheet has more than one column {', '.join(double)}.",
            "Give each of them a header of its own.",
        )
    return {name: places[0] for name, places in found.items()}
