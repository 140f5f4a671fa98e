"""Charts of the pages: Vega-Lite specifications made with Altair, coloured by the page's own style sheet.

Colours are names of the style sheet's variables, so one specification serves light and dark. Texts in
tooltips are written here, by the same functions as everywhere else.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt

from layer7.server.pages import figures
from layer7.server.pages.views import SilencePoint, WeekRate

GHOSTED_BELOW = 0.01
"""Chance of an interview below which an application is shown as ghosted."""

TALLEST = 3.0
"""Top of the scale, in multiples of the highest rate at most: one thin week must not flatten the others."""

Spec = dict[str, Any]
"""A Vega-Lite specification, ready for JSON."""

_Row = Mapping[str, str | float | None]
_ACCENT, _QUIET, _LINE = "var(--accent)", "var(--muted)", "var(--line)"
_FONT = "system-ui, -apple-system, Segoe UI, Roboto, sans-serif"
_PERCENT = "format(100 * datum.value, '~r') + ' %'"


def weekly_rate(weeks: Sequence[WeekRate], overall: float | None = None) -> Spec:
    """Draw the interview rate by week: a band for the interval, a line that breaks where nothing can be told.

    Args:
        weeks: oldest first.
        overall: rate over all weeks, 0 to 1, drawn dashed; None to leave it out.

    Example:
        >>> from datetime import date
        >>> spec = weekly_rate([WeekRate(date(2025, 1, 6), 0.04, 0.03, 0.05, 900)])
        >>> next(iter(spec["datasets"].values()))[0]["rate"].replace(figures.SPACE, " ")
        '4.0 % (3.0 to 5.0 %)'
    """
    rows: list[_Row] = [
        {
            "week": week.week.isoformat(),
            "value": week.value,
            "low": week.low,
            "high": week.high,
            "when": f"week of {figures.day(week.week)}",
            "rate": _told(week.value, week.low, week.high),
            "n": f"{figures.counted(week.n, 'application')}",
        }
        for week in weeks
    ]
    x = alt.X("week:T", scale=alt.Scale(type="utc"), axis=alt.Axis(title=None, format="%-d %b", tickCount=6))
    tooltip = [("when", "submitted"), ("rate", "interview rate"), ("n", "n")]
    layers = [*_bands(x, rows), *_line(x, tooltip, top=_top(weeks), dots=True)]
    if overall is not None:
        layers.append(_reference(overall))
    return _finished(layers, rows)


def silence(points: Sequence[SilencePoint]) -> Spec:
    """Draw the chance that an interview still comes against the days of silence.

    Args:
        points: by day, from day 0 on.

    Example:
        >>> len(silence([SilencePoint(0, 0.04), SilencePoint(1, 0.038)])["layer"])
        3
    """
    rows: list[_Row] = [
        {
            "day": point.day,
            "value": point.chance,
            "low": point.low,
            "high": point.high,
            "when": f"{figures.counted(point.day, 'day')}",
            "rate": _told(point.chance, point.low, point.high),
        }
        for point in points
    ]
    x = alt.X("day:Q", axis=alt.Axis(title="days of silence", tickCount=8), scale=alt.Scale(nice=False))
    tooltip = [("when", "silent for"), ("rate", "an interview still comes")]
    layers = [*_bands(x, rows), *_line(x, tooltip, top=None, dots=False), _reference(GHOSTED_BELOW)]
    return _finished(layers, rows)


@dataclass(frozen=True, slots=True)
class Whisker:
    """A gain and its interval on a small scale that holds zero; positions from 0 (left) to 100 (right)."""

    zero: float
    low: float
    high: float
    point: float


def whisker(value: float | None, interval: tuple[float, float] | None) -> Whisker | None:
    """Place a gain, its interval and zero on one scale.

    Args:
        value: the gain, in any unit; None when unknown.
        interval: its interval, in the same unit; None when unknown.

    Returns:
        Positions; None when there is nothing to draw.

    Example:
        >>> whisker(1.0, (0.0, 2.0))
        Whisker(zero=8.0, low=8.0, high=92.0, point=50.0)
    """
    if value is None or interval is None:
        return None
    first, last = min(0.0, value, interval[0]), max(0.0, value, interval[1])
    if first == last:
        return None
    places = [round(8 + 84 * (x - first) / (last - first), 2) for x in (0.0, *interval, value)]
    return Whisker(*places)


def beside(value: float | None, interval: tuple[float, float] | None, top: float) -> Whisker | None:
    """Place a rate and its interval on the scale that it shares with others.

    Args:
        value: the rate; None when unknown.
        interval: its interval; None when unknown.
        top: the highest end of all.

    Returns:
        Positions; None when there is nothing to draw.

    Example:
        >>> beside(0.05, (0.0, 0.1), 0.2)
        Whisker(zero=2.0, low=2.0, high=50.0, point=26.0)
    """
    if value is None or interval is None or top <= 0:
        return None
    places = [round(2 + 96 * min(x / top, 1.0), 2) for x in (0.0, *interval, value)]
    return Whisker(*places)


def _told(value: float | None, low: float | None, high: float | None) -> str:
    span = figures.interval(low, high) if value is not None else ""
    return figures.percent(value, low, high) + (f" ({span})" if span else "")


def _top(weeks: Sequence[WeekRate]) -> float | None:
    """Give the top of the scale when some interval would reach far above every rate, else None."""
    highest = max((week.value for week in weeks if week.value is not None), default=0.0)
    ends = max((week.high for week in weeks if week.high is not None), default=0.0)
    return TALLEST * highest if 0 < TALLEST * highest < ends else None


def _bands(x: alt.X, rows: list[_Row]) -> list[alt.Chart]:
    """Give the band of the intervals, or nothing where there are none: Vega warns of an empty scale."""
    if all(row["low"] is None for row in rows):
        return []
    area = alt.Chart().mark_area(color=_ACCENT, opacity=0.18, clip=True)
    return [area.encode(x=x, y=alt.Y("low:Q", title=None), y2="high")]


def _line(x: alt.X, tooltip: list[tuple[str, str]], *, top: float | None, dots: bool) -> list[alt.Chart]:
    ends = {"domain": [0, top]} if top is not None else {"zero": True}
    y = alt.Y("value:Q", title=None, scale=alt.Scale(**ends), axis=alt.Axis(tickCount=5, labelExpr=_PERCENT))
    base = alt.Chart().encode(x=x)
    seen = [alt.Tooltip(field=field, type="nominal", title=title) for field, title in tooltip]
    line = base.mark_line(color=_ACCENT, strokeWidth=2, clip=True).encode(y)
    size, opacity = (36, 1.0) if dots else (90, 0.0)
    marks = base.mark_circle(color=_ACCENT, size=size, opacity=opacity, clip=True).encode(y, tooltip=seen)
    return [line, marks]


def _reference(value: float) -> alt.Chart:
    dashed = alt.Chart().mark_rule(color=_QUIET, strokeDash=[4, 4], strokeWidth=1)
    rule: alt.Chart = dashed.encode(y=alt.datum(value))
    return rule


def _finished(layers: list[alt.Chart], rows: list[_Row]) -> Spec:
    axis = {
        "gridColor": _LINE,
        "labelColor": _QUIET,
        "titleColor": _QUIET,
        "labelFontSize": 12,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "titlePadding": 8,
        "labelPadding": 8,
        "domain": False,
        "ticks": False,
    }
    chart = alt.layer(*layers, data=alt.InlineData(values=rows)).properties(
        width="container", height=240, padding=4
    )
    styled = chart.configure(
        font=_FONT,
        background="transparent",
        aria=False,
        view={"stroke": None},
        axis=axis,
        axisX={"grid": False},
    )
    spec: Spec = styled.to_dict()
    return spec
