"""The scoreboard as JSON and as a table of the documentation."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from layer7.simulation.scoreboard.measure import Mark, Measure, Unit
from layer7.simulation.scoreboard.verdict import Estimate, Line, Verdict

Row = Mapping[str, Any]
"""A line as plain JSON values."""

BEGIN, END = "<!-- scoreboard: begin -->", "<!-- scoreboard: end -->"
FIRST = "<!-- scoreboard: first lines -->"
COLUMNS = ("scenario", "measure", "engine", "naive rule", "mark", "verdict")


def to_row(line: Line) -> Row:
    """Give a line as plain JSON values.

    Args:
        line: the line.
    """
    measure = line.measure
    return {
        "scenario": measure.scenario,
        "measure": measure.name,
        "unit": str(measure.unit),
        "engine": _figure(line.engine),
        "naive_rule": measure.naive,
        "naive": _figure(line.naive),
        "mark": {"low": measure.mark.low, "high": measure.mark.high},
        "replications": line.replications,
        "verdict": str(line.verdict),
        "known": measure.known,
    }


def _figure(found: Estimate) -> Mapping[str, float | None]:
    return {
        "value": found.value, "error": found.error, "low": found.low, "high": found.high,
        "n": found.n, "told": found.told,
    }  # fmt: skip


def key_of(row: Row) -> tuple[str, str]:
    """Give what a row is known by."""
    return row["scenario"], row["measure"]


def merged(before: Sequence[Row], new: Sequence[Row], measures: Sequence[Measure]) -> tuple[Row, ...]:
    """Put new rows in the place of earlier ones; rows whose measure is gone are left out.

    Args:
        before: rows of an earlier run.
        new: rows of this one.
        measures: all lines that there are, in their order.
    """
    rows = {key_of(row): row for row in (*before, *new)}
    wanted = [(measure.scenario, measure.name) for measure in measures]
    return tuple(rows[key] for key in wanted if key in rows)


def cells(row: Row) -> tuple[str, ...]:
    """Give a row's cells in words, in the order of :data:`COLUMNS`.

    Args:
        row: as :func:`to_row` gives it.

    Example:
        >>> figure = {"value": 0.021, "error": 0.004, "low": 0.01, "high": 0.03, "n": 9, "told": 9}
        >>> row = {"scenario": "S2", "measure": "bias", "unit": "percent", "naive_rule": "plain", "known": ""}
        >>> mark = {"low": -0.05, "high": 0.05}
        >>> cells(row | {"engine": figure, "naive": figure, "mark": mark, "verdict": "pass"})[2:5]
        ('2.1 % ± 0.4', '2.1 %', '-5 % to 5 %')
    """
    unit = Unit(row["unit"])
    write = _WRITERS[unit]
    engine, naive = row["engine"], row["naive"]
    found = "cannot tell yet" if engine["value"] is None else write(engine["value"])
    if engine["error"] is not None:
        found += f" ± {_bare(write(engine['error']))}"
    return (
        row["scenario"],
        row["measure"],
        found,
        "" if naive["value"] is None else write(naive["value"]),
        _mark(Mark(**row["mark"]), unit),
        row["verdict"],
    )


def _percent(value: float) -> str:
    return f"{100 * value:z.1f} %"


_WRITERS: Mapping[Unit, Callable[[float], str]] = {
    Unit.PERCENT: _percent,
    Unit.NUMBER: lambda value: f"{value:.2f}",
    Unit.POINTS: lambda value: f"{100 * value:z.2f} points",
    Unit.WEEKS: lambda value: f"{value:.1f} weeks",
    Unit.PER_YEAR: lambda value: f"{value:.3f}",
}


def _bare(text: str) -> str:
    return text.split(" ", maxsplit=1)[0]


def _mark(mark: Mark, unit: Unit) -> str:
    low, high = ("" if end is None else _short(end, unit) for end in (mark.low, mark.high))
    if low and high:
        return f"{low} to {high}"
    return f"≥ {low}" if low else f"≤ {high}"


def _short(value: float, unit: Unit) -> str:
    """A mark has no more digits than it needs."""
    match unit:
        case Unit.PERCENT:
            return f"{100 * value:g} %"
        case Unit.POINTS:
            return f"{100 * value:g} points"
        case Unit.WEEKS:
            return f"{value:g} weeks"
        case _:
            return f"{value:g}"


def markdown(rows: Sequence[Row]) -> str:
    """Give rows as a table in Markdown.

    Args:
        rows: as :func:`to_row` gives them.
    """
    lines = [" | ".join(COLUMNS), " | ".join(["---"] * len(COLUMNS))]
    lines += [" | ".join(cells(row)) for row in rows]
    return "\n".join(f"| {line} |" for line in lines)


def short(rows: Sequence[Row]) -> str:
    """Give the first line of each scenario and every line that falls short, and how many there are of each.

    Args:
        rows: as :func:`to_row` gives them.
    """
    first = {row["scenario"]: row for row in reversed(rows)}
    shown = [row for row in rows if row is first[row["scenario"]] or row["verdict"] == Verdict.SHORT]
    counted = Counter(Verdict(row["verdict"]) for row in rows)
    told = ", ".join(f"{verdict.value}: {counted[verdict]}" for verdict in Verdict)
    return f"{markdown(shown)}\n\n{len(rows)} lines in all. {told.capitalize()}."


def replaced(page: str, rows: Sequence[Row]) -> str:
    """Give a page with its table made anew; a page without the markers is left as it is.

    Args:
        page: Markdown with :data:`BEGIN` for all lines or :data:`FIRST` for some, and :data:`END`.
        rows: the rows.
    """
    for begin, table in ((BEGIN, markdown), (FIRST, short)):
        if begin in page and END in page:
            before, after = page.split(begin, 1)[0], page.split(END, 1)[1]
            return f"{before}{begin}\n{table(rows)}\n{END}{after}"
    return page
